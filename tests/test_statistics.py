"""Intervals: right width, right coverage, right pairing, and no NaN out of anything."""

from __future__ import annotations

import numpy as np
import pytest

from autoencoders.evaluation.statistics import (
    Estimate,
    Measured,
    bootstrap,
    measure,
    measure_difference,
    measured,
    spread,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def pooled(mse: np.ndarray) -> np.ndarray:
    return -10 * np.log10(mse)


# ── One figure ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_interval_has_the_width_that_theory_gives(rng: np.random.Generator) -> None:
    values = rng.normal(5, 2, 4000)
    estimate = bootstrap(values)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.n == 4000
    half = 1.96 * values.std() / np.sqrt(4000)
    assert (estimate.hi - estimate.lo) / 2 == pytest.approx(half, rel=0.1)
    assert estimate.lo < estimate.value < estimate.hi


def test_interval_agrees_with_scipy(rng: np.random.Generator) -> None:
    from scipy import stats

    values = rng.exponential(1, 300)
    reference = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(0), batch=100)
    estimate = bootstrap(values)
    assert estimate.lo == pytest.approx(reference.confidence_interval.low, abs=0.02)
    assert estimate.hi == pytest.approx(reference.confidence_interval.high, abs=0.02)


def test_interval_covers_the_truth_nineteen_times_in_twenty(rng: np.random.Generator) -> None:
    hits = [estimate.lo <= 0 <= estimate.hi for estimate in (bootstrap(rng.normal(0, 1, 60)) for _ in range(300))]
    assert 0.90 <= np.mean(hits) <= 0.98


def test_small_differences_on_a_large_offset_survive_single_precision() -> None:
    values = 1e4 + np.linspace(0, 1e-3, 1000)
    estimate = bootstrap(values)
    assert 1e4 + 4e-4 < estimate.lo < estimate.value < estimate.hi < 1e4 + 6e-4


def test_the_seed_fixes_the_interval(rng: np.random.Generator) -> None:
    values = rng.normal(size=50)
    assert bootstrap(values) == bootstrap(values.copy())
    assert bootstrap(values, seed=1) != bootstrap(values, seed=2)


def test_a_transform_is_applied_to_the_mean_not_to_the_images() -> None:
    mse = np.array([0.01, 0.03])
    assert bootstrap(mse, transform=pooled).value == pytest.approx(-10 * np.log10(0.02))


def test_constant_values_have_an_interval_of_no_width() -> None:
    for n in range(2, 40):
        assert bootstrap(np.full(n, 0.1)) == (0.1, 0.1, 0.1, n), "not even by rounding is a value outside its interval"


def test_one_image_says_nothing_about_the_spread() -> None:
    assert bootstrap(np.array([2.0])) == Estimate(2.0, -np.inf, np.inf, 1)


def test_infinite_values_give_infinities_never_nan() -> None:
    some = bootstrap(np.array([1.0, 2.0, 3.0, np.inf]))
    assert some.value == some.hi == np.inf
    assert np.isfinite(some.lo)
    assert bootstrap(np.full(5, np.inf)) == Estimate(np.inf, np.inf, np.inf, 5)
    assert bootstrap(np.full(5, -np.inf)) == Estimate(-np.inf, -np.inf, -np.inf, 5)


def test_a_perfect_pooled_figure_is_infinite_and_rounding_never_makes_an_error_negative() -> None:
    with np.errstate(divide="ignore"):
        assert bootstrap(np.zeros(5), transform=pooled).lo == np.inf
        assert bootstrap(np.array([0.0] * 30 + [1e-3]), transform=pooled).hi == np.inf


@pytest.mark.parametrize(
    "values",
    [np.array([]), np.zeros((3, 0)), np.zeros((2, 2, 2)), np.array([1.0, np.nan]), np.array([np.inf, -np.inf])],
)
def test_values_without_a_mean_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="values must be|hold NaN|undefined"):
        bootstrap(values)


# ── Differences ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pairing_removes_what_the_images_have_in_common(rng: np.random.Generator) -> None:
    images = rng.normal(0, 10, 500)
    a, b = images + 0.5 + rng.normal(0, 0.1, 500), images + rng.normal(0, 0.1, 500)
    lo, hi = measure_difference(a, b).interval()
    assert 0.4 < lo < hi < 0.6
    assert bootstrap(a).lo < bootstrap(b).hi, "unpaired, the intervals overlap by far"


def test_a_difference_is_antisymmetric(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 80))
    ab, ba = measure_difference(a, b), measure_difference(b, a)
    assert ab.value == pytest.approx(-ba.value)
    assert ab.interval() == (pytest.approx(-ba.interval()[1]), pytest.approx(-ba.interval()[0]))


def test_no_difference_is_zero(rng: np.random.Generator) -> None:
    a = rng.normal(size=40)
    assert measure_difference(a, a).estimate() == Estimate(0.0, 0.0, 0.0, 40)


