"""Latent spaces to turn: the same images, clean and noisy, side by side; a point shows the image behind it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoencoders.catalogue import Catalogue
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page, asset, fill
from autoencoders.lab import Lab
from autoencoders.measurements.latent import Cloud
from autoencoders.specs import VAE, Baseline, ConvAE, Experiment, Gaussian, Subject, level
from autoencoders.store import Artifact

PROMPTS = (
    "Tick “Show where every image moves”. Does noise move all images the same way?",
    "Go through the spaces. In which does noise move an image least?",
    "Choose t-SNE. Are the islands classes?",
)
PROMISE = "Turn the latent spaces, see the image behind each point, and what noise does to it."
HEAD = Head("latents", "Latents", PROMISE, PROMPTS)
VIEWS = ("pca2", "pca3", "tsne2", "tsne3")
COLUMNS = 25  # images in a row of the sprite
TWINS = {  # what the report shows of the same
    "fig-r04-latent": "the autoencoder’s latents",
    "tbl-r04-structure": "their structure in numbers",
    "fig-r05-noise": "where noise moves them",
    "fig-r18-latent": "the variational autoencoder’s latents",
    "fig-r27-spaces": "all spaces side by side",
    "tbl-r27-latent": "all spaces in numbers",
}
LOOKS = (  # colours on a light and on a dark page, and a shape: those of the printed figures
    ("#0072B2", "#3D9BDC", "M1 0A1 1 0 1 1-1 0 1 1 0 1 1 1 0Z"),
    ("#D55E00", "#E8752A", "M-.88-.88H.88V.88H-.88Z"),
    ("#009E73", "#1DB78A", "M0-1.15 1.1.85H-1.1Z"),
    ("#CC79A7", "#DE93BC", "M0-1.2 1.2 0 0 1.2-1.2 0Z"),
    ("#56B4E9", "#7CC8F3", "M0 1.15 1.1-.85H-1.1Z"),
    ("#E69F00", "#F0B429", "M-.4-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z"),
    ("#333333", "#D9D9D9", "M-.55-1.1 0-.55.55-1.1 1.1-.55.55 0 1.1.55.55 1.1 0 .55-.55 1.1-1.1.55-.55 0-1.1-.55Z"),
    ("#882255", "#C9578B", "M-1.15 0 .85-1.1V1.1Z"),
    ("#999999", "#8C8C8C", "M1.15 0-.85-1.1V1.1Z"),
    ("#999933", "#B5B54A", "M0-1.3.32-.42 1.24-.4.5.16.76 1.05 0 .52-.76 1.05-.5.16-1.24-.4-.32-.42Z"),
)
MEASURES = {  # of a space: what the column is called, whose row it is, and what the row is called
    "purity, clean": ("clean", "purity"),
    "purity, noisy": ("noisy", "purity"),
    "silhouette, clean": ("clean", "silhouette"),
    "silhouette, noisy": ("noisy", "silhouette"),
    "alignment (CKA)": ("noisy", "cka"),
    "shift of an image": ("noisy", "shift_sample"),
    **{
        f"trust, {name}": ("noisy", f"{view}_trustworthiness")
        for name, view in (("PCA 2‑D", "pca2"), ("PCA 3‑D", "pca3"), ("t‑SNE 2‑D", "tsne2"), ("t‑SNE 3‑D", "tsne3"))
    },
}


@dataclass(frozen=True)
class Space:
    """One subject's points, and its measures by column."""

    name: str
    points: Artifact
    values: dict[str, float]


def page(lab: Lab, addresses: Addresses) -> Page:
    spaces = list(_spaces(lab))
    first = spaces[0].points
    classes = first.meta["classes"]
    height, width = first.arrays["clean/images"].shape[2:]
    twins = {what: addresses.chapters[label] for label, what in TWINS.items() if label in addresses.chapters}
    body = fill(
        "latents.html",
        spaces=[space.name for space in spaces],
        classes=[(name, *LOOKS[kind % len(LOOKS)]) for kind, name in enumerate(classes)],
        noise=_sigma(_catalogue(lab).cloud()),
        measures=list(MEASURES),
        rows=[(space.name, [_printed(space.values.get(name)) for name in MEASURES]) for space in spaces],
        twins=twins,
    )
    data = {
        "classes": classes,
        "labels": first.arrays["labels"].tolist(),
        "sprite": {"columns": COLUMNS, "width": width, "height": height},
        "spaces": [_drawn(space) for space in spaces],
        "measures": [{"name": space.name} | space.values for space in spaces],
    }
    files: dict[str, bytes | str] = {"latents.png": sprite(first), "latents.css": asset("latents.css")}
    return Page(HEAD, body, data, ("latents.js",), files)


def _catalogue(lab: Lab) -> Catalogue:
    first = lab.catalogues[0]
    assert isinstance(first, Catalogue)
    return first


def _spaces(lab: Lab) -> Iterator[Space]:
    """Whatever was measured so, the baseline first; of several seeds the first."""
    catalogue = _catalogue(lab)
    for subject, spec in catalogue.measurements():
        if isinstance(spec, Cloud):
            rows = lab.rows_of(subject, catalogue.latent()) + lab.rows_of(subject, spec)
            seen = {(("clean" if row["input"] == "clean" else "noisy"), row["metric"]): row["value"] for row in rows}
            values = {name: seen[key] for name, key in MEASURES.items() if key in seen}
            yield Space(_name(subject, catalogue.size), lab.measure(subject, spec), values)


def _name(subject: Subject, usual: int) -> str:
    if isinstance(subject, Baseline):
        return f"PCA, {subject.size} components"
    match subject.model:
        case VAE(latent=size, beta=beta):
            kind = "VAE" if beta is None else f"VAE, β = {beta:g}"
        case ConvAE(latent=size):
            noise = subject.corruption if isinstance(subject, Experiment) else None
            kind = f"DAE, σ = {level(noise.sigma)}" if isinstance(noise, Gaussian) else "AE"
        case _:
            return subject.name
    return kind if size == usual else f"{kind}, {size} numbers"


def _sigma(cloud: Cloud) -> str:
    return f"σ = {level(cloud.input.sigma)}" if isinstance(cloud.input, Gaussian) else cloud.label


def _drawn(space: Space) -> dict[str, Any]:
    """For each view the points, one after the other, of clean and of noisy inputs."""
    arrays = space.points.arrays
    views = {view: {name: _short(arrays[f"{name}/{view}"]) for name in ("clean", "noisy")} for view in VIEWS}
    return {"views": views, "explained": _short(arrays["explained"])}


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{value:.4g}") for value in values.ravel().tolist()]


def sprite(points: Artifact) -> bytes:
    """All images as one: clean ones in the upper half, and below them, in the same order, the noisy ones."""
    from PIL import Image

    halves = [_sheet(points.arrays[f"{name}/images"]) for name in ("clean", "noisy")]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(halves).squeeze()).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _sheet(images: np.ndarray) -> np.ndarray:
    """Images [N, C, H, W] in rows [H′, W′, C]."""
    count, channels, height, width = images.shape
    rows = math.ceil(count / COLUMNS)
    cells = np.zeros((rows * COLUMNS, channels, height, width), np.uint8)
    cells[:count] = images
    grid = cells.reshape(rows, COLUMNS, channels, height, width).transpose(0, 3, 1, 4, 2)
    return grid.reshape(rows * height, COLUMNS * width, channels)


def _printed(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.3f}".replace("inf", "∞").replace("-", "−")
