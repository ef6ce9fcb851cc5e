"""Folders of one's own images: what is taken, how it is split, and what is refused in one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from copied_project import Project
from drawn_images import CLASSES, draw
from PIL import Image

from autoencoders import data, inspection, settings
from autoencoders.data import files, folders
from autoencoders.errors import InputError
from autoencoders.lab import Lab
from autoencoders.running import progress
from autoencoders.store import Artifact


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    return draw(tmp_path / "shapes", each=10)


def lab_on(folder: Path, **flags: str) -> Lab:
    return Lab(settings.load(profile="smoke", dataset=f"folder:{folder}", **flags), looks_only=True)


def load(folder: Path, size: int = 32) -> data.Dataset:
    lab = lab_on(folder, image_size=str(size))
    return data.load(lab.catalogues[0].data, lab.choice.root)


# ── What is taken ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [16, 48])
def test_folder_becomes_squares_in_three_parts(size: int, shapes: Path) -> None:
    found = load(shapes, size)
    assert found.name == f"folder:shapes@{size}"
    assert found.classes == CLASSES
    for part, each in ((found.train, 7), (found.validation, 1), (found.test, 2)):
        assert part.labels.bincount().tolist() == [each] * 3, "70, 10 and 20 % of each class"
        assert tuple(part.images.shape[1:]) == (3, size, size)
        assert part.images.dtype == torch.uint8
    assert torch.equal(load(shapes, size).test.images, found.test.images), "seeded"


def test_image_is_cropped_to_its_middle_and_turned_as_it_was_held(shapes: Path) -> None:
    from autoencoders.data.folder_images import _square

    pixels = np.zeros((40, 120, 3), np.uint8)
    pixels[:, 40:80] = (200, 0, 0)
    pixels[:20, 40:80, 1] = 100  # the upper half
    turned = Image.Exif()
    turned[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(shapes / "a.png", exif=turned)
    square = _square(shapes / "a.png", 16)
    assert square[:, 1:-1, 0].min() == 200, "the outermost pixels blend with what is cut off"
    assert square[:6, :, 1].max() == 0
    assert square[10:, 1:-1, 1].min() == 100


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "I;16"])
def test_image_of_any_mode_has_three_channels(mode: str, tmp_path: Path) -> None:
    from autoencoders.data.folder_images import _square

    grey = np.full((20, 20), 128, np.uint8)
    image = Image.fromarray(grey.astype(np.uint16) * 256) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    image.save(path)
    square = _square(path, 16)
    assert square.shape == (16, 16, 3)
    assert abs(float(square.mean()) - 128) < 3 or mode == "1"


def test_fingerprint_covers_every_image_and_its_name(shapes: Path) -> None:
    name, root = "folder:shapes@32", shapes.parent
    before = data.fingerprint(name, root)
    first = shapes / "circles/1.jpg"
    first.rename(first.with_name("other.jpg"))
    renamed = data.fingerprint(name, root)
    Image.new("RGB", (9, 9)).save(first.with_name("other.jpg"))
    assert len({before, renamed, data.fingerprint(name, root)}) == 3


def test_other_files_and_hidden_ones_are_passed_over(shapes: Path) -> None:
    before = folders.images_in(shapes)
    (shapes / "notes.txt").write_text("mine")
    (shapes / "circles/Thumbs.db").write_bytes(b"x")
    (shapes / "circles/.hidden.png").write_bytes(b"x")
    (shapes / ".git").mkdir()
    assert folders.images_in(shapes) == before


@pytest.mark.parametrize(
    ("said", "size", "name"),
    [
        ("folder:{place}", None, "folder:shapes@32"),
        ("folder:{place}/", None, "folder:shapes@32"),
        ("folder:{place}", "48", "folder:shapes@48"),
        ("folder:{place}@64", "48", "folder:shapes@64"),
    ],
)
def test_settings_tell_the_name_from_the_place(said: str, size: str | None, name: str, shapes: Path) -> None:
    found = settings.load(dataset=said.format(place=shapes), image_size=size)
    assert (found.dataset, found.data_dir) == (name, shapes.parent)
    again = settings.load(dataset=found.dataset, data_dir=str(found.data_dir))
    assert (again.dataset, again.data_dir) == (found.dataset, found.data_dir), "as notebooks are told"


def test_submission_names_the_data_set_without_its_place(shapes: Path) -> None:
    found = settings.load(dataset=f"folder:{shapes}", image_size="48")
    text = settings.as_yaml("group: G00\n", found)
    assert "folder:shapes@48" in text
    assert str(shapes.parent) not in text


def test_small_folder_is_trained_on_as_a_whole(shapes: Path) -> None:
    [catalogue] = lab_on(shapes).catalogues
    assert catalogue.data.train is None, "smoke's 512 images are more than there are"
    assert catalogue.triples == (CLASSES,)  # type: ignore[attr-defined]
    assert all(0 <= kind < 3 for kind in catalogue.left_out)  # type: ignore[attr-defined]


def test_results_on_a_folder_outlast_runs_on_other_data(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"profile": "smoke", "device": "cpu", "cache": str(tmp_path / "cache")}
    lab = Lab(settings.load(dataset=f"folder:{shapes}", **asked))
    lab.check_images()
    needed = replace(lab.bench.training(lab.experiments()[0]), compute=lambda scratch: Artifact({}, {}))
    for task in (needed, replace(needed, name="obsolete", spec=dict(needed.spec) | {"old": True})):
        lab.store.fetch(task)
    for one, listed in ((Lab(settings.load(dataset="photos10", **asked), looks_only=True), []), (lab, ["obsolete"])):
        inspection.prune(one, drop=False, confirmed=lambda question: False)
        assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == listed


# ── What is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


def _empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _one_class(folder: Path) -> None:
    for name in CLASSES[1:]:
        _empty(folder / name)
        (folder / name).rmdir()


def _too_few(folder: Path) -> None:
    (folder / "circles/1.jpg").unlink()


def _no_image(folder: Path) -> None:
    (folder / "circles/1.jpg").write_bytes(b"no picture")


def _bomb(folder: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(folder / "circles/1.png")


def _link_out(folder: Path) -> None:
    os.symlink("/etc/hostname", folder / "circles/link.png")


def _linked_class(folder: Path) -> None:
    os.symlink(folder / "circles", folder / "again")


def _strange_class(folder: Path) -> None:
    (folder / "circles").rename(folder / "<b>$x$")


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "empty": (_empty, "holds no images"),
    "one class": (_one_class, "has one class, 'Stripes 2'"),
    "too few": (_too_few, "the class circles has 9 images, at least 10 are needed"),
    "no image": (_no_image, "1.jpg can't be read as an image"),
    "bomb": (_bomb, "1.png is too large"),
    "link that leads out": (_link_out, "link.png is a link"),
    "linked class": (_linked_class, "again is a link"),
    "strange class": (_strange_class, "needs a name of letters, digits and spaces"),
}


@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED)
def test_folder_that_makes_no_data_set_is_refused_in_one_line(
    change: Callable[[Path], None], said: str, shapes: Path
) -> None:
    change(shapes)
    with pytest.raises(InputError) as refusal:
        lab_on(shapes).bench  # noqa: B018
    assert said in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


def test_image_that_is_torn_is_named_before_anything_is_computed(shapes: Path, tmp_path: Path) -> None:
    whole = (shapes / "circles/2.png").read_bytes()
    (shapes / "circles/2.png").write_bytes(whole[: len(whole) // 2])
    lab = Lab(settings.load(profile="smoke", dataset=f"folder:{shapes}", device="cpu", cache=str(tmp_path / "cache")))
    with pytest.raises(InputError, match=r"circles/2\.png can't be read as an image.*\Z") as refusal:
        progress.follow(lab, lab.plan(["baseline/*"]))
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"dataset": "folder:/no/where"}, "there is no folder /no/where"),
        ({"dataset": "folder:"}, "a folder of images needs a name"),
        ({"dataset": "folder:a$b"}, "a folder of images needs a name"),
        ({"dataset": "folder:shapes@33"}, "must be a multiple of 8 from 16 to 128"),
        ({"dataset": "folder:shapes", "image_size": "136"}, "image_size '136': must be auto or a multiple of 8"),
        ({"dataset": "cifar10", "image_size": "48"}, "image_size 48: only a folder of images has one to choose"),
    ],
)
def test_wrong_names_and_sizes_are_one_line(flags: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as refusal:
        Lab(settings.load(profile="smoke", **flags), looks_only=True).choices  # noqa: B018
    assert said in str(refusal.value)


def test_folder_that_is_missing_exits_with_2(project: Project) -> None:
    done = project("run", "--dataset", "folder:/no/where")
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no folder /no/where")
    assert len(done.stderr.splitlines()) == 1


def test_listing_is_not_read_again(shapes: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name, root = "folder:shapes@32", shapes.parent
    before = data.fingerprint(name, root, tmp_path)
    monkeypatch.setattr(files, "check_image", lambda path: pytest.fail("opened again"))
    assert data.fingerprint(name, root, tmp_path) == before
