"""Experiments and measurements as tasks: what they depend on, what computes them, and what they never get to see."""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autoencoders
from autoencoders import data, models, tasks
from autoencoders.data import Dataset
from autoencoders.errors import InputError
from autoencoders.lab import Bench, Lab, ProgressFile, Source
from autoencoders.measurements.generation import JUDGE, Arithmetic
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.probing import Probe, ProbeFit
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.models.masked import MaskedAutoencoder
from autoencoders.profiles import PROFILES
from autoencoders.settings import Settings
from autoencoders.specs import DRAWS, VAE, Baseline, Data, Experiment, Gaussian, Training
from autoencoders.store import codehash
from autoencoders.training import Progress

PACKAGE = Path(autoencoders.__file__).parent


def lab_on(cache: Path, **changes: Any) -> Lab:
    asked: dict[str, Any] = {"profile": "smoke", "dataset": "photos10", "device": "cpu", "cache": cache} | changes
    return Lab(Settings(**asked), looks_only=True)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return lab_on(tmp_path / "cache")


def named(lab: Lab, name: str) -> Experiment:
    [found] = lab.experiments([name])
    return found


def manifest(lab: Lab, *, of: Any) -> set[str]:
    """All code that a task reaches."""
    return set(codehash.package(PACKAGE).code(of.roots).manifest)


# ── What there is to do ──────────────────────────────────────────────────────────────────────────────────────────────


def test_planning_writes_nothing(lab: Lab) -> None:
    assert len({lab.store.key(task) for task in lab.plan()}) > 100
    assert not lab.settings.cache.exists()


def test_names_choose_experiments_and_measurements(lab: Lab) -> None:
    assert [e.name for e in lab.experiments(["vae"])] == ["vae"]
    assert {e.name for e in lab.experiments(["mcae-*", "vae"])} == {
        "vae",
        *(f"mcae-{r:g}" for r in (0, 0.1, 0.3, 0.5, 0.75)),
        "mcae-0.75-far",
    }
    assert {subject.name for subject, _ in lab.measurements(["mcae-0.5"])} == {"mcae-0.5"}
    assert lab.measurements(["tune-*"]) == []
    assert {subject.name for subject, _ in lab.measurements(["baseline/m*"])} == {"baseline/mean"}
    assert lab.experiments(["baseline/m*"]) == []
    assert {task.name.split("/")[2] for task in lab.plan(["vae"])} == {"vae@0"}
    assert lab.plan([]) != []


@pytest.mark.parametrize("names", [["ae"], ["vae", "x-*"], [""], ["VAE"], ["baseline/median"]])
def test_unknown_names_are_refused_with_the_valid_ones(lab: Lab, names: list[str]) -> None:
    with pytest.raises(
        InputError, match="^no experiment or baseline is called .*; there are: ae-vector, ae-spatial, .*, tune-base"
    ):
        lab.plan(names)


def test_one_catalogue_a_seed(tmp_path: Path) -> None:
    found = lab_on(tmp_path, seeds=(4, 2)).catalogues
    assert [(c.seed, c.dataset, c.profile.name) for c in found] == [(4, "photos10", "smoke"), (2, "photos10", "smoke")]
    assert [c.seed for c in Lab(Settings(profile="full", dataset="photos10")).catalogues] == [0, 1, 2]


def test_every_seed_of_results_one_of_tuning_and_of_baselines(tmp_path: Path) -> None:
    lab = lab_on(tmp_path, seeds=(3, 5))
    seeds = [(e.name, e.seed) for e in lab.experiments()]
    assert {seed for name, seed in seeds if name == "vae"} == {3, 5}
    assert {seed for name, seed in seeds if name.startswith("tune-")} == {3}
    assert len(set(seeds)) == len(seeds)
    pairs = lab.measurements()
    assert len(set(pairs)) == len(pairs)
    baselines = {subject for subject, _ in pairs if isinstance(subject, Baseline)}
    assert baselines == set(lab.catalogues[0].baselines())


def test_plan_names_each_task_once(lab: Lab) -> None:
    plan = lab.plan()
    assert len({(task.kind, task.name) for task in plan}) == len(plan)


@pytest.mark.parametrize(
    ("asked", "device", "tasks", "jobs"),
    [(3, "cpu", 10, 3), (3, "cpu", 2, 2), (3, "cpu", 0, 1), (None, "cuda", 10, 1), (4, "cuda", 10, 4)],
)
def test_jobs_are_as_many_as_pay(tmp_path: Path, asked: int | None, device: str, tasks: int, jobs: int) -> None:
    assert lab_on(tmp_path, jobs=asked, device=device).jobs(tasks) == jobs


