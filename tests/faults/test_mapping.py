"""Mapped data: written once for all processes, checked, shared, made anew when damaged, and missed by nobody."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from superuser import not_the_superuser

from autoencoders import data, inspection, tasks, training
from autoencoders.data import Dataset, Split
from autoencoders.errors import InputError
from autoencoders.lab import Lab
from autoencoders.measurements import common
from autoencoders.settings import Settings
from autoencoders.specs import ConvAE, Corruption, Data, Experiment, Gaussian, Training
from autoencoders.store import entries
from autoencoders.studies import study

pytestmark = pytest.mark.promise(
    "A data set is read once for all processes, who share its memory; what is damaged of it is found and read anew."
)
SPEC = Data(name="digits", train=300)
PARTS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def nothing_loaded_before() -> None:
    tasks.dataset.cache_clear()


def lab_on(cache: Path, dataset: str = "digits") -> Lab:
    return Lab(Settings(profile="smoke", dataset=dataset, device="cpu", cache=cache))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return lab_on(tmp_path / "cache")


def loaded(lab: Lab, spec: Data = SPEC) -> Dataset:
    """As a process that has loaded nothing yet gets it."""
    tasks.dataset.cache_clear()
    return lab.bench.dataset(spec)


def folder_of(lab: Lab, spec: Data = SPEC) -> Path:
    return lab.settings.cache / "artifacts" / lab.store.key(lab.bench.reading(spec))


def assert_same(found: Dataset, expected: Dataset) -> None:
    for part in PARTS:
        mine, other = getattr(found, part), getattr(expected, part)
        assert torch.equal(mine.images, other.images)
        assert torch.equal(mine.labels, other.labels)
        assert mine.images.stride() == other.images.stride(), "layout decides how sums are rounded"
    assert (found.name, found.classes, found.fingerprint) == (expected.name, expected.classes, expected.fingerprint)


def plainly(lab: Lab, spec: Data = SPEC) -> Dataset:
    return data.load(spec, lab.bench.source(spec).root)


# ── What arrives ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["digits", "digits-colored", "photos10"])
def test_what_is_mapped_is_what_is_read(tmp_path: Path, name: str) -> None:
    lab, spec = lab_on(tmp_path, name), Data(name=name, train=300)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as torch gives, of arrays that nobody may write to
        first, second = loaded(lab, spec), loaded(lab, spec)
    for found in (first, second):
        assert_same(found, plainly(lab, spec))
        assert str(folder_of(lab, spec)) in Path("/proc/self/maps").read_text()


def test_images_lie_as_a_training_takes_them(lab: Lab) -> None:
    images = loaded(lab).train.images
    assert training._on_device(images, torch.device("cpu")).data_ptr() == images.data_ptr(), "nothing is copied"


def test_measurements_take_images_in_one_order_whoever_loaded_them(lab: Lab) -> None:
    images = loaded(lab_on(lab.settings.cache, "digits-colored"), Data(name="digits-colored", train=300)).test.images
    assert not images.is_contiguous()
    for given in (images, images.contiguous()):
        assert common.to_unit_range(given, "cpu").is_contiguous()


def test_whoever_writes_to_them_changes_a_copy_of_their_own(lab: Lab) -> None:
    mine = loaded(lab)
    mine.train.images.fill_(7)
    assert_same(loaded(lab), plainly(lab))
    assert not (lab.settings.cache / "set-aside").exists(), "the files are as they were"


@pytest.mark.parametrize("corruption", [None, Gaussian(0.3)])
def test_training_ends_in_the_same_bits(tmp_path: Path, corruption: Corruption | None) -> None:
    lab, spec = lab_on(tmp_path, "photos10"), Data(name="photos10", train=200)
    experiment = Experiment(
        name="ae", model=ConvAE(width=8, latent=8), corruption=corruption, training=Training(epochs=1)
    )

    def trained(found: Dataset, channels_first: bool = False) -> dict[str, Any]:
        parts = [found.train, found.validation]
        if channels_first:
            parts = [Split(part.images.contiguous(), part.labels) for part in parts]
        made = training.train(experiment, tasks.named(experiment.model.implementation), *parts)
        losses = {name: values for name, values in made.meta["history"].items() if name != "seconds"}
        return {"losses": losses} | {name: array.tobytes() for name, array in made.arrays.items()}

    plain = trained(plainly(lab, spec))
    assert trained(loaded(lab, spec)) == trained(loaded(lab, spec)) == plain
    assert trained(plainly(lab, spec), channels_first=True) == plain


def test_files_that_change_meanwhile_are_mapped_for_nobody(lab: Lab) -> None:
    (source,) = lab.bench.sources
    bench = replace(lab.bench, sources=(replace(source, fingerprint="of a moment ago"),))
    with pytest.raises(InputError, match="digits in .* changed while this ran: start again"):
        bench.dataset(SPEC)
    assert not list((lab.settings.cache / "artifacts").glob("*"))


# ── Damage ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "one bit": lambda folder: flip(folder / "arrays.npz"),
    "truncated": lambda folder: os.truncate(folder / "arrays.npz", 1000),
    "no record": lambda folder: (folder / "record.json").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_data_is_set_aside_and_read_anew(
    lab: Lab, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    loaded(lab)
    damage(folder_of(lab))
    assert_same(loaded(lab), plainly(lab))
    assert "images of digits is damaged" in caplog.text
    [aside] = (lab.settings.cache / "set-aside").iterdir()
    assert aside.name.startswith(folder_of(lab).name)


def test_digests_are_checked_once_in_a_process(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    before = loaded(lab)
    monkeypatch.setattr(entries, "_checked", lambda *_: pytest.fail("read again"))
    assert lab.bench.dataset(SPEC) is before


# ── Where nothing can be kept ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that this process may read but not write."""
    folder = Path(tempfile.mkdtemp())  # which, unlike pytest's, everyone may be allowed to enter
    folder.chmod(0o555)
    with not_the_superuser():
        yield folder
    shutil.rmtree(folder)


