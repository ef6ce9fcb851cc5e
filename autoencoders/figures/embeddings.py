"""Latent spaces in two or three coordinates: classes have a colour and a marker, which stay distinct in grey."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, IdentityTransform

from autoencoders.figures.style import (
    INK,
    MARKERS,
    MUTED,
    PALETTE,
    Figure,
    legend,
    panel_axes,
    some,
    styled,
    text_width,
    tint,
    wrapped,
)

RASTER_ABOVE = 10_000  # points in a figure: beyond this the points (never the text) are pixels, or a page takes seconds
TURNS = 8  # in which a class's points are drawn
Cloud = tuple[np.ndarray, np.ndarray]  # coordinates [N,2] or [N,3], labels [N]


@styled()
def embeddings(panels: Mapping[str, Cloud], classes: Sequence[str]) -> Figure:
    """Draw a panel of points for each title."""
    figure, all_axes = _panels(panels, classes)
    total = sum(len(coordinates) for coordinates, _ in panels.values())
    for axes, (title, (coordinates, labels)) in zip(all_axes, panels.items(), strict=True):
        points, kinds = _checked(coordinates, labels, classes, 2, title)
        _scatter(axes, points, kinds, rasterized=total > RASTER_ABOVE)
        _bare(axes, title, points)
    legend(figure, _class_handles(told_apart(classes)))
    return figure


@styled()
def shifts(panels: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], classes: Sequence[str]) -> Figure:
    """Draw where noise moves each point, {title: (clean [N,2], noisy [N,2], labels)}: hollow, a line, filled."""
    figure, all_axes = _panels(panels, classes)
    for axes, (title, (first, second, labels)) in zip(all_axes, panels.items(), strict=True):
        start, kinds = _checked(first, labels, classes, 2, title)
        end, _ = _checked(second, labels, classes, 2, title)
        axes.add_collection(
            LineCollection(list(np.stack([start, end], axis=1)), colors=MUTED, linewidths=0.4, zorder=1)
        )
        _scatter(axes, start, kinds, hollow=True, size=14)
        _scatter(axes, end, kinds, size=14)
        _bare(axes, title, np.concatenate([start, end]))
    ends = [
        Line2D([], [], label=text, color=INK, marker="o", linestyle="none", markerfacecolor=face)
        for text, face in (("clean", "white"), ("noisy", INK))
    ]
    legend(figure, [*_class_handles(told_apart(classes)), *ends])
    return figure


@styled()
def embeddings_3d(panels: Mapping[str, Cloud], classes: Sequence[str]) -> Figure:
    """Draw the printed twin of an interactive view: three coordinates from one fixed side."""
    figure, all_axes = _panels(panels, classes, subplot_kw={"projection": "3d", "computed_zorder": False})
    for axes, (title, (coordinates, labels)) in zip(all_axes, panels.items(), strict=True):
        points, kinds = _checked(coordinates, labels, classes, 3, title)
        for kind in range(len(told_apart(classes))):
            style: dict[str, Any] = {
                "marker": MARKERS[kind],
                "color": PALETTE[kind],
                "linewidths": 0,
                "s": 8,
                "rasterized": True,
            }
            axes.scatter(*points[kinds == kind].T, **style)
        axes.set_title(wrapped(title, _width(axes)), pad=-10)
        axes.set(xticklabels=[], yticklabels=[], zticklabels=[])
        axes.tick_params(length=0)
        axes.set_box_aspect(None, zoom=1.05)  # type: ignore[call-arg]
    legend(figure, _class_handles(told_apart(classes)))
    return figure


@styled()
def decision_regions(panels: Mapping[str, Mapping[str, np.ndarray]], classes: Sequence[str]) -> Figure:
    """Draw the regions of a classifier in a plane, named where there is room, under the points it is judged by.

    A panel holds `points` [N,2] with their `labels` [N], and a grid: `x` [W], `y` [H], `response` [H,W] in classes.
    """
    figure, all_axes = _panels(panels, classes)
    shown = told_apart(classes)
    tints = ListedColormap([tint(PALETTE[kind], 0.38) for kind in range(len(shown))])
    for axes, (title, panel) in zip(all_axes, panels.items(), strict=True):
        points, kinds = _checked(panel["points"], panel["labels"], classes, 2, title)
        x, y, predicted = panel["x"], panel["y"], np.minimum(panel["response"], len(shown) - 1)
        grid = axes.pcolormesh(x, y, predicted, cmap=tints, vmin=-0.5, vmax=len(shown) - 0.5, shading="nearest")
        grid.set(rasterized=True, zorder=0)  # one picture instead of a path for each node
        for kind in np.unique(predicted):
            axes.contour(x, y, predicted == kind, levels=(0.5,), colors="white", linewidths=0.8, zorder=1)
        inside = (points >= (x[0], y[0])).all(axis=1) & (points <= (x[-1], y[-1])).all(axis=1)
        _scatter(axes, points[inside], kinds[inside], size=7)
        _bare(axes, title, np.array([(x[0], y[0]), (x[-1], y[-1])]), margin=0.0)
        _name_regions(axes, x, y, predicted, shown)
    legend(figure, _class_handles(told_apart(classes)))
    return figure


def told_apart(classes: Sequence[str]) -> list[str]:
    """What a legend names: all classes, or of more than there are markers the first ones, and the others as one."""
    if len(classes) <= len(MARKERS):
        return list(classes)
    return [*classes[: len(MARKERS) - 1], f"{len(classes) - len(MARKERS) + 1} others"]


# ── Parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _panels(panels: Mapping[str, Any], classes: Sequence[str], **options: Any) -> tuple[Figure, list[Axes]]:
    some(panels, "panels")
    some(classes, "classes")
    columns = {1: 1, 2: 2, 4: 2}.get(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure = Figure(0.45 + rows * {1: 4.2, 2: 3.3, 3: 2.3}[columns])
    return figure, panel_axes(figure, len(panels), columns, **options)


def _checked(
    coordinates: np.ndarray, labels: np.ndarray, classes: Sequence[str], dimensions: int, title: str
) -> tuple[np.ndarray, np.ndarray]:
    points, kinds = np.asarray(coordinates, float), np.asarray(labels)
    if points.ndim != 2 or points.shape[1] != dimensions or len(points) == 0:
        raise ValueError(f"{title}: coordinates must be [N,{dimensions}], not {list(points.shape)}")
    if kinds.shape != (len(points),):
        raise ValueError(f"{title}: {len(points)} points but labels of shape {list(kinds.shape)}")
    if not np.isfinite(points).all():
        raise ValueError(f"{title}: coordinates must be finite")
    if kinds.dtype.kind not in "iu" or kinds.min() < 0 or kinds.max() >= len(classes):
        raise ValueError(f"{title}: labels must be integers from 0 to {len(classes) - 1}")
    return points, np.minimum(kinds, len(MARKERS) - 1)


def _scatter(
    axes: Axes,
    points: np.ndarray,
    kinds: np.ndarray,
    *,
    size: float = 9,
    hollow: bool = False,
    rasterized: bool = False,
) -> None:
    """A few points of each class in turn: drawn class by class, the last class would hide the others."""
    outlines = [_outline(marker) for marker in MARKERS]
    for turn, kind in itertools.product(range(TURNS), np.unique(kinds)):
        cloud = PathCollection(
            [outlines[kind]],
            sizes=[size],
            offsets=points[kinds == kind][turn::TURNS],
            offset_transform=axes.transData,
            transform=IdentityTransform(),
            facecolors="white" if hollow else PALETTE[kind],
            edgecolors=PALETTE[kind] if hollow else "white",
            linewidths=0.7 if hollow else 0.25,
            rasterized=rasterized,
            zorder=2,
        )
        axes.add_collection(cloud)


def _outline(marker: str) -> Path:
    """A marker's path; those that cover less of their square are a little larger, so that all weigh alike."""
    style = MarkerStyle(marker)
    return style.get_path().transformed(
        style.get_transform() + Affine2D().scale({"o": 1.0, "s": 0.9, "D": 0.8, "*": 1.5}.get(marker, 1.15))
    )


