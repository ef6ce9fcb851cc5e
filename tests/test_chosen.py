"""The table of hyperparameters holds what the specs say, and names the runs of the sweep that were passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autoencoders.lab import Lab
from autoencoders.profiles import PROFILES
from autoencoders.reporting import chosen
from autoencoders.results import Recording
from autoencoders.settings import Settings
from autoencoders.specs import MCAE, Training
from autoencoders.store import Artifact


def values(monkeypatch: pytest.MonkeyPatch, cache: Path, **errors: float) -> dict[str, str]:
    """What the chapter prints where runs of the sweep end with these errors on validation images, all others with 1."""

    def ask(recording: Recording, subject: Any, spec: Any) -> Artifact:
        error = errors.get(subject.name.removeprefix("tune-").replace("-", "_").replace(".", "_"), 1.0)
        return Artifact({}, {"history": {"validation/error": [2.0, error]}})

    monkeypatch.setattr(Recording, "ask", ask)
    settings = Settings(profile="quick", dataset="photos10", device="cpu", cache=cache)
    return chosen.of(Lab(settings, looks_only=True))


def test_hyperparameters_are_those_of_the_specs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_data: Path) -> None:
    shown, profile = values(monkeypatch, tmp_path), PROFILES["quick"]
    assert shown["batch"] == str(Training().batch)
    assert float(shown["learning_rate"]) == Training().learning_rate
    assert shown["width"] == str(profile.width)
    assert float(shown["masked_weight"]) == MCAE().masked_weight
    assert all(f"{family} {epochs}" in shown["epochs"] for family, epochs in profile.epochs.items())


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        ({}, "no run of the sweep has a smaller validation error than its base"),
        ({"latent_256": 0.5}, "no run of the sweep has a smaller validation error than its base"),
        (
            {"rate_0_006": 0.5},
            "*rate-0.006* (0.50000) ended with a smaller validation error than the base (1.00000)",
        ),
        (
            {"rate_0_006": 0.5, "width_16": 0.25, "base": 0.75},
            "*width-16* (0.25000) and *rate-0.006* (0.50000) ended with a smaller validation error than the base "
            "(0.75000)",
        ),
    ],
)
def test_rivals_of_the_base_are_named_unless_they_differ_in_size(
    errors: dict[str, float], text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_data: Path
) -> None:
    assert values(monkeypatch, tmp_path, **errors)["passed_over"] == text
