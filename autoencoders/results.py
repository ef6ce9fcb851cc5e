"""What the store holds of one plan, as tables, figures and claims need it: by contender, over all seeds."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar, cast

import numpy as np

from autoencoders import reading, tables
from autoencoders.evaluation.statistics import Estimate, Spread, measured, spread
from autoencoders.evaluation.verdicts import leader
from autoencoders.lab import Lab
from autoencoders.measurements.measurement import Measurement
from autoencoders.plans import Plan
from autoencoders.settings import PROJECT
from autoencoders.specs import VARIANCE, Baseline, Experiment, Subject
from autoencoders.store import Artifact, Task

P = TypeVar("P", bound=Plan)
T = TypeVar("T")
NORMAL = 1.96  # standard errors on each side of a 95 % interval
Asked = tuple[Subject, Measurement | None]  # a measurement of a subject, or its training


@dataclass(frozen=True)
class Contender:
    """What stands in one row of a table or one line of a plot: a model in all its seeds, or a baseline."""

    label: str
    subjects: tuple[Subject, ...]
    chosen_by: tuple[Asked, ...] = ()  # what decided that it is this model

    @property
    def first(self) -> Subject:
        """The one whose pictures are shown."""
        return self.subjects[0]

    def of_seeds(self, count: int) -> Contender:
        """The same with the first so many of its seeds."""
        return replace(self, subjects=self.subjects[:count])


class Recording:
    """Asks a lab for artifacts, and keeps a list of what it asked for."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.asked: dict[Asked, None] = {}  # in order, each once

    def ask(self, subject: Subject, spec: Measurement | None) -> Artifact:
        """A measurement of a subject; without one, its training."""
        self.note((subject, spec))
        if spec is not None:
            return self.lab.measure(subject, spec)
        assert isinstance(subject, Experiment), f"{subject.name} isn't trained"
        return self.lab.train(subject)

    def note(self, *asked: Asked) -> None:
        self.asked |= dict.fromkeys(asked)

    def tasks(self) -> tuple[Task, ...]:
        """What the answers are the results of."""
        bench = self.lab.bench
        return tuple(
            bench.training(cast(Experiment, subject)) if spec is None else bench.measurement(subject, spec)
            for subject, spec in self.asked
        )


def sigma_label(sigma: float) -> str:
    return f"variance {VARIANCE:g}" if math.isclose(sigma, math.sqrt(VARIANCE)) else f"σ = {sigma:g}"


