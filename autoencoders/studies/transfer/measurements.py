"""What frozen encoders are good for: classifiers of other images, and images with hidden pixels."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

from autoencoders.measurements.common import (
    Measured,
    as_bytes,
    chosen,
    corrupted,
    exactly,
    features_of,
    resampled,
    row,
    to_unit_range,
)
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Baseline, Corruption, Data, PixelMask, describe
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from autoencoders.data import Dataset
    from autoencoders.evaluation import pca

Fault = Literal["raw features", "faint features", "sigmoid", "large steps"]

# ── Classifiers ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Transfer(Measurement):
    """A small network on a subject's frozen features of labelled images, and what it says of others.

    It is chosen on validation images; with faults, if asked for, something is wrong with it.
    """

    evaluation_data: Data  # its training images are the labelled ones
    features: Literal["latent", "map"] = "latent"
    hidden: tuple[int, ...] = (512, 256, 128)
    reduced: int = 256  # dimensions that larger features are brought to, by PCA of the labelled images
    epochs: int = 20
    images: int | None = None
    faults: tuple[Fault, ...] = ()
    seed: int = 0

    @property
    def label(self) -> str:
        data, wrong = self.evaluation_data, "".join(f", {fault}" for fault in self.faults)
        return f"{len(self.hidden)} layers on the {self.features} of {data.train} of {data.name}{wrong}"

    def measure(self, subject: Measured, data: Dataset, device: str, evaluation_data: Dataset) -> Artifact:
        import numpy as np
        import torch

        from autoencoders.data import Split

        test = Split(*chosen(evaluation_data.test, self.images))
        parts = (evaluation_data.train, evaluation_data.validation, test)
        train, validation, unseen = _reduced(self, [_features(self, subject, p.images, data, device) for p in parts])
        labels, held_out = parts[0].labels, parts[1].labels
        truth, count = test.labels.numpy(), len(evaluation_data.classes)
        fit = _faulty if self.faults else _sound
        judge = fit(self, count, (train, labels), (validation, held_out))
        scores = torch.from_numpy(judge(unseen)).softmax(1).numpy()  # a class's own score says nothing without others'
        predicted = scores.argmax(1)
        curves = [roc(scores[truth == kind, kind], scores[truth != kind, kind]) for kind in range(count)]
        areas = np.array([area for _, area in curves])
        confusion = np.zeros((count, count), int)
        np.add.at(confusion, (truth, predicted), 1)
        rows = [
            resampled(None, "accuracy", predicted == truth),
            row(None, "auc", exactly(float(areas.mean()), len(truth))),
            row(None, "largest_class", exactly(float(confusion.sum(0).max() / len(truth)), len(truth))),
        ]
        arrays = {
            "correct": predicted == truth,
            "confusion": confusion,
            "auc": areas,
            "roc": np.mean([curve for curve, _ in curves], axis=0),
            "roc/classes": np.stack([curve for curve, _ in curves]),
        }
        accuracy = float((judge(validation).argmax(1) == held_out.numpy()).mean())
        return Artifact(arrays, {"rows": rows, "classes": list(evaluation_data.classes), "validation": accuracy})


RATES = 101  # false positive rates, from 0 to 1, at which ROC curves are kept


def roc(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, float]:
    """True positive rates at `RATES`, and the area under the curve; where a class has no test images, chance."""
    import numpy as np

    from autoencoders.evaluation import ranking

    rates = np.linspace(0, 1, RATES)
    if not len(inside) or not len(outside):
        return rates, 0.5
    thresholds = np.quantile(outside, 1 - rates)
    return (inside[:, None] >= thresholds).mean(0), ranking.area(inside, outside)


def _features(spec: Transfer, subject: Measured, images: Tensor, data: Dataset, device: str) -> Tensor:
    """Of images brought to the size that the subject knows."""
    import torch
    import torch.nn.functional as F

    size = data.train.images.shape[2:]
    batches = []
    for part in images.split(1000):
        seen = to_unit_range(part, device)
        if seen.shape[2:] != size:
            seen = F.interpolate(seen, tuple(size), mode="bilinear", antialias=True).clamp(0, 1)
        batches.append(features_of(subject, seen, spec.features, data, device))
    return torch.cat(batches)


def _reduced(spec: Transfer, parts: Sequence[Tensor]) -> list[Tensor]:
    from autoencoders.evaluation import pca

    if min(parts[0].shape) <= spec.reduced:
        return list(parts)
    fitted = pca.fit_leading(parts[0], spec.reduced)
    return [fitted.embed(part, spec.reduced) for part in parts]


FAINT = 1e-3  # how much features vary around their mean, in units of it, that a nearly collapsed encoder gives
Labelled: TypeAlias = "tuple[Tensor, Tensor]"
Judge: TypeAlias = "Callable[[Tensor], np.ndarray]"  # features to scores


def _sound(spec: Transfer, count: int, train: Labelled, validation: Labelled) -> Judge:
    """Standardised features, ReLUs with the first weights that suit them, AdamW at 1e-3."""
    import numpy as np

    from autoencoders.evaluation import probes

    fitted = probes.fit_mlp(*train, *validation, hidden=spec.hidden, epochs=spec.epochs, seed=spec.seed)

    def judge(features: Tensor) -> np.ndarray:
        known = fitted.scores(features).cpu().numpy()
        scores = np.full((len(known), count), known.min() - 1)  # a class that no label named is never said
        scores[:, fitted.labels] = known
        return scores

    return judge


def _faulty(spec: Transfer, count: int, train: Labelled, validation: Labelled) -> Judge:
    """The same network with something wrong: in its features, its activation or its steps; its last epoch counts."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    features, labels = train
    mean, scale = features.mean(0), features.std(0, correction=0).clamp(min=1e-6)

    def prepared(values: Tensor) -> Tensor:
        if "raw features" in spec.faults:
            return values
        standardised = (values - mean) / scale
        return 1 + FAINT * standardised if "faint features" in spec.faults else standardised

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.seed)
        sizes = [features.shape[1], *spec.hidden]
        activation: type[nn.Module] = nn.Sigmoid if "sigmoid" in spec.faults else nn.ReLU
        layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), activation())]
        network = nn.Sequential(*layers, nn.Linear(sizes[-1], count)).to(features.device)
        solver = torch.optim.Adam(network.parameters(), lr=0.1 if "large steps" in spec.faults else 1e-3)
        for _ in range(spec.epochs):
            for rows in torch.randperm(len(features)).to(features.device).split(256):
                solver.zero_grad()
                F.cross_entropy(network(prepared(features[rows])), labels.to(features.device)[rows]).backward()
                solver.step()
    network.requires_grad_(False)
    return lambda seen: torch.nan_to_num(network(prepared(seen))).cpu().numpy()


