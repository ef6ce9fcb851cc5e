"""Where specs meet code and data: turns each experiment and each measurement into one task of the store."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import json
import math
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoencoders import data, gpus, memory
from autoencoders.catalogue import Catalogue
from autoencoders.errors import InputError, StorageError, TrainingError
from autoencoders.measurements.generation import JUDGE, Arithmetic
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.probing import Probe
from autoencoders.plans import Plan
from autoencoders.profiles import Profile
from autoencoders.settings import Settings
from autoencoders.specs import Data, Experiment, Spec, Subject
from autoencoders.store import Artifact, Store, Task
from autoencoders.studies import study as study_named

if TYPE_CHECKING:
    from autoencoders import models


class Lab:
    """One run's experiments, data and store: of the assignment, or of a study.

    Building it is cheap; torch is imported when something is computed.
    """

    def __init__(self, settings: Settings, *, study: str | None = None, looks_only: bool = False) -> None:
        self.settings = settings
        self.study = study_named(study) if study else None
        self.profile: Profile = settings.resolved_profile()
        self.store = _store(settings.cache)
        self._looks_only = looks_only  # then nothing is downloaded or written

    @cached_property
    def choices(self) -> list[data.Choice]:
        """The data sets that this run really uses, the main one first."""
        wanted = self.study.wanted if self.study else (self.settings.dataset,)
        allowed, place = self.profile.stand_in, self.settings.data_dir
        return [data.choose(name, allowed, place, download=not self._looks_only) for name in wanted]

    @property
    def choice(self) -> data.Choice:
        return self.choices[0]

    @property
    def dataset(self) -> str:
        return self.choice.name

    @cached_property
    def device(self) -> str:
        return self.settings.device if self.settings.device != "auto" else "cuda" if gpus.present() else "cpu"

    @cached_property
    def catalogues(self) -> list[Plan]:
        """One a seed."""
        name, *others = (choice.name for choice in self.choices)
        common: dict[str, Any] = {"profile": self.profile, "dataset": name}
        seeds = self.settings.seeds or self.profile.seeds
        if self.study:
            return [self.study(**common, others=tuple(others), seed=seed) for seed in seeds]
        return [Catalogue(**common, seed=seed) for seed in seeds]

    @cached_property
    def bench(self) -> Bench:
        return Bench(
            sources=tuple(map(self._source, dict.fromkeys(self.choices))),
            cache=self.settings.cache,
            device=self.device,
            fitted_to=self.catalogues[0].data,
            label=f"{self.profile.name}/{self.dataset}",
        )

    def _source(self, choice: data.Choice) -> Source:
        remember = not self._looks_only
        fingerprint = data.fingerprint(choice.name, choice.root, self.settings.cache, remember=remember)
        return Source(choice.name, choice.root, fingerprint)

    # What there is to do

    def experiments(self, names: Iterable[str] | None = None) -> list[Experiment]:
        """Every training of this run, or those whose names match; a name that matches nothing is a mistake."""
        found = [e for c in self.catalogues for e in c.results()] + self.catalogues[0].tuning()
        wanted = self._matching(names, found)
        return [e for e in found if e.name in wanted]

    def measurements(self, names: Iterable[str] | None = None) -> list[tuple[Subject, Measurement]]:
        """What is measured in this run, or what of it belongs to experiments and baselines whose names match."""
        planned = [pair for catalogue in self.catalogues for pair in catalogue.measurements()]
        wanted = self._matching(names, self.experiments())
        return list(dict.fromkeys(pair for pair in planned if pair[0].name in wanted))  # baselines: once for all seeds

    def _matching(self, names: Iterable[str] | None, experiments: Iterable[Experiment]) -> set[str]:
        subjects: list[Subject] = [*experiments, *self.catalogues[0].baselines()]
        known = dict.fromkeys(subject.name for subject in subjects)
        for pattern in names or ():
            if not fnmatch.filter(known, pattern):
                raise InputError(f"no experiment or baseline is called {pattern!r}; there are: {', '.join(known)}")
        return {name for pattern in names or ("*",) for name in fnmatch.filter(known, pattern)}

    def plan(self, names: Iterable[str] | None = None) -> list[Task]:
        """All tasks of this run, those that others build on first."""
        trainings = [self.bench.training(experiment) for experiment in self.experiments(names)]
        return trainings + [self.bench.measurement(*pair) for pair in self.measurements(names)]

    def readings(self) -> list[Task]:
        """What maps the data sets that the tasks of this run look at; they ask for it themselves."""
        shown = [shown_to(spec) for _, spec in self.measurements()]
        seen = [self.bench.fitted_to, *(e.data for e in self.experiments()), *filter(None, shown)]
        return [self.bench.reading(spec) for spec in dict.fromkeys(seen)]

    def jobs(self, tasks: int) -> int:
        """How many tasks side by side: on a CPU single-threaded ones beat threads that share one; one fills a GPU."""
        most = self.settings.jobs or ((os.cpu_count() or 1) if self.device == "cpu" else len(gpus.present()))
        return max(1, min(most, tasks))

    # Doing it

    def train(self, experiment: Experiment) -> Artifact:
        return self._fetch(self.bench.training(experiment))

    def measure(self, subject: Subject, spec: Measurement) -> Artifact:
        return self._fetch(self.bench.measurement(subject, spec))

    def _fetch(self, task: Task) -> Artifact:
        """Whatever goes wrong on the way, a GPU out of memory for example, is told with what is missing for it."""
        try:
            return self.store.fetch(task)
        except (InputError, StorageError, TrainingError):
            raise
        except Exception as error:
            cause = f"{type(error).__name__}: {error}".splitlines()[0]
            raise TrainingError(f"{task.name} could not be made: {cause}") from error

    def rows_of(self, subject: Subject, spec: Measurement) -> list[dict[str, Any]]:
        """A measurement's figures, if the cache holds them; computes nothing."""
        task = self.bench.measurement(subject, spec)
        if not self.store.contains(task):
            return []
        return self.rows_in(self.store.fetch(task), subject, self.store.key(task))

    def rows_in(self, artifact: Artifact, subject: Subject, key: str) -> list[dict[str, Any]]:
        trained = subject if isinstance(subject, Experiment) else None
        head = {
            "experiment": subject.name,
            "model": trained.model.architecture if trained else subject.name,
            "key": key,
            "seed": trained.seed if trained else None,
        }
        return [head | row for row in artifact.meta.get("rows", [])]


# ── Tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Source:
    """Where a data set is, and what its files hold."""

    name: str
    root: Path
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What computing a task needs; small and picklable, so that tasks can travel to other processes."""

    sources: tuple[Source, ...]
    cache: Path
    device: str
    fitted_to: Data  # for baselines
    label: str  # of the run, so that `stale` compares runs of one profile and data set

    @property
    def store(self) -> Store:
        return _store(self.cache)

    def training(self, experiment: Experiment) -> Task:
        return Task(
            name=f"{self.label}/{experiment.name}@{experiment.seed}",
            kind="training",
            spec={k: v for k, v in experiment.to_dict().items() if k != "name"},
            roots=(
                "autoencoders.training:train",
                experiment.model.implementation,
                *map(_class_name, (experiment.model, experiment.training)),
                *_data_roots(experiment.data),
            ),
            inputs={"data": self.source(experiment.data).fingerprint},
            compute=partial(_train, self, experiment),
        )

    def measurement(self, subject: Subject, spec: Measurement) -> Task:
        """Its inputs name the artifacts that it is computed from, so a retrained model is measured anew."""
        seen = subject.data if isinstance(subject, Experiment) else self.fitted_to
        inputs = {"data": self.source(seen).fingerprint}
        fitted_to: dict[str, Any] = {}
        if isinstance(subject, Experiment):
            inputs["model"] = self.store.key(self.training(subject))
        else:
            fitted_to = {"baseline": subject.to_dict(), "data": self.fitted_to.to_dict()}
        if fit := self.fit_for(subject, spec):
            inputs["fit"] = self.store.key(fit)
        shown = shown_to(spec)
        if shown:
            inputs["shown"] = self.source(shown).fingerprint
        seed = f"@{subject.seed}" if isinstance(subject, Experiment) else ""
        return Task(
            name=f"{self.label}/{subject.name}{seed}/{spec.label}",
            kind=type(spec).__name__.lower(),
            spec={"measurement": spec.to_dict(), **fitted_to},
            roots=(spec.function, *_data_roots(seen), *(_data_roots(shown) if shown else ())),
            inputs=inputs,
            compute=partial(_measure, self, subject, spec),
        )

    def reading(self, spec: Data) -> Task:
        """A data set is read, checked and split by whoever needs it first; after that, its files are mapped."""
        source = self.source(spec)
        return Task(
            name=f"images of {spec.name}",
            kind="data",
            spec=spec.to_dict(),
            roots=_data_roots(spec),
            inputs={"data": source.fingerprint},
            compute=partial(_read, spec, source),
        )

    def fit_for(self, subject: Subject, spec: Measurement) -> Task | None:
        """The classifier that a measurement asks, where it asks one."""
        if isinstance(spec, Probe):
            return self.measurement(subject, spec.fit)
        if isinstance(spec, Arithmetic):
            return self.measurement(JUDGE, spec.judge)
        return None

    def carry_out(self, task: Task) -> None:
        """What a worker process does with a task; the result stays in the store."""
        self.store.fetch(task)

    def source(self, spec: Data) -> Source:
        return next(source for source in self.sources if source.name == spec.name)

    def dataset(self, spec: Data) -> data.Dataset:
        return _dataset(self, spec)

    def model(self, experiment: Experiment) -> models.Autoencoder:
        """The trained model, ready to use."""
        import torch

        from autoencoders import models

        trained = self.store.fetch(self.training(experiment))
        channels, height, width = self.dataset(experiment.data).train.images.shape[1:]
        model_class: type[models.Autoencoder] = named(experiment.model.implementation)
        model = models.build(model_class, experiment.model, (channels, height, width), seed=0)
        models.load_weights(model, trained.arrays)
        return model.to(self.device).to(memory_format=torch.channels_last).eval()  # as its images come


# ── What tasks compute, in whichever process fetches them first ──────────────────────────────────────────────────────


def _read(spec: Data, source: Source, scratch: Path) -> Artifact:
    found = data.load(spec, source.root)
    if found.fingerprint != source.fingerprint:  # others will take it for what the key says
        raise InputError(f"the files of {spec.name} in {source.root} changed while this ran: start again")
    return Artifact(*data.packed(found))


def _train(bench: Bench, experiment: Experiment, scratch: Path) -> Artifact:
    from autoencoders import training

    dataset = bench.dataset(experiment.data)
    return training.train(
        experiment,
        named(experiment.model.implementation),
        dataset.train,
        dataset.validation,
        device=bench.device,
        checkpoint=scratch / "checkpoint.pt",
        report=ProgressFile(scratch / "progress.json"),
    )


def _measure(bench: Bench, subject: Subject, spec: Measurement, scratch: Path) -> Artifact:
    memory.keep_freed()
    fit = bench.fit_for(subject, spec)
    more: dict[str, Any] = {"fit": bench.store.fetch(fit)} if fit else {}
    if shown := shown_to(spec):
        more["shown"] = bench.dataset(shown)
    dataset = bench.dataset(subject.data if isinstance(subject, Experiment) else bench.fitted_to)
    measured = bench.model(subject) if isinstance(subject, Experiment) else subject
    return named(spec.function)(spec, measured, dataset, device=bench.device, **more)


def shown_to(spec: Measurement) -> Data | None:
    """The data set that a measurement shows its subject, where it isn't the one that the subject was trained on."""
    return getattr(spec, "shown", None)


