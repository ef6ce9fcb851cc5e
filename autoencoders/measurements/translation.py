"""What torch records of a model, as steps that a page in a browser carries out.

`explore/assets/tensors.js` knows the same operations. Its maps are [N, h, w, C]. Values are numbered: first the inputs,
then what each step makes.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from autoencoders import models
from autoencoders.models.blocks import PatchTranspose


class UnsupportedError(Exception):
    """A model does something that browsers aren't taught."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what  # torch adds to the message of what it passes on


@dataclass(frozen=True)
class Value:
    number: int


@dataclass(frozen=True)
class Chunks:
    """A value about to be cut along its channels."""

    whole: Value
    count: int


def _latent_of(model: models.Autoencoder) -> Tensor:
    """The latent of a black image."""
    weight = next(model.parameters())
    with torch.no_grad():
        return model.encode(torch.zeros(1, *model.shape, device=weight.device))


def halves(weights: Iterable[Tensor]) -> list[np.ndarray]:
    """Weights in half precision."""
    with np.errstate(over="ignore"):  # noticed below
        rounded = [weight.detach().cpu().numpy().astype(np.float16) for weight in weights]
    if not all(np.isfinite(weight).all() for weight in rounded):
        raise UnsupportedError("some weights are NaN, or infinite in half precision")
    return rounded


class Translation(fx.Interpreter):
    """What a method of a model does, step by step. Images end up within [0, 1]; masks are of patches."""

    def __init__(self, model: models.Autoencoder, method: str) -> None:
        recorder = _Recorder()
        recorder.traced_func_name = method
        try:
            recorded = fx.GraphModule(model, recorder.trace(model))
        except Exception as error:  # whatever becomes of Python that asks for values
            raise UnsupportedError(f"what {method!r} does depends on its input ({error})".splitlines()[0]) from error
        recorded.graph.eliminate_dead_code()
        super().__init__(recorded, garbage_collect_values=False)
        self.steps: list[dict[str, Any]] = []
        self.weights: list[Tensor] = []
        self.inputs = sum(node.op == "placeholder" for node in recorded.graph.nodes)
        self.of_vectors = method == "decode" and _latent_of(model).ndim == 2
        made = self.run(*map(Value, range(self.inputs)))
        if method != "encode":
            self.step("clamp", made, low=0, high=1)

    def step(self, kind: str, *values: Value, weights: tuple[Tensor, ...] = (), **settings: Any) -> Value:
        of, places = [value.number for value in values], [self._place(weight) for weight in weights]
        self.steps.append({"op": kind, "of": of, "weights": places, **settings})
        return Value(self.inputs + len(self.steps) - 1)

    def is_vector(self, x: Value) -> bool:
        """Whether a value is one, by what the steps tell; images and maps are none."""
        if x.number < self.inputs:
            return self.of_vectors
        step = self.steps[x.number - self.inputs]
        return step["op"] == "vector" or (step["op"] in ELEMENTWISE and self.is_vector(Value(step["of"][0])))

    def _place(self, weight: Tensor) -> int:
        """What is used again is held once."""
        same = [each.data_ptr() == weight.data_ptr() and each.shape == weight.shape for each in self.weights]
        if not any(same):
            self.weights.append(weight)
            return len(same)
        return same.index(True)

    def run_node(self, n: fx.Node) -> Any:
        try:
            return super().run_node(n)
        except UnsupportedError:
            raise
        except Exception as error:  # a known operation, used in an unknown way
            raise UnsupportedError(f"they aren't taught {n.format_node()}") from error

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        layer = self.fetch_attr(target)
        return _known(LAYERS, type(layer))(self, layer, *args, **kwargs)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        return _known(FUNCTIONS, target)(self, *args, **kwargs)

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        return _known(METHODS, target)(self, *args, **kwargs)


def _known(table: dict[Any, Callable[..., Any]], what: Any) -> Callable[..., Any]:
    if what not in table:
        raise UnsupportedError(f"they aren't taught {getattr(what, '__name__', what)!r}")
    return table[what]


class _Recorder(fx.Tracer):
    """Writes down layers as they are called, and looks into whatever is made of layers."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) in LAYERS or super().is_leaf_module(m, module_qualified_name)


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
        raise UnsupportedError(f"they aren't taught {layer}")
    return {"stride": layer.stride[0], "padding": layer.padding[0]}


def _linear(to: Translation, layer: nn.Linear, x: Value) -> Value:
    bias = layer.weight.new_zeros(layer.out_features) if layer.bias is None else layer.bias
    return _mixed(to, x, layer.weight.T, bias)


def _mixed(to: Translation, x: Value, matrix: Tensor, bias: Tensor) -> Value:
    """Each output is a sum of all inputs: a convolution of a map of one cell."""
    if not to.is_vector(x):
        raise UnsupportedError("they aren't taught linear layers of anything but vectors")
    cell = to.step("map", x)
    return to.step("vector", to.step("convolve", cell, weights=(matrix[None, None], bias), stride=1, padding=0))


def _batch_norm(to: Translation, layer: nn.BatchNorm2d, x: Value) -> Value:
    """With the statistics of the training, a scale and a shift of each channel."""
    if layer.running_mean is None or layer.running_var is None:
        raise UnsupportedError(f"they aren't taught {layer}")
    scale = (layer.running_var + layer.eps).rsqrt() * (1 if layer.weight is None else layer.weight)
    shift = (0 if layer.bias is None else layer.bias) - layer.running_mean * scale
    return to.step("convolve", x, weights=(scale.diag()[None, None], shift), stride=1, padding=0)


def _same(to: Translation, layer: nn.Module, x: Value) -> Value:
    return x


def _flattened(to: Translation, layer: nn.Flatten, x: Value) -> Value:
    if (layer.start_dim, layer.end_dim) != (1, -1):
        raise UnsupportedError(f"they aren't taught {layer}")
    return to.step("vector", x)


def _elementwise(kind: str) -> Callable[..., Value]:
    return lambda to, *x: to.step(kind, x[-1])  # a layer stands before its input


ELEMENTWISE = ("gelu", "relu", "sigmoid", "scale")
LAYERS: dict[type[nn.Module], Callable[..., Value]] = {
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _transposed_convolution,
    PatchTranspose: _patches,
    nn.Linear: _linear,
    nn.BatchNorm2d: _batch_norm,
    nn.Dropout: _same,
    nn.Dropout2d: _same,
    nn.Identity: _same,
    nn.Flatten: _flattened,
    nn.GELU: _elementwise("gelu"),
    nn.ReLU: _elementwise("relu"),
    nn.Sigmoid: _elementwise("sigmoid"),
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
        raise UnsupportedError(f"they aren't taught [{what}]")
    return to.step("map", x)


def _cut(to: Translation, chunks: Chunks, index: int) -> Value:
    """Some channels of a convolution's output: the weights of the others stay behind."""
    step: dict[str, Any] = {"op": "", "of": [chunks.whole.number]}
    while step["op"] in ("", "vector"):
        step = to.steps[step["of"][0] - to.inputs]
    if step["op"] != "convolve":
        raise UnsupportedError(f"they aren't taught to cut the output of {step['op']!r}")
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
    F.gelu: _elementwise("gelu"),
}
METHODS: dict[str, Callable[..., Any]] = {
    "float": lambda to, x: x,
    "to": lambda to, x, kind: x,
    "flatten": lambda to, x, start: to.step("vector", x),
    "chunk": lambda to, x, count, dim: Chunks(x, count),
    "repeat_interleave": _repeated,
}
