"""Figures: nothing clipped or overlapping, nothing blurred, readable without colour, the same bytes each time."""

from __future__ import annotations

import base64
import functools
import io
import itertools
import math
import re
import warnings

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Tick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.quiver import Quiver
from matplotlib.text import Text
from PIL import Image

from autoencoders import colours, figures
from autoencoders.colours import PAPER
from autoencoders.figures import style
from autoencoders.figures.names import place_names

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
MODELS = ("AE", "DAE σ=0.1", "DAE σ=0.3", "DAE σ=√0.1", "DAE σ=0.5", "DAE σ=√0.1 spatial", "ViT control 0.75")
RNG = np.random.default_rng(0)
LABELS = np.arange(60) % 10
POINTS = RNG.normal(size=(60, 2))


def pictures(n=10, side=32):
    return RNG.integers(0, 256, (n, 3, side, side), dtype=np.uint8)


def history(epochs, start=0.05):
    return {"train": np.linspace(start, 0.01, epochs), "validation": np.linspace(start, 0.012, epochs)}


def regions():
    axis = np.linspace(-3, 3, 40)
    predicted = np.add.outer(np.arange(40) // 8, 5 * (np.arange(40) // 20))
    return {"points": POINTS, "labels": LABELS, "x": axis, "y": axis, "response": predicted}


FIRST = [
    ("image", (3, 32, 32), "image"),
    ("conv 8×8, stride 4", (64, 8, 8), "convolution"),
    *[("residual block", (64, 8, 8), "residual block")] * 2,
    ("conv 8×8", (128, 1, 1), "convolution"),
    ("conv 8×8, stride 8", (64, 8, 8), "transposed convolution"),
    ("conv 4×4, stride 4", (3, 32, 32), "transposed convolution"),
]
ARCHITECTURES = {
    "AE, DAE": FIRST,
    "VAE": [*FIRST[:4], ("conv 8×8", (256, 1, 1), "convolution"), *FIRST[5:]],
    "ViT": [
        FIRST[0],
        ("conv 4×4, stride 4", (96, 8, 8), "convolution"),
        *[("transformer block", (64, 96), "transformer block")] * 4,
        FIRST[-1],
    ],
}

CROWD = {
    "AE": ([24.52], [38.7]),
    "DAE": ([24.41, 22.1, 18.7], [39.1, 39.6, 40.7]),
    "VAE": ([24.32], [39.1]),
    "MCAE": ([38.4, 34.1, 29.7, 26.2, 20.0], [46.3, 46.0, 47.6, 47.5, 47.5]),
    "PCA": ([23.64], [39.4]),
}
SIGMAS = (0.0, 0.1, 0.2, 0.3, math.sqrt(0.1), 0.4, 0.5)
WORST = {
    "image_grid": lambda: figures.image_grid({model: pictures() for model in MODELS}, columns=CLASSES),
    "image_grid, wrapped": lambda: figures.image_grid({"samples from the prior, β = 4": pictures(32)}, per_line=8),
    "image_grid, upright": lambda: figures.image_grid({model: pictures(3) for model in MODELS}, upright=True),
    "image_grid, few": lambda: figures.image_grid(
        {"dog − cat + bird": pictures(2)}, columns=["original", "a classifier's choice"]
    ),
    "heatmaps": lambda: figures.heatmaps(
        pictures(8),
        {f"MCAE {r}": 0.3 * RNG.random((8, 8, 8)) - 0.11 for r in (0.1, 0.3, 0.5, 0.7, 0.75)},
        label="growth of the error (%)",
    ),
    "curves": lambda: figures.curves({"MSE": {model: history(60) for model in MODELS}}),
    "curves, one epoch": lambda: figures.curves({"MSE": {model: history(1) for model in MODELS}}),
    "curves, panels": lambda: figures.curves(
        {
            "reconstruction error (summed over all pixels)": {"VAE β=1": history(3)},
            "KL divergence (nats)": {"VAE β=1": history(3)},
        }
    ),
    "curves, an axis each": lambda: figures.curves(
        {"AE, vector: MSE (10⁻³)": {"AE": history(40, 5)}, "AE, spatial: MSE (10⁻³)": {"AE": history(40, 0.012)}},
        log=True,
    ),
    "curves, log": lambda: figures.curves({"MSE": {"AE": history(40)}}, log=True),
    "levels": lambda: figures.levels(
        SIGMAS,
        {
            "PSNR (dB)": {
                model: [(30 - 20 * s - i, 29.8 - 20 * s - i, 30.2 - 20 * s - i, 100) for s in SIGMAS]
                for i, model in enumerate(MODELS)
            }
        },
        xlabel="σ of the test noise ([0, 1] scale)",
        marks={"DAE σ=√0.1": math.sqrt(0.1)},
    ),
    "levels, alike": lambda: figures.levels(
        SIGMAS,
        {
            f"{which} (dB above the AE)": {model: [i - 9 * s for s in SIGMAS] for i, model in models}
            for which, models in {"DAEs of one level": enumerate(MODELS[:4]), "rivals": enumerate(MODELS[4:])}.items()
        },
        xlabel="σ of the noise on test images",
        marks=dict.fromkeys(MODELS[1:], 0.3),
        lines={"AE": 0},
        alike=True,
    ),
    "levels, log": lambda: figures.levels(
        (32, 64, 128, 256, 384),
        {"validation PSNR (dB)": {"AE": [18, 20, 22, 23, 23.4]}, "SSIM": {"AE": [0.5, 0.6, 0.7, 0.72, 0.73]}},
        xlabel="latent size",
        log="x",
    ),
    "levels, log values": lambda: figures.levels(
        range(1, 129), {"KL (nats)": {"VAE β=4": sorted(RNG.random(128) ** 9)}}, xlabel="dimensions, sorted", log="y"
    ),
    "tradeoff": lambda: figures.tradeoff(
        {model: ([3.0 * 2**i, 4.0 * 2**i], [18 + i, 19 + i]) for i, model in enumerate(MODELS)},
        xlabel="KL divergence (nats)",
        ylabel="pooled PSNR (dB)",
        lines={"PCA, 128": 24.0, "mean image": 12.0},
    ),
    "tradeoff, a crowd enlarged": lambda: figures.tradeoff(
        CROWD,
        xlabel="PSNR of clean test images (dB)",
        ylabel="accuracy at 128 numbers (%)",
        lines={"raw pixels": 39.3},
        log=False,
        names={name: [f"{name} {index}" for index in range(len(x))] for name, (x, _) in CROWD.items()},
    ),
    "bars": lambda: figures.bars(
        {model: {"clean": (50.0, 49, 51), "noisy, σ = 0.3": 40.0} for model in MODELS},
        xlabel="accuracy (%)",
        lines={"chance": 10, "raw pixels": 41.2},
    ),
    "embeddings": lambda: figures.embeddings(
        {f"{model}: PCA (34 % of the variance)": (POINTS, LABELS) for model in MODELS[:6]}, CLASSES
    ),
    "embeddings, four": lambda: figures.embeddings(
        {f"{model}: t-SNE": (POINTS, LABELS) for model in MODELS[2:6]}, CLASSES
    ),
    "embeddings_3d": lambda: figures.embeddings_3d(
        {f"{model}: t-SNE": (RNG.normal(size=(60, 3)), LABELS) for model in MODELS[4:6]}, CLASSES
    ),
    "shifts": lambda: figures.shifts(
        {f"{model}\n0.35 spreads on average": (POINTS, POINTS + 0.3) for model in MODELS[4:7]}
    ),
    "decision_regions": lambda: figures.decision_regions(
        {f"{model}: 23.4 % in the plane, 51.2 % in all 128 dimensions": regions() for model in MODELS[2:6]}, CLASSES
    ),
    "decision_regions, some": lambda: figures.decision_regions(
        {f"{model}\nplane 23.4, whole 51.2 %": regions() for model in MODELS[2:6]}, CLASSES, (1, 5, 8)
    ),
    "dots": lambda: figures.dots(
        {model: {"layers": (0.5 + i / 100, 0.48, 0.6)} for i, model in enumerate(MODELS)},
        xlabel="test accuracy",
        lines={"raw pixels": 0.41, "random patches": 0.64},
    ),
    "dots, two": lambda: figures.dots(
        {model: {"clean": 0.5, "noisy": (0.4, 0.39, 0.41)} for model in MODELS}, xlabel="test accuracy"
    ),
    "matrix": lambda: figures.matrix(
        {"PSNR (dB)": RNG.uniform(9, 30, (7, 7)), "SSIM": RNG.random((7, 7))},
        rows=MODELS,
        columns=("clean", "0.1", "0.2", "0.3", "√0.1", "0.4", "0.5"),
        xlabel="σ tested on",
        ylabel="trained on",
    ),
    "matrix, many columns": lambda: figures.matrix(
        {"a − b + c": RNG.uniform(0, 99, (3, 10)), "another": RNG.random((3, 10))},
        rows=("dog − cat + bird", "ship − airplane + bird", "horse − deer + frog"),
        columns=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "motorcycle"),
        xlabel="seen as",
        ylabel="",
    ),
    "matrix, side by side": lambda: figures.matrix(
        {"PSNR (dB)": RNG.uniform(9, 30, (7, 3)), "SSIM": RNG.random((7, 3))},
        rows=MODELS,
        columns=("0.1", "0.3", "0.5"),
        xlabel="σ tested on",
        ylabel="trained on",
    ),
    "confusion": lambda: figures.confusion(
        {"MLP 512-256-128": np.eye(10) * 9, "MLP of five hidden layers, 10 % of the labels": np.ones((10, 10))},
        CLASSES,
    ),
    "confusion, four": lambda: figures.confusion({f"MLP {i}": np.ones((10, 10)) for i in range(4)}, CLASSES),
    "confusion, one": lambda: figures.confusion({"MLP": np.ones((10, 10))}, CLASSES),
    "roc": lambda: figures.roc({name: (np.linspace(0, 1, 50), np.linspace(0, 1, 50) ** 0.3, 0.75) for name in CLASSES}),
    "architecture": lambda: figures.architecture(ARCHITECTURES),
}


