"""How sure a figure is: over the images of one training, and over several trainings.

`bootstrap` gives the percentile interval of one training. `measure` and `measure_difference` give a standard error,
from which intervals of any level, and tests, follow: with one seed the error is that of the (paired) bootstrap over
images, and normal; with several it is

    SE² = s²(seeds) / n + SE²(images)

Seeds are few: their part alone would follow Student's t of n − 1 degrees of freedom. Images are many. The whole is
taken to follow a mixture of that t and of the normal distribution, weighted with their shares of SE². Its intervals
cover the truth as often as they say, or a little more, whatever the shares. Student's t for the whole nearly always
covers it where images make up most of the error; Satterthwaite's degrees of freedom cover it too seldom where seeds do.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

RESAMPLES = 1000
LEVEL = 0.95

Transform = Callable[[np.ndarray], np.ndarray]  # from means to the figure that is reported, a pooled PSNR for example


class Estimate(NamedTuple):
    """A value, its 95 % interval and the number of images behind it; one image alone has an unbounded interval."""

    value: float
    lo: float
    hi: float
    n: int


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation over n runs; a single run has no deviation, nor have infinite values."""

    mean: float
    std: float | None
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.4g} ({self.n})" if self.std is None else f"{self.mean:.4g} ± {self.std:.2g} ({self.n})"


def spread(values: np.ndarray) -> Spread:
    """`mean ± std (n)` of one figure over seeds."""
    runs = np.asarray(values, np.float64)
    if runs.ndim != 1 or len(runs) == 0 or np.isnan(runs).any() or {-np.inf, np.inf} <= {*runs}:
        raise ValueError(f"a spread needs a row of values that have a mean, not {runs.tolist()}")
    known = len(runs) > 1 and np.isfinite(runs).all()
    return Spread(float(runs.mean()), float(runs.std(ddof=1)) if known else None, len(runs))


def bootstrap(values: np.ndarray, *, transform: Transform | None = None, seed: int = 0) -> Estimate:
    """The mean of `values` [images] with its interval; infinite values of one sign are allowed."""
    table = _table(values)
    if len(table) > 1:
        raise ValueError(f"an interval over images is of one training: not {np.shape(values)}")
    figure = transform or _identity
    return _estimate(figure(_means(table)), figure(_resampled_means(table[0], seed)), table.shape[1])


def _identity(means: np.ndarray) -> np.ndarray:
    return means


def _table(values: np.ndarray) -> np.ndarray:
    table = np.atleast_2d(np.asarray(values, np.float64))
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"values must be [images] or [seeds, images], and some: not {np.shape(values)}")
    if np.isnan(table).any():
        raise ValueError("values hold NaN")
    if (table == np.inf).any() and (table == -np.inf).any():
        raise ValueError("a mean of +inf and -inf is undefined")
    return table


def _means(table: np.ndarray) -> np.ndarray:
    return np.clip(table.mean(keepdims=True)[0], table.min(), table.max())  # not even by rounding beyond its values


def _resampled_means(values: np.ndarray, seed: int) -> np.ndarray:
    shares = draws(len(values), seed) / np.float32(len(values))
    finite = np.isfinite(values)
    least = values[finite].min() if finite.any() else 0.0  # counted from it, fp32 is exact where it matters
    means = least + (shares @ np.where(finite, values - least, 0.0).astype(np.float32)).astype(np.float64)
    if not finite.all():
        means[shares @ (~finite).astype(np.float32) > 0] = values[~finite][0]
    return np.clip(means, values.min(), values.max())  # rounding must not make an error negative


@functools.lru_cache(maxsize=4)
def draws(n: int, seed: int) -> np.ndarray:
    """How often each of n items is drawn in each resample [RESAMPLES, n]; one draw serves all figures of a data set."""
    rng = np.random.default_rng(seed)
    counts = np.empty((RESAMPLES, n), np.float32)
    for row in counts:
        row[:] = np.bincount(rng.integers(n, size=n), minlength=n)
    return counts


def _estimate(value: np.ndarray, resampled: np.ndarray, images: int) -> Estimate:
    """Percentiles by rank, never by interpolation: between two infinities there is only NaN."""
    if np.isnan(value).any() or np.isnan(resampled).any():
        raise ValueError("the figure is undefined (NaN) for these values")
    if images == 1:
        return Estimate(float(value[0]), -np.inf, np.inf, 1)
    ordered = np.sort(resampled)
    tail = int(len(ordered) * (1 - LEVEL) / 2)
    return Estimate(float(value[0]), float(ordered[tail - 1]), float(ordered[-tail]), images)


