"""Study C's autoencoder."""

from __future__ import annotations

from torch import Tensor, nn

from autoencoders.models.base import Autoencoder, Shape, centred, require, uncentred
from autoencoders.studies.compact.plan import CompactAE


class CompactAutoencoder(Autoencoder):
    """Study C: two 3×3 layers each way, stride 1, no padding; about 1,600 parameters at 8 channels."""

    def __init__(self, spec: CompactAE, shape: Shape):
        super().__init__(shape)
        require(spec.channels >= 1, "the compact autoencoder needs at least 1 channel")
        require(min(shape[1:]) >= 5, "the compact autoencoder's two layers need images of at least 5×5 pixels")
        channels, width = shape[0], spec.channels
        self.encoder = nn.Sequential(nn.Conv2d(channels, width, 3), nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU())
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(width, width, 3), nn.ReLU(), nn.ConvTranspose2d(width, channels, 3)
        )

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(centred(images))

    def decode(self, latent: Tensor) -> Tensor:
        return uncentred(self.decoder(latent))
