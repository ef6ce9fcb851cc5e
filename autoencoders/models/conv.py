"""The autoencoder (AE), and the denoising one (DAE): the same model, trained on noisy inputs.

Encoder: a convolution turns 4×4 pixels into one cell of a map, residual blocks refine the map, and a last convolution
reduces it to the latent: to a vector, with one kernel over the whole map, or to a map of few channels. The decoder is
the mirror of that, of transposed convolutions. The loss is the mean squared error to the clean image.

Before the first step the model is a linear one: each patch is estimated by ridge regression from the window around it,
and the latent holds the principal directions of the estimates. Trained on clean images, this is PCA.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from autoencoders.models import start
from autoencoders.models.base import Autoencoder, Layer, Shape, centred, grid_of, require, uncentred
from autoencoders.models.blocks import CELL, WINDOW, ConvDecoder, ConvEncoder, PatchTranspose
from autoencoders.specs import ConvAE


class ConvAutoencoder(Autoencoder):
    """Convolutions down to a vector or to a map; transposed convolutions back."""

    def __init__(self, spec: ConvAE, shape: Shape):
        super().__init__(shape)
        require(spec.latent >= 1 and spec.width >= 1, "an autoencoder's latent and width must be at least 1")
        require(spec.depth >= 0, "an autoencoder's depth can't be negative")
        grid = grid_of(shape, CELL, "the convolutional autoencoder")
        self.kernel = kernel = grid if spec.bottleneck == "vector" else (1, 1)
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

    def trunk(self) -> list[Layer]:
        return [self.encoder.stem, self.to_latent, self.from_latent, self.decoder.output]

    def start(self, clean: Tensor, noisy: Tensor) -> None:
        clean, noisy = centred(clean), centred(noisy)
        read, draw = start.denoise_patches(clean, noisy, CELL, WINDOW, self.from_latent.out_channels)
        maps = (F.conv2d(clean, draw, stride=CELL), F.conv2d(noisy, read, stride=CELL, padding=(WINDOW - CELL) // 2))
        narrow, widen = start.compress(*maps, self.kernel, self.to_latent.out_channels)
        for layer, kernels in zip(self.trunk(), (read, narrow, widen, draw), strict=True):
            start.place(layer, kernels)
