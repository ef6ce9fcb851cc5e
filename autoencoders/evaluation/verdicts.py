"""What a measured difference says of an expectation, and what is left of it among many expectations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from autoencoders.evaluation.statistics import LEVEL, Measured, Transform, measure, measure_difference

Verdict = Literal["supported", "contradicted", "equivalent", "undecided"]
Direction = Literal["greater", "less"]

SIDE = (1 - LEVEL) / 2  # the risk on each side of a 95 % interval


def judge_difference(difference: Measured, expected: Direction, margin: float) -> tuple[Verdict, float]:
    """The verdict on a difference that was expected to be greater, or less, than 0, and its one-sided p.

    - supported: the interval lies beyond the margin as expected; the null is a difference of at most the margin;
    - contradicted: it lies beyond the margin the other way; the null is a difference of at least minus the margin;
    - equivalent: it lies within ±margin, no difference that matters; the null is one outside (two one-sided tests);
    - undecided: none of these; p is the smallest of the three.

    An interval lies there exactly where p is below .025.
    """
    if not 0 < margin < np.inf:
        raise ValueError(f"a margin is positive and finite, not {margin}")
    above, below = difference.p_at_most(margin), difference.p_at_least(-margin)
    within = max(difference.p_at_most(-margin), difference.p_at_least(margin))
    ways: dict[Verdict, float] = {
        "supported": above if expected == "greater" else below,
        "contradicted": below if expected == "greater" else above,
        "equivalent": within,
    }
    verdict = min(ways, key=lambda way: ways[way])
    return verdict if ways[verdict] < SIDE else "undecided", ways[verdict]


def leader(
    contestants: Sequence[np.ndarray], best: Literal["max", "min"], transform: Transform | None = None
) -> int | None:
    """Which one is ahead of each other one, if any, by paired tests corrected for their number.

    Each is [images] or [seeds, images]; where one has more images than another, the first ones are compared.
    """
    images = min(values.shape[-1] for values in contestants)
    shown = [np.atleast_2d(values)[:, :images] for values in contestants]
    if len(shown) < 2 or not all(np.isfinite(values).all() for values in shown):
        return None
    sign = 1 if best == "max" else -1
    first = int(np.argmax([sign * measure(values, transform=transform).value for values in shown]))
    gaps = [
        measure_difference(shown[first], values, transform=transform)
        for index, values in enumerate(shown)
        if index != first
    ]
    chances = holm([gap.p_at_most(0) if best == "max" else gap.p_at_least(0) for gap in gaps])
    return first if (chances < SIDE).all() else None


def correct_verdicts(verdicts: Sequence[Verdict], p_values: Sequence[float]) -> tuple[list[Verdict], np.ndarray]:
    """What remains of a family of verdicts when all are to be right together, and their corrected p by Holm (1979)."""
    corrected = holm(p_values)
    kept: list[Verdict] = [v if p < SIDE else "undecided" for v, p in zip(verdicts, corrected, strict=True)]
    return kept, corrected


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Step-down: the smallest p is multiplied by their number, the next by one less; never below a smaller one's."""
    p = np.asarray(p_values, np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p values are a row of numbers from 0 to 1, not {p_values}")
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return corrected
