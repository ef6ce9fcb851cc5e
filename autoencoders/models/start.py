"""First weights from training images: a model begins as the best linear one of its form, and learns what that lacks.

Images are centred at the middle of their range, so that linear maps need no biases: the mean image costs one direction
at most.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autoencoders.models.base import Layer

Kernels = Tensor  # [A, B, h, w], as convolutions and transposed ones keep their weights
RIDGE = 1e-5  # of the mean variance: windows of clean images are nearly dependent
PATCHES = 100_000  # are enough for a few hundred dimensions
EXACT = 2000  # dimensions up to which all directions are computed


def principal(rows: Tensor, count: int) -> Tensor:
    """The leading orthonormal directions [D, count] of rows [N, D]; fewer where there are no more."""
    if rows.shape[1] <= EXACT:
        moments = rows.T @ rows
        try:
            return torch.linalg.eigh(moments)[1].flip(1)[:, :count]
        except torch.linalg.LinAlgError:  # flat images: on some processors it doesn't converge
            return torch.linalg.svd(moments)[0][:, :count]
    return torch.svd_lowrank(rows, q=min(count + 32, *rows.shape), niter=2)[2][:, :count]


def denoise_patches(clean: Tensor, noisy: Tensor, side: int, window: int, count: int) -> tuple[Kernels, Kernels]:
    """Kernels of the ridge regression from windows of noisy images to clean patches, along these patches' principal
    directions; and kernels that draw patches from the estimates."""
    seen, wanted = _windows(noisy, window, side), _windows(clean, side, side)
    moments = seen.T @ seen
    moments.diagonal().add_(RIDGE * moments.diagonal().mean().clamp(min=1e-6))  # grey images have no moments
    directions = principal(wanted, count)
    estimates = torch.linalg.solve(moments, seen.T @ (wanted @ directions))
    channels = clean.shape[1]
    return estimates.T.unflatten(1, (channels, window, window)), directions.T.unflatten(1, (channels, side, side))


def compress(clean: Tensor, noisy: Tensor, kernel: tuple[int, int], size: int) -> tuple[Kernels, Kernels]:
    """Kernels from maps to the principal directions of clean ones, each shrunk as far as noisy ones mislead; and
    kernels that draw maps from these."""
    rows, seen = _windows(clean, kernel, kernel), _windows(noisy, kernel, kernel)
    directions = principal(rows, size)
    wanted, got = rows @ directions, seen @ directions
    shrinkage = (wanted * got).sum(0) / got.square().sum(0).clamp(min=1e-12)
    scale = wanted.square().mean(0).sqrt().clamp(min=1e-6).sqrt()  # half of it on either side of the latent
    kernels = directions.T.unflatten(1, (clean.shape[1], *kernel))
    return kernels * (shrinkage / scale)[:, None, None, None], kernels * scale[:, None, None, None]


def halve(clean: Tensor, count: int) -> Kernels:
    """3×3 kernels from maps to the principal directions of their cells of 2×2, the kernels' last rows and columns."""
    even = F.pad(clean, (0, clean.shape[3] % 2, 0, clean.shape[2] % 2))
    kernels = principal(_windows(even, 2, 2), count).T.unflatten(1, (clean.shape[1], 2, 2))
    return F.pad(kernels, (1, 0, 1, 0))


@torch.no_grad()
def place(layer: Layer, kernels: Kernels, paired: tuple[bool, bool] = (False, False)) -> None:
    """Give a layer these kernels; outputs that they don't make, and inputs that they don't read, stay random.

    Where one side is paired, each of its channels stands twice there, in both halves with opposite signs: then an
    activation between two layers changes nothing, since gelu(x) - gelu(-x) = x, and so it is with a ReLU.
    """
    made = int(isinstance(layer, nn.ConvTranspose2d))  # the axis of a layer's outputs
    rows, columns = (_spans(*sizes) for sizes in zip(layer.weight.shape[:2], kernels.shape[:2], paired, strict=True))
    for span, _ in (rows, columns)[made]:
        layer.weight.transpose(0, made)[span] = 0
    for row, sign in rows:
        for column, other in columns:
            layer.weight[row, column] = sign * other * kernels
    assert layer.bias is not None
    layer.bias.zero_()


def _spans(size: int, used: int, paired: bool) -> list[tuple[slice, float]]:
    """The channels that are used, with their signs."""
    return [(slice(first, first + used), sign) for first, sign in ((0, 1.0), (size // 2, -1.0))[: 1 + paired]]


def _windows(maps: Tensor, size: int | tuple[int, int], stride: int | tuple[int, int]) -> Tensor:
    """Windows of all maps as rows: one around each cell of so many pixels, or some of them if they are very many."""
    padding = (size - stride) // 2 if isinstance(size, int) and isinstance(stride, int) else 0
    rows = F.unfold(maps, size, padding=padding, stride=stride).transpose(1, 2).flatten(0, 1)
    return rows[:: max(1, len(rows) // PATCHES)]