# ── Leading components ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Compressed(Measurement):
    """What PCA's leading components leave of corrupted images: the exact fit of large images takes minutes."""

    input: Corruption | None = None
    images: int | None = None
    most: int = 256  # components that are fitted; a subject takes as many of the first as it is large
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"leading components {describe(self.input)}"

    def measure(self, subject: Baseline, data: Dataset, device: str) -> Artifact:
        import numpy as np

        from autoencoders.evaluation import metrics

        images, _ = chosen(data.test, self.images)
        clean = to_unit_range(images, device)
        fitted = _leading(data, device, self.most)
        size = min(subject.size, len(fitted.components))  # so few training images have no more directions
        output = fitted.reconstruct(corrupted(clean, self.input, self.seed), size)
        per_image = metrics.compare(clean, output)
        rows = [row(self.input, metric, value) for metric, value in metrics.summarise(per_image).items()]
        arrays = {f"all/{name}": values.astype(np.float32) for name, values in per_image.items()}
        return Artifact(arrays, {"rows": rows})


@functools.lru_cache(maxsize=1)
def _leading(data: Dataset, device: str, most: int) -> pca.PCA:
    from autoencoders.evaluation import pca

    return pca.fit_leading(data.train.images.to(device), most)


# ── Hidden pixels ────────────────────────────────────────────────────────────────────────────────────────────────────

NEAR = 0.1


@dataclass(frozen=True, kw_only=True)
class Inpainting(Measurement):
    """The error over whole images and over hidden pixels alone, and the share of values within 0.1 of the truth."""

    input: PixelMask
    images: int | None = None
    examples: int = 8
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"hidden pixels {describe(self.input)}"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        import numpy as np
        import torch

        from autoencoders import corruption, models
        from autoencoders.evaluation import metrics

        images, _ = chosen(data.test, self.images)
        clean = to_unit_range(images, device)
        seen = corrupted(clean, self.input, self.seed)
        again = torch.Generator(clean.device).manual_seed(self.seed)  # what was hidden may have been black before
        hidden = corruption.random_mask(len(clean), (clean.shape[2], clean.shape[3]), self.input.ratio, again)
        output = models.reconstruct(subject, seen) if isinstance(subject, models.Autoencoder) else seen
        per_image = {"all": metrics.compare(clean, output), "masked": metrics.compare(clean, output, hidden)}
        per_image["all"]["near"] = near(clean, output).cpu().numpy()
        rows = [
            row(self.input, metric, value, region)
            for region, values in per_image.items()
            for metric, value in metrics.summarise(values).items()
        ]
        arrays = {
            f"{region}/{name}": each.astype(np.float32)
            for region, values in per_image.items()
            for name, each in values.items()
        }
        pictures = {"clean": clean, "seen": seen, "output": output}
        arrays |= {f"examples/{name}": as_bytes(part[: self.examples]) for name, part in pictures.items()}
        return Artifact(arrays, {"rows": rows})


def near(clean: Tensor, output: Tensor) -> Tensor:
    """Each image's share of values that are right to within a tenth of the range."""
    return ((output - clean).abs() <= NEAR).float().mean((1, 2, 3))
