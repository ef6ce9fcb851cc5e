"""Sentences bound to numbers: each says what was expected, what was measured, and which verdict follows.

A claim compares two quantities image by image. If the 95 % interval of their difference lies beyond the margin in the
expected direction it is supported; beyond it the other way, contradicted; else undecided. The sentence follows suit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from autoencoders.evaluation.statistics import Estimate, paired_difference
from autoencoders.measurements.measurement import Measurement
from autoencoders.results import Contender, Results
from autoencoders.store import Task
from autoencoders.tables import number

Verdict = Literal["supported", "contradicted", "undecided"]


@dataclass(frozen=True)
class Quantity:
    """One side of a comparison: its value for each image [seeds, images], or one number to compare with."""

    name: str
    values: np.ndarray

    @property
    def mean(self) -> float:
        return float(self.values.mean())

    def of_images(self, count: int) -> Quantity:
        """The first `count` images, as [seeds, images]."""
        table = np.atleast_2d(self.values)[:, :count] if self.values.ndim else np.full((1, count), self.values)
        return Quantity(self.name, np.asarray(table, np.float64))


@dataclass(frozen=True)
class Measured:
    """A quantity that is yet to be asked for: an array of a measurement, of one contender in all its seeds."""

    contender: Contender
    spec: Measurement
    array: str  # a value for each image, or a map, of which the mean counts
    name: str = ""  # in the sentence; without one, the contender's label

    def read(self, results: Results[Any]) -> Quantity:
        values = results.per_image(self.contender, self.spec, self.array).astype(np.float64)
        return Quantity(self.name or self.contender.label, values.reshape(*values.shape[:2], -1).mean(2))


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What quantities are counted in, how they are printed, and which differences are too small to matter."""

    unit: str
    margin: float = 0.0
    digits: int | None = None  # decimals; None: three digits that count
    percent: bool = False

    def text(self, value: float) -> str:
        form = ".3g" if self.digits is None else f".{self.digits}f"
        return number(100 * value if self.percent else value, form)


DECIBELS = Scale(unit=" dB", margin=0.1, digits=2)
ACCURACY = Scale(unit=" % of the test images", margin=0.005, digits=1, percent=True)
PURITY = Scale(unit=" % of neighbours", margin=0.005, digits=1, percent=True)
ERROR = Scale(unit=" (MSE)")


@dataclass(frozen=True)
class Claim:
    """An expectation; `statement` is what is expected of `a` and `b`, as a clause that stands after "that"."""

    id: str
    requirement: str
    statement: str
    a: Measured | Quantity
    b: Measured | Quantity
    scale: Scale
    expected: Literal["greater", "less"] = "greater"  # a than b


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim with what this run says of it."""

    claim: Claim
    a: Quantity
    b: Quantity
    difference: Estimate
    asked: tuple[Task, ...] = ()  # whose artifacts it rests on

    @classmethod
    def of(cls, claim: Claim, a: Quantity, b: Quantity, asked: tuple[Task, ...] = ()) -> Judged:
        """Pair the quantities over the images that both have, and over seeds where there are several."""
        images = min(side.values.shape[-1] for side in (a, b) if side.values.ndim)
        a, b = a.of_images(images), b.of_images(images)
        undefined = Estimate(math.nan, math.nan, math.nan, images)  # between infinities, of perfect images for example
        comparable = not (np.isinf(a.values).any() or np.isinf(b.values).any())
        difference = paired_difference(a.values, b.values) if comparable else undefined
        return cls(claim=claim, a=a, b=b, difference=difference, asked=asked)

    @property
    def verdict(self) -> Verdict:
        sign = 1 if self.claim.expected == "greater" else -1
        low, high = sorted((sign * self.difference.lo, sign * self.difference.hi))
        if low > self.claim.scale.margin:
            return "supported"
        return "contradicted" if high < -self.claim.scale.margin else "undecided"

    @property
    def sentence(self) -> str:
        """Markdown; it changes with the data."""
        statement, scale = self.claim.statement, self.claim.scale
        seeds = len(self.a.values)
        scope = f"over {seeds} seeds" if seeds > 1 else "in this run"
        opening = {
            "supported": f"{statement[0].upper()}{statement[1:]}",
            "contradicted": f"**Contradicted:** that {statement} was expected; {scope} it is the other way round",
            "undecided": f"**Undecided:** whether {statement} can't be told from this data",
        }[self.verdict]
        a, b, gap, low, high = map(scale.text, (self.a.mean, self.b.mean, *self.difference[:3]))
        compared = f"{self.a.name} {a}, {self.b.name} {b}{scale.unit}"
        interval = f"difference {gap}, 95 % interval {low} to {high}, n = {self.difference.n:,}"
        if math.isnan(self.difference.value):
            interval = f"infinite for some images, which have no difference; n = {self.difference.n:,}"
        return f"{opening} ({compared}; {interval}; {self.verdict} {scope})."

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.claim.id,
            "requirement": self.claim.requirement,
            "sentence": self.sentence,
            "expected": self.claim.expected,
            "a": {"name": self.a.name, "value": self.a.mean},
            "b": {"name": self.b.name, "value": self.b.mean},
            "difference": self.difference.value,
            "margin": self.claim.scale.margin,
            "lo": self.difference.lo,
            "hi": self.difference.hi,
            "n": self.difference.n,
            "verdict": self.verdict,
        }


def judge(claim: Claim, results: Results[Any]) -> Judged:
    """Ask for both sides, and keep a record of what they rest on: of what had chosen their models, too."""
    asking = results.recorded()
    a, b = (side if isinstance(side, Quantity) else side.read(asking) for side in (claim.a, claim.b))
    return Judged.of(claim, a, b, asking.recording.tasks())
