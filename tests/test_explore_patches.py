"""Hiding patches, as a reader does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from explore_page import as_seen, in_browser, lab_of, opened, settle, shown, slide
from made_report import Made

from autoencoders import models
from autoencoders.lab import Lab
from autoencoders.measurements.playground import Gallery
from autoencoders.specs import Baseline


@pytest.fixture(scope="module")
def lab(made: Made) -> Lab:
    return lab_of(made)


@pytest.fixture(scope="module")
def images(lab: Lab) -> torch.Tensor:
    return torch.from_numpy(lab.measure(Baseline(method="input"), Gallery()).arrays["images"])


@pytest.fixture
def hiding(page: Any, made: Made) -> Any:
    return opened(page, made, "patches")


def mcae(lab: Lab, ratio: float) -> models.Autoencoder:
    """As the browser has it."""
    return in_browser(lab.bench.model(lab.catalogues[0].mcae(ratio)))  # type: ignore[attr-defined]


def hidden(page: Any) -> torch.Tensor:
    pressed = page.evaluate("[...document.querySelectorAll('#grid button')].map(cell => cell.ariaPressed === 'true')")
    return torch.tensor(pressed).reshape(1, 1, round(len(pressed) ** 0.5), -1)


def test_patches_page_shows_what_torch_makes_of_it(hiding: Any, lab: Lab, images: torch.Tensor) -> None:
    model = mcae(lab, 0.75)
    assert isinstance(model, models.Masked)
    hiding.check("#image [value='7']")
    settle(hiding)
    pixels = model.in_pixels(hidden(hiding))
    assert pixels.float().mean() == 0.75
    wanted = models.reconstruct(model, images[7:8], mask=pixels)
    np.testing.assert_allclose(shown(hiding, "#output"), as_seen(wanted), atol=1e-3)
    squared = (wanted - images[7:8] / 255).square()
    assert float(hiding.inner_text("#mseAll")) == pytest.approx(squared.mean().item(), abs=2e-4)
    within = squared[pixels.expand_as(squared)].mean().item()
    assert float(hiding.inner_text("#mseHidden")) == pytest.approx(within, abs=2e-4)
    grey = hiding.evaluate("[...seen.getContext('2d').getImageData(0, 0, seen.width, seen.height).data]")
    seen = torch.tensor(grey).reshape(1, *images.shape[2:], 4)[..., :3].permute(0, 3, 1, 2)
    assert torch.equal(seen, torch.where(pixels, 128, images[7:8]))
    assert hiding.faults == []


def test_transformer_fills_the_same_patches_beside_it(hiding: Any, lab: Lab, images: torch.Tensor) -> None:
    catalogue: Any = lab.catalogues[0]
    model = in_browser(lab.bench.model(catalogue.vit(catalogue.ratio)))
    assert isinstance(model, models.Masked)
    wanted = models.reconstruct(model, images[:1], mask=model.in_pixels(hidden(hiding)))
    np.testing.assert_allclose(shown(hiding, "#vit"), as_seen(wanted), atol=1e-3)
    error = (wanted - images[:1] / 255).square().mean().item()
    assert float(hiding.inner_text("#vitMseAll")) == pytest.approx(error, abs=2e-4)


def test_patches_follow_the_slider_while_it_is_dragged(hiding: Any) -> None:
    """What a smaller share hides, a larger one hides as well; nothing waits for the slider to be let go."""
    before = None
    for share in (0.25, 0.5):
        hiding.evaluate(
            "share => { const slider = document.querySelector('#ratio'); slider.value = share;"
            "slider.dispatchEvent(new Event('input', { bubbles: true })); }",
            share,
        )
        now = hidden(hiding)
        assert now.float().mean() == share
        assert before is None or (now | ~before).all()
        before = now


def test_patches_are_dragged_away_and_clicked_back(hiding: Any) -> None:
    hiding.click("#none")
    settle(hiding)
    assert not hidden(hiding).any()
    assert hiding.inner_text("#psnrHidden") == "–"
    boxes = [hiding.locator("#grid button").nth(place).bounding_box() for place in (0, 3)]
    middles = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    hiding.mouse.move(*middles[0])
    hiding.mouse.down()
    hiding.mouse.move(*middles[1], steps=20)
    hiding.mouse.up()
    settle(hiding)
    assert hidden(hiding)[0, 0, 0].tolist() == [True] * 4 + [False] * 4
    hiding.mouse.move(0, 0)
    hiding.locator("#grid button").nth(1).click()
    settle(hiding)
    assert hidden(hiding).sum() == 3
    assert hiding.evaluate("document.getElementById('output').count") == 3


def test_patches_are_hidden_by_keyboard(hiding: Any) -> None:
    hiding.focus("#none")
    hiding.keyboard.press("Enter")
    hiding.keyboard.press("Tab")
    for key in ("ArrowRight", "ArrowDown", "Space", "ArrowLeft", "Enter", "ArrowLeft", "ArrowUp", "ArrowUp"):
        hiding.keyboard.press(key)
    settle(hiding)
    assert torch.nonzero(hidden(hiding))[:, 2:].tolist() == [[1, 0], [1, 1]]
    assert hiding.evaluate("document.activeElement.ariaLabel").startswith("Row 1, column 1")


def test_model_of_another_ratio_is_loaded_on_demand(hiding: Any, lab: Lab, images: torch.Tensor) -> None:
    other = hiding.locator("#models button").first
    assert "10 % hidden · load 0.1 MB" in other.inner_text()
    before = shown(hiding, "#output")
    other.click()
    hiding.wait_for_selector("#models button:first-child[aria-pressed=true]")
    settle(hiding)
    assert "load" not in other.inner_text()
    assert not np.array_equal(shown(hiding, "#output"), before)
    model = mcae(lab, 0.1)
    assert isinstance(model, models.Masked)
    wanted = models.reconstruct(model, images[:1], mask=model.in_pixels(hidden(hiding)))
    np.testing.assert_allclose(shown(hiding, "#output"), as_seen(wanted), atol=1e-3)


@pytest.mark.parametrize(("share", "count"), [(0, 0), (0.25, 16), (1, 64)])
def test_patches_are_hidden_at_random(hiding: Any, share: float, count: int) -> None:
    slide(hiding, "#ratio", share)
    assert hidden(hiding).sum() == count
    before = hidden(hiding)
    hiding.click("#random")
    settle(hiding)
    assert hidden(hiding).sum() == count
    assert torch.equal(hidden(hiding), before) == (count in (0, 64))
