"""A model's layers, to be drawn."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autoencoders.models.base import Autoencoder, Residual
from autoencoders.models.use import reconstruct
from autoencoders.models.vit import Block

KINDS: dict[type[nn.Module], str] = {
    Residual: "residual block",
    Block: "transformer block",
    nn.Conv2d: "convolution",
    nn.ConvTranspose2d: "transposed convolution",
}


def outline(model: Autoencoder) -> list[tuple[str, tuple[int, ...], str]]:
    """(name, shape, kind) of an image and of what each layer or block makes of it, in the order of the computation."""
    found: list[tuple[str, tuple[int, ...], str]] = [("image", tuple(model.shape), "image")]

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        kind = next(word for kind, word in KINDS.items() if isinstance(layer, kind))
        found.append((names[layer], tuple(output.shape[1:]), kind))

    layers: list[tuple[str, nn.Module]] = list(model.named_modules())
    names = {layer: name for name, layer in layers if isinstance(layer, tuple(KINDS))}
    inside = [part for layer in names if isinstance(layer, Residual | Block) for part in layer.children()]
    hooks = [layer.register_forward_hook(note) for layer in names if layer not in inside]
    reconstruct(model, torch.zeros(1, *model.shape))
    for hook in hooks:
        hook.remove()
    return found
