"""The style of every figure: its sizes, colours and markers, and how it becomes bytes."""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any, NamedTuple

import matplotlib.figure
import matplotlib.style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from autoencoders.colours import FAINT, INK, MUTED, PALETTE, PAPER, tint

WIDTH = 6.3  # inches: the text column of an A4 page. Every figure is this wide, so text has one size in print
TEXT = 8.0  # points
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
LINES = ("-", ":")  # dashed is kept for training errors
RULES = ("--", ":", "-.")  # of reference lines
HATCHES = ("", "////", "xxxx", "----", "||||", "\\\\\\\\", "++++")
COLOURS = "cividis"  # of measured values: even steps in lightness, so it reads in grey and for colour-blind eyes

RC = {
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "legend.fontsize": TEXT,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "text.color": INK,
    "text.hinting": "no_hinting",  # widths are the same at every resolution
    "text.parse_math": False,  # a dollar sign in a label is a dollar sign
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 4.0,
    "lines.markeredgewidth": 0.9,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "legend.columnspacing": 1.4,
    "image.interpolation": "none",
    "image.composite_image": False,  # each image keeps its own pixels
    "image.cmap": COLOURS,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.facecolor": PAPER,  # opaque: a dark page must not swallow dark text
    "axes.facecolor": "none",
    "figure.dpi": 300,
    "savefig.dpi": 300,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "path",  # as text, Typst and each browser would set it in whatever font they have
    "svg.hashsalt": "autoencoders",  # element ids, and with them the bytes, are the same in every run
}
UNDATED: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


@contextmanager
def styled() -> Iterator[None]:
    """Apply the style in a `with` block or as a decorator, whatever matplotlib settings a person has."""
    with matplotlib.style.context(["default", RC]):
        yield


class Figure(matplotlib.figure.Figure):
    """A figure that looks the same, and has the same bytes, wherever and whenever it is drawn."""

    def __init__(self, height: float, **options: Any) -> None:
        super().__init__(figsize=(WIDTH, height), **options)

    def savefig(self, fname: str | PathLike[str] | IO[Any], **options: Any) -> None:
        kind = f".{options['format']}" if "format" in options else Path(str(fname)).suffix
        with styled():
            super().savefig(fname, **{"metadata": UNDATED.get(kind), **options})

    def _repr_svg_(self) -> str:
        buffer = io.StringIO()
        self.savefig(buffer, format="svg")
        return buffer.getvalue()


class Look(NamedTuple):
    """What tells one series from the others: colour for most, marker and line for all."""

    color: str
    marker: str
    linestyle: Any  # matplotlib's own type spells out every line style


def looks(labels: Collection[str]) -> dict[str, Look]:
    """One look a label."""
    most = len(MARKERS) * len(LINES)
    if len(labels) > most:
        raise ValueError(f"{len(labels)} series can't be told apart in one figure; {most} can")
    tens = len(MARKERS)
    return {name: Look(PALETTE[i % tens], MARKERS[i % tens], LINES[i // tens]) for i, name in enumerate(labels)}


def fills(labels: Collection[str]) -> dict[str, dict[str, Any]]:
    """One tint and one hatch a label, for areas."""
    if len(labels) > len(HATCHES):
        raise ValueError(f"{len(labels)} kinds can't be told apart in one figure; {len(HATCHES)} can")
    return {
        name: {"facecolor": tint(colour), "edgecolor": colour, "hatch": hatch, "linewidth": 0.8}
        for name, colour, hatch in zip(labels, PALETTE, HATCHES, strict=False)
    }


def rules(lines: Mapping[str, float] | None) -> list[tuple[str, float, dict[str, Any]]]:
    """The name, the value and the look of each reference line."""
    known = lines or {}
    if len(known) > len(RULES):
        raise ValueError(f"{len(known)} reference lines can't be told apart; {len(RULES)} can")
    return [
        (name, value, {"color": INK, "linestyle": style, "linewidth": 0.9, "zorder": 0.9})
        for (name, value), style in zip(known.items(), RULES, strict=False)
    ]


def some(things: Collection[Any], what: str) -> None:
    """Refuse to draw an empty figure."""
    if len(things) == 0:
        raise ValueError(f"there is nothing to draw: no {what}")


# ── Text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def text_width(text: str) -> float:
    """Inches that the longest line of a text takes."""
    font = FontProperties(family="DejaVu Sans", size=TEXT)
    lines = [line for line in text.splitlines() if line.strip()]
    return max((text_to_path.get_text_width_height_descent(line, font, False)[0] / 72 for line in lines), default=0.0)


def wrapped(text: str, inches: float) -> str:
    """The text on as many lines as it needs; a word is never broken, nor what a hard space joins."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and text_width(f"{lines[-1]} {word}") <= inches:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines)


def fitted(texts: Sequence[str], inches: float) -> float:
    """The usual text size, or the smaller one at which the longest of these texts still fits."""
    widest = max((text_width(text) for text in texts), default=0.0)
    return TEXT if widest <= inches else TEXT * inches / widest


def decimals(values: Any) -> int:
    """Decimals that give the largest of some finite values three digits."""
    largest = max((abs(float(v)) for v in values if math.isfinite(v)), default=0.0)
    return max(0, 2 - math.floor(math.log10(largest))) if largest > 0 else 0


# ── Parts that figures share ─────────────────────────────────────────────────────────────────────────────────────────


def panel_axes(figure: Figure, count: int, columns: int, **options: Any) -> list[Axes]:
    """Axes in reading order, and no empty ones."""
    grid = figure.subplots(math.ceil(count / columns), columns, squeeze=False, **options).ravel()
    for unused in grid[count:]:
        unused.remove()
    return list(grid[:count])


def legend(figure: Figure, handles: Sequence[Artist]) -> int:
    """Put one legend above the panels, on as few lines of like length as the width allows; return how many."""
    widest = max(text_width(str(handle.get_label())) for handle in handles) + 0.55
    lines = math.ceil(len(handles) / max(1, int(WIDTH / widest)))
    figure.legend(handles=handles, loc="outside upper center", ncols=math.ceil(len(handles) / lines))
    return lines


def line_handle(label: str, look: Look, **options: Any) -> Line2D:
    return Line2D([], [], label=label, color=look.color, marker=look.marker, linestyle=look.linestyle, **options)
