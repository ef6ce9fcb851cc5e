"""Looking at a run without changing it: states, results, the graph."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from autoencoders import compared, data
from autoencoders.catalogue import Catalogue
from autoencoders.coercion import shown
from autoencoders.console import log
from autoencoders.data.sources import STAND_INS
from autoencoders.errors import InputError
from autoencoders.lab import Lab, Source
from autoencoders.plans import Plan
from autoencoders.profiles import PROFILES
from autoencoders.settings import Settings
from autoencoders.specs import Experiment, Subject, seed_of
from autoencoders.store import Dropped, State, Task
from autoencoders.store.entries import Record
from autoencoders.studies import STUDIES, study

# ── Status ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Standing:
    """Where one task stands; the name is the experiment's, or the measured subject's with what is measured."""

    name: str
    kind: str
    seed: int | None
    key: str
    state: State

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "seed": self.seed, "key": self.key, **asdict(self.state)}


def standings(lab: Lab, names: Iterable[str] | None) -> tuple[list[Standing], list[Standing]]:
    """Of the trainings and of the measurements."""

    def standing(task: Task, subject: Subject, name: str) -> Standing:
        return Standing(name, task.kind, seed_of(subject), lab.store.key(task), lab.store.state(task))

    with lab.store.looked_at_once():
        trainings = [standing(lab.bench.training(e), e, e.name) for e in lab.experiments(names)]
        measurements = [
            standing(lab.bench.measurement(subject, spec), subject, f"{subject.name} {spec.label}")
            for subject, spec in lab.measurements(names)
        ]
    return trainings, measurements


def print_standings(trainings: list[Standing], measurements: list[Standing]) -> None:
    """One line a training; measurements are many, so only those that need attention get a line of their own."""
    for each in [*trainings, *(m for m in measurements if m.state.state not in ("cached", "missing"))]:
        seed = "" if each.seed is None else f"seed {each.seed}"
        print(f"{each.state.state:8} {each.kind:14} {each.name:36} {seed:7} {_why(each.state)}".rstrip())
    for what, group in {"trainings": trainings, "measurements": measurements}.items():
        counts = Counter(each.state.state for each in group)
        print(f"{what}: " + (", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none"))


ROOM = {  # what a kind of content is called; measurements are of many kinds, and small
    "training": "trainings",
    "data": "images",
    "checkpoint": "checkpoints",
    "failure": "failures",
    "set aside": "set aside",
    "unfinished": "unfinished",
}


def print_room(sizes: Mapping[str, int]) -> None:
    """How large the cache is, by what it holds."""
    by_name: Counter[str] = Counter()
    for kind, size in sizes.items():
        by_name[ROOM.get(kind, "measurements")] += size
    parts = ", ".join(f"{name} {size / 1e6:,.1f}" for name, size in by_name.most_common())
    print(f"room: {sum(sizes.values()) / 1e6:,.1f} MB" + (f" ({parts})" if parts else ""))


def _why(state: State) -> str:
    if state.state == "partial" and state.epoch is not None:
        return f"epoch {state.epoch}/{state.epochs}"
    changes = [f"{r.kind} {r.what}" + (f": {r.old} → {r.new}" if r.kind != "code" else "") for r in state.reasons]
    more = f"; and {len(changes) - 3} more" if len(changes) > 3 else ""
    return state.message or "; ".join(changes[:3]) + more


# ── Results ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def rows(lab: Lab, names: Iterable[str] | None) -> list[dict[str, Any]]:
    """All values that the cache holds for this run; what is missing is missing, never an older result."""
    return [row for subject, spec in lab.measurements(names) for row in lab.rows_of(subject, spec)]


def trainings(lab: Lab, names: Iterable[str] | None) -> list[dict[str, Any]]:
    """The provenance of every model that the cache holds for this run."""
    return [found for experiment in lab.experiments(names) if (found := _provenance(lab, experiment))]


def _provenance(lab: Lab, experiment: Experiment) -> dict[str, Any]:
    task = lab.bench.training(experiment)
    if not lab.store.contains(task):
        return {}
    record, meta = lab.store.provenance(task), lab.store.fetch(task).meta
    made = {name: record[name] for name in ("key", "spec", "code", "inputs", "created", "seconds", "versions")}
    took = {
        name: meta[name] for name in ("parameters", "images", "images_per_second", "precision", "device", "threads")
    }
    return {"experiment": experiment.name, "seed": experiment.seed, **made, **took}


def seconds(lab: Lab, names: Iterable[str] | None) -> float:
    """What computing all that the cache holds for this run took, job by job."""
    cached = {lab.store.key(task): task for task in lab.plan(names) if lab.store.contains(task)}
    return round(sum(lab.store.provenance(task)["seconds"] for task in cached.values()), 1)


def print_rows(found: list[dict[str, Any]]) -> None:
    for row in found:
        interval = "" if math.isnan(row["lo"]) else f"[{row['lo']:.5g}, {row['hi']:.5g}]"
        where = row["input"] + (f" ({row['region']})" if row["region"] != "all" else "")
        print(
            f"{row['experiment']:22} {row['seed']!s:>4}  {where:24} {row['metric']:20} {row['value']:<10.5g} {interval}"
        )
    if not found:
        log("nothing is measured yet: `python pipeline.py run` does it")


# ── Pruning ──────────────────────────────────────────────────────────────────────────────────────────────────────────


HOUR = 3600  # seconds; dropping the work of more than one asks twice
AGES = {"H": HOUR, "D": 24 * HOUR, "W": 7 * 24 * HOUR}
AMOUNTS = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


@dataclass(frozen=True)
class Only:
    """Of what may be dropped, that which is older than so many seconds and larger than so many bytes."""

    age: float = 0
    size: float = 0

    def holds(self, item: Dropped, now: float) -> bool:
        return now - item.changed >= self.age and item.bytes >= self.size


def only(older_than: str | None, larger_than: str | None) -> Only:
    """Read an age such as 30d and a size such as 100MB."""
    return Only(_amount("older-than", older_than, AGES), _amount("larger-than", larger_than, AMOUNTS))


def _amount(option: str, text: str | None, units: Mapping[str, float]) -> float:
    if text is None:
        return 0
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([A-Za-z]+)", text.strip())
    if not found or found[2].upper() not in units:
        example = {"older-than": "30d or 12h", "larger-than": "100MB or 2GB"}[option]
        raise InputError(f"{option} {shown(text)}: must be a number with its unit, such as {example}")
    return float(found[1]) * units[found[2].upper()]


def prune(lab: Lab, *, drop: bool, confirmed: Callable[[str], bool], which: Only | None = None) -> None:
    """Drop what no profile's experiments refer to, those of the assignment and of all studies, on any data and with any
    seed that the cache has results of: neither switching profiles nor a stand-in must lose work."""
    which, now, others = which or Only(), time.time(), _of_other_folders(lab)
    unneeded = [
        item for item in lab.store.prune(_kept(lab), dry_run=True) if which.holds(item, now) and item.key not in others
    ]
    for item in unneeded:
        print(item)
    amount = f"{len(unneeded)} with {sum(item.bytes for item in unneeded) / 1e6:.2f} MB"
    seconds = sum(item.seconds for item in unneeded)
    began = [item for item in unneeded if item.what == "checkpoint" and not lab.store.is_finished(item.key)]
    took = f"{seconds / 60:.1f} minutes to compute" + (f", and {len(began)} only half computed" if began else "")
    if not drop or not unneeded:
        log(f"{amount}, {took}, would be dropped" + (": say --yes to drop them" if unneeded else ""))
        return
    log(f"dropping {amount}, {took}")
    if (seconds > HOUR or began) and not confirmed("Drop them?"):
        raise InputError("nothing is dropped: say --yes --really to drop what took so long, or was not finished")
    log(f"{len(lab.store.drop(unneeded))} dropped")


def _kept(lab: Lab) -> list[Task]:
    """Of every profile, with its own lists and with those in force, on all data and with all seeds known here."""
    plans: list[type[Plan]] = [Catalogue, *map(study, STUDIES)]
    records = list(lab.store.entries())
    seeds = {record["spec"]["seed"] for record in records if "seed" in record["spec"]} | {*(lab.settings.seeds or ())}
    known: dict[str, set[str]] = {}
    for record in records:
        if used := _data_of(record):
            known.setdefault(used[0], set()).add(used[1])
    own = replace(lab.settings, **dict.fromkeys(compared.PARAMETERS))  # type: ignore[arg-type]
    asked = [own, lab.settings] if lab.settings.given().keys() - {"seeds"} else [own]
    kept = []
    for profile, lists in product(PROFILES.values(), asked):
        chosen = (*profile.seeds, *sorted(seeds - {*profile.seeds}))
        settings = replace(lists, profile=profile.name, seeds=chosen)
        for plan in plans:
            labs: list[Lab] = [Remembered(settings, plan, sources) for sources in _remembered(plan, known)]
            labs += [Lab(settings, plan, looks_only=True)]  # it may be the first run on its data
            kept += _planned(labs)
    return kept


def _of_other_folders(lab: Lab) -> set[str]:
    """The keys of results on folders of images that aren't this run's: what plans ask of them can't be told unread."""
    records = list(lab.store.entries())
    known = {used[1] for record in records if (used := _data_of(record)) and data.is_folder(used[0])}
    own = {s.fingerprint for s in lab.bench.sources} if data.is_folder(lab.settings.dataset) else set()
    return {record["key"] for record in records if record["inputs"].get("data") in known - own}


