"""A trained model as a short list of tensor operations and its weights in half precision, for whoever has no torch.

A page in a browser carries them out: `explore/assets/tensors.js` knows the same operations. Its maps are [N, h, w, C].
Values are numbered: first the inputs, then what each step makes.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from autoencoders import models
from autoencoders.data import Dataset
from autoencoders.errors import InputError
from autoencoders.measurements.measurement import Measurement
from autoencoders.models.blocks import PatchTranspose
from autoencoders.store import Artifact


@dataclass(frozen=True, kw_only=True)
class Program(Measurement):
    """A model as tensor operations with weights in half precision, for pages that run it in a browser."""

    function: ClassVar[str] = "autoencoders.measurements.programs:program"

    @property
    def label(self) -> str:
        return "program"


def program(spec: Program, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
    """Each part of a model that is of use by itself, with the weights that it needs and no others."""
    arrays: dict[str, np.ndarray] = {}
    parts: dict[str, Any] = {}
    for name in ("forward",) if isinstance(subject, models.Masked) else ("encode", "decode"):
        part = Translation(subject, name)
        arrays |= {f"{name}/{i}": _half(weight) for i, weight in enumerate(part.weights)}
        parts[name] = {"inputs": part.inputs, "steps": part.steps}
    return Artifact(arrays, {"parts": parts})


def _half(weight: Tensor) -> np.ndarray:
    with np.errstate(over="ignore"):  # told below
        rounded = weight.detach().cpu().numpy().astype(np.float16)
    if not np.isfinite(rounded).all():
        raise ValueError("some weights are NaN, or infinite in half precision")
    return rounded


# ── From what torch records to steps ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Value:
    number: int


@dataclass(frozen=True)
class Chunks:
    """A value about to be cut along its channels."""

    whole: Value
    count: int


class Translation(fx.Interpreter):
    """What a method of a model does, step by step. Images end up within [0, 1]; masks are of patches."""

    def __init__(self, model: models.Autoencoder, method: str) -> None:
        recorder = _Recorder()
        recorder.traced_func_name = method
        recorded = fx.GraphModule(model, recorder.trace(model))
        recorded.graph.eliminate_dead_code()
        super().__init__(recorded, garbage_collect_values=False)
        self.steps: list[dict[str, Any]] = []
        self.weights: list[Tensor] = []
        self.inputs = sum(node.op == "placeholder" for node in recorded.graph.nodes)
        made = self.run(*map(Value, range(self.inputs)))
        if method != "encode":
            self.step("clamp", made, low=0, high=1)

    def step(self, kind: str, *values: Value, weights: tuple[Tensor, ...] = (), **settings: Any) -> Value:
        of, places = [value.number for value in values], [self._place(weight) for weight in weights]
        self.steps.append({"op": kind, "of": of, "weights": places, **settings})
        return Value(self.inputs + len(self.steps) - 1)

    def _place(self, weight: Tensor) -> int:
        """What is used again is held once."""
        same = [each.data_ptr() == weight.data_ptr() and each.shape == weight.shape for each in self.weights]
        if not any(same):
            self.weights.append(weight)
            return len(same)
        return same.index(True)

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        layer = self.fetch_attr(target)
        return LAYERS[type(layer)](self, layer, *args, **kwargs)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        return _known(FUNCTIONS, target)(self, *args, **kwargs)

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        return _known(METHODS, target)(self, *args, **kwargs)


def _known(table: dict[Any, Callable[..., Any]], what: Any) -> Callable[..., Any]:
    if what not in table:
        raise InputError(f"a browser isn't taught {getattr(what, '__name__', what)!r} yet: see {__name__}")
    return table[what]


class _Recorder(fx.Tracer):
    """Writes down layers as they are called, and looks into whatever is made of layers."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) in LAYERS


# ── What is known, layer by layer ────────────────────────────────────────────────────────────────────────────────────


def _convolution(to: Translation, layer: nn.Conv2d, x: Value) -> Value:
    weights = (layer.weight.permute(2, 3, 1, 0), _bias(layer))
    return to.step("convolve", x, weights=weights, **_plain(layer))


