"""Everything that runs between a task's key and its artifact is in the key, or is known to change nothing.

One task of each kind is carried out under a tracer, of the assignment and of each study; each function of the package
that ran must be in the manifest that the key is made of, or stand in `NEUTRAL` with a reason and a test.
"""

from __future__ import annotations

import ast
import functools
import inspect
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pytest
import torch

import autoencoders
from autoencoders import data, models, studies, tasks, training
from autoencoders.catalogue import Catalogue
from autoencoders.lab import Lab, ProgressFile
from autoencoders.measurements import reconstruction
from autoencoders.measurements.anomaly import Anomaly
from autoencoders.measurements.generation import Arithmetic
from autoencoders.measurements.latent import Latent
from autoencoders.measurements.likelihood import Likelihood
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.probing import Probe
from autoencoders.measurements.programs import Program
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.measurements.samples import Samples
from autoencoders.plans import Plan
from autoencoders.profiles import PROFILES
from autoencoders.settings import Settings
from autoencoders.specs import Baseline, Data, Experiment, describe
from autoencoders.store import Store, Task

PACKAGE = Path(autoencoders.__file__).parent
PLANS: dict[str, type[Plan]] = {"assignment": Catalogue, **{name: studies.study(name) for name in studies.STUDIES}}

NEUTRAL = {  # what runs outside the keys, with the reason why it changes no number; below, each has a test
    "autoencoders.store.": "keeps what was computed, and hands it over as it was: test_store and the faults' tests",
    "autoencoders.lab.": "makes tasks, hands over what they ask for, tells how far they are: test_bench_…",
    "autoencoders.machine.": "memory, GPUs, denormals: test_machine and test_denormals_taken_for_zero_…",
    "autoencoders.data.dataset.load": "hands a reader's images to `split`: test_loading_is_reading_and_splitting",
    "autoencoders.data.dataset._read": "calls the reader: test_loading_is_reading_and_splitting",
    "autoencoders.reading.": "refuses files that can't be read: test_loading_is_reading_and_splitting",
    "autoencoders.data.files.": "refuses files that aren't the official ones: test_loading_is_reading_and_splitting",
    "autoencoders.data.folders.is_folder": "says which reader, too: test_loading_is_reading_and_splitting",
    "autoencoders.data.sources.": "says which reader a data set has: test_loading_is_reading_and_splitting",
}


# ── What runs ────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def traced() -> Iterator[set[CodeType]]:
    """The package's functions that are called meanwhile, in whichever thread, but for what imports do."""
    ran: set[CodeType] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if code not in ran and is_ours(code) and not is_importing(frame):
            ran.add(code)

    before = sys.gettrace()
    # A trace function that returns nothing is called once for each Python call; a profiler's, for C's calls, too
    threading.settrace(note)
    sys.settrace(note)
    try:
        yield ran
    finally:
        sys.settrace(before)
        threading.settrace(before)


@functools.cache
def is_ours(code: CodeType) -> bool:
    """A function's; modules and class bodies run when they are imported, and the walk counts them by itself."""
    return code.co_filename.startswith(f"{PACKAGE}/") and bool(code.co_flags & inspect.CO_OPTIMIZED)


def is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(f"{PACKAGE}/"):
            return True
        frame = frame.f_back
    return False


def forget_what_is_cached() -> None:
    """What a function remembers from earlier, it would not be called for; the store's own memory is left to it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("autoencoders.") and not name.startswith(("autoencoders.store", "autoencoders.lab")):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def name_of(code: CodeType) -> str:
    """The module-level name that a function belongs to, `autoencoders.models.conv.ConvAutoencoder` for example."""
    parts = Path(code.co_filename).relative_to(PACKAGE.parent).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return f"{module}.{top_level(code.co_filename)[code.co_firstlineno]}"


@functools.cache
def top_level(file: str) -> dict[int, str]:
    """The name that each line's module-level statement defines."""
    found = {}
    for node in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]
        name = getattr(node, "name", None) or (names or ["(module level)"])[0]
        found |= dict.fromkeys(range(first, (node.end_lineno or first) + 1), name)
    return found


