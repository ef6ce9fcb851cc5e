"""The table of hyperparameters holds what the specs say."""

from __future__ import annotations

from pathlib import Path

from autoencoders.lab import Lab
from autoencoders.profiles import PROFILES
from autoencoders.reporting import chosen
from autoencoders.settings import Settings
from autoencoders.specs import MCAE, Training


def test_hyperparameters_are_those_of_the_specs(tmp_path: Path, no_data: Path) -> None:
    settings = Settings(profile="quick", dataset="photos10", device="cpu", cache=tmp_path)
    shown, profile = chosen.of(Lab(settings, looks_only=True)), PROFILES["quick"]
    assert shown["batch"] == str(Training().batch)
    assert float(shown["learning_rate"]) == Training().learning_rate
    assert shown["width"] == str(profile.width)
    assert float(shown["masked_weight"]) == MCAE().masked_weight
    assert all(f"{family} {epochs}" in shown["epochs"] for family, epochs in profile.epochs.items())
