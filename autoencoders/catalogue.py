"""The table of all experiments of the assignment."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from autoencoders.measurements.anomaly import Anomaly, Novelty
from autoencoders.measurements.compression import Compression
from autoencoders.measurements.cost import Cost
from autoencoders.measurements.embedding import Embedding
from autoencoders.measurements.frequencies import Frequencies
from autoencoders.measurements.generation import Arithmetic, Interpolation
from autoencoders.measurements.latent import Cloud, Displacement, Latent
from autoencoders.measurements.layers import LayerFit, LayerProbe
from autoencoders.measurements.likelihood import Likelihood, RateDistortion
from autoencoders.measurements.masking import Filling, Importance
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.playground import Gallery, Landmarks, Smoothing
from autoencoders.measurements.probing import Probe, ProbeFit, Regions
from autoencoders.measurements.programs import Program
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.measurements.samples import RealFeatures, Samples
from autoencoders.plans import Plan
from autoencoders.specs import (
    DRAWS,
    MCAE,
    NOISE,
    RATIOS,
    TRIPLES,
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
PROBE_LEVELS = (0.3, 0.5)  # at which classifiers are fitted to noisy latents, too


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
        self, name: str, family: str, model: Model, corruption: Corruption | None = None, **changes: Any
    ) -> Experiment:
        augment = self.profile.augment and family != "tuning"
        training = Training(epochs=self.profile.epochs_of(family), augment=augment, **changes)
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
        return self._experiment(name if latent is None else f"{name}-l{latent}", bottleneck, model, _noise(sigma))

    def blind(self) -> Experiment:
        """One denoiser for all levels up to the largest, beside those that are each trained at one."""
        most = max(self.profile.sigmas)
        return self._experiment("dae-vector-blind", "vector", ConvAE(width=self.profile.width), GaussianUpTo(most))

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
        return self._experiment(name, "vae", VAE(width=self.profile.width, beta=beta))

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
            *map(self.skips, sorted({min(profile.sigmas), *profile.spatial_sigmas})),
            *(self.vae(beta) for beta in (None, *profile.betas)),
            *(self.mcae(ratio) for ratio in (0, *RATIOS)),
            *(self.vit(ratio) for ratio in profile.vit_ratios),
            *(self.without(e, k) for e in (self.ae(), self.ae(sigma=NOISE.sigma)) for k in profile.left_out),
            *([self.blind(), self.mcae(RATIOS[-1], far=True)] if profile.complete else []),
        ]

    def baselines(self) -> list[Baseline]:
        methods: tuple[Method, ...] = ("input", "mean", "ridge", "tv", "nlm", "linear-fill", "pixels", "patches")
        sizes = dict.fromkeys((128, *self.profile.latents))
        linear = [Baseline(method="ppca"), Baseline(method="linear-vae"), Baseline(method="ridge", sigma=NOISE.sigma)]
        return [*(Baseline(method=m) for m in methods), *(Baseline(method="pca", size=k) for k in sizes), *linear]

    def untrained(self) -> list[Untrained]:
        """The encoders whose features are compared, with random weights."""
        return [Untrained(of=e.name, model=e.model, seed=draw) for e in (self.ae(), self.mcae(0)) for draw in DRAWS]

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
                latent += [*self.disturbed().values(), *map(self.novelty, self.profile.left_out)]
                return [self.reconstruction(), *noisy, *(dict.fromkeys(latent) if baseline.size == 128 else [])]
            case "pixels":
                return [*self.probes("latent"), *self.layer_probes(), self.latent(), self.embedding("latent")]
            case "ppca":
                return [self.reconstruction(), self.likelihood(), self.samples(), self.rate_distortion()]
            case "linear-vae":
                return [self.reconstruction(), self.likelihood()]
            case "patches":
                return [*self.probes("latent"), self.real_features()]
            case "input":
                return [*noisy, Gallery()]
            case "tv":
                return [*noisy, Smoothing()]
            case _:
                return noisy

    def of_model(self, experiment: Experiment) -> list[Measurement]:
        model = experiment.model
        measured: list[Measurement]
        if experiment.data.left_out is not None:
            return [self.novelty(experiment.data.left_out)]
        if isinstance(model, SkipAE):
            return [self.reconstruction(experiment.corruption)]
        if isinstance(model, MCAE | ViTMAE):
            features = [*self.probes("map"), *self.layer_probes(), self.embedding("map")]
            if model.ratio == 0:
                return [self.reconstruction(), *features]
            hidden, holes = self.reconstruction(PatchMask(model.ratio)), self.filling()
            measured = [self.reconstruction(), hidden, *features, self.regions("map"), self.importance()]
            return [*measured, holes, Cost(), *([Program()] if self.in_browser(experiment) else [])]
        if isinstance(model, VAE) and model.beta is not None:  # a point of the rate–distortion curve
            return [self.reconstruction(), self.likelihood(), self.samples()]
        levels = (NOISE.sigma,) if isinstance(model, VAE) else self.levels
        measured = [
            self.reconstruction(),
            self.anomaly(),
            Cost(),
            *([Program()] if self.in_browser(experiment) else []),
        ]
        measured += [self.reconstruction(Gaussian(sigma)) for sigma in levels]
        if not (isinstance(model, ConvAE) and model.bottleneck == "spatial"):
            measured += self.probes("latent")
            if experiment.corruption in (None, NOISE):  # one denoiser's latents and map say what the others' would
                measured += [self.latent(), self.cloud(), self.regions("latent"), *self.probes("map")]
                measured += [*self.layer_probes(), self.embedding("latent"), self.frequencies(), self.compression()]
            measured += [spec for sigma in self._probed_at(experiment) for spec in self.four_ways(sigma)]
            if experiment in (self.ae(), self.ae(sigma=NOISE.sigma)):
                measured += self.disturbed().values()
        if isinstance(model, VAE):
            measured += [self.likelihood(), self.samples(), Interpolation(), *self.arithmetics(), Landmarks()]
        if experiment.name == "ae-vector":
            measured += [self.samples(), Interpolation(), self.displacement()]
        return list(dict.fromkeys(measured))

    def _probed_at(self, experiment: Experiment) -> list[float]:
        """The levels of the four-way probe: all for what is trained on clean images, its own for a denoiser."""
        if experiment.name in (self.ae().name, self.vae().name):
            return self.probe_levels
        return [sigma for sigma in self.probe_levels if experiment == self.ae(sigma=sigma)]

    def in_browser(self, experiment: Experiment) -> bool:
        """Whether the site's pages know all layers of a model; those of others are for them to name in a line."""
        return isinstance(experiment.model, ConvAE | VAE | MCAE)

    def arithmetics(self) -> list[Arithmetic]:
        return [self.arithmetic(classes) for classes in TRIPLES.get(self.dataset, ())]

    def arithmetic(self, classes: tuple[str, ...]) -> Arithmetic:
        return Arithmetic(classes=classes, judge=self._classifier("latent"))

    def likelihood(self) -> Likelihood:
        return Likelihood(images=self.profile.images)

    def rate_distortion(self) -> RateDistortion:
        return RateDistortion(images=self.profile.images)

    def real_features(self) -> RealFeatures:
        return RealFeatures(images=(self.profile.images or 2 * RealFeatures.images) // 2)

    def samples(self) -> Samples:
        return Samples(real=self.real_features())

    def filling(self) -> Filling:
        return Filling(images=self.profile.images or Filling.images)

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
        asked = [self.probe(features, seen) for seen in ((None, NOISE) if features == "latent" else (None,))]
        return [asked[0].fit, *asked]

    @property
    def probe_levels(self) -> list[float]:
        return [sigma for sigma in PROBE_LEVELS if sigma in self.profile.sigmas]

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
        return ProbeFit(features=features, classifier=profile.classifier, samples=profile.probe_samples, input=fitted)

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

    def displacement(self, sigma: float = NOISE.sigma) -> Displacement:
        return Displacement(input=Gaussian(sigma), images=self.profile.latent_images // 2)

    def cloud(self, sigma: float = NOISE.sigma) -> Cloud:
        return Cloud(input=Gaussian(sigma), images=min(Cloud.images, self.profile.latent_images // 2))

    def latent(self, sigma: float = NOISE.sigma) -> Latent:
        return Latent(input=Gaussian(sigma), images=self.profile.latent_images)


def _noise(sigma: float | None) -> Gaussian | None:
    return None if sigma is None else Gaussian(sigma)
