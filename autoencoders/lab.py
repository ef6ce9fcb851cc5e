"""Where specs meet code and data: turns each experiment and each measurement into one task of the store."""

from __future__ import annotations

import fnmatch
import functools
import json
import math
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoencoders import data, machine, tasks
from autoencoders.catalogue import Catalogue
from autoencoders.coercion import shown
from autoencoders.console import log
from autoencoders.errors import InputError, StorageError, TrainingError
from autoencoders.measurements.measurement import Measurement
from autoencoders.plans import Plan
from autoencoders.profiles import Profile
from autoencoders.settings import Settings
from autoencoders.specs import Baseline, Data, Experiment, Spec, Subject, Untrained, seed_of
from autoencoders.store import Artifact, Store, Task, files

if TYPE_CHECKING:
    from autoencoders import models


class Lab:
    """One run's experiments, data and store, by the assignment's plan or by a study's.

    Building it is cheap; torch is imported when something is computed.

    >>> lab = Lab(settings.load(profile="quick"))
    >>> [vae] = lab.experiments(["vae"])
    >>> lab.measure(vae, Likelihood()).meta["rows"]
    """

    def __init__(self, settings: Settings, plan: type[Plan] = Catalogue, *, looks_only: bool = False) -> None:
        self.settings = settings
        self.plan_class = plan
        self.profile: Profile = settings.resolved_profile()
        self.store = _store(settings.cache, settings.strict_environment, settings.remote)
        self._looks_only = looks_only  # then nothing is downloaded or written

    @cached_property
    def choices(self) -> list[data.Choice]:
        """The data sets that this run really uses, the main one first."""
        wanted, allowed = self.plan_class.wanted_data(self.settings.dataset), self.profile.stand_in
        return [data.choose(name, allowed, self.settings.data_dir, download=not self._looks_only) for name in wanted]

    @property
    def choice(self) -> data.Choice:
        return self.choices[0]

    @property
    def dataset(self) -> str:
        return self.choice.name

    @cached_property
    def device(self) -> str:
        return self.settings.device if self.settings.device != "auto" else "cuda" if machine.gpus() else "cpu"

    @cached_property
    def catalogues(self) -> list[Plan]:
        """The plan, once a seed."""
        name, *others = (choice.name for choice in self.choices)
        classes, images = data.classes_of(name, self.choice.root)
        alike = {"profile": self.profile, "dataset": name, "others": tuple(others), "classes": classes}
        plans = [self.plan_class(**alike, images=images, seed=seed) for seed in self.profile.seeds]  # type: ignore[arg-type]
        if isinstance(plans[0], Catalogue) and classes:
            plans[0].check_classes(classes)
        return plans

    @cached_property
    def bench(self) -> Bench:
        return Bench(
            sources=tuple(map(self._source, dict.fromkeys(self.choices))),
            cache=self.settings.cache,
            device=self.device,
            strict=self.settings.strict_environment,
            fitted_to=self.catalogues[0].data,
            label=f"{self.profile.name}/{self.dataset}",
        )

    def _source(self, choice: data.Choice) -> Source:
        remember = not self._looks_only
        fingerprint = data.fingerprint(choice.name, choice.root, self.settings.cache, remember=remember)
        return Source(choice.name, choice.root, fingerprint)

    def check_images(self) -> None:
        """Read a folder's images before anything is computed of them: of a torn one, each task would complain."""
        if data.is_folder(self.dataset):
            self.bench.images(self.catalogues[0].data)

    # What it is, in words

    def announce(self) -> None:
        """What this run is, before it does anything; a stand-in is never silent."""
        seeds = ", ".join(str(c.seed) for c in self.catalogues)
        log(f"profile {self.profile.name} ({self.profile.purpose}) · {self.dataset} · seeds {seeds} · {self.device}")
        if self.choice.stand_in:
            log(f"notice: {self.choice.reason}")

    @property
    def head(self) -> dict[str, Any]:
        """What all machine-readable output says of its run."""
        return {
            "profile": self.profile.name,
            "dataset": self.dataset,
            "group": self.settings.group,
            "device": self.device,
        }

    # What there is to do

    def experiments(self, names: Iterable[str] | None = None) -> list[Experiment]:
        """Every training of this run, or those whose names match; a name that matches nothing is a mistake."""
        wanted = self._matching(names)
        return [e for e in self._experiments if e.name in wanted]

    def measurements(self, names: Iterable[str] | None = None) -> list[tuple[Subject, Measurement]]:
        """What is measured in this run, or what of it belongs to experiments and baselines whose names match."""
        wanted = self._matching(names)
        return [pair for pair in self._measurements if pair[0].name in wanted]

    @cached_property
    def _experiments(self) -> list[Experiment]:
        return [e for c in self.catalogues for e in c.results()] + self.catalogues[0].tuning()

    @cached_property
    def _measurements(self) -> list[tuple[Subject, Measurement]]:
        planned = [pair for catalogue in self.catalogues for pair in catalogue.measurements()]
        return list(dict.fromkeys(planned + self.catalogues[0].of_tuning()))  # what has no seed: once

    def _matching(self, names: Iterable[str] | None) -> set[str]:
        first = self.catalogues[0]
        subjects: list[Subject] = [*self._experiments, *first.baselines(), *first.untrained()]
        known = dict.fromkeys(subject.name for subject in subjects)
        for pattern in names or ():
            if not fnmatch.filter(known, pattern):
                raise InputError(f"no experiment or baseline is called {shown(pattern)}; there are: {', '.join(known)}")
        return {name for pattern in names or ("*",) for name in fnmatch.filter(known, pattern)}

    def plan(self, names: Iterable[str] | None = None) -> list[Task]:
        """All tasks of this run."""
        trainings = [self.bench.training(experiment) for experiment in self.experiments(names)]
        return trainings + [self.bench.measurement(*pair) for pair in self.measurements(names)]

    def readings(self) -> list[Task]:
        """What maps the data sets that the tasks of this run look at; they ask for it themselves."""
        others = (spec.evaluation_data for _, spec in self.measurements())
        seen = [self.bench.fitted_to, *(e.data for e in self.experiments()), *filter(None, others)]
        return [self.bench.reading(spec) for spec in dict.fromkeys(replace(each, left_out=None) for each in seen)]

    def jobs(self, tasks: int) -> int:
        """How many tasks side by side: on a CPU single-threaded ones beat threads that share one; one fills a GPU."""
        most = self.settings.jobs or ((os.cpu_count() or 1) if self.device == "cpu" else len(machine.gpus()))
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
        """A measurement's values, if the cache holds them; computes nothing."""
        task = self.bench.measurement(subject, spec)
        if not self.store.contains(task):
            return []
        return self.rows_in(self.store.fetch(task), subject, self.store.key(task))

    def rows_in(self, artifact: Artifact, subject: Subject, key: str) -> list[dict[str, Any]]:
        head = {
            "experiment": subject.name,
            "model": subject.name if isinstance(subject, Baseline) else subject.model.architecture,
            "key": key,
            "seed": seed_of(subject),
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
    """Makes tasks, and hands over what they need; small and picklable, so that tasks can travel to other processes."""

    sources: tuple[Source, ...]
    cache: Path
    device: str
    strict: bool = False  # about versions and device, see Store
    fitted_to: Data  # for baselines
    label: str  # of the run, so that `stale` compares runs of one profile and data set

    @property
    def store(self) -> Store:
        return _store(self.cache, self.strict)

    def source(self, spec: Data) -> Source:
        return next(source for source in self.sources if source.name == spec.name)

    # What is to be computed

    @functools.lru_cache(maxsize=1024)  # noqa: B019  # asked for by each measurement of a model
    def training(self, experiment: Experiment) -> Task:
        reading = self.reading(experiment.data)
        return Task(
            name=f"{self.label}/{experiment.name}@{experiment.seed}",
            kind="training",
            spec={k: v for k, v in experiment.to_dict().items() if k != "name"},
            roots=(
                "autoencoders.tasks:train",
                "autoencoders.tasks:dataset",
                experiment.model.implementation,
                *map(_class_name, (experiment, experiment.model)),
                *reading.roots,
            ),
            inputs=reading.inputs,
            compute=partial(tasks.train, self, experiment),
            device=partial(machine.processor, self.device),
            work=experiment.training.epochs * (experiment.data.train or 45_000) / 10_000,
        )

    def measurement(self, subject: Subject, spec: Measurement) -> Task:
        """It is computed from a model, where it measures one, and from the measurements that it needs."""
        reading = self.reading(subject.data if isinstance(subject, Experiment) else self.fitted_to)
        inputs, roots = dict(reading.inputs), list(reading.roots)
        described = {"data": self.fitted_to.to_dict()}
        match subject:
            case Experiment():
                inputs["model"], described = self.training(subject), {}
            case Untrained():
                roots += [subject.model.implementation, _class_name(subject), _class_name(subject.model)]
                described |= {"untrained": subject.to_dict()}
            case Baseline():
                described |= {"baseline": subject.to_dict()}
        if spec.evaluation_data:
            other = self.reading(spec.evaluation_data)
            inputs["evaluation_data"] = self.source(spec.evaluation_data).fingerprint
            roots += other.roots
        inputs |= {name: self.measurement(*needed) for name, needed in spec.needs(subject).items()}
        seed = "" if isinstance(subject, Baseline) else f"@{subject.seed}"
        return Task(
            name=f"{self.label}/{subject.name}{seed}/{spec.label}",
            kind=type(spec).__name__.lower(),
            spec={"measurement": spec.to_dict(), **described},
            roots=("autoencoders.tasks:measure", "autoencoders.tasks:dataset", _class_name(spec), *roots),
            inputs=inputs,
            compute=partial(tasks.measure, self, subject, spec),
            device=partial(machine.processor, self.device),
        )

    @functools.lru_cache(maxsize=64)  # noqa: B019  # few, and asked for by each of a thousand tasks
    def reading(self, spec: Data) -> Task:
        """A data set is read, checked and split by whoever needs it first; after that, its files are mapped."""
        spec = replace(spec, left_out=None)  # which whoever maps them does
        return Task(
            name=f"images of {spec.name}",
            kind="data",
            spec=spec.to_dict(),
            roots=(
                "autoencoders.tasks:read",
                "autoencoders.data:split",
                data.reader_name(spec.name),
                _class_name(spec),
            ),
            inputs={"data": self.source(spec).fingerprint},
            compute=partial(tasks.read, self, spec),
        )

    def carry_out(self, task: Task) -> None:
        """What a worker process does with a task; the result stays in the store."""
        self.store.fetch(task)

    # What the tasks ask for

    def load(self, spec: Data) -> data.Dataset:
        source = self.source(spec)
        found = data.load(spec, source.root)
        if found.fingerprint != source.fingerprint:  # others will take it for what the key says
            raise InputError(f"the files of {spec.name} in {source.root} changed while this ran: start again")
        return found

    def images(self, spec: Data) -> Artifact:
        """A data set's arrays, mapped from the cache; where they can't be kept, this process has them for itself."""
        task = self.reading(spec)
        try:
            return self.store.fetch(task, mapped=True)
        except StorageError:
            return task.compute(self.store.scratch(task))

    def dataset(self, spec: Data) -> data.Dataset:
        """Images, for whoever computes with them next in this thread."""
        machine.keep_freed_memory()
        machine.flush_denormals()
        return tasks.dataset(self, spec)

    def model(self, experiment: Experiment) -> models.Autoencoder:
        """The trained model, ready to use."""
        return tasks.model(self, experiment, self.store.fetch(self.training(experiment)))

    def progress(self, scratch: Path) -> Callable[[Any], None]:
        return ProgressFile(scratch / "progress.json")


def _class_name(spec: Spec) -> str:
    """Where a spec's own code starts: its class counts whole, with what a property of it says."""
    return f"{type(spec).__module__}:{type(spec).__name__}"


@functools.cache
def _store(cache: Path, strict: bool, remote: str | None = None) -> Store:
    return Store(cache, strict=strict, remote=remote)


class ProgressFile:
    """Says how far a training is to whoever watches, in whichever process."""

    def __init__(self, path: Path, interval: float = 0.5) -> None:
        self.path, self.interval, self.last = path, interval, -math.inf  # written at once, even just after booting

    def __call__(self, progress: Any) -> None:
        if time.monotonic() - self.last > self.interval:
            self.last = time.monotonic()
            files.write(self.path, json.dumps(asdict(progress)))
