"""Sentences bound to numbers: each says what was expected, what was measured, and which verdict follows.

A claim compares two quantities image by image, and seed by seed where there are several. Its verdict is the one that
`evaluation.verdicts` gives to their difference, alone and as one of all claims of a plan. The sentence follows the
latter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoencoders.evaluation import ranking, statistics
from autoencoders.evaluation.verdicts import Direction, Verdict, correct_verdicts, judge_difference
from autoencoders.measurements.measurement import Measurement
from autoencoders.results import Contender, Results
from autoencoders.specs import Experiment
from autoencoders.store import Task
from autoencoders.tables import number


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
class Ranking:
    """One side of a comparison of AUROCs: a score of unfamiliar images (`higher`) and of familiar ones (`lower`)."""

    name: str
    higher: np.ndarray  # [seeds, images]
    lower: np.ndarray
    paired: bool = True  # whether the unfamiliar images are the familiar ones, altered

    @property
    def groups(self) -> ranking.Groups:
        return self.higher, self.lower

    @property
    def mean(self) -> float:
        return ranking.measure_auroc(self.groups, paired=self.paired).value


Side = Quantity | Ranking


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


@dataclass(frozen=True)
class Ranked:
    """An AUROC that is yet to be asked for: two arrays of a measurement, of one contender in all its seeds."""

    contender: Contender
    spec: Measurement
    higher: str
    lower: str
    paired: bool = True

    def read(self, results: Results[Any]) -> Ranking:
        higher, lower = (results.per_image(self.contender, self.spec, name) for name in (self.higher, self.lower))
        return Ranking(self.contender.label, higher, lower, self.paired)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What quantities are counted in, how they are printed, and which differences are too small to matter."""

    unit: str
    margin: float
    reason: str  # why no smaller difference matters, as a clause
    digits: int | None = None  # decimals; None: three digits that count
    percent: bool = False

    def text(self, value: float) -> str:
        return number(100 * value if self.percent else value, self._form)

    def gap(self, a: float, b: float) -> str:
        """How far apart two values are as they are shown: readers subtract."""
        shown = [float(format(100 * value if self.percent else value, self._form)) for value in (a, b)]
        return number(abs(shown[0] - shown[1]), self._form)

    @property
    def symbol(self) -> str:
        """The unit as it stands after two values in a sentence that says what they are of."""
        return re.split(r" of | \(", self.unit)[0]

    @property
    def _form(self) -> str:
        return ".3g" if self.digits is None else f".{self.digits}f"


DECIBELS = Scale(unit=" dB", margin=0.1, digits=2, reason="nobody sees a tenth of a decibel")
_OF_IMAGES = "half a percentage point is what another training of the same model may change"
ACCURACY = Scale(unit=" % of the test images", margin=0.005, digits=1, percent=True, reason=_OF_IMAGES)
PURITY = Scale(unit=" % of neighbours", margin=0.005, digits=1, percent=True, reason=_OF_IMAGES)
AUROC = Scale(unit=" (AUROC)", margin=0.01, digits=3, reason="it is one pair of images in a hundred")
BITS = Scale(
    unit=" bits per dimension", margin=0.01, digits=3, reason="it is an eighth of a percent of what raw pixels take"
)


