"""What chapters say of a run: its numbers, and what it lacks."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autoencoders import claims, compared
from autoencoders.catalogue import Catalogue
from autoencoders.lab import Lab
from autoencoders.profiles import PROFILES
from autoencoders.reporting import facts
from autoencoders.settings import Settings

WHOLE = {"sigmas": (0.3, 0.1), "unseen": (0.2,), "ratios": (0.75, 0.3), "latents": (128, 64), "betas": (1.0,)}


def plan(dataset: str = "cifar10", **lists: Any) -> Catalogue:
    return Catalogue(profile=compared.applied(PROFILES["quick"], WHOLE | lists), dataset=dataset)


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ({}, None),
        ({"sigmas": (0.3,)}, "R7 "),
        ({"unseen": ()}, "R8 "),
        ({"arithmetic": (("ship", "truck", "frog"),)}, "R14 .* dog − cat \\+ bird"),
        ({"betas": ()}, "R16 "),
        ({"ratios": (0.4,)}, "R19 and R22 "),
        ({"latents": (24,)}, "R25 "),
    ],
)
def test_checklist_says_what_a_run_lacks(lists: dict[str, Any], said: str | None) -> None:
    found = list(facts.lacking(plan(**lists)))
    assert len(found) == (said is not None)
    assert all(re.match(str(said), sentence) for sentence in found)


def test_data_without_classes_for_the_arithmetic_lack_it() -> None:
    [said] = facts.lacking(plan("mnist"))
    assert said.startswith("R14 is not answered")
    assert list(facts.lacking(replace(plan(), dataset="photos10"))) == []


@pytest.mark.parametrize(
    ("profile", "requirements"), [("quick", ["R8", "R23", "R25", "R12"]), ("evening", []), ("full", [])]
)
def test_checklist_says_what_is_left_to_longer_profiles(profile: str, requirements: list[str]) -> None:
    said = facts.later(PROFILES[profile])
    assert re.findall(r"\((R\d+)\)", said) == requirements
    assert said.startswith("This profile leaves" if requirements else "Nothing")


@pytest.mark.parametrize(
    ("run", "scope"),
    [
        ({"profile": "smoke"}, "in this run"),
        ({"profile": "smoke", "seeds": (4, 5, 6)}, "over 3 seeds"),
        ({"profile": "evening"}, "in this run, with 3 seeds of its main models and one of the others"),
    ],
)
def test_findings_reach_as_far_as_the_seeds(run: dict[str, Any], scope: str, tmp_path: Path, no_data: Path) -> None:
    settings = Settings(**run, dataset="photos10", device="cpu", cache=tmp_path)
    assert claims.scope(Lab(settings, looks_only=True)) == scope


def test_size_of_a_cell_is_the_models_own() -> None:
    from autoencoders.models import blocks

    assert facts.CELL == blocks.CELL
