"""New models, and what they have learned as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from autoencoders.models.base import Autoencoder, Shape
from autoencoders.specs import Custom, Model

M = TypeVar("M", bound="Autoencoder")


def build(model_class: Callable[..., M], spec: Model, shape: Shape, seed: int) -> M:
    """Make a new model; its first weights depend on nothing but spec, shape and seed.

    >>> from autoencoders.models.conv import ConvAutoencoder
    >>> from autoencoders.specs import ConvAE
    >>> build(ConvAutoencoder, ConvAE(latent=8), (3, 32, 32), seed=0).shape
    (3, 32, 32)
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model_class(shape, **dict(spec.options)) if isinstance(spec, Custom) else model_class(spec, shape)


def weights(model: nn.Module) -> dict[str, np.ndarray]:
    """Copy all that a model has learned, buffers included, into arrays that ``load_weights`` takes."""
    return {f"weights/{name}": value.cpu().numpy().copy() for name, value in model.state_dict().items()}


def load_weights(model: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Give a model the weights among these arrays; they must be exactly those that it has."""
    found = {name.removeprefix("weights/"): array for name, array in arrays.items() if name.startswith("weights/")}
    model.load_state_dict({name: torch.from_numpy(array) for name, array in found.items()})
