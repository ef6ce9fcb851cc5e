"""Coloured digits: what their latents are grouped by, and what lies between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoencoders.errors import InputError
from autoencoders.measurements.common import (
    Measured,
    as_bytes,
    chosen,
    corrupted,
    exactly,
    features_of,
    resampled,
    row,
    to_unit_range,
)
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Baseline, Corruption, Data, describe
from autoencoders.store import Artifact

if TYPE_CHECKING:
    from torch import Tensor

    from autoencoders import models
    from autoencoders.data import Dataset

HUES = 10  # as many as there are classes: chance is the same for both


@dataclass(frozen=True, kw_only=True)
class Clusters(Measurement):
    """How often neighbours in the latent space share a class, and how often a colour; t-SNE pictures of models, too."""

    evaluation_data: Data
    input: Corruption | None = None
    images: int = 1000
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"clusters of {self.evaluation_data.name} {describe(self.input)}"

    def measure(self, subject: Measured, data: Dataset, device: str, evaluation_data: Dataset) -> Artifact:
        from autoencoders.evaluation import latent

        images, labels = chosen(evaluation_data.test, self.images)
        seen = corrupted(to_unit_range(images, device), self.input, self.seed)
        space = features_of(subject, seen, "latent", data, device).flatten(1)
        kinds = {"class": labels, "hue": hues(images)}
        arrays = {f"labels/{name}": kind.numpy() for name, kind in kinds.items()}
        arrays |= {f"purity/{name}": latent.purities(space, kind) for name, kind in kinds.items()}
        rows = [resampled(self.input, f"purity_{name}", arrays[f"purity/{name}"]) for name in kinds]
        if not isinstance(subject, Baseline):
            for dims in (2, 3):
                points = arrays[f"tsne/{dims}"] = latent.project_tsne(space, dims)
                trust = exactly(latent.trustworthiness(space, points), len(space))
                rows.append(row(self.input, f"tsne{dims}_trustworthiness", trust))
        return Artifact(arrays, {"rows": rows, "classes": list(evaluation_data.classes)})


def hues(images: Tensor) -> Tensor:
    """The place of each image's colour on the colour wheel, in tenths; grey counts as red."""
    import torch

    red, green, blue = images.flatten(2).amax(2).double().unbind(1)  # a digit is one colour, at full strength somewhere
    brightest = torch.stack([red, green, blue]).amax(0)
    range_ = (brightest - torch.stack([red, green, blue]).amin(0)).clamp(min=1e-9)
    sixth = torch.where(
        brightest == red,
        (green - blue) / range_ % 6,
        torch.where(brightest == green, 2 + (blue - red) / range_, 4 + (red - green) / range_),
    )
    return (sixth / 6 * HUES).round().long() % HUES


@dataclass(frozen=True, kw_only=True)
class Between(Measurement):
    """Paths between images of different classes: how direct, how even, and how far from a plain cross-fade.

    Departure: the error of the decoded middle against the mean of the decoded ends, as a share of a quarter of the
    ends' own squared distance: 0 for a cross-fade, 1 where the middle is one of the ends.
    """

    pairs: int = 200
    steps: int = 9

    @property
    def label(self) -> str:
        return f"{self.steps} steps"

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
        import numpy as np
        import torch

        from autoencoders import models
        from autoencoders.evaluation import latent

        images, labels = chosen(data.test, 2 * self.pairs)
        start, end = _partners(labels)
        first, last = (to_unit_range(images[places], device) for places in (start, end))
        paths = models.interpolate(subject, first, last, self.steps)
        smooth = [latent.smoothness(path) for path in paths]
        first, middle, last = paths[:, 0], paths[:, self.steps // 2], paths[:, -1]
        apart = (first - last).square().mean((1, 2, 3)).clamp(min=1e-12)
        measured = {
            "detour": np.array([each.detour for each in smooth]),
            "jump": np.array([each.jump for each in smooth]),
            "departure": ((middle - (first + last) / 2).square().mean((1, 2, 3)) / (apart / 4)).cpu().numpy(),
        }
        shown = torch.stack([images[start[:6]], images[end[:6]]], 1).numpy()
        pictures = {"examples/path": as_bytes(paths[:6]), "examples/ends": shown}
        return Artifact(measured | pictures, {"rows": [resampled(None, name, v) for name, v in measured.items()]})


def _partners(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Each image of the first half with the first one of the second half, from its own place on, of another class."""
    import torch

    half = len(labels) // 2
    if not half or any(bool((labels[half:] == kind).all()) for kind in labels[:half].unique()):
        raise InputError("the test images are too few, or of too few classes, for paths between classes")
    rest = labels[half:]
    ends = []
    for place in range(half):
        others = torch.nonzero(rest != labels[place])[:, 0]
        ends.append(half + int(others[(others >= place).nonzero()[0, 0]] if (others >= place).any() else others[0]))
    return torch.arange(half), torch.tensor(ends)