def test_read_only_cache_is_no_obstacle(lab: Lab, read_only: Path) -> None:
    expected = plainly(lab)
    assert_same(loaded(lab_on(read_only)), expected)
    assert list(read_only.iterdir()) == []


def test_full_disk_is_left_to_results(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 0))
    assert_same(loaded(lab), plainly(lab))
    assert not list((lab.settings.cache / "artifacts").iterdir())


def test_disk_that_fills_up_meanwhile_keeps_nothing_half(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(arrays: Any, file: Any) -> None:
        file.write(b"half")
        raise OSError("4096 requested and 0 written")  # which is how numpy puts it

    with monkeypatch.context() as full:
        full.setattr(entries, "_pack", refuse)
        assert_same(loaded(lab), plainly(lab))
        assert not list((lab.settings.cache / "artifacts").iterdir())
    assert_same(loaded(lab), plainly(lab))
    assert folder_of(lab).is_dir()


# ── Several processes ────────────────────────────────────────────────────────────────────────────────────────────────

PROGRAM = """
import re, sys
from pathlib import Path
import joblib, torch  # before what is counted
from autoencoders import data
from autoencoders.specs import Data
from autoencoders.lab import Lab
from autoencoders.settings import Settings

name, cache = sys.argv[1], Path(sys.argv[2])
def private():
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return sum(int(kB) for kB in re.findall(r"Private_(?:Clean|Dirty): +(\\d+)", rollup)) / 1024

lab = Lab(Settings(profile="smoke", dataset=name, device="cpu", cache=cache))
bench = lab.bench
bench.store.key(bench.reading(Data(name=name)))  # which parses the code
torch.arange(10).sum()
before = private()
found = bench.dataset(Data(name=name))
total = sum(int(image.sum()) for part in (found.train, found.validation, found.test) for image in part.images)
print(total, private() - before)
"""


def grown(name: str, cache: Path) -> float:
    """By how many megabytes of its own a process grows that looks at all images."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name, str(cache)], stdout=subprocess.PIPE, text=True, check=True
    )
    return float(done.stdout.split()[1])


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells")
def test_processes_share_the_memory(tmp_path: Path) -> None:
    lab, spec = lab_on(tmp_path / "cache", "photos10"), Data(name="photos10")
    found = loaded(lab, spec)
    parts = [getattr(found, part).images for part in PARTS]
    assert all(part.sum() > 0 for part in parts), "they are in this process, too"
    megabytes = sum(part.nbytes for part in parts) / 2**20
    assert megabytes > 30
    assert grown("photos10", tmp_path / "cache") < megabytes / 4


# ── Pruning ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_prune_drops_what_no_spec_needs(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    needed = lab.catalogues[0].data
    for spec in (needed, replace(SPEC, train=77)):
        loaded(lab, spec)
    assert lab.store.prune(lab.readings(), dry_run=True)
    assert len(list((lab.settings.cache / "artifacts").iterdir())) == 2, "it was only listed"
    inspection.prune(lab, drop=True, confirmed=lambda question: True)
    [line] = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"entry +\d\.\d\d MB  images of digits", line)
    assert list((lab.settings.cache / "artifacts").iterdir()) == [folder_of(lab, needed)]


def test_prune_knows_all_data_that_a_run_looks_at(tmp_path: Path) -> None:
    """That of trainings, of baselines, and what measurements show."""
    lab = Lab(Settings(profile="smoke", device="cpu", cache=tmp_path), study("transfer"), looks_only=True)
    keys = {lab.store.key(task) for task in lab.readings()}
    shown = [spec for _, m in lab.measurements() if (spec := m.evaluation_data)]
    assert shown
    for spec in (lab.bench.fitted_to, *(e.data for e in lab.experiments()), *shown):
        assert lab.store.key(lab.bench.reading(spec)) in keys
