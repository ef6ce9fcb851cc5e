"""Study A: noise on coloured digits, removed by four models; and what a colour that gives the class away does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from autoencoders.measurements.exhibits import Lessons
from autoencoders.measurements.linear_programs import LinearProgram
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.playground import Gallery
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.measurements.whole_programs import program_of
from autoencoders.specs import VAE, Baseline, Data, Experiment, Gaussian, Model
from autoencoders.studies.base import Budget, Study, images_of
from autoencoders.studies.digits.measurements import Between, Clusters


@dataclass(frozen=True, kw_only=True)
class DigitAE(Model):
    """Study A: four stride-2 convolutions (128, 64, 32, 16 filters) and their mirror, with a sigmoid."""

    implementation: ClassVar[str] = "autoencoders.studies.digits.models:DigitAutoencoder"
    dropout: float = 0.0
    batch_norm: bool = False


NOISE = Gaussian(0.2)  # the source states no level
LEAKING = "AE, one colour a class"
MODELS: dict[str, Model] = {
    "AE": DigitAE(),
    "AE + BatchNorm": DigitAE(batch_norm=True),
    "AE + Dropout": DigitAE(dropout=0.2),
    "AE + Dropout + BatchNorm": DigitAE(dropout=0.2, batch_norm=True),
    "VAE": VAE(latent=64, beta=1.0),
}


@dataclass(frozen=True, kw_only=True)
class DigitsBudget(Budget):
    """Also epochs between two snapshots, and images in a t-SNE.

    Batch and learning rate are the source's but in `quick`, which has so few epochs that more and larger steps serve
    it: by the validation error of short runs, this pair. Batch norm, which the source leaves open, is left out there,
    and the variant with one colour a class has half the images: it is there for its clusters.
    """

    look: int
    points: int
    batch: int = 128
    learning_rate: float = 1e-3
    models: tuple[str, ...] = tuple(MODELS)
    leaking: int | None = None  # training images of the variant whose colours give the class away


@dataclass(frozen=True, kw_only=True)
class Digits(Study[DigitsBudget]):
    """Every digit in a random colour; and, for one model, each class in a colour of its own."""

    name: ClassVar[str] = "digits"
    notebook: ClassVar[str] = "07-digits"
    wanted: ClassVar[tuple[str, ...]] = ("mnist-colored", "mnist-colored-class")
    constants: ClassVar[dict[str, str]] = {"digits_sigma": f"{NOISE.sigma:g}"}
    budgets: ClassVar[Mapping[str, DigitsBudget]] = {
        "smoke": DigitsBudget(train=256, epochs=1, look=1, points=60, images=32),
        "quick": DigitsBudget(
            train=None,
            epochs=2,
            look=1,
            points=600,
            batch=12,
            learning_rate=4e-3,
            models=("AE", "AE + Dropout", "VAE"),
            leaking=18_000,
        ),
        "evening": DigitsBudget(train=None, epochs=20, look=4, points=2000),
        "full": DigitsBudget(train=None, epochs=20, look=4, points=2000),
    }

    @property
    def leaking_data(self) -> Data:
        return images_of(self.others[0], self.budget.leaking or self.budget.train)

    def model(self, label: str) -> Experiment:
        """Trained as the source says, with a weight decay of 1e-5."""
        name = label.lower().replace(" + ", "-").replace(", one colour a class", "-leaking")
        return self.experiment(
            name,
            MODELS["AE" if label == LEAKING else label],
            NOISE,
            self.leaking_data if label == LEAKING else None,
            epochs=self.budget.epochs,
            batch=self.budget.batch,
            learning_rate=self.budget.learning_rate,
            weight_decay=1e-5,
            snapshots=self.budget.look,
        )

    def results(self) -> list[Experiment]:
        return [self.model(label) for label in (*self.budget.models, LEAKING)]

    def baselines(self) -> list[Baseline]:
        return [Baseline(method="input"), Baseline(method="ridge"), Baseline(method="pixels")]

    def of_baseline(self, baseline: Baseline) -> list[Measurement]:
        if baseline.method == "pixels":
            return [self.clusters(), self.clusters(leaking=True)]
        return [self.denoising(), *([Gallery(), Lessons()] if baseline.method == "input" else [LinearProgram()])]

    def of_model(self, experiment: Experiment) -> list[Measurement]:
        leaking = experiment.data != self.data
        shown = [] if leaking else [program_of(experiment)]
        return [self.denoising(), self.clusters(leaking=leaking), self.between(), *shown]

    def denoising(self) -> Reconstruction:
        return Reconstruction(input=NOISE, images=self.budget.images)

    def between(self) -> Between:
        return Between(pairs=min(Between.pairs, self.budget.images or Between.pairs))

    def clusters(self, *, leaking: bool = False) -> Clusters:
        shown = self.leaking_data if leaking else self.data
        return Clusters(evaluation_data=shown, input=NOISE, images=self.budget.points)

    def claims(self, results: Any) -> Iterable[Any]:
        from autoencoders.studies.digits.claims import claims

        return claims(results)
