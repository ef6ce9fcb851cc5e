"""Study B: bottlenecks, hidden pixels, and what the frozen encoders tell a classifier about other images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.specs import Baseline, ConvAE, Corruption, Data, Experiment, Gaussian, Model, PixelMask
from autoencoders.studies.base import Budget, Study, images_of
from autoencoders.studies.transfer.measurements import Compressed, Fault, Inpainting, Transfer


@dataclass(frozen=True, kw_only=True)
class SweepAE(Model):
    """Study B: three hidden layers each way around a narrow bottleneck."""

    implementation: ClassVar[str] = "autoencoders.studies.transfer.models:SweepAutoencoder"
    bottleneck: int = 64


NOISE = Gaussian(0.1)
SPLITS = {"80/10/10": 1 / 9, "70/20/10": 2 / 9}  # validation, as a share of what isn't for testing
NETWORKS = {3: (512, 256, 128), 5: (512, 256, 128, 64, 32)}  # hidden layers
FAULTS: tuple[Fault, ...] = ("raw features", "faint features", "sigmoid", "large steps")
Features = Literal["latent", "map"]


@dataclass(frozen=True, kw_only=True)
class TransferBudget(Budget):
    """Also labels and epochs of a classifier, and what is compared."""

    labels: int | None
    fits: int
    bottlenecks: tuple[int, ...] = (256, 128, 64, 32, 16)
    masks: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    shares: tuple[float, ...] = (0.01, 0.1, 0.2, 0.4, 0.6, 1.0)  # of the labels


@dataclass(frozen=True, kw_only=True)
class TransferStudy(Study[TransferBudget]):
    """Ten autoencoders by bottleneck and split, four by hidden pixels, and one of our own; then classifiers."""

    name: ClassVar[str] = "transfer"
    notebook: ClassVar[str] = "08-bottleneck-transfer"
    wanted: ClassVar[tuple[str, ...]] = ("voc2007", "stl10")
    constants: ClassVar[dict[str, str]] = {"transfer_sigma": f"{NOISE.sigma:g}"}
    budgets: ClassVar[Mapping[str, TransferBudget]] = {
        "smoke": TransferBudget(
            train=144,
            epochs=1,
            labels=200,
            fits=1,
            images=64,
            bottlenecks=(256, 16),
            masks=(0.2, 0.8),
            shares=(0.1, 1.0),
        ),
        "quick": TransferBudget(train=8_000, epochs=2, labels=30_000, fits=6),
        "evening": TransferBudget(train=None, epochs=10, labels=None, fits=20),
        "full": TransferBudget(train=None, epochs=40, labels=None, fits=40),
    }

    @property
    def widest(self) -> int:
        return self.budget.bottlenecks[0]

    @property
    def narrowest(self) -> int:
        """Also the bottleneck of the encoders that see hidden pixels."""
        return self.budget.bottlenecks[-1]

    @property
    def data(self) -> Data:
        return self.split("80/10/10")

    def split(self, name: str) -> Data:
        """The test images are the same for both; of the others, so many parts in ten are for training."""
        train = self.budget.train
        return images_of(self.dataset, train and train * int(name[:2]) // 80, SPLITS[name])

    # ── Trainings ──

    def sweep(self, bottleneck: int, split: str = "80/10/10") -> Experiment:
        name = f"{bottleneck}" + ("" if split == "80/10/10" else "-" + split.replace("/", "-"))
        return self._trained(name, SweepAE(bottleneck=bottleneck), NOISE, self.split(split))

    def masked(self, ratio: float) -> Experiment:
        return self._trained(f"mask-{ratio:g}", SweepAE(bottleneck=self.narrowest), PixelMask(ratio))

    def own(self) -> Experiment:
        """Residual blocks on a grid of cells of 4×4 pixels, around the widest bottleneck."""
        return self._trained("own", ConvAE(latent=self.widest, width=self.profile.width), NOISE)

    def _trained(self, name: str, model: Model, corruption: Corruption, data: Data | None = None) -> Experiment:
        return self.experiment(name, model, corruption, data, epochs=self.budget.epochs)

    def results(self) -> list[Experiment]:
        swept = [self.sweep(bottleneck, split) for split in SPLITS for bottleneck in self.budget.bottlenecks]
        return [*swept, *map(self.masked, self.budget.masks), self.own()]

    def baselines(self) -> list[Baseline]:
        sizes = [Baseline(method="pca", size=size) for size in self.budget.bottlenecks]
        return [Baseline(method="mean"), Baseline(method="input"), *sizes, Baseline(method="pixels")]

    # ── Measurements ──

    def of_baseline(self, baseline: Baseline) -> list[Measurement]:
        if baseline.method == "pixels":
            return [self.transfer()]
        return [self.compressed() if baseline.method == "pca" else self.denoising()]

    def of_model(self, experiment: Experiment) -> list[Measurement]:
        if isinstance(experiment.corruption, PixelMask):
            return [self.inpainting(experiment.corruption.ratio), self.transfer()]
        transfers: list[Measurement] = []
        if experiment == self.own():
            transfers = [self.transfer(), self.transfer("map")]
        elif experiment == self.sweep(self.widest):
            transfers = [self.transfer("map"), *(self.transfer(layers=n) for n in NETWORKS)]
            transfers += [self.transfer(share=share) for share in self.budget.shares[:-1]]
        elif experiment == self.sweep(self.narrowest):
            transfers = [
                self.transfer(layers=n, faults=faults) for n in NETWORKS for faults in ((), *((f,) for f in FAULTS))
            ]
        return [self.denoising(), *transfers]

    def denoising(self) -> Reconstruction:
        return Reconstruction(input=NOISE, images=self.budget.images)

    def compressed(self) -> Compressed:
        return Compressed(input=NOISE, images=self.budget.images)

    def inpainting(self, ratio: float) -> Inpainting:
        return Inpainting(input=PixelMask(ratio), images=self.budget.images)

    def labelled(self, share: float = 1.0) -> Data:
        """So many of the labels, each class with its share; fewer are a part of more."""
        whole = images_of(self.others[0], self.budget.labels)
        return images_of(whole.name, round(share * (whole.train or 0)))

    def transfer(
        self, features: Features = "latent", *, layers: int = 3, share: float = 1.0, faults: tuple[Fault, ...] = ()
    ) -> Transfer:
        """As many steps with few labels as with many, up to ten times the epochs."""
        epochs = round(self.budget.fits * min(1 / share, 10))
        return Transfer(
            evaluation_data=self.labelled(share),
            features=features,
            hidden=NETWORKS[layers],
            epochs=epochs,
            images=self.budget.images,
            faults=faults,
        )

    def claims(self, results: Any) -> Iterable[Any]:
        from autoencoders.studies.transfer.claims import claims

        return claims(results)
