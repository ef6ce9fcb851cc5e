"""Looking at a run without changing it: states, results, the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from autoencoders.commandline import complain
from autoencoders.config import PROFILES, Experiment
from autoencoders.lab import Lab
from autoencoders.store import State, Task

# ── Status ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def states(lab: Lab, names: Iterable[str] | None) -> list[tuple[Task, State]]:
    return [(task, lab.store.state(task)) for task in lab.plan(names)]


def states_as_json(found: list[tuple[Task, State]]) -> list[dict[str, Any]]:
    return [{"name": task.name, "kind": task.kind, **asdict(state)} for task, state in found]


def print_states(found: list[tuple[Task, State]]) -> None:
    """One line a training; measurements are many, so only those that need attention get a line of their own."""
    for task, state in found:
        if task.kind == "training" or state.state not in ("cached", "missing"):
            print(f"{state.state:8} {task.kind:14} {task.name:44} {_why(state)}".rstrip())
    counts = Counter(f"{state.state} {'trainings' if t.kind == 'training' else 'measurements'}" for t, state in found)
    print(" · ".join(f"{n} {what}" for what, n in sorted(counts.items())))


def _why(state: State) -> str:
    if state.state == "partial":
        return f"epoch {state.epoch}/{state.epochs}"
    changes = [f"{r.kind} {r.what}" + (f": {r.old} → {r.new}" if r.old or r.new else "") for r in state.reasons]
    return "; ".join(changes[:3]) + (f"; and {len(changes) - 3} more" if len(changes) > 3 else "")


# ── Results ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def rows(lab: Lab, names: Iterable[str] | None) -> list[dict[str, Any]]:
    """All figures that the cache holds for this run; what is missing is missing, never an older result."""
    return [row for subject, spec in lab.measurements(names) for row in lab.rows_of(subject, spec)]


def print_rows(found: list[dict[str, Any]]) -> None:
    for row in found:
        interval = "" if row["lo"] is None else f"[{row['lo']:.5g}, {row['hi']:.5g}]"
        where = row["input"] + (f" ({row['region']})" if row["region"] != "all" else "")
        print(
            f"{row['experiment']:22} {row['seed']!s:>4}  {where:24} {row['metric']:20} {row['value']:<10.5g} {interval}"
        )
    if not found:
        complain("nothing is measured yet: `python pipeline.py run` does it")


# ── Graph ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def mermaid(lab: Lab) -> str:
    """Data → trainings → measurements → notebooks → report; seeds share a node."""
    lines = ["flowchart LR", f'  data[("{lab.dataset}")]']
    kinds: dict[str, Counter[str]] = {}
    for subject, spec in lab.measurements(None):
        kinds.setdefault(subject.name, Counter())[type(spec).__name__] += 1
        if isinstance(subject, Experiment):
            continue
    seeds = Counter(e.name for e in lab.experiments())
    for name, n in seeds.items():
        lines.append(f'  data --> {_node(name)}["{name}{f" ×{n}" if n > 1 else ""}"]')
    for name, counts in kinds.items():
        label = "<br>".join(f"{kind} ×{n}" for kind, n in counts.items())
        source = _node(name) if name in seeds else "data"
        lines.append(f'  {source} -->|measure| m_{_node(name)}("{name}<br>{label}")')
    return "\n".join(lines)


def _node(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)


# ── Pruning ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def prune(lab: Lab, *, drop: bool) -> None:
    """What any profile's experiments refer to on this data set is kept: switching profiles must not lose work."""
    kept = []
    for profile in PROFILES:
        kept += Lab(replace(lab.settings, profile=profile), looks_only=True).plan()
    dropped = lab.store.prune(kept, dry_run=not drop)
    for item in dropped:
        print(item)
    complain(f"{len(dropped)} {'dropped' if drop else 'would be dropped: say --yes to drop them'}")
