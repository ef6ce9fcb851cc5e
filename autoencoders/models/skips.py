"""The autoencoder with skip connections: the spatial one, whose decoder sees the encoder's maps beside the latent.

Nothing has to pass the bottleneck then. The model compresses nothing; it says what a bottleneck costs a denoiser.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autoencoders.models.base import Shape, centred, uncentred
from autoencoders.models.conv import ConvAutoencoder
from autoencoders.specs import ConvAE, SkipAE


class SkipAutoencoder(ConvAutoencoder):
    """The map before each of the encoder's blocks and after the last is added to the decoder's at the mirrored place.

    Each channel that is handed over has a weight, which starts at zero: first the model is the one without. What is
    handed over is the latent, all maps one after the other.
    """

    def __init__(self, spec: SkipAE, shape: Shape):
        super().__init__(ConvAE(bottleneck="spatial", latent=spec.latent, width=spec.width, depth=spec.depth), shape)
        self.sizes = (spec.latent, *[2 * spec.width] * (spec.depth + 1))
        self.weights = nn.ParameterList(torch.zeros(1, size, 1, 1) for size in self.sizes[1:])

    def encode(self, images: Tensor) -> Tensor:
        maps = [centred(images)]
        for layer in self.encoder:
            maps.append(layer(maps[-1]))
        return torch.cat([self.to_latent(maps[-1]), *maps[-len(self.weights) :]], dim=1)

    def decode(self, latent: Tensor) -> Tensor:
        narrow, *maps = latent.split(self.sizes, dim=1)
        handed_over = [weight * each for weight, each in zip(self.weights, reversed(maps), strict=True)]
        layers, x = list(self.decoder), self.from_latent(narrow)
        for layer in layers[: -len(handed_over)]:
            x = layer(x)
        for layer, each in zip(layers[-len(handed_over) :], handed_over, strict=True):
            x = layer(x + each)
        return uncentred(x)