def test_stand_in(no_data: Path, tmp_path: Path) -> None:
    lab = lab_on(tmp_path, dataset="cifar10")
    assert (lab.dataset, lab.choice.stand_in) == ("photos10", True)
    assert {c.dataset for c in lab.catalogues} == {"photos10"}
    assert {e.data.name for e in lab.experiments()} == {"photos10"}


# ── What a task depends on ───────────────────────────────────────────────────────────────────────────────────────────


def test_keys_leave_out_names_runs_and_devices(lab: Lab, tmp_path: Path) -> None:
    experiment = named(lab, "vae")
    other = lab_on(tmp_path / "cache", device="cuda", group="G09", jobs=3)
    for task, twin in (
        (lab.bench.training(experiment), other.bench.training(replace(experiment, name="another"))),
        (lab.bench.measurement(experiment, Reconstruction()), other.bench.measurement(experiment, Reconstruction())),
    ):
        assert lab.store.key(task) == other.store.key(twin)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"corruption": Gaussian(0.1)},
        {"model": VAE(width=8, beta=2.0)},
        {"training": Training(epochs=2)},
        {"data": Data(name="photos10", train=511)},
    ],
)
def test_keys_of_training_and_measurement_hold_the_whole_spec(lab: Lab, change: dict[str, Any]) -> None:
    before, after = named(lab, "vae"), replace(named(lab, "vae"), **change)
    assert lab.store.key(lab.bench.training(before)) != lab.store.key(lab.bench.training(after))
    keys = {lab.store.key(lab.bench.measurement(e, Reconstruction())) for e in (before, after)}
    assert len(keys) == 2


def test_keys_hold_the_datas_fingerprint(lab: Lab) -> None:
    (source,) = lab.bench.sources
    other = replace(lab.bench, sources=(replace(source, fingerprint="altered"),))
    for subject in (named(lab, "vae"), Baseline(method="mean")):
        one, two = (bench.measurement(subject, Reconstruction()) for bench in (lab.bench, other))
        assert lab.store.key(one) != lab.store.key(two)


def test_baselines_depend_on_what_they_are_fitted_to(lab: Lab) -> None:
    other = replace(lab.bench, fitted_to=Data(name="photos10", train=100))
    one, two = (b.measurement(Baseline(method="pca"), Reconstruction()) for b in (lab.bench, other))
    assert lab.store.key(one) != lab.store.key(two)