def drawn(figure, dpi=300):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a layout that fails only warns
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi)
    return np.asarray(Image.open(buffer).convert("RGB"))


@functools.cache
def measured(name):
    """The figure's size in pixels and its visible texts: (text, size, box)."""
    figure = WORST[name]()
    figure.set_dpi(100)
    drawn(figure, dpi=100)
    renderer = FigureCanvasAgg(figure).get_renderer()
    hidden = set(map(id, itertools.chain.from_iterable(map(hidden_texts, figure.axes))))
    texts = [
        (text.get_text(), round(text.get_fontsize(), 2), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_text().strip() and text.get_visible() and id(text) not in hidden
    ]
    return figure.bbox.size, texts


def hidden_texts(axes):
    """Tick labels of axes that are off or that lie outside the view: matplotlib keeps them but doesn't draw them."""
    for axis in axes._axis_map.values():
        shown = axis._update_ticks() if axes.axison else []
        yield from (text for tick in axis.findobj(Tick) if tick not in shown for text in tick.findobj(Text))


@pytest.mark.parametrize("name", WORST)
def test_layout_clips_no_text_and_has_one_size(name):
    (width, height), texts = measured(name)
    assert width == pytest.approx(630), "the text column"
    assert 100 < height < 900, "a page"
    for text, _, box in texts:
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= -0.5, f"{text!r} leaves the page"
    for (one, _, a), (other, _, b) in itertools.combinations(texts, 2):
        shared_width, shared_height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(shared_width, shared_height) <= 0.5, f"{one!r} overlaps {other!r}"
    sizes = {size for _, size, _ in texts}
    assert max(sizes) == style.TEXT
    assert min(sizes) >= 6
    assert name.startswith(("image_grid", "heatmaps")) or len(sizes) == 1


@pytest.mark.parametrize("name", sorted({name for name in WORST if "," not in name} - {"decision_regions"}))
def test_figure_of_the_same_arrays_has_the_same_bytes(name):
    state = RNG.bit_generator.state
    first = WORST[name]()._repr_svg_()
    RNG.bit_generator.state = state
    assert WORST[name]()._repr_svg_() == first
    assert "<text" not in first, "text must be outlines: Typst and browsers have other fonts"
    assert "dc:date" not in first


def test_figure_ignores_personal_settings(tmp_path):
    import matplotlib

    plain = figures.curves({"MSE": {"AE": history(3)}})._repr_svg_()
    with matplotlib.rc_context(
        {"font.size": 20, "svg.fonttype": "none", "lines.linewidth": 9, "axes.facecolor": "red"}
    ):
        assert figures.curves({"MSE": {"AE": history(3)}})._repr_svg_() == plain
    path = tmp_path / "figure.svg"
    figures.curves({"MSE": {"AE": history(3)}}).savefig(path)
    assert path.read_text() == plain


# ── Readable without colour ──────────────────────────────────────────────────────────────────────────────────────────


def lines_in(axes: Axes):
    return [line for line in axes.lines if len(line.get_xdata()) and line.get_marker() not in ("None", "_", "|", 0)]


@pytest.mark.parametrize(
    "name", ["curves", "curves, one epoch", "curves, panels", "levels", "levels, log values", "roc"]
)
def test_lines_differ_by_more_than_colour(name):
    for axes in WORST[name]().axes:
        series = [line for line in lines_in(axes) if line.get_markersize() < 9]
        looks = [(line.get_marker(), line.get_linestyle(), line.get_markerfacecolor() == PAPER) for line in series]
        assert looks
        assert len(set(looks)) == len(looks)


def test_curves_are_dashed_for_training_and_solid_for_validation():
    (axes,) = figures.curves({"MSE": {"AE": history(9)}}).axes
    train, validation = axes.lines
    assert (train.get_linestyle(), train.get_markerfacecolor()) == ("--", PAPER)
    assert (validation.get_linestyle(), validation.get_markerfacecolor()) == ("-", validation.get_color())
    np.testing.assert_allclose(train.get_ydata(), history(9)["train"])
    assert train.get_xdata().tolist() == list(range(1, 10))


def test_curves_have_their_points_where_they_were_taken():
    (axes,) = figures.curves({"MSE": {"AE": history(4) | {"epoch": [0.5, 1.0, 1.5, 2.0]}}}).axes
    assert [line.get_xdata().tolist() for line in axes.lines] == [[0.5, 1.0, 1.5, 2.0]] * 2
    low, high = axes.get_xlim()
    assert 0.4 < low < 0.5
    assert 2 < high < 2.1


def test_looks_are_unique_and_too_many_are_refused():
    looks = style.looks([str(i) for i in range(20)])
    assert len({(look.marker, look.linestyle) for look in looks.values()}) == 20
    with pytest.raises(ValueError, match="told apart"):
        style.looks([str(i) for i in range(21)])
    with pytest.raises(ValueError, match="told apart"):
        figures.curves({"MSE": {str(i): history(2) for i in range(11)}})
    with pytest.raises(ValueError, match="told apart"):
        figures.bars({"row": {str(i): 1 for i in range(8)}}, xlabel="x")


def test_colours_rise_in_lightness():
    grey = colormaps[style.COLOURS](np.linspace(0, 1, 32))[:, :3] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(grey) > 0).all()


