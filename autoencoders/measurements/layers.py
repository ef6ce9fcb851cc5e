"""What a linear classifier reads in an encoder's layers, when all encoders, trained or not, are read alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from autoencoders.measurements.common import Measured, chosen, resampled, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.probing import restored, stored
from autoencoders.specs import Baseline, Subject
from autoencoders.store import Artifact

if TYPE_CHECKING:
    from torch import Tensor

    from autoencoders.data import Dataset
    from autoencoders.evaluation.readers import Reader

SPANS = {"first": slice(0, 1), "last": slice(-1, None), "all": slice(None)}  # of an encoder's layers
GRIDS = (4, 2, 1)  # cells along each side that maps are averaged to: the most that leave no more than so many numbers:
MOST_READ = 1600  # as many as random patches give
STANDARDISED = 1000  # training images that the layers' means and scales are taken from
BATCH = 250


@dataclass(frozen=True, kw_only=True)
class LayerFit(Measurement):
    """Linear classifiers fitted to an encoder's first layer, its last one and all of them, read alike.

    Validation images choose one of the three. It is fitted to fewer labels, too, of which the first so many are taken.
    """

    classifier: Literal["ridge", "logistic"] = "ridge"
    samples: int | None = None  # training images that it is fitted to, in a fixed random order; None: all
    labels: tuple[int, ...] = (100, 1000, 10_000)

    @property
    def label(self) -> str:
        return f"layers {self.classifier}"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        from autoencoders.evaluation import probes

        known = chosen(data.train, self.samples)
        held_out = (data.validation.images, data.validation.labels)
        readers = _fitted_readers(_layers(subject, known[0][:STANDARDISED], device))
        train, validation = (_read(subject, part[0], readers, device) for part in (known, held_out))
        fit = probes.fit_ridge if self.classifier == "ridge" else probes.fit_logistic
        found = {name: fit(train[name], known[1], validation[name], held_out[1]) for name in readers}
        best = max(found, key=lambda name: found[name].validation)
        arrays = stored("all", found[best])
        for count in self._fewer(len(known[1])):
            few = fit(train[best][:count], known[1][:count], validation[best], held_out[1])
            arrays |= stored(str(count), few)
        for index, (mean, scale) in enumerate(zip(readers[best].means, readers[best].scales, strict=True)):
            arrays |= {f"layer{index}/mean": mean.cpu().numpy(), f"layer{index}/scale": scale.cpu().numpy()}
        chosen_by = {name: classifier.validation for name, classifier in found.items()}
        meta = {"span": best, "grid": readers[best].grid, "size": int(train[best].shape[1]), "by_span": chosen_by}
        return Artifact(arrays, meta | {"validation": found[best].validation, "labels": self._fewer(len(known[1]))})

    def _fewer(self, count: int) -> list[int]:
        return [labels for labels in self.labels if labels < count]


@dataclass(frozen=True, kw_only=True)
class LayerProbe(Measurement):
    """What such classifiers make of the test images."""

    fit: LayerFit = LayerFit()
    images: int | None = None

    @property
    def label(self) -> str:
        return self.fit.label

    def needs(self, subject: Subject) -> dict[str, tuple[Subject, Measurement]]:
        return {"fit": (subject, self.fit)}

    def measure(self, subject: Measured, data: Dataset, device: str, fit: Artifact) -> Artifact:
        images, labels = chosen(data.test, self.images)
        span = fit.meta["span"]
        features = _read(subject, images, {span: _restored_reader(fit, device)}, device)[span]
        metrics = {"probe_linear_layers": "all"}
        metrics |= {f"probe_linear_layers:{count}": str(count) for count in fit.meta["labels"]}
        outcomes = {m: restored(name, fit).predict(features) == labels.numpy() for m, name in metrics.items()}
        arrays = {f"{metric}/correct": correct for metric, correct in outcomes.items()} | {"labels": labels.numpy()}
        rows = [resampled(None, metric, correct) for metric, correct in outcomes.items()]
        return Artifact(arrays, {"rows": rows, "classes": list(data.classes)})


def _layers(subject: Measured, images: Tensor, device: str) -> list[Tensor]:
    """The maps of some images; those of pixels are the images themselves."""
    from autoencoders import models

    scaled = to_unit_range(images, device)
    if isinstance(subject, Baseline):
        if subject.method != "pixels":
            raise ValueError(f"{subject.name} has no layers")
        return [scaled]
    return models.encoder_maps(subject, scaled)


def _fitted_readers(maps: Sequence[Tensor]) -> dict[str, Reader]:
    from autoencoders.evaluation.readers import fit_reader

    return {name: fit_reader(maps[span], _grid(maps[span])) for name, span in SPANS.items()}


def _grid(maps: Sequence[Tensor]) -> int:
    """The finest one that leaves no more numbers than `MOST_READ`; each channel gives two in a cell."""

    def size(grid: int) -> int:
        return sum(2 * each.shape[1] * math.prod(min(grid, side) for side in each.shape[2:]) for each in maps)

    return next((grid for grid in GRIDS if size(grid) <= MOST_READ), GRIDS[-1])


def _read(subject: Measured, images: Tensor, readers: Mapping[str, Reader], device: str) -> dict[str, Tensor]:
    """Features of each span of layers; maps are dropped as soon as they are read, for they are large."""
    import torch

    found: dict[str, list[Tensor]] = {name: [] for name in readers}
    for part in images.split(BATCH):
        maps = _layers(subject, part, device)
        for name, reader in readers.items():
            found[name].append(reader.read(maps[SPANS[name]]))
    return {name: torch.cat(parts) for name, parts in found.items()}


def _restored_reader(fit: Artifact, device: str) -> Reader:
    import torch

    from autoencoders.evaluation.readers import Reader

    count = sum(name.endswith("/scale") for name in fit.arrays)
    means, scales = (
        tuple(torch.as_tensor(fit.arrays[f"layer{index}/{part}"], device=device) for index in range(count))
        for part in ("mean", "scale")
    )
    return Reader(means, scales, fit.meta["grid"])
