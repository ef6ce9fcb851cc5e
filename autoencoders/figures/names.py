"""Names beside points, where neither other names nor points are in the way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from autoencoders.colours import INK, MUTED
from autoencoders.figures.style import TEXT, text_width

NEAR, STEP, FARTHEST = 6.0, 5.0, 8  # points from a marker to its name; from one try to the next, and how many of these
DIRECTIONS = [(1, 0), (0, 1), (-1, 0), (0, -1), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7)]
CROWDED = 0.06  # of the ranges of all points
MARKER = 4.0  # points from a marker's middle that are kept free of names
LINE = 1.2 * TEXT  # a name's height
LEADER: dict[str, Any] = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3}

Named = tuple[str, tuple[float, float]]  # a name, and the place of its point
Box = tuple[float, float, float, float]  # left, bottom, right and top, in points


def crowd(named: Sequence[Named]) -> list[Named]:
    """The most points of which each is too near to another for their markers to be told apart; none where all can."""
    if not named:
        return []
    places = np.array([place for _, place in named])
    places = (places - places.min(0)) / np.maximum(np.ptp(places, axis=0), np.finfo(float).tiny)
    near = np.linalg.norm(places[:, None] - places[None], axis=2) < CROWDED
    for _ in named:
        near = near @ near  # neighbours of neighbours belong to the same crowd
    most = near[near.sum(1).argmax()]
    return [point for point, belongs in zip(named, most, strict=True) if belongs] if most.sum() > 1 else []


def place_names(axes: Axes, named: Sequence[Named]) -> None:
    """Write each name as near to its place as it has room; a thin line leads to one that had to go farther.

    The figure has been laid out before, and all else is drawn.
    """
    scale = 72 / axes.figure.dpi
    left, bottom, right, top = (axes.transAxes.transform([(0, 0), (1, 1)]) * scale).ravel()
    frame = (float(left), float(bottom), float(right), float(top))
    taken = [box for line in axes.lines for box in _boxes(line, scale) if _overlap(box, frame)]
    for name, place in named:
        x, y = axes.transData.transform(place) * scale
        away, offset, box = _free(name, x, y, taken, frame)
        taken.append(box)
        leader = LEADER if away else None
        text = axes.annotate(name, place, offset, textcoords="offset points", arrowprops=leader)
        text.set(color=INK, ha="center", va="center", in_layout=False)


def _boxes(line: Line2D, scale: float) -> Iterator[Box]:
    """What a line and its markers cover."""
    points = line.get_transform().transform(line.get_xydata()) * scale
    points = points[np.isfinite(points).all(axis=1)]
    if line.get_marker() not in (None, "None", ""):
        yield from (_around(x, y, 0.0, 0.0, MARKER) for x, y in points)
    for a, b in itertools.pairwise(points if line.get_linestyle() != "None" else []):
        yield from (_around(x, y, 0.0, 0.0, 1.0) for x, y in np.linspace(a, b, 2 + int(np.hypot(*(b - a)) / 2)))


def _free(name: str, x: float, y: float, taken: Sequence[Box], frame: Box) -> tuple[int, tuple[float, float], Box]:
    """How many steps away, by what offset, and in what box a name stands: the first that is free, or the first."""
    width = 72 * text_width(name)
    tries = []
    for away, (right, up) in itertools.product(range(FARTHEST), DIRECTIONS):
        distance = NEAR + STEP * away
        offset = (right * (distance + width / 2), up * (distance + LINE / 2))
        box = _around(x + offset[0], y + offset[1], width, LINE, 0.5)
        tries.append((away, offset, box))
        if _within(box, frame) and not any(_overlap(box, other) for other in taken):
            return tries[-1]
    return tries[0]


def _around(x: float, y: float, width: float, height: float, room: float) -> Box:
    return (x - width / 2 - room, y - height / 2 - room, x + width / 2 + room, y + height / 2 + room)


def _within(box: Box, frame: Box) -> bool:
    return frame[0] <= box[0] and frame[1] <= box[1] and box[2] <= frame[2] and box[3] <= frame[3]


def _overlap(a: Box, b: Box) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])
