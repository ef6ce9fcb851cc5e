"""A model's layers, to be drawn, and what those of its encoder make of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from autoencoders.models.base import Autoencoder
from autoencoders.models.blocks import Residual
from autoencoders.models.masked import Masked
from autoencoders.models.use import feature_map, reconstruct
from autoencoders.models.vit import Block

KINDS: dict[type[nn.Module], str] = {  # other layers are named by their class
    Residual: "residual block",
    Block: "transformer block",
    nn.Conv2d: "convolution",
    nn.ConvTranspose2d: "transposed convolution",
}
WHOLE = (Residual, Block)  # drawn as one, whatever they are made of


def outline(model: Autoencoder) -> list[tuple[str, tuple[int, ...], str]]:
    """List (operation, shape, kind) of an image and of what each layer makes of it, in the order of the computation.

    Layers that neither mix values nor change shapes (activations, norms, dropout) are left out.
    """
    found: list[tuple[str, tuple[int, ...], str]] = [("image", tuple(model.shape), "image")]

    def note(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        before, after = (x[0] if isinstance(x, tuple) else x for x in (inputs, output))
        if isinstance(after, Tensor) and (_mixes(layer) or before.shape != after.shape):
            kind = next((word for known, word in KINDS.items() if isinstance(layer, known)), type(layer).__name__)
            found.append((_operation(layer, kind), tuple(after.shape[1:]), kind))

    with _watched(model, note):
        reconstruct(model, torch.zeros(1, *model.shape))
    return found


def encoder_maps(model: Autoencoder, images: Tensor) -> list[Tensor]:
    """Each encoder layer's map [N, C, h, w] of images, or vector [N, C], before its activation; nothing is hidden.

    A model whose encoder has no layer that mixes values has its feature map alone.
    """
    found: list[Tensor] = []

    def note(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, Tensor) and _mixes(layer):
            tokens = output.ndim == 3 and isinstance(model, Masked)
            found.append(output.transpose(1, 2).unflatten(2, model.grid) if tokens else output)

    with _watched(model, note):
        last = feature_map(model, images, batch=len(images))
    return found or [last]


@contextmanager
def _watched(model: Autoencoder, note: Callable[..., None]) -> Iterator[None]:
    """Call `note` for each layer that computes something, a block as one, in the order of the computation."""
    inside = {part for layer in model.modules() if isinstance(layer, WHOLE) for part in layer.modules()}
    shown = [p for p in model.modules() if isinstance(p, WHOLE) or (p not in inside and not [*p.children()])]
    hooks = [layer.register_forward_hook(note) for layer in shown]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _operation(layer: nn.Module, kind: str) -> str:
    """What a layer does, with kernel and stride: `conv 8×8, stride 4`."""
    if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return kind
    kernel, stride = "×".join(map(str, layer.kernel_size)), max(layer.stride)
    return f"conv {kernel}" + (f", stride {stride}" if stride > 1 else "")


def _mixes(layer: nn.Module) -> bool:
    return any(parameter.ndim > 1 for parameter in layer.parameters())