# ── Images ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def colours_of(page):
    codes = np.unique(page.astype(int) @ (1 << 16, 1 << 8, 1))
    return {(code >> 16, code >> 8 & 255, code & 255) for code in codes.tolist()}


@pytest.mark.parametrize("dpi", [300, 217])
def test_image_grid_enlarges_without_new_colours(dpi):
    four = [(255, 0, 0), (0, 120, 0), (0, 0, 250), (250, 250, 0)]
    image = np.array(four, np.uint8).reshape(1, 2, 2, 3).transpose(0, 3, 1, 2)
    page = drawn(figures.image_grid({"": image}), dpi)
    assert colours_of(page) == {*four, (255, 255, 255)}
    rows, columns = np.nonzero((page == (0, 120, 0)).all(axis=2))
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=1)
    assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1), "a pixel must stay one block"


@pytest.mark.parametrize("upright", [False, True])
def test_image_grid_keeps_order_and_orientation(upright):
    red, blue = np.array((255, 0, 0)), np.array((0, 0, 255))
    image = np.zeros((2, 2, 2, 3), np.uint8)
    image[0, 0, 1] = red  # upper right of the first image
    image[1, 1, 0] = blue  # lower left of the second
    images = image.transpose(0, 3, 1, 2)
    grid = {"": images[:1], " ": images[1:]} if upright else {"": images}
    page = drawn(figures.image_grid(grid, upright=upright))
    height, width = page.shape[:2]
    (red_y, red_x), (blue_y, blue_x) = (np.argwhere((page == c).all(axis=2)).mean(axis=0) for c in (red, blue))
    assert red_y < height / 2 < blue_y
    assert red_x < width / 2 < blue_x


