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
    """A frozen description with normalised values: ``Gaussian(1)`` and ``Gaussian(1.0)`` are one spec and one key."""

    def __post_init__(self) -> None:
        declared: dict[str, Any] = _declared_types(type(self))  # type: ignore[arg-type]
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


# ── Levels ───────────────────────────────────────────────────────────────────────────────────────────────────────────

VARIANCE = 0.1  # the assignment gives the noise as this variance, and also names levels of sigma: both are reported
RATIOS = (0.1, 0.3, 0.5, 0.75)  # of masked patches
TRIPLES = {  # a − b + c; the first is the assignment's
    "cifar10": (("dog", "cat", "bird"), ("truck", "automobile", "ship"), ("horse", "deer", "frog")),
    "photos10": (("astronaut", "chelsea", "coffee"), ("rocket", "hubble", "china"), ("flower", "retina", "ihc")),
}
NOISE = Gaussian(0.3)  # under which features and latents are compared with those of clean images
TV_IMAGES, TV_VALIDATION = 1000, 100  # total variation takes its time: it is measured and tuned on so many images


def level(sigma: float) -> str:
    """A noise level's name; variance 0.1 keeps the name that the assignment gives it."""
    return f"var{VARIANCE:g}" if math.isclose(sigma, math.sqrt(VARIANCE)) else f"{sigma:g}"


# ── Measurements: what is asked of a trained model, or of a baseline ─────────────────────────────────────────────────


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


Input = Gaussian | PixelMask | PatchMask | None  # what a measurement shows its subject


def describe(corruption: Input) -> str:
    """An input's name in results: `clean`, `gaussian:0.3`, `mask:0.5`."""
    match corruption:
        case None:
            return "clean"
        case Gaussian():
            return f"gaussian:{level(corruption.sigma)}" + ("" if corruption.clip else ":unclipped")
        case _:
            return f"mask:{corruption.ratio:g}"


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Spec):
    """How close a subject's output comes to the clean image, for each test image."""

    function: ClassVar[str] = "autoencoders.measurements.reconstruction:reconstruction"
    input: Corruption | PatchMask | None = None
    split: Literal["validation", "test"] = "test"
    images: int | None = None  # the first so many of a fixed order; None: all
    examples: int = 32  # outputs kept for the pictures
    seed: int = 1_000_003  # evaluation noise is never training noise

    @property
    def label(self) -> str:
        return f"{self.split} {describe(self.input)}"


@dataclass(frozen=True, kw_only=True)
class ProbeFit(Spec):
    """Linear classifiers fitted to a subject's frozen embeddings of the training images."""

    function: ClassVar[str] = "autoencoders.measurements.probing:probe_fit"
    features: Literal["latent", "map"] = "latent"
    classifier: Literal["ridge", "logistic"] = "ridge"
    samples: int | None = None  # training images that they are fitted to, in a fixed random order; None: all
    reduced: int = 128  # also fitted after training-set PCA to this size, where comparisons are made

    @property
    def label(self) -> str:
        return f"{self.features} {self.classifier}"


@dataclass(frozen=True, kw_only=True)
class Probe(Spec):
    """What such classifiers make of the test images, clean or corrupted."""

    function: ClassVar[str] = "autoencoders.measurements.probing:probe"
    fit: ProbeFit = ProbeFit()
    input: Corruption | None = None
    images: int | None = None
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"{self.fit.label} {describe(self.input)}"


@dataclass(frozen=True, kw_only=True)
class Latent(Spec):
    """The latent space's structure in measures and in coordinates, for clean and for corrupted inputs."""

    function: ClassVar[str] = "autoencoders.measurements.latent:latent_structure"
    input: Corruption = NOISE
    images: int = 2000
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return describe(self.input)


@dataclass(frozen=True, kw_only=True)
class Displacement(Spec):
    """The picture of what noise does to latents: the same images, clean and corrupted, in one t-SNE."""

    function: ClassVar[str] = "autoencoders.measurements.latent:displacement"
    input: Corruption = NOISE
    images: int = 1000  # as many points in all as in the picture of the clean latents alone
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"clean and {describe(self.input)}"


@dataclass(frozen=True, kw_only=True)
class Posterior(Spec):
    """A VAE's latent units: which are active, what each costs, and what the prior decodes to."""

    function: ClassVar[str] = "autoencoders.measurements.latent:posterior"
    samples: int = 32
    images: int | None = None
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return "prior"


