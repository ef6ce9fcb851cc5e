"""Programs for browsers of models that can't be recorded as they are: those with skip connections, and transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.programs import Program
from autoencoders.specs import Experiment, SkipAE, ViTMAE
from autoencoders.store import Artifact

if TYPE_CHECKING:
    from torch import Tensor, nn

    from autoencoders import models
    from autoencoders.data import Dataset
    from autoencoders.measurements.translation import Translation
    from autoencoders.models.skips import SkipAutoencoder
    from autoencoders.models.vit import Block, ViTMaskedAutoencoder


@dataclass(frozen=True, kw_only=True)
class WholeProgram(Measurement):
    """From image to image in one part, as `Program` has parts; a transformer takes its mask beside the image."""

    @property
    def label(self) -> str:
        return "whole program"

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
        from autoencoders.measurements.translation import Translation, UnsupportedError, halves
        from autoencoders.models.vit import ViTMaskedAutoencoder

        try:
            if isinstance(subject, ViTMaskedAutoencoder):
                made: _Transformer | Translation = _Transformer(subject)
            else:
                made = Translation(_unrolled(subject), "forward")
            arrays = {f"forward/{i}": weight for i, weight in enumerate(halves(made.weights))}
        except UnsupportedError as error:
            return Artifact({}, {"parts": {}, "unsupported": f"browsers can't run this model: {error.what}"})
        return Artifact(arrays, {"parts": {"forward": {"inputs": made.inputs, "steps": made.steps}}})


def program_of(experiment: Experiment) -> Program | WholeProgram:
    """By which a page of the site runs a model, or says in a line that it can't."""
    return WholeProgram() if isinstance(experiment.model, SkipAE | ViTMAE) else Program()


def _unrolled(model: models.Autoencoder) -> models.Autoencoder:
    """The model with skip connections, its weights of channels as 1×1 layers: nothing is put together and cut again."""
    import torch
    from torch import nn

    from autoencoders.models.base import Autoencoder, centred, uncentred

    def weighing(weight: Tensor) -> nn.Conv2d:
        layer = nn.Conv2d(weight.shape[1], weight.shape[1], 1, bias=False)
        layer.weight = nn.Parameter(torch.diag(weight.detach().flatten())[:, :, None, None])
        return layer

    class Unrolled(Autoencoder):
        def __init__(self, inner: SkipAutoencoder) -> None:
            super().__init__(inner.shape)
            self.inner = inner
            self.weighed = nn.ModuleList(map(weighing, inner.weights))

        def forward(self, images: Tensor) -> Tensor:
            x, maps = centred(images), []
            for layer in self.inner.encoder:
                x = layer(x)
                maps.append(x)
            x = self.inner.from_latent(self.inner.to_latent(x))
            layers, handed = list(self.inner.decoder), maps[-len(self.weighed) :][::-1]
            for layer in layers[: -len(handed)]:
                x = layer(x)
            for layer, weigh, each in zip(layers[-len(handed) :], self.weighed, handed, strict=True):
                x = layer(x + weigh(each))
            return uncentred(x)

    return Unrolled(model)  # type: ignore[arg-type]


class _Transformer:
    """Written down by hand. Tokens stay a map of cells; a hidden one is handed on, but no other one attends to it."""

    inputs = 2  # the image, and which patches are hidden

    def __init__(self, model: ViTMaskedAutoencoder) -> None:
        self.steps: list[dict[str, Any]] = []
        self.weights: list[Tensor] = []
        positions = model.positions.reshape(1, *model.grid, -1)
        centred = self._step("scale", 0, by=2, plus=-1)
        x = self._convolved(centred, model.embedding.weight.permute(2, 3, 1, 0), model.embedding, model.patch)
        x = self._through(model.blocks, self._step("place", x, weights=(positions,)), 1)
        x = self._step("fill", 1, x, weights=(model.token.flatten(),))
        x = self._through(model.decoder, self._step("place", x, weights=(positions,)))
        spread = model.to_pixels
        matrix = spread.weight.permute(0, 2, 3, 1).flatten(1)
        x = self._step("spread", x, weights=(matrix, spread.bias), patch=list(spread.kernel_size))
        self._step("clamp", self._step("scale", x, by=0.5, plus=0.5), low=0, high=1)

    def _step(self, kind: str, *values: int, weights: tuple[Any, ...] = (), **settings: Any) -> int:
        places = list(range(len(self.weights), len(self.weights) + len(weights)))
        self.weights += weights
        self.steps.append({"op": kind, "of": list(values), "weights": places, **settings})
        return self.inputs + len(self.steps) - 1

    def _through(self, blocks: nn.Sequential, x: int, *mask: int) -> int:
        *inner, last = blocks
        for block in inner:
            x = self._block(block, x, *mask)  # type: ignore[arg-type]
        return self._normalised(x, last)

    def _block(self, block: Block, x: int, *mask: int) -> int:
        seen = self._linear(self._normalised(x, block.norm), block.qkv)
        x = self._step("add", x, self._linear(self._step("attend", seen, *mask, heads=block.heads), block.merge))
        norm, widen, _, narrow = block.mlp
        inner = self._step("gelu", self._linear(self._normalised(x, norm), widen))
        return self._step("add", x, self._linear(inner, narrow))

    def _linear(self, x: int, layer: Any) -> int:
        return self._convolved(x, layer.weight.T[None, None], layer)

    def _convolved(self, x: int, kernel: Any, layer: Any, stride: int = 1) -> int:
        return self._step("convolve", x, weights=(kernel, layer.bias), stride=stride, padding=0)

    def _normalised(self, x: int, layer: Any) -> int:
        return self._step("normalise", x, weights=(layer.weight, layer.bias), epsilon=layer.eps)