def _transposed_convolution(to: Translation, layer: nn.ConvTranspose2d, x: Value) -> Value:
    settings = _plain(layer)
    if settings["stride"] == 1:  # a convolution like any other, with the kernel turned round
        kernel = layer.weight.flip(2, 3).permute(2, 3, 0, 1)
        padding = layer.kernel_size[0] - 1 - settings["padding"]
        return to.step("convolve", x, weights=(kernel, _bias(layer)), stride=1, padding=padding)
    kernel = layer.weight.permute(2, 3, 1, 0)
    return to.step("convolve back", x, weights=(kernel, _bias(layer)), extra=list(layer.output_padding), **settings)


def _patches(to: Translation, layer: PatchTranspose, x: Value) -> Value:
    matrix = layer.weight.permute(0, 2, 3, 1).flatten(1)
    return to.step("spread", x, weights=(matrix, _bias(layer)), patch=list(layer.kernel_size))


def _bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    return layer.weight.new_zeros(layer.out_channels) if layer.bias is None else layer.bias


def _plain(layer: nn.Conv2d | nn.ConvTranspose2d) -> dict[str, Any]:
    """Stride and padding, the same both ways; what else a convolution can do is not known."""
    both = {*zip(layer.stride, layer.padding, layer.dilation, strict=True)}
    if len(both) > 1 or layer.dilation[0] != 1 or layer.groups != 1 or layer.padding_mode != "zeros":
        raise InputError(f"a browser isn't taught {layer} yet: see {__name__}")
    return {"stride": layer.stride[0], "padding": layer.padding[0]}


def _each(kind: str) -> Callable[..., Value]:
    """Of something done to each number by itself."""
    return lambda to, *x: to.step(kind, x[-1])  # a layer stands before its input


LAYERS: dict[type[nn.Module], Callable[..., Value]] = {
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _transposed_convolution,
    PatchTranspose: _patches,
    nn.GELU: _each("gelu"),
    nn.ReLU: _each("relu"),
    nn.Sigmoid: _each("sigmoid"),
}

# ── … function by function, and method by method ─────────────────────────────────────────────────────────────────────


def _scaled(to: Translation, x: Value, by: float) -> Value:
    return to.step("scale", x, by=by, plus=0)


def _sum(to: Translation, x: Value, y: Value | float) -> Value:
    return to.step("add", x, y) if isinstance(y, Value) else to.step("scale", x, by=1, plus=y)


def _filled(to: Translation, mask: Value, token: Tensor, x: Value) -> Value:
    return to.step("fill", mask, x, weights=(token.flatten(),))


def _taken(to: Translation, x: Value | Chunks, what: Any) -> Value:
    if isinstance(x, Chunks):
        return _cut(to, x, what)
    if what != (slice(None), slice(None), None, None):
        raise InputError(f"a browser isn't taught [{what}] yet: see {__name__}")
    return to.step("map", x)


def _cut(to: Translation, chunks: Chunks, index: int) -> Value:
    """Some channels of a convolution's output: the weights of the others stay behind."""
    step: dict[str, Any] = {"op": "", "of": [chunks.whole.number]}
    while step["op"] in ("", "vector"):
        step = to.steps[step["of"][0] - to.inputs]
    if step["op"] != "convolve":
        raise InputError(f"a browser isn't taught to cut the output of {step['op']!r} yet: see {__name__}")
    for place in step["weights"]:
        to.weights[place] = to.weights[place].chunk(chunks.count, dim=-1)[index]
    return chunks.whole


def _repeated(to: Translation, x: Value, times: int, dim: int) -> Value:
    return x if times == 1 else to.step("repeat", x, times=times, axis={2: 1, 3: 2}[dim])


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    operator.mul: _scaled,
    operator.add: _sum,
    operator.sub: lambda to, x, y: _sum(to, x, -y),
    operator.getitem: _taken,
    builtins.getattr: lambda to, x, name: None,  # of a value's type, which is the same everywhere
    torch.where: _filled,
    F.gelu: _each("gelu"),
}
METHODS: dict[str, Callable[..., Any]] = {
    "float": lambda to, x: x,
    "to": lambda to, x, kind: x,
    "flatten": lambda to, x, start: to.step("vector", x),
    "chunk": lambda to, x, count, dim: Chunks(x, count),
    "repeat_interleave": _repeated,
}