def test_random_weights_are_measured_as_they_are_drawn(lab: Lab, tmp_path: Path) -> None:
    experiment = named(lab, "mcae-0")
    drawn = [u for u in lab.catalogues[0].untrained() if u.of == "mcae-0"]
    tasks_of = [lab.bench.measurement(u, Reconstruction(images=20)) for u in drawn]
    assert len({lab.store.key(task) for task in tasks_of}) == len(drawn) == len(DRAWS)
    assert {f"{type(experiment.model).__module__}.MCAE", "autoencoders.models.masked.MaskedAutoencoder"} <= manifest(
        lab, of=tasks_of[0]
    )
    assert not any("training" in part for part in manifest(lab, of=tasks_of[0]))
    built = models.build(MaskedAutoencoder, experiment.model, (3, 32, 32), seed=drawn[1].seed)
    images = data.load(experiment.data, lab.bench.source(experiment.data).root)
    expected = Reconstruction(images=20).measure(built.eval(), images, "cpu").arrays["all/mse"]
    found = tasks.measure(lab.bench, drawn[1], Reconstruction(images=20), tmp_path).arrays["all/mse"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    [name] = {row["experiment"] for row in lab.rows_in(lab.measure(drawn[1], Reconstruction(images=20)), drawn[1], "k")}
    assert name == "random/mcae-0"


def test_inputs_are_the_tasks_that_a_measurement_needs(lab: Lab) -> None:
    def needed(spec: Measurement) -> dict[str, str]:
        return {name: lab.store.key(task) for name, task in lab.bench.measurement(vae, spec).needed.items()}

    vae = named(lab, "vae")
    model = lab.store.key(lab.bench.training(vae))
    assert needed(Reconstruction()) == {"model": model}
    assert needed(Probe()) == {"model": model, "fit": lab.store.key(lab.bench.measurement(vae, ProbeFit()))}
    judge = lab.store.key(lab.bench.measurement(JUDGE, ProbeFit()))
    assert needed(Arithmetic(classes=("a", "b", "c"))) == {"model": model, "fit": judge}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_task_has_a_key_and_travels(tmp_path: Path, profile: str) -> None:
    lab = lab_on(tmp_path, profile=profile)
    for task in lab.plan():
        assert len(lab.store.key(task)) == 16
    assert lab.store.key(pickle.loads(pickle.dumps(task))) == lab.store.key(task)


def test_training_reaches_its_own_model_and_reader_only(lab: Lab) -> None:
    reached = manifest(lab, of=lab.bench.training(named(lab, "ae-vector")))
    assert {"autoencoders.training.train", "autoencoders.models.conv.ConvAutoencoder"} <= reached
    assert {"autoencoders.data.crops.read_photos10", "autoencoders.data.dataset.split"} <= reached
    assert {"autoencoders.specs.ConvAE", "autoencoders.corruption.gaussian"} <= reached
    strangers = ("VariationalAutoencoder", "ViTMaskedAutoencoder", "read_cifar10", "Catalogue", "PROFILES")
    assert not [part for part in reached if part.endswith(strangers)]
    assert not [part for part in reached if part.startswith(("autoencoders.figures", "autoencoders.measurements"))]


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("profiles.py", "width=8", "width=9", ""),
        ("measurements/reconstruction.py", "examples: int = 32", "examples: int = 33", ""),
        ("specs.py", "VARIANCE = 0.1", "VARIANCE = 0.2", ""),
        ("plans.py", "return Data(name=self.dataset", "return Data(split_seed=0, name=self.dataset", ""),
        ("catalogue.py", '"tune-base"', '"tune-first"', ""),
        ("specs.py", "isinstance(value, tuple)", "isinstance(value, tuple | list)", "ae vae ae-elsewhere"),
        (
            "specs.py",
            "depth: int = 2  # residual blocks each way",
            "depth: int = 3  # residual blocks each way",
            "ae ae-elsewhere",
        ),
        ("specs.py", "beta: float | None = None", "beta: float | None = 2.0", "vae"),
        ("specs.py", "epochs: int = 3", "epochs: int = 4", "ae vae ae-elsewhere"),
        ("studies/compact/plan.py", "channels: int = 8", "channels: int = 9", ""),
        ("data/dataset.py", "np.sort(", "np.unique(", "ae vae ae-elsewhere"),
        ("data/crops.py", "rng.random(len(crops)) < 0.5", "rng.random(len(crops)) < 0.4", "ae vae"),
        ("data/readers.py", "CIFAR10(root, train=False)", "CIFAR10(root, False)", "ae-elsewhere"),
        ("data/readers.py", "Image.Resampling.BOX", "Image.Resampling.HAMMING", ""),
        ("data/readers.py", "255 / 16", "254 / 16", ""),
        ("data/sources.py", "gigabytes=6.0", "gigabytes=6.5", ""),
        ("data/files.py", "return [DATA]", "return [DATA, DATA]", ""),
        ("data/files.py", "sorted(items)", "list(items)", ""),
        ("data/download.py", "PATIENCE = 5.0", "PATIENCE = 6.0", ""),
        ("data/obtain.py", "; or use", ": or use", ""),
        ("data/dataset.py", "can't be read", "can not be read", ""),
        ("data/dataset.py", "return arrays, {", "return dict(arrays), {", "ae vae ae-elsewhere"),
        ("coercion.py", "float(value)", "-float(value)", "ae vae ae-elsewhere"),
        ("tasks.py", "images.validation,", "images.train,", "ae vae ae-elsewhere"),
        ("tasks.py", ".eval()", "", ""),
        ("store/entries.py", "_ALIGNMENT = 64", "_ALIGNMENT = 128", ""),
    ],
)
def test_edits_retrain_what_they_concern(lab: Lab, tmp_path: Path, file: str, old: str, new: str, stale: str) -> None:
    bench = replace(lab.bench, sources=(*lab.bench.sources, Source("cifar10", tmp_path, "fingerprint")))
    trained = {"ae": named(lab, "ae-vector"), "vae": named(lab, "vae")}
    trained["ae-elsewhere"] = replace(trained["ae"], data=Data())
    edited = tmp_path / "autoencoders"
    shutil.copytree(PACKAGE, edited, ignore=shutil.ignore_patterns("__pycache__", "assets"))
    source = (edited / file).read_text()
    assert source.count(old) == 1
    (edited / file).write_text(source.replace(old, new))
    code = {
        name: [codehash.Package(p).code(bench.training(e).roots) for p in (PACKAGE, edited)]
        for name, e in trained.items()
    }
    assert {name for name, (before, after) in code.items() if before.digest != after.digest} == set(stale.split())


def test_measurement_reaches_no_figure_and_no_training(lab: Lab) -> None:
    for subject, spec in lab.measurements():
        reached = manifest(lab, of=lab.bench.measurement(subject, spec))
        away = ("autoencoders.figures", "autoencoders.training", "autoencoders.lab", "autoencoders.reporting")
        assert not [part for part in reached if part.startswith(away)], spec.label
        assert f"{type(spec).__module__}.{type(spec).__name__}" in reached


# ── What is never seen ───────────────────────────────────────────────────────────────────────────────────────────────


