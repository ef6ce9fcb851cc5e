"""Data: what arrives, from where, how it is split, and what a person reads when it can't be had."""

from __future__ import annotations

import dataclasses
import gzip
import importlib.util
import itertools
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
import urllib.request
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from generated_data import write_cifar100, write_svhn
from PIL import Image

import autoencoders
from autoencoders import data
from autoencoders.catalogue import TRIPLES
from autoencoders.data import crops, download, files, readers, sources
from autoencoders.data import dataset as datasets
from autoencoders.errors import InputError
from autoencoders.specs import Data
from autoencoders.store import codehash

EMBEDDED = [name for name, source in data.SOURCES.items() if isinstance(source, sources.Shipped)]


def raw_of(labels: list[int], size: int = 2) -> data.Raw:
    """Images that differ from each other, so that one that appears twice is seen."""
    images = torch.arange(len(labels), dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, size, size).contiguous()
    part = data.Split(images, torch.tensor(labels))
    return data.Raw(part, part, tuple(str(label) for label in sorted(set(labels))))


def ids(part: data.Split) -> list[int]:
    return part.images[:, 0, 0, 0].tolist()


# ── Generated files in the official formats ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fake_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CIFAR-10 of 20 images per batch, with its checksums in place of the official ones."""
    import torchvision.datasets

    rng = np.random.default_rng(0)
    root = tmp_path / "somewhere"
    folder = root / sources.CIFAR10.folder
    folder.mkdir(parents=True)
    for name in sources.CIFAR10.files:
        batch: dict[str, object] = {"data": rng.integers(0, 256, (20, 3072), np.uint8), "labels": list(range(10)) * 2}
        if name == "batches.meta":
            batch = {"label_names": list("abcdefghij")}
        (folder / name).write_bytes(pickle.dumps(batch))
    checksums = {name: files._md5(folder / name) for name in sources.CIFAR10.files}
    monkeypatch.setitem(data.SOURCES, "cifar10", dataclasses.replace(sources.CIFAR10, files=checksums))
    official = torchvision.datasets.CIFAR10
    monkeypatch.setattr(official, "train_list", [[name, checksums[name]] for name, _ in official.train_list])
    monkeypatch.setattr(official, "test_list", [[name, checksums[name]] for name, _ in official.test_list])
    monkeypatch.setattr(official, "meta", official.meta | {"md5": checksums["batches.meta"]})
    return root