def test_image_grid_enlarges_by_whole_factors_to_300_dpi():
    text = figures.image_grid({"a": pictures(10)})._repr_svg_()
    sizes = []
    for match in re.finditer(r"base64,\s*([^\"]+)\"[^>]*", text):
        image = Image.open(io.BytesIO(base64.b64decode(match[1])))
        sizes.append(image.size)
    assert len(sizes) == 10
    inches = (6.3 - 0.2) / 10
    assert all(w == h and w % 32 == 0 and w / inches >= 299 for w, h in sizes)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((0, 3, 4, 4), np.uint8),
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros((2, 3, 4, 4)),
    ],
)
def test_image_grid_refuses_what_is_no_row_of_images(images):
    with pytest.raises(ValueError, match="noisy: images must be bytes"):
        figures.image_grid({"noisy": images})


def test_image_grid_refuses_rows_and_columns_that_disagree():
    with pytest.raises(ValueError, match="nothing to draw"):
        figures.image_grid({})
    with pytest.raises(ValueError, match="same number"):
        figures.image_grid({"a": pictures(2), "b": pictures(3)})
    with pytest.raises(ValueError, match="column labels"):
        figures.image_grid({"a": pictures(2)}, columns=["one"])
    with pytest.raises(ValueError, match="column labels"):
        figures.image_grid({"a": pictures(4)}, columns=list("abcd"), per_line=2)


def test_heatmaps_have_a_scale_each_and_let_the_image_be_seen():
    black, white = np.zeros((1, 3, 4, 4), np.uint8), np.full((1, 3, 4, 4), 255, np.uint8)
    rising = np.stack([np.linspace(0, 1, 16).reshape(4, 4)] * 2)
    figure = figures.heatmaps(np.concatenate([black, white]), {"a": rising, "b": 3 * rising}, label="error")
    canvas, first, second = figure.axes
    assert [len(axes.images) for axes in figure.axes] == [6, 0, 0]
    assert first.get_xlim()[1] * 3 == pytest.approx(second.get_xlim()[1]), "colour bars"
    dark, light = (np.asarray(canvas.images[i].get_array(), int) for i in (1, 4))
    assert (light - dark > 50).all(), "the white image's map is the lighter one everywhere"
    assert (canvas.images[1].get_array() == canvas.images[2].get_array()).all(), "each has its own scale"


@pytest.mark.parametrize(
    "maps", [np.zeros((3, 4, 4)), np.zeros((2, 4)), np.zeros((2, 0, 4)), np.full((2, 4, 4), np.nan)]
)
def test_heatmaps_refuse_maps_that_do_not_fit(maps):
    with pytest.raises(ValueError, match="MCAE"):
        figures.heatmaps(pictures(2), {"MCAE": maps}, label="error")


# ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_levels_draw_intervals_and_rings_and_leave_out_what_is_not_finite():
    figure = figures.levels(
        (0, 1, 2), {"dB": {"AE": [(math.inf, math.inf, math.inf), (5, 4, 7), (3, 3, 3)]}}, xlabel="σ", marks={"AE": 1}
    )
    (axes,) = figure.axes
    values = axes.lines[0].get_ydata()
    assert np.isnan(values[0])
    assert values[1:].tolist() == [5, 3]
    (bars,) = axes.containers[0].lines[2]
    assert bars.get_segments()[-2].tolist() == [[1, 4], [1, 7]]
    ring = axes.lines[-1]
    assert (ring.get_xdata().tolist(), ring.get_ydata().tolist()) == ([1], [5])
    assert ring.get_markerfacecolor() == "none"
    assert ring.get_color() == axes.lines[0].get_color(), "where rings meet, each is its series'"


