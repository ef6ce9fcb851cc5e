"""Architectures as drawings: what flows through a model, stage by stage, with each stage's shape, to scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from autoencoders.figures.style import (
    MUTED,
    TEXT,
    WIDTH,
    Figure,
    fills,
    legend,
    some,
    styled,
    text_width,
    wrapped,
)

TALLEST, LINE, ROOM = 1.0, 1.3 * TEXT / 72, 0.12  # inches: the largest stage, a line of text, between two labels


class _Stage(NamedTuple):
    """One stage: its name, the shape that leaves it and what made it."""

    name: str
    shape: tuple[int, ...]  # (C, H, W), tokens (T, D) or a vector (D,)
    kind: str

    @property
    def side(self) -> float:
        """Pixels, tokens or single numbers along one side."""
        return {1: 1.0, 2: math.sqrt(self.shape[0]), 3: float(self.shape[-1])}[len(self.shape)]

    @property
    def channels(self) -> int:
        return self.shape[0] if len(self.shape) != 2 else self.shape[1]

    @property
    def caption(self) -> str:
        """How many channels, and below it of what."""
        spatial = {1: "", 2: f"{self.shape[0]} tokens", 3: "×".join(map(str, self.shape[1:]))}[len(self.shape)]
        return f"{self.channels}\n{spatial}"


@styled()
def architecture(blocks: Sequence[tuple[str, tuple[int, ...], str]]) -> Figure:
    """(name, shape, kind) from input to output: heights are in proportion to the side, widths to log channels."""
    some(blocks, "blocks")
    stages = [_Stage(*block) for block in blocks]
    for stage in stages:
        if len(stage.shape) not in (1, 2, 3) or min(stage.shape) < 1:
            raise ValueError(f"{stage.name}: a shape is (C, H, W), (T, D) or (D,), not {stage.shape}")
    filled = fills(list(dict.fromkeys(stage.kind for stage in stages)))
    words = [word for stage in stages for word in (*stage.name.split(), *stage.caption.splitlines())]
    most = max(1, int(WIDTH / (max(map(text_width, words)) + ROOM)))
    lines = math.ceil(len(stages) / most)
    per_line = math.ceil(len(stages) / lines)
    slot = WIDTH / per_line
    names = [wrapped(stage.name, slot - 0.06) for stage in stages]
    head = LINE * (1 + max(name.count("\n") for name in names)) + 0.06
    pitch = head + TALLEST + 2 * LINE + 0.2

    figure = Figure(lines * pitch + 0.35)
    axes = figure.subplots()
    axes.set(xlim=(0, WIDTH), ylim=(lines * pitch, 0))
    axes.set_axis_off()
    boxes = _boxes(stages, 0.62 * slot)
    for index, (stage, name, (width, height)) in enumerate(zip(stages, names, boxes, strict=True)):
        x, top = (index % per_line + 0.5) * slot, index // per_line * pitch + head
        middle = top + TALLEST / 2
        axes.add_patch(Rectangle((x - width / 2, middle - height / 2), width, height, **filled[stage.kind]))
        axes.text(x, top - 0.06, name, ha="center", va="bottom")
        axes.text(x, top + TALLEST + 0.04, stage.caption, ha="center", va="top")
        if index + 1 < len(stages) and (index + 1) % per_line:
            _arrow(axes, x + width / 2, x + slot - boxes[index + 1][0] / 2, middle)
    legend(figure, [Patch(label=kind, **fill) for kind, fill in filled.items()])
    return figure


def _boxes(stages: Sequence[_Stage], widest: float) -> list[tuple[float, float]]:
    """Width and height of each stage in inches."""
    side = max(stage.side for stage in stages)
    channels = max(math.log2(1 + stage.channels) for stage in stages)
    return [
        (widest * math.log2(1 + stage.channels) / channels, max(TALLEST * stage.side / side, 0.05)) for stage in stages
    ]


def _arrow(axes: Axes, start: float, end: float, y: float) -> None:
    axes.annotate(
        "",
        (end, y),
        (start, y),
        arrowprops={"arrowstyle": "->", "color": MUTED, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 1},
    )