@dataclass(frozen=True)
class Claim:
    """An expectation; `statement` is what is expected of `a` and `b`, as a clause that stands after "that"."""

    id: str
    requirement: str
    statement: str
    a: Measured | Ranked | Side
    b: Measured | Ranked | Side
    scale: Scale
    expected: Direction = "greater"  # a than b
    void: str = ""  # why comparing them tells nothing in this run, as a clause
    at: str = ""  # what tells it from others of its kind, as in `σ = 0.3`
    seeds: str = "seeds"  # what several of them are


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim with what this run says of it, alone and as one of several."""

    claim: Claim
    a: Side
    b: Side
    difference: statistics.Measured
    verdict: Verdict
    p: float  # of the null that the verdict rejects
    verdict_corrected: Verdict
    p_holm: float
    asked: tuple[Task, ...] = ()  # whose artifacts it rests on

    @classmethod
    def of(cls, claim: Claim, a: Side, b: Side, asked: tuple[Task, ...] = ()) -> Judged:
        """Pair the sides over the images that both have, and over seeds where there are several."""
        if isinstance(a, Quantity) and isinstance(b, Quantity):
            images = min(side.values.shape[-1] for side in (a, b) if side.values.ndim)
            a, b = a.of_images(images), b.of_images(images)
        difference = _difference(a, b)
        verdict, p = judge_difference(difference, claim.expected, claim.scale.margin)
        if claim.void:
            verdict, p = "undecided", math.nan
        found = {"difference": difference, "verdict": verdict, "p": p, "verdict_corrected": verdict, "p_holm": p}
        return cls(claim=claim, a=a, b=b, asked=asked, **found)  # type: ignore[arg-type]

    @property
    def scope(self) -> str:
        """How far the verdict reaches."""
        seeds = self.difference.seeds
        return f"over {seeds} {self.claim.seeds}" if seeds > 1 else "in this run"

    @property
    def sentence(self) -> str:
        """Markdown; it changes with the data."""
        statement, scale = self.claim.statement, self.claim.scale
        opening = {
            "supported": f"{statement[0].upper()}{statement[1:]}",
            "contradicted": f"**Contradicted:** that {statement} was expected; {self.scope} it is the other way round",
            "equivalent": f"**No difference that matters:** that {statement} was expected; {self.scope} they are alike",
            "undecided": f"**Undecided:** whether {statement} can't be told from this data",
        }[self.verdict_corrected]
        a, b = map(scale.text, (self.a.mean, self.b.mean))
        values = f"{self.a.name} {a}, {self.b.name} {b}{scale.unit}"
        if self.claim.void:
            return f"**Void:** whether {statement} can't be told, as {self.claim.void} ({values})."
        parts = [values, *self._test()]
        if self.verdict != self.verdict_corrected:
            parts.append(f"{self.verdict} on its own")
        return f"{opening} ({'; '.join(parts)}; {self.verdict_corrected} {self.scope})."

    @property
    def chance(self) -> str:
        """The p that remains among all claims, as it is printed."""
        return _chance(self.p_holm)

    def _test(self) -> list[str]:
        count = f"n = {self.difference.n:,}"
        if math.isnan(self.difference.value):
            return ["infinite for some images, which have no difference", count]
        gap, low, high = map(self.claim.scale.text, (self.difference.value, *self.difference.interval()))
        margin = f"margin {self.claim.scale.text(self.claim.scale.margin)}"
        tested = f"p {_chance(self.p)}, among all claims {self.chance}"
        return [f"difference {gap}, 95 % interval {low} to {high}, {margin}, {count}", tested]

    def as_json(self) -> dict[str, Any]:
        lo, hi = self.difference.interval()
        return {
            "id": self.claim.id,
            "requirement": self.claim.requirement,
            "sentence": self.sentence,
            "expected": self.claim.expected,
            "a": {"name": self.a.name, "value": self.a.mean},
            "b": {"name": self.b.name, "value": self.b.mean},
            "difference": self.difference.value,
            "margin": self.claim.scale.margin,
            "lo": lo,
            "hi": hi,
            "n": self.difference.n,
            "seeds": self.difference.seeds,
            "p": self.p,
            "p_holm": self.p_holm,
            "verdict": self.verdict,
            "verdict_corrected": self.verdict_corrected,
            "void": self.claim.void or None,
        }


def judge(claim: Claim, results: Results[Any]) -> Judged:
    """Ask for both sides, and keep a record of what they rest on: of what had chosen their models, too."""
    asking = results.recorded()
    a, b = (side.read(asking) if isinstance(side, Measured | Ranked) else side for side in _paired(claim.a, claim.b))
    return Judged.of(claim, a, b, asking.recording.tasks())


def _paired(*sides: Measured | Ranked | Side) -> Sequence[Measured | Ranked | Side]:
    """The same, of the seeds that both models have. A baseline stands beside each seed, and a model with one beside
    each draw of random weights."""
    asked = [side for side in sides if isinstance(side, Measured | Ranked)]
    counts = [len(side.contender.subjects) for side in asked]
    are_trained = all(isinstance(side.contender.first, Experiment) for side in asked)
    if len(asked) < len(sides) or not (are_trained or min(counts) > 1):
        return sides
    return [replace(each, contender=each.contender.of_seeds(min(counts))) for each in asked]


def correct(judged: Sequence[Judged]) -> list[Judged]:
    """The same with the verdicts that remain when all that were tested are to be right together."""
    tested = [each for each in judged if not each.claim.void]
    verdicts, p_values = correct_verdicts([each.verdict for each in tested], [each.p for each in tested])
    corrected = iter(
        replace(each, verdict_corrected=verdict, p_holm=float(p))
        for each, verdict, p in zip(tested, verdicts, p_values, strict=True)
    )
    return [each if each.claim.void else next(corrected) for each in judged]


def _difference(a: Side, b: Side) -> statistics.Measured:
    if isinstance(a, Ranking) and isinstance(b, Ranking):
        return ranking.measure_auroc_difference(a.groups, b.groups, paired=a.paired)
    if isinstance(a, Ranking):  # and one number
        found = ranking.measure_auroc(a.groups, paired=a.paired)
        return replace(found, value=found.value - b.mean)
    assert isinstance(a, Quantity)
    assert isinstance(b, Quantity)
    if np.isinf(a.values).any() or np.isinf(b.values).any():  # of perfect images for example
        seeds, images = max(len(a.values), len(b.values)), a.values.shape[1]
        return statistics.Measured(math.nan, math.nan, math.inf, images, seeds)
    return statistics.measure_difference(a.values, b.values)


def _chance(p: float) -> str:
    return "≤ 0.0001" if p <= 1e-4 else "= " + number(p, ".2g")
