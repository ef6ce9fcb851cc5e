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


def filled(model: models.Autoencoder, images: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
    assert isinstance(model, models.Masked)
    return models.reconstruct(model, images, mask=model.in_pixels(patches))


def test_patches_page_shows_what_torch_makes_of_it(hiding: Any, lab: Lab, images: torch.Tensor) -> None:
    """The MCAE, the transformer beside it, and an MCAE of another ratio, which is loaded on demand."""
    catalogue: Any = lab.catalogues[0]
    hiding.check("#image [value='7']")
    settle(hiding)
    image, patches = images[7:8], hidden(hiding)
    assert patches.float().mean() == 0.75
    for id, prefix, model in (
        ("output", "mse", mcae(lab, 0.75)),
        ("vit", "vitMse", in_browser(lab.bench.model(catalogue.vit(catalogue.ratio)))),
    ):
        wanted = filled(model, image, patches)
        np.testing.assert_allclose(shown(hiding, f"#{id}"), as_seen(wanted), atol=1e-3)
        squared = (wanted - image / 255).square()
        assert float(hiding.inner_text(f"#{prefix}All")) == pytest.approx(squared.mean().item(), abs=2e-4)
        pixels = model.in_pixels(patches)  # type: ignore[operator]
        within = squared[pixels.expand_as(squared)].mean().item()
        assert float(hiding.inner_text(f"#{prefix}Hidden")) == pytest.approx(within, abs=2e-4)
    grey = hiding.evaluate("[...seen.getContext('2d').getImageData(0, 0, seen.width, seen.height).data]")
    seen = torch.tensor(grey).reshape(1, *image.shape[2:], 4)[..., :3].permute(0, 3, 1, 2)
    assert torch.equal(seen, torch.where(pixels, 128, image))

    other, before = hiding.locator("#models button").first, shown(hiding, "#output")
    assert "10 % hidden · load 0.1 MB" in other.inner_text()
    other.click()
    hiding.wait_for_selector("#models button:first-child[aria-pressed=true]")
    settle(hiding)
    assert "load" not in other.inner_text()
    assert not np.array_equal(shown(hiding, "#output"), before)
    np.testing.assert_allclose(shown(hiding, "#output"), as_seen(filled(mcae(lab, 0.1), image, patches)), atol=1e-3)
    assert hiding.faults == []


def test_patches_are_hidden_at_random_as_many_as_the_slider_says(hiding: Any) -> None:
    """While it is dragged: what a smaller share hides, a larger one hides as well."""
    before = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    for share in (0.25, 0.5, 1, 0):
        hiding.evaluate(
            "share => { const slider = document.querySelector('#ratio'); slider.value = share;"
            "slider.dispatchEvent(new Event('input', { bubbles: true })); }",
            share,
        )
        now = hidden(hiding)
        assert now.float().mean() == share
        assert share == 0 or (now | ~before).all()
        before = now
    slide(hiding, "#ratio", 0.25)
    before = hidden(hiding)
    hiding.click("#random")
    settle(hiding)
    assert hidden(hiding).sum() == before.sum() == 16
    assert not torch.equal(hidden(hiding), before)


def test_patches_are_hidden_by_pointer_and_by_keyboard(hiding: Any) -> None:
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

    hiding.focus("#none")
    hiding.keyboard.press("Enter")
    hiding.keyboard.press("Tab")
    for key in ("ArrowRight", "ArrowDown", "Space", "ArrowLeft", "Enter", "ArrowLeft", "ArrowUp", "ArrowUp"):
        hiding.keyboard.press(key)
    settle(hiding)
    assert torch.nonzero(hidden(hiding))[:, 2:].tolist() == [[1, 0], [1, 1]]
    assert hiding.evaluate("document.activeElement.ariaLabel").startswith("Row 1, column 1")
