"""Whole reports of other data sets: a folder of drawn images, and CIFAR-100 of generated files in its format."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from copied_project import Project, copied
from drawn_images import CLASSES, draw
from generated_data import write_cifar100
from made_report import complete, make

from autoencoders.data import SOURCES, sources

pytestmark = pytest.mark.scenario

FEW = ("--sigmas", "0.3", "--unseen", "none", "--ratios", "0.5", "--latents", "16", "--betas", "none")


def made(project: Project, *flags: str) -> dict[str, str]:
    """The report's pages, by their addresses; all of them say what they are of."""
    done = make(project, *FEW, *flags)
    assert done.returncode == 0, done.stderr
    book = project.folder / "_book"
    return {path.relative_to(book).as_posix(): path.read_text(encoding="utf-8") for path in book.rglob("*.html")}


def test_report_of_a_folder_says_whose_images_they_are(tmp_path: Path) -> None:
    project = complete(copied(tmp_path / "code"))
    flags = ("--dataset", f"folder:{draw(tmp_path / 'shapes', each=50)}", "--image-size", "24")
    pages = made(project, *flags)
    assert "Other data: folder:shapes@24, not CIFAR-10" in pages["index.html"]
    counts = "105 training, 15 validation and 30 test images of 24 × 24 pixels in 3 classes"
    method = pages["report/02-data-and-method.html"]
    assert counts in pages["index.html"]
    assert counts in method
    assert "6×6 cells" in method
    assert not re.search(r"holds 60,000|of 32.?×.?32", method)
    text = "".join(pages.values())
    assert "(Other data: folder:shapes@24.)" in text
    assert all(name in text for name in CLASSES)
    assert str(tmp_path) not in text
    rows = json.loads(project("results", "--json", *FEW, *flags).stdout)["rows"]
    assert len(rows) > 100


def test_report_of_cifar100_has_room_for_a_hundred_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checksums of the generated files are put in place of the official ones, here and in torchvision."""
    root = write_cifar100(tmp_path / "data", monkeypatch, train=1000, test=300)
    from torchvision.datasets import CIFAR100

    project = complete(copied(tmp_path / "code"))
    for name, official in sources.CIFAR100.files.items():
        project.edit("autoencoders/data/sources.py", str(official), SOURCES["cifar100"].files[name])  # type: ignore[union-attr]
    line = "    from torchvision.datasets import CIFAR100\n"
    lists = "".join(f"    CIFAR100.{n} = {getattr(CIFAR100, n)}\n" for n in ("train_list", "test_list", "meta"))
    project.edit("autoencoders/data/more_readers.py", line, f"{line}\n{lists}")
    pages = made(project, "--dataset", "cifar100", "--data-dir", str(root))
    assert "Other data: cifar100, not CIFAR-10" in pages["index.html"]
    assert "60,000 colour images of 32 × 32 pixels in 100 classes" in pages["report/02-data-and-method.html"]
    assert "man − boy + girl" in pages["report/06-vae.html"]
    [table] = re.findall(r'id="tbl-r20-classes".*?</thead>', pages["report/07-masked.html"], re.DOTALL)
    assert table.count("</th>") == 1 + 12
