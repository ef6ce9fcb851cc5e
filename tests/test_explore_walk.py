"""Walking the latent space, as a reader does."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from explore_page import as_seen, in_browser, lab_of, opened, settle, shown, slide
from made_report import Made

from autoencoders import models
from autoencoders.explore import walk_page
from autoencoders.lab import Lab
from autoencoders.measurements.openings import BestPair
from autoencoders.measurements.playground import Landmarks


@pytest.fixture(scope="module")
def lab(made: Made) -> Lab:
    return lab_of(made)


@pytest.fixture(scope="module")
def vae(lab: Lab) -> models.Autoencoder:
    """As the browser has it."""
    return in_browser(lab.bench.model(lab.catalogues[0].vae()))  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def landmarks(lab: Lab) -> dict[str, torch.Tensor]:
    arrays = lab.measure(lab.catalogues[0].vae(), Landmarks()).arrays  # type: ignore[attr-defined]
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


@pytest.fixture(scope="module")
def pair(lab: Lab) -> dict[str, torch.Tensor]:
    """What the walk opens on."""
    arrays = lab.measure(lab.catalogues[0].vae(), BestPair()).arrays  # type: ignore[attr-defined]
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


@pytest.fixture
def walking(page: Any, made: Made) -> Any:
    return opened(page, made, "walk")


def test_walk_is_the_one_that_torch_walks(walking: Any, pair: Any, landmarks: Any, vae: Any) -> None:
    """From the best pair of validation images, on which it opens, and from any other image."""
    assert "run in this browser" in walking.inner_text("#state")
    for side, image in zip(("first", "last"), pair["images"], strict=True):
        np.testing.assert_allclose(
            shown(walking, f"#stage figure:{side}-child canvas"), as_seen(image[None] / 255), atol=1e-6
        )
    assert re.search("the best of .* pairs of validation images", walking.inner_text("#opening"))
    start, end = pair["latents"].split(1)
    for name, between in (("linear", torch.lerp), ("spherical", models.use._slerp)):
        walking.check(f"[value={name}]")
        slide(walking, "#share", 0.25)
        wanted = as_seen(models.decode(vae, between(start, end, torch.tensor(0.25))))
        np.testing.assert_allclose(shown(walking, ".main canvas"), wanted, atol=1e-3)
        np.testing.assert_allclose(shown(walking, "#strip button:nth-child(3) canvas"), wanted, atol=1e-3)
    assert walking.inner_text("#way") == "0.25"

    walking.check("#from [value='4']")
    settle(walking)
    wanted = as_seen(models.decode(vae, landmarks["images"][4:5]))
    np.testing.assert_allclose(shown(walking, "#stage figure:nth-child(2) canvas"), wanted, atol=1e-3)
    slide(walking, "#share", 0)
    np.testing.assert_allclose(shown(walking, ".main canvas"), wanted, atol=1e-3)
    assert walking.faults == []


def test_arithmetic_adds_classes_and_single_images(walking: Any, landmarks: Any, vae: Any) -> None:
    """Class means with their weights, and test images of the same classes; it is said whether the best sum works."""
    names = walking.evaluate("explore.kinds.map(kind => explore.gallery.classes[kind])")
    walking.click("#presets button:text-is('rocket − hubble + china')")
    labels = walking.evaluate("explore.gallery.labels.map(kind => explore.gallery.classes[kind])")
    for turn in range(2):
        a, b, c = ([i for i, label in enumerate(labels) if label == name] for name in ("rocket", "hubble", "china"))
        places = [own[(turn + i) % len(own)] for i, own in enumerate((a, b, c))]
        first, second, third = landmarks["images"][places]
        wanted = as_seen(models.decode(vae, (first - second + third)[None]))
        settle(walking)
        np.testing.assert_allclose(shown(walking, "#singles .result canvas"), wanted, atol=1e-3)
        walking.click("#others")

    walking.select_option("[aria-label='Class b']", label=names[3])
    slide(walking, "[aria-label='Weight of class c']", 0.5)
    rocket, china = names.index("rocket"), names.index("china")
    total = landmarks["means"][rocket] - landmarks["means"][3] + 0.5 * landmarks["means"][china]
    wanted = as_seen(models.decode(vae, total[None]))
    np.testing.assert_allclose(shown(walking, "#means .result canvas"), wanted, atol=1e-3)
    nearest = (landmarks["images"] - total).square().mean(1).argmin()
    assert walking.inner_text("#means figcaption b") == walking.evaluate(f"gallery(explore.gallery)[{nearest}].label")
    best = walking.inner_text("#best")
    assert walking.inner_text("#presets button:first-child") in best
    assert best.endswith(("It works.", "none works."))


def test_browser_that_cannot_run_models_is_told_why(page: Any, made: Made) -> None:
    page.add_init_script("WebAssembly.validate = () => false")
    page.goto((made.book / "explore/walk.html").as_uri())
    page.wait_for_selector("#state.notice")
    assert "can't run in this browser: it has no WebAssembly" in page.inner_text("#state")
    assert page.is_hidden("#playground")


def test_triples_are_of_classes_that_there_are() -> None:
    asked = [("dog", "cat", "bird"), ("truck", "automobile", "ship")]
    assert walk_page._triples(asked, ["cat", "dog", "bird", "ship"]) == [[1, 0, 2]]
    assert walk_page._triples([*asked, asked[0]], ["cat", "dog", "bird"]) == [[1, 0, 2]]
    assert walk_page._triples(asked, ["cat", "dog"]) == [[0, 1, 0]]
    assert walk_page._triples([], ["only"]) == [[0, 0, 0]]