@pytest.fixture
def fake_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An MNIST of 40 and 20 digits: grey squares, the brighter the higher the class."""
    root = tmp_path / "somewhere"
    folder = root / sources.MNIST.folder
    folder.mkdir(parents=True)
    for part, count in (("train", 40), ("t10k", 20)):
        labels = np.arange(count, dtype=np.uint8) % 10
        images = np.zeros((count, 28, 28), np.uint8)
        images[:, 8:20, 8:20] = 120 + 15 * labels[:, None, None]
        sizes = b"".join(n.to_bytes(4, "big") for n in images.shape)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + sizes + images.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + sizes[:4] + labels.tobytes())
    fake = dataclasses.replace(sources.MNIST, files={name: files._md5(folder / name) for name in sources.MNIST.files})
    for name in ("mnist", "mnist-colored", "mnist-colored-class"):
        monkeypatch.setitem(data.SOURCES, name, fake)
    return root


@pytest.fixture
def fake_voc(tmp_path: Path) -> Path:
    """Photographs of 200×100, black but for a white cat of 60×60 at the right and a small dog at the left."""
    folder = tmp_path / sources.VOC2007.folder
    for sub in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / sub).mkdir(parents=True)

    def thing(name: str, left: int, top: int, right: int, bottom: int) -> str:
        box = f"<xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
        return f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"

    for number in range(20):
        pixels = np.zeros((100, 200, 3), np.uint8)
        pixels[20:80, 120:180] = 255
        Image.fromarray(pixels).save(folder / f"JPEGImages/{number}.jpg")
        things = thing("dog", 0, 0, 20, 20) + thing("cat", 120, 20, 180, 80)
        (folder / f"Annotations/{number}.xml").write_text(f"<annotation>{things}</annotation>")
    (folder / "ImageSets/Main/trainval.txt").write_text("\n".join(map(str, range(12))))
    (folder / "ImageSets/Main/test.txt").write_text("\n".join(map(str, range(12, 20))))
    return tmp_path


# ── What arrives ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "shape", "counts"),
    [
        ("photos10", (3, 32, 32), (9000, 1000, 2000)),
        ("photos10-64", (3, 64, 64), (4500, 500, 1000)),
        ("photos10-96", (3, 96, 96), (2997, 333, 660)),
        ("digits", (1, 28, 28), (1293, 144, 360)),
        ("digits-colored", (3, 28, 28), (1293, 144, 360)),
        ("digits-colored-class", (3, 28, 28), (1293, 144, 360)),
    ],
)
def test_embedded_sets_arrive_complete(
    name: str, shape: tuple[int, ...], counts: tuple[int, ...], no_data: Path
) -> None:
    dataset = data.load(Data(name=name), data.obtain(name))
    parts = (dataset.train, dataset.validation, dataset.test)
    assert tuple(len(part) for part in parts) == counts
    for part in parts:
        assert part.images.dtype == torch.uint8
        assert part.images.shape[1:] == shape
        assert part.labels.dtype == torch.int64
        assert set(part.labels.tolist()) == set(range(10))
    assert len(dataset.classes) == 10
    assert dataset.classes == data.CLASSES.get(name, dataset.classes)
    assert len(dataset.fingerprint) == 64
    assert not no_data.exists()


def test_cifar10_arrives_complete(cifar_root: Path) -> None:
    dataset = data.load(Data(), data.obtain("cifar10", cifar_root))
    assert tuple(dataset.train.images.shape) == (45_000, 3, 32, 32)
    assert dataset.train.labels.bincount().tolist() == [4500] * 10
    assert dataset.validation.labels.bincount().tolist() == [500] * 10
    assert dataset.test.labels.bincount().tolist() == [1000] * 10
    assert dataset.classes == data.CLASSES["cifar10"]
    assert dataset.test.images[0, :, 0, 0].tolist() == [158, 112, 49]  # red, green and blue of the first test image
    assert dataset.test.labels[:4].tolist() == [3, 8, 8, 0]


def test_mnist_arrives_complete(mnist_root: Path) -> None:
    dataset = data.load(Data(name="mnist"), data.obtain("mnist", mnist_root))
    assert tuple(dataset.train.images.shape) == (54_000, 1, 28, 28)
    assert dataset.test.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_cifar10_is_read_in_its_format(fake_cifar: Path) -> None:
    dataset = data.load(Data(), fake_cifar)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (90, 10, 20)
    assert dataset.classes == tuple("abcdefghij")
    stored = pickle.loads((fake_cifar / sources.CIFAR10.folder / "test_batch").read_bytes())
    assert torch.equal(dataset.test.images.flatten(1), torch.from_numpy(stored["data"]))


def test_mnist_is_read_in_its_format(fake_mnist: Path) -> None:
    dataset = data.load(Data(name="mnist"), fake_mnist)
    assert dataset.test.images[:, 0, 14, 14].tolist() == [120 + 15 * label for label in dataset.test.labels.tolist()]


def test_voc_squares_show_the_largest_object(fake_voc: Path) -> None:
    raw = readers.read_voc2007(fake_voc)
    assert (len(raw.train), len(raw.test)) == (18, 2)  # a tenth of all, so that 80/10/10 can be had
    assert raw.classes == ("cat",)
    # The square ends at 200: its window is 100..200, where the cat covers the columns 20..80 of 100
    cat = raw.train.images[0].float().mean(0)
    assert cat[16:48, 16:48].mean() > 250
    assert cat[:, :8].mean() < 5
    assert cat[:, -8:].mean() < 5


def test_cifar100_is_read_in_its_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar100(tmp_path, monkeypatch, train=200, test=100)
    found = data.load(Data(name="cifar100"), tmp_path)
    assert (len(found.train), len(found.validation), len(found.test)) == (180, 20, 100)
    assert len(found.classes) == 100
    assert found.test.labels.tolist() == list(range(100))
    assert {*chain(*TRIPLES["cifar100"])} <= {*found.classes}


def test_svhn_is_read_in_its_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_svhn(tmp_path, monkeypatch, train=100, test=20)
    found = data.load(Data(name="svhn"), tmp_path)
    assert tuple(found.test.images.shape) == (20, 3, 32, 32)
    assert found.classes == data.CLASSES["svhn"]
    brightness = found.test.images[:, 0].float().mean((1, 2))
    assert brightness.round().tolist() == [20.0 * label for label in found.test.labels.tolist()], "10 means 0"


def test_fashion_mnist_is_read_in_its_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision.datasets

    folder = tmp_path / sources.FASHION_MNIST.folder
    folder.mkdir(parents=True)
    for part, count in (("train", 40), ("t10k", 20)):
        labels = np.arange(count, dtype=np.uint8) % 10
        images = np.repeat(100 + labels, 28 * 28).astype(np.uint8)
        for kind, header, content in (("images-idx3", 16, images), ("labels-idx1", 8, labels)):
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(bytes(header) + content.tobytes()))
    checksums = {name: files._md5(folder / name) for name in sources.FASHION_MNIST.files}
    monkeypatch.setitem(data.SOURCES, "fashion-mnist", dataclasses.replace(sources.FASHION_MNIST, files=checksums))
    found = data.load(Data(name="fashion-mnist"), tmp_path)
    assert tuple(found.train.images.shape) == (36, 3, 32, 32)
    assert found.test.images[:, :, 2, 2].tolist() == [[100 + label] * 3 for label in found.test.labels.tolist()]
    assert found.test.images[:, :, :2].max() == 0, "a black border"
    assert found.classes == data.CLASSES["fashion-mnist"] == tuple(torchvision.datasets.FashionMNIST.classes)


def test_checksums_are_torchvisions() -> None:
    from torchvision import datasets as official

    cifar = official.CIFAR100
    assert {**dict(cifar.train_list), **dict(cifar.test_list), "meta": cifar.meta["md5"]} == sources.CIFAR100.files
    svhn = {name: md5 for _, name, md5 in official.SVHN.split_list.values()}
    assert {name: svhn[name] for name in sources.SVHN.files} == sources.SVHN.files
    assert dict(official.FashionMNIST.resources) == sources.FASHION_MNIST.files


def test_stl10_is_read_in_its_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision.datasets

    folder = tmp_path / sources.STL10.folder
    folder.mkdir()
    column_major = np.zeros((2, 3, 96, 96), np.uint8)
    column_major[:, 0, 5, 7] = 200
    for part in ("train", "test"):
        column_major.tofile(folder / f"{part}_X.bin")
        np.array([1, 10], np.uint8).tofile(folder / f"{part}_y.bin")
    (folder / "class_names.txt").write_text("\n".join("abcdefghij"))
    monkeypatch.setattr(torchvision.datasets.STL10, "_check_integrity", lambda self: True)
    raw = readers.read_stl10(tmp_path)
    assert tuple(raw.train.images.shape) == (2, 3, 96, 96)
    assert raw.test.images[0].nonzero().tolist() == [[0, 7, 5]]
    assert raw.test.labels.tolist() == [0, 9]


def test_digits_in_random_colours_hide_their_class(no_data: Path) -> None:
    raw, grey = readers.read_digits_colored(no_data), readers.read_digits(no_data)
    colours = raw.train.images.amax(dim=(2, 3)).float()
    assert torch.equal(raw.train.images.amax(1), grey.train.images[:, 0])  # the digit itself is untouched
    assert len(colours.unique(dim=0)) > 1000
    for label in range(10):
        of_class = colours[raw.train.labels == label]
        assert (of_class.mean(0) - colours.mean(0)).abs().max() < 25
        assert of_class.std(0).min() > 40


def test_digits_in_class_colours_give_their_class_away(no_data: Path) -> None:
    raw = readers.read_digits_colored_class(no_data)
    hues: dict[int, torch.Tensor] = {}
    for part in (raw.train, raw.test):
        for image, label in zip(part.images, part.labels.tolist(), strict=True):
            colour = image.amax(dim=(1, 2)).float()
            hues.setdefault(label, (colour / colour.max()).round(decimals=1))
            assert torch.allclose(colour / colour.max(), hues[label], atol=0.06)
    assert len({tuple(hue.tolist()) for hue in hues.values()}) == 10


# ── Crops of photographs ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [32, 64, 96])
def test_crops_for_training_and_testing_share_no_pixel(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paints each photograph's pixels as they are used, once for training and once for testing."""
    windows = crops._windows
    drawn: list[tuple[np.ndarray, np.ndarray]] = []

    def noted(allowed: np.ndarray, *rest: object) -> np.ndarray:
        result = windows(allowed, *rest)  # type: ignore[arg-type]
        painted = np.zeros(allowed.shape, bool)
        for top, left, side in result:
            assert 0 <= top <= top + side <= allowed.shape[0]
            assert 0 <= left <= left + side <= allowed.shape[1]
            assert side >= size
            painted[top : top + side, left : left + side] = True
        drawn.append((painted, result))
        return result

    monkeypatch.setattr(crops, "_windows", noted)
    crops._photo_crops(size)
    assert len(drawn) == 2 * len(data.PHOTOS)
    for (train, _), (test, windows_of_test) in zip(drawn[::2], drawn[1::2], strict=True):
        assert not (train & test).any()
        assert train.mean() > 0.4  # and yet much of each photograph is used
        assert len(np.unique(windows_of_test, axis=0)) > 0.9 * len(windows_of_test)


