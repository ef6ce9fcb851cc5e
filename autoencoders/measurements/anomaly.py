"""Telling unfamiliar images by their reconstruction error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoencoders.errors import InputError
from autoencoders.measurements.common import Measured, chosen, fitted_pca, row, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Baseline
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from autoencoders.data import Dataset

TILES = 4  # each way
LEAST = (1 / 255) ** 2  # of a variance: images of one colour have none


@dataclass(frozen=True, kw_only=True)
class Anomaly(Measurement):
    """AUROC of the error: familiar test images against the same ones with their structure broken.

    Both groups are the same images, so that the interval is that of pairs. An error is the share of an image's variance
    that isn't reconstructed: contrast alone makes no image strange.
    """

    images: int = 2000
    seed: int = 0

    @property
    def label(self) -> str:
        return "unfamiliar images"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        from autoencoders.evaluation.ranking import measure_auroc

        images, _ = chosen(data.test, self.images)
        familiar = to_unit_range(images, device)
        unfamiliar = {"shuffled": _shuffled(familiar, self.seed), "negative": 1 - familiar}
        usual = _errors(subject, familiar, data, device)
        arrays, rows = {"familiar": usual}, []
        for name, strange in unfamiliar.items():
            arrays[name] = _errors(subject, strange, data, device)
            rows.append(row(None, f"auroc_{name}", measure_auroc((arrays[name], usual), paired=True).estimate()))
        return Artifact(arrays, {"rows": rows})


@dataclass(frozen=True, kw_only=True)
class Novelty(Measurement):
    """AUROC of the error: test images of a class that wasn't trained on against all others."""

    left_out: int

    @property
    def label(self) -> str:
        return f"class {self.left_out} as unfamiliar"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        from autoencoders.evaluation.ranking import measure_auroc

        images, labels = chosen(data.test, None)
        known = data.without(self.left_out)  # which a model has been trained on, and a baseline is fitted to
        errors = _errors(subject, to_unit_range(images, device), known, device)
        novel = (labels == self.left_out).numpy()
        if not 0 < novel.sum() < len(novel):
            raise InputError(f"test images of the class {data.classes[self.left_out]} and of others are needed")
        arrays = {"novel": errors[novel], "familiar": errors[~novel]}
        found = measure_auroc((arrays["novel"], arrays["familiar"]), paired=False)
        meta = {"rows": [row(None, "auroc_novel", found.estimate())], "class": data.classes[self.left_out]}
        return Artifact(arrays, meta)


def _errors(subject: Measured, images: Tensor, data: Dataset, device: str) -> np.ndarray:
    from autoencoders import models
    from autoencoders.evaluation import metrics

    if isinstance(subject, Baseline):
        output = fitted_pca(data, device).reconstruct(images, subject.size)
    else:
        output = models.reconstruct(subject, images)
    contrast = images.var((1, 2, 3), correction=0).clamp(min=LEAST).cpu().numpy()
    return metrics.compare(images, output)["mse"] / contrast


def _shuffled(images: Tensor, seed: int) -> Tensor:
    """The same pixels in tiles out of place: each image has its own order."""
    import torch

    count, _, height, width = images.shape
    tiles = images.unflatten(3, (TILES, width // TILES)).unflatten(2, (TILES, height // TILES))
    tiles = tiles.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)  # [N, tiles, C, h, w]
    order = torch.rand(count, TILES**2, generator=torch.Generator().manual_seed(seed)).argsort(1).to(images.device)
    moved = tiles.gather(1, order[:, :, None, None, None].expand(tiles.shape)).unflatten(1, (TILES, TILES))
    return moved.permute(0, 3, 1, 4, 2, 5).reshape(images.shape)