def manifest(store: Store, task: Task) -> set[str]:
    """What the key is made of, by way of the keys of what it needs too."""
    needed = [manifest(store, each) for each in task.needed.values()]
    return set(store.code_of(task.roots)).union(*needed)


def strangers(ran: set[CodeType], known: set[str]) -> set[str]:
    return {name for name in map(name_of, ran) if name not in known and not name.startswith(tuple(NEUTRAL))}


# ── Each kind of task ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("plan", PLANS)
def test_tasks_run_nothing_outside_their_keys(
    plan: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_data: Path
) -> None:
    few = {"train": 160, "images": 24, "latent_images": 24, "unseen": ()}
    monkeypatch.setitem(PROFILES, "smoke", replace(PROFILES["smoke"], **few))
    monkeypatch.setattr(reconstruction, "SLOW_VALIDATION", 4)
    lab = Lab(Settings(profile="smoke", dataset="photos10", device="cpu", cache=tmp_path), PLANS[plan])
    unnamed, kinds, subjects = {}, set(), []
    for task in one_of_each_kind(lab):
        if (subject := task.spec.get("baseline", task.name)) not in subjects:  # what is fitted for one is fitted once
            subjects.append(subject)
            forget_what_is_cached()
        for needed in task.needed.values():
            lab.store.fetch(needed)
        with traced() as ran:
            lab.store.fetch(task)
        assert ran, task.name
        kinds.add(task.kind)
        if found := strangers(ran, manifest(lab.store, task)):
            unnamed[task.name] = found
    assert not unnamed
    assert kinds >= {"data", "training", *(type(spec).__name__.lower() for _, spec in lab.measurements())}


def one_of_each_kind(lab: Lab) -> Iterator[Task]:
    """Readings; a training of each architecture; a measurement of each kind, of a model and of each baseline."""
    yield from lab.readings()
    trained: dict[type, Experiment] = {}
    for experiment in lab.experiments():
        trained.setdefault(type(experiment.model), experiment)
    yield from map(lab.bench.training, trained.values())
    seen = set()
    for subject, spec in lab.measurements():
        what = subject.method if isinstance(subject, Baseline) else "model"
        kind = (type(spec), what, type(getattr(spec, "input", None)))
        if kind not in seen:
            seen.add(kind)
            yield lab.bench.measurement(subject, spec)


def test_tracer_notices_a_function_outside_the_key() -> None:
    """The tracer can't be fooled by another thread, by a decorator or by a nested function."""
    with traced() as ran:
        thread = threading.Thread(target=lambda: data.reader_name("cifar10"))
        thread.start()
        thread.join()
        describe(None)
    found = {name_of(code) for code in ran}
    assert found >= {"autoencoders.data.sources.reader_name", "autoencoders.specs.describe"}
    assert strangers(ran, known=set()) == {name for name in found if not name.startswith(tuple(NEUTRAL))} != set()


# ── What is no function: constants and classes ───────────────────────────────────────────────────────────────────────

EDITS = [  # a file, what is edited in it, and the measurement whose key must change
    ("measurements/generation.py", '"{}-{}+{}"', '"{} - {} + {}"', Arithmetic()),
    ("measurements/generation.py", 'Baseline(method="patches")', 'Baseline(method="pixels")', Arithmetic()),
    ("measurements/probing.py", "reduced: int = 128", "reduced: int = 64", Probe()),
    ("measurements/measurement.py", "Data | None = None", "Data | None = Data()", Probe()),
    ("measurements/common.py", "MOST_FEATURES = 2048", "MOST_FEATURES = 1024", Probe()),
    ("measurements/anomaly.py", "TILES = 4", "TILES = 8", Anomaly()),
    ("measurements/reconstruction.py", "DIRECTIONS = 1024", "DIRECTIONS = 512", Reconstruction()),
    ("measurements/translation.py", "nn.ReLU: _elementwise", "nn.ReLU6: _elementwise", Program()),
    ("measurements/likelihood.py", "SHARE = 0.9", "SHARE = 0.8", Likelihood()),
    ("measurements/samples.py", "images: int = 5000", "images: int = 4000", Samples()),
    ("evaluation/likelihood.py", "LEVELS = 256", "LEVELS = 128", Likelihood()),
    ("evaluation/patches.py", "THRESHOLD = 0.25", "THRESHOLD = 0.5", Probe()),
    ("models/weights.py", "torch.from_numpy(array) for", "0 * torch.from_numpy(array) for", Reconstruction()),
    ("tasks.py", ".eval()", "", Reconstruction()),
    ("data/dataset.py", "return Dataset(meta", "return Dataset(*[], meta", Reconstruction()),
    ("coercion.py", "number = float(value)", "number = -float(value)", Reconstruction()),
    ("specs.py", "NOISE = Gaussian(0.3)", "NOISE = Gaussian(0.4)", Latent()),
]


