"""Dots: one row a name, sorted, with intervals; the axis need not begin at zero, and lines stand for reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.artist import Artist

from autoencoders.colours import PAPER
from autoencoders.figures.intervals import intervals, series_names
from autoencoders.figures.style import Figure, legend, line_handle, looks, rules, styled, wrapped
from autoencoders.tables import number

PITCH = 0.2  # inches from row to row
BESIDE: dict[str, Any] = {  # where a row's value stands
    "xycoords": ("axes fraction", "data"),
    "textcoords": "offset points",
    "va": "center",
    "annotation_clip": False,
}


@styled()
def dots(rows: Mapping[str, Mapping[str, Any]], *, xlabel: str, lines: Mapping[str, float] | None = None) -> Figure:
    """Draw {row: {series: value or (value, lo, hi)}}, the greatest of the first series on top.

    Where there is but one series, each row's value is printed at its end.
    """
    names = series_names(rows)
    shown = {name: look._replace(linestyle="none") for name, look in looks(names).items()}
    found = {
        (row, name): tuple(float(part[0]) for part in intervals([content], 1, f"{row}, {name}"))
        for row, series in rows.items()
        for name, content in series.items()
    }
    ordered = sorted(rows, key=lambda row: -found[row, next(iter(rows[row]))][0])
    figure = Figure(0.85 + PITCH * len(ordered))
    axes = figure.subplots()
    ruled: list[Artist] = [
        axes.axvline(value, label=f"{name} {number(value, '.3f')}", **look) for name, value, look in rules(lines)
    ]
    for y, row in enumerate(ordered):
        for name in rows[row]:
            value, below, above = found[row, name]
            look = shown[name]._asdict() | {"markersize": 6, "markeredgecolor": PAPER}
            axes.errorbar(value, y, xerr=[[below], [above]], capsize=2, elinewidth=0.9, **look)
            if len(names) == 1:
                axes.annotate(number(value, ".3f"), (1, y), (5, 0), **BESIDE)
    axes.set(xlabel=xlabel, ylim=(len(ordered) - 0.4, -0.6))
    axes.margins(x=0.05)
    axes.set_yticks(range(len(ordered)), [wrapped(row, 2.4) for row in ordered])
    axes.tick_params(axis="y", length=0)
    handles = [line_handle(name, look) for name, look in shown.items()] if len(names) > 1 else []
    if handles or ruled:
        legend(figure, [*handles, *ruled])
    return figure
