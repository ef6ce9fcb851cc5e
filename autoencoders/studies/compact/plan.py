"""Study C: a denoiser of some sixteen hundred parameters, on both readings of the scale that its noise is given on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from autoencoders.measurements.linear_programs import LinearProgram
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.playground import Gallery
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.measurements.whole_programs import program_of
from autoencoders.specs import Baseline, ConvAE, Corruption, Experiment, Gaussian, Model, Training
from autoencoders.studies.base import Budget, Study


@dataclass(frozen=True, kw_only=True)
class CompactAE(Model):
    """Study C: 8 channels, 3×3 kernels, stride 1, no padding, two layers each way."""

    implementation: ClassVar[str] = "autoencoders.studies.compact.models:CompactAutoencoder"
    channels: int = 8


SIGMA = 0.1  # as the source gives it, on [-1, 1]
ON_UNIT_SCALE = {"[−1, 1]": SIGMA / 2, "[0, 1]": SIGMA}  # what it means on [0, 1], by the scale that it is read on


@dataclass(frozen=True, kw_only=True)
class CompactBudget(Budget):
    """Also how many images are in a batch."""

    batch: int = 32


@dataclass(frozen=True, kw_only=True)
class Compact(Study[CompactBudget]):
    """The compact model on clean and on noisy images, beside the spatial denoiser and the linear map."""

    name: ClassVar[str] = "compact"
    notebook: ClassVar[str] = "09-compact-denoiser"
    wanted: ClassVar[tuple[str, ...]] = ("cifar10",)
    constants: ClassVar[dict[str, str]] = {"compact_sigma": f"{SIGMA:g}", "compact_half": f"{SIGMA / 2:g}"}
    budgets: ClassVar[Mapping[str, CompactBudget]] = {
        "smoke": CompactBudget(train=256, epochs=1, images=64),
        "quick": CompactBudget(train=8_000, epochs=3, batch=16),
        "evening": CompactBudget(train=None, epochs=10),
        "full": CompactBudget(train=None, epochs=40, batch=128),
    }

    def compact(self, sigma: float | None = None) -> Experiment:
        """Trained on clean images, or on ones with noise of so much on [0, 1]."""
        name = "clean" if sigma is None else f"denoiser-{sigma:g}"
        return self._trained(name, CompactAE(), None if sigma is None else Gaussian(sigma))

    def spatial(self) -> Experiment:
        """The report's spatial denoiser, at this study's noise and for as many epochs."""
        model = ConvAE(bottleneck="spatial", latent=32, width=self.profile.width)
        return self._trained("spatial", model, Gaussian(ON_UNIT_SCALE["[−1, 1]"]))

    def _trained(self, name: str, model: CompactAE | ConvAE, noise: Corruption | None) -> Experiment:
        rate = 1e-2 if isinstance(model, CompactAE) else Training.learning_rate  # so few parameters want large steps
        return self.experiment(
            name, model, noise, epochs=self.budget.epochs, batch=self.budget.batch, learning_rate=rate
        )

    def results(self) -> list[Experiment]:
        return [self.compact(), *(self.compact(sigma) for sigma in ON_UNIT_SCALE.values()), self.spatial()]

    def baselines(self) -> list[Baseline]:
        return [Baseline(method="input"), Baseline(method="ridge")]

    def of_baseline(self, baseline: Baseline) -> list[Measurement]:
        shown = Gallery() if baseline.method == "input" else LinearProgram()
        return [*(self.reconstruction(sigma) for sigma in ON_UNIT_SCALE.values()), shown]

    def of_model(self, experiment: Experiment) -> list[Measurement]:
        noisy = [self.reconstruction(sigma) for sigma in ON_UNIT_SCALE.values()]
        return [self.reconstruction(), *noisy, program_of(experiment)]

    def reconstruction(self, sigma: float | None = None) -> Reconstruction:
        return Reconstruction(input=None if sigma is None else Gaussian(sigma), images=self.budget.images)

    def claims(self, results: Any) -> Iterable[Any]:
        from autoencoders.studies.compact.claims import claims

        return claims(results)