@dataclass(frozen=True, kw_only=True)
class Interpolation(Spec):
    """Images between two images, by the straight line and by the arc between their latents."""

    function: ClassVar[str] = "autoencoders.measurements.generation:interpolation"
    pairs: int = 200
    steps: int = 9
    seed: int = 0

    @property
    def label(self) -> str:
        return f"{self.steps} steps"


@dataclass(frozen=True, kw_only=True)
class Arithmetic(Spec):
    """a − b + c for classes: with their mean latents, and with images drawn from them."""

    function: ClassVar[str] = "autoencoders.measurements.generation:arithmetic"
    classes: tuple[str, ...] = ("dog", "cat", "bird")  # a, b, c
    draws: int = 300
    examples: int = 6
    seed: int = 0
    judge: ProbeFit = ProbeFit()

    @property
    def label(self) -> str:
        return "{}-{}+{}".format(*self.classes)


@dataclass(frozen=True, kw_only=True)
class Anomaly(Spec):
    """How well reconstruction errors tell unfamiliar images from familiar ones."""

    function: ClassVar[str] = "autoencoders.measurements.anomaly:anomaly"
    images: int = 2000
    seed: int = 0

    @property
    def label(self) -> str:
        return "unfamiliar images"


@dataclass(frozen=True, kw_only=True)
class Regions(Spec):
    """A classifier's decision regions in a plane through the embeddings, and what the plane keeps of them."""

    function: ClassVar[str] = "autoencoders.measurements.probing:regions"
    features: Literal["latent", "map"] = "latent"
    images: int = 1000
    grid: int = 160

    @property
    def label(self) -> str:
        return f"plane of the {self.features}"


@dataclass(frozen=True, kw_only=True)
class Occlusion(Spec):
    """What happens to the rest of the reconstruction when one patch is hidden, beside the error's gradient."""

    function: ClassVar[str] = "autoencoders.measurements.masking:occlusion"
    images: int = 64
    examples: int = 6
    patch: int = 4

    @property
    def label(self) -> str:
        return f"patches of {self.patch}"


@dataclass(frozen=True, kw_only=True)
class Context(Spec):
    """How far a masked model sees: the error in a hole by distance to its rim, and the share of far content in it."""

    function: ClassVar[str] = "autoencoders.measurements.masking:context"
    images: int = 1000
    draws: int = 4  # of the patches hidden around a small hole, and of the image that far content comes from
    seed: int = 0

    @property
    def label(self) -> str:
        return "holes"


@dataclass(frozen=True, kw_only=True)
class Clusters(Spec):
    """Whether a latent space groups coloured digits by class or by colour, in measures and in t-SNE coordinates."""

    function: ClassVar[str] = "autoencoders.measurements.coloring:clusters"
    shown: Data
    input: Corruption | None = None
    images: int = 1000
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"clusters of {self.shown.name} {describe(self.input)}"


@dataclass(frozen=True, kw_only=True)
class Between(Spec):
    """Points decoded between the latents of two images of different classes, beside a plain cross-fade."""

    function: ClassVar[str] = "autoencoders.measurements.coloring:between"
    pairs: int = 200
    steps: int = 9

    @property
    def label(self) -> str:
        return f"between classes, {self.steps} steps"


Fault = Literal["raw features", "faint features", "sigmoid", "large steps"]


@dataclass(frozen=True, kw_only=True)
class Transfer(Spec):
    """A small network's classes for other images, from a subject's frozen features of them; with faults, if asked."""

    function: ClassVar[str] = "autoencoders.measurements.transfer:transfer"
    shown: Data  # its training images are the labelled ones
    features: Literal["latent", "map"] = "latent"
    hidden: tuple[int, ...] = (512, 256, 128)
    reduced: int = 256  # dimensions that larger features are brought to, by PCA of the labelled images
    epochs: int = 20
    images: int | None = None
    faults: tuple[Fault, ...] = ()
    seed: int = 0

    @property
    def label(self) -> str:
        wrong = "".join(f", {fault}" for fault in self.faults)
        return f"{len(self.hidden)} layers on the {self.features} of {self.shown.train} of {self.shown.name}{wrong}"


@dataclass(frozen=True, kw_only=True)
class Compressed(Spec):
    """Corrupted images through PCA's leading components alone: the exact fit of large images takes minutes."""

    function: ClassVar[str] = "autoencoders.measurements.transfer:compressed"
    input: Corruption | None = None
    images: int | None = None
    most: int = 256  # components that are fitted; a subject takes as many of the first as it is large
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"leading components {describe(self.input)}"