def _bare(axes: Axes, title: str, points: np.ndarray, margin: float = 0.04) -> None:
    """No ticks, for an embedding's units mean nothing; one unit is as long on both axes."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.maximum((high - low) * margin, 1e-9)
    axes.set(
        xticks=[], yticks=[], xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + room[1])
    )
    axes.set_box_aspect(1)
    axes.spines[["top", "right"]].set_visible(True)
    axes.set_title(wrapped(title, _width(axes)))


def _width(axes: Axes) -> float:
    """Inches that a panel's title may take."""
    specification = axes.get_subplotspec()
    assert specification is not None
    return 0.95 * axes.figure.get_figwidth() / specification.get_gridspec().ncols  # type: ignore[union-attr]


def _class_handles(classes: Sequence[str]) -> list[Line2D]:
    return [
        Line2D([], [], label=name, color=PALETTE[kind], marker=MARKERS[kind], linestyle="none", markersize=5)
        for kind, name in enumerate(classes)
    ]


def _name_regions(axes: Axes, x: np.ndarray, y: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> None:
    """Each class's name at the point of its region that is farthest from the border, if it fits there."""
    from matplotlib.patheffects import withStroke
    from scipy.ndimage import distance_transform_edt

    side = _width(axes) * 0.8
    for kind in np.unique(predicted):
        inner = np.pad(predicted == kind, 1)
        depth = distance_transform_edt(inner)[1:-1, 1:-1]
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        if 2 * depth[row, column] / max(depth.shape) * side > text_width(classes[kind]):
            halo = [withStroke(linewidth=2, foreground="white")]
            axes.text(
                float(x[column]), float(y[row]), classes[kind], ha="center", va="center", path_effects=halo, zorder=3
            )
