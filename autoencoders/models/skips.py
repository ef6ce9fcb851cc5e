"""The autoencoder with skip connections: the spatial one, whose decoder sees the encoder's maps beside the latent.

Nothing has to pass the bottleneck then. The model compresses nothing; it says what a bottleneck costs a denoiser.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autoencoders.models.base import Autoencoder, Shape, centred, grid_of, require, uncentred
from autoencoders.models.blocks import ConvDecoder, ConvEncoder
from autoencoders.specs import SkipAE


class SkipAutoencoder(Autoencoder):
    """The map before each of the encoder's blocks and after the last is added to the decoder's at the mirrored place.

    What is handed over is the latent: all maps, one after the other.
    """

    def __init__(self, spec: SkipAE, shape: Shape):
        super().__init__(shape)
        require(min(spec.latent, spec.width) >= 1, "an autoencoder's latent and width must be at least 1")
        require(spec.depth >= 0, "an autoencoder's depth can't be negative")
        grid_of(shape, 4, "the autoencoder with skip connections")
        self.sizes = (spec.latent, *[2 * spec.width] * (spec.depth + 1))
        self.encoder = ConvEncoder(shape[0], spec.width, spec.depth)
        self.to_latent = nn.Conv2d(2 * spec.width, spec.latent, 1)
        self.from_latent = nn.Conv2d(spec.latent, 2 * spec.width, 1)
        self.decoder = ConvDecoder(shape[0], spec.width, spec.depth)

    def encode(self, images: Tensor) -> Tensor:
        stem, activation, *blocks = self.encoder
        maps = [activation(stem(centred(images)))]
        for block in blocks:
            maps.append(block(maps[-1]))
        return torch.cat([self.to_latent(maps[-1]), *maps], dim=1)

    def decode(self, latent: Tensor) -> Tensor:
        activation, *layers = self.decoder
        narrow, *maps = latent.split(self.sizes, dim=1)
        x = activation(self.from_latent(narrow))
        for layer, handed_over in zip(layers, reversed(maps), strict=True):
            x = layer(x + handed_over)
        return uncentred(x)
