"""Latent spaces in two or three coordinates: classes have a colour and a marker, which stay distinct in grey."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Circle, Patch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, IdentityTransform

from autoencoders.colours import FEW, MUTED, PALETTE, PAPER, REGION, tint
from autoencoders.figures.style import MARKERS, Figure, legend, panel_axes, some, styled, wrapped

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
def shifts(panels: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Draw where something moves each point, {title: (before [N,2], after [N,2])}, and an arrow of their mean length.

    Points are seen from the centre of their cloud, in units of its spread; all panels have one scale.
    """
    figure, all_axes = _panels(panels)
    moves = {title: _paired(before, after, title) for title, (before, after) in panels.items()}
    most = 1.03 * max(np.abs(points).max() for pair in moves.values() for points in pair) or 1.0
    for axes, (title, (before, after)) in zip(all_axes, moves.items(), strict=True):
        length = np.linalg.norm(after - before, axis=1).mean()
        axes.add_artist(Circle((0, 0), 1.0, fill=False, zorder=1, **SPREAD))
        _arrows(axes, before, after, color=PALETTE[0], width=0.005)
        axes.plot(*before.T, "o", color=PALETTE[0], markersize=2.5, markeredgewidth=0, zorder=3)
        _arrows(axes, np.zeros((1, 2)), np.array([(length, 0.0)]), color=PALETTE[1], width=0.02)
        _bare(axes, title, np.array([(-most, -most), (most, most)]), margin=0.0)
    arrows = {"one image": (PALETTE[0], 1.0), "mean length": (PALETTE[1], 2.5)}
    handles = [Line2D([], [], label=n, color=c, linewidth=w, marker=">") for n, (c, w) in arrows.items()]
    legend(figure, [*handles, Line2D([], [], label="one spread from the centre", **SPREAD)])
    return figure


SPREAD: dict[str, Any] = {"color": MUTED, "linestyle": "--", "linewidth": 0.8}


def _paired(before: np.ndarray, after: np.ndarray, title: str) -> tuple[np.ndarray, np.ndarray]:
    start, end = (_points(each, 2, title) for each in (before, after))
    if start.shape != end.shape:
        raise ValueError(f"{title}: {len(start)} points can't move to {len(end)}")
    return start, end


def _arrows(axes: Axes, start: np.ndarray, end: np.ndarray, **look: Any) -> None:
    axes.quiver(*start.T, *(end - start).T, angles="xy", scale_units="xy", scale=1, zorder=2, **look)


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
def decision_regions(
    panels: Mapping[str, Mapping[str, np.ndarray]], classes: Sequence[str], shown: Sequence[int] | None = None
) -> Figure:
    """Draw the regions of a classifier in a plane under the points it is judged by, of all classes or of some.

    A panel holds `points` [N,2] with their `labels` [N], and a grid: `x` [W], `y` [H], `response` [H,W] in classes.
    Where it says another class than those shown, the plane is left blank.
    """
    if shown is not None:
        panels = {title: _renumbered(panel, shown) for title, panel in panels.items()}
        classes, shown = [*(classes[kind] for kind in shown), "others"], range(len(shown))
    named = told_apart(classes)
    kinds_shown = list(range(len(named)) if shown is None else shown)
    palette = PALETTE if shown is None else FEW
    figure, all_axes = _panels(panels, classes, across=4 if len(panels) == 4 else None)
    for axes, (title, panel) in zip(all_axes, panels.items(), strict=True):
        points, kinds = _checked(panel["points"], panel["labels"], classes, 2, title)
        x, y, predicted = panel["x"], panel["y"], np.minimum(panel["response"], len(named) - 1)
        for kind in np.unique(predicted[np.isin(predicted, kinds_shown)]):
            area: dict[str, Any] = {"colors": [tint(palette[kind], REGION)], "levels": (0.5, 1.5), "zorder": 0.5}
            axes.contourf(x, y, (predicted == kind).astype(float), **area)
        inside = (points >= (x[0], y[0])).all(axis=1) & (points <= (x[-1], y[-1])).all(axis=1)
        inside &= np.isin(kinds, kinds_shown)
        _scatter(axes, points[inside], kinds[inside], size=7, palette=palette)
        _bare(axes, title, np.array([(x[0], y[0]), (x[-1], y[-1])]), margin=0.0)
    handles: list[Artist] = [_class_handle(named, kind, palette) for kind in kinds_shown]
    if shown is not None:
        handles.append(Patch(label="said to be of another class", facecolor="none", edgecolor=MUTED, linewidth=0.6))
    legend(figure, handles)
    return figure


def _renumbered(panel: Mapping[str, np.ndarray], shown: Sequence[int]) -> dict[str, np.ndarray]:
    """The panel with the classes that are shown as the first ones, and all others as the one after them."""
    places = {
        name: np.select([np.asarray(panel[name]) == kind for kind in shown], range(len(shown)), len(shown))
        for name in ("labels", "response")
    }
    return {**panel, **places}


def told_apart(classes: Sequence[str]) -> list[str]:
    """What a legend names: all classes, or of more than there are markers the first ones, and the others as one."""
    if len(classes) <= len(MARKERS):
        return list(classes)
    return [*classes[: len(MARKERS) - 1], f"{len(classes) - len(MARKERS) + 1} others"]


# ── Parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _panels(
    panels: Mapping[str, Any], classes: Sequence[str] | None = None, across: int | None = None, **options: Any
) -> tuple[Figure, list[Axes]]:
    some(panels, "panels")
    if classes is not None:
        some(classes, "classes")
    columns = across or {1: 1, 2: 2, 4: 2}.get(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure = Figure(0.45 + rows * {1: 4.2, 2: 2.2}.get(columns, 2.0))
    return figure, panel_axes(figure, len(panels), columns, **options)


def _checked(
    coordinates: np.ndarray, labels: np.ndarray, classes: Sequence[str], dimensions: int, title: str
) -> tuple[np.ndarray, np.ndarray]:
    points, kinds = _points(coordinates, dimensions, title), np.asarray(labels)
    if kinds.shape != (len(points),):
        raise ValueError(f"{title}: {len(points)} points but labels of shape {list(kinds.shape)}")
    if kinds.dtype.kind not in "iu" or kinds.min() < 0 or kinds.max() >= len(classes):
        raise ValueError(f"{title}: labels must be integers from 0 to {len(classes) - 1}")
    return points, np.minimum(kinds, len(MARKERS) - 1)


def _points(coordinates: np.ndarray, dimensions: int, title: str) -> np.ndarray:
    points = np.asarray(coordinates, float)
    if points.ndim != 2 or points.shape[1] != dimensions or len(points) == 0:
        raise ValueError(f"{title}: coordinates must be [N,{dimensions}], not {list(points.shape)}")
    if not np.isfinite(points).all():
        raise ValueError(f"{title}: coordinates must be finite")
    return points


def _scatter(
    axes: Axes,
    points: np.ndarray,
    kinds: np.ndarray,
    *,
    size: float = 9,
    palette: Sequence[str] = PALETTE,
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
            facecolors=palette[kind],
            edgecolors=PAPER,
            linewidths=0.25,
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
    return [_class_handle(classes, kind) for kind in range(len(classes))]


def _class_handle(classes: Sequence[str], kind: int, palette: Sequence[str] = PALETTE) -> Line2D:
    look: dict[str, Any] = {"color": palette[kind], "marker": MARKERS[kind], "linestyle": "none", "markersize": 5}
    return Line2D([], [], label=classes[kind], **look)
