"""Bars, horizontal so that names can be read, each with its value beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from autoencoders.colours import INK, PAPER
from autoencoders.figures.intervals import intervals, series_names
from autoencoders.figures.style import Figure, decimals, fills, legend, rules, styled, wrapped
from autoencoders.tables import number

PITCH, BETWEEN = 0.17, 0.5  # inches from bar to bar; bars' worth of room between rows


class _Bar(NamedTuple):
    y: float
    series: str
    value: float
    below: float
    above: float

    @property
    def end(self) -> float:
        return max(self.value + self.above, 0.0) if np.isfinite(self.value) else 0.0


@styled()
def bars(rows: Mapping[str, Mapping[str, Any]], *, xlabel: str, lines: Mapping[str, float] | None = None) -> Figure:
    """{row: {series: value or (value, lo, hi)}}, with lines for reference; NaN is an en dash without a bar."""
    names = series_names(rows)
    filled, ruled = fills(names), rules(lines)
    placed, ticks = _placed(rows)
    last = placed[-1].y
    form = f".{decimals(bar.value for bar in placed)}f"
    reach = max(*(bar.end for bar in placed), *(value for _, value, _ in ruled), 0.0)

    figure = Figure(0.8 + PITCH * (last + 1))
    axes = figure.subplots()
    for bar in placed:
        _draw(axes, bar, number(bar.value, form), 0.012 * reach, filled[bar.series])
    handles: list[Artist] = [Patch(label=name, **filled[name]) for name in names]
    handles += [axes.axvline(value, label=f"{name} {number(value, form)}", **look) for name, value, look in ruled]
    least = min([0.0, *(bar.value - bar.below for bar in placed if np.isfinite(bar.value))])
    axes.set(xlabel=xlabel, xlim=(1.12 * least, 1.12 * reach or 1), ylim=(last + 0.8, -0.8))
    axes.set_yticks(list(ticks.values()), [wrapped(row, 1.5) for row in ticks])
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    if len(handles) > 1:
        legend(figure, handles)
    return figure


def _placed(rows: Mapping[str, Mapping[str, Any]]) -> tuple[list[_Bar], dict[str, float]]:
    """Every bar with its place, and the middle of each row."""
    placed: list[_Bar] = []
    ticks = {}
    y = 0.0
    for row, series in rows.items():
        for name, content in series.items():
            value, below, above = (float(array[0]) for array in intervals([content], 1, f"{row}, {name}"))
            placed.append(_Bar(y, name, value, below, above))
            y += 1
        ticks[row] = y - (len(series) + 1) / 2
        y += BETWEEN
    return placed, ticks


def _draw(axes: Axes, bar: _Bar, text: str, gap: float, fill: dict[str, Any]) -> None:
    whiskers = {"elinewidth": 0.9, "capsize": 1.5, "ecolor": INK}
    axes.barh(bar.y, bar.value, height=0.82, xerr=[[bar.below], [bar.above]], error_kw=whiskers, **fill)
    paper = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6}
    axes.text(bar.end + gap, bar.y, text, va="center", bbox=paper)
