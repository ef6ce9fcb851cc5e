"""What is asked of a trained model, or of a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from autoencoders.config.experiments import Baseline, Corruption, Data, PatchMask, PixelMask
from autoencoders.config.levels import NOISE, describe
from autoencoders.config.specs import Spec


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
class Cloud(Spec):
    """Points to turn by hand: the same images, clean and corrupted, in coordinates that both share."""

    function: ClassVar[str] = "autoencoders.measurements.latent:cloud"
    input: Corruption = NOISE
    images: int = 400
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"cloud of clean and {describe(self.input)}"


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


@dataclass(frozen=True, kw_only=True)
class Program(Spec):
    """A model as tensor operations with weights in half precision, for pages that run it in a browser."""

    function: ClassVar[str] = "autoencoders.measurements.programs:program"

    @property
    def label(self) -> str:
        return "program"


@dataclass(frozen=True, kw_only=True)
class Gallery(Spec):
    """Test images to play with, some of each class."""

    function: ClassVar[str] = "autoencoders.measurements.playground:gallery"
    each: int = 3

    @property
    def label(self) -> str:
        return f"gallery of {self.each} a class"


@dataclass(frozen=True, kw_only=True)
class Landmarks(Spec):
    """Where a gallery's images lie in a latent space, and the mean of each class."""

    function: ClassVar[str] = "autoencoders.measurements.playground:landmarks"
    gallery: Gallery = Gallery()
    images: int = 5000  # of the training images, for the means

    @property
    def label(self) -> str:
        return "landmarks"


@dataclass(frozen=True, kw_only=True)
class Smoothing(Spec):
    """How strongly total variation should smooth, by the noise level."""

    function: ClassVar[str] = "autoencoders.measurements.playground:smoothing"
    sigmas: tuple[float, ...] = (0.1, 0.3, 0.5)
    images: int = 10  # of the validation images, at each level
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return "smoothing"


Measurement = (
    Reconstruction
    | ProbeFit
    | Probe
    | Latent
    | Displacement
    | Cloud
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
    | Program
    | Gallery
    | Landmarks
    | Smoothing
)
JUDGE = Baseline(method="patches")  # of generated images: it owes nothing to any autoencoder
