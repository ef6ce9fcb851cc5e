"""Seconds until a training reaches a quality on validation images, against the same family trained plainly.

Ours is the training of `quick`. The plain one is what a tutorial writes: random first weights, Adam at 1e-3, batches of
256, fp32, no schedule; for the AE, also the layers of the UvA deep learning tutorial (no. 9). All images are in memory
as floats, so no loader holds it up. It gives up at ten times our seconds, which are of the processor, initialisation
included and measuring left out, on one thread: `python benchmarks/quality.py`, or with names of families.
"""

from __future__ import annotations

import functools
import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from timing import tell
from torch import Tensor, nn

from autoencoders import corruption, data, models, training
from autoencoders.catalogue import Catalogue
from autoencoders.measurements.layers import LayerFit
from autoencoders.measurements.likelihood import Likelihood
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.models.base import centred, uncentred
from autoencoders.profiles import PROFILES
from autoencoders.specs import Baseline, Data, Experiment
from autoencoders.tasks import named

CHECKS = 40  # of a training's quality, over all of its steps
PLAIN_BATCH, PLAIN_RATE = 256, 1e-3
PATIENCE = 10  # times our seconds
VALIDATED = 2000  # images
PCA = Baseline(method="pca")

Model = models.Autoencoder


class Tutorial(Model):
    """The convolutional AE of the UvA deep learning tutorials, 128 latents."""

    def __init__(self, width: int = 32, latent: int = 128) -> None:
        super().__init__((3, 32, 32))
        sizes = (3, width, 2 * width, 2 * width)
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for level, (fine, coarse) in enumerate(itertools.pairwise(sizes)):
            same = [nn.Conv2d(coarse, coarse, 3, padding=1), nn.GELU()] if level < 2 else []
            down += [nn.Conv2d(fine, coarse, 3, stride=2, padding=1), nn.GELU(), *same]
            grown = nn.ConvTranspose2d(coarse, fine, 3, stride=2, padding=1, output_padding=1)
            refined = [nn.GELU(), nn.Conv2d(fine, fine, 3, padding=1), nn.GELU()] if level > 0 else [nn.Tanh()]
            up = [grown, *refined, *up]
        cells = 2 * width * 4 * 4
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(cells, latent))
        self.decoder = nn.Sequential(nn.Linear(latent, cells), nn.GELU(), nn.Unflatten(1, (2 * width, 4, 4)), *up)

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(centred(images))

    def decode(self, latent: Tensor) -> Tensor:
        return uncentred(self.decoder(latent))


@dataclass(frozen=True)
class Family:
    """A training, what it is judged by, and the quality to reach: that of a reference, and so much more."""

    goal: str
    experiment: Experiment
    measurement: Measurement
    metric: str
    reference: Baseline | None  # None: the same model with random weights
    gain: float
    rises: bool = True

    def quality(self, subject: Model | Baseline, images: data.Dataset) -> float:
        found = self.measurement.measure(subject, images, "cpu").meta
        if self.metric in found:
            return found[self.metric]
        return next(row["value"] for row in found["rows"] if row["metric"] == self.metric)

    def reached(self, value: float, goal: float) -> bool:
        return value >= goal if self.rises else value <= goal

    def untrained(self) -> Model:
        return models.build(named(self.experiment.model.implementation), self.experiment.model, (3, 32, 32), 0)


