"""The variational autoencoder (VAE): the vector AE with a normal distribution for a latent (Kingma & Welling 2014).

The encoder gives each latent unit a mean and a variance; the decoder learns from samples, and the KL divergence to the
standard normal prior, weighted by beta, keeps the latents where they can be sampled. The embedding is the mean.

Squared error + beta · KL is the evidence lower bound of a decoder that puts a Gaussian of variance beta / 2 around its
output. Calibrated, the variance is the one under which the batch is likeliest, its mean squared error (Rybkin et al.
2021). The finished model has one variance, for all images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from autoencoders.models.base import Autoencoder, Shape, Terms, centred, grid_of, require, uncentred
from autoencoders.models.blocks import CELL, ConvDecoder, ConvEncoder, PatchTranspose
from autoencoders.specs import VAE


class VariationalAutoencoder(Autoencoder):
    """The vector AE's encoder and decoder around a normal distribution."""

    variance: Tensor  # the decoder's: the mean squared error of training images that are decoded from samples

    def __init__(self, spec: VAE, shape: Shape):
        super().__init__(shape)
        require(spec.latent >= 1 and spec.width >= 1, "a VAE's latent and width must be at least 1")
        require(spec.depth >= 0 and (spec.beta or 0) >= 0, "a VAE's depth and beta can't be negative")
        grid = grid_of(shape, CELL, "the VAE")
        self.latent, self.beta = spec.latent, spec.beta
        self.encoder = ConvEncoder(shape[0], spec.width, spec.depth)
        self.to_posterior = nn.Conv2d(2 * spec.width, 2 * spec.latent, grid)
        self.from_latent = PatchTranspose(spec.latent, 2 * spec.width, grid)
        self.decoder = ConvDecoder(shape[0], spec.width, spec.depth)
        self.register_buffer("variance", torch.ones(()))

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance [N, D] of each latent unit, in fp32."""
        mean, log_variance = self.to_posterior(self.encoder(centred(images))).flatten(1).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 12)  # one wild value must not overflow the exponential

    def encode(self, images: Tensor) -> Tensor:
        return self.posterior(images)[0]

    def feature_map(self, images: Tensor) -> Tensor:
        return self.encoder(centred(images))

    def decode(self, latent: Tensor) -> Tensor:
        return uncentred(self.decoder(self.from_latent(latent[:, :, None, None])))

    def losses(self, clean: Tensor, noisy: Tensor, generator: torch.Generator, kl_weight: float = 1.0) -> Terms:
        """Squared error summed over pixels + beta · KL summed over latents, averaged over the batch.

        If one were averaged and the other summed, their balance would change a thousandfold: the posterior collapses.
        """
        mean, log_variance = self.posterior(noisy)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        output = self.decode(mean + noise * (0.5 * log_variance).exp())
        reconstruction = (output - clean).square().sum(dim=(1, 2, 3)).mean()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        error = reconstruction / clean[0].numel()
        beta = 2 * error.detach() if self.beta is None else self.beta
        loss = reconstruction + kl_weight * beta * kl
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl, "error": error}

    def settle(self, averages: Callable[[], Mapping[str, float]]) -> None:
        self.variance.fill_(averages()["error"])
