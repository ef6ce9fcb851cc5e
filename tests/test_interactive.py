"""Figures that a reader of the site can turn and take apart, used as a person would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoencoders.figures.interactive import turnable

HAS_INK = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(value => value)"
CLASSES = ("cat", "<b>dog</b>", "bird")


@pytest.fixture
def figure(page: Any, tmp_path: Path) -> Any:
    """Two clouds on a page of their own, from a disk."""
    rng = np.random.default_rng(0)
    clouds = {name: (rng.normal(size=(90, 3)), np.arange(90) % 3) for name in ("clean", "</script>noisy")}
    made = turnable(clouds, CLASSES)._repr_html_()
    (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8><body>{made}</body>", encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    yield page
    assert page.faults == []


def drawn(page: Any) -> list[str]:
    return page.evaluate("[...document.querySelectorAll('canvas')].map(canvas => canvas.toDataURL())")


def test_turnable_shows_every_class_or_one_alone_and_says_what_it_is(figure: Any) -> None:
    assert figure.locator("button").all_inner_texts() == list(CLASSES)
    assert figure.locator("figcaption").all_inner_texts() == ["clean", "</script>noisy"]
    assert all("turned by dragging or by the arrow keys" in c.get_attribute("aria-label") for c in canvases(figure))
    assert all(figure.evaluate(f"[...document.querySelectorAll('canvas')].map({HAS_INK})"))

    before = drawn(figure)
    button = figure.locator("button").nth(1)
    button.click()
    assert (button.get_attribute("aria-pressed"), drawn(figure) == before) == ("true", False)
    button.click()
    assert (button.get_attribute("aria-pressed"), drawn(figure)) == ("false", before)


def canvases(page: Any) -> list[Any]:
    return page.locator("canvas").all()


def test_turnable_turns_all_clouds_by_dragging_one_or_by_the_keyboard(figure: Any) -> None:
    before = drawn(figure)
    box = canvases(figure)[0].bounding_box()
    figure.mouse.move(box["x"] + 100, box["y"] + 100)
    figure.mouse.down()
    figure.mouse.move(box["x"] + 180, box["y"] + 120, steps=4)
    figure.mouse.up()
    turned = drawn(figure)
    assert all(a != b for a, b in zip(before, turned, strict=True))
    figure.mouse.move(box["x"] + 30, box["y"] + 30)
    assert drawn(figure) == turned, "only what is held is turned"

    before = drawn(figure)
    figure.keyboard.press("Tab")
    figure.keyboard.press("ArrowUp")
    assert drawn(figure) != before
    figure.keyboard.press("ArrowDown")
    assert drawn(figure) == before
