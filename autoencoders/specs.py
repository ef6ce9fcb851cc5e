"""What is compared, as frozen specs: models, data, trainings, baselines, and the inputs that they are shown.

Imports no torch, so that every command that only talks about experiments starts at once.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import typing
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from autoencoders.coercion import coerced


class Spec:
    """A frozen description with normalised values: ``Gaussian(1)`` and ``Gaussian(1.0)`` are one spec and one key."""

    def __post_init__(self) -> None:
        declared: dict[str, Any] = _declared_types(type(self))  # type: ignore[arg-type]
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            try:
                object.__setattr__(self, field.name, coerced(getattr(self, field.name), declared[field.name]))
            except TypeError as error:
                raise TypeError(f"{type(self).__name__}.{field.name} {error}") from None

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


# ── Experiments ─


@dataclass(frozen=True, kw_only=True)
class Data(Spec):
    """Which images. Training and validation come from the official training set, stratified by class."""

    name: str = "cifar10"
    train: int | None = None  # images to train on; None: all that the validation split leaves
    validation: float = 0.1  # share of the official training set: 5,000 of CIFAR-10's 50,000
    left_out: int | None = None  # a class that neither training nor validation images show
    split_seed: int = 0  # apart from the training seed: seeds must differ in nothing but their randomness


@dataclass(frozen=True)
class Gaussian(Spec):
    """Additive noise of mean 0; sigma is on the [0, 1] pixel scale."""

    sigma: float
    clip: bool = True  # a camera can't record values outside [0, 1], so neither do noisy inputs


@dataclass(frozen=True)
class GaussianUpTo(Spec):
    """Clipped noise whose sigma differs between images: any up to the most is as likely."""

    most: float


@dataclass(frozen=True)
class PixelMask(Spec):
    """Hides a share of the pixels (all channels)."""

    ratio: float


Corruption = Gaussian | GaussianUpTo | PixelMask


@dataclass(frozen=True)
class Disturbance(Spec):
    """What befalls images other than noise; no model is trained on it."""

    kind: Literal["blur", "salt and pepper", "occlusion", "low contrast"]
    strength: float  # blur: sigma in pixels; salt and pepper: share; occlusion: side in pixels; contrast: what is left


@dataclass(frozen=True)
class PatchMask(Spec):
    """Hides a share of a masked model's patches: what it is trained with, asked for again when it is measured."""

    ratio: float


Option = bool | int | float | str


class Model(Spec):
    """An architecture with its parameters."""

    implementation: ClassVar[str]  # its class, as "package.module:name": named, since importing it brings torch

    @property
    def architecture(self) -> str:
        """The name that results give it."""
        return type(self).__name__


@dataclass(frozen=True, kw_only=True)
class ConvAE(Model):
    """Convolutional autoencoder; the DAE is the same model trained on noisy inputs."""

    implementation: ClassVar[str] = "autoencoders.models.conv:ConvAutoencoder"
    bottleneck: Literal["vector", "spatial"] = "vector"
    latent: int = 128  # vector: dimensions; spatial: channels of the 8×8 map
    width: int = 32
    depth: int = 2  # residual blocks each way


@dataclass(frozen=True, kw_only=True)
class SkipAE(Model):
    """The spatial autoencoder, its decoder handed the encoder's maps as well: what a bottleneck costs a denoiser."""

    implementation: ClassVar[str] = "autoencoders.models.skips:SkipAutoencoder"
    latent: int = 32
    width: int = 32
    depth: int = 2


@dataclass(frozen=True, kw_only=True)
class VAE(Model):
    """Variational autoencoder with the vector AE's encoder and decoder."""

    implementation: ClassVar[str] = "autoencoders.models.vae:VariationalAutoencoder"
    latent: int = 128
    width: int = 32
    depth: int = 2
    beta: float | None = None  # weight of the KL divergence; None: calibrated, twice the batch's mean squared error


@dataclass(frozen=True, kw_only=True)
class MCAE(Model):
    """Masked convolutional autoencoder: patches of a feature map are hidden behind a learned token."""

    implementation: ClassVar[str] = "autoencoders.models.masked:MaskedAutoencoder"
    ratio: float = 0.5
    patch: int = 4  # side of a masked patch, in input pixels
    width: int = 32
    depth: int = 2  # residual blocks of the decoder
    masked_weight: float = 3.0  # weight of the masked region's error; the visible region has 1
    far: bool = False  # whether the decoder reaches over the whole map, as the encoder does


@dataclass(frozen=True, kw_only=True)
class ViTMAE(Model):
    """A small ViT masked autoencoder: the control that sees globally from its first layer on."""

    implementation: ClassVar[str] = "autoencoders.models.vit:ViTMaskedAutoencoder"
    ratio: float = 0.75
    patch: int = 4
    dim: int = 96
    depth: int = 5
    heads: int = 4
    decoder_depth: int = 1
    masked_weight: float = 3.0


