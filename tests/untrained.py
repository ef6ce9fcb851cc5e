"""A lab whose models never learned anything: for whoever asks about sizes and times, and not about results."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from autoencoders import models
from autoencoders.explore import noise_page, pages, patches_page, samples_page, walk_page
from autoencoders.explore.addresses import Addresses
from autoencoders.lab import Lab
from autoencoders.measurements.exhibits import Density
from autoencoders.measurements.linear_programs import LinearProgram
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.openings import BestSum
from autoencoders.measurements.samples import Samples
from autoencoders.reporting.folder import Folder
from autoencoders.settings import Settings
from autoencoders.specs import Experiment, Subject
from autoencoders.store import Artifact
from autoencoders.tasks import named

NOTHING = {"share": 0.0, "control": 0.0, "works": False}


class Untrained(Lab):
    def __init__(self, profile: str, cache: Path) -> None:
        super().__init__(Settings(profile=profile, dataset="photos10", device="cpu", cache=cache))

    def measure(self, subject: Subject, spec: Measurement) -> Artifact:
        if isinstance(spec, BestSum):
            return Artifact({}, {"classes": ["astronaut", "chelsea", "coffee"], "tried": 0} | NOTHING)
        if isinstance(spec, LinearProgram):
            return _linear(spec)
        if isinstance(spec, Samples):  # its distances take longer than all else here
            return Artifact({}, {"rows": []})
        if isinstance(spec, Density):
            return _density(subject.model.latent)  # type: ignore[union-attr]
        dataset = self.bench.dataset(self.catalogues[0].data)
        measured: Any = subject
        if isinstance(subject, Experiment):
            channels, height, width = dataset.train.images.shape[1:]
            implementation = named(subject.model.implementation)
            measured = models.build(implementation, subject.model, (channels, height, width), seed=0).eval()
        return spec.measure(measured, dataset, "cpu")


def _linear(spec: LinearProgram) -> Artifact:
    """A linear denoiser of the right size: to fit one takes longer than all else here."""
    generator, (channels, side, count) = np.random.default_rng(0), (3, 32, spec.components)
    shapes = {
        "mean": (channels, side, side),
        "basis": (count, channels * side * side),
        "seen": (len(spec.sigmas), count),
        "weights": (len(spec.sigmas), count, count),
    }
    arrays = {name: generator.normal(size=shape).astype(np.float16) / 50 for name, shape in shapes.items()}
    return Artifact(arrays, {"sigmas": list(spec.sigmas), "decibels": [[0.0, 0.0]] * len(spec.sigmas)})


def _density(dimensions: int, components: int = 10) -> Artifact:
    """A mixture of the right size, for the same reason."""
    factors = np.broadcast_to(np.eye(dimensions, dtype=np.float16), (components, dimensions, dimensions))
    means = np.zeros((components, dimensions), np.float16)
    return Artifact({"weights": np.full(components, 1 / components), "means": means, "factors": factors}, {})


def playground(profile: str, folder: Path) -> Path:
    """The pages on which models run, at that profile's size."""
    lab = Untrained(profile, folder / "cache")
    book = SimpleNamespace(title="Untrained", subtitle="", variables={}, pdf=Path("report.pdf"))
    made = [module.page(lab, Addresses({}, {})) for module in (walk_page, patches_page, noise_page, samples_page)]
    pages.write(Folder(folder), book, made)  # type: ignore[arg-type]
    return folder / pages.FOLDER
