"""What all architectures share: what an autoencoder is, and the parts that several are made of."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autoencoders.errors import InputError

Shape = tuple[int, int, int]  # channels, height, width


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
        """The encoder's last spatial map [N, C, h, w]; the latent itself where that is a map."""
        return self.encode(images)

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


def require(condition: bool, message: str) -> None:
    if not condition:
        raise InputError(message)


def centred(images: Tensor) -> Tensor:
    """[0, 1] to [-1, 1]: a network learns faster on inputs around zero."""
    return images * 2 - 1


def uncentred(output: Tensor) -> Tensor:
    """Back from [-1, 1], in fp32: bf16 has too few digits for a picture."""
    return output.float() * 0.5 + 0.5


class Residual(nn.Module):
    """A 3×3 and a 1×1 layer beside an identity; it starts as the identity, so depth never slows the first epochs."""

    def __init__(self, width: int, layer: type[nn.Conv2d | nn.ConvTranspose2d]):
        super().__init__()
        self.inner, self.outer = layer(width, width, 3, padding=1), layer(width, width, 1)
        nn.init.zeros_(self.outer.weight)
        assert self.outer.bias is not None
        nn.init.zeros_(self.outer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(F.gelu(self.inner(x)))


class PatchTranspose(nn.ConvTranspose2d):
    """A transposed convolution whose stride is its kernel: as each cell makes a patch of its own, one matrix product
    does it, several times faster on a CPU."""

    def __init__(self, inputs: int, outputs: int, patch: int | tuple[int, int]):
        super().__init__(inputs, outputs, patch, stride=patch)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        (count, inputs, height, width), (rows, columns) = x.shape, self.kernel_size
        assert self.bias is not None
        weight, bias = self.weight.permute(2, 3, 1, 0).reshape(-1, inputs), self.bias.repeat(rows * columns)
        patches = F.linear(x.permute(0, 2, 3, 1).reshape(-1, inputs), weight, bias)
        pixels = patches.view(count, height, width, rows, columns, self.out_channels).transpose(2, 3)
        return pixels.reshape(count, height * rows, width * columns, self.out_channels).permute(0, 3, 1, 2)


class ConvEncoder(nn.Sequential):
    """4×4 pixels become one cell of a map, which residual blocks refine: little runs at full resolution."""

    def __init__(self, channels: int, width: int, depth: int):
        blocks = [Residual(2 * width, nn.Conv2d) for _ in range(depth)]
        super().__init__(nn.Conv2d(channels, 2 * width, 4, stride=4), nn.GELU(), *blocks)


class ConvDecoder(nn.Sequential):
    """The encoder's mirror, of transposed convolutions."""

    def __init__(self, channels: int, width: int, depth: int):
        blocks = [Residual(2 * width, nn.ConvTranspose2d) for _ in range(depth)]
        super().__init__(nn.GELU(), *blocks, PatchTranspose(2 * width, channels, 4))


def grid_of(shape: Shape, cell: int, what: str) -> tuple[int, int]:
    """How many cells of so many pixels an image has each way."""
    _, height, width = shape
    require(
        min(height, width) >= cell and height % cell == width % cell == 0,
        f"{what} needs images whose sides are multiples of {cell} pixels, not {height}×{width}",
    )
    return height // cell, width // cell
