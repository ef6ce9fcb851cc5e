"""Pictures made of pixels: grids of images, and maps of values over them. Laid out in inches, never blurred."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from autoencoders.figures.style import COLOURS, TEXT, WIDTH, Figure, fitted, some, styled, text_width, wrapped
from autoencoders.tables import number

DPI = 300  # at least; small images are enlarged by whole factors, since many PDF viewers blur what they enlarge
LARGEST = 0.75  # inches: the side of an image where few stand in a line
GAP, LINE = 0.04, 1.35 * TEXT / 72  # inches: between images, and a line of text
EDGE, SPACE = 0.06, 0.08  # inches: a figure's margin, between a label and its images
ENDS = (2, 98)  # percent of the values, between which colours differ
SEEN = 0.3  # how much of a picture is seen through the map over it
BAR = 0.09  # inches that a colour bar is shorter than its image, on each side
LABELS = 0.9  # inches: row labels that are wider are wrapped

Images = np.ndarray


@styled()
def image_grid(
    rows: Mapping[str, Images], *, columns: Sequence[str] = (), per_line: int = 10, upright: bool = False
) -> Figure:
    """Draw rows of images under column labels; longer rows go on in the next line.

    Images are bytes [N,C,H,W] of one or three channels. Upright, each label heads a column: print shrinks what is high.
    """
    some(rows, "rows of images")
    pictures = {label: _as_rgb(images, label) for label, images in rows.items()}
    count, *others = {len(images) for images in pictures.values()}
    if others:
        raise ValueError(f"rows must have the same number of images, not {[count, *others]}")
    if len(columns) > 0 and (len(columns) != count or count > per_line):
        raise ValueError(f"{len(columns)} column labels for lines of {min(count, per_line)} of {count} images")
    if upright:
        return _drawn([_Line("", np.stack(line)) for line in zip(*pictures.values(), strict=True)], list(pictures))[0]
    lines = [
        _Line(label if start == 0 else "", images[start : start + per_line])
        for label, images in pictures.items()
        for start in range(0, count, per_line)
    ]
    return _drawn(lines, columns)[0]


@styled()
def heatmaps(images: Images, maps: Mapping[str, np.ndarray], *, label: str) -> Figure:
    """Draw a column of images, and beside it one for each label, of maps [N,h,w] laid over the same images in grey.

    Each column has a colour scale of its own, in percent, below it; a few values beyond its ends have the colours of
    the ends.
    """
    some(maps, "maps")
    pictures = _as_rgb(images, "images")
    values = {name: np.asarray(stack, float) for name, stack in maps.items()}
    for name, stack in values.items():
        if stack.ndim != 3 or len(stack) != len(pictures) or stack.size == 0:
            raise ValueError(f"{name}: maps must be [{len(pictures)}, h, w], not {list(stack.shape)}")
        if not np.isfinite(stack).all():
            raise ValueError(f"{name}: maps must be finite")
    ends = {name: np.percentile(stack, ENDS).tolist() for name, stack in values.items()}
    scales = {name: Normalize(low, high, clip=True) for name, (low, high) in ends.items()}
    laid = [_laid_over(pictures, stack, scales[name]) for name, stack in values.items()]
    lines = [_Line("", np.stack(row)) for row in zip(pictures, *laid, strict=True)]
    figure, axes = _drawn(lines, ["image", *maps], below=2 * LINE + 0.2)
    for name, image in zip(values, axes.images[-len(values) :], strict=True):
        _bar_below(figure, image.get_extent(), scales[name], ends[name])
    first = axes.images[-len(values) - 1].get_extent()
    axes.text(first[1], first[2] + 0.12, wrapped(label, first[1] - first[0]), ha="right", va="top")
    return figure


def _bar_below(figure: Figure, extent: Sequence[float], scale: Normalize, ends: Sequence[float]) -> None:
    """A colour bar under an image, with percentages at its ends, which keep away from those of the next bar's."""
    left, right, bottom, _ = extent
    left, right = left + BAR, right - BAR
    height = figure.get_figheight()
    place = (left / WIDTH, 1 - (bottom + 0.12) / height, (right - left) / WIDTH, 0.07 / height)
    bar = figure.colorbar(ScalarMappable(scale, COLOURS), cax=figure.add_axes(place), orientation="horizontal")
    bar.outline.set_visible(False)
    bar.set_ticks(ends, labels=[number(100 * value, ".0f") for value in ends])
    first, last = bar.ax.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")


def _laid_over(pictures: np.ndarray, stack: np.ndarray, scale: Normalize) -> np.ndarray:
    """Bytes [N,H,W,3]: the colours of values, in which the picture's light and dark can still be seen."""
    height, width = pictures.shape[1:3]
    rows, columns = (
        np.arange(size) * cells // size for size, cells in zip((height, width), stack.shape[1:], strict=True)
    )
    colours = colormaps[COLOURS](scale(stack[:, rows][:, :, columns]))[..., :3]
    grey = pictures @ (0.2126, 0.7152, 0.0722) / 255
    return np.round(255 * ((1 - SEEN) * colours + SEEN * grey[..., None])).astype(np.uint8)


def _as_rgb(images: Images, label: str) -> np.ndarray:
    """[N,H,W,3] of bytes."""
    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.dtype != np.uint8 or images.size == 0:
        raise ValueError(f"{label}: images must be bytes [N,C,H,W], not {images.dtype} {list(images.shape)}")
    return np.broadcast_to(images.transpose(0, 2, 3, 1), (len(images), *images.shape[2:], 3))


# ── Layout ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Line:
    label: str
    images: np.ndarray  # [N,H,W,3] bytes


def _drawn(lines: Sequence[_Line], columns: Sequence[str] = (), below: float = 0.0) -> tuple[Figure, Axes]:
    """The lines on one canvas whose coordinates are inches from its upper left corner."""
    labels = [wrapped(line.label, LABELS) for line in lines]
    widest = max(text_width(label) for label in labels)
    gutter = widest + EDGE + SPACE if widest else EDGE
    most = max(len(line.images) for line in lines)
    side = min(LARGEST, (WIDTH - gutter - EDGE) / most - GAP)
    heads = [wrapped(head, side) for head in columns]
    top = EDGE + LINE * max((head.count("\n") + 1 for head in heads), default=0)
    heights = [max(side + GAP, LINE * (text.count("\n") + 1)) for text in labels]
    left = gutter + (WIDTH - gutter - EDGE - most * (side + GAP)) / 2

    figure = Figure(top + sum(heights) + EDGE + below)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(figure.get_figheight(), 0))
    axes.set_axis_off()
    for column, head in enumerate(heads):
        x = left + column * (side + GAP) + side / 2
        axes.text(x, top - 0.03, head, ha="center", va="bottom", size=fitted(heads, side))
    for line, label, height in zip(lines, labels, heights, strict=True):
        axes.text(left - SPACE, top + side / 2, label, ha="right", va="center")
        for column, image in enumerate(line.images):
            x = left + column * (side + GAP)
            _show(axes, image, (x, x + side, top + side, top))
        top += height
    return figure, axes


def _show(axes: Axes, image: np.ndarray, extent: tuple[float, float, float, float]) -> None:
    side = extent[1] - extent[0]
    factor = math.ceil(side * DPI / min(image.shape[:2]))
    large = image.repeat(factor, axis=0).repeat(factor, axis=1)
    axes.imshow(large, extent=extent, aspect="auto", interpolation="none")
