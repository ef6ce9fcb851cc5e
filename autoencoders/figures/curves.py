"""Numbers against numbers: learning curves, levels, trade-offs, ROC curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, Formatter, Locator, LogLocator, MaxNLocator, NullFormatter, NullLocator

from autoencoders.colours import INK, MUTED, PAPER
from autoencoders.figures.intervals import Series, intervals, series_names
from autoencoders.figures.names import Named, crowd, place_names
from autoencoders.figures.style import (
    MARKERS,
    Figure,
    legend,
    line_handle,
    looks,
    panel_axes,
    rules,
    some,
    styled,
    wrapped,
)
from autoencoders.tables import number

HEIGHT = 2.4  # inches, of a row of panels with a legend of one line
LINE = 0.18  # inches, of a legend
TRADEOFF = 2.9  # inches: names beside points need room
PER_ROW = 2  # panels side by side
SPLITS = {"train": "training", "validation": "validation"}

Panels = Mapping[str, Mapping[str, Series]]  # by y label, then by the series' label


@styled()
def curves(
    panels: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]], *, xlabel: str = "epochs", log: bool = False
) -> Figure:
    """Draw errors against epochs, a panel for each y label.

    A history is {"train": [...], "validation": [...], "epoch": [...]}; without "epoch", there is a value for each.
    A model has its colour and marker; training is dashed with hollow markers, validation solid with filled ones.
    """
    names = series_names(panels)
    if len(names) > len(MARKERS):
        raise ValueError(f"{len(names)} models can't be told apart in one figure; {len(MARKERS)} can")
    shown = looks(names)
    figure = _figure(panels)
    for axes, ylabel, models in _panels(figure, panels):
        first, longest = np.inf, 0.0
        for model, history in models.items():
            look = shown[model]
            for split in (part for part in SPLITS if part in history):
                errors = history[split]
                some(errors, f"epochs of {ylabel}, {model}")
                epochs = history.get("epoch", range(1, len(errors) + 1))
                every = max(1, len(errors) // 6)
                marked = (names.index(model) * every // len(MARKERS), every)
                style = {"marker": look.marker, "markevery": marked, **_split_look(split, look.color)}
                axes.plot(np.asarray(epochs, float), errors, **style)
                longest = max(longest, epochs[-1])
                first = min(first, epochs[0])
        axes.set(xlabel=xlabel, ylabel=wrapped(ylabel, 0.7 * HEIGHT))
        axes.set_xlim(*(0, 2) if longest == first else (first - 0.03 * longest, 1.03 * longest))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
        if log:
            _log(axes, "y")
    splits = {split for models in panels.values() for history in models.values() for split in history}
    handles = [line_handle(name, shown[name]._replace(linestyle="none")) for name in names]
    handles += [Line2D([], [], label=SPLITS[s], marker="o", **_split_look(s, INK)) for s in SPLITS if s in splits]
    _legend(figure, handles)
    return figure


@styled()
def levels(
    x: Sequence[float],
    panels: Panels,
    *,
    xlabel: str,
    marks: Mapping[str, float] | None = None,
    lines: Mapping[str, float] | None = None,
    log: Literal["", "x", "y"] = "",
    alike: bool = False,
) -> Figure:
    """Draw values against a level, with error bars where there are intervals, a panel for each y label.

    A ring of the series' colour marks the level of `marks` on it; what is not finite is left out; `lines` are values
    without a level; `log` names the logarithmic axis; if `alike`, all panels have one range of values.
    """
    some(x, "levels")
    names = series_names(panels)
    shown = looks(names)
    where = np.asarray(x, float)
    bars: dict[str, Any] = {"capsize": 2, "elinewidth": 0.8, "markevery": 1 if len(where) < 30 else len(where) // 8}
    figure = _figure(panels)
    for axes, ylabel, series in _panels(figure, panels):
        for name, values in series.items():
            middle, below, above = intervals(values, len(where), f"{ylabel}, {name}")
            known = (below, above) if below.any() or above.any() else None
            axes.errorbar(where, middle, yerr=known, **bars, **shown[name]._asdict())
            ringed = np.isclose(where, (marks or {}).get(name, np.nan))
            axes.plot(where[ringed], middle[ringed], **RING | {"color": shown[name].color})
        ruled = [axes.axhline(value, label=name, **look) for name, value, look in rules(lines)]
        axes.set(xlabel=xlabel, ylabel=wrapped(ylabel, 0.7 * HEIGHT))
        if log:
            _log(axes, log, at=where if log == "x" else None)
        elif len(where) <= 10 and (where == where.round()).all():
            axes.set_xticks(where)  # a count has no halves
    if alike:
        ends = np.array([axes.get_ylim() for axes in figure.axes])
        for axes in figure.axes:
            axes.set_ylim(ends.min(), ends.max())
    handles = [line_handle(name, shown[name]) for name in names]
    if marks:
        handles.append(Line2D([], [], label="trained at this level", color=INK, **RING))
    _legend(figure, [*handles, *ruled])
    return figure


@styled()
def tradeoff(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    xlabel: str,
    ylabel: str,
    lines: Mapping[str, float] | None = None,
    log: bool = True,
    names: Mapping[str, Sequence[str]] | None = None,
) -> Figure:
    """Draw one measure against another, {label: (x values, y values)}, each series joined; `log`: x is logarithmic.

    `lines` are values of y that come without an x. `names` are what stands beside the points of a series; where such
    points are crowded, that part is drawn a second time, beside the whole, and they have their names there.
    """
    some(series, "series")
    shown = looks(series)
    figure = Figure(TRADEOFF)
    points = _named(series, names or {})
    together = crowd(points)
    ratios = (5, 3) if together else (1,)
    whole, *parts = figure.subplots(1, len(ratios), squeeze=False, width_ratios=ratios)[0]
    for axes in (whole, *parts):
        for name, (x, y) in series.items():
            some(x, f"points of {name}")
            axes.plot(x, y, **shown[name]._asdict() | {"markeredgecolor": PAPER, "markersize": 6.0})
        ruled = [axes.axhline(value, label=name, **look) for name, value, look in rules(lines)]
        axes.set(xlabel=xlabel)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6))  # whatever room the legend leaves
        if log:
            _log(axes, "x")
    whole.set_ylabel(wrapped(ylabel, 0.7 * TRADEOFF))
    legend(figure, [*(line_handle(name, shown[name]) for name in series), *ruled])
    if points:
        _name(figure, points, together)
    return figure


def _name(figure: Figure, points: Sequence[Named], together: Sequence[Named]) -> None:
    """Write names in the first axes, and those of a crowd in the second."""
    whole, *parts = figure.axes
    for part in parts:
        _enlarge(whole, part, np.array([place for _, place in together]))
    figure.draw_without_rendering()  # where names have room is known once all else has its place
    for axes in figure.axes:
        place_names(axes, [point for point in points if (point in together) == (axes in parts)])


def _named(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], names: Mapping[str, Sequence[str]]
) -> list[Named]:
    """The name and the place of each point that has a name."""
    return [
        (name, (float(x), float(y)))
        for label, each in names.items()
        for name, x, y in zip(each, *series[label], strict=True)
    ]


def _enlarge(whole: Axes, part: Axes, points: np.ndarray) -> None:
    """Bring the second axes to the surroundings of some points, and frame these in the first."""
    low, high = points.min(0), points.max(0)
    room = np.maximum(0.3 * (high - low), 0.01 * np.abs(high))
    (left, bottom), (right, top) = low - room, high + room
    part.set(xlim=(left, right), ylim=(bottom, top))
    part.xaxis.set_major_locator(MaxNLocator(nbins=4))
    part.spines[["top", "right"]].set_visible(True)
    frame = Rectangle((left, bottom), right - left, top - bottom, fill=False, edgecolor=MUTED, linewidth=0.6)
    whole.add_patch(frame)
    part.set_title("the frame, enlarged")


@styled()
def roc(rates: Mapping[str, tuple[Sequence[float], Sequence[float], float]]) -> Figure:
    """Draw ROC curves from (false positive rates, true positive rates, AUC), and the diagonal of a coin."""
    some(rates, "ROC curves")
    shown = looks(rates)
    figure = Figure(3.3)
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color=MUTED, linestyle="--", linewidth=0.8)
    handles = []
    for index, (name, (false, true, area)) in enumerate(rates.items()):
        marked = np.interp(np.linspace(0, 1, 7)[1:-1] + 0.01 * index, false, np.arange(len(false))).astype(int)
        axes.plot(false, true, markevery=sorted(set(marked.tolist())), **shown[name]._asdict())
        handles.append(line_handle(f"{name} (AUC {number(area, '.3f')})", shown[name]))
    axes.set(
        xlabel="false positive rate",
        ylabel="true positive rate",
        aspect="equal",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
    )
    chance = Line2D([], [], color=MUTED, linestyle="--", linewidth=0.8, label="chance")
    figure.legend(handles=[*handles, chance], loc="outside right center")
    return figure


# ── Parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────

RING: dict[str, Any] = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "linestyle": "none"}


def _figure(panels: Mapping[str, Any]) -> Figure:
    return Figure(HEIGHT * -(-len(panels) // PER_ROW))


def _legend(figure: Figure, handles: Sequence[Artist]) -> None:
    """Above the panels, which stay as high however many lines it takes."""
    figure.set_figheight(figure.get_figheight() + LINE * (legend(figure, handles) - 1))


def _panels(figure: Figure, panels: Mapping[str, Any]) -> Iterator[tuple[Axes, str, Any]]:
    all_axes = panel_axes(figure, len(panels), min(len(panels), PER_ROW))
    return zip(all_axes, panels.keys(), panels.values(), strict=True)


def _split_look(split: str, colour: str) -> dict[str, Any]:
    training = split == "train"
    return {"color": colour, "linestyle": "--" if training else "-", "markerfacecolor": PAPER if training else colour}


class _Plain(Formatter):
    """0.01 or 384 as they are; 10⁻⁵ on all of an axis where zeros would have to be counted at one of its ticks."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        if not all(1e-3 <= value < 1e5 for value in values):
            return [_power(value) for value in values]
        plain = [f"{value:.6g}" for value in values]
        if max(values, default=1) >= 10 * min(values, default=1):
            return plain
        decimals = max(len(text.partition(".")[2]) for text in plain)
        return [f"{value:.{decimals}f}" for value in values]


def _power(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    power = "10" + str(int(exponent)).translate(SUPERSCRIPT)
    return power if float(mantissa) == 1 else f"{float(mantissa):g}·{power}"


SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _log(axes: Axes, which: str, at: np.ndarray | None = None) -> None:
    """A log scale with plain numbers: 0.01, not a power of ten in a maths font."""
    (axes.set_xscale if which == "x" else axes.set_yscale)("log", nonpositive="mask")
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    axis.set_major_locator(_log_ticks(low, high) if at is None else FixedLocator(sorted(set(at.tolist()))))
    axis.set_major_formatter(_Plain())
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _log_ticks(low: float, high: float) -> Locator:
    """Even steps where the ends are near to each other: of the usual ones, hardly any would lie between them."""
    if high < 5 * low:
        return MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10])
    return LogLocator(subs=(1, 2, 3, 5) if high < 50 * low else (1,), numticks=8)
