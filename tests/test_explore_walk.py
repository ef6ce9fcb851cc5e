"""Walking the latent space, as a reader does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from explore_page import LIMIT, as_seen, lab_of, loaded_by_itself, opened, settle, shown, slide
from made_report import Made

from autoencoders import models
from autoencoders.explore import walk
from autoencoders.lab import Lab
from autoencoders.measurements.playground import Landmarks

NO_WEBGL = """for (const { prototype } of [HTMLCanvasElement, OffscreenCanvas]) {
  const real = prototype.getContext;
  prototype.getContext = function (kind) { return kind.includes("webgl") ? null : real.apply(this, arguments); };
}"""


@pytest.fixture(scope="module")
def lab(made: Made) -> Lab:
    return lab_of(made)


@pytest.fixture(scope="module")
def vae(lab: Lab) -> models.Autoencoder:
    """As the browser has it."""
    return lab.bench.model(lab.catalogues[0].vae()).half().float()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def landmarks(lab: Lab) -> dict[str, torch.Tensor]:
    arrays = lab.measure(lab.catalogues[0].vae(), Landmarks()).arrays  # type: ignore[attr-defined]
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


@pytest.fixture
def walking(page: Any, made: Made) -> Any:
    return opened(page, made, "walk")


def test_the_page_says_where_the_model_runs_and_complains_of_nothing(walking: Any) -> None:
    assert "run in this browser, on its processor" in walking.inner_text("#state")
    assert walking.faults == []


def test_it_asks_for_nothing_from_anywhere_else_and_stays_small(page: Any, made: Made) -> None:
    assert loaded_by_itself(page, made, "walk") < LIMIT


@pytest.mark.parametrize("spherical", [False, True])
def test_the_way_is_the_one_that_torch_walks(walking: Any, landmarks: Any, vae: Any, spherical: bool) -> None:
    start, end = landmarks["images"][[0, -1]].split(1)
    if spherical:
        walking.check("[value=spherical]")
    slide(walking, "#share", 0.25)
    between = models._slerp if spherical else torch.lerp
    wanted = as_seen(models.decode(vae, between(start, end, torch.tensor(0.25))))
    np.testing.assert_allclose(shown(walking, ".main canvas"), wanted, atol=1e-3)
    np.testing.assert_allclose(shown(walking, "#strip button:nth-child(3) canvas"), wanted, atol=1e-3)
    assert walking.inner_text("#way") == "0.25"


def test_the_ends_are_the_images_own_reconstructions(walking: Any, landmarks: Any, vae: Any) -> None:
    walking.check("#from [value='4']")
    settle(walking)
    wanted = as_seen(models.decode(vae, landmarks["images"][4:5]))
    np.testing.assert_allclose(shown(walking, "#stage figure:nth-child(2) canvas"), wanted, atol=1e-3)
    slide(walking, "#share", 0)
    np.testing.assert_allclose(shown(walking, ".main canvas"), wanted, atol=1e-3)


def test_classes_are_added_with_their_weights(walking: Any, landmarks: Any, vae: Any) -> None:
    names = walking.evaluate("explore.kinds.map(kind => explore.gallery.classes[kind])")
    assert walking.inner_text("#presets button:first-child") == "astronaut − chelsea + coffee"
    walking.click("#presets button:nth-child(2)")
    walking.select_option("[aria-label='Class b']", label=names[3])
    slide(walking, "[aria-label='Weight of class c']", 0.5)
    a, c = names.index("rocket"), names.index("china")
    total = landmarks["means"][a] - landmarks["means"][3] + 0.5 * landmarks["means"][c]
    wanted = as_seen(models.decode(vae, total[None]))
    np.testing.assert_allclose(shown(walking, ".sum .result canvas"), wanted, atol=1e-3)
    nearest = (landmarks["images"] - total).square().mean(1).argmin()
    assert walking.inner_text(".sum figcaption b") == walking.evaluate(f"gallery(explore.gallery)[{nearest}].label")


def test_by_keyboard_alone(walking: Any) -> None:
    before = shown(walking, "#stage figure:nth-child(2) canvas")
    walking.focus("#from :checked")
    walking.keyboard.press("ArrowRight")
    settle(walking)
    assert not np.array_equal(shown(walking, "#stage figure:nth-child(2) canvas"), before)
    walking.focus("#share")
    walking.keyboard.press("Home")
    settle(walking)
    assert walking.inner_text("#way") == "0"
    assert walking.evaluate("document.querySelector('.main canvas').step") == 0
    walking.focus("#strip button:last-child")
    walking.keyboard.press("Enter")
    assert walking.input_value("#share") == "1"


def test_a_browser_that_cant_is_told_and_the_rest_is_hidden(page: Any, made: Made) -> None:
    address = (made.book / "explore/walk.html").as_uri()
    page.goto(f"{address}?backend=none")
    page.wait_for_selector("#state.notice")
    assert "can't run in this browser" in page.inner_text("#state")
    assert page.is_hidden("#playground")
    page.add_init_script(NO_WEBGL)
    page.goto(f"{address}?backend=webgl")
    page.wait_for_selector("#state.notice")


def test_without_webgl_the_processor_does_it(page: Any, made: Made) -> None:
    page.add_init_script(NO_WEBGL)
    page.goto((made.book / "explore/walk.html").as_uri())
    page.wait_for_selector("#playground:not([hidden])")
    assert "on its processor" in page.inner_text("#state")


def test_a_phone_shows_it_without_sideways_scrolling(walking: Any) -> None:
    walking.set_viewport_size({"width": 390, "height": 800})
    assert walking.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_triples_are_of_classes_that_there_are() -> None:
    assert walk._triples("cifar10", ["cat", "dog", "bird", "ship"]) == [[1, 0, 2]]
    assert walk._triples("cifar10", ["cat", "dog"]) == [[0, 1, 0]]
    assert walk._triples("unknown", ["only"]) == [[0, 0, 0]]
