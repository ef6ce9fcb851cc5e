"""What a change of model or training does to validation images, one change at a time, on one thread.

`recipes.json` keeps what was tried. Rows with a `trial` are those that this script makes again, by that name:
`python benchmarks/recipes.py ae-kept ae-batch-128`, or all of them without names. The others were tried with code that
was not kept. Seconds are of the processor, initialisation included, without validation.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from timing import tell

from autoencoders import corruption, data, models, training
from autoencoders.evaluation.metrics import compare, pooled_psnr
from autoencoders.measurements.layers import LayerFit
from autoencoders.specs import MCAE, VAE, ConvAE, Data, Experiment, Gaussian, Model, Training
from autoencoders.studies.compact.plan import CompactAE
from autoencoders.studies.transfer.plan import SweepAE
from autoencoders.tasks import named


@dataclass(frozen=True)
class Trial:
    """One training, and whether it begins with the first weights that its model computes."""

    model: Model
    train: int
    sigma: float | None = None
    started: bool = True
    training: dict[str, Any] = field(default_factory=dict)

    def __call__(self) -> dict[str, float]:
        images = data.load(Data(train=self.train), data.obtain("cifar10"))
        noise = None if self.sigma is None else Gaussian(self.sigma)
        recipe = Training(**{"epochs": 2} | self.training)
        experiment = Experiment(name="trial", model=self.model, corruption=noise, training=recipe)
        model_class = named(self.model.implementation)
        held_out = data.Split(images.validation.images[:1], images.validation.labels[:1])
        started = time.process_time()
        done = training.train(
            experiment, model_class if self.started else _at_random(model_class), images.train, held_out
        )
        seconds = time.process_time() - started
        model = models.build(model_class, self.model, (3, 32, 32), 0).to(memory_format=torch.channels_last).eval()
        models.load_weights(model, done.arrays)
        return self.measured(model, images) | {"seconds": seconds, "images": recipe.epochs * self.train}

    def measured(self, model: models.Autoencoder, images: data.Dataset) -> dict[str, float]:
        clean = images.validation.images.float() / 255
        noise = None if self.sigma is None else Gaussian(self.sigma)
        seen = corruption.corrupt(clean, noise, torch.Generator().manual_seed(1))
        found = compare(clean, models.reconstruct(model, seen).clamp(0, 1))
        values = {"psnr_mean": float(found["psnr"].mean()), "psnr_pooled": float(pooled_psnr(found["mse"].mean()))}
        if isinstance(self.model, MCAE):
            values["probe"] = LayerFit(samples=10_000, labels=()).measure(model, images, "cpu").meta["validation"]
        return values


def _at_random(model_class: Any) -> Any:
    """The same model, all of whose first weights are random."""
    plain: dict[str, Any] = {"start": lambda self, clean, noisy: None, "trunk": lambda self: []}
    return type(model_class.__name__, (model_class,), plain)


SPATIAL = ConvAE(bottleneck="spatial", latent=32)
KEPT = {
    "ae": Trial(ConvAE(), 20_000),
    "dae": Trial(SPATIAL, 10_000, 0.3),
    "vae": Trial(VAE(), 20_000),
    "mcae": Trial(MCAE(), 15_000),
    "b-256": Trial(SweepAE(bottleneck=256), 8000, 0.1),
    "b-16": Trial(SweepAE(bottleneck=16), 8000, 0.1),
    "c": Trial(CompactAE(), 8000, 0.05, training={"epochs": 3, "batch": 16, "learning_rate": 1e-2}),
}
CHANGES: dict[str, dict[str, Any]] = {  # what each trial has otherwise than what was kept
    "random": {"started": False},
    "batch-128": {"training": {"batch": 128}},
    "trunk-rate-1": {"training": {"trunk_rate": 1.0}},
}
TRIALS = {f"{name}-kept": trial for name, trial in KEPT.items()}
TRIALS |= {
    f"{name}-{change}": dataclasses.replace(KEPT[name], **changes)
    for name in ("ae", "dae", "mcae", "b-256", "b-16")
    for change, changes in CHANGES.items()
}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or TRIALS:
        tell(f"recipe-{name}", **TRIALS[name]())
