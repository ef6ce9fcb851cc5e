"""The linear denoiser, small enough for a browser: along few directions, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autoencoders.measurements.common import chosen, corrupted, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.reconstruction import fitted_ridge
from autoencoders.specs import Baseline, Gaussian
from autoencoders.store import Artifact

if TYPE_CHECKING:
    from torch import Tensor

    from autoencoders.data import Dataset
    from autoencoders.evaluation import baselines


@dataclass(frozen=True, kw_only=True)
class LinearProgram(Measurement):
    """The linear denoiser of each level along the leading principal components, in half precision.

    ``meta["decibels"]`` holds the mean PSNR of validation images at each level: of the whole denoiser, and of this.
    """

    components: int = 160
    sigmas: tuple[float, ...] = (0.1, 0.3, 0.5)
    images: int = 500
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"{self.components} directions"

    def measure(self, subject: Baseline, data: Dataset, device: str) -> Artifact:
        import numpy as np

        clean = to_unit_range(chosen(data.validation, self.images)[0], device)
        kept, decibels = [], []
        for sigma in self.sigmas:
            whole = fitted_ridge(Gaussian(sigma), data, device)
            kept.append(self._reduced(whole))
            seen = corrupted(clean, Gaussian(sigma), self.seed)
            decibels.append([_decibels(clean, each.denoise(seen)) for each in (whole, kept[-1])])
        arrays = {
            "mean": kept[0].clean,
            "basis": kept[0].basis,
            "seen": np.stack([each.seen for each in kept]),
            "weights": np.stack([each.weight for each in kept]),
        }
        halves = {name: array.astype(np.float16) for name, array in arrays.items()}
        return Artifact(halves, {"sigmas": list(self.sigmas), "decibels": decibels})

    def _reduced(self, whole: baselines.LinearDenoiser) -> baselines.LinearDenoiser:
        few = slice(self.components)
        return replace(whole, seen=whole.seen[few], weight=whole.weight[few, few], basis=whole.basis[few])


def _decibels(clean: Tensor, made: Tensor) -> float:
    """The mean of the images' PSNR."""
    return float(-10 * (made - clean).square().flatten(1).mean(1).clamp(min=1e-10).log10().mean())
