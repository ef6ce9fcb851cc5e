"""SSIM of a whole test set at once against scikit-image, image by image, on one thread each; and how far they agree."""

from __future__ import annotations

import numpy as np
import torch
from skimage.metrics import structural_similarity
from timing import in_turn, seconds, tell

from autoencoders import machine
from autoencoders.evaluation import metrics

IMAGES, BY_HAND = 10_000, 500


def ours(clean: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    parts = zip(clean.split(metrics.BATCH), made.split(metrics.BATCH), strict=True)
    return torch.cat([metrics.ssim(*pair) for pair in parts])


def scikit_image(clean: np.ndarray, made: np.ndarray) -> np.ndarray:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    return np.array([structural_similarity(a, b, channel_axis=0, **options) for a, b in zip(clean, made, strict=True)])


def main() -> None:
    torch.set_num_threads(1)
    machine.keep_freed_memory()  # as whatever measures does
    generator = torch.Generator().manual_seed(0)
    clean = torch.rand(IMAGES, 3, 32, 32, generator=generator)
    made = (clean + 0.1 * torch.randn(clean.shape, generator=generator)).clamp(0, 1)
    few = clean[:BY_HAND].numpy(), made[:BY_HAND].numpy()
    speeds = in_turn(
        {
            "ours": lambda: IMAGES / seconds(lambda: ours(clean, made)),
            "scikit-image": lambda: BY_HAND / seconds(lambda: scikit_image(*few)),
        }
    )
    apart = np.abs(ours(clean[:BY_HAND], made[:BY_HAND]).numpy() - scikit_image(*few)).max()
    tell(
        "evaluation",
        images_per_second={name: round(speed) for name, speed in speeds.items()},
        ratio=round(speeds["ours"] / speeds["scikit-image"], 1),
        largest_difference=float(apart),
    )


if __name__ == "__main__":
    main()
