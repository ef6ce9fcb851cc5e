"""How sure a figure is: percentile bootstrap over images, and over seeds where there are several."""

from __future__ import annotations

import functools
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
    """The mean of `values` [images] or [seeds, images] with its interval; infinite values of one sign are allowed."""
    table = _table(values)
    figure = transform or _identity
    return _estimate(figure(_means(table)), figure(_resampled_means(table, seed)), table.shape)


def paired_difference(a: np.ndarray, b: np.ndarray, *, transform: Transform | None = None, seed: int = 0) -> Estimate:
    """The difference of the means of `a` and `b`, resampling the same images and the same seeds on both sides.

    Each is [images] or [seeds, images]; one without seeds (a baseline) stands beside each seed of the other.
    """
    first, second = _table(a), _table(b)
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"paired values must be of the same images: {np.shape(a)} and {np.shape(b)}")
    first, second = np.broadcast_arrays(first, second)
    figure = transform or _identity
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a difference of infinite values is undefined")
    difference = figure(_means(first)) - figure(_means(second))
    resampled = figure(_resampled_means(first, seed)) - figure(_resampled_means(second, seed))
    return _estimate(difference, resampled, first.shape)


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


def _resampled_means(table: np.ndarray, seed: int) -> np.ndarray:
    """Seeds and images are drawn independently (they are crossed: all seeds see the same images)."""
    seeds, images = table.shape
    share_of_seeds = _draws(seeds, seed + 1) / np.float32(seeds)
    share_of_images = _draws(images, seed) / np.float32(images)

    def weigh(values: np.ndarray) -> np.ndarray:
        return np.einsum("rs,rs->r", share_of_seeds, share_of_images @ values.T.astype(np.float32))

    finite = np.isfinite(table)
    least = table[finite].min() if finite.any() else 0.0  # counted from it, fp32 is exact where it matters
    means = least + weigh(np.where(finite, table - least, 0.0)).astype(np.float64)
    if not finite.all():
        means[weigh(~finite) > 0] = table[~finite][0]
    return np.clip(means, table.min(), table.max())  # rounding must not make an error negative


@functools.lru_cache(maxsize=4)
def _draws(n: int, seed: int) -> np.ndarray:
    """How often each of n items is drawn in each resample [RESAMPLES, n]; one draw serves all figures of a data set."""
    rng = np.random.default_rng(seed)
    draws = np.empty((RESAMPLES, n), np.float32)
    for row in draws:
        row[:] = np.bincount(rng.integers(n, size=n), minlength=n)
    return draws


def _estimate(value: np.ndarray, resampled: np.ndarray, shape: tuple[int, ...]) -> Estimate:
    """Percentiles by rank, never by interpolation: between two infinities there is only NaN."""
    if np.isnan(value).any() or np.isnan(resampled).any():
        raise ValueError("the figure is undefined (NaN) for these values")
    if max(shape) == 1:
        return Estimate(float(value[0]), -np.inf, np.inf, 1)
    ordered = np.sort(resampled)
    tail = int(len(ordered) * (1 - LEVEL) / 2)
    return Estimate(float(value[0]), float(ordered[tail - 1]), float(ordered[-tail]), shape[1])
