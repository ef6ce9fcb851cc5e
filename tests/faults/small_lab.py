"""The whole project in small: every experiment and measurement of a run, on a few tiny images that a test makes."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from autoencoders import data, tasks
from autoencoders.data import Raw, Split, dataset
from autoencoders.lab import Bench, Lab
from autoencoders.profiles import PROFILES, Profile
from autoencoders.settings import Settings
from autoencoders.specs import Data

SHAPE = (3, 16, 16)
CLASSES = tuple(data.PHOTOS)
TRAIN, HELD_OUT = 144, 16  # more than the 128 components that embeddings are reduced to
PROFILE = replace(
    PROFILES["smoke"], width=8, train=None, images=None, latent_images=16, sigmas=(0.3,), bottlenecks=("vector",)
)


def pictures(count: int, seed: int) -> Split:
    """Each class has its own shades and its own stripes, under some noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % len(CLASSES)
    shades = torch.rand(len(CLASSES), 3, 1, 1, generator=torch.Generator().manual_seed(0))[labels]
    stripes = ((torch.arange(SHAPE[2]) // (1 + labels[:, None] % 4)) % 2).float()[:, None, None, :]
    images = 0.6 * shades + 0.2 * stripes + 0.2 * torch.rand(count, *SHAPE, generator=generator)
    return Split((images * 255).to(torch.uint8), labels)


class SmallLab:
    """Makes labs, each with a cache of its own; what its data set holds is what a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.monkeypatch, self.folder, self.made = monkeypatch, folder, 0
        raw = Raw(pictures(TRAIN + HELD_OUT, 1), pictures(20, 2), CLASSES)
        monkeypatch.setattr(dataset, "_read", lambda *_: (raw, "fingerprint"))

    def __call__(self, profile: Profile = PROFILE, cache: Path | None = None, **splits: Split) -> Lab:
        self.monkeypatch.setitem(PROFILES, "smoke", profile)

        @functools.cache
        def loaded(bench: Bench, spec: Data) -> data.Dataset:
            return replace(data.load(spec, bench.source(spec).root), **splits).without(spec.left_out)

        self.monkeypatch.setattr(tasks, "dataset", loaded)
        self.made += 1
        place = cache or self.folder / f"cache-{self.made}"
        return Lab(Settings(profile="smoke", dataset="photos10", device="cpu", jobs=1, cache=place))
