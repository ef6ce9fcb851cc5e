"""Layers of stride 2 and their mirrors, which two studies build on."""

from __future__ import annotations

from torch import nn


def halvings(size: list[int], times: int) -> list[tuple[int, int]]:
    """The sizes of the maps that stride-2 layers make of an image, the image's own first."""
    sizes = [(size[0], size[1])]
    for _ in range(times):
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


def enlarging(inputs: int, outputs: int, small: tuple[int, int], large: tuple[int, int]) -> nn.ConvTranspose2d:
    """The mirror of a stride-2 layer, back to exactly the size that it had reduced."""
    extra = (large[0] - 2 * small[0] + 1, large[1] - 2 * small[1] + 1)
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=extra)