def test_panels_that_are_alike_have_the_range_of_all():
    panels = {"left": {"AE": [0, 1]}, "right": {"AE": [5, 9]}}
    left, right = figures.levels((1, 2), panels, xlabel="x", alike=True).axes
    assert left.get_ylim() == right.get_ylim()
    assert left.get_ylim()[0] < 0 < 9 < left.get_ylim()[1]
    left, right = figures.levels((1, 2), panels, xlabel="x").axes
    assert left.get_ylim() != right.get_ylim()


@pytest.mark.parametrize(
    ("ends", "labels"),
    [
        ((1e-5, 6e-3), ["10⁻⁵", "10⁻⁴", "10⁻³"]),
        ((2e-3, 3.0), ["0.01", "0.1", "1"]),
        ((4.02, 5.1), ["4.00", "4.25", "4.50", "4.75", "5.00"]),
        ((1.08e-5, 1.9e-5), ["1.2·10⁻⁵", "1.4·10⁻⁵", "1.6·10⁻⁵", "1.8·10⁻⁵"]),
        ((1.14e-5, 1.32e-5), ["1.15·10⁻⁵", "1.2·10⁻⁵", "1.25·10⁻⁵", "1.3·10⁻⁵"]),
        ((3.6e-3, 0.0125), ["0.004", "0.006", "0.008", "0.010", "0.012"]),
    ],
    ids=["powers", "plain", "near", "near and small", "nearer", "a factor of three"],
)
def test_ticks_of_a_logarithmic_axis_are_several_and_of_one_style(ends, labels):
    (axes,) = figures.levels((1, 2), {"y": {"AE": ends}}, xlabel="x", log="y").axes
    low, high = axes.get_ylim()
    assert [tick.get_text() for tick in axes.get_yticklabels() if low <= tick.get_position()[1] <= high] == labels


def test_tradeoff_draws_series_and_lines_on_a_logarithmic_axis():
    (axes,) = figures.tradeoff({"VAE": ([10, 100], [18, 23])}, xlabel="x", ylabel="y", lines={"PCA": 23.5}).axes
    series, line = axes.lines
    assert (series.get_xdata().tolist(), series.get_ydata().tolist()) == ([10, 100], [18, 23])
    assert set(line.get_ydata()) == {23.5}
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    (plain,) = figures.tradeoff({"VAE": ([10, 100], [18, 23])}, xlabel="x", ylabel="y", log=False).axes
    assert plain.get_xscale() == "linear"


def test_tradeoff_names_every_point_once_and_shows_the_crowd_larger():
    whole, part = WORST["tradeoff, a crowd enlarged"]().axes
    crowd = {"AE 0", "DAE 0", "VAE 0", "PCA 0"}
    assert {text.get_text() for text in part.texts} == crowd
    assert {text.get_text() for text in whole.texts} == {
        f"{name} {index}" for name, (x, _) in CROWD.items() for index in range(len(x))
    } - crowd
    (left, right), (bottom, top) = part.get_xlim(), part.get_ylim()
    for name in ("AE", "DAE", "VAE", "PCA"):
        (x, *_), (y, *_) = CROWD[name]
        assert left < x < right
        assert bottom < y < top
    (frame,) = whole.patches
    assert frame.get_bbox().bounds == pytest.approx((left, bottom, right - left, top - bottom))


@pytest.mark.parametrize("log", [False, True])
def test_names_keep_off_points_that_are_near(log):
    x, y = [1.0, 1.01, 1.02, 5.0], [1.0, 1.01, 1.02, 5.0]
    series = {"AE": (x, y), "without a place on a logarithmic axis": ([0.0, 3.0], [4.0, 4.0])}
    figure = figures.tradeoff(series, xlabel="x", ylabel="y", log=log, names={"AE": list("abcd")})
    drawn(figure, dpi=300)
    whole, part = figure.axes
    assert [[text.get_text() for text in axes.texts] for axes in (whole, part)] == [["d"], ["a", "b", "c"]]
    for axes in (whole, part):
        boxes = [text.get_window_extent() for text in axes.texts]
        for px, py in axes.transData.transform(np.column_stack([x, y])):
            assert not any(box.contains(px, py) for box in boxes)


def test_name_that_had_to_go_far_has_a_line_to_its_point():
    figure = style.Figure(3)
    axes = figure.subplots()
    around = [(1 + 0.06 * math.cos(turn), 1 + 0.1 * math.sin(turn)) for turn in np.linspace(0, 2 * math.pi, 12)]
    axes.plot(*zip((0, 0), (1, 1), *around, (2, 2), strict=True), marker="o", linestyle="none")
    figure.draw_without_rendering()
    place_names(axes, [("in the middle", (1, 1)), ("at the end", (2, 2))])
    middle, end = axes.texts
    assert middle.arrow_patch is not None
    assert end.arrow_patch is None