def families() -> dict[str, Family]:
    plan = Catalogue(profile=PROFILES["quick"], dataset="cifar10")
    noisy = plan.ae("spatial", sigma=plan.sigma)
    shown = Reconstruction(split="validation", images=VALIDATED)
    denoised = Reconstruction(split="validation", images=VALIDATED, input=noisy.corruption)
    likelihood = Likelihood(split="validation", images=VALIDATED)
    probe = LayerFit(samples=10_000, labels=())
    return {
        "ae": Family("pooled PSNR of PCA + 0.3 dB", plan.ae(), shown, "psnr_pooled", PCA, 0.3),
        "dae-spatial": Family(
            "PSNR of the linear denoiser + 0.3 dB", noisy, denoised, "psnr_mean", Baseline(method="ridge"), 0.3
        ),
        "vae": Family(
            "bits/dim of probabilistic PCA",
            plan.vae(),
            likelihood,
            "bits_per_dim",
            Baseline(method="ppca"),
            0,
            rises=False,
        ),
        "mcae": Family(
            "linear probe of its random weights + 3 points", plan.mcae(plan.ratio), probe, "validation", None, 0.03
        ),
    }


def ours(family: Family, images: data.Dataset) -> Iterator[Model]:
    """The model after its start, and now and then on its way."""
    experiment = family.experiment
    device = torch.device("cpu")
    run = training.Run(experiment, named(experiment.model.implementation), images.train, images.validation, device)
    run.start()
    yield run.model
    while run.step < run.steps:
        run.advance()
        if run.step % training.STEPS_BETWEEN_SYNCS == 0:
            run.sync_metrics()
        if run.step % (run.steps // CHECKS) == 0:
            yield run.model
    yield run.model


def plain(family: Family, images: data.Dataset, model: Model) -> Iterator[Model]:
    """The loop that a tutorial writes, for as long as somebody asks."""
    torch.manual_seed(0)
    everything = images.train.images.float() / 255
    optimizer, generator = torch.optim.Adam(model.parameters(), PLAIN_RATE), torch.Generator().manual_seed(0)
    for step in itertools.count():
        position = step % (len(everything) // PLAIN_BATCH)
        if position == 0:
            order = torch.randperm(len(everything)).split(PLAIN_BATCH)
        clean = everything[order[position]]
        terms = model.losses(clean, corruption.corrupt(clean, family.experiment.corruption, generator), generator)
        optimizer.zero_grad()
        terms["loss"].backward()
        optimizer.step()
        if step % max(1, len(everything) // PLAIN_BATCH // (CHECKS // 2)) == 0:
            yield model


def reach(family: Family, goal: float, images: data.Dataset, trained: Iterator[Model], most: float) -> dict[str, Any]:
    """Processor seconds of the training alone until its model is good enough, if it is; and how good it was then."""
    spent, value = 0.0, float("nan")
    since = time.process_time()
    for model in trained:
        spent += time.process_time() - since
        error = _error(model, family.experiment, images)
        model.settle(functools.partial(dict, error=error))
        value = family.quality(model, images)
        model.train()
        if family.reached(value, goal) or spent > most:
            break
        since = time.process_time()
    return {"reached": family.reached(value, goal), "seconds": round(spent, 1), "quality": round(value, 4)}


@torch.no_grad()
def _error(model: Model, experiment: Experiment, images: data.Dataset) -> float:
    generator = torch.Generator().manual_seed(0)
    clean = images.train.images[:VALIDATED].float() / 255
    return float(model.losses(clean, corruption.corrupt(clean, experiment.corruption, generator), generator)["error"])


def compared(family: Family, images: data.Dataset) -> dict[str, Any]:
    reference = family.reference or family.untrained()
    goal = family.quality(reference, images) + family.gain
    found: dict[str, Any] = {"goal": family.goal, "value": round(goal, 4)}
    found["ours"] = reach(family, goal, images, ours(family, images), float("inf"))
    most = PATIENCE * found["ours"]["seconds"]
    contenders = {"plain": family.untrained()} | ({"tutorial": Tutorial()} if family.reference == PCA else {})
    for name, model in contenders.items():
        found[name] = reach(family, goal, images, plain(family, images, model), most)
        found[name]["times"] = round(found[name]["seconds"] / found["ours"]["seconds"], 1)
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    images = data.load(Data(), data.obtain("cifar10"))
    known = families()
    for name in sys.argv[1:] or known:
        tell(f"quality-{name}", **compared(known[name], images))
