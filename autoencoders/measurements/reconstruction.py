"""How close outputs come to clean images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autoencoders import config, corruption, models
from autoencoders.data import Dataset
from autoencoders.evaluation import baselines, metrics
from autoencoders.measurements.common import Subject, as_bytes, chosen, corrupted, fitted_pca, row, unit
from autoencoders.store import Artifact


def reconstruction(spec: config.Reconstruction, subject: Subject, data: Dataset, device: str) -> Artifact:
    """How far each output is from the clean image, over all of it and over the part that was hidden."""
    images, _ = chosen(data.test if spec.split == "test" else data.validation, spec.images)
    clean = unit(images, device)
    regions: dict[str, Tensor | None] = {"all": None}
    seen = clean
    if isinstance(spec.input, config.PatchMask):
        regions["masked"] = hidden = models.draw_masks(subject, len(clean), spec.input.ratio, spec.seed).to(device)
        output = models.reconstruct(subject, clean, mask=hidden)
    else:
        seen = corrupted(clean, spec.input, spec.seed)
        output = _output(subject, seen, spec, data, device)
    arrays, rows = {}, []
    for region, mask in regions.items():
        per_image = metrics.compare(clean[: len(output)], output, mask)
        arrays |= {f"{region}/{metric}": values.astype(np.float32) for metric, values in per_image.items()}
        figures = metrics.summarise(per_image)
        rows += [row(spec.input, metric, figure, region, spec.split) for metric, figure in figures.items()]
    arrays |= {
        f"examples/{name}": as_bytes(part[: spec.examples])
        for name, part in {"clean": clean, "seen": _shown(seen, regions.get("masked")), "output": output}.items()
    }
    return Artifact(arrays, {"rows": rows})


def _shown(seen: Tensor, hidden: Tensor | None) -> Tensor:
    """What a person is shown as the input: hidden patches in mid-grey."""
    return seen if hidden is None else torch.where(hidden, 0.5, seen)


def _output(subject: Subject, seen: Tensor, spec: config.Reconstruction, data: Dataset, device: str) -> Tensor:
    if not isinstance(subject, config.Baseline):
        return models.reconstruct(subject, seen)
    match subject.method:
        case "input":
            return seen
        case "mean":
            return torch.as_tensor(baselines.mean_image(data.train.images), device=device).expand(seen.shape)
        case "pca":
            return fitted_pca(data, device).reconstruct(seen, subject.size)
        case "ridge":
            return _ridge(seen, spec, data, device)
        case "tv":
            return _total_variation(seen, spec, data, device)
    raise ValueError(f"{subject.name} reconstructs nothing")


def _ridge(seen: Tensor, spec: config.Reconstruction, data: Dataset, device: str) -> Tensor:
    train, validation = data.train.images.to(device), data.validation.images.to(device)
    fitted = baselines.fit_linear_denoiser(
        train, validation, lambda images, generator: corruption.corrupt(images, spec.input, generator)
    )
    return fitted.denoise(seen)


def _total_variation(seen: Tensor, spec: config.Reconstruction, data: Dataset, device: str) -> Tensor:
    """On the first 1,000 images, for it takes its time; its weight is chosen on validation images."""
    clean = unit(chosen(data.validation, config.TV_VALIDATION)[0], device)
    weight = baselines.choose_weight(corrupted(clean, spec.input, spec.seed + 1), clean)
    return torch.as_tensor(baselines.total_variation(seen[: config.TV_IMAGES], weight), device=device)
