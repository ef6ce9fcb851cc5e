"""Study B's autoencoder."""

from __future__ import annotations

from torch import Tensor, nn

from autoencoders.models.base import Autoencoder, Shape, centred, require, uncentred
from autoencoders.models.blocks import PatchTranspose
from autoencoders.studies.layers import enlarging, halvings
from autoencoders.studies.transfer.plan import SweepAE


class SweepAutoencoder(Autoencoder):
    """Study B: three hidden stride-2 layers each way around a vector of any size."""

    FILTERS = (32, 64, 128)

    def __init__(self, spec: SweepAE, shape: Shape):
        super().__init__(shape)
        require(spec.bottleneck >= 1, "a bottleneck has at least 1 dimension")
        channels, *size = shape
        widths, sizes = [channels, *self.FILTERS], halvings(size, len(self.FILTERS))
        encoder: list[nn.Module] = []
        decoder: list[nn.Module] = []
        for i in range(len(self.FILTERS)):
            encoder += [nn.Conv2d(widths[i], widths[i + 1], 3, stride=2, padding=1), nn.GELU()]
        for i in reversed(range(len(self.FILTERS))):
            decoder += [nn.GELU(), enlarging(widths[i + 1], widths[i], sizes[i + 1], sizes[i])]
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder)
        self.to_latent = nn.Conv2d(widths[-1], spec.bottleneck, sizes[-1])
        self.from_latent = PatchTranspose(spec.bottleneck, widths[-1], sizes[-1])

    def encode(self, images: Tensor) -> Tensor:
        return self.to_latent(self.feature_map(images)).flatten(1)

    def feature_map(self, images: Tensor) -> Tensor:
        return self.encoder(centred(images))

    def decode(self, latent: Tensor) -> Tensor:
        return uncentred(self.decoder(self.from_latent(latent[:, :, None, None])))
