"""Architectures as the field draws them: a block for what each layer makes, as high as its map and as wide as its
channels, with kernels and strides above; one row a model, and only what differs from the first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from autoencoders.colours import MUTED
from autoencoders.figures.style import TEXT, WIDTH, Figure, fills, legend, some, styled, text_width, wrapped

TALLEST, THINNEST, LINE = 0.62, 0.03, 1.3 * TEXT / 72  # inches: the largest block, the smallest, a line of text
FILLED = 0.72  # of a slot, by the block of most channels
ABOVE = 0.16  # inches between rows


class _Stage(NamedTuple):
    """What a layer, or several alike, makes."""

    operation: str
    shape: tuple[int, ...]  # (C, H, W), tokens (T, D) or a vector (D,)
    kind: str

    @property
    def side(self) -> float:
        """Pixels, tokens or single numbers along one side."""
        return {1: 1.0, 2: math.sqrt(self.shape[0]), 3: float(self.shape[-1])}[len(self.shape)]

    @property
    def channels(self) -> int:
        return self.shape[1] if len(self.shape) == 2 else self.shape[0]

    @property
    def caption(self) -> str:
        if len(self.shape) == 2:
            return f"{self.shape[0]} tokens of {self.shape[1]}"
        return "×".join(map(str, self.shape[:1] if self.shape[1:] == (1, 1) else self.shape))


class _Row(NamedTuple):
    label: str
    stages: list[_Stage]
    first: int  # the slot of the first stage that is drawn
    until: int  # the slots after it, up to which a line says "as above"

    @property
    def height(self) -> float:
        return max(stage.side for stage in self.stages)


@styled()
def architecture(models: Mapping[str, Sequence[tuple[str, tuple[int, ...], str]]]) -> Figure:
    """Draw {model: (operation, shape, kind) from the image to the output}; layers that are alike stand as one.

    A model that shares most layers with the first one is drawn where it differs, under the first one's.
    """
    some(models, "models")
    rows = _rows({label: _merged(label, blocks) for label, blocks in models.items()})
    drawn = [stage for row in rows for stage in row.stages]
    filled = fills(list(dict.fromkeys(stage.kind for stage in drawn)))
    gutter = max(map(text_width, models)) + 0.12
    slot = (WIDTH - gutter) / max(row.until for row in rows)
    wide, high = FILLED * slot / max(s.channels for s in drawn), TALLEST / max(s.side for s in drawn)
    heads = [LINE * max(wrapped(s.operation, slot).count("\n") + 1 for s in row.stages) + 0.05 for row in rows]
    tails = [LINE * max(wrapped(s.caption, slot).count("\n") + 1 for s in row.stages) + ABOVE for row in rows]
    heights = [head + row.height * high + tail for row, head, tail in zip(rows, heads, tails, strict=True)]

    figure = Figure(sum(heights) + 0.35)
    axes = figure.subplots()
    axes.set(xlim=(0, WIDTH), ylim=(sum(heights), 0))
    axes.set_axis_off()
    top = 0.0
    for row, head, height in zip(rows, heads, heights, strict=True):
        middle = top + head + row.height * high / 2
        axes.text(0, middle, row.label, va="center")
        edges = [_shared(axes, gutter, gutter + row.first * slot, middle)] if row.first else []
        for place, stage in enumerate(row.stages, start=row.first):
            x, half = gutter + (place + 0.5) * slot, max(wide * stage.channels, THINNEST) / 2
            size = max(high * stage.side, THINNEST)
            axes.add_patch(Rectangle((x - half, middle - size / 2), 2 * half, size, **filled[stage.kind]))
            axes.text(x, top + head - 0.05, wrapped(stage.operation, slot), ha="center", va="bottom")
            below = middle + row.height * high / 2 + 0.04
            axes.text(x, below, wrapped(stage.caption, slot), ha="center", va="top")
            for edge in edges:
                _arrow(axes, edge, x - half, middle)
            edges = [x + half]
        if row.first:
            right = gutter + (row.first + len(row.stages)) * slot
            _arrow(axes, edges[0], right, middle)
            _shared(axes, right, gutter + row.until * slot, middle)
        top += height
    legend(figure, [Patch(label=kind, **fill) for kind, fill in filled.items()])
    return figure


def _merged(label: str, blocks: Sequence[tuple[str, tuple[int, ...], str]]) -> list[_Stage]:
    some(blocks, f"layers of {label}")
    stages = [_Stage(*block) for block in blocks]
    for stage in stages:
        if len(stage.shape) not in (1, 2, 3) or min(stage.shape) < 1:
            raise ValueError(f"{label}: a shape is (C, H, W), (T, D) or (D,), not {stage.shape}")
    runs = [(stage, len(list(run))) for stage, run in groupby(stages)]
    return [stage._replace(operation=f"{stage.operation} × {n}") if n > 1 else stage for stage, n in runs]


def _rows(models: Mapping[str, list[_Stage]]) -> list[_Row]:
    first = next(iter(models.values()))
    rows = []
    for label, stages in models.items():
        before = _common(first, stages)
        after = min(_common(first[::-1], stages[::-1]), min(len(first), len(stages)) - before)
        if stages is not first and 2 * (before + after) > len(stages) > before + after:
            rows.append(_Row(label, stages[before : len(stages) - after], before, len(stages)))
        else:
            rows.append(_Row(label, stages, 0, len(stages)))
    return rows


def _common(some_stages: Sequence[_Stage], others: Sequence[_Stage]) -> int:
    """With how many equal stages both begin."""
    pairs = zip(some_stages, others, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(some_stages), len(others)))


def _shared(axes: Axes, start: float, end: float, y: float) -> float:
    """A dotted line over layers that are the first model's; it ends where the next arrow begins."""
    axes.plot((start, end), (y, y), color=MUTED, linestyle=":", linewidth=0.8)
    axes.text((start + end) / 2, y - 0.04, "as above", ha="center", va="bottom", color=MUTED)
    return end


def _arrow(axes: Axes, start: float, end: float, y: float) -> None:
    look = {"arrowstyle": "->", "color": MUTED, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 1}
    axes.annotate("", (end, y), (start, y), arrowprops=look)