def test_seeds_that_disagree_widen_the_interval(rng: np.random.Generator) -> None:
    noise = rng.normal(0, 0.01, (3, 400))
    agreeing = measure_difference(noise + 1.0, np.zeros(400))
    disagreeing = measure_difference(noise + np.array([[0.0], [1.0], [2.0]]), np.zeros(400))
    assert agreeing.value == pytest.approx(disagreeing.value, abs=0.01)
    assert agreeing.error < 0.001
    assert disagreeing.error > 0.5


def test_several_seeds_do_not_hide_the_images_spread(rng: np.random.Generator) -> None:
    """Three seeds on the same 100 images are not 300 images."""
    images = rng.normal(0, 1, 100)
    once, thrice = measure(images), measure(np.tile(images, (3, 1)))
    assert thrice.n == 100
    assert thrice.error == pytest.approx(once.error)


def test_a_baseline_without_seeds_stands_beside_each_seed(rng: np.random.Generator) -> None:
    models, baseline = rng.normal(1, 1, (3, 50)), rng.normal(0, 1, 50)
    assert measure_difference(models, baseline) == measure_difference(models, np.tile(baseline, (3, 1)))


def test_a_difference_of_pooled_figures() -> None:
    a, b = np.full(20, 0.001), np.full(20, 0.01)
    assert measure_difference(a, b, transform=pooled).value == pytest.approx(10.0)


def test_different_images_or_infinite_values_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="same images"):
        measure_difference(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="same images"):
        measure_difference(np.zeros(3), np.zeros(1))
    with pytest.raises(ValueError, match="undefined"):
        measure_difference(np.array([np.inf, 1.0]), np.zeros(2))


def test_bootstrap_refuses_several_trainings() -> None:
    with pytest.raises(ValueError, match="of one training"):
        bootstrap(np.zeros((3, 5)))


# ── Over runs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_spread_is_the_sample_deviation() -> None:
    runs = spread(np.array([23.0, 24.0, 25.0]))
    assert (runs.mean, runs.std, runs.n) == (24.0, 1.0, 3)
    assert str(runs) == "24 ± 1 (3)"


def test_one_run_has_no_deviation() -> None:
    assert spread(np.array([0.5])).std is None
    assert str(spread(np.array([0.5]))) == "0.5 (1)"


def test_runs_that_are_all_perfect_have_no_deviation() -> None:
    assert str(spread(np.array([np.inf, np.inf]))) == "inf (2)"
    assert spread(np.array([np.inf, 1.0])).std is None


@pytest.mark.parametrize("values", [[], [np.nan], [[1.0, 2.0]], [np.inf, -np.inf]])
def test_a_spread_of_nothing_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="row of values that have a mean"):
        spread(np.array(values))


# ── Standard errors ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_seed_has_the_normal_interval_of_its_images(rng: np.random.Generator) -> None:
    a, b = rng.normal(1, 2, 400), rng.normal(0, 2, 400)
    found = measure_difference(a, b)
    half = 1.959964 * (a - b).std() / 20
    assert (found.freedom, found.n, found.seeds) == (np.inf, 400, 1)
    assert found.interval() == (pytest.approx((a - b).mean() - half), pytest.approx((a - b).mean() + half))
    assert found.estimate() == Estimate(found.value, *found.interval(), 400)
    assert measure(a - b) == found


def test_the_error_of_a_mean_is_what_the_bootstrap_tends_to(rng: np.random.Generator) -> None:
    table = rng.exponential(1, (3, 500))
    direct = measure(table)
    resampled = measure(table, transform=lambda means: means)
    assert direct.value == pytest.approx(resampled.value)
    assert direct.error == pytest.approx(resampled.error, rel=0.06)


def test_several_seeds_add_their_variance_and_use_student_s_t(rng: np.random.Generator) -> None:
    seeds, images = np.array([1.0, 2.0, 6.0]), rng.normal(0, 1, 100)
    found = measure_difference(seeds[:, None] + images, np.zeros(100))
    assert found.error == pytest.approx(np.sqrt(7 / 3 + images.var() / 100))
    assert (found.freedom, found.seeds) == (2, 3)
    assert found.share == pytest.approx(7 / 3 / found.error**2)
    alone = measure_difference(np.tile(seeds[:, None], 100), np.zeros(100))
    lo, hi = alone.interval()
    assert (hi - lo) / 2 == pytest.approx(4.302653 * alone.error, rel=1e-6)


def test_interval_and_p_agree_whatever_share_is_the_seeds() -> None:
    for share in (0.0, 0.2, 0.9, 1.0):
        found = Measured(3.0, 0.5, 2, 100, 3, share)
        for level in (0.5, 0.95, 0.999):
            lo, hi = found.interval(level)
            assert hi - 3 == pytest.approx(3 - lo)
            assert found.p_at_most(lo) == pytest.approx((1 - level) / 2, rel=1e-5)
            assert found.p_at_least(hi) == pytest.approx((1 - level) / 2, rel=1e-5)
    widths = [Measured(3.0, 0.5, 2, 100, 3, share).interval()[1] - 3 for share in (0.0, 0.2, 0.9, 1.0)]
    assert widths == sorted(widths)
    assert widths[0] == pytest.approx(1.959964 * 0.5)
    assert widths[-1] == pytest.approx(4.302653 * 0.5)


