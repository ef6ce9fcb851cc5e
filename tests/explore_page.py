"""What the tests of the pages with models share: a page that is ready, and what its canvases show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from made_report import Made

from autoencoders.lab import Lab
from autoencoders.settings import Settings


def lab_of(made: Made) -> Lab:
    return Lab(Settings(profile="smoke", dataset="photos10", device="cpu", cache=made.project.cache))


def lab_on(cache: Path) -> Lab:
    """One that looks and computes nothing."""
    return Lab(Settings(profile="smoke", dataset="photos10", device="cpu", cache=cache), looks_only=True)


def opened(page: Any, made: Made, name: str, backend: str = "cpu") -> Any:
    page.goto((made.book / f"explore/{name}.html").as_uri() + f"?backend={backend}")
    page.wait_for_selector("#playground:not([hidden])")
    settle(page)
    return page


def settle(page: Any) -> None:
    """Until no canvas changes any more; those behind a button that loads their model have nothing to show."""
    page.evaluate(
        """async () => {
          const frame = () => new Promise(done => setTimeout(() => requestAnimationFrame(done), 60));
          const shown = () => [...document.querySelectorAll("canvas")]
            .filter(canvas => !canvas.parentNode.querySelector(".load")).map(canvas => canvas.shown);
          for (let before = [], now = shown(); now.some((values, i) => !values || values !== before[i]);) {
            await frame();
            [before, now] = [now, shown()];
          }
        }"""
    )


def wait_until(page: Any, condition: str, argument: Any = None) -> None:
    """Until JavaScript finds it true; Playwright's own waiting evaluates text, which these pages allow nobody."""
    page.evaluate(
        f"""async argument => {{
          while (!({condition})) await new Promise(done => setTimeout(done, 20));
        }}""",
        argument,
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
