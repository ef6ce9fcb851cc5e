"""Every value of every artifact that the cache holds for a run, and where each artifact came from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from autoencoders.console import SCHEMA
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page, asset, fill
from autoencoders.explore.pictures import Album
from autoencoders.explore.uses import Uses
from autoencoders.lab import Lab
from autoencoders.specs import Experiment, Subject, describe, level, seed_of
from autoencoders.store import Artifact, Task
from autoencoders.store.entries import Record

HEAD = Head(
    "results",
    "Results",
    "Every value of every artifact, to sort, filter and download, with what it was computed from.",
)
COLUMNS = (
    *("experiment", "model", "seed", "kind", "input", "region", "split", "metric", "value", "lo", "hi", "n", "key"),
)
KIND = COLUMNS.index("kind")
COSTS = ("parameters", "seconds", "images_per_second")  # of a training, beside the terms of its loss
DIGITS = 6  # of a loss curve's points, which are looked at and not computed with


def page(lab: Lab, addresses: Addresses) -> Page:
    found = Found.of(lab)
    uses = Uses.of(lab, addresses, complete=found.complete)
    for key, artifact in found.artifacts.items():
        artifact |= {"figures": uses.figures.get(key, []), "claims": uses.claims.get(key, [])}
    data = {
        "run": {
            "schema": SCHEMA,
            "profile": lab.profile.name,
            "dataset": lab.dataset,
            "group": lab.settings.group,
            "device": lab.device,
        },
        "columns": COLUMNS,
        "headlines": _headlines(lab),
        "rows": sorted(found.rows, key=lambda row: row[KIND] == "training"),  # what was measured comes first
        "artifacts": found.artifacts,
        "versions": found.versions,
        "figures": uses.figures_at(addresses),
        "claims": uses.verdicts,
        "sourced": bool(addresses.sources),  # whether the notebooks say what their figures rest on
        "judged": uses.judged,
    }
    files: dict[str, bytes | str] = {"results.css": asset("results.css"), **found.album.files}
    return Page(HEAD, fill("results.html"), data, ("svg.js", "charts.js", "results.js"), files)


def _headlines(lab: Lab) -> list[dict[str, Any]]:
    """The values by which models are listed first: where rows hold them, under the first of these metrics."""
    noise = lab.catalogues[0].noise  # type: ignore[attr-defined]
    return [
        {"title": "PSNR, clean images", "metrics": ["psnr_mean"], "input": "clean"},
        {"title": "SSIM, clean images", "metrics": ["ssim"], "input": "clean"},
        {"title": f"PSNR, noisy (σ = {level(noise.sigma)})", "metrics": ["psnr_mean"], "input": describe(noise)},
        {"title": "linear accuracy", "metrics": ["probe_linear", "probe_linear_map"], "input": "clean"},
        {"title": "parameters", "metrics": ["parameters"], "input": "as trained"},
    ]


@dataclass
class Found:
    """What the cache holds of a run; each artifact is read once, and nothing is computed."""

    rows: list[list[Any]] = field(default_factory=list)
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)  # by key
    versions: list[dict[str, str]] = field(default_factory=list)  # the few sets of them that artifacts were made by
    album: Album = field(default_factory=lambda: Album("results"))
    complete: bool = True  # whether all of the run is there

    @classmethod
    def of(cls, lab: Lab) -> Found:
        found = cls()
        for experiment in lab.experiments():
            if read := found._read(lab, lab.bench.training(experiment)):
                artifact, record = read
                found._add(experiment, artifact, record, list(_of_training(experiment, artifact.meta, record["key"])))
                found.artifacts[record["key"]] |= _of_the_run(artifact.meta)
        for subject, spec in lab.measurements():
            if read := found._read(lab, lab.bench.measurement(subject, spec)):
                artifact, record = read
                found._add(subject, artifact, record, lab.rows_in(artifact, subject, record["key"]))
        return found

    def _read(self, lab: Lab, task: Task) -> tuple[Artifact, Record] | None:
        if lab.store.contains(task):
            return lab.store.fetch(task), lab.store.provenance(task)
        self.complete = False
        return None

    def _add(self, subject: Subject, artifact: Artifact, record: Record, rows: list[dict[str, Any]]) -> None:
        self.rows += [[(row | {"kind": record["kind"]})[column] for column in COLUMNS] for row in rows]
        if known := self.artifacts.get(record["key"]):  # two experiments of one spec are one training
            known["also"].append(subject.name)
            return
        origin = {name: record[name] for name in ("kind", "name", "spec", "inputs", "code", "created", "seconds")}
        if record["versions"] not in self.versions:
            self.versions.append(record["versions"])
        self.artifacts[record["key"]] = origin | {
            "experiment": subject.name,
            "also": [],
            "seed": seed_of(subject),
            "versions": self.versions.index(record["versions"]),
            "pictures": self.album.of(artifact.arrays),
        }


def _of_training(experiment: Experiment, meta: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    """A training's own values: each term of its loss after the last epoch, and what it took."""
    head = {
        "experiment": experiment.name,
        "model": type(experiment.model).__name__,
        "key": key,
        "seed": experiment.seed,
        "input": "as trained",
        "region": "all",
        "lo": math.nan,
        "hi": math.nan,
        "n": None,
    }
    for name, values in meta["history"].items():
        split, _, term = name.partition("/")
        if term and values:
            last = meta["validation"][term] if split == "validation" else values[-1]
            yield head | {"split": split, "metric": f"last {term}", "value": last}
    for name in COSTS:
        yield head | {"split": "train", "metric": name, "value": meta[name]}


def _of_the_run(meta: dict[str, Any]) -> dict[str, Any]:
    """What only a training has: on what it ran, and its loss after each whole epoch."""
    whole = [index for index, epoch in enumerate(meta["history"]["epoch"]) if float(epoch).is_integer()]
    found = {part: meta["history"].get(f"{part}/error", []) for part in ("train", "validation")}
    history = {part: [values[index] for index in whole if values] for part, values in found.items()}
    return {
        **{name: meta[name] for name in ("device", "precision", "threads")},
        "history": {part: [_rounded(value) for value in values] for part, values in history.items()},
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