def test_crops_use_no_pixel_outside_their_window() -> None:
    pixels = np.full((80, 80, 3), 255, np.uint8)
    pixels[20:60, 20:60] = 0
    window = np.array([[20, 20, 40]])
    cut = crops._crops(Image.fromarray(pixels), window, 32, np.random.default_rng(0))
    assert cut.max() == 0


# ── Splits ───────────────────────────────────────────────────────────────────────────────────────────────────────────

LABELS = [0] * 100 + [1] * 50 + [2] * 50


def test_class_that_is_left_out_remains_in_the_test_images_alone() -> None:
    raw = raw_of([0, 1, 2] * 20)
    train, validation = data.split(raw, Data(name="made", validation=0.2))
    whole = data.Dataset("made", train, validation, raw.test, raw.classes, "fingerprint")
    part = whole.without(1)
    assert ids(part.train) == [i for i in ids(whole.train) if i % 3 != 1]
    assert ids(part.validation) == [i for i in ids(whole.validation) if i % 3 != 1]
    assert part.test is whole.test
    assert whole.without(None) is whole
    with pytest.raises(InputError, match="classes 0 to 2, none of them 3"):
        whole.without(3)


def test_split_is_disjoint_complete_and_stratified() -> None:
    train, validation = data.split(raw_of(LABELS), Data(validation=0.1))
    assert sorted(ids(train) + ids(validation)) == list(range(200))
    assert validation.labels.bincount().tolist() == [10, 5, 5]
    assert [LABELS[i] for i in ids(train)] == train.labels.tolist()


