"""One noisy image through every denoiser, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autoencoders.catalogue import Catalogue
from autoencoders.explore import scripts
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.explore.scripts import BrowserModels
from autoencoders.lab import Lab
from autoencoders.measurements.linear_programs import LinearProgram
from autoencoders.measurements.playground import Smoothing
from autoencoders.specs import Baseline, ConvAE, Custom, Experiment, Gaussian, GaussianUpTo, SkipAE, level

PROMPTS = (
    "Drag σ to 0.5. Which denoiser keeps the edges?",
    "Drag σ to 0, so that nothing has to be removed. What does each denoiser cost the image now?",
    "Drag σ from 0.05 to 0.5. Is the best denoiser the same all the way?",
)
HEAD = Head("noise", "Add noise", "Drag the noise up and see what each denoiser makes of the same image.", PROMPTS)
SCRIPTS = (*scripts.SCRIPTS, "denoise.js", "linear.js", "noise.js")


def page(lab: Lab, addresses: Addresses) -> Page:
    catalogue: Catalogue = lab.catalogues[0]  # type: ignore[assignment]
    denoisers = {each: _title(each) for each in _denoisers(catalogue)}
    return page_of(lab, HEAD, denoisers, catalogue.sigma)


def page_of(lab: Lab, head: Head, denoisers: dict[Experiment, str], sigma: float) -> Page:
    """The denoisers of a plan by their titles, opened at a noise level."""
    models = BrowserModels.of(lab, denoisers, "encode", "decode", "forward")
    runs = [each for each in denoisers if each.name in models.scripts]
    known = Gaussian(sigma)
    # the denoisers of the level at which the report compares come first, of these the small ones
    runs_first = sorted(runs, key=lambda each: (each.corruption not in (None, known), len(models.scripts[each.name])))
    data = _data(lab) | {"sigma": sigma}
    if isinstance(lab.catalogues[0], Catalogue):  # a study has no such baseline
        strengths = lab.measure(Baseline(method="tv"), Smoothing()).arrays
        data["smoothing"] = {name: values.tolist() for name, values in strengths.items()}
    at_once = scripts.at_once(models.scripts, [each.name for each in runs_first], data, SCRIPTS)
    listed = [
        {
            "name": each.name,
            "title": denoisers[each],
            "bytes": len(models.scripts[each.name]),
            "atOnce": each.name in at_once,
        }
        for each in runs
    ]
    return models.page(head, "noise.html", data | {"models": listed}, SCRIPTS)


def _denoisers(catalogue: Catalogue) -> list[Experiment]:
    """The autoencoder and the denoisers of each bottleneck and without one, and models that somebody added."""
    plain = {catalogue.ae(bottleneck).model for bottleneck in catalogue.profile.bottlenecks}
    return [
        each
        for each in catalogue.results()
        if (each.model in plain or isinstance(each.model, Custom | SkipAE)) and each.data == catalogue.data
    ]


def _title(experiment: Experiment) -> str:
    model, corruption = experiment.model, experiment.corruption
    if isinstance(model, Custom):
        return experiment.name
    shape = "no bottleneck" if isinstance(model, SkipAE) else model.bottleneck if isinstance(model, ConvAE) else ""
    if isinstance(corruption, GaussianUpTo):
        return f"DAE σ up to {corruption.most:.2g}, {shape}"
    if not isinstance(corruption, Gaussian):
        return f"AE, {shape}"
    named = level(corruption.sigma)
    noise = f"variance {named.removeprefix('var')}" if named.startswith("var") else f"σ = {named}"
    return f"DAE {noise}, {shape}"


def _data(lab: Lab) -> dict[str, Any]:
    gallery = scripts.gallery(lab)
    ridge = Baseline(method="ridge")
    [asked] = [spec for spec in lab.catalogues[0].of_baseline(ridge) if isinstance(spec, LinearProgram)]
    linear = lab.measure(ridge, asked)
    return {
        "gallery": gallery,
        "shape": gallery["shape"][1:],
        "linear": scripts.linear(linear, gallery["shape"][1:]),
        "notes": _notes(linear.meta["sigmas"], linear.meta["decibels"], linear.arrays["basis"].shape[0]),
    }


def _notes(sigmas: Sequence[float], decibels: Sequence[Sequence[float]], directions: int) -> list[str]:
    losses = (f"{small - whole:+.2f} dB at σ = {s:g}" for s, (whole, small) in zip(sigmas, decibels, strict=True))
    return [
        "PSNR is of this one image; the best denoiser’s has a star. The models without bottleneck compress nothing: "
        "they are a ceiling.",
        f"The linear denoiser is the report’s along its {directions} leading directions, which costs on validation "
        f"images {', '.join(losses)}".replace("-", "−")
        + ".",
        "Total variation smooths as strongly as suits validation images at that noise. Large weights of the models "
        "are rounded to eight bits.",
    ]