def named(path: str) -> Any:
    """The object that `package.module:name` names. Looked up here and not in the training, so that the code hash of
    a training reaches its own model and no other."""
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)


def _class_name(spec: Spec) -> str:
    """A spec's own code counts, too: a property of it may reach the training as a mere attribute."""
    return f"{type(spec).__module__}:{type(spec).__name__}"


def _data_roots(spec: Data) -> tuple[str, ...]:
    return (data.reader_name(spec.name), "autoencoders.data:split")


@functools.cache
def _store(cache: Path) -> Store:
    return Store(cache)


@functools.lru_cache(maxsize=2)
def _dataset(bench: Bench, spec: Data) -> data.Dataset:
    found = bench.store.mapped(bench.reading(spec))
    return data.unpacked(found.arrays, found.meta)


class ProgressFile:
    """Tells whoever watches, in whichever process, how far a training is."""

    def __init__(self, path: Path, interval: float = 0.5) -> None:
        self.path, self.interval, self.last = path, interval, -math.inf  # told at once, even just after booting

    def __call__(self, progress: Any) -> None:
        if time.monotonic() - self.last > self.interval:
            self.last = time.monotonic()
            temporary = self.path.with_suffix(".new")
            temporary.write_text(json.dumps(asdict(progress)))
            os.replace(temporary, self.path)
