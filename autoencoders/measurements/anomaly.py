"""Telling unfamiliar images by their reconstruction error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from autoencoders import models
from autoencoders.data import Dataset
from autoencoders.evaluation import metrics
from autoencoders.evaluation.ranking import auroc
from autoencoders.measurements.common import Subject, chosen, fitted_pca, row, unit
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Baseline
from autoencoders.store import Artifact


@dataclass(frozen=True, kw_only=True)
class Anomaly(Measurement):
    """How well reconstruction errors tell unfamiliar images from familiar ones."""

    function: ClassVar[str] = "autoencoders.measurements.anomaly:anomaly"
    images: int = 2000
    seed: int = 0

    @property
    def label(self) -> str:
        return "unfamiliar images"


TILES = 4  # each way


def anomaly(spec: Anomaly, subject: Subject, data: Dataset, device: str) -> Artifact:
    """AUROC of the mean squared error: familiar test images against the same ones with their structure broken."""
    images, _ = chosen(data.test, spec.images)
    familiar = unit(images, device)
    unfamiliar = {"shuffled": _shuffled(familiar, spec.seed), "negative": 1 - familiar}
    usual = _errors(subject, familiar, data, device)
    arrays, rows = {"familiar": usual}, []
    for name, strange in unfamiliar.items():
        arrays[name] = _errors(subject, strange, data, device)
        rows.append(row(None, f"auroc_{name}", auroc(arrays[name], usual)))
    return Artifact(arrays, {"rows": rows})


def _errors(subject: Subject, images: Tensor, data: Dataset, device: str) -> np.ndarray:
    if isinstance(subject, Baseline):
        output = fitted_pca(data, device).reconstruct(images, subject.size)
    else:
        output = models.reconstruct(subject, images)
    return metrics.compare(images, output)["mse"]


def _shuffled(images: Tensor, seed: int) -> Tensor:
    """The same pixels in tiles out of place: each image has its own order."""
    count, _, height, width = images.shape
    tiles = images.unflatten(3, (TILES, width // TILES)).unflatten(2, (TILES, height // TILES))
    tiles = tiles.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)  # [N, tiles, C, h, w]
    order = torch.rand(count, TILES**2, generator=torch.Generator().manual_seed(seed)).argsort(1).to(images.device)
    moved = tiles.gather(1, order[:, :, None, None, None].expand(tiles.shape)).unflatten(1, (TILES, TILES))
    return moved.permute(0, 3, 1, 4, 2, 5).reshape(images.shape)
