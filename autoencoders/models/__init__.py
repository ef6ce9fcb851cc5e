"""One architecture a file, each built from its spec and an image shape; and functions that use any of them."""

from autoencoders.models.base import Autoencoder, upsample
from autoencoders.models.masked import Masked
from autoencoders.models.outline import encoder_maps, outline
from autoencoders.models.use import (
    decode,
    draw_masks,
    embed,
    feature_map,
    interpolate,
    posterior,
    reconstruct,
    sample,
)
from autoencoders.models.vae import VariationalAutoencoder
from autoencoders.models.weights import build, load_weights, weights

__all__ = [
    "Autoencoder",
    "Masked",
    "VariationalAutoencoder",
    "build",
    "decode",
    "draw_masks",
    "embed",
    "encoder_maps",
    "feature_map",
    "interpolate",
    "load_weights",
    "outline",
    "posterior",
    "reconstruct",
    "sample",
    "upsample",
    "weights",
]
