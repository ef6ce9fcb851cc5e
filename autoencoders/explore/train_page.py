"""A small denoiser that learns in the reader's browser."""

from __future__ import annotations

from autoencoders.explore import scripts
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page, fill
from autoencoders.lab import Lab
from autoencoders.measurements.exhibits import Lessons
from autoencoders.specs import Baseline

PROMPTS = (
    "Press Start. After how many steps is the output better than the noisy input?",
    "Stop, choose another bottleneck and start again. How much does it decide?",
    "Do the same with the largest learning rate. What becomes of the curve?",
)
HEAD = Head(
    "train", "Train one here", "Watch a small denoiser learn on a few hundred images, in this browser.", PROMPTS
)
SCRIPTS = (*scripts.SCRIPTS, "denoise.js", "svg.js", "decibels.js", "train.js")


def page(lab: Lab, addresses: Addresses) -> Page:
    return page_of(lab, HEAD, lab.catalogues[0].sigma)  # type: ignore[attr-defined]


def page_of(lab: Lab, head: Head, sigma: float) -> Page:
    found = lab.measure(Baseline(method="input"), Lessons()).arrays
    images = {name: array.transpose(0, 2, 3, 1) for name, array in found.items()}
    data = {
        "sigma": sigma,
        **{name: {"shape": list(each.shape), "pixels": scripts.text(each)} for name, each in images.items()},
    }
    return Page(head, fill("train.html", unsupported={}, runs=True), data, SCRIPTS, scripts.shared())
