"""What a subject's latents are worth as a code: images from latents in few bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from autoencoders.measurements.common import Measured, chosen, features_of, fitted_pca, resampled, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Baseline
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from autoencoders.data import Dataset

    Decode: TypeAlias = Callable[[Tensor], Tensor]

PROBED = 16  # training latents at which the influence of each number is measured


@dataclass(frozen=True, kw_only=True)
class Compression(Measurement):
    """PSNR of images decoded from rounded latents, and the bits that these take, by the coarseness of the rounding.

    A step is the length by which rounding may move an image, all of its numbers together. The PSNR at one budget
    follows from the error interpolated between the two steps whose mean rates lie around it.
    """

    steps: tuple[float, ...] = (4.0, 2.0, 1.0, 0.5, 0.25)
    budget: int = 256  # bits an image
    images: int = 2000
    fitted: int = 5000  # training images whose latents say how often each code occurs

    @property
    def label(self) -> str:
        return f"quantised latents, {self.budget} bits"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        import numpy as np

        from autoencoders.evaluation import metrics, quantisation

        clean = to_unit_range(chosen(data.test, self.images)[0], device)
        known, latents = (
            features_of(subject, images, "latent", data, device)
            for images in (to_unit_range(chosen(data.train, self.fitted)[0], device), clean)
        )
        decode = _decoder(subject, data, device)
        influence = quantisation.influences(decode, known[:PROBED], known.std(0, correction=0))
        arrays: dict[str, np.ndarray] = {}
        errors, bits = [], []
        for step in self.steps:
            quantiser = quantisation.fit_quantiser(known, step / influence)
            codes = quantiser.encode(latents)
            bits.append(quantiser.code_length(codes))
            found = metrics.compare(clean, decode(quantiser.decode(codes)).clamp(0, 1))
            errors.append(found["mse"])
            arrays |= {f"bits:{step:g}": bits[-1], f"psnr:{step:g}": found["psnr"]}
        at = float(np.interp(self.budget, np.mean(bits, 1), np.arange(len(bits))))
        low, high = int(np.floor(at)), int(np.ceil(at))
        arrays["psnr_in_budget"] = metrics.pooled_psnr((high - at) * errors[low] + (1 - high + at) * errors[high])
        return Artifact(arrays, {"rows": [resampled(None, name, values) for name, values in arrays.items()]})


def _decoder(subject: Measured, data: Dataset, device: str) -> Decode:
    """From latents [N, D] to images."""
    from autoencoders import models

    if isinstance(subject, Baseline):
        known = fitted_pca(data, device)
        return lambda latents: known.decode(latents).reshape(len(latents), *data.test.images.shape[1:])
    shape = models.embed(subject, data.test.images[:1]).shape[1:]
    return lambda latents: models.decode(subject, latents.reshape(len(latents), *shape), clipped=False)
