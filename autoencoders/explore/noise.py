"""One noisy image through every denoiser, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autoencoders.catalogue import Catalogue
from autoencoders.explore import models
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import ASSETS, Head, Page
from autoencoders.lab import Lab
from autoencoders.measurements.playground import Smoothing
from autoencoders.specs import NOISE, Baseline, ConvAE, Experiment, Gaussian, level

HEAD = Head("noise", "Add noise", "Drag the noise up and see what each denoiser makes of the same image.")
SCRIPTS = (*models.SCRIPTS, "denoise.js", "noise.js")
NOTES = (
    "PSNR is of this one image; the best denoiser's is marked. Total variation smooths as strongly as suits "
    "validation images at that noise. The report's linear denoiser is left out: its matrices would take more than "
    "all else that this page loads. Weights are rounded to half precision."
)


def page(lab: Lab, addresses: Addresses) -> Page:
    denoisers = _denoisers(lab.catalogues[0])  # type: ignore[arg-type]
    files = models.scripts(lab, denoisers, "encode", "decode")
    body = ASSETS.joinpath("noise.html").read_text(encoding="utf-8")
    data = _data(lab, denoisers)
    at_once = models.at_once(files, _by_importance(denoisers, files), data, SCRIPTS)
    listed = [
        {
            "name": each.name,
            "title": _title(each),
            "bytes": len(files[models.name(each)]),
            "atOnce": models.name(each) in at_once,
        }
        for each in denoisers
    ]
    return Page(HEAD, body=body, data=data | {"models": listed}, scripts=SCRIPTS, files=files | models.SHARED)


def _denoisers(catalogue: Catalogue) -> list[Experiment]:
    """The autoencoder and the denoisers of each bottleneck."""
    plain = {catalogue.ae(bottleneck).model for bottleneck in catalogue.profile.bottlenecks}
    return [each for each in catalogue.results() if each.model in plain]


def _by_importance(denoisers: Sequence[Experiment], files: Mapping[str, str]) -> list[str]:
    """The autoencoders, and the denoisers of the level at which the report compares; of these, small ones first."""
    others = {models.name(each): each.corruption not in (None, NOISE) for each in denoisers}
    return sorted(others, key=lambda name: (others[name], len(files[name])))


def _title(experiment: Experiment) -> str:
    assert isinstance(experiment.model, ConvAE)
    corruption = experiment.corruption
    if not isinstance(corruption, Gaussian):
        return f"AE, {experiment.model.bottleneck}"
    named = level(corruption.sigma)
    told = f"variance {named.removeprefix('var')}" if named.startswith("var") else f"σ = {named}"
    return f"DAE {told}, {experiment.model.bottleneck}"


def _data(lab: Lab, denoisers: Sequence[Experiment]) -> dict[str, Any]:
    gallery = models.gallery(lab)
    strengths = lab.measure(Baseline(method="tv"), Smoothing()).arrays
    return {
        "gallery": gallery,
        "shape": gallery["shape"][1:],
        "smoothing": {name: values.tolist() for name, values in strengths.items()},
        "notes": NOTES,
    }
