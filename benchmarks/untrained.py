"""A lab whose models never learned anything: for whoever asks about sizes and times, and not about results."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autoencoders import models
from autoencoders.explore import noise_page, pages, patches_page, walk_page
from autoencoders.explore.addresses import Addresses
from autoencoders.lab import Lab
from autoencoders.measurements.measurement import Measurement
from autoencoders.reporting.folder import Folder
from autoencoders.settings import Settings
from autoencoders.specs import Experiment, Subject
from autoencoders.store import Artifact
from autoencoders.tasks import named


class Untrained(Lab):
    def __init__(self, profile: str, cache: Path) -> None:
        super().__init__(Settings(profile=profile, dataset="photos10", device="cpu", cache=cache))

    def measure(self, subject: Subject, spec: Measurement) -> Artifact:
        dataset = self.bench.dataset(self.catalogues[0].data)
        measured: Any = subject
        if isinstance(subject, Experiment):
            channels, height, width = dataset.train.images.shape[1:]
            implementation = named(subject.model.implementation)
            measured = models.build(implementation, subject.model, (channels, height, width), seed=0).eval()
        return spec.measure(measured, dataset, "cpu")


def playground(profile: str, folder: Path) -> Path:
    """The pages on which models run, at that profile's size."""
    lab, book = (
        Untrained(profile, folder / "cache"),
        SimpleNamespace(title="Untrained", variables={}, pdf=Path("none.pdf")),
    )
    made = [module.page(lab, Addresses({}, {})) for module in (walk_page, patches_page, noise_page)]
    pages.write(Folder(folder), book, made)  # type: ignore[arg-type]
    return folder / pages.FOLDER