def test_points_that_are_far_apart_are_no_crowd():
    names = {"AE": list("ab")}
    assert len(figures.tradeoff({"AE": ([1, 2], [1, 2])}, xlabel="", ylabel="", log=False, names=names).axes) == 1
    assert len(figures.tradeoff({"AE": ([1, 1], [2, 2])}, xlabel="", ylabel="", log=False, names=names).axes) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.levels((), {"y": {"a": []}}, xlabel="x"), "nothing to draw"),
        (lambda: figures.levels((1,), {}, xlabel="x"), "nothing to draw"),
        (lambda: figures.levels((1,), {"y": {}}, xlabel="x"), "nothing to draw"),
        (lambda: figures.levels((1, 2), {"y": {"a": [1]}}, xlabel="x"), "y, a: 2 values"),
        (lambda: figures.levels((1, 2), {"y": {"a": [(1, 2), (3, 4)]}}, xlabel="x"), "2 values"),
        (lambda: figures.levels((1,), {"y": {"a": [(1, 2, 3)]}}, xlabel="x"), "outside its interval"),
        (lambda: figures.curves({}), "nothing to draw"),
        (lambda: figures.curves({"MSE": {}}), "nothing to draw"),
        (lambda: figures.curves({"MSE": {"AE": {"train": []}}}), "epochs"),
        (lambda: figures.bars({}, xlabel="x"), "nothing to draw"),
        (lambda: figures.bars({"a": {}}, xlabel="x"), "nothing to draw"),
        (lambda: figures.dots({}, xlabel="x"), "nothing to draw"),
        (lambda: figures.dots({"a": {"b": (1, 2, 3)}}, xlabel="x"), "outside its interval"),
        (lambda: figures.shifts({}), "nothing to draw"),
        (lambda: figures.shifts({"t": (POINTS, POINTS[:9])}), "t: 60 points can't move to 9"),
        (lambda: figures.bars({"a": {"b": 1}}, xlabel="x", lines=dict.fromkeys("abcd", 1)), "reference lines"),
        (lambda: figures.tradeoff({}, xlabel="x", ylabel="y"), "nothing to draw"),
        (lambda: figures.tradeoff({"a": ([], [])}, xlabel="x", ylabel="y"), "points of a"),
        (lambda: figures.tradeoff({"a": ([1], [1])}, xlabel="", ylabel="", lines=dict.fromkeys("abcd", 1)), "lines"),
        (lambda: figures.roc({}), "nothing to draw"),
        (lambda: figures.matrix({}, rows="a", columns="b", xlabel="", ylabel=""), "nothing to draw"),
        (lambda: figures.matrix({"t": np.ones((2, 3))}, rows="ab", columns="ab", xlabel="", ylabel=""), "t: .*2 rows"),
        (lambda: figures.confusion({"t": np.ones((2, 2))}, CLASSES), "10 rows"),
        (lambda: figures.architecture({}), "nothing to draw"),
        (lambda: figures.architecture({"AE": []}), "layers of AE"),
        (lambda: figures.architecture({"AE": [("conv", (1, 2, 3, 4), "image")]}), "AE: a shape"),
        (lambda: figures.architecture({"AE": [("conv", (0,), "image")]}), "AE: a shape"),
    ],
)
def test_figures_refuse_wrong_input_with_its_place(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_bars_begin_at_zero_and_print_their_values():
    figure = figures.bars(
        {"AE": {"clean": (50.04, 49, 51)}, "VAE": {"clean": math.nan}}, xlabel="%", lines={"chance": 10}
    )
    (axes,) = figure.axes
    assert axes.get_xlim()[0] == 0
    assert {text.get_text() for text in axes.texts} == {"50.0", "–"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["AE", "VAE"]
    tops = [bar.get_y() for bar in axes.patches]
    assert tops[0] < tops[1]
    assert axes.yaxis_inverted(), "the first row stands on top"


def test_bars_below_zero_are_within_the_axis():
    (axes,) = figures.bars({"far": {"AE": (-0.2, -0.3, -0.1)}, "near": {"AE": 4.0}}, xlabel="%").axes
    assert axes.get_xlim()[0] < -0.3


def test_dots_are_sorted_and_print_the_values_of_one_series():
    rows = {"low": {"clean": (0.2, 0.1, 0.3)}, "high": {"clean": 0.5}}
    (axes,) = figures.dots(rows, xlabel="x", lines={"pixels": 0.4}).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["high", "low"]
    assert [text.get_text() for text in axes.texts] == ["0.500", "0.200"]
    (two,) = figures.dots({"a": {"clean": 1, "noisy": 2}}, xlabel="x").axes
    assert not two.texts


def test_matrix_has_the_leader_of_each_column_bold():
    values = np.array([[20.01, 10.0, np.nan], [20.02, 12.0, 5.0], [3.0, np.inf, np.nan]])
    panels = {"dB": values, "SSIM": values}
    options = {"rows": "abc", "columns": "xyz", "xlabel": "", "ylabel": "", "leaders": {"dB": [1, None, 1]}}
    first, second, *_ = figures.matrix(panels, **options).axes
    assert [t.get_text() for t in first.texts] == ["20.0", "10.0", "–", "20.0", "12.0", "5.0", "3.0", "∞", "–"]
    assert [index for index, text in enumerate(first.texts) if text.get_weight() == "bold"] == [3, 5]
    assert not [text for text in second.texts if text.get_weight() == "bold"], "what wasn't tested isn't bold"


def test_matrix_annotations_stand_out_from_their_cells():
    figure = WORST["matrix"]()
    for axes in figure.axes:
        for mesh in axes.findobj(QuadMesh):
            if not axes.texts:
                continue
            cells = mesh.to_rgba(mesh.get_array().ravel())[:, :3] @ (0.2126, 0.7152, 0.0722)
            inks = np.array([0.0 if text.get_color() == "black" else 1.0 for text in axes.texts])
            assert (np.abs(cells - inks) > 0.35).all()


def test_confusion_shows_shares_of_the_true_class():
    counts = np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]])
    figure = figures.confusion({"MLP": counts}, ("a", "b", "c"))
    assert [t.get_text() for t in figure.axes[0].texts] == ["75", "25", "0", "0", "100", "0", "–", "–", "–"]