class Forbidden:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError("these images were looked at")

    def __len__(self) -> int:
        raise AssertionError("these images were counted")


@dataclass(frozen=True, kw_only=True)
class Watched(Bench):
    """Lets nobody look at some of the splits."""

    forbidden: tuple[str, ...]

    def dataset(self, spec: Data) -> Dataset:
        hidden: dict[str, Any] = {name: Forbidden() for name in self.forbidden}
        return replace(super().dataset(spec), **hidden)


def watched(lab: Lab, *forbidden: str) -> Watched:
    return Watched(**{name: getattr(lab.bench, name) for name in Bench.__dataclass_fields__}, forbidden=forbidden)


def test_trainings_never_see_test_images(lab: Lab, tmp_path: Path) -> None:
    trained = tasks.train(watched(lab, "test"), named(lab, "tune-base"), tmp_path)
    assert trained.meta["images"] == 512
    with pytest.raises(AssertionError, match="looked at"):
        tasks.train(watched(lab, "train"), named(lab, "tune-base"), tmp_path)


def test_model_is_measured_on_test_images_alone(lab: Lab, tmp_path: Path) -> None:
    experiment = named(lab, "tune-base")
    trained = lab.store.fetch(lab.bench.training(experiment))
    bench = watched(lab, "train", "validation")
    measured = tasks.measure(bench, experiment, Reconstruction(images=20), tmp_path, model=trained)
    assert len(measured.arrays["all/mse"]) == 20
    test = data.load(experiment.data, lab.bench.source(experiment.data).root).test.images.numpy()
    seen = measured.arrays["examples/clean"]
    assert all((test == image).all((1, 2, 3)).any() for image in seen)


@pytest.mark.parametrize("name", ["photos10", "digits"])
def test_splits_share_no_image(name: str) -> None:
    found = data.load(Data(name=name), data.obtain(name))
    parts = {
        part: {image.numpy().tobytes() for image in getattr(found, part).images if np.ptp(image.numpy()) > 8}
        for part in ("train", "validation", "test")
    }  # regions share no pixel, but night is black everywhere
    assert len(parts["train"]) > 0.98 * len(found.train)
    assert not parts["train"] & parts["test"]
    assert not parts["train"] & parts["validation"]
    assert not parts["validation"] & parts["test"]
    small = data.load(Data(name=name, train=50), data.obtain(name))
    assert {image.numpy().tobytes() for image in small.train.images if np.ptp(image.numpy()) > 8} <= parts["train"]
    assert np.array_equal(small.test.images, found.test.images)
    assert np.array_equal(small.validation.images, found.validation.images)


# ── Doing it ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_training_measuring_and_asking(lab: Lab) -> None:
    experiment, spec = named(lab, "tune-base"), Reconstruction(images=20)
    assert lab.rows_of(experiment, spec) == [], "asking for rows computes nothing"
    assert not lab.settings.cache.exists()
    measured = lab.measure(experiment, spec)
    trained = lab.train(experiment)
    tasks = [lab.bench.measurement(experiment, spec), lab.bench.training(experiment)]
    assert {key.split("/")[0] for key in trained.arrays} == {"weights"}
    rows = lab.rows_of(experiment, spec)
    assert [row["value"] for row in rows] == [row["value"] for row in measured.meta["rows"]]
    assert {(r["experiment"], r["model"], r["seed"], r["key"]) for r in rows} == {
        ("tune-base", "ConvAE", 0, lab.store.key(tasks[0]))
    }
    model = lab.bench.model(experiment)
    assert not model.training
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, trained.arrays[f"weights/{name}"])


def test_rows_of_a_baseline(lab: Lab) -> None:
    subject, spec = Baseline(method="mean"), Reconstruction(images=20)
    lab.measure(subject, spec)
    assert {(r["experiment"], r["model"], r["seed"]) for r in lab.rows_of(subject, spec)} == {
        ("baseline/mean", "baseline/mean", None)
    }


def test_progress_file_is_written_now_and_then(tmp_path: Path) -> None:
    told = ProgressFile(tmp_path / "progress.json", interval=1000)
    told(Progress(epoch=1, epochs=2, step=3, steps=8, loss=0.5, images_per_second=100.0))
    told(Progress(epoch=2, epochs=2, step=8, steps=8, loss=0.4, images_per_second=100.0))
    found = json.loads((tmp_path / "progress.json").read_text())
    assert found == {"epoch": 1, "epochs": 2, "step": 3, "steps": 8, "loss": 0.5, "images_per_second": 100.0}
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]
    eager = ProgressFile(tmp_path / "progress.json", interval=0)
    eager(Progress(epoch=2, epochs=2, step=8, steps=8, loss=0.4, images_per_second=100.0))
    assert json.loads((tmp_path / "progress.json").read_text())["step"] == 8
