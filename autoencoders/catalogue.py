"""The table of all experiments of the assignment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from autoencoders.coercion import listed
from autoencoders.errors import InputError
from autoencoders.measurements.anomaly import Anomaly, Novelty
from autoencoders.measurements.compression import Compression
from autoencoders.measurements.cost import Cost
from autoencoders.measurements.embedding import Embedding
from autoencoders.measurements.exhibits import Components, Density, Lessons, Rebuilt
from autoencoders.measurements.frequencies import Frequencies
from autoencoders.measurements.generation import Arithmetic, Interpolation
from autoencoders.measurements.latent import Cloud, Latent
from autoencoders.measurements.layers import LayerFit, LayerProbe
from autoencoders.measurements.likelihood import Likelihood, RateDistortion
from autoencoders.measurements.linear_programs import LinearProgram
from autoencoders.measurements.masking import Filling, Importance
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.openings import BestPair, BestSum, BestSumOfSome
from autoencoders.measurements.playground import Gallery, Landmarks, Smoothing
from autoencoders.measurements.probing import Probe, ProbeFit, Regions
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.measurements.samples import RealFeatures, Samples
from autoencoders.measurements.whole_programs import program_of
from autoencoders.plans import Plan, Sweep
from autoencoders.specs import (
    DRAWS,
    MCAE,
    VAE,
    VARIANCE,
    Baseline,
    ConvAE,
    Corruption,
    Custom,
    Disturbance,
    Experiment,
    Gaussian,
    GaussianUpTo,
    Input,
    Method,
    Model,
    Option,
    PatchMask,
    SkipAE,
    Subject,
    Training,
    Untrained,
    ViTMAE,
    level,
)

DISTURBANCES = (  # that no model is trained on
    Disturbance("blur", 1.0),
    Disturbance("salt and pepper", 0.1),
    Disturbance("occlusion", 8),
    Disturbance("low contrast", 0.5),
)
FEW_CLASSES = 12  # of which all sums of three can be tried
# Classes a, b, c of a − b + c, unless a run says otherwise; the first ones are the assignment's
TRIPLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "cifar10": (("dog", "cat", "bird"), ("truck", "automobile", "ship"), ("horse", "deer", "frog")),
    "cifar100": (("man", "boy", "girl"), ("bus", "train", "streetcar"), ("rose", "tulip", "poppy")),
    "svhn": (("8", "3", "1"), ("9", "0", "6"), ("7", "1", "4")),
    "fashion-mnist": (
        ("Coat", "Shirt", "Trouser"),
        ("Sneaker", "Ankle boot", "Sandal"),
        ("Dress", "Pullover", "Bag"),
    ),
    "photos10": (("astronaut", "chelsea", "coffee"), ("rocket", "hubble", "china"), ("flower", "retina", "ihc")),
}


@dataclass(frozen=True, kw_only=True)
class Catalogue(Plan):
    """Every experiment of the assignment. Each method describes one model; each is trained once per seed."""

    dataset: str = "cifar10"

    def check_classes(self, classes: Sequence[str]) -> None:
        """Refuse an arithmetic with classes that the data hasn't."""
        asked = [name for triple in self.profile.arithmetic or () for name in triple]
        if unknown := [name for name in asked if name not in classes]:
            raise InputError(f"arithmetic: {self.dataset} has no class {listed(unknown)}; it has {', '.join(classes)}")

    # ── What is compared ─────────────────────────────────────────────────────────────────────────────────────────────
    # Headlines use the first value that the run was given; curves and tables have all in their order.

    @property
    def sigma(self) -> float:
        """The level at which models are compared, and of the denoiser that stands for its kind."""
        return self.profile.sigmas[0]

    @property
    def noise(self) -> Gaussian:
        return Gaussian(self.sigma)

    @property
    def trained_levels(self) -> tuple[float, ...]:
        """Every level that denoisers are trained on: those of the run, and the assignment's variance."""
        return tuple(sorted({*self.profile.sigmas, math.sqrt(VARIANCE)}))

    @property
    def levels(self) -> tuple[float, ...]:
        """Every level that is tested on: trained ones and unseen ones."""
        return tuple(sorted({*self.trained_levels, *self.profile.unseen}))

    @property
    def unfamiliar_levels(self) -> tuple[float, ...]:
        """Levels on which the denoiser that stands for its kind wasn't trained: unseen ones and the variance."""
        return tuple(sigma for sigma in (*self.profile.unseen, math.sqrt(VARIANCE)) if sigma != self.sigma)

    @property
    def spatial_levels(self) -> tuple[float, ...]:
        """The levels of denoisers with a spatial bottleneck."""
        return self.trained_levels if self.profile.spatial_sigmas == "all" else (self.sigma,)

    @property
    def skip_levels(self) -> tuple[float, ...]:
        """The levels of denoisers with skip connections: the least, where a linear map is strong, and the spatial."""
        return tuple(sorted({min(self.profile.sigmas), *self.spatial_levels}))

    @property
    def probe_levels(self) -> tuple[float, ...]:
        """The levels at which classifiers are fitted to noisy latents, too: the first and the greatest."""
        return tuple(dict.fromkeys((self.sigma, max(self.profile.sigmas))))

    @property
    def ratio(self) -> float:
        """The ratio of the masked models that stand for their kind."""
        return self.profile.ratios[0]

    @property
    def ratios(self) -> tuple[float, ...]:
        return tuple(sorted(self.profile.ratios))

    @property
    def vit_ratios(self) -> tuple[float, ...]:
        return tuple(sorted(self.profile.ratios[: self.profile.vit_ratios]))

    @property
    def size(self) -> int:
        """How many numbers the vector latents have that are compared, and baselines beside them."""
        return self.profile.latents[0]

    @property
    def other_sizes(self) -> tuple[int, ...]:
        """Further sizes of the vector AE."""
        return tuple(sorted(self.profile.latents[1:]))

    @property
    def betas(self) -> tuple[float, ...]:
        """Fixed weights of the divergence, beside the calibrated one."""
        return tuple(sorted(self.profile.betas))

    @property
    def triples(self) -> tuple[tuple[str, ...], ...]:
        """Classes a, b, c of the arithmetic a − b + c."""
        return self.profile.arithmetic or TRIPLES.get(self.dataset) or self._first_classes()

    def _first_classes(self) -> tuple[tuple[str, ...], ...]:
        """Of a folder the first three; of two classes, the first one comes back."""
        return ((*self.classes, self.classes[0])[:3],) if self.images else ()

    @property
    def left_out(self) -> tuple[int, ...]:
        """Classes that an AE and a DAE are trained without; two at least remain."""
        known = len(self.classes) or max(self.profile.left_out, default=0) + 1
        return tuple(kind for kind in self.profile.left_out if kind < known) if known != 2 else ()

    # ── Experiments ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _experiment(self, name: str, family: str, model: Model, corruption: Corruption | None = None) -> Experiment:
        training = Training(epochs=self.profile.epochs_of(family), augment=self.profile.augment)
        return Experiment(
            name=name, model=model, data=self.data, corruption=corruption, training=training, seed=self.seed
        )

    def ae(
        self, bottleneck: Literal["vector", "spatial"] = "vector", latent: int | None = None, sigma: float | None = None
    ) -> Experiment:
        """The autoencoder, or with a sigma the denoising one: the same model, trained on noisy inputs."""
        size = 32 if bottleneck == "spatial" else latent or self.size
        model = ConvAE(bottleneck=bottleneck, width=self.profile.width, latent=size)
        name = f"ae-{bottleneck}" if sigma is None else f"dae-{bottleneck}-{level(sigma)}"
        named = name if bottleneck == "spatial" else _sized(name, size)
        return self._experiment(named, bottleneck, model, _noise(sigma))

    def blind(self) -> Experiment:
        """One denoiser for all levels up to the largest, beside those that are each trained at one."""
        model, most = ConvAE(width=self.profile.width, latent=self.size), max(self.trained_levels)
        return self._experiment(_sized("dae-vector-blind", self.size), "vector", model, GaussianUpTo(most))

    def skips(self, sigma: float) -> Experiment:
        """The spatial denoiser without its bottleneck."""
        name, model = f"dae-skips-{level(sigma)}", SkipAE(width=self.profile.width)
        return self._experiment(name, "spatial", model, Gaussian(sigma))

    def without(self, experiment: Experiment, left_out: int) -> Experiment:
        """The same training without the images of one class."""
        name, data = f"{experiment.name}-without-{left_out}", replace(experiment.data, left_out=left_out)
        return replace(experiment, name=name, data=data)

    def vae(self, beta: float | None = None) -> Experiment:
        """The VAE with a calibrated variance, or with a fixed weight of the divergence."""
        name = "vae" if beta is None else f"vae-beta{beta:g}"
        model = VAE(latent=self.size, width=self.profile.width, beta=beta)
        return self._experiment(_sized(name, self.size), "vae", model)

    def mcae(self, ratio: float, far: bool = False) -> Experiment:
        """At a ratio of 0, where nothing is hidden, it is the control that says what masking adds."""
        name = f"mcae-{ratio:g}" + ("-far" if far else "")
        return self._experiment(name, "mcae", MCAE(ratio=ratio, width=self.profile.width, far=far))

    def vit(self, ratio: float) -> Experiment:
        """The control: at three times the MCAE's width it has about as many parameters."""
        return self._experiment(f"vit-{ratio:g}", "vit", ViTMAE(ratio=ratio, dim=3 * self.profile.width))

    def custom(
        self, name: str, implementation: str, *, family: str = "vector", sigma: float | None = None, **options: Option
    ) -> Experiment:
        """A model from a file of its own, trained for as long as a family of the profile's (see docs/adding.md)."""
        return self._experiment(name, family, Custom(implementation, **options), _noise(sigma))

    def sweeps(self) -> list[Sweep]:
        """Each setting by itself, with equal budgets."""
        base = self._short("tune-base", self.ae())
        found = [self._rates("AE", "tune", base)]
        if self.profile.tuned != "rate":
            found += [
                self._swept("AE", "tune-latent", base, "latent", self._around(self.size)),
                self._swept("AE", "tune-width", base, "width", [self.profile.width // 2]),
            ]
        if self.profile.tuned == "all":
            vae, mcae = self._short("tune-vae", self.vae()), self._short("tune-mcae", self.mcae(self.ratio))
            found += [
                self._rates("spatial AE", "tune-spatial", self._short("tune-spatial", self.ae("spatial"))),
                self._rates("VAE", "tune-vae", vae),
                self._swept("VAE", "tune-vae-beta", vae, "beta", self.betas, by="bits"),
                self._rates("MCAE", "tune-mcae", mcae),
                self._swept("MCAE", "tune-mcae-patch", mcae, "patch", (2, 8), by="probe"),
                self._swept("MCAE", "tune-mcae-weight", mcae, "masked_weight", (1.0, 10.0), by="probe"),
                self._rates("ViT", "tune-vit", self._short("tune-vit", self.vit(self.ratio))),
            ]
        return found

    def _short(self, name: str, experiment: Experiment) -> Experiment:
        training = replace(experiment.training, epochs=self.profile.epochs_of("tuning"), augment=False)
        return replace(experiment, name=name, training=training)

    def _rates(self, model: str, name: str, base: Experiment) -> Sweep:
        rates = (base.training.learning_rate / 2, base.training.learning_rate * 2)
        return self._swept(model, f"{name}-rate", base, "learning_rate", rates, by="error")

    def _swept(
        self,
        model: str,
        name: str,
        base: Experiment,
        setting: str,
        others: Sequence[float],
        by: Literal["error", "bits", "probe"] | None = None,
    ) -> Sweep:
        part = "training" if hasattr(base.training, setting) else "model"
        runs = [
            replace(base, name=f"{name}-{value:g}", **{part: replace(getattr(base, part), **{setting: value})})
            for value in others
        ]
        return Sweep(model=model, setting=setting, runs=(base, *runs), by=by)

    def _around(self, size: int) -> list[int]:
        return [other for other in (size // 2, size * 2) if other > 0]

    def of_tuning(self) -> list[tuple[Subject, Measurement]]:
        return [(run, spec) for sweep in self.sweeps() for run in sweep.runs for spec in self.of_sweep(sweep)]

    def of_sweep(self, sweep: Sweep) -> list[Measurement]:
        """What a run is chosen by, beside its training's own validation error."""
        match sweep.by:
            case "bits":
                return [Likelihood(split="validation")]
            case "probe":
                return [self.layer_probe().fit]
            case _:
                return []

    def repeats(self, experiment: Experiment) -> bool:
        if self.profile.repeated == "all" or self.seed == self.profile.seeds[0]:
            return True
        headline = (self.ae(), *(self.ae(b, sigma=self.sigma) for b in self.profile.bottlenecks), self.vae())
        compared = (self.mcae(self.ratio), self.mcae(0))  # with masks and without
        return experiment in (*headline, *compared)

    def results(self) -> list[Experiment]:
        return list(filter(self.repeats, self._results()))

    def _results(self) -> list[Experiment]:
        profile = self.profile
        sigmas = {"vector": self.trained_levels, "spatial": self.spatial_levels}
        return [
            *(self.ae(bottleneck) for bottleneck in profile.bottlenecks),
            *(self.ae(latent=size) for size in self.other_sizes),
            *(self.ae(b, sigma=sigma) for b in profile.bottlenecks for sigma in sigmas[b]),
            *map(self.skips, self.skip_levels),
            *([self.blind()] if profile.complete else []),
            *(self.without(e, k) for e in (self.ae(), self.ae(sigma=self.sigma)) for k in self.left_out),
            *(self.vae(beta) for beta in (None, *self.betas)),
            *(self.mcae(ratio) for ratio in (0, *self.ratios)),
            *([self.mcae(self.ratio, far=True)] if profile.complete else []),
            *(self.vit(ratio) for ratio in self.vit_ratios),
        ]

    def baselines(self) -> list[Baseline]:
        methods: tuple[Method, ...] = ("input", "mean", "ridge", "tv", "nlm", "linear-fill", "pixels", "patches")
        linear: list[Method] = ["ppca", *(["linear-vae"] if 1 in self.betas else [])]  # type: ignore[list-item]
        return [
            *(Baseline(method=m) for m in methods),
            Baseline(method="ridge", sigma=self.sigma),
            *(Baseline(method="pca", size=size) for size in (self.size, *self.other_sizes)),
            *(Baseline(method=m, size=self.size) for m in linear),
        ]

    def untrained(self) -> list[Untrained]:
        """The encoders whose features are compared, with random weights."""
        draws = range(max(len(DRAWS), len(self.profile.seeds)))  # one beside each seed
        return [Untrained(of=e.name, model=e.model, seed=draw) for e in (self.ae(), self.mcae(0)) for draw in draws]

    def of_untrained(self, untrained: Untrained) -> list[Measurement]:
        if untrained.seed != DRAWS[0]:
            return self.layer_probes()
        features: Literal["latent", "map"] = "map" if isinstance(untrained.model, MCAE) else "latent"
        return [*self.layer_probes(), *self.probes("map"), self.embedding(features)]

    def of_baseline(self, baseline: Baseline) -> list[Measurement]:
        noisy: list[Measurement] = [self.reconstruction(Gaussian(sigma)) for sigma in self.levels]
        match baseline.method:
            case "mean":
                return [self.reconstruction(), self.filling()]
            case "linear-fill":
                return [self.filling()]
            case "pca":
                latent = [*self.probes("latent"), self.latent(), self.cloud(), self.regions("latent"), self.anomaly()]
                latent += [spec for sigma in self.probe_levels for spec in self.four_ways(sigma)]
                latent += [self.embedding("latent"), self.frequencies(), self.compression()]
                latent += [*self.disturbed().values(), *map(self.novelty, self.left_out), Components()]
                return [self.reconstruction(), *noisy, *(dict.fromkeys(latent) if baseline.size == self.size else [])]
            case "pixels":
                return [*self.probes("latent"), *self.layer_probes(), self.latent(), self.embedding("latent")]
            case "ppca":
                return [self.reconstruction(), self.likelihood(), self.samples(), self.rate_distortion()]
            case "linear-vae":
                return [self.reconstruction(), self.likelihood()]
            case "patches":
                return [*self.probes("latent"), self.real_features()]
            case "input":
                return [*noisy, Gallery(), Lessons()]
            case "tv":
                return [*noisy, Smoothing()]
            case "ridge":
                return [
                    *noisy,
                    *([LinearProgram(sigmas=tuple(sorted(self.profile.sigmas)))] if baseline.sigma is None else []),
                ]
            case _:
                return noisy

    def of_model(self, experiment: Experiment) -> list[Measurement]:
        model = experiment.model
        measured: list[Measurement]
        if experiment.data.left_out is not None:
            return [self.novelty(experiment.data.left_out)]
        if isinstance(model, SkipAE):
            return [self.reconstruction(experiment.corruption), program_of(experiment)]
        if isinstance(model, MCAE | ViTMAE):
            features = [*self.probes("map"), *self.layer_probes(), self.embedding("map")]
            if model.ratio == 0:
                return [self.reconstruction(), *features]
            hidden, holes = self.reconstruction(PatchMask(model.ratio)), self.filling()
            measured = [self.reconstruction(), hidden, *features, self.regions("map"), self.importance()]
            return [*measured, holes, Cost(), program_of(experiment)]
        if isinstance(model, VAE) and model.beta is not None:  # a point of the rate–distortion curve
            return [self.reconstruction(), self.likelihood(), self.samples()]
        levels = (self.sigma,) if isinstance(model, VAE) else self.levels
        measured = [self.reconstruction(), self.anomaly(), program_of(experiment)]
        measured += [Cost(), *(self.reconstruction(Gaussian(sigma)) for sigma in levels)]
        if not (isinstance(model, ConvAE) and model.bottleneck == "spatial"):
            measured += self.probes("latent")
            if experiment.corruption in (None, self.noise):  # one denoiser's latents and map say what the others' would
                measured += [self.latent(), self.cloud(), self.regions("latent"), *self.probes("map")]
                measured += [*self.layer_probes(), self.embedding("latent"), self.frequencies(), self.compression()]
            measured += [spec for sigma in self._probed_at(experiment) for spec in self.four_ways(sigma)]
            if experiment in (self.ae(), self.ae(sigma=self.sigma)):
                measured += self.disturbed().values()
        if isinstance(model, VAE):
            measured += [self.likelihood(), self.samples(), Interpolation(), *self.arithmetics(), Landmarks()]
            measured += [Density(), Rebuilt(), BestPair(), self.best_sum()]
        if experiment.name == self.ae().name:
            measured += [self.samples(), Interpolation(), Density()]
        if experiment in (self.ae(), *(self.ae(latent=size) for size in self.other_sizes)):
            measured.append(Rebuilt())
        return list(dict.fromkeys(measured))

    def _probed_at(self, experiment: Experiment) -> Sequence[float]:
        """The levels of the four-way probe: all for what is trained on clean images, its own for a denoiser."""
        if experiment.name in (self.ae().name, self.vae().name):
            return self.probe_levels
        return [sigma for sigma in self.probe_levels if experiment == self.ae(sigma=sigma)]

    def arithmetics(self) -> list[Arithmetic]:
        return [self.arithmetic(classes) for classes in self.triples]

    def arithmetic(self, classes: tuple[str, ...]) -> Arithmetic:
        return Arithmetic(classes=classes, judge=self._classifier("latent"))

    def best_sum(self) -> BestSum:
        """Among all classes, if these are few; those of CIFAR-100 aren't known before it is read."""
        few = len(self.classes) <= FEW_CLASSES and self.dataset != "cifar100"
        return (BestSum if few else BestSumOfSome)(judge=self._classifier("latent"))

    def likelihood(self) -> Likelihood:
        return Likelihood(images=self.profile.images)

    def rate_distortion(self) -> RateDistortion:
        return RateDistortion(images=self.profile.images)

    def real_features(self) -> RealFeatures:
        return RealFeatures(images=(self.profile.images or 2 * RealFeatures.images) // 2)

    def samples(self) -> Samples:
        return Samples(real=self.real_features())

    def filling(self) -> Filling:
        return Filling(images=self.profile.images or Filling.images, ratio=self.ratio)

    def anomaly(self) -> Anomaly:
        return Anomaly(images=self.profile.latent_images)

    def novelty(self, left_out: int) -> Novelty:
        return Novelty(left_out=left_out)

    def compression(self) -> Compression:
        return Compression(images=self.profile.latent_images)

    def disturbed(self) -> dict[Disturbance, Reconstruction]:
        """The same images in each kind of disturbance."""
        return {what: Reconstruction(input=what, images=self.profile.latent_images) for what in DISTURBANCES}

    def regions(self, features: Literal["latent", "map"]) -> Regions:
        return Regions(features=features, images=min(1000, self.profile.latent_images))

    def importance(self) -> Importance:
        return Importance(images=min(Importance.images, self.profile.images or Importance.images))

    def reconstruction(self, corruption: Input = None) -> Reconstruction:
        return Reconstruction(input=corruption, images=self.profile.images)

    def probes(self, features: Literal["latent", "map"]) -> list[Measurement]:
        """The fit comes first: clean and noisy inputs are judged by the same classifier. Of maps, clean ones alone."""
        asked = [self.probe(features, seen) for seen in ((None, self.noise) if features == "latent" else (None,))]
        return [asked[0].fit, *asked]

    def four_ways(self, sigma: float) -> list[Measurement]:
        """Classifiers fitted to clean and to noisy latents, each asked about clean and about noisy ones."""
        levels = (None, Gaussian(sigma))
        return [
            spec
            for fitted in levels
            for spec in (self._classifier("latent", fitted), *(self.probe("latent", seen, fitted) for seen in levels))
        ]

    def probe(
        self, features: Literal["latent", "map"], seen: Corruption | None = None, fitted: Corruption | None = None
    ) -> Probe:
        return Probe(fit=self._classifier(features, fitted), input=seen, images=self.profile.images)

    def _classifier(self, features: Literal["latent", "map"], fitted: Corruption | None = None) -> ProbeFit:
        profile = self.profile
        return ProbeFit(
            features=features,
            classifier=profile.classifier,
            samples=profile.probe_samples,
            reduced=self.size,
            input=fitted,
        )

    def layer_probes(self) -> list[Measurement]:
        asked = self.layer_probe()
        return [asked.fit, asked]

    def layer_probe(self) -> LayerProbe:
        fit = LayerFit(classifier=self.profile.classifier, samples=self.profile.probe_samples)
        return LayerProbe(fit=fit, images=self.profile.images)

    def embedding(self, features: Literal["latent", "map"]) -> Embedding:
        return Embedding(features=features, images=self.profile.latent_images)

    def frequencies(self) -> Frequencies:
        return Frequencies(images=self.profile.latent_images)

    def cloud(self) -> Cloud:
        return Cloud(input=self.noise, images=min(Cloud.images, self.profile.latent_images // 2))

    def latent(self) -> Latent:
        return Latent(input=self.noise, images=self.profile.latent_images)


def _sized(name: str, latent: int) -> str:
    """A model's name says the size of its latent, unless it is the usual one."""
    return name if latent == ConvAE.latent else f"{name}-l{latent}"


def _noise(sigma: float | None) -> Gaussian | None:
    return None if sigma is None else Gaussian(sigma)