# ── Standard errors ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Measured:
    """A figure or a difference with its standard error; one image alone, or one that is infinite, has none (NaN)."""

    value: float
    error: float
    freedom: float  # degrees of freedom of Student's t; infinite for one seed, whose interval is the normal one
    n: int  # images
    seeds: int
    share: float = 1.0  # of the error's variance, what has so few degrees of freedom; the rest is normal

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """The two-sided interval; unbounded where the error is unknown."""
        if math.isnan(self.error):
            return -math.inf, math.inf
        half = self._critical((1 + level) / 2) * self.error
        return self.value - half, self.value + half

    def p_at_most(self, threshold: float) -> float:
        """One-sided p of the null that the truth is at most this threshold."""
        return self._tail(threshold - self.value)

    def p_at_least(self, threshold: float) -> float:
        """One-sided p of the null that the truth is at least this threshold."""
        return self._tail(self.value - threshold)

    def estimate(self) -> Estimate:
        """With the 95 % interval, as figures and tables take it."""
        return Estimate(self.value, *self.interval(), self.n)

    def _tail(self, distance: float) -> float:
        """The chance of an estimate as far below as this; 1 where nothing is known."""
        if math.isnan(self.error) or math.isnan(distance):
            return 1.0
        if self.error == 0:
            return 0.0 if distance < 0 else 1.0
        return self._chance(distance / self.error)

    def _chance(self, errors: float) -> float:
        """Of an estimate that lies below so many standard errors."""
        from scipy import special

        return float(self.share * special.stdtr(self.freedom, errors) + (1 - self.share) * special.ndtr(errors))

    def _critical(self, quantile: float) -> float:
        """How many standard errors that chance needs: more than the normal distribution's, at most Student's t's."""
        from scipy import optimize, special

        least, most = special.ndtri(quantile), special.stdtrit(self.freedom, quantile)
        if self.share == 1 or most - least < 1e-9:
            return float(most)
        return float(optimize.brentq(lambda errors: self._chance(errors) - quantile, least, most, xtol=1e-9))


def measure(values: np.ndarray, *, transform: Transform | None = None, seed: int = 0) -> Measured:
    """The mean of `values` [images] or [seeds, images], or what a transform makes of each seed's mean."""
    table = _table(values)
    return measured(_by_seed(table, transform), _image_error(table, None, transform, seed), table.shape[1])


def measure_difference(a: np.ndarray, b: np.ndarray, *, transform: Transform | None = None, seed: int = 0) -> Measured:
    """The difference between `a` and `b`, paired by image and by seed; one without seeds stands beside each seed."""
    first, second = _table(a), _table(b)
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"paired values must be of the same images: {np.shape(a)} and {np.shape(b)}")
    first, second = np.broadcast_arrays(first, second)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a difference of infinite values is undefined")
    by_seed = _by_seed(first, transform) - _by_seed(second, transform)
    return measured(by_seed, _image_error(first, second, transform, seed), first.shape[1])


def measured(by_seed: np.ndarray, image_error: float, n: int) -> Measured:
    """From each seed's figure and the standard error that the choice of images gives to their mean."""
    seeds = len(by_seed)
    value = float(by_seed.mean())
    if not math.isfinite(value) or seeds == 1:
        return Measured(value, image_error if math.isfinite(value) else math.nan, math.inf, n, seeds)
    of_seeds = float(by_seed.var(ddof=1)) / seeds
    variance = of_seeds + image_error**2
    return Measured(value, math.sqrt(variance), seeds - 1, n, seeds, of_seeds / variance if variance > 0 else 1.0)


def _by_seed(table: np.ndarray, transform: Transform | None) -> np.ndarray:
    return (transform or _identity)(table.mean(1))


def _image_error(a: np.ndarray, b: np.ndarray | None, transform: Transform | None, seed: int) -> float:
    """The standard error over images, all seeds seeing the same ones; NaN of a single image.

    Of plain means it is known without resampling: what a bootstrap of ever more resamples tends to.
    """
    images = a.shape[1]
    if images == 1 or not np.isfinite(a).all():
        return math.nan
    if transform is None:
        return float((a if b is None else a - b).mean(0).std() / math.sqrt(images))
    shares = draws(images, seed) / np.float32(images)
    figures = transform(_weighted(shares, a)) - (0.0 if b is None else transform(_weighted(shares, b)))
    return float(figures.mean(1).std()) if np.isfinite(figures).all() else math.nan


def _weighted(shares: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Each seed's mean in each resample [resamples, seeds]; counted from the least, fp32 is exact where it matters."""
    least = table.min()
    return (least + (shares @ (table - least).T.astype(np.float32)).astype(np.float64)).clip(least, table.max())
