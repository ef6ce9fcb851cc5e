"""The autoencoder, and the denoising one: the same model, trained on noisy inputs."""

from __future__ import annotations

from torch import Tensor, nn

from autoencoders.models.base import (
    Autoencoder,
    ConvDecoder,
    ConvEncoder,
    PatchTranspose,
    Shape,
    centred,
    grid_of,
    require,
    uncentred,
)
from autoencoders.specs import ConvAE


class ConvAutoencoder(Autoencoder):
    """Convolutions down to a vector or to a map of few channels; transposed convolutions back."""

    def __init__(self, spec: ConvAE, shape: Shape):
        super().__init__(shape)
        require(spec.latent >= 1 and spec.width >= 1, "an autoencoder's latent and width must be at least 1")
        require(spec.depth >= 0, "an autoencoder's depth can't be negative")
        grid = grid_of(shape, 4, "the convolutional autoencoder")
        kernel = grid if spec.bottleneck == "vector" else (1, 1)  # one kernel over the whole map makes a vector of it
        self.vector = spec.bottleneck == "vector"
        self.encoder = ConvEncoder(shape[0], spec.width, spec.depth)
        self.to_latent = nn.Conv2d(2 * spec.width, spec.latent, kernel)
        self.from_latent = PatchTranspose(spec.latent, 2 * spec.width, kernel)
        self.decoder = ConvDecoder(shape[0], spec.width, spec.depth)

    def encode(self, images: Tensor) -> Tensor:
        latent = self.to_latent(self.encoder(centred(images)))
        return latent.flatten(1) if self.vector else latent

    def feature_map(self, images: Tensor) -> Tensor:
        return self.encoder(centred(images)) if self.vector else self.encode(images)

    def decode(self, latent: Tensor) -> Tensor:
        latent = latent[:, :, None, None] if self.vector else latent
        return uncentred(self.decoder(self.from_latent(latent)))
