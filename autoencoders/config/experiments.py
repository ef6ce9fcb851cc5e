"""What is compared: trainings, each a model on data by a recipe, and baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from autoencoders.config.specs import Spec


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
    """Hides a share of a masked model's patches: what it is trained with, asked for again when it is measured."""

    ratio: float


@dataclass(frozen=True, kw_only=True)
class ConvAE(Spec):
    """Convolutional autoencoder; the DAE is the same model trained on noisy inputs."""

    implementation: ClassVar[str] = "autoencoders.models:ConvAutoencoder"
    bottleneck: Literal["vector", "spatial"] = "vector"
    latent: int = 128  # vector: dimensions; spatial: channels of the 8×8 map
    width: int = 32
    depth: int = 2  # residual blocks each way


@dataclass(frozen=True, kw_only=True)
class VAE(Spec):
    """Variational autoencoder with the vector AE's encoder and decoder."""

    implementation: ClassVar[str] = "autoencoders.models:VariationalAutoencoder"
    latent: int = 128
    width: int = 32
    depth: int = 2
    beta: float = 1.0


@dataclass(frozen=True, kw_only=True)
class MCAE(Spec):
    """Masked convolutional autoencoder: patches of a feature map are hidden behind a learned token."""

    implementation: ClassVar[str] = "autoencoders.models:MaskedAutoencoder"
    ratio: float = 0.5
    patch: int = 4  # side of a masked patch, in input pixels
    width: int = 32
    depth: int = 2
    masked_weight: float = 3.0  # weight of the masked region's error; the visible region has 1


@dataclass(frozen=True, kw_only=True)
class ViTMAE(Spec):
    """A small ViT masked autoencoder: the control that sees globally from its first layer on."""

    implementation: ClassVar[str] = "autoencoders.models:ViTMaskedAutoencoder"
    ratio: float = 0.75
    patch: int = 4
    dim: int = 96
    depth: int = 5
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
    learning_rate: float = 3e-3
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


Method = Literal["input", "mean", "pca", "ridge", "tv", "pixels", "patches"]


@dataclass(frozen=True, kw_only=True)
class Baseline(Spec):
    """A method without gradient descent, fitted to training images; it stands in each table beside the models."""

    method: Method
    size: int = 128  # components, for PCA

    @property
    def name(self) -> str:
        return f"baseline/{self.method}" + (f"-{self.size}" if self.method == "pca" else "")


Subject = Experiment | Baseline
