"""What the page of the walk opens on: the pair, and the classes of an arithmetic, that come out best."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from autoencoders.measurements.common import chosen, features_of, to_unit_range
from autoencoders.measurements.generation import JUDGE
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.probing import ProbeFit, restored
from autoencoders.specs import Subject
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

    from autoencoders import models
    from autoencoders.data import Dataset


@dataclass(frozen=True, kw_only=True)
class BestPair(Measurement):
    """Of many pairs of validation images, the one on whose way decoded images keep most of the detail.

    Detail is the mean absolute difference between neighbouring pixels, as a share of what lies between the two images'
    own, and no more than that; the least along the way counts. Images with less detail than the median are left out:
    they have little to lose.
    """

    pairs: int = 300
    steps: int = 5
    seed: int = 0

    @property
    def label(self) -> str:
        return f"best of {self.pairs} pairs"

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
        import torch

        from autoencoders import models
        from autoencoders.evaluation.arrays import as_features

        images, labels = chosen(data.validation, 4 * self.pairs)
        shown = to_unit_range(images, device)
        latents, detail = as_features(models.embed(subject, shown)), _detail(shown)
        shares = torch.linspace(0, 1, self.steps, device=latents.device)
        ends, kept = self._drawn(detail.cpu(), labels), []
        for start, end in ends.tolist():
            made = models.decode(subject, torch.lerp(latents[start], latents[end], shares[:, None]))
            wanted = torch.lerp(detail[start], detail[end], shares)
            kept.append(min(1.0, float((_detail(made) / wanted).min())))
        best = max(range(len(kept)), key=kept.__getitem__)
        pair = ends[best]
        arrays = {"images": images[pair].numpy(), "labels": labels[pair].numpy()}
        arrays["latents"] = latents[pair.to(latents.device)].cpu().numpy()
        return Artifact(arrays, {"pairs": len(kept), "kept": kept[best], "median": sorted(kept)[len(kept) // 2]})

    def _drawn(self, detail: Tensor, labels: Tensor) -> Tensor:
        """Pairs [N, 2] of places: of images of two classes, where there are such, that are rich in detail."""
        import torch

        rich = torch.nonzero(detail >= detail.median())[:, 0]
        generator = torch.Generator().manual_seed(self.seed)
        ends = rich[torch.randint(len(rich), (self.pairs, 2), generator=generator)]
        differ = labels[ends[:, 0]] != labels[ends[:, 1]]
        return ends[differ] if differ.any() else ends


def _detail(images: Tensor) -> Tensor:
    """The mean absolute difference [N] between neighbouring pixels."""
    down, right = images.diff(dim=2).abs(), images.diff(dim=3).abs()
    return (down.flatten(1).mean(1) + right.flatten(1).mean(1)).clamp(min=1e-6)


@dataclass(frozen=True, kw_only=True)
class BestSum(Measurement):
    """Of all a − b + c, the classes whose sums of single validation images a judge takes for c most often.

    A few sums of each choose the candidates. More of these, each beside a sum in which c is any class but c, decide
    which is best, and whether it works: whether c is seen more often than in the control, beyond chance.
    """

    few: int = 6
    candidates: int = 8
    draws: int = 150
    seed: int = 0
    judge: ProbeFit = field(default_factory=ProbeFit)

    @property
    def label(self) -> str:
        return "best sum of classes"

    def needs(self, subject: Subject) -> dict[str, tuple[Subject, Measurement]]:
        return {"fit": (JUDGE, self.judge)}

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str, fit: Artifact) -> Artifact:
        import torch

        from autoencoders import models
        from autoencoders.evaluation.statistics import bootstrap

        labels = data.validation.labels
        latents = models.embed(subject, to_unit_range(data.validation.images, device))
        generator = torch.Generator().manual_seed(self.seed)

        def seen(sums: Tensor, kind: int) -> np.ndarray:
            made = models.decode(subject, sums)
            predicted = restored("native", fit).predict(features_of(JUDGE, made, "latent", data, device))
            return (predicted == kind).astype(float)

        triples = list(itertools.permutations(labels.unique().tolist(), 3))
        if not triples:
            return Artifact({}, {"classes": [], "tried": 0})  # validation images show fewer than three classes
        tried = [seen(_sums(latents, labels, triple, self.few, generator)[0], triple[2]).mean() for triple in triples]
        best = sorted(range(len(triples)), key=lambda place: -tried[place])[: self.candidates]
        found = []
        for triple in (triples[place] for place in best):
            sums = _sums(latents, labels, triple, self.draws, generator)
            plain, control = (seen(each, triple[2]) for each in sums)
            found.append((bootstrap(plain - control), float(plain.mean()), float(control.mean()), triple))
        lift, share, control_share, triple = max(found, key=lambda each: each[0].value)
        names = [data.classes[kind] for kind in triple]
        measured = {"share": share, "control": control_share, "works": lift.lo > 0}
        return Artifact({}, {"classes": names, "tried": len(triples), **measured})


def _sums(
    latents: Tensor, labels: Tensor, triple: tuple[int, ...], count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """So many a − b + c of single images, and the same with any class but c in its place."""
    import torch

    def drawn(wanted: Tensor) -> Tensor:
        places = torch.nonzero(wanted)[:, 0]
        return latents[places[torch.randint(len(places), (count,), generator=generator)]]

    a, b, c = (drawn(labels == kind) for kind in triple)
    return a - b + c, a - b + drawn(labels != triple[2])


@dataclass(frozen=True, kw_only=True)
class BestSumOfSome(BestSum):
    """The same of the classes that most validation images show: a hundred classes have a million sums."""

    kinds: int = 10

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str, fit: Artifact) -> Artifact:
        import torch

        shown = data.validation
        most = shown.labels.bincount().argsort(descending=True, stable=True)[: self.kinds]
        kept = torch.isin(shown.labels, most)
        some = replace(shown, images=shown.images[kept], labels=shown.labels[kept])
        return super().measure(subject, replace(data, validation=some), device, fit)
