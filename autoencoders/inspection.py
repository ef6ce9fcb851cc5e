"""Looking at a run without changing it: states, results, the graph."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from autoencoders.catalogue import Catalogue
from autoencoders.console import log
from autoencoders.errors import InputError
from autoencoders.lab import Lab
from autoencoders.plans import Plan
from autoencoders.profiles import PROFILES
from autoencoders.specs import Experiment, Subject
from autoencoders.store import State, Task
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
        seed = subject.seed if isinstance(subject, Experiment) else None
        return Standing(name, task.kind, seed, lab.store.key(task), lab.store.state(task))

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


def prune(lab: Lab, *, drop: bool) -> None:
    """What any profile's experiments refer to is kept, those of the assignment on this data set and those of all
    studies: switching profiles must not lose work."""
    kept = []
    for profile in PROFILES:
        settings = replace(lab.settings, profile=profile, dataset=lab.dataset)
        plans: list[type[Plan]] = [Catalogue, *map(study, STUDIES)]
        for plan in plans:
            kept += _planned(Lab(settings, plan, looks_only=True))
    dropped = lab.store.prune(kept, dry_run=not drop)
    for item in dropped:
        print(item)
    log(f"{len(dropped)} {'dropped' if drop else 'would be dropped: say --yes to drop them'}")


def _planned(lab: Lab) -> list[Task]:
    """Nothing, where the data that a profile insists on isn't there."""
    try:
        return lab.plan() + lab.readings()
    except InputError:
        return []