@dataclass(frozen=True, init=False)
class Custom(Model):
    """A model of your own: its class, and the keyword arguments that it takes (see docs/adding.md).

    >>> Custom("autoencoders.models.mine:Mine", width=32).to_dict()["options"]
    {'width': 32}
    """

    implementation: str  # type: ignore[misc]  # of each spec, where other models have one for all
    options: tuple[tuple[str, Option], ...]

    def __init__(self, implementation: str, **options: Option) -> None:
        for name, value in options.items():
            if not isinstance(value, Option):
                raise TypeError(f"{implementation} takes plain values: {name} is {value!r}")
        object.__setattr__(self, "implementation", implementation)
        object.__setattr__(self, "options", tuple(sorted(options.items())))

    @property
    def architecture(self) -> str:
        return self.implementation.rpartition(":")[2]

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.architecture, "implementation": self.implementation, "options": dict(self.options)}


@dataclass(frozen=True, kw_only=True)
class Training(Spec):
    """How long and how fast to learn. Budgets are epochs, never seconds: a spec means the same on every machine."""

    epochs: int = 3
    batch: int = 64  # in trainings this short, twice as many steps are worth the time that they cost
    learning_rate: float = 3e-3
    trunk_rate: float = 0.1  # share of it for layers that start as the best linear ones: more would undo that
    weight_decay: float = 1e-4
    warmup: float = 0.1  # share of all steps in which the learning rate rises; then it follows a cosine to zero
    clip_norm: float = 1.0  # a rare bad batch must not undo an epoch
    kl_warmup: float = 0.3  # share of all steps in which the KL weight rises to beta (VAE only): avoids collapse
    bf16: bool = True  # forward pass only, and only where the hardware computes it natively
    augment: bool = False  # mirrored and moved images: pays once the images themselves are known
    snapshots: int = 0  # epochs from one look at a few validation images to the next, kept for pictures; 0: none


@dataclass(frozen=True, kw_only=True)
class Experiment(Spec):
    """One training. The name is for people; it is no part of the key, so two names for one spec share one artifact."""

    name: str
    model: Model
    data: Data = Data()
    corruption: Corruption | None = None
    training: Training = Training()
    seed: int = 0


Method = Literal[
    "input", "mean", "pca", "ppca", "linear-vae", "ridge", "tv", "nlm", "linear-fill", "pixels", "patches"
]  # a linear VAE's β is 1; probabilistic PCA is the linear VAE whose β is calibrated


@dataclass(frozen=True, kw_only=True)
class Baseline(Spec):
    """A method without gradient descent, fitted to training images; it stands in each table beside the models."""

    method: Method
    size: int = 128  # components or latents, of those that have some
    sigma: float | None = None  # the one level that a linear denoiser is fitted to; None: each that it is shown

    @property
    def name(self) -> str:
        size = f"-{self.size}" if self.method in ("pca", "ppca", "linear-vae") else ""
        return f"baseline/{self.method}{size}" + ("" if self.sigma is None else f"-{level(self.sigma)}")


@dataclass(frozen=True, kw_only=True)
class Untrained(Spec):
    """A model as it is before its training: what an architecture gives with random weights."""

    of: str  # what the trained one is called
    model: Model
    seed: int  # of its weights

    @property
    def name(self) -> str:
        return f"random/{self.of}"


Subject = Experiment | Baseline | Untrained


def seed_of(subject: Subject) -> int | None:
    """The seed of a model's weights; a baseline has none."""
    return None if isinstance(subject, Baseline) else subject.seed


# ── Inputs ─


VARIANCE = 0.1  # the assignment gives the noise as this variance, and also names levels of sigma: both are reported
DRAWS = (0, 1, 2, 3, 4)  # seeds of random weights: fewer leave their spread too uncertain
NOISE = Gaussian(0.3)  # under which latents are compared with those of clean images, unless a plan says otherwise


def level(sigma: float) -> str:
    """A noise level's name; variance 0.1 keeps the name that the assignment gives it."""
    return f"var{VARIANCE:g}" if math.isclose(sigma, math.sqrt(VARIANCE)) else f"{sigma:g}"


Input = Corruption | Disturbance | PatchMask | None  # what a measurement shows its subject


def describe(corruption: Input) -> str:
    """An input's name in results: `clean`, `gaussian:0.3`, `mask:0.5`."""
    match corruption:
        case None:
            return "clean"
        case Gaussian():
            return f"gaussian:{level(corruption.sigma)}" + ("" if corruption.clip else ":unclipped")
        case GaussianUpTo():
            return f"gaussian:0-{corruption.most:g}"
        case Disturbance():
            return f"{corruption.kind}:{corruption.strength:g}"
        case _:
            return f"mask:{corruption.ratio:g}"
