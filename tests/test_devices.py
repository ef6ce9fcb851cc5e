"""Where tensors lie on a GPU: found without one, with tensors that have a device and a shape but no values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorDeviceMismatchError, FakeTensorMode

from autoencoders import corruption, models
from autoencoders.catalogue import Catalogue
from autoencoders.data import Dataset, Split
from autoencoders.measurements.common import features_of
from autoencoders.measurements.reconstruction import shown_and_made
from autoencoders.models import vit
from autoencoders.profiles import PROFILES
from autoencoders.specs import Disturbance, Experiment, Gaussian, GaussianUpTo, PatchMask, PixelMask
from autoencoders.tasks import named

GPU = torch.device("cuda", 0)
PLAN = Catalogue(profile=PROFILES["smoke"], dataset="cifar10")
EXPERIMENTS = {
    each.name: each
    for each in (PLAN.ae(), PLAN.ae("spatial"), PLAN.skips(0.3), PLAN.vae(), PLAN.mcae(0.5), PLAN.mcae(0.0))
} | {each.name: each for each in (PLAN.mcae(0.5, far=True), PLAN.vit(0.5))}
CORRUPTIONS = (None, Gaussian(0.3), GaussianUpTo(0.5), PixelMask(0.5))


class Generator(torch.Generator):
    """A generator that says it is of the GPU: a real one needs a driver."""

    def __new__(cls, device: Any = "cpu") -> Generator:
        made = super().__new__(cls)
        made.said = torch.device(device)
        return made

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return self.said


@pytest.fixture(autouse=True)
def no_values(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def visible(mask: Tensor) -> Tensor:  # the real one reads how many there are
        flat = mask.flatten(1)
        return flat.int().argsort(dim=1, stable=True)[:, : flat.shape[1] // 2]

    monkeypatch.setattr(torch, "Generator", Generator)
    monkeypatch.setattr(vit, "_visible", visible)
    monkeypatch.setattr(torch, "equal", lambda a, b: a.shape == b.shape and a.device == b.device)
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield


def on_gpu(experiment: Experiment) -> models.Autoencoder:
    with GPU:
        return models.build(named(experiment.model.implementation), experiment.model, (3, 32, 32), 0)


def test_devices_that_differ_are_noticed() -> None:
    with pytest.raises(FakeTensorDeviceMismatchError):
        torch.zeros(3, device=GPU) + torch.zeros(3)


@pytest.mark.parametrize("what", CORRUPTIONS, ids=repr)
def test_corruptions_stay_on_the_images_device(what: Any) -> None:
    images, generator = torch.zeros(4, 3, 32, 32, device=GPU), Generator(GPU)
    assert corruption.corrupt(images, what, generator).device == GPU
    assert corruption.augmented(images, generator, 7).device == GPU


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_losses_stay_on_the_models_device(name: str) -> None:
    clean, generator = torch.zeros(4, 3, 32, 32, device=GPU), Generator(GPU)
    terms = on_gpu(EXPERIMENTS[name]).losses(clean, clean, generator)
    assert {term.device for term in terms.values()} == {GPU}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_models_take_images_from_the_cpu_and_give_results_back_there(name: str) -> None:
    model, images = on_gpu(EXPERIMENTS[name]), torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
    for use in (models.reconstruct, models.embed, models.feature_map):
        assert use(model, images).device.type == "cpu"
    between = models.interpolate(model, images[:2], images[2:], 5, spherical=isinstance(model, models.Masked))
    assert between.device.type == "cpu"


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("features", ["latent", "map"])
def test_features_are_computed_where_they_are_wanted(name: str, features: str) -> None:
    images = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
    found = features_of(on_gpu(EXPERIMENTS[name]), images, features, some_data(), "cuda:0")
    assert found.device == GPU


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("what", [None, Gaussian(0.3), Disturbance("blur", 1.0), PatchMask(0.5)], ids=repr)
def test_outputs_are_made_where_they_are_wanted(name: str, what: Any) -> None:
    model, clean = on_gpu(EXPERIMENTS[name]), torch.zeros(4, 3, 32, 32, device=GPU)
    if isinstance(what, PatchMask) and not isinstance(model, models.Masked):
        return
    made = shown_and_made(model, clean, what, 0, some_data(), "cuda:0")
    assert {part.device for part in made if part is not None} == {GPU}


def some_data() -> Dataset:
    images, labels = torch.zeros(4, 3, 32, 32, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64)
    part = Split(images, labels)
    return Dataset("cifar10", ("cat", "dog"), part, part, part, "")