@dataclass(frozen=True, kw_only=True)
class Inpainting(Spec):
    """What is made of images with hidden pixels: how much of it is right, and how much of what was hidden."""

    function: ClassVar[str] = "autoencoders.measurements.transfer:inpainting"
    input: PixelMask
    images: int | None = None
    examples: int = 8
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"hidden pixels {describe(self.input)}"


Measurement = (
    Reconstruction
    | ProbeFit
    | Probe
    | Latent
    | Displacement
    | Posterior
    | Interpolation
    | Arithmetic
    | Anomaly
    | Regions
    | Occlusion
    | Context
    | Clusters
    | Between
    | Transfer
    | Compressed
    | Inpainting
)
JUDGE = Baseline(method="patches")  # of generated images: it owes nothing to any autoencoder


# ── Profiles: how much work is done ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A small table of differences from the defaults. What a run used is printed in its report."""

    name: Literal["smoke", "quick", "evening", "full"]
    purpose: str
    seeds: tuple[int, ...] = (0,)
    epochs: typing.Mapping[str, int]  # by family of models
    augment: bool = False  # whether trainings, other than the sweep's, see mirrored and moved images
    width: int = 32
    train: int | None = None  # training images; None: all
    images: int | None = None  # test images measured; None: all
    latent_images: int = 2000  # t-SNE and the latent measures look at so many
    latents: tuple[int, ...] = ()  # vector AEs of other sizes, beside the tuning runs
    bottlenecks: tuple[Literal["vector", "spatial"], ...] = ("vector", "spatial")
    sigmas: tuple[float, ...] = (0.1, 0.3, 0.5)  # that denoisers are trained on, beside the assignment's variance
    unseen: tuple[float, ...] = (0.2, 0.4)  # measured, never trained on
    spatial_sigmas: tuple[float, ...] = (0.3,)
    betas: tuple[float, ...] = (1.0,)
    vit_ratios: tuple[float, ...] = (0.75,)
    classifier: Literal["ridge", "logistic"] = "ridge"
    probe_samples: int | None = None  # training images that classifiers are fitted to; None: all
    stand_in: bool = True  # may go on with photos10 where the data set asked for can't be had


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            purpose="seconds, for tests: the numbers mean nothing",
            epochs={"vector": 1, "spatial": 1, "vae": 1, "mcae": 1, "vit": 1, "tuning": 1},
            width=8,
            train=512,
            images=128,
            latent_images=128,
            sigmas=(0.1, 0.3),
            unseen=(),
        ),
        Profile(
            name="quick",
            purpose="an honest report on a laptop's CPU in about ten minutes",
            epochs={"vector": 2, "spatial": 2, "vae": 2, "mcae": 2, "vit": 2, "tuning": 1},
            unseen=(0.2,),
            probe_samples=20_000,
        ),
        Profile(
            name="evening",
            purpose="a laptop's CPU and some hours: quick's experiments, trained for longer, and two more sizes",
            epochs={"vector": 20, "spatial": 15, "vae": 20, "mcae": 20, "vit": 20, "tuning": 2},
            augment=True,
            latents=(64, 256),
        ),
        Profile(
            name="full",
            purpose="one GPU, several seeds",
            seeds=(0, 1, 2),
            epochs={"vector": 200, "spatial": 100, "vae": 100, "mcae": 200, "vit": 200, "tuning": 30},
            augment=True,
            width=64,
            latents=(64, 256, 384),
            spatial_sigmas=(0.1, 0.3, math.sqrt(VARIANCE), 0.5),
            betas=(0.25, 1.0, 4.0),
            vit_ratios=(0.3, 0.75),
            classifier="logistic",
            stand_in=False,
        ),
    )
}


# ── The table of experiments ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is trained and measured with one seed: by the assignment's catalogue, or by a study's."""

    profile: Profile
    dataset: str
    seed: int = 0

    @property
    def data(self) -> Data:
        """What most experiments are trained on, and all baselines are fitted to."""
        return Data(name=self.dataset, train=self.profile.train)

    def results(self) -> list[Experiment]:
        """Every experiment that a result table shows."""
        raise NotImplementedError

    def tuning(self) -> list[Experiment]:
        """Short runs, compared on validation images only."""
        return []

    def baselines(self) -> list[Baseline]:
        return []

    def of_model(self, experiment: Experiment) -> list[Measurement]:
        raise NotImplementedError

    def of_baseline(self, baseline: Baseline) -> list[Measurement]:
        raise NotImplementedError

    def measurements(self) -> list[tuple[Subject, Measurement]]:
        """Everything that the result tables and claims need, for each experiment and for the baselines."""
        planned = [(baseline, spec) for baseline in self.baselines() for spec in self.of_baseline(baseline)]
        return planned + [(experiment, spec) for experiment in self.results() for spec in self.of_model(experiment)]


