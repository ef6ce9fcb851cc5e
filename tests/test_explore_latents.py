"""The latent spaces, turned and taken apart as a person would."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from accessibility import violations
from made_report import Made
from PIL import Image

from autoencoders.colours import PALETTE
from autoencoders.explore import latents_page
from autoencoders.explore.pages import fill
from autoencoders.store import Artifact

DRAWN = "[...document.querySelectorAll('.clouds canvas')].map(canvas => canvas.toDataURL())"
CLEAN, NOISY = "[data-input=clean] canvas", "[data-input=noisy] canvas"


@pytest.fixture
def space(page: Any, made: Made) -> Iterator[Any]:
    page.goto((made.book / "explore/latents.html").as_uri())
    settled(page)
    yield page
    assert page.faults == []


def settled(page: Any) -> Any:
    """After the frame in which whatever was asked for is drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page


def drawn(page: Any) -> list[str]:
    return settled(page).evaluate(DRAWN)


def where(page: Any) -> str:
    return settled(page).inner_text("#where")


def tips(page: Any) -> list[str]:
    """What the two panels show beside their points."""
    return [tip.inner_text() for tip in settled(page).locator(".tip").all() if tip.is_visible()]


def choose(page: Any, **choices: str) -> None:
    for name, value in choices.items():
        page.check(f"input[name={name}][value='{value}']")


def a_point(page: Any, key: str = "ArrowRight") -> str:
    """One point marked by the keyboard."""
    page.focus(CLEAN)
    page.keyboard.press(key)
    return where(page)


def test_spaces_are_there_with_their_measures_and_choices_change_both_pictures(space: Any) -> None:
    names = space.locator("#space option").all_inner_texts()
    assert names == ["PCA, 128 components", "AE", "DAE, σ = 0.3", "VAE"]
    assert space.locator("tbody th").all_inner_texts() == names
    cells = space.locator("tbody td").all_inner_texts()
    assert len(cells) == len(names) * len(latents_page.MEASURES)
    assert all(re.fullmatch(r"−?\d\.\d{3}", cell) for cell in cells)
    assert space.locator("main ul:last-of-type a").count() == len(latents_page.TWINS)

    seen = []
    for method in ("pca", "tsne"):
        for dims in ("2", "3"):
            choose(space, method=method, dims=dims)
            seen.append(drawn(space))
    space.select_option("#space", label="VAE")
    seen.append(drawn(space))
    for panel in zip(*seen, strict=True):
        assert len(set(panel)) == len(panel)
    assert all(clean != noisy for clean, noisy in seen)

    space.check("#trails")
    assert all(a != b for a, b in zip(seen[-1], drawn(space), strict=True)), "every displacement"
    space.uncheck("#trails")
    light = drawn(space)
    space.click("button.theme")
    assert drawn(space) != light
    space.click("button.theme")
    assert drawn(space) == light
    space.set_viewport_size({"width": 390, "height": 800})
    settled(space)
    assert space.evaluate("[...document.querySelectorAll('canvas')].every(c => c.width === c.clientWidth)")


def test_point_shows_its_image_in_both_pictures_whether_by_keyboard_or_pointer(space: Any) -> None:
    before = drawn(space)
    said = a_point(space)
    spot = r"at \((.+), (.+)\)"
    found = re.fullmatch(
        rf"(\w+), image \d+ of \d+: clean {spot}, with noise {spot}, (.+) apart in this picture.", said
    )
    assert found, said
    assert tips(space) == [found[1]] * 2
    assert all(a != b for a, b in zip(before, drawn(space), strict=True)), "marked in both"
    a, b, c, d, apart = (float(text.replace("−", "-")) for text in found.groups()[1:])
    assert apart == pytest.approx(np.hypot(a - c, b - d), rel=0.05)
    assert violations(space) == []
    tip = space.locator("[data-input=noisy] .tip").bounding_box()
    space.keyboard.press("Escape")
    assert tips(space) == []
    assert drawn(space) == before

    box = space.locator(NOISY).bounding_box()
    for x in (tip["x"] - 18, tip["x"] + tip["width"] + 18):  # beside its point, on one side or the other
        space.mouse.move(x, tip["y"] + tip["height"] / 2)
        if where(space) == said:
            break
    else:
        pytest.fail(f"{said} isn't beside its thumbnail")
    assert len(tips(space)) == 2
    space.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] + 60)
    assert tips(space) == [], "what is only pointed at is let go"


