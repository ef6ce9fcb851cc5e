"""What is computed for a task, in whichever process: the code of each starts here.

Whatever these functions name counts for every key, so they name little. What they ask of the ``bench`` is found out at
run time: it hands things over and changes none of them.
"""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoencoders.specs import Data, Experiment, Model, Subject, Untrained
from autoencoders.store import Artifact

if TYPE_CHECKING:
    from autoencoders import data, models
    from autoencoders.lab import Bench
    from autoencoders.measurements.measurement import Measurement


def read(bench: Bench, spec: Data, scratch: Path) -> Artifact:
    """Read a data set, to be mapped by whoever needs it."""
    from autoencoders import data

    return Artifact(*data.packed(bench.load(spec)))


@functools.lru_cache(maxsize=2)
def dataset(bench: Bench, spec: Data) -> data.Dataset:
    from autoencoders import data

    images = bench.images(spec)
    return data.unpacked(images.arrays, images.meta).without(spec.left_out)


def train(bench: Bench, experiment: Experiment, scratch: Path) -> Artifact:
    from autoencoders import training

    images = bench.dataset(experiment.data)
    return training.train(
        experiment,
        named(experiment.model.implementation),
        images.train,
        images.validation,
        device=bench.device,
        checkpoint=scratch / "checkpoint.pt",
        report=bench.progress(scratch),
    )


def measure(bench: Bench, subject: Subject, spec: Measurement, scratch: Path, **needed: Any) -> Artifact:
    images = bench.dataset(subject.data if isinstance(subject, Experiment) else bench.fitted_to)
    if spec.evaluation_data:
        needed["evaluation_data"] = bench.dataset(spec.evaluation_data)
    if isinstance(subject, Experiment):
        trained = model(bench, subject, needed.pop("model"))
        return spec.measure(trained, images, bench.device, **needed)
    if isinstance(subject, Untrained):
        return spec.measure(_built(bench, subject.model, bench.fitted_to, subject.seed), images, bench.device, **needed)
    return spec.measure(subject, images, bench.device, **needed)


def model(bench: Bench, experiment: Experiment, trained: Artifact) -> models.Autoencoder:
    """The trained model, ready to use."""
    from autoencoders import models

    made = _built(bench, experiment.model, experiment.data, seed=0)
    models.load_weights(made, trained.arrays)
    return made


def _built(bench: Bench, spec: Model, images: Data, seed: int) -> models.Autoencoder:
    """A model with its first weights."""
    import torch

    from autoencoders import models

    channels, height, width = bench.dataset(images).test.images.shape[1:]
    model_class: type[models.Autoencoder] = named(spec.implementation)
    made = models.build(model_class, spec, (channels, height, width), seed)
    return made.to(bench.device).to(memory_format=torch.channels_last).eval()  # as its images come


def named(path: str) -> Any:
    """The object that `package.module:name` names: found at run time, so that a training reaches no other's model."""
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)
