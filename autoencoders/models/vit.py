"""A small ViT masked autoencoder (He et al. 2022): the control that sees the whole image from its first layer on.

Patches become tokens with fixed positions. The encoder is handed the visible ones only; a learned token stands for the
hidden ones, and a light decoder turns all tokens into pixels. Loss and masks are those of all masked models.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from autoencoders.models.base import Shape, centred, require, uncentred
from autoencoders.models.blocks import PatchTranspose
from autoencoders.models.masked import Masked
from autoencoders.specs import ViTMAE


class ViTMaskedAutoencoder(Masked):
    """Transformer blocks over the visible patches, and fewer of them over all patches."""

    def __init__(self, spec: ViTMAE, shape: Shape):
        super().__init__(shape, spec.patch, spec.ratio, spec.masked_weight)
        require(spec.dim % 4 == 0, f"the ViT's dim must be a multiple of 4, not {spec.dim}")
        require(spec.heads >= 1 and spec.dim % spec.heads == 0, f"{spec.heads} heads can't share {spec.dim} dimensions")
        require(spec.depth >= 1 and spec.decoder_depth >= 0, "the ViT's encoder needs at least one block")
        channels, dim = shape[0], spec.dim
        self.embedding = nn.Conv2d(channels, dim, spec.patch, stride=spec.patch)
        self.positions: Tensor
        self.register_buffer("positions", _positions(self.grid, dim), persistent=False)
        self.blocks = nn.Sequential(*(Block(dim, spec.heads) for _ in range(spec.depth)), nn.LayerNorm(dim))
        self.token = nn.Parameter(torch.zeros(1, 1, dim))
        self.decoder = nn.Sequential(*(Block(dim, spec.heads) for _ in range(spec.decoder_depth)), nn.LayerNorm(dim))
        self.to_pixels = PatchTranspose(dim, channels, spec.patch)

    def encode(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        tokens = self.embedding(centred(images)).flatten(2).transpose(1, 2) + self.positions
        if mask is None:
            return self._as_map(self.blocks(tokens))
        visible = _visible(mask)[:, :, None].expand(-1, -1, tokens.shape[2])
        encoded = self.blocks(tokens.gather(1, visible))
        everywhere = self.token.to(encoded.dtype).expand(tokens.shape)
        return self._as_map(everywhere.scatter(1, visible, encoded))

    def decode(self, latent: Tensor) -> Tensor:
        tokens = latent.flatten(2).transpose(1, 2) + self.positions
        return uncentred(self.to_pixels(self._as_map(self.decoder(tokens))))

    def _as_map(self, tokens: Tensor) -> Tensor:
        return tokens.transpose(1, 2).unflatten(2, self.grid)


def _visible(mask: Tensor) -> Tensor:
    """Indices [N, n] of the patches that aren't hidden, in reading order; each image must hide equally many."""
    flat = mask.flatten(1)
    hidden = flat.sum(dim=1).tolist() if len(flat) else [0]
    require(len(set(hidden)) == 1, "the images of a batch must have equally many hidden patches")
    return flat.int().argsort(dim=1, stable=True)[:, : flat.shape[1] - int(hidden[0])]


def _positions(grid: tuple[int, int], dim: int) -> Tensor:
    """Fixed sine and cosine positions [1, h·w, dim], a quarter each of sin y, cos y, sin x, cos x."""
    frequencies = 100.0 ** -(torch.arange(dim // 4) / (dim // 4))
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    angles = [places.reshape(-1, 1) * frequencies for places in (rows, columns)]
    return torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], dim=1)[None]


class Block(nn.Module):
    """A transformer block: attention between all tokens, then a layer for each token alone."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm, self.qkv, self.merge = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        # On a CPU this is faster than the fused attention
        attention = (q @ k.transpose(2, 3) / math.sqrt(q.shape[3])).softmax(dim=3)
        x = x + self.merge((attention @ v).transpose(1, 2).flatten(2))
        return x + self.mlp(x)
