"""A model's layers, to be drawn."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from autoencoders.models.base import Autoencoder
from autoencoders.models.blocks import Residual
from autoencoders.models.use import reconstruct
from autoencoders.models.vit import Block

KINDS: dict[type[nn.Module], str] = {  # other layers are named by their class
    Residual: "residual block",
    Block: "transformer block",
    nn.Conv2d: "convolution",
    nn.ConvTranspose2d: "transposed convolution",
}
WHOLE = (Residual, Block)  # drawn as one, whatever they are made of


def outline(model: Autoencoder) -> list[tuple[str, tuple[int, ...], str]]:
    """List (name, shape, kind) of an image and of what each layer makes of it, in the order of the computation.

    Layers that neither mix values nor change shapes (activations, norms, dropout) are left out.
    """
    found: list[tuple[str, tuple[int, ...], str]] = [("image", tuple(model.shape), "image")]
    names = {layer: name for name, layer in model.named_modules()}
    inside = {part for layer in names if isinstance(layer, WHOLE) for part in layer.modules()}
    shown = [part for part in names if isinstance(part, WHOLE) or (part not in inside and not [*part.children()])]

    def note(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        before, after = (x[0] if isinstance(x, tuple) else x for x in (inputs, output))
        mixes = any(parameter.ndim > 1 for parameter in layer.parameters())
        if isinstance(after, Tensor) and (mixes or before.shape != after.shape):
            kind = next((word for known, word in KINDS.items() if isinstance(layer, known)), type(layer).__name__)
            found.append((names[layer], tuple(after.shape[1:]), kind))

    hooks = [layer.register_forward_hook(note) for layer in shown]
    reconstruct(model, torch.zeros(1, *model.shape))
    for hook in hooks:
        hook.remove()
    return found
