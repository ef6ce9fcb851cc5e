"""One noisy image through every denoiser, side by side."""

from __future__ import annotations

from typing import Any

from autoencoders.catalogue import Catalogue
from autoencoders.explore import scripts
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.explore.scripts import BrowserModels
from autoencoders.lab import Lab
from autoencoders.measurements.playground import Smoothing
from autoencoders.specs import Baseline, ConvAE, Custom, Experiment, Gaussian, GaussianUpTo, level

HEAD = Head("noise", "Add noise", "Drag the noise up and see what each denoiser makes of the same image.")
SCRIPTS = (*scripts.SCRIPTS, "denoise.js", "noise.js")
NOTES = (
    "PSNR is of this one image; the best denoiser's is marked. Total variation smooths as strongly as suits "
    "validation images at that noise. The report's linear denoiser is left out: its matrices would take more than "
    "all else that this page loads. Weights are rounded to half precision."
)


def page(lab: Lab, addresses: Addresses) -> Page:
    catalogue: Catalogue = lab.catalogues[0]  # type: ignore[assignment]
    denoisers, known = _denoisers(catalogue), Gaussian(catalogue.sigma)
    models = BrowserModels.of(lab, denoisers, "encode", "decode")
    runs = [each for each in denoisers if each.name in models.scripts]
    # the denoisers of the level at which the report compares come first, of these the small ones
    runs_first = sorted(runs, key=lambda each: (each.corruption not in (None, known), len(models.scripts[each.name])))
    data = _data(lab) | {"sigma": catalogue.sigma}
    at_once = scripts.at_once(models.scripts, [each.name for each in runs_first], data, SCRIPTS)
    listed = [
        {
            "name": each.name,
            "title": _title(each),
            "bytes": len(models.scripts[each.name]),
            "atOnce": each.name in at_once,
        }
        for each in runs
    ]
    return models.page(HEAD, "noise.html", data | {"models": listed}, SCRIPTS)


def _denoisers(catalogue: Catalogue) -> list[Experiment]:
    """The autoencoder and the denoisers of each bottleneck, and models that somebody added."""
    plain = {catalogue.ae(bottleneck).model for bottleneck in catalogue.profile.bottlenecks}
    return [
        each
        for each in catalogue.results()
        if (each.model in plain or isinstance(each.model, Custom)) and each.data == catalogue.data
    ]


def _title(experiment: Experiment) -> str:
    if isinstance(experiment.model, Custom):
        return experiment.name
    assert isinstance(experiment.model, ConvAE)
    corruption = experiment.corruption
    if isinstance(corruption, GaussianUpTo):
        return f"DAE σ up to {corruption.most:.2g}, {experiment.model.bottleneck}"
    if not isinstance(corruption, Gaussian):
        return f"AE, {experiment.model.bottleneck}"
    named = level(corruption.sigma)
    noise = f"variance {named.removeprefix('var')}" if named.startswith("var") else f"σ = {named}"
    return f"DAE {noise}, {experiment.model.bottleneck}"


def _data(lab: Lab) -> dict[str, Any]:
    gallery = scripts.gallery(lab)
    strengths = lab.measure(Baseline(method="tv"), Smoothing()).arrays
    return {
        "gallery": gallery,
        "shape": gallery["shape"][1:],
        "smoothing": {name: values.tolist() for name, values in strengths.items()},
        "notes": NOTES,
    }