@pytest.mark.parametrize("between", [0.0, 0.3, 1.0, 3.0, 30.0])
def test_intervals_of_few_seeds_cover_as_often_as_they_say(rng: np.random.Generator, between: float) -> None:
    """`between`: the variance of the mean of three seeds, where that of the images is 1."""
    covered = {0.95: 0, 0.99: 0}
    seeds, images = rng.normal(0, np.sqrt(3 * between), (4000, 3)), rng.normal(0, 1, 4000)
    for by_seed, image in zip(seeds, images, strict=True):
        found = measured(by_seed + image, 1.0, 100)
        for level in covered:
            covered[level] += abs(found.value) < found.interval(level)[1] - found.value
    for level, times in covered.items():
        assert level - 3 * np.sqrt(level * (1 - level) / 4000) < times / 4000 < level + 0.6 * (1 - level)


def test_seeds_are_paired() -> None:
    """What a seed does to both sides is not a difference between them."""
    seeds = np.array([[0.0], [5.0], [9.0]])
    images = np.linspace(0, 1, 50)
    assert measure_difference(seeds + images, np.tile(seeds, 50)).error == pytest.approx(measure(images).error)


def test_a_transform_acts_on_each_seed_s_mean() -> None:
    mse = np.array([[0.01, 0.03], [0.1, 0.3]])
    found = measure(mse, transform=pooled)
    assert found.value == pytest.approx(-10 * np.log10([0.02, 0.2]).mean())
    tenfold = measure_difference(np.linspace(0.01, 0.02, 30), np.linspace(0.1, 0.2, 30), transform=pooled)
    assert tenfold.value == pytest.approx(10)
    assert tenfold.error == pytest.approx(0, abs=1e-5), "on every resample the ratio is 10"


def test_the_error_of_a_pooled_figure_follows_from_the_slope_of_its_logarithm(rng: np.random.Generator) -> None:
    mse = rng.exponential(0.01, 4000)
    expected = 10 / np.log(10) * mse.std() / np.sqrt(4000) / mse.mean()
    assert measure(mse, transform=pooled).error == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize(("seeds", "spread_of_seeds"), [(1, 0.0), (3, 0.1), (3, 0.5), (5, 0.1), (5, 0.5)])
def test_intervals_cover_the_truth_at_least_as_often_as_they_say(seeds: int, spread_of_seeds: float) -> None:
    """With 100 images a mean has an error of .1; a bootstrap over the seeds covers about 80 % of the worst case."""
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(400):
        table = rng.normal(0, 1, 100) + rng.normal(0, spread_of_seeds, (seeds, 1))
        lo, hi = measure_difference(table, np.zeros(100)).interval()
        hits.append(lo <= 0 <= hi)
    assert np.mean(hits) >= 0.93


def test_seeds_that_differ_much_leave_the_interval_of_a_t_test() -> None:
    """Where images add next to nothing, coverage is exact, not merely sufficient."""
    rng = np.random.default_rng(4)
    hits = []
    for _ in range(600):
        lo, hi = measure(rng.normal(0, 1, (3, 1)) + np.zeros(10)).interval()
        hits.append(lo <= 0 <= hi)
    assert 0.93 <= np.mean(hits) <= 0.97


def test_p_agrees_with_the_interval() -> None:
    found = Measured(1.0, 0.4, 4, 100, 5)
    lo, hi = found.interval()
    assert found.p_at_most(lo) == pytest.approx(0.025)
    assert found.p_at_least(hi) == pytest.approx(0.025)
    assert found.p_at_most(1.0) == found.p_at_least(1.0) == 0.5
    assert found.p_at_most(0.0) == pytest.approx(1 - found.p_at_least(0.0))
    assert found.interval(0.99)[0] < lo


def test_differences_without_any_spread_are_certain() -> None:
    found = measure_difference(np.full(9, 2.0), np.ones(9))
    assert found.interval() == (1.0, 1.0)
    assert (found.p_at_most(0.5), found.p_at_most(1.0), found.p_at_least(0.5)) == (0.0, 1.0, 1.0)


def test_what_has_no_error_is_unbounded_and_proves_nothing() -> None:
    infinite = np.array([1.0, np.inf, 3.0])
    for found in (measure(np.array([2.0])), measure(np.ones((3, 1))), measure(infinite), measure([infinite] * 2)):
        assert found.interval() == (-np.inf, np.inf)
        assert found.p_at_most(-9.0) == found.p_at_least(9.0) == 1.0
    with np.errstate(divide="ignore"):
        assert np.isnan(measure(np.array([0.0] * 20 + [1e-3]), transform=pooled).error), "some resamples are perfect"


def test_measures_of_other_images_or_infinite_differences_are_refused() -> None:
    with pytest.raises(ValueError, match="same images"):
        measure_difference(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="undefined"):
        measure_difference(np.array([np.inf, 1.0]), np.zeros(2))