class Results(Generic[P]):
    """Ask the lab for whatever a table or figure needs; what is missing is trained and measured then."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.catalogue: P = cast(P, lab.catalogues[0])
        self.recording = Recording(lab)

    def recorded(self) -> Self:
        """The same results, with a recording of their own that is still empty."""
        other = copy.copy(self)
        other.recording = Recording(self.lab)
        return other

    # ── Contenders ───────────────────────────────────────────────────────────────────────────────────────────────────

    def each(self, label: str, make: Callable[[P], Experiment]) -> Contender:
        made = [(catalogue, make(cast(P, catalogue))) for catalogue in self.lab.catalogues]
        return Contender(label, tuple(experiment for catalogue, experiment in made if catalogue.repeats(experiment)))

    def baseline(self, method: str, size: int = 128, sigma: float | None = None) -> Contender:
        labels = {
            "input": "noisy input itself",
            "mean": "mean image",
            "pca": f"PCA, {size}",
            "ppca": f"linear VAE (probabilistic PCA), {size}",
            "linear-vae": f"linear VAE, β = 1, {size}",
            "ridge": "linear (ridge) denoiser",
            "tv": "total variation",
            "nlm": "non-local means",
            "linear-fill": "linear conditional mean",
            "pixels": "raw pixels",
            "patches": "random-patch features",
        }
        if method not in labels:
            raise ValueError(f"no baseline is called {method!r}; there are: {', '.join(labels)}")
        label = labels[method] + ("" if sigma is None else f" fitted to {sigma_label(sigma)}")
        return Contender(label, (Baseline(method=method, size=size, sigma=sigma),))  # type: ignore[arg-type]

    def choose(self, candidates: Mapping[T, tuple[Contender, Measurement]]) -> tuple[T, Contender]:
        """Choose the candidate that is most accurate on validation images. It remembers what it was chosen by."""
        asking = self.recorded()
        accuracies = {
            name: np.mean([artifact.meta["validation"] for artifact in asking.artifacts(contender, spec)])
            for name, (contender, spec) in candidates.items()
        }
        best = max(accuracies, key=accuracies.__getitem__)
        self.recording.note(*asking.recording.asked)
        return best, replace(candidates[best][0], chosen_by=tuple(asking.recording.asked))

    # ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def artifacts(self, contender: Contender, spec: Measurement) -> list[Artifact]:
        """Return a measurement, one artifact a seed."""
        self.recording.note(*contender.chosen_by)
        return [self.recording.ask(subject, spec) for subject in contender.subjects]

    def artifact(self, contender: Contender, spec: Measurement | None) -> Artifact:
        """Return a measurement of the first seed, or without one its training."""
        self.recording.note(*contender.chosen_by)
        return self.recording.ask(contender.first, spec)

    def arrays(self, contender: Contender, spec: Measurement) -> dict[str, np.ndarray]:
        """Return the arrays of the first seed, which pictures are made of."""
        return self.artifact(contender, spec).arrays

    def per_image(self, contender: Contender, spec: Measurement, name: str) -> np.ndarray:
        """Return values [seeds, images], in the same order of images for every contender."""
        return np.stack([artifact.arrays[name] for artifact in self.artifacts(contender, spec)])

    def estimates(self, contender: Contender, spec: Measurement, metric: str, region: str = "all") -> list[Estimate]:
        """Return one metric, an estimate a seed."""
        found = []
        for artifact in self.artifacts(contender, spec):
            rows = [r for r in artifact.meta["rows"] if r["metric"] == metric and r["region"] == region]
            if not rows:
                known = sorted({r["metric"] for r in artifact.meta["rows"]})
                raise KeyError(f"{contender.label} has no {metric} of region {region}; there are: {', '.join(known)}")
            found.append(Estimate(*(rows[0][part] for part in Estimate._fields)))
        return found

    def cell(
        self, contender: Contender, spec: Measurement, metric: str, region: str = "all"
    ) -> Estimate | Spread | float:
        """Summarise for a table: mean ± std (n) over seeds; with one seed, the value and its interval over images."""
        return summary(self.estimates(contender, spec, metric, region))

    def interval(self, contender: Contender, spec: Measurement, metric: str, region: str = "all") -> Estimate:
        """Summarise for a plot: the value and its 95 % interval, over images and over seeds where there are several."""
        estimates = self.estimates(contender, spec, metric, region)
        values = np.array([e.value for e in estimates])
        if len(estimates) == 1:
            value, lo, _, n = estimates[0]
            return Estimate(value, value, value, n) if math.isnan(lo) else estimates[0]
        errors = [0.0 if math.isnan(e.lo) else (e.hi - e.lo) / (2 * NORMAL) for e in estimates]
        return measured(values, float(np.mean(errors)), estimates[0].n).estimate()  # all seeds see the same images

    def value(self, contender: Contender, spec: Measurement, metric: str, region: str = "all") -> float:
        return self.interval(contender, spec, metric, region).value

    def table(
        self,
        contenders: Iterable[Contender],
        spec: Measurement | Callable[[Contender], Measurement],
        metrics: Sequence[str | tables.Column],
        region: str = "all",
    ) -> tables.Table:
        """Make a table with a row for each contender and a column for each metric."""
        contenders, columns = list(contenders), [tables.resolved(metric) for metric in metrics]
        rows = []
        for contender in contenders:
            asked = spec(contender) if callable(spec) else spec
            cells = {column.key: self.cell(contender, asked, column.key, region) for column in columns}
            rows.append({"model": contender.label, **cells})
        leaders = {} if callable(spec) else {c.key: self.leader(contenders, spec, c, region) for c in columns}
        return tables.markdown(rows, ["model", *columns], leaders)

    def leader(
        self, contenders: Sequence[Contender], spec: Measurement, metric: str | tables.Column, region: str = "all"
    ) -> int | None:
        """Find the contender that a paired test puts ahead of each other one.

        There is none where none is, where the metric has no value for each image, or no better and worse.
        """
        column = tables.resolved(metric)
        found = [self._each_image(contender, spec, column.key, region) for contender in contenders]
        known = [values for values in found if values is not None]
        if column.best is None or len(known) < len(contenders):
            return None
        return leader(known, column.best, _pooled if column.key == "psnr_pooled" else None)

    def _each_image(self, contender: Contender, spec: Measurement, metric: str, region: str) -> np.ndarray | None:
        """Values [seeds, images] of which a metric is the mean, or is made from the mean."""
        stored = self.artifacts(contender, spec)[0].arrays
        of_region = {"psnr_mean": "psnr", "psnr_pooled": "mse"}.get(metric, metric)
        names = [name for name in (f"{region}/{of_region}", f"{metric}/correct", metric) if name in stored]
        return self.per_image(contender, spec, names[0]).astype(np.float64) if names else None

    def meta(self, contender: Contender, spec: Measurement) -> dict[str, Any]:
        """Return what else a measurement of the first seed found."""
        return self.artifact(contender, spec).meta

    def classes(self, contender: Contender, spec: Measurement) -> list[str]:
        return self.meta(contender, spec)["classes"]

    def distances(self, contender: Contender, spec: Measurement, metric: str) -> list[int]:
        """List the distances at which a metric was measured: `hole_mse:1`, `hole_mse:2`, …"""
        found = [r["metric"].partition(":") for r in self.meta(contender, spec)["rows"]]
        return [int(distance) for name, _, distance in found if name == metric and distance]

    # ── Trainings ────────────────────────────────────────────────────────────────────────────────────────────────────

    def training(self, contender: Contender) -> Artifact:
        """Return the training of the first seed."""
        return self.artifact(contender, None)

    def curves(
        self, contenders: Iterable[Contender], term: str = "error", unit: float = 1.0
    ) -> dict[str, dict[str, list[float]]]:
        """Return the history of one term of the loss, training and validation, with its epochs, by contender."""
        histories = {c.label: self.training(c).meta["history"] for c in contenders}
        return {
            label: {part: [value / unit for value in history[f"{part}/{term}"]] for part in ("train", "validation")}
            | {"epoch": history["epoch"]}
            for label, history in histories.items()
        }

    def trainings(self) -> list[dict[str, Any]]:
        """List every training of this run with what it took."""
        rows = []
        for experiment in self.lab.experiments():
            meta = self.recording.ask(experiment, None).meta
            kept = ("parameters", "seconds", "images_per_second", "precision", "torch", "device")
            rows.append(
                {
                    "experiment": experiment.name,
                    "seed": experiment.seed,
                    "key": self.lab.store.key(self.lab.bench.training(experiment)),
                    "epochs": experiment.training.epochs,
                    **{name: meta[name] for name in kept},
                }
            )
        return rows

    def training_table(self) -> tables.Table:
        """Show every training of this run in a table."""
        return tables.markdown(
            self.trainings(),
            [
                *("experiment", "seed", "key", "epochs", "parameters"),
                tables.Column(key="seconds", heading="seconds", digits=0),
                tables.Column(key="images_per_second", heading="images/s", digits=0),
                *("precision", "torch", "device"),
            ],
        )

    def architecture(self, contender: Contender) -> list[tuple[str, tuple[int, ...], str]]:
        """List the model's layers with the shapes that they give, from input to output."""
        from autoencoders import models

        assert isinstance(contender.first, Experiment), f"{contender.label} has no layers"
        self.recording.note((contender.first, None))
        return models.outline(self.lab.bench.model(contender.first))

    # ── Elsewhere ────────────────────────────────────────────────────────────────────────────────────────────────────

    def beside_reported(self, source: str, ours: Sequence[str]) -> tables.Table:
        """Show what a source reports, and what this run measured of the same, a text for each of its rows (R39)."""
        rows = [row for row in reported() if row["source"] == source]
        shown = [row | {"this run": text} for row, text in zip(rows, ours, strict=True)]
        return tables.markdown(shown, ["what", "reported", "this run"])

    # ── Pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def examples(self, contender: Contender, spec: Measurement, name: str = "output", count: int = 8) -> np.ndarray:
        """Return the first images [count, C, H, W] of a measurement, the same ones for every contender."""
        return self.arrays(contender, spec)[f"examples/{name}"][:count]


def reported() -> list[dict[str, str]]:
    """Values that others have reported, as they give them."""
    return reading.parsed_yaml(PROJECT / "analysis" / "reported.yml")


def _pooled(errors: np.ndarray) -> np.ndarray:
    from autoencoders.evaluation.metrics import pooled_psnr  # brings torch

    return pooled_psnr(errors)


def summary(estimates: Sequence[Estimate]) -> Estimate | Spread | float:
    if len(estimates) > 1:
        return spread(np.array([e.value for e in estimates]))
    return estimates[0].value if math.isnan(estimates[0].lo) else estimates[0]
