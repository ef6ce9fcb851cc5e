"""What an autoencoder is. An architecture defines ``encode`` and ``decode``, and its own ``losses`` if it has some."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autoencoders.errors import InputError

Shape = tuple[int, int, int]  # channels, height, width
Layer = nn.Conv2d | nn.ConvTranspose2d
Terms = dict[str, Tensor]  # "loss" is minimised; the others, "error" among them, are reported beside it


class Autoencoder(nn.Module):
    """Images in [0, 1] to a latent and back; by default it learns by the mean squared error to the clean image."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape

    def encode(self, images: Tensor) -> Tensor:
        """The latent: a vector [N, D] or a map [N, C, h, w]."""
        raise NotImplementedError

    def feature_map(self, images: Tensor) -> Tensor:
        """The encoder's last spatial map [N, C, h, w]; by default the latent, a vector as a map of one cell."""
        latent = self.encode(images)
        return latent if latent.ndim == 4 else latent[:, :, None, None]

    def decode(self, latent: Tensor) -> Tensor:
        """Images from latents; values may leave [0, 1] a little."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """The reconstruction."""
        return self.decode(self.encode(images))

    def losses(self, clean: Tensor, noisy: Tensor, generator: torch.Generator, kl_weight: float = 1.0) -> Terms:
        """The loss and its terms, in fp32 whatever the forward pass ran in."""
        error = F.mse_loss(self(noisy).float(), clean)
        return {"loss": error, "error": error}

    def trunk(self) -> list[Layer]:
        """The layers whose first weights `start` computes, if any: they learn at a smaller rate than random ones."""
        return []

    def start(self, clean: Tensor, noisy: Tensor) -> None:
        """Set first weights from training images and what the model gets to see of them; by default they are random."""

    def settle(self, averages: Callable[[], Mapping[str, float]]) -> None:
        """Set what finished weights decide, after the last step; ``averages()`` are the terms' over training images."""


def require(condition: bool, message: str) -> None:
    """Refuse a spec or an input that makes no sense, in one clear line."""
    if not condition:
        raise InputError(message)


def centred(images: Tensor) -> Tensor:
    """Shift [0, 1] to [-1, 1]: a network learns faster on inputs around zero."""
    return images * 2 - 1


def uncentred(output: Tensor) -> Tensor:
    """Shift back from [-1, 1], in fp32: bf16 has too few digits for a picture."""
    return output.float() * 0.5 + 0.5


def grid_of(shape: Shape, cell: int, what: str) -> tuple[int, int]:
    """Count the cells of so many pixels that an image has each way; refuse images that they don't fill."""
    _, height, width = shape
    require(
        min(height, width) >= cell and height % cell == width % cell == 0,
        f"{what} needs images whose sides are multiples of {cell} pixels, not {height}×{width}",
    )
    return height // cell, width // cell


def upsample(mask: Tensor, factor: int) -> Tensor:
    """Enlarge masks [N, 1, h, w]: each cell becomes factor × factor cells."""
    return mask.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
