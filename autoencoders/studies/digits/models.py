"""Study A's autoencoder."""

from __future__ import annotations

import math

from torch import Tensor, nn

from autoencoders.models.base import Autoencoder, Shape, require
from autoencoders.studies.digits.plan import DigitAE
from autoencoders.studies.layers import enlarging, halvings


class DigitAutoencoder(Autoencoder):
    """Study A: four stride-2 convolutions and their mirror, with a sigmoid; dropout and batch norm after each layer."""

    FILTERS = (128, 64, 32, 16)
    DARK = -2.5  # before the sigmoid: from mid grey, learning rushes to all black, where a sigmoid has no slope left

    def __init__(self, spec: DigitAE, shape: Shape):
        super().__init__(shape)
        require(0 <= spec.dropout < 1, f"dropout must lie in [0, 1), not {spec.dropout}")
        channels, *size = shape
        widths, sizes = [channels, *self.FILTERS], halvings(size, len(self.FILTERS))

        def finish(width: int) -> list[nn.Module]:
            norm = [nn.BatchNorm2d(width)] if spec.batch_norm else []
            return [*norm, nn.ReLU(), *([nn.Dropout(spec.dropout)] if spec.dropout else [])]

        encoder: list[nn.Module] = []
        decoder: list[nn.Module] = []
        for i in range(len(self.FILTERS)):
            encoder += [nn.Conv2d(widths[i], widths[i + 1], 3, stride=2, padding=1), *finish(widths[i + 1])]
        for i in reversed(range(len(self.FILTERS))):
            decoder += [enlarging(widths[i + 1], widths[i], sizes[i + 1], sizes[i]), *(finish(widths[i]) if i else [])]
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder, nn.Sigmoid())
        layers = [layer for layer in (*encoder, *decoder) if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
        for layer in layers:
            _keep_scale(layer)
        nn.init.constant_(_bias(layers[-1]), self.DARK)

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(images)

    def decode(self, latent: Tensor) -> Tensor:
        return self.decoder(latent).float()


def _keep_scale(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """First weights of a 3×3 layer of stride 2 under which a signal arrives as strong as it came (He et al. 2015)."""
    seen = layer.in_channels * (9 if isinstance(layer, nn.Conv2d) else 9 / 4)  # inputs of an output, on average
    nn.init.normal_(layer.weight, std=math.sqrt(2 / seen))
    nn.init.zeros_(_bias(layer))


def _bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