@pytest.mark.parametrize(
    ("values", "digits"),
    [([28.3, 5], 1), ([0.85], 3), ([156], 0), ([], 0), ([0], 0), ([0.0031], 5), ([math.nan, 10], 1)],
)
def test_decimals_give_the_largest_three_digits(values, digits):
    assert style.decimals(values) == digits


# ── Latent spaces ────────────────────────────────────────────────────────────────────────────────────────────────────


def offsets(axes):
    clouds = [c.get_offsets() for c in axes.collections if isinstance(c, PathCollection)]
    return np.concatenate([np.zeros((0, 2)), *clouds])


def test_embeddings_draw_every_point_once_with_its_class():
    (axes,) = figures.embeddings({"t": (POINTS, LABELS)}, CLASSES).axes
    assert sorted(map(tuple, offsets(axes).tolist())) == sorted(map(tuple, POINTS.tolist()))
    for cloud in axes.collections:
        for point in cloud.get_offsets():
            kind = LABELS[(point == POINTS).all(axis=1).argmax()]
            np.testing.assert_allclose(cloud.get_facecolor()[0], style_colour(kind))


def style_colour(kind):
    from matplotlib.colors import to_rgba

    return to_rgba(colours.PALETTE[kind])


def test_shifts_lead_from_each_point_to_where_it_went_and_show_their_mean_length():
    near, far = (POINTS, POINTS + np.array([0.3, 0.4])), (POINTS, POINTS - np.array([3.0, 4.0]))
    first, second = figures.shifts({"DAE": near, "AE": far}).axes
    one, mean = (each for each in first.collections if isinstance(each, Quiver))
    np.testing.assert_allclose(one.get_offsets(), POINTS)
    np.testing.assert_allclose(np.c_[one.U, one.V], np.broadcast_to((0.3, 0.4), POINTS.shape))
    assert [*mean.U, *mean.V] == pytest.approx([0.5, 0])
    _, mean = (each for each in second.collections if isinstance(each, Quiver))
    assert [*mean.U, *mean.V] == pytest.approx([5, 0])
    assert first.get_xlim() == second.get_xlim() == first.get_ylim(), "one scale, or lengths compare nothing"


@pytest.mark.parametrize("shown", [None, (0, 3)])
def test_decision_regions_have_their_class_colour_under_the_points(shown):
    axis = np.linspace(-1, 1, 30)
    predicted = np.repeat(np.where(axis > 0, 3, 1)[None], 30, axis=0)
    panel = {"points": np.array([[9.0, 9.0]]), "labels": np.array([0]), "x": axis, "y": axis, "response": predicted}
    figure = figures.decision_regions({"t": panel}, CLASSES, shown)
    page = drawn(figure)
    box = figure.axes[0].get_window_extent()
    row = page.shape[0] - int(box.y0 + 0.9 * box.height)
    left = colours.PAPER if shown else colours.tint(colours.PALETTE[1], colours.REGION)
    right = colours.tint(colours.FEW[1] if shown else colours.PALETTE[3], colours.REGION)
    for share, colour in ((0.1, left), (0.9, right)):
        pixel = page[row, int(box.x0 + share * box.width)]
        np.testing.assert_allclose(pixel, [*bytes.fromhex(colour[1:])], atol=2)
    assert len(offsets(figure.axes[0])) == 0, "points off the grid aren't drawn outside the frame"


def test_decision_regions_of_some_classes_have_colours_far_from_grey():
    (axes,) = figures.decision_regions({"t": regions()}, CLASSES, (0, 1, 8)).axes
    used = {to_hex(cloud.get_facecolor()[0]).upper() for cloud in axes.collections if isinstance(cloud, PathCollection)}
    assert used == set(colours.FEW[:3])
    for colour in (*used, *(colours.ON_DARK.get(each, each) for each in used)):
        red, green, blue = bytes.fromhex(colour[1:])
        assert max(red, green, blue) > 1.5 * min(red, green, blue)