def pressed(page: Any) -> list[str]:
    return page.locator(".legend [aria-pressed=true]").all_inner_texts()


def test_classes_are_hidden_and_shown_and_one_alone_by_double_click_or_keyboard(space: Any) -> None:
    everything, names = drawn(space), pressed(space)
    assert len(names) > 2
    for name in names[:2]:
        space.click(f".legend button:has-text('{name}')")
    assert pressed(space) == names[2:]
    fewer = drawn(space)
    assert all(a != b for a, b in zip(everything, fewer, strict=True))
    space.click(".legend .all")
    assert pressed(space) == names
    assert drawn(space) == everything

    buttons = space.locator(".legend [aria-pressed]")
    buttons.nth(2).dblclick()
    assert pressed(space) == [names[2]]
    assert a_point(space).startswith(f"{names[2]},")
    buttons.nth(2).dblclick()
    assert pressed(space) == names
    buttons.nth(1).focus()
    space.keyboard.press("Shift+Enter")
    assert pressed(space) == [names[1]]
    space.keyboard.press("Space")
    assert pressed(space) == []
    space.focus(CLEAN)
    space.keyboard.press("ArrowRight")
    assert tips(space) == [], "what is hidden isn't found"


def test_clouds_turn_in_three_dimensions_by_dragging_keys_and_buttons(space: Any) -> None:
    def drag() -> list[str]:
        box = space.locator(NOISY).bounding_box()
        x, y = box["x"] + 4, box["y"] + 4  # where no point is
        space.mouse.move(x, y)
        space.mouse.down()
        space.mouse.move(x + 90, y + 30, steps=4)
        space.mouse.up()
        space.mouse.move(x, box["y"] - 40)
        return drawn(space)

    assert space.locator("[data-turn]:disabled").count() == 4
    flat = drawn(space)
    assert drag() == flat
    choose(space, dims="3")
    solid = drawn(space)
    assert all(a != b for a, b in zip(solid, drag(), strict=True))

    choose(space, method="tsne")
    before = drawn(space)
    space.get_by_label("Turn left").click()
    assert drawn(space) != before
    space.get_by_label("Turn right").click()
    assert drawn(space) == before
    space.locator(CLEAN).click(position={"x": 3, "y": 3})
    for key in ("Shift+ArrowUp", "Shift+ArrowDown"):
        space.keyboard.press(key)
    assert drawn(space) == before
    space.keyboard.press("Shift+ArrowUp")
    assert drawn(space) != before
    assert violations(space) == []


def test_colours_are_those_of_print() -> None:
    assert tuple(light for light, _, _ in latents_page.LOOKS) == PALETTE


def test_sprite_holds_clean_images_above_noisy_ones() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 30, 3, 4, 6), np.uint8)
    points = Artifact({"clean/images": images[0], "noisy/images": images[1]}, {})
    sheet = np.asarray(Image.open(io.BytesIO(latents_page.sprite(points))))
    assert sheet.shape == (2 * 2 * 4, latents_page.COLUMNS * 6, 3)
    assert np.array_equal(sheet[4:8, 4 * 6 : 5 * 6], images[0, 29].transpose(1, 2, 0))
    assert np.array_equal(sheet[8:12, :6], images[1, 0].transpose(1, 2, 0))
    grey = Artifact({"clean/images": images[0, :, :1], "noisy/images": images[1, :, :1]}, {})
    assert Image.open(io.BytesIO(latents_page.sprite(grey))).mode == "L"


def test_latents_page_escapes_names() -> None:
    name = "</script><b onclick='x'>"
    looks = (name, *latents_page.LOOKS[0])
    body = fill(
        "latents.html",
        spaces=[name],
        classes=[looks],
        noise=name,
        measures=[name],
        rows=[(name, [name])],
        twins={name: name},
    )
    assert "<b onclick" not in body
    assert "</script" not in body


def test_explore_imports_no_torch() -> None:
    """A page that is made anew in every report must not take seconds for it."""
    code = "import sys; import autoencoders.explore; print({'torch', 'matplotlib'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
