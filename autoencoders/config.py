"""What an experiment is: frozen specs, the profiles, and the table of all experiments.

Imports nothing of ours and no torch, so that every command that only *talks* about experiments starts at once.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

# ── Specs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Spec:
    """A frozen description with normalised values: ``Gaussian(1)`` and ``Gaussian(1.0)`` are one spec, hence one key."""

    def __post_init__(self) -> None:
        declared = _declared_types(type(self))
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = _normalised(getattr(self, field.name), declared[field.name], f"{type(self).__name__}.{field.name}")
            object.__setattr__(self, field.name, value)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able values; the class name is kept, since two classes may share their fields."""
        values = {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {"type": type(self).__name__, **values}


@functools.cache
def _declared_types(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.to_dict()
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def _normalised(value: Any, declared: Any, where: str) -> Any:
    """``value`` as the type that its field declares, or a TypeError that names the field."""
    options = typing.get_args(declared) if isinstance(declared, types.UnionType) else (declared,)
    for option in options:
        if typing.get_origin(option) is Literal:
            if value in typing.get_args(option):
                return value
        elif typing.get_origin(option) is tuple:
            if isinstance(value, list | tuple):
                return tuple(_normalised(v, typing.get_args(option)[0], where) for v in value)
        elif option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        elif isinstance(value, option) and not (option is int and isinstance(value, bool)):
            return value
    raise TypeError(f"{where} must be {declared}, not {value!r}")


@dataclass(frozen=True, kw_only=True)
class Data(Spec):
    """Which images. Training and validation come from the official training set, stratified by class."""

    name: str = "cifar10"
    train: int | None = None  # images to train on; None: all that the validation split leaves
    validation: float = 0.1  # share of the official training set: 5,000 of CIFAR-10's 50,000
    split_seed: int = 0  # apart from the training seed: seeds must differ in nothing but their randomness


@dataclass(frozen=True)
class Gaussian(Spec):
    """Additive noise of mean 0; sigma is on the [0, 1] pixel scale."""

    sigma: float
    clip: bool = True  # a camera can't record values outside [0, 1], so neither do noisy inputs


@dataclass(frozen=True)
class PixelMask(Spec):
    """Hides a share of the pixels (all channels)."""

    ratio: float


Corruption = Gaussian | PixelMask


@dataclass(frozen=True)
class PatchMask(Spec):
    """Hides a share of a masked model's patches: what the model is trained with, asked for again when it is measured."""

    ratio: float


@dataclass(frozen=True, kw_only=True)
class ConvAE(Spec):
    """Convolutional autoencoder; the DAE is the same model trained on noisy inputs."""

    implementation: ClassVar[str] = "autoencoders.models:ConvAutoencoder"
    bottleneck: Literal["vector", "spatial"] = "vector"
    latent: int = 128  # vector: dimensions; spatial: channels of the 8×8 map
    width: int = 32


@dataclass(frozen=True, kw_only=True)
class VAE(Spec):
    """Variational autoencoder with the vector AE's encoder and decoder."""

    implementation: ClassVar[str] = "autoencoders.models:VariationalAutoencoder"
    latent: int = 128
    width: int = 32
    beta: float = 1.0


@dataclass(frozen=True, kw_only=True)
class MCAE(Spec):
    """Masked convolutional autoencoder: patches of a feature map are hidden behind a learned token."""

    implementation: ClassVar[str] = "autoencoders.models:MaskedAutoencoder"
    ratio: float = 0.5
    patch: int = 4  # side of a masked patch, in input pixels
    width: int = 32
    masked_weight: float = 3.0  # weight of the masked region's error; the visible region has 1


@dataclass(frozen=True, kw_only=True)
class ViTMAE(Spec):
    """A small ViT masked autoencoder: the control that sees globally from its first layer on."""

    implementation: ClassVar[str] = "autoencoders.models:ViTMaskedAutoencoder"
    ratio: float = 0.75
    patch: int = 4
    dim: int = 128
    depth: int = 4
    heads: int = 4
    decoder_depth: int = 1
    masked_weight: float = 3.0


@dataclass(frozen=True, kw_only=True)
class DigitAE(Spec):
    """Study A: four stride-2 convolutions (128, 64, 32, 16 filters) and their mirror, with a sigmoid."""

    implementation: ClassVar[str] = "autoencoders.models:DigitAutoencoder"
    dropout: float = 0.0
    batch_norm: bool = False


@dataclass(frozen=True, kw_only=True)
class SweepAE(Spec):
    """Study B: three hidden layers each way around a narrow bottleneck."""

    implementation: ClassVar[str] = "autoencoders.models:SweepAutoencoder"
    bottleneck: int = 64


@dataclass(frozen=True, kw_only=True)
class CompactAE(Spec):
    """Study C: 8 channels, 3×3 kernels, stride 1, no padding, two layers each way."""

    implementation: ClassVar[str] = "autoencoders.models:CompactAutoencoder"
    channels: int = 8


Model = ConvAE | VAE | MCAE | ViTMAE | DigitAE | SweepAE | CompactAE


@dataclass(frozen=True, kw_only=True)
class Training(Spec):
    """How long and how fast to learn. Budgets are epochs, never seconds: a spec means the same on every machine."""

    epochs: int = 3
    batch: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warmup: float = 0.1  # share of all steps in which the learning rate rises; then it follows a cosine to zero
    clip_norm: float = 1.0  # a rare bad batch must not undo an epoch
    kl_warmup: float = 0.3  # share of all steps in which the KL weight rises to beta (VAE only): avoids collapse
    bf16: bool = True  # forward pass only, and only where the hardware computes it natively


@dataclass(frozen=True, kw_only=True)
class Experiment(Spec):
    """One training. The name is for people; it is no part of the key, so two names for one spec share one artifact."""

    name: str
    model: Model
    data: Data = Data()
    corruption: Corruption | None = None
    training: Training = Training()
    seed: int = 0


# ── Measurements: what is asked of a trained model, or of a baseline ─────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Baseline(Spec):
    """A method without gradient descent, fitted to training images; it stands in each table beside the models."""

    method: Literal["input", "mean", "pca", "ridge", "tv", "pixels", "patches"]
    size: int = 128  # components, for PCA

    @property
    def name(self) -> str:
        return f"baseline/{self.method}" + (f"-{self.size}" if self.method == "pca" else "")


Subject = Experiment | Baseline


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Spec):
    """How close a subject's output comes to the clean image, for each test image."""

    function: ClassVar[str] = "autoencoders.measurements:reconstruction"
    input: Corruption | PatchMask | None = None
    split: Literal["validation", "test"] = "test"
    images: int | None = None  # the first so many of a fixed order; None: all
    examples: int = 32  # outputs kept for the pictures
    seed: int = 1_000_003  # evaluation noise is never training noise


@dataclass(frozen=True, kw_only=True)
class ProbeFit(Spec):
    """Linear classifiers fitted to a subject's frozen embeddings of the training images."""

    function: ClassVar[str] = "autoencoders.measurements:probe_fit"
    features: Literal["latent", "map"] = "latent"
    classifier: Literal["ridge", "logistic"] = "ridge"
    reduced: int = 128  # also fitted after training-set PCA to this size, where comparisons are made


@dataclass(frozen=True, kw_only=True)
class Probe(Spec):
    """What such classifiers make of the test images, clean or corrupted."""

    function: ClassVar[str] = "autoencoders.measurements:probe"
    fit: ProbeFit = ProbeFit()
    input: Corruption | None = None
    images: int | None = None
    seed: int = 1_000_003


@dataclass(frozen=True, kw_only=True)
class Latent(Spec):
    """The latent space's structure in measures and in coordinates, for clean and for corrupted inputs."""

    function: ClassVar[str] = "autoencoders.measurements:latent"
    input: Corruption = Gaussian(0.3)
    images: int = 2000
    seed: int = 1_000_003


@dataclass(frozen=True, kw_only=True)
class Posterior(Spec):
    """A VAE's latent units: which are active, what each costs, and what the prior decodes to."""

    function: ClassVar[str] = "autoencoders.measurements:posterior"
    samples: int = 32
    images: int | None = None
    seed: int = 1_000_003


Measurement = Reconstruction | ProbeFit | Probe | Latent | Posterior


# ── Profiles: how much work is done ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A small table of differences from the defaults. What a run used is printed in its report."""

    name: Literal["smoke", "quick", "full"]
    purpose: str
    seeds: tuple[int, ...] = (0,)
    epochs: typing.Mapping[str, int]  # by family of models
    width: int = 32
    train: int | None = None  # training images; None: all
    images: int | None = None  # test images measured; None: all
    latent_images: int = 2000  # t-SNE and the latent measures look at so many
    latents: tuple[int, ...] = ()  # vector AEs of other sizes, beside the tuning runs
    bottlenecks: tuple[Literal["vector", "spatial"], ...] = ("vector", "spatial")
    spatial_sigmas: tuple[float, ...] = (0.3,)
    betas: tuple[float, ...] = (1.0,)
    vit_ratios: tuple[float, ...] = (0.75,)
    classifier: Literal["ridge", "logistic"] = "ridge"
    stand_in: bool = True  # may go on with photos10 where the data set asked for can't be had


VARIANCE = 0.1  # the assignment gives the noise as this variance, and also names levels of sigma: both are reported
SIGMAS = (0.1, 0.3, 0.5)  # the levels trained on
UNSEEN_SIGMAS = (0.2, 0.4)  # measured, never trained on
RATIOS = (0.1, 0.3, 0.5, 0.75)  # of masked patches
