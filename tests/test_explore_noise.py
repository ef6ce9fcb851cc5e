"""Adding noise, as a reader does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from explore_page import as_seen, in_browser, lab_of, opened, settle, shown, slide, wait_until
from made_report import Made
from skimage.restoration import denoise_tv_chambolle

from autoencoders import models
from autoencoders.evaluation.baselines import LinearDenoiser
from autoencoders.explore import noise_page
from autoencoders.explore.pages import ASSETS
from autoencoders.lab import Lab
from autoencoders.measurements.linear_programs import LinearProgram
from autoencoders.measurements.playground import Gallery
from autoencoders.specs import Baseline


@pytest.fixture(scope="module")
def lab(made: Made) -> Lab:
    return lab_of(made)


@pytest.fixture
def noising(page: Any, made: Made) -> Any:
    return opened(page, made, "noise")


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.add_script_tag(content=ASSETS.joinpath("denoise.js").read_text(encoding="utf-8"))
    yield page
    page.close()


def panel(number: int) -> str:
    return f"#outputs figure:nth-child({number}) canvas"


def test_panels_show_what_torch_makes_of_the_same_noisy_image(noising: Any, lab: Lab) -> None:
    """Of every denoiser that the assignment trains."""
    noising.click("#all")
    wait_until(noising, "!document.querySelector('button.load')")
    slide(noising, "#sigma", 0.2)
    images = lab.measure(Baseline(method="input"), Gallery()).arrays["images"][:1]
    channels, height, width = images.shape[1:]
    clean = as_seen(torch.from_numpy(images) / 255)
    np.testing.assert_allclose(shown(noising, panel(1)), clean, atol=1e-6)
    seen = shown(noising, panel(2))
    inside = (seen > 0) & (seen < 1)
    assert 0.15 < (seen - clean)[inside].std() < 0.22
    assert seen.min() >= 0
    assert seen.max() <= 1
    noisy = torch.tensor(seen, dtype=torch.float32).reshape(1, height, width, channels).permute(0, 3, 1, 2)
    denoisers = noise_page._denoisers(lab.catalogues[0])  # type: ignore[arg-type]
    assert {each.name for each in denoisers} >= {
        "ae-vector",
        "ae-spatial",
        "dae-vector-0.1",
        "dae-spatial-0.3",
        "dae-skips-0.3",
    }
    titles = noising.locator("#outputs figcaption b").all_inner_texts()
    for experiment in denoisers:
        number = 1 + titles.index(noise_page._title(experiment))
        model = in_browser(lab.bench.model(experiment))
        wanted = as_seen(models.reconstruct(model, noisy))
        np.testing.assert_allclose(shown(noising, panel(number)), wanted, atol=1e-3, err_msg=experiment.name)
        decibels = -10 * math.log10(np.square(wanted - clean).mean())
        told = noising.inner_text(f"#outputs figure:nth-child({number}) .score")
        assert float(told.split()[0]) == pytest.approx(decibels, abs=0.06), experiment.name

    # the linear one along few directions, at a level that was fitted, and what the page says of it
    slide(noising, "#sigma", 0.3)
    found = lab.measure(Baseline(method="ridge"), LinearProgram())
    parts, place = (
        {name: array.astype(np.float32) for name, array in found.arrays.items()},
        found.meta["sigmas"].index(0.3),
    )
    denoiser = LinearDenoiser(parts["mean"], parts["seen"][place], parts["weights"][place], parts["basis"], 0.0)
    channels, height, width = parts["mean"].shape
    noisy = torch.tensor(shown(noising, panel(2)), dtype=torch.float32).reshape(1, height, width, channels)
    wanted = as_seen(denoiser.denoise(noisy.permute(0, 3, 1, 2)))
    np.testing.assert_allclose(shown(noising, panel(4)), wanted, atol=0.01)  # its basis has eight bits
    whole, small = found.meta["decibels"][place]
    noising.click("details.notes summary")
    assert f"{small - whole:+.2f} dB at σ = 0.3".replace("-", "−") in noising.inner_text("#notes")
    assert noising.faults == []


def test_best_is_marked_and_noise_stays_until_other_is_drawn(noising: Any) -> None:
    slide(noising, "#sigma", 0.6)
    scores = noising.eval_on_selector_all("#outputs .score", "all => all.map(each => parseFloat(each.textContent))")
    best = noising.evaluate("[...document.querySelectorAll('#outputs figure')].findIndex(f => f.matches('.best'))")
    assert scores[best] == max(score for score in scores[2:] if not math.isnan(score))
    first = shown(noising, panel(2))
    slide(noising, "#sigma", 0)
    assert noising.inner_text("#outputs figure:nth-child(2) .score") == "∞ dB"
    slide(noising, "#sigma", 0.6)
    np.testing.assert_array_equal(shown(noising, panel(2)), first)
    noising.click("#again")
    settle(noising)
    assert not np.array_equal(shown(noising, panel(2)), first)


def test_star_of_any_panel_fits_on_a_phone(noising: Any) -> None:
    noising.set_viewport_size({"width": 390, "height": 800})
    noising.eval_on_selector_all("#outputs figure", "all => all.forEach(each => each.classList.add('best'))")
    assert noising.evaluate("document.documentElement.scrollWidth") == 390


def test_total_variation_is_scikit_images(tab: Any) -> None:
    generator = np.random.default_rng(0)
    ramp = np.linspace(0, 1, 24 * 32 * 3).reshape(24, 32, 3)
    flat = np.full((16, 16, 1), 0.3)
    images = [generator.random((32, 32, 3)), ramp, np.clip(ramp + 0.2 * generator.normal(size=ramp.shape), 0, 1), flat]
    for image in images:
        for weight in (0.03, 0.1, 0.4, 1.2):
            single = image.astype(np.float32)  # as the report's own baseline has it
            asked = [single.ravel().tolist(), list(image.shape), weight]
            found = tab.evaluate("([values, shape, weight]) => [...totalVariation(values, shape, weight)]", asked)
            wanted = denoise_tv_chambolle(single, weight=weight, channel_axis=2)
            np.testing.assert_allclose(np.array(found).reshape(image.shape), wanted, atol=1e-3)
    assert tab.evaluate("[...totalVariation([0.1, 0.9], [1, 2, 1], 0)]") == pytest.approx([0.1, 0.9])


def test_noise_is_normal_and_seeded(tab: Any) -> None:
    drawn = np.array(tab.evaluate("[...normal(100000, 1)]"))
    assert abs(drawn.mean()) < 0.01
    assert drawn.std() == pytest.approx(1, abs=0.01)
    assert np.mean(np.abs(drawn) < 1) == pytest.approx(0.6827, abs=0.01)
    assert tab.evaluate("normal(9, 1).join() === normal(9, 1).join() && normal(9, 1).join() !== normal(9, 2).join()")


def test_model_without_room_is_loaded_on_demand(page: Any, made: Made) -> None:
    """As if the page's models were large."""
    data = (made.book / "explore/data/noise.js").read_text(encoding="utf-8")
    pieces = data.split('"atOnce":true')
    late = pieces[0] + '"atOnce":true' + '"atOnce":false'.join(pieces[1:])
    page.route("**/data/noise.js", lambda route: route.fulfill(body=late, content_type="text/javascript"))
    opened(page, made, "noise")
    buttons = page.locator("button.load")
    count = buttons.count()
    assert count == page.evaluate("explore.models.length - 1") > 2
    assert page.inner_text("#all").startswith("Load the others (")
    buttons.first.click()
    wait_until(page, "document.querySelectorAll('button.load').length === argument", count - 1)
    page.click("#all")
    wait_until(page, "!document.querySelector('button.load')")
    settle(page)
    assert page.is_hidden("#all")