def test_split_follows_its_seed_alone() -> None:
    raw = raw_of(LABELS)
    first, again, other = (data.split(raw, Data(split_seed=seed))[1] for seed in (0, 0, 1))
    assert ids(first) == ids(again)
    assert ids(first) != ids(other)


def test_split_makes_smaller_training_sets_parts_of_larger_ones() -> None:
    raw = raw_of(LABELS)
    splits = [data.split(raw, Data(train=count)) for count in (4, 40, 120, None)]
    for (smaller, validation), (larger, same) in itertools.pairwise(splits):
        assert set(ids(smaller)) < set(ids(larger))
        assert ids(validation) == ids(same)
    assert splits[1][0].labels.bincount().tolist() == [20, 10, 10]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 199, 200])
def test_stratified_draws_the_exact_count(count: int) -> None:
    positions = datasets.stratified(np.array(LABELS), count, np.random.default_rng(0))
    assert len(set(positions.tolist())) == count


@pytest.mark.parametrize(
    "change",
    [{"train": 0}, {"train": 181}, {"validation": 0.0}, {"validation": 1.0}, {"validation": -0.1}, {"split_seed": -1}],
)
def test_split_refuses_impossible_specs(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        data.split(raw_of(LABELS), Data(**change))


@pytest.mark.parametrize("count", [1, 4])
def test_split_refuses_too_few_images(count: int) -> None:
    with pytest.raises(InputError, match=f"cifar10 has {count} images: too few to train on some"):
        data.split(raw_of([0] * count), Data())


# ── Where it comes from ──────────────────────────────────────────────────────────────────────────────────────────────


def test_locate_looks_in_the_named_folder_and_then_in_the_projects(
    fake_cifar: Path, no_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data.locate("stl10", fake_cifar) is None
    shutil.copytree(fake_cifar, no_data)
    (no_data / sources.STL10.folder).mkdir()
    for file in sources.STL10.files:
        (no_data / sources.STL10.folder / file).touch()
    assert data.locate("cifar10") == data.locate("stl10", fake_cifar) == no_data
    assert data.locate("cifar10", fake_cifar) == fake_cifar
    monkeypatch.setenv("AUTOENCODERS_DATA", str(fake_cifar))
    assert data.locate("cifar10") == fake_cifar
    assert data.locate("cifar10", no_data) == no_data


@pytest.mark.parametrize("name", [*data.SOURCES])
def test_locate_has_no_side_effects(name: str, no_data: Path) -> None:
    root = data.locate(name)
    assert (root is not None) == (name in EMBEDDED)
    assert not no_data.exists()


def test_download_arrives_complete(no_data: Path, fake_cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetched(root: Path) -> None:
        assert data.locate("cifar10") is None, "a download under way must not look like data"
        shutil.copytree(fake_cifar, root, dirs_exist_ok=True)
        (root / "cifar-10-python.tar.gz").touch()

    monkeypatch.setattr(download, "_reach", lambda url: None)
    monkeypatch.setitem(data.SOURCES, "cifar10", dataclasses.replace(data.SOURCES["cifar10"], download=fetched))  # type: ignore[arg-type]
    assert data.obtain("cifar10") == no_data
    assert {path.name for path in no_data.iterdir()} - {".lock"} == {sources.CIFAR10.folder}
    assert len(data.load(Data(), no_data).test) == 20


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (RuntimeError("File not found or corrupted."), "corrupted"),
        (OSError(28, "No space left on device"), "no space"),
        (EOFError(), "EOFError"),
        (ConnectionResetError(104, "reset by peer"), "no network"),
    ],
)
def test_download_that_fails_leaves_nothing_but_one_line(
    failure: Exception, words: str, no_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(root: Path) -> None:
        (root / "half").write_text("half")
        raise failure

    monkeypatch.setattr(download, "_reach", lambda url: None)
    monkeypatch.setitem(data.SOURCES, "cifar10", dataclasses.replace(sources.CIFAR10, download=fail))
    with pytest.raises(InputError, match=words) as raised:
        data.obtain("cifar10")
    assert "\n" not in str(raised.value)
    assert [path.name for path in no_data.iterdir() if path.name != ".lock"] == []


def test_download_checks_for_space_first(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(InputError, match=r"no space: .* has 0\.0 GB left, 0\.4 GB are needed"):
        data.obtain("cifar10")


def test_download_gives_up_a_network_that_never_answers(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*args: object, **kwargs: object) -> None:
        over.wait()
        raise ConnectionError

    monkeypatch.setattr(urllib.request, "urlopen", hang)
    monkeypatch.setattr(download, "PATIENCE", 0.2)
    try:
        with pytest.raises(InputError, match="no network: no answer"):
            data.obtain("cifar10")
    finally:
        over.set()


def test_stand_in_needs_the_profiles_consent(no_data: Path) -> None:
    choice = data.choose("cifar10", profile_allows_stand_in=True)
    assert (choice.name, choice.stand_in) == ("photos10", True)
    assert "cifar10 is not here" in choice.reason
    assert "no network" in choice.reason
    assert not no_data.exists()
    with pytest.raises(InputError, match=r"--data-dir.*--profile quick"):
        data.choose("cifar10", profile_allows_stand_in=False)


def test_stand_in_hides_no_mistake(tmp_path: Path, fake_cifar: Path, no_data: Path) -> None:
    choice = data.choose("cifar10", profile_allows_stand_in=True, data_dir=fake_cifar)
    assert choice == data.Choice("cifar10", fake_cifar, stand_in=False, reason="")
    with pytest.raises(InputError, match="holds no data set: expected one that holds .*cifar-10-batches-py"):
        data.choose("cifar10", profile_allows_stand_in=True, data_dir=fake_cifar / sources.CIFAR10.folder)
    with pytest.raises(InputError, match="is no folder"):
        data.choose("cifar10", profile_allows_stand_in=True, data_dir=tmp_path / "absent")
    (fake_cifar / sources.CIFAR10.folder / "data_batch_3").unlink()
    with pytest.raises(InputError, match="incomplete: .* lacks data_batch_3"):
        data.choose("cifar10", profile_allows_stand_in=True, data_dir=fake_cifar)


def test_stand_ins_end_with_an_embedded_set() -> None:
    assert set(sources.STAND_INS) == set(data.SOURCES) - set(EMBEDDED)
    assert {stand_ins[-1] for stand_ins in sources.STAND_INS.values()} == set(EMBEDDED)


def test_stand_in_that_is_here_comes_first(no_data: Path, fake_cifar: Path) -> None:
    assert data.choose("stl10", True, fake_cifar).name == "cifar10"
    assert data.choose("stl10", True).name == "photos10-96"


def test_choose_without_download_asks_nobody(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_reach", lambda url: pytest.fail("the network was asked"))
    assert data.choose("cifar10", profile_allows_stand_in=True, download=False).stand_in
    assert not no_data.exists()


# ── Bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["", "cifar", "CIFAR10", "photos10-48"])
def test_unknown_data_sets_are_answered_with_the_known_ones(name: str) -> None:
    for ask in (data.locate, data.obtain, data.reader_name):
        with pytest.raises(InputError, match="unknown data set .*: choose one of cifar10, cifar100, svhn"):
            ask(name)


def test_locate_names_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="skimage isn't installed"):
        data.locate("photos10")


def test_checksums_are_torchvision_s() -> None:
    from torchvision.datasets import CIFAR10, STL10

    official = dict(CIFAR10.train_list + CIFAR10.test_list) | {CIFAR10.meta["filename"]: CIFAR10.meta["md5"]}
    assert sources.CIFAR10.files == official
    for name, md5 in STL10.train_list[:2] + STL10.test_list:
        assert sources.STL10.files[name] == md5


# ── Fingerprints ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_fingerprint_changes_with_a_byte_and_back(fake_cifar: Path, tmp_path: Path) -> None:
    file = fake_cifar / sources.CIFAR10.folder / "data_batch_5"
    content = file.read_bytes()
    before = data.fingerprint("cifar10", fake_cifar, tmp_path)
    file.write_bytes(content[:-1] + b"\0")
    assert data.fingerprint("cifar10", fake_cifar, tmp_path) != before
    file.write_bytes(content)
    assert data.fingerprint("cifar10", fake_cifar, tmp_path) == before


def test_fingerprint_is_remembered(fake_cifar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = data.fingerprint("cifar10", fake_cifar, tmp_path)
    monkeypatch.setattr(files, "_md5", lambda path: pytest.fail("read again"))
    assert data.fingerprint("cifar10", fake_cifar, tmp_path) == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["fingerprints.json"]


def test_fingerprint_of_a_touched_file_is_computed_again(fake_cifar: Path, tmp_path: Path) -> None:
    before = data.fingerprint("cifar10", fake_cifar, tmp_path)
    stamp = json.loads((tmp_path / "fingerprints.json").read_text())
    os.utime(fake_cifar / sources.CIFAR10.folder / "test_batch", (1, 1))
    assert data.fingerprint("cifar10", fake_cifar, tmp_path) == before
    assert json.loads((tmp_path / "fingerprints.json").read_text()) != stamp


def test_fingerprint_can_be_left_unremembered(fake_cifar: Path, tmp_path: Path) -> None:
    values = {
        data.fingerprint("cifar10", fake_cifar),
        data.fingerprint("cifar10", fake_cifar, tmp_path / "cache", remember=False),
        data.load(Data(), fake_cifar).fingerprint,
    }
    assert len(values) == 1
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("garbage", ["", "{", "[]", "null", '{"a": 1}'])
def test_fingerprint_replaces_an_illegible_memory(garbage: str, fake_cifar: Path, tmp_path: Path) -> None:
    (tmp_path / "fingerprints.json").write_text(garbage)
    value = data.fingerprint("cifar10", fake_cifar, tmp_path)
    assert value in (tmp_path / "fingerprints.json").read_text()


def test_fingerprint_covers_files_that_are_found_by_pattern(fake_voc: Path) -> None:
    before = data.fingerprint("voc2007", fake_voc)
    (fake_voc / sources.VOC2007.folder / "Annotations/3.xml").write_text("<annotation/>")
    assert data.fingerprint("voc2007", fake_voc) != before


# ── What hangs together ──────────────────────────────────────────────────────────────────────────────────────────────


def test_readers_reach_no_registry_and_no_other_data_set() -> None:
    package = codehash.package(Path(autoencoders.__file__).parent)
    shared = {f"dataset.{name}" for name in ("Raw", "Split", "as_split", "split", "stratified", "_part")}
    for name in data.SOURCES:
        module, reader = data.reader_name(name).split(":")
        assert callable(getattr(importlib.import_module(module), reader))
        reached = package.code([data.reader_name(name), "autoencoders.data:split"]).manifest
        parts = {part.removeprefix("autoencoders.data.") for part in reached if ".data." in part}
        assert {"dataset.split", "dataset.Raw", f"{module.rpartition('.')[2]}.{reader}"} <= parts
        own = {part for part in parts if part.startswith(("crops.", "readers.", "more_readers."))}
        assert parts - own <= shared | {"sources.PHOTOS", "files.shipped"}
        others = {part.rpartition(".")[2] for part in own if ".read_" in part}
        assert others <= {reader, f"read_{name.partition('-')[0]}"}


def test_data_imports_no_torch_before_it_is_read() -> None:
    program = (
        "import sys; from autoencoders import data; choice = data.choose('cifar10', True, download=False);"
        "data.fingerprint(choice.name, choice.root); data.reader_name(choice.name);"
        "print([name for name in ('torch', 'torchvision', 'sklearn', 'skimage', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
