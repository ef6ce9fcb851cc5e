"""The parts that several architectures are made of."""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

CELL, WINDOW = 4, 8  # pixels along a side: what becomes one cell of a map, and what is seen for it


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


class WholeMap(nn.Module):
    """A kernel over the whole map, for each channel its own, and a 1×1 layer, beside an identity; as it starts."""

    def __init__(self, width: int, side: int):
        super().__init__()
        self.inner, self.outer = (
            nn.Conv2d(width, width, side, padding=side // 2, groups=width),
            nn.Conv2d(width, width, 1),
        )
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
    """4×4 pixels, seen with their surroundings, become one cell of a map, which residual blocks refine.

    Little runs at full resolution. The trunk is linear, so that a model can start as the best linear one.
    """

    def __init__(self, channels: int, width: int, depth: int):
        stem = nn.Conv2d(channels, 2 * width, WINDOW, stride=CELL, padding=(WINDOW - CELL) // 2)
        super().__init__(stem, *(Residual(2 * width, nn.Conv2d) for _ in range(depth)))

    @property
    def stem(self) -> nn.Conv2d:
        return cast(nn.Conv2d, self[0])


class ConvDecoder(nn.Sequential):
    """The encoder's mirror, of transposed convolutions."""

    def __init__(self, channels: int, width: int, depth: int):
        blocks = (Residual(2 * width, nn.ConvTranspose2d) for _ in range(depth))
        super().__init__(*blocks, PatchTranspose(2 * width, channels, CELL))

    @property
    def output(self) -> PatchTranspose:
        return cast(PatchTranspose, self[-1])
