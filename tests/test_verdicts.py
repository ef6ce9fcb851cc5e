"""Four verdicts, their p, and what Holm's correction leaves of a family of them."""

from __future__ import annotations

import numpy as np
import pytest

from autoencoders.evaluation.statistics import Measured, measure_difference
from autoencoders.evaluation.verdicts import correct_verdicts, holm, judge_difference, leader


def difference(value: float, error: float = 0.1, freedom: float = np.inf) -> Measured:
    return Measured(value, error, freedom, 100, 1)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (2.0, "supported"),
        (1.25, "supported"),
        (1.15, "undecided"),
        (0.85, "undecided"),
        (0.7, "equivalent"),
        (0.0, "equivalent"),
        (-0.7, "equivalent"),
        (-1.1, "undecided"),
        (-1.3, "contradicted"),
    ],
)
def test_verdict_follows_from_where_the_interval_lies(value: float, verdict: str) -> None:
    assert judge_difference(difference(value), "greater", 1.0)[0] == verdict
    mirrored = judge_difference(difference(-value), "less", 1.0)
    assert mirrored == judge_difference(difference(value), "greater", 1.0)


@pytest.mark.parametrize("freedom", [2, 9, np.inf])
def test_verdict_equals_that_of_the_interval(freedom: float) -> None:
    rng = np.random.default_rng(0)
    for value, error in zip(rng.normal(0, 2, 200), rng.exponential(0.3, 200), strict=True):
        found = difference(value, error, freedom)
        lo, hi = found.interval()
        expected = (
            "supported" if lo > 1 else "contradicted" if hi < -1 else "equivalent" if lo > -1 and hi < 1 else None
        )
        verdict, p = judge_difference(found, "greater", 1.0)
        assert verdict == (expected or "undecided")
        assert (p < 0.025) == (expected is not None)


def test_p_is_of_the_null_that_the_verdict_rejects() -> None:
    assert judge_difference(difference(1.2), "greater", 1.0)[1] == pytest.approx(0.02275, abs=1e-5)
    assert judge_difference(difference(-1.2), "greater", 1.0)[1] == pytest.approx(0.02275, abs=1e-5)
    assert judge_difference(difference(0.8), "greater", 1.0) == ("equivalent", pytest.approx(0.02275, abs=1e-5))
    assert judge_difference(difference(1.1), "greater", 1.0)[1] == pytest.approx(0.15866, abs=1e-5)


def test_a_wide_interval_decides_nothing() -> None:
    assert judge_difference(difference(0.0, 5.0), "greater", 1.0) == ("undecided", pytest.approx(0.42, abs=0.01))
    assert judge_difference(Measured(9.0, np.nan, np.inf, 1, 1), "greater", 1.0) == ("undecided", 1.0)


def test_a_margin_is_needed() -> None:
    for margin in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="margin is positive"):
            judge_difference(difference(1.0), "greater", margin)


@pytest.mark.parametrize(("truth", "wrong"), [(0.5, "supported"), (-0.5, "contradicted"), (0.5, "equivalent")])
def test_a_false_verdict_is_as_rare_as_it_says(truth: float, wrong: str) -> None:
    """At the very edge of the margin, where it is easiest to be wrong."""
    rng = np.random.default_rng(1)
    verdicts = [
        judge_difference(measure_difference(rng.normal(truth, 1, 100), np.zeros(100)), "greater", 0.5)[0]
        for _ in range(1500)
    ]
    assert 0.012 <= np.mean([verdict == wrong for verdict in verdicts]) <= 0.04


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == pytest.approx([1, 1])
    assert holm([0.02]) == pytest.approx([0.02])
    assert len(holm([])) == 0
    for wrong in ([1.2], [np.nan], [-0.1]):
        with pytest.raises(ValueError, match="p values"):
            holm(wrong)


def test_correction_leaves_what_would_stand_among_so_many() -> None:
    verdicts, p = correct_verdicts(["supported", "equivalent", "contradicted", "undecided"], [0.001, 0.02, 0.006, 0.4])
    assert verdicts == ["supported", "undecided", "contradicted", "undecided"]
    assert p == pytest.approx([0.004, 0.04, 0.018, 0.4])


def test_families_hold_a_false_verdict_no_more_often_than_one_claim() -> None:
    """Twenty claims whose truth is at the margin: without a correction, two in five families hold a false one."""
    rng = np.random.default_rng(2)
    raw, corrected = [], []
    for _ in range(400):
        judged = [judge_difference(difference(value), "greater", 1.0) for value in rng.normal(1.0, 0.1, 20)]
        raw.append(any(verdict == "supported" for verdict, _ in judged))
        kept, _ = correct_verdicts([v for v, _ in judged], [p for _, p in judged])
        corrected.append("supported" in kept)
    assert np.mean(raw) > 0.3
    assert np.mean(corrected) <= 0.04


def test_leader_is_ahead_of_every_other_one() -> None:
    rng = np.random.default_rng(0)
    images, gap = rng.normal(0, 3, 300), rng.normal(0, 1, 300)
    ahead, behind, close = images + 0.1, images, images + 0.1 + 0.1 * gap
    assert leader([behind, ahead], "max") == 1
    assert leader([behind, ahead], "min") == 0
    assert leader([behind, ahead[:100]], "max") == 1, "on the images that both have"
    assert leader([behind, ahead, close], "max") is None
    assert leader([ahead], "max") is None
    assert leader([np.full(300, np.inf), ahead], "max") is None


def test_leader_is_corrected_for_the_number_of_rivals() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (20, 400))
    noise = (noise - noise.mean(1, keepdims=True)) / noise.std(1, keepdims=True)
    rivals = list(noise - 2.3 / 20)  # each is behind by 2.3 standard errors: p = .011
    assert leader([np.zeros(400), rivals[0]], "max") == 0
    assert leader([np.zeros(400), *rivals], "max") is None