def test_decision_regions_of_some_classes_have_their_points_alone():
    (axes,) = figures.decision_regions({"t": regions()}, CLASSES, (1, 5)).axes
    assert len(offsets(axes)) == (np.isin(LABELS, (1, 5)) & (np.abs(POINTS) <= 3).all(1)).sum()


def test_decision_regions_of_many_classes_give_those_shown_looks_of_their_own():
    panel = regions()
    panel |= {"labels": panel["labels"] + 80, "response": panel["response"] + 80}
    figure = figures.decision_regions({"t": panel}, [f"class {number}" for number in range(100)], (81, 85))
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:2] == ["class 81", "class 85"]
    assert len(offsets(figure.axes[0])) == (np.isin(LABELS, (1, 5)) & (np.abs(POINTS) <= 3).all(1)).sum()


@pytest.mark.parametrize(
    ("points", "labels", "message"),
    [
        (np.zeros((0, 2)), np.zeros(0, int), "must be"),
        (np.zeros((3, 3)), np.zeros(3, int), "must be"),
        (np.zeros((3, 2)), np.zeros(2, int), "labels"),
        (np.zeros((3, 2)), np.full(3, 10), "from 0 to 9"),
        (np.zeros((3, 2)), np.full(3, -1), "from 0 to 9"),
        (np.zeros((3, 2)), np.zeros(3), "integers"),
        (np.full((3, 2), np.nan), np.zeros(3, int), "finite"),
    ],
)
def test_embeddings_refuse_points_and_labels_that_do_not_fit(points, labels, message):
    with pytest.raises(ValueError, match=message):
        figures.embeddings({"t": (points, labels)}, CLASSES)


def test_embeddings_refuse_no_panels():
    for call in (figures.embeddings, figures.embeddings_3d, figures.decision_regions):
        with pytest.raises(ValueError, match="nothing to draw"):
            call({}, CLASSES)


def test_embeddings_call_more_classes_than_they_can_show_others():
    classes = [f"class {number}" for number in range(12)]
    figure = figures.embeddings({"t": (np.random.default_rng(0).normal(size=(24, 2)), np.arange(24) % 12)}, classes)
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*classes[:9], "3 others"]


# ── Architecture ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_architecture_is_to_scale_and_carries_kernels_and_shapes():
    (axes,) = figures.architecture({"AE": FIRST}).axes
    image, stem, blocks, latent, widened, output = axes.patches
    assert image.get_height() == pytest.approx(4 * stem.get_height()) == pytest.approx(output.get_height())
    assert latent.get_width() == pytest.approx(2 * stem.get_width()) == pytest.approx(2 * widened.get_width())
    assert blocks.get_height() == stem.get_height()
    texts = {text.get_text().replace("\n", " ") for text in axes.texts}
    assert {"AE", "conv 8×8, stride 4", "residual block × 2", "64×8×8", "128", "3×32×32"} <= texts


def test_architecture_shows_of_further_models_what_differs():
    (axes,) = figures.architecture(ARCHITECTURES).axes
    assert len(axes.patches) == 6 + 1 + 4
    assert [text.get_text() for text in axes.texts].count("as above") == 2
    first, differing = axes.patches[3], axes.patches[6]
    assert first.get_x() + first.get_width() / 2 == pytest.approx(differing.get_x() + differing.get_width() / 2)


# ── Dark pages ───────────────────────────────────────────────────────────────────────────────────────────────────────


def luminance(colour):
    parts = np.array([*bytes.fromhex(colour[1:])]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)


def test_colours_stand_out_from_dark_paper():
    dark = {colour: colours.ON_DARK.get(colour, colour) for colour in (*colours.PALETTE, colours.INK, colours.MUTED)}
    paper = luminance(colours.ON_DARK[colours.PAPER])
    contrasts = {twin: (luminance(twin) + 0.05) / (paper + 0.05) for twin in dark.values()}
    assert min(contrasts.values()) >= 3
    assert min(contrasts[dark[colours.INK]], contrasts[dark[colours.MUTED]]) >= 4.5
    assert len(contrasts) == len(dark), "no two are alike"


def test_figure_on_a_dark_page_has_no_light_paper_and_the_same_pixels():
    light = WORST["image_grid, few"]()._repr_svg_()
    dark = colours.on_dark(light)
    assert "fill: none" in dark
    assert "#ffffff" not in dark
    assert colours.INK not in dark
    pixels = re.compile(r"base64,[^\"]*")
    assert pixels.findall(dark) == pixels.findall(light) != []
    assert re.sub(r"#[0-9a-f]{6}|none", "", dark) == re.sub(r"#[0-9a-f]{6}|none", "", light)


@pytest.mark.parametrize("name", ["bars", "decision_regions, some", "dots", "matrix", "architecture"])
def test_every_colour_of_a_figure_is_known_on_dark_pages(name):
    cells = {to_hex(colour) for colour in colormaps[style.COLOURS](range(256))}
    used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", WORST[name]()._repr_svg_()))
    assert used <= colours.TWINS.keys() | cells | {"#fefefe", "#1f77b4"}, (
        "the last one is that of ends of lines, which have no area"
    )
