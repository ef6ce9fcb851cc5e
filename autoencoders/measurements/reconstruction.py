"""How close outputs come to clean images."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from autoencoders import corruption, models
from autoencoders.data import Dataset
from autoencoders.evaluation import baselines, metrics
from autoencoders.measurements.common import Subject, as_bytes, chosen, corrupted, fitted_pca, row, unit
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Baseline, Corruption, PatchMask, describe
from autoencoders.store import Artifact


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Measurement):
    """How close a subject's output comes to the clean image, for each test image."""

    function: ClassVar[str] = "autoencoders.measurements.reconstruction:reconstruction"
    input: Corruption | PatchMask | None = None
    split: Literal["validation", "test"] = "test"
    images: int | None = None  # the first so many of a fixed order; None: all
    examples: int = 32  # outputs kept for the pictures
    seed: int = 1_000_003  # evaluation noise is never training noise

    @property
    def label(self) -> str:
        return f"{self.split} {describe(self.input)}"


def reconstruction(spec: Reconstruction, subject: Subject, data: Dataset, device: str) -> Artifact:
    """How far each output is from the clean image, over all of it and over the part that was hidden."""
    images, _ = chosen(data.test if spec.split == "test" else data.validation, spec.images)
    clean = unit(images, device)
    seen, hidden, output = _shown_and_made(spec, subject, clean, data, device)
    regions = {"all": None} if hidden is None else {"all": None, "masked": hidden}
    arrays: dict[str, np.ndarray] = {}
    rows = []
    for region, mask in regions.items():
        per_image = metrics.compare(clean[: len(output)], output, mask)
        arrays |= {f"{region}/{metric}": values.astype(np.float32) for metric, values in per_image.items()}
        figures = metrics.summarise(per_image)
        rows += [row(spec.input, metric, figure, region, spec.split) for metric, figure in figures.items()]
    arrays |= {
        f"examples/{name}": as_bytes(part[: spec.examples])
        for name, part in {"clean": clean, "seen": seen, "output": output}.items()
    }
    return Artifact(arrays, {"rows": rows})


def _shown_and_made(
    spec: Reconstruction, subject: Subject, clean: Tensor, data: Dataset, device: str
) -> tuple[Tensor, Tensor | None, Tensor]:
    """What a person is shown as the input, what of it is hidden, and the output. Hidden patches are shown in grey."""
    if isinstance(spec.input, PatchMask):
        assert isinstance(subject, models.Masked), "only masked models hide patches"
        hidden = models.draw_masks(subject, len(clean), spec.input.ratio, spec.seed).to(device)
        return torch.where(hidden, 0.5, clean), hidden, models.reconstruct(subject, clean, mask=hidden)
    seen = corrupted(clean, spec.input, spec.seed)
    if isinstance(subject, Baseline):
        return seen, None, _baseline(subject, seen, spec.input, spec.seed, data, device)
    return seen, None, models.reconstruct(subject, seen)


def _baseline(
    subject: Baseline, seen: Tensor, what: Corruption | None, seed: int, data: Dataset, device: str
) -> Tensor:
    match subject.method:
        case "input":
            return seen
        case "mean":
            return torch.as_tensor(baselines.mean_image(data.train.images), device=device).expand(seen.shape)
        case "pca":
            return fitted_pca(data, device).reconstruct(seen, subject.size)
        case "ridge":
            return _ridge(seen, what, data, device)
        case "tv":
            return _total_variation(seen, what, seed, data, device)
    raise ValueError(f"{subject.name} reconstructs nothing")


TV_IMAGES, TV_VALIDATION = 1000, 100  # total variation takes its time: it is measured and tuned on so many images
DIRECTIONS = 1024  # of CIFAR-10's 3,072: to keep no more would still give 36.5 dB on clean images


def _ridge(seen: Tensor, what: Corruption | None, data: Dataset, device: str) -> Tensor:
    fitted = baselines.fit_linear_denoiser(
        _training_images_along_directions(data, device),
        data.validation.images.to(device),
        lambda images, generator: corruption.corrupt(images, what, generator),
    )
    return fitted.denoise(seen)


@functools.lru_cache(maxsize=1)
def _training_images_along_directions(data: Dataset, device: str) -> baselines.Directions:
    return baselines.along(data.train.images.to(device), fitted_pca(data, device).components[:DIRECTIONS])


def _total_variation(seen: Tensor, what: Corruption | None, seed: int, data: Dataset, device: str) -> Tensor:
    """On the first 1,000 images, for it takes its time; its weight is chosen on validation images."""
    clean = unit(chosen(data.validation, TV_VALIDATION)[0], device)
    weight = baselines.choose_weight(corrupted(clean, what, seed + 1), clean)
    return torch.as_tensor(baselines.total_variation(seen[:TV_IMAGES], weight), device=device)
