"""Values with or without their intervals, as figures take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoencoders.figures.style import some

Series = Sequence[Any] | np.ndarray  # values, or (value, lo, hi): estimates, say, of which the first three are taken


def intervals(values: Series, count: int, where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`count` values and their distances to the ends of their intervals; NaN where a value isn't finite."""
    array = np.asarray(values, float)
    if array.shape == (count,):
        array = np.stack([array] * 3, axis=1)
    if array.ndim != 2 or len(array) != count or array.shape[1] < 3:
        raise ValueError(f"{where}: {count} values or (value, lo, hi), please, not {list(array.shape)}")
    value, low, high = array[:, 0], array[:, 1], array[:, 2]
    if ((low > value) | (value > high)).any():
        raise ValueError(f"{where}: a value lies outside its interval")
    return np.where(np.isfinite(value), value, np.nan), _length(value, low), _length(high, value)


def _length(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Zero where an end isn't known."""
    known = np.isfinite(high) & np.isfinite(low)
    return np.subtract(high, low, out=np.zeros(len(high)), where=known)


def series_names(panels: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """List every series of every panel once, in order; empty panels are refused."""
    some(panels, "panels")
    for panel, series in panels.items():
        some(series, f"series of {panel!r}")
    return list(dict.fromkeys(name for series in panels.values() for name in series))