@dataclass(frozen=True, kw_only=True)
class Catalogue(Plan):
    """Every experiment of the assignment. Each method describes one model; each is trained once per seed."""

    dataset: str = "cifar10"

    @property
    def ratios(self) -> tuple[float, ...]:
        return RATIOS

    @property
    def levels(self) -> tuple[float, ...]:
        """Every noise level that is tested on: trained ones, unseen ones, and the assignment's variance."""
        return tuple(sorted({*self.profile.sigmas, *self.profile.unseen, math.sqrt(VARIANCE)}))

    def _experiment(
        self, name: str, family: str, model: Model, sigma: float | None = None, **changes: Any
    ) -> Experiment:
        augment = self.profile.augment and family != "tuning"
        training = Training(epochs=self.profile.epochs[family], augment=augment, **changes)
        corruption = None if sigma is None else Gaussian(sigma)
        return Experiment(
            name=name, model=model, data=self.data, corruption=corruption, training=training, seed=self.seed
        )

    def ae(
        self, bottleneck: Literal["vector", "spatial"] = "vector", latent: int | None = None, sigma: float | None = None
    ) -> Experiment:
        """The autoencoder, or with a sigma the denoising one: the same model, trained on noisy inputs."""
        size = {} if latent is None else {"latent": latent}
        if bottleneck == "spatial":
            size = {"latent": 32}
        model = ConvAE(bottleneck=bottleneck, width=self.profile.width, **size)
        name = f"ae-{bottleneck}" if sigma is None else f"dae-{bottleneck}-{level(sigma)}"
        return self._experiment(name if latent is None else f"{name}-l{latent}", bottleneck, model, sigma)

    def vae(self, beta: float = 1.0) -> Experiment:
        name = "vae" if beta == 1 else f"vae-beta{beta:g}"
        return self._experiment(name, "vae", VAE(width=self.profile.width, beta=beta))

    def mcae(self, ratio: float) -> Experiment:
        return self._experiment(f"mcae-{ratio:g}", "mcae", MCAE(ratio=ratio, width=self.profile.width))

    def vit(self, ratio: float) -> Experiment:
        """The control: at three times the MCAE's width it has about as many parameters."""
        return self._experiment(f"vit-{ratio:g}", "vit", ViTMAE(ratio=ratio, dim=3 * self.profile.width))

    def tuning(self) -> list[Experiment]:
        """Short runs that differ from the base in one thing each."""
        width, short = self.profile.width, "tuning"
        base = ConvAE(width=width)
        rate = Training().learning_rate
        runs = [
            self._experiment("tune-base", short, base),
            *(
                self._experiment(f"tune-latent-{n}", short, replace(base, latent=n))
                for n in self._tuned((64, 256), (32, 64, 256, 384))
            ),
            *(
                self._experiment(f"tune-width-{w}", short, replace(base, width=w))
                for w in self._tuned((width // 2,), (width // 4, width // 2, width * 2))
            ),
            *(
                self._experiment(f"tune-rate-{r:g}", short, base, learning_rate=r)
                for r in self._tuned((rate / 4, rate * 2), (rate / 4, rate / 2, rate * 2))
            ),
        ]
        if self.profile.name == "full":
            runs += [self._experiment(f"tune-beta-{b:g}", short, VAE(width=width, beta=b)) for b in (0.25, 1.0, 4.0)]
            runs += [self._experiment(f"tune-patch-{p}", short, MCAE(width=width, patch=p)) for p in (4, 8)]
        return runs

    def _tuned(self, few: tuple, many: tuple) -> tuple:
        return many if self.profile.name == "full" else few

    def results(self) -> list[Experiment]:
        profile = self.profile
        sigmas = {"vector": (*profile.sigmas, math.sqrt(VARIANCE)), "spatial": profile.spatial_sigmas}
        return [
            *(self.ae(bottleneck) for bottleneck in profile.bottlenecks),
            *(self.ae(latent=latent) for latent in profile.latents),
            *(self.ae(b, sigma=sigma) for b in profile.bottlenecks for sigma in sigmas[b]),
            *(self.vae(beta) for beta in profile.betas),
            *(self.mcae(ratio) for ratio in RATIOS),
            *(self.vit(ratio) for ratio in profile.vit_ratios),
        ]

    def baselines(self) -> list[Baseline]:
        methods: tuple[Method, ...] = ("input", "mean", "ridge", "tv", "pixels", "patches")
        sizes = dict.fromkeys((128, *self.profile.latents))
        return [*(Baseline(method=m) for m in methods), *(Baseline(method="pca", size=k) for k in sizes)]

    def of_baseline(self, baseline: Baseline) -> list[Measurement]:
        noisy: list[Measurement] = [self.reconstruction(Gaussian(sigma)) for sigma in self.levels]
        match baseline.method:
            case "mean":
                return [self.reconstruction()]
            case "pca":
                latent = [*self.probes("latent"), self.latent(), self.regions("latent"), self.anomaly()]
                return [self.reconstruction(), *noisy, *(latent if baseline.size == 128 else [])]
            case "pixels":
                return [*self.probes("latent"), self.latent()]
            case "patches":
                return self.probes("latent")
            case _:
                return noisy

    def of_model(self, experiment: Experiment) -> list[Measurement]:
        model = experiment.model
        if isinstance(model, MCAE | ViTMAE):
            hidden, holes = self.reconstruction(PatchMask(model.ratio)), self.context()
            return [self.reconstruction(), hidden, *self.probes("map"), self.regions("map"), self.occlusion(), holes]
        levels = (NOISE.sigma,) if isinstance(model, VAE) else self.levels
        measured: list[Measurement] = [self.reconstruction(), self.anomaly()]
        measured += [self.reconstruction(Gaussian(sigma)) for sigma in levels]
        if not (isinstance(model, ConvAE) and model.bottleneck == "spatial"):
            measured += self.probes("latent")
            if experiment.corruption in (None, NOISE):  # one denoiser's latents and map say what the others' would
                measured += [self.latent(), self.regions("latent"), *self.probes("map")]
        if isinstance(model, VAE):
            measured += [self.posterior(), self.occlusion(), Interpolation(), *self.arithmetics()]
        if experiment.name == "ae-vector":
            measured += [self.occlusion(), Interpolation(), self.displacement()]
        return measured

    def arithmetics(self) -> list[Arithmetic]:
        return [self.arithmetic(classes) for classes in TRIPLES.get(self.dataset, ())]

    def arithmetic(self, classes: tuple[str, ...]) -> Arithmetic:
        return Arithmetic(classes=classes, judge=self._classifier("latent"))

    def posterior(self) -> Posterior:
        return Posterior(images=self.profile.images)

    def context(self) -> Context:
        return Context(images=self.profile.images or Context.images)

    def anomaly(self) -> Anomaly:
        return Anomaly(images=self.profile.latent_images)

    def regions(self, features: Literal["latent", "map"]) -> Regions:
        return Regions(features=features, images=min(1000, self.profile.latent_images))

    def occlusion(self) -> Occlusion:
        return Occlusion(images=min(64, self.profile.images or 64))

    def reconstruction(self, corruption: Corruption | PatchMask | None = None) -> Reconstruction:
        return Reconstruction(input=corruption, images=self.profile.images)

    def probes(self, features: Literal["latent", "map"]) -> list[Measurement]:
        """The fit comes first: clean and noisy inputs are judged by the same classifier."""
        asked = [self.probe(features, seen) for seen in (None, NOISE)]
        return [asked[0].fit, *asked]

    def probe(self, features: Literal["latent", "map"], seen: Corruption | None = None) -> Probe:
        fit = self._classifier(features)
        return Probe(fit=fit, input=seen, images=self.profile.images)

    def _classifier(self, features: Literal["latent", "map"]) -> ProbeFit:
        profile = self.profile
        return ProbeFit(features=features, classifier=profile.classifier, samples=profile.probe_samples)

    def displacement(self, sigma: float = NOISE.sigma) -> Displacement:
        return Displacement(input=Gaussian(sigma), images=self.profile.latent_images // 2)

    def latent(self, sigma: float = NOISE.sigma) -> Latent:
        return Latent(input=Gaussian(sigma), images=self.profile.latent_images)
