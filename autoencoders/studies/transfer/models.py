"""Study B's autoencoder."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from autoencoders.models import start
from autoencoders.models.base import Autoencoder, Layer, Shape, centred, require, uncentred
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
        self.grid = sizes[-1]
        self.to_latent = nn.Conv2d(widths[-1], spec.bottleneck, self.grid)
        self.from_latent = PatchTranspose(spec.bottleneck, widths[-1], self.grid)

    def encode(self, images: Tensor) -> Tensor:
        return self.to_latent(self.feature_map(images)).flatten(1)

    def feature_map(self, images: Tensor) -> Tensor:
        return self.encoder(centred(images))

    def decode(self, latent: Tensor) -> Tensor:
        return uncentred(self.decoder(self.from_latent(latent[:, :, None, None])))

    def trunk(self) -> list[Layer]:
        return [*self.down, *self.up, self.to_latent, self.from_latent]

    def start(self, clean: Tensor, noisy: Tensor) -> None:
        """As PCA: each layer passes on the principal directions of its cells, and activations leave all as it is."""
        clean, noisy = centred(clean), centred(noisy)
        for index, (down, up) in enumerate(zip(self.down, self.up, strict=True)):
            kernels = start.halve(clean, down.out_channels // 2)
            clean, noisy = (F.conv2d(maps, kernels, stride=2, padding=1) for maps in (clean, noisy))
            for layer in (down, up):
                start.place(layer, kernels, paired=(True, index > 0))
        narrow, widen = start.compress(clean, noisy, self.grid, self.to_latent.out_channels)
        start.place(self.to_latent, narrow, paired=(False, True))
        start.place(self.from_latent, widen, paired=(False, True))

    @property
    def down(self) -> list[nn.Conv2d]:
        return [layer for layer in self.encoder if isinstance(layer, nn.Conv2d)]

    @property
    def up(self) -> list[nn.ConvTranspose2d]:
        """From the image's side on: the mirrors of `down`, in its order."""
        return [layer for layer in reversed(self.decoder) if isinstance(layer, nn.ConvTranspose2d)]
