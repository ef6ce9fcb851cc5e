"""How close outputs come to clean images."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from autoencoders.measurements.common import (
    Measured,
    along_directions,
    as_bytes,
    chosen,
    corrupted,
    fitted_linear_vae,
    fitted_pca,
    row,
    to_unit_range,
)
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Baseline, Corruption, Disturbance, Gaussian, Input, PatchMask, describe
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from autoencoders.data import Dataset
    from autoencoders.evaluation import baselines

SLOW_IMAGES, SLOW_VALIDATION = 1000, 100  # what takes its time is measured and tuned on so many images
DIRECTIONS = 1024  # of CIFAR-10's 3,072: to keep no more would still give 36.5 dB on clean images


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Measurement):
    """How far each output is from the clean image, over all of it and over the part that was hidden."""

    input: Corruption | Disturbance | PatchMask | None = None
    split: Literal["validation", "test"] = "test"
    images: int | None = None  # the first so many of a fixed order; None: all
    examples: int = 32  # outputs kept for the pictures
    seed: int = 1_000_003  # evaluation noise is never training noise

    @property
    def label(self) -> str:
        return f"{self.split} {describe(self.input)}"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        import numpy as np

        from autoencoders.evaluation import metrics

        images, _ = chosen(data.test if self.split == "test" else data.validation, self.images)
        clean = to_unit_range(images, device)
        seen, hidden, output = shown_and_made(subject, clean, self.input, self.seed, data, device)
        regions = {"all": None} if hidden is None else {"all": None, "masked": hidden}
        arrays: dict[str, np.ndarray] = {}
        rows = []
        for region, mask in regions.items():
            per_image = metrics.compare(clean[: len(output)], output, mask)
            arrays |= {f"{region}/{metric}": values.astype(np.float32) for metric, values in per_image.items()}
            summary = metrics.summarise(per_image)
            rows += [row(self.input, metric, value, region, self.split) for metric, value in summary.items()]
        pictures = {"clean": clean, "seen": seen, "output": output}
        arrays |= {f"examples/{name}": as_bytes(part[: self.examples]) for name, part in pictures.items()}
        return Artifact(arrays, {"rows": rows})


def shown_and_made(
    subject: Measured, clean: Tensor, what: Input, seed: int, data: Dataset, device: str
) -> tuple[Tensor, Tensor | None, Tensor]:
    """What a person is shown as the input, what of it is hidden, and the output. Hidden patches are in grey."""
    from autoencoders import models

    if isinstance(what, PatchMask):
        assert isinstance(subject, models.Masked), "only masked models hide patches"
        hidden = models.draw_masks(subject, len(clean), what.ratio, seed).to(device)
        return clean.masked_fill(hidden, 0.5), hidden, models.reconstruct(subject, clean, mask=hidden)
    seen = corrupted(clean, what, seed)
    if isinstance(subject, Baseline):
        return seen, None, _baseline(subject, seen, what, seed, data, device)
    return seen, None, models.reconstruct(subject, seen)


def _baseline(
    subject: Baseline, seen: Tensor, what: Corruption | Disturbance | None, seed: int, data: Dataset, device: str
) -> Tensor:
    from autoencoders.evaluation import baselines

    match subject.method:
        case "input":
            return seen
        case "mean":
            return seen.new_tensor(baselines.mean_image(data.train.images)).expand(seen.shape)
        case "pca":
            return fitted_pca(data, device).reconstruct(seen, subject.size)
        case "ppca" | "linear-vae":
            return fitted_linear_vae(subject, data, device).reconstruct(seen).clamp(0, 1)
        case "ridge":
            known = what if subject.sigma is None else Gaussian(subject.sigma)
            return fitted_ridge(known, data, device).denoise(seen)
        case "tv" | "nlm":
            return _slow_denoiser(subject, seen, what, seed, data, device)
    raise ValueError(f"{subject.name} reconstructs nothing")


@functools.lru_cache(maxsize=1)  # one that is fitted to one level is asked about several
def fitted_ridge(what: Corruption | Disturbance | None, data: Dataset, device: str) -> baselines.LinearDenoiser:
    from autoencoders import corruption
    from autoencoders.evaluation import baselines

    if isinstance(what, Disturbance):
        raise ValueError("a linear denoiser is fitted to noise")
    return baselines.fit_linear_denoiser(
        along_directions(data, device, DIRECTIONS),
        data.validation.images.to(device),
        lambda images, generator: corruption.corrupt(images, what, generator),
    )


def _slow_denoiser(
    subject: Baseline, seen: Tensor, what: Corruption | Disturbance | None, seed: int, data: Dataset, device: str
) -> Tensor:
    """Total variation or non-local means of the first 1,000 images; its strength is chosen on validation images."""
    from autoencoders.evaluation import baselines

    clean = to_unit_range(chosen(data.validation, SLOW_VALIDATION)[0], device)
    noisy, few = corrupted(clean, what, seed + 1), seen[:SLOW_IMAGES]
    if subject.method == "tv":
        return seen.new_tensor(baselines.total_variation(few, baselines.choose_weight(noisy, clean)))
    return seen.new_tensor(baselines.non_local_means(few, baselines.choose_similarity(noisy, clean)))
