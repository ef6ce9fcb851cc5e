"""The masked convolutional autoencoder (MCAE), and what all masked models share.

Patches of the feature maps, all channels, are hidden behind a learned token, and the decoder fills them from what is
visible. One mask, drawn at the scale of a patch, is applied again after each layer whose cells lie within one patch, so
that no convolution fills the holes; the stem sees no more than its own cell, so nothing of a hidden patch leaks out of
it. The loss is the squared error over the whole image, with the masked region weighted up.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autoencoders import corruption
from autoencoders.evaluation.patches import fit_patches
from autoencoders.models import start
from autoencoders.models.base import Autoencoder, Layer, Shape, Terms, centred, grid_of, require, uncentred, upsample
from autoencoders.models.blocks import PatchTranspose, Residual, WholeMap
from autoencoders.specs import MCAE

CELLS = (2, 2, 8)  # pixels along a side of a cell, by layer of the encoder
SCALED = 500  # training images by which filters are brought to one scale


class Masked(Autoencoder):
    """A model with a grid of patches: some are hidden in training, none when embedding."""

    def __init__(self, shape: Shape, patch: int, ratio: float, masked_weight: float):
        super().__init__(shape)
        require(patch >= 1, "a masked patch has at least 1 pixel")
        self.patch, self.ratio, self.masked_weight = patch, ratio, masked_weight
        self.grid = grid_of(shape, patch, f"masking patches of {patch} pixels")
        some = 0 < self.hidden(ratio) < math.prod(self.grid)
        require(some or ratio == 0, f"a ratio of {ratio} hides none or all of the patches")
        require(masked_weight > 0, "the weight of the masked region must be positive")

    def hidden(self, ratio: float) -> int:
        """How many patches of an image a ratio hides."""
        return round(ratio * math.prod(self.grid))

    def draw_mask(self, count: int, generator: torch.Generator, ratio: float | None = None) -> Tensor:
        """Draw masks [count, 1, *grid], true where hidden; at the ratio of the training unless another is given."""
        return corruption.random_mask(count, self.grid, self.ratio if ratio is None else ratio, generator)

    def in_pixels(self, mask: Tensor) -> Tensor:
        """The same masks at the resolution of the images, [N, 1, H, W]."""
        return upsample(mask, self.patch)

    def in_patches(self, pixels: Tensor) -> Tensor:
        """Masks [N, 1, H, W] as masks of patches, each of which must be hidden as a whole or not at all."""
        mask = pixels[:, :, :: self.patch, :: self.patch]
        require(
            pixels.dtype == torch.bool and pixels.shape[1:] == (1, *self.shape[1:]),
            f"a mask is boolean [N, 1, {self.shape[1]}, {self.shape[2]}], not {pixels.dtype} {list(pixels.shape)}",
        )
        require(torch.equal(self.in_pixels(mask), pixels), f"a mask must hide whole patches of {self.patch} pixels")
        return mask

    def forward(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """The reconstruction, from visible patches only where there is a mask."""
        return self.decode(self.encode(images, mask))

    def encode(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """The latent map; with a mask, the hidden patches have no influence on it."""
        raise NotImplementedError

    def losses(self, clean: Tensor, noisy: Tensor, generator: torch.Generator, kl_weight: float = 1.0) -> Terms:
        """Squared error over the whole image, the masked region weighted up: comparable with the AE's and the VAE's.

        At a ratio of 0, a control, nothing is hidden, and the error is the loss.
        """
        if self.ratio == 0:
            return super().losses(clean, noisy, generator)
        mask = self.draw_mask(len(clean), generator)
        squared = (self(noisy, mask) - clean).square().mean(dim=1, keepdim=True)
        share = self.hidden(self.ratio) / math.prod(self.grid)  # the same for each image
        masked = (squared * self.in_pixels(mask)).mean() / share
        error = squared.mean()
        visible = (error - share * masked) / (1 - share)
        loss = (self.masked_weight * share * masked + (1 - share) * visible) / (
            self.masked_weight * share + (1 - share)
        )
        return {"loss": loss, "masked": masked, "visible": visible, "error": error}


class MaskedAutoencoder(Masked):
    """Convolutions at two scales; the maps whose cells lie within a patch have a token each.

    The second layer sees 6×6 pixels. It starts with random whitened patches of training images for filters, since the
    error of pixels, most of whose variance is coarse, would teach it fine structure only slowly.
    """

    def __init__(self, spec: MCAE, shape: Shape):
        super().__init__(shape, spec.patch, spec.ratio, spec.masked_weight)
        require(spec.width >= 2 and spec.depth >= 0, "the masked autoencoder's width must be at least 2, its depth 0")
        require(spec.patch in (2, 4, 8), f"the masked autoencoder hides patches of 2, 4 or 8 pixels, not {spec.patch}")
        grid_of(shape, 8, "the masked autoencoder")
        channels, width = shape[0], spec.width
        whole, many, last = 4 * channels, 3 * width, 3 * width - 4
        self.stem = nn.Conv2d(channels, whole, 2, stride=2)  # 2×2 pixels in a cell, with as many numbers as they have
        self.filters = nn.Conv2d(whole, many, 3, padding=1)
        self.head = nn.Conv2d(many, last, 6, stride=4, padding=1)  # 8×8 pixels in a cell
        masked = [c for c, cell in zip((whole, many, last), CELLS, strict=True) if cell <= spec.patch]
        self.tokens = nn.ParameterList(nn.Parameter(torch.zeros(1, c, 1, 1)) for c in masked)
        side = 2 * max(shape[1:]) // 8 - 1  # of a kernel that reaches from one end of the map to the other
        self.decoder = nn.Sequential(
            *([WholeMap(last, side)] if spec.far else []),
            nn.ConvTranspose2d(last, 2 * width, 6, stride=2, padding=2),
            *(Residual(2 * width, nn.ConvTranspose2d) for _ in range(spec.depth)),
            PatchTranspose(2 * width, channels, 4),
        )

    def encode(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        def hide(x: Tensor, layer: int) -> Tensor:
            if mask is None or layer >= len(self.tokens):
                return x
            cells = upsample(mask, self.patch // CELLS[layer])
            return torch.where(cells, self.tokens[layer].to(x.dtype), x)

        x = hide(self.stem(centred(images)), 0)
        x = hide(F.gelu(self.filters(x)), 1)
        return hide(F.gelu(self.head(x)), 2)

    def decode(self, latent: Tensor) -> Tensor:
        return uncentred(self.decoder(latent))

    def trunk(self) -> list[Layer]:
        return [self.stem, self.filters]

    def start(self, clean: Tensor, noisy: Tensor) -> None:
        cells = self.stem.out_channels
        start.place(self.stem, torch.eye(cells, device=clean.device).unflatten(1, (self.shape[0], 2, 2)))
        patches = fit_patches(clean).filters[: self.filters.out_channels]
        responses = F.conv2d(centred(clean[:SCALED]), patches, stride=2).std((0, 2, 3)).clamp(min=1e-6)
        start.place(self.filters, F.unfold(patches / responses[:, None, None, None], 2, stride=2).unflatten(2, (3, 3)))
