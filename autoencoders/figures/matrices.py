"""Matrices of values, annotated: every value can be read off, the colour only guides the eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from autoencoders.colours import PAPER
from autoencoders.figures.style import COLOURS, WIDTH, Figure, decimals, panel_axes, some, styled, text_width, wrapped
from autoencoders.tables import number

LIGHT = "#FEFEFE"  # of text on dark cells, on whatever page: paper white would turn dark with the paper
CELLS_WIDTH = 0.6 * WIDTH  # of all cells beside each other, at least; the rest is for names and bars
CELLS_ACROSS = 8  # more would leave no room for three digits each: then one matrix stands below the other


@styled()
def matrix(
    panels: Mapping[str, np.ndarray],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    xlabel: str,
    ylabel: str,
    leaders: Mapping[str, Sequence[int | None]] | None = None,
) -> Figure:
    """Draw annotated matrices [R,C] side by side, each with its own colour bar.

    `leaders` are, by matrix, the rows that a test found to be ahead of all others of each column: they are bold.
    """
    some(panels, "matrices")
    across = len(panels) if len(panels) * len(columns) <= CELLS_ACROSS else 1
    longest = max(map(text_width, columns))
    turned = longest > CELLS_WIDTH / (across * len(columns))
    figure = Figure((0.75 + 0.27 * len(rows)) * -(-len(panels) // across) + longest * turned)
    all_axes = panel_axes(figure, len(panels), across)
    for index, (axes, (title, values)) in enumerate(zip(all_axes, panels.items(), strict=True)):
        table = _table(values, len(rows), len(columns), title)
        form = f".{decimals(table.ravel())}f"
        texts = [[number(value, form) for value in row] for row in table]
        _heatmap(axes, table, texts, rows=rows, columns=columns, title=title)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        if turned:
            axes.tick_params(axis="x", rotation=90)
        if across > 1 and index > 0:
            axes.set(ylabel="", yticklabels=[])
        if across == 1 and index < len(panels) - 1:  # the last one's names are those of all
            axes.set(xlabel="", xticklabels=[])
        _embolden(axes, table, (leaders or {}).get(title, [None] * len(columns)))
    return figure


@styled()
def confusion(panels: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Draw counts [K,K] of true classes (rows) against predicted ones, as percentages of each row, on one scale."""
    some(panels, "matrices")
    across = 1 if len(panels) == 1 else 2
    height = 0.25 + (3.9 if across == 1 else 3.1) * -(-len(panels) // across)
    figure = Figure(height, layout="compressed")  # squares leave room beside them, not over and under
    all_axes = panel_axes(figure, len(panels), across)
    for index, (axes, (title, counts)) in enumerate(zip(all_axes, panels.items(), strict=True)):
        table = _table(counts, len(classes), len(classes), title)
        totals = table.sum(axis=1, keepdims=True)
        shares = np.divide(100 * table, totals, out=np.full_like(table, np.nan), where=totals > 0)
        texts = [[number(share, ".0f") for share in row] for row in shares]
        _heatmap(axes, shares, texts, rows=classes, columns=classes, span=(0, 100))
        axes.set(xlabel="predicted", ylabel="true" if index % across == 0 else "", aspect="equal")
        axes.tick_params(axis="x", rotation=90)
        if index % across:
            axes.set_yticklabels([])
        axes.set_title(wrapped(title, 2.6))
    figure.colorbar(all_axes[0].collections[0], ax=all_axes, label="share of the true class (%)", shrink=0.6, aspect=30)
    return figure


def _table(values: np.ndarray, rows: int, columns: int, title: str) -> np.ndarray:
    table = np.asarray(values, float)
    if table.shape != (rows, columns) or table.size == 0:
        raise ValueError(f"{title}: {list(table.shape)} values for {rows} rows and {columns} columns")
    return table


def _heatmap(
    axes: Axes,
    table: np.ndarray,
    texts: Sequence[Sequence[str]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str | None = None,
    span: tuple[float | None, float | None] = (None, None),
) -> None:
    """Cells as vectors, not pixels; what isn't finite has no colour but its text."""
    known = np.ma.masked_invalid(table)
    low, high = span
    edges = {"linewidths": 0.6, "linecolor": PAPER}
    labels = {"xticklabels": columns, "yticklabels": rows}
    seaborn.heatmap(
        known, mask=np.ma.getmaskarray(known), cmap=COLOURS, vmin=low, vmax=high, cbar=False, ax=axes, **edges, **labels
    )
    cells = axes.collections[0]
    light = np.ma.filled(cells.norm(known), 1.0) > 0.5
    for row, column in np.ndindex(table.shape):  # seaborn's own annotations are white on cells of middling lightness
        ink = "black" if light[row, column] else LIGHT
        axes.text(column + 0.5, row + 0.5, texts[row][column], ha="center", va="center", color=ink)
    axes.tick_params(length=0, rotation=0)
    if title is not None:
        axes.set_title(wrapped(title, 2.4))
        ticks = MaxNLocator(4)  # as many whatever the size: the layout has measured their labels by then
        bar = axes.figure.colorbar(cells, ax=axes, aspect=25, pad=0.02, ticks=ticks)
        bar.outline.set_visible(False)


def _embolden(axes: Axes, table: np.ndarray, leaders: Sequence[int | None]) -> None:
    texts = np.array(axes.texts).reshape(table.shape)
    for cells, leader in zip(texts.T, leaders, strict=True):
        if leader is not None:
            cells[leader].set_weight("bold")
