"""What lies between and beyond the images: interpolation and arithmetic in the latent space."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autoencoders.errors import InputError
from autoencoders.measurements.common import as_bytes, chosen, exactly, features_of, resampled, row, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.probing import ProbeFit, restored
from autoencoders.specs import Baseline, Subject
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

    from autoencoders import models
    from autoencoders.data import Dataset

JUDGE = Baseline(method="patches")  # of generated images: it owes nothing to any autoencoder


@dataclass(frozen=True, kw_only=True)
class Interpolation(Measurement):
    """How direct and how even the way from one test image to another is; a plain cross-fade has 1 for both.

    It goes by the straight line and by the arc between their latents.
    """

    pairs: int = 200
    steps: int = 9
    seed: int = 0

    @property
    def label(self) -> str:
        return f"{self.steps} steps"

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
        import numpy as np
        import torch

        from autoencoders import models
        from autoencoders.evaluation import latent

        pairs = min(self.pairs, len(data.test) // 2)
        if pairs == 0:
            raise InputError(f"a way leads from one image to another: {len(data.test)} test images are too few")
        start, end = to_unit_range(chosen(data.test, 2 * pairs)[0], device).chunk(2)
        arrays, rows = {}, []
        for name, spherical in (("linear", False), ("spherical", True)):
            paths = models.interpolate(subject, start, end, self.steps, spherical=spherical)
            arrays[f"examples/{name}"] = as_bytes(paths[:6])
            measured = [latent.smoothness(path) for path in paths]
            for metric in ("detour", "jump"):
                values = np.array([getattr(m, metric) for m in measured])
                arrays[f"{name}/{metric}"] = values
                rows.append(resampled(None, f"{metric}_{name}", values))
        return Artifact(arrays | {"examples/ends": as_bytes(torch.stack([start[:6], end[:6]], 1))}, {"rows": rows})


@dataclass(frozen=True, kw_only=True)
class Arithmetic(Measurement):
    """Which class the judge, and the nearest latents, see in a − b + c: of mean latents, and of images drawn.

    Beside it stand a − b + an image of any class but c, which says how much is c's own doing, and plain reconstructions
    of c. Where the judge recognises no more of those than by chance, the triple is void.
    """

    classes: tuple[str, ...] = ("dog", "cat", "bird")  # a, b, c
    draws: int = 300
    examples: int = 6
    seed: int = 0
    judge: ProbeFit = field(default_factory=ProbeFit)

    @property
    def label(self) -> str:
        return "{}-{}+{}".format(*self.classes)

    def needs(self, subject: Subject) -> dict[str, tuple[Subject, Measurement]]:
        return {"fit": (JUDGE, self.judge)}

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str, fit: Artifact) -> Artifact:
        import torch

        from autoencoders import models
        from autoencoders.evaluation import latent

        images, labels = data.validation.images, data.validation.labels
        kinds = self._kinds(data)
        latents = models.embed(subject, to_unit_range(images, device))
        generator = torch.Generator().manual_seed(self.seed)
        drawn = [_drawn(labels == kind, self.draws, generator) for kind in kinds]
        other = _drawn(labels != kinds[2], self.draws, generator)
        without = latents[drawn[0]] - latents[drawn[1]]
        results, mean = without + latents[drawn[2]], latent.arithmetic(latents, labels, *kinds)
        made = models.decode(subject, torch.cat([mean[None], results]))
        judged = {
            "result": _judged(made[1:], data, device, fit),
            "control": _judged(models.decode(subject, without + latents[other]), data, device, fit),
            "plain": _judged(models.decode(subject, latents[drawn[2]]), data, device, fit),
        }
        hits = {f"judged_{name}": judged["result"] == kind for name, kind in zip("abc", kinds, strict=True)}
        hits |= {"control_c": judged["control"] == kinds[2], "reference_c": judged["plain"] == kinds[2]}
        rows = [resampled(None, f"arithmetic_{name}", values) for name, values in hits.items()]
        neighbour, share = latent.nearest_class(latents, labels, mean)
        rows.append(row(None, "arithmetic_neighbours_share", exactly(share, len(latents))))
        rows = [entry | {"input": self.label, "split": "validation"} for entry in rows]
        twins = _nearest_others(results[: self.examples], latents, torch.stack(drawn, 1))
        examples = {
            **{name: images[places[: self.examples]].numpy() for name, places in zip("abc", drawn, strict=True)},
            "result": as_bytes(made[1 : 1 + self.examples]),
            "nearest": images[twins].numpy(),
            "mean": as_bytes(made[:1]),
        }
        arrays = {f"examples/{name}": pictures for name, pictures in examples.items()} | hits
        arrays |= {f"shares/{name}": _shares(classes, len(data.classes)) for name, classes in judged.items()}
        verdict = {
            "judge": data.classes[int(_judged(made[:1], data, device, fit)[0])],
            "neighbours": data.classes[neighbour],
        }
        return Artifact(
            arrays, {"rows": rows, "mean_judged_as": verdict, "void": _at_chance(hits["reference_c"], data)}
        )

    def _kinds(self, data: Dataset) -> list[int]:
        """The classes' numbers, each of which some validation image shows."""
        if unknown := [name for name in self.classes if name not in data.classes]:
            raise InputError(f"no class is called {', '.join(unknown)}; there are: {', '.join(data.classes)}")
        kinds = [data.classes.index(name) for name in self.classes]
        shown = data.validation.labels
        if absent := [name for name, kind in zip(self.classes, kinds, strict=True) if kind not in shown]:
            raise InputError(f"no validation image shows {', '.join(absent)}: there is nothing to add or to subtract")
        return kinds


def _drawn(wanted: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """So many of the wanted images, with replacement: small data sets have few."""
    import torch

    places = torch.nonzero(wanted)[:, 0]
    if not len(places):
        raise InputError("all validation images are of one class: there is no other one to compare with")
    return places[torch.randint(len(places), (count,), generator=generator)]


def _nearest_others(results: Tensor, latents: Tensor, inputs: Tensor) -> Tensor:
    """The image nearest to each result that isn't one of those it was made from, where there are others."""
    import torch

    from autoencoders.evaluation.neighbours import nearest

    _, found = nearest(results, latents, min(inputs.shape[1] + 1, len(latents)))
    known = (found.cpu()[:, :, None] == inputs[: len(results), None]).any(2)
    return found.cpu()[torch.arange(len(results)), known.long().argmin(1)]


def _shares(judged: np.ndarray, classes: int) -> np.ndarray:
    import numpy as np

    return np.bincount(judged, minlength=classes) / len(judged)


def _at_chance(hits: np.ndarray, data: Dataset) -> bool:
    """Whether recognition is no better than a guess among the classes."""
    from autoencoders.evaluation.statistics import measure

    return measure(hits).interval()[0] <= 1 / len(data.classes)


def _judged(images: Tensor, data: Dataset, device: str, fit: Artifact) -> np.ndarray:

    return restored("native", fit).predict(features_of(JUDGE, images, "latent", data, device))