@pytest.mark.parametrize(("file", "old", "new", "spec"), EDITS, ids=[f"{file} {old}" for file, old, _, _ in EDITS])
def test_edit_changes_the_key(file: str, old: str, new: str, spec: Measurement, tmp_path: Path) -> None:
    copy = tmp_path / "autoencoders"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "assets"))
    source = (copy / file).read_text(encoding="utf-8")
    assert old in source
    (copy / file).write_text(source.replace(old, new), encoding="utf-8")
    lab = Lab(Settings(profile="smoke", dataset="photos10", device="cpu", cache=tmp_path))
    [vae] = lab.experiments(["vae"])
    task = lab.bench.measurement(vae, spec)
    assert Store(tmp_path, copy).key(task) != lab.store.key(task)


# ── What changes no number ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(Settings(profile="smoke", dataset="photos10", device="cpu", cache=tmp_path))


SPEC = Data(name="photos10", train=64)


def assert_same(one: data.Dataset, other: data.Dataset) -> None:
    assert (one.name, one.classes, one.fingerprint) == (other.name, other.classes, other.fingerprint)
    for part in ("train", "validation", "test"):
        ours, theirs = getattr(one, part), getattr(other, part)
        assert torch.equal(ours.images, theirs.images)
        assert torch.equal(ours.labels, theirs.labels)


@pytest.mark.parametrize("name", ["photos10", "digits-colored"])
def test_loading_is_reading_and_splitting(name: str, lab: Lab) -> None:
    spec, root = Data(name=name, train=64), data.obtain(name)
    raw = tasks.named(data.reader_name(name))(root)
    train, validation = data.split(raw, spec)
    by_hand = data.Dataset(name, train, validation, raw.test, raw.classes, data.fingerprint(name, root))
    assert_same(data.load(spec, root), by_hand)


def test_bench_hands_over_what_it_was_given(lab: Lab) -> None:
    assert_same(lab.bench.dataset(SPEC), data.load(SPEC, lab.bench.source(SPEC).root))
    experiment = replace(lab.experiments(["vae"])[0], data=SPEC)
    trained = lab.train(experiment)
    held = models.weights(lab.bench.model(experiment))
    assert held.keys() == trained.arrays.keys()
    assert all(np.array_equal(held[name], trained.arrays[name]) for name in held)


def test_bench_lets_whoever_has_images_compute_with_denormals_as_zero(lab: Lab) -> None:
    def product() -> torch.Tensor:
        return torch.full((1,), 1e-30) * torch.full((1,), 1e-10)

    assert product() != 0
    lab.bench.dataset(SPEC)
    assert product().view(torch.int32) == 0


def test_bench_watches_a_training_without_changing_it(lab: Lab, tmp_path: Path) -> None:
    experiment, images = replace(lab.experiments(["vae"])[0], data=SPEC), lab.bench.dataset(SPEC)
    model_class = tasks.named(experiment.model.implementation)
    watched, alone = (
        training.train(experiment, model_class, images.train, images.validation, report=report)
        for report in (ProgressFile(tmp_path / "progress.json", interval=-1), None)
    )
    assert (tmp_path / "progress.json").exists()
    assert all(np.array_equal(watched.arrays[name], alone.arrays[name]) for name in watched.arrays)
