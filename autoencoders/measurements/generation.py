"""What lies between and beyond the images: interpolation and arithmetic in the latent space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from autoencoders import models
from autoencoders.data import Dataset
from autoencoders.errors import InputError
from autoencoders.evaluation import latent
from autoencoders.evaluation.neighbours import nearest
from autoencoders.evaluation.statistics import bootstrap
from autoencoders.measurements.common import as_bytes, chosen, exactly, features_of, row, unit
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.probing import ProbeFit, restored
from autoencoders.specs import Baseline
from autoencoders.store import Artifact

JUDGE = Baseline(method="patches")  # of generated images: it owes nothing to any autoencoder


@dataclass(frozen=True, kw_only=True)
class Interpolation(Measurement):
    """Images between two images, by the straight line and by the arc between their latents."""

    function: ClassVar[str] = "autoencoders.measurements.generation:interpolation"
    pairs: int = 200
    steps: int = 9
    seed: int = 0

    @property
    def label(self) -> str:
        return f"{self.steps} steps"


@dataclass(frozen=True, kw_only=True)
class Arithmetic(Measurement):
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


def interpolation(spec: Interpolation, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
    """How direct and how even the way from one test image to another is; a plain cross-fade has 1 for both."""
    pairs = min(spec.pairs, len(data.test) // 2)
    if pairs == 0:
        raise InputError(f"a way leads from one image to another: {len(data.test)} test images are too few")
    start, end = unit(chosen(data.test, 2 * pairs)[0], device).chunk(2)
    arrays, rows = {}, []
    for name, spherical in (("linear", False), ("spherical", True)):
        paths = models.interpolate(subject, start, end, spec.steps, spherical=spherical)
        arrays[f"examples/{name}"] = as_bytes(paths[:6])
        measured = [latent.smoothness(path) for path in paths]
        for metric in ("detour", "jump"):
            values = np.array([getattr(m, metric) for m in measured])
            arrays[f"{name}/{metric}"] = values
            rows.append(row(None, f"{metric}_{name}", bootstrap(values)))
    return Artifact(arrays | {"examples/ends": as_bytes(torch.stack([start[:6], end[:6]], 1))}, {"rows": rows})


def arithmetic(spec: Arithmetic, subject: models.Autoencoder, data: Dataset, device: str, fit: Artifact) -> Artifact:
    """Which class the judge, and the nearest latents, see in a − b + c."""
    if unknown := [name for name in spec.classes if name not in data.classes]:
        raise InputError(f"no class is called {', '.join(unknown)}; there are: {', '.join(data.classes)}")
    images, labels = data.validation.images, data.validation.labels
    latents = models.embed(subject, unit(images, device))
    a, b, c = kinds = [data.classes.index(name) for name in spec.classes]
    if absent := [name for name, kind in zip(spec.classes, kinds, strict=True) if kind not in labels]:
        raise InputError(f"no validation image shows {', '.join(absent)}: there is nothing to add or to subtract")
    generator = torch.Generator().manual_seed(spec.seed)
    drawn = [_drawn(labels, kind, spec.draws, generator) for kind in kinds]
    results = latents[drawn[0]] - latents[drawn[1]] + latents[drawn[2]]
    mean = latent.arithmetic(latents, labels, a, b, c)
    made = models.decode(subject, torch.cat([mean[None], results]))
    judged = _judged(made, data, device, fit)
    plain = _judged(models.decode(subject, latents[drawn[2]]), data, device, fit)  # what the judge makes of c itself
    shares = {name: judged[1:] == kind for name, kind in zip("abc", kinds, strict=True)}
    rows = [row(None, f"arithmetic_judged_{name}", bootstrap(hits)) for name, hits in shares.items()]
    rows.append(row(None, "arithmetic_reference_c", bootstrap(plain == c)))
    neighbour, share = latent.nearest_class(latents, labels, mean)
    rows.append(row(None, "arithmetic_neighbours_share", exactly(share, len(latents))))
    for entry in rows:
        entry |= {"input": spec.label, "split": "validation"}
    _, twins = nearest(results[: spec.examples], latents, 1)
    arrays = {
        f"examples/{n}": as_bytes(unit(images[d[: spec.examples]], "cpu")) for n, d in zip("abc", drawn, strict=True)
    }
    arrays |= {
        "examples/result": as_bytes(made[1 : 1 + spec.examples]),
        "examples/nearest": images[twins[:, 0].cpu()].numpy(),
        "examples/mean": as_bytes(made[:1]),
        **{f"judged_{name}": hits for name, hits in shares.items()},
    }
    verdict = {"judge": data.classes[int(judged[0])], "neighbours": data.classes[neighbour]}
    return Artifact(arrays, {"rows": rows, "mean_judged_as": verdict})


def _drawn(labels: Tensor, kind: int, count: int, generator: torch.Generator) -> Tensor:
    """So many images of one class, with replacement: small data sets have few."""
    places = torch.nonzero(labels == kind)[:, 0]
    return places[torch.randint(len(places), (count,), generator=generator)]


def _judged(images: Tensor, data: Dataset, device: str, fit: Artifact) -> np.ndarray:
    return restored("native", fit).predict(features_of(JUDGE, images, "latent", data, device))