def _data_of(record: Record) -> tuple[str, str] | None:
    """The data set that something was computed from, and the fingerprint of its files."""
    spec = record["spec"] if record["kind"] == "data" else record["spec"].get("data")
    return (spec["name"], record["inputs"]["data"]) if spec and "data" in record["inputs"] else None


def _remembered(plan: type[Plan], known: Mapping[str, set[str]]) -> Iterator[list[Source]]:
    """Each way in which the data sets that a plan wants were to be had: themselves, or what stood in for them."""
    for wanted in {plan.wanted_data(name) for name in known}:
        had = [[name, *STAND_INS.get(name, ())] for name in wanted]
        sources = [[Source(name, Path(), one) for name in names for one in known.get(name, ())] for names in had]
        yield from map(list, product(*sources))


class Remembered(Lab):
    """A run on data that was here once."""

    def __init__(self, settings: Settings, plan: type[Plan], sources: list[Source]) -> None:
        super().__init__(settings, plan, looks_only=True)
        self._sources = {source.name: source for source in sources}
        self.choices = [data.Choice(source.name, source.root, stand_in=False, reason="") for source in sources]

    def _source(self, choice: data.Choice) -> Source:
        return self._sources[choice.name]


def _planned(labs: Iterable[Lab]) -> list[Task]:
    """Of runs on the same data once; nothing, where the data that a profile insists on is neither here nor known."""
    planned: dict[tuple[tuple[str, str], ...], list[Task]] = {}
    for lab in labs:
        with suppress(InputError):
            used = tuple((source.name, source.fingerprint) for source in lab.bench.sources)
            if used not in planned:
                tuned = [lab.bench.training(e) for plan in lab.catalogues for e in plan.tuning()]  # whichever is first
                planned[used] = lab.plan() + lab.readings() + tuned
    return [task for tasks in planned.values() for task in tasks]
