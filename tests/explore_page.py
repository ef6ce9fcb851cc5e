"""What the tests of the pages with models share: a page that is ready, and what its canvases show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from made_report import Made
from torch import nn
from waiting import PATIENCE

from autoencoders import models
from autoencoders.explore.scripts import LARGE, in_eight_bits
from autoencoders.lab import Lab
from autoencoders.models.blocks import PatchTranspose
from autoencoders.models.vit import ViTMaskedAutoencoder
from autoencoders.settings import Settings


def lab_of(made: Made) -> Lab:
    return Lab(Settings(profile="smoke", dataset="photos10", device="cpu", cache=made.project.cache))


def lab_on(cache: Path) -> Lab:
    """One that looks and computes nothing."""
    return Lab(Settings(profile="smoke", dataset="photos10", device="cpu", cache=cache), looks_only=True)


def opened(page: Any, made: Made, name: str) -> Any:
    page.goto((made.book / f"explore/{name}.html").as_uri())
    page.wait_for_selector("#playground:not([hidden])")
    settle(page)
    return page


def in_browser(model: models.Autoencoder) -> models.Autoencoder:
    """A model with its weights as pages have them: in half precision, large ones in eight bits for each column."""
    model = model.half().float()
    for layer in model.modules():
        weight = getattr(layer, "weight", None)
        if weight is not None and weight.ndim > 1:
            weight.data = weight.data.contiguous()
            _round(_columns(layer, weight.data))
    if isinstance(model, ViTMaskedAutoencoder):
        _round(model.positions)
    return model


def _round(columns: torch.Tensor) -> None:
    if columns.numel() >= LARGE:
        whole, most = in_eight_bits(columns.numpy())
        columns.copy_(torch.from_numpy(whole * (most.astype(np.float32) / 127)))


def _columns(layer: nn.Module, weight: torch.Tensor) -> torch.Tensor:
    """A view of a layer's weight, with the axis last along which numbers share a scale."""
    if isinstance(layer, nn.Linear):
        return weight.T
    if isinstance(layer, PatchTranspose):
        return weight.reshape(len(weight), -1)
    assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    by_output = isinstance(layer, nn.Conv2d) or layer.stride != (1, 1)
    return weight.permute(2, 3, 1, 0) if by_output else weight.permute(2, 3, 0, 1)


def settle(page: Any) -> None:
    """Until no canvas changes any more; those behind a button that loads their model have nothing to show."""
    page.evaluate(
        """async patience => {
          const deadline = performance.now() + patience;
          const frame = () => new Promise(done => setTimeout(() => requestAnimationFrame(done), 60));
          const shown = () => [...document.querySelectorAll("canvas")]
            .filter(canvas => !canvas.parentNode.querySelector(".load")).map(canvas => canvas.shown);
          for (let before = [], now = shown(); now.some((values, i) => !values || values !== before[i]);) {
            if (performance.now() > deadline) throw new Error("the canvases never settle");
            await frame();
            [before, now] = [now, shown()];
          }
        }""",
        PATIENCE * 1000,
    )


def wait_until(page: Any, condition: str, argument: Any = None) -> None:
    """Until JavaScript finds it true; Playwright's own waiting evaluates text, which these pages allow nobody."""
    page.evaluate(
        f"""async ([argument, patience]) => {{
          const deadline = performance.now() + patience;
          while (!({condition})) {{
            if (performance.now() > deadline) throw new Error("what is waited for never comes");
            await new Promise(done => setTimeout(done, 20));
          }}
        }}""",
        [argument, PATIENCE * 1000],
    )


def slide(page: Any, selector: str, value: float) -> None:
    page.evaluate(
        "([selector, value]) => { const slider = document.querySelector(selector); slider.value = value;"
        "for (const kind of ['input', 'change']) slider.dispatchEvent(new Event(kind, { bubbles: true })); }",
        [selector, value],
    )
    settle(page)


def shown(page: Any, selector: str) -> np.ndarray:
    return np.array(page.evaluate("selector => [...document.querySelector(selector).shown]", selector))


def as_seen(images: torch.Tensor) -> np.ndarray:
    """The first image as a canvas has it."""
    return images[0].permute(1, 2, 0).flatten().numpy()
