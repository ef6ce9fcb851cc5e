"""Pages to explore in the chapters, as a reader meets them: near, small, and with three things to try.

Each test does what a prompt says, and works out by itself what the answer claims.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accessibility import WATCH, violations
from explore_page import lab_of, opened, settle, shown, slide, wait_until
from made_report import Made

from autoencoders.explore.scripts import LIMIT
from autoencoders.lab import Lab
from autoencoders.measurements.exhibits import Components, Rebuilt
from autoencoders.specs import Baseline

PLACES = {  # chapters, by the page that stands in them
    "sizes": "04-autoencoder",
    "noise": "05-denoising",
    "train": "05-denoising",
    "walk": "06-vae",
    "samples": "06-vae",
    "patches": "07-masked",
    "latents": "08-latent-findings",
}


def chapter(made: Made, name: str) -> str:
    return f"{(made.book / 'report' / PLACES[name]).as_uri()}.html"


@pytest.fixture
def page(page: Any) -> Iterator[Any]:
    yield page
    assert page.faults == []


def widget(page: Any, made: Made, name: str) -> Any:
    """The frame in the chapter, once it is ready: nothing of it is loaded while it is far, and then not too much."""
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.frame.url, request.url)))
    page.set_viewport_size({"width": 1280, "height": 300})
    page.goto(chapter(made, name))
    assert [url for _, url in asked if "/explore/" in url and "/widgets." not in url] == []
    page.set_viewport_size({"width": 1280, "height": 900})
    place = f".widget:is([href*='/{name}.html'], [src*='/{name}.html'])"
    look = "place => document.querySelector(place).scrollIntoView({ behavior: 'instant' })"
    page.evaluate(look, place)
    frame = page.wait_for_selector(f"iframe{place}").content_frame()
    page.evaluate(look, place)  # nothing is drawn in a frame that nobody sees
    frame.wait_for_selector(".prompts:not([hidden])")
    if name != "latents":  # which is drawn at once
        settle(frame)
    own = {url.partition("?")[0] for by, url in asked if by == frame.url and url.startswith("file:")}
    assert len(own) > 5
    assert sum(Path(url.removeprefix("file://")).stat().st_size for url in own) < LIMIT
    return frame


def answer(frame: Any, number: int) -> str:
    """What a fold says when it is opened, or opened again."""
    fold = frame.locator(f".prompts li:nth-child({number}) details")
    if fold.get_attribute("open") is not None:
        fold.locator("summary").click()
    frame.evaluate("said => { document.querySelector(said).textContent = ''; }", f".prompts li:nth-child({number}) p")
    fold.locator("summary").click()
    wait_until(frame, "document.querySelector(argument).textContent", f".prompts li:nth-child({number}) p")
    return fold.locator("p").inner_text().replace("\u00a0", " ")


def numbers(text: str) -> list[float]:
    return [float(each.replace("−", "-")) for each in re.findall(r"−?\d+(?:\.\d+)?", text)]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(a - b).mean()))


# ── In the chapter ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_widget_follows_the_chapters_theme_and_keeps_its_height(browser: Any, made: Made) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    context.add_init_script(WATCH)
    page = context.new_page()
    frame = widget(page, made, "sizes")
    assert frame.get_attribute("html", "data-theme") == "light"
    assert frame.is_hidden("#sidebar")
    assert page.evaluate("shifted") < 0.01
    height = page.evaluate("document.querySelector('iframe.widget').offsetHeight")
    assert frame.evaluate("document.body.scrollHeight <= innerHeight"), "nothing scrolls inside"
    page.click("button.theme")
    wait_until(frame, "document.documentElement.dataset.theme === 'dark'")
    for fold in frame.locator("summary").all():
        fold.click()
    wait_until(page, "document.querySelector('iframe.widget').offsetHeight > argument", height)
    wait_until(frame, "document.body.scrollHeight <= innerHeight")  # it grows with what was opened
    page.goto(frame.url)
    page.wait_for_selector(".prompts:not([hidden])")
    assert violations(page) == []
    context.close()


# ── What each prompt says is to be seen ──────────────────────────────────────────────────────────────────────────────


def panels(frame: Any) -> dict[str, np.ndarray]:
    """What each canvas of the page on noise shows."""
    titles = frame.locator("#outputs figure:not(:has(.load)) figcaption b").all_inner_texts()
    places = frame.evaluate(
        "[...document.querySelectorAll('#outputs figure:not(:has(.load)) canvas')].map(canvas => [...canvas.shown])"
    )
    return dict(zip(titles, map(np.array, places), strict=True))


def edges(values: np.ndarray, clean: np.ndarray, shape: list[int]) -> float:
    slopes = [
        np.concatenate([np.diff(each.reshape(shape), axis=axis).ravel() for axis in (0, 1)]) for each in (values, clean)
    ]
    return float((slopes[0] * slopes[1]).sum() / np.sqrt(np.square(slopes[0]).sum() * np.square(slopes[1]).sum()))


def test_noise_prompts_are_answered_by_what_is_seen(page: Any, made: Made) -> None:
    frame = widget(page, made, "noise")
    shape = frame.evaluate("explore.shape")
    slide(frame, "#sigma", 0.5)
    seen = panels(frame)
    clean = seen.pop("Test image")
    noisy = seen.pop("With noise")
    kept = {title: edges(values, clean, shape) for title, values in seen.items()}
    said, best = answer(frame, 1), max(kept, key=kept.__getitem__)
    assert f"At σ = 0.5, {best} keeps most of the edges" in said
    assert numbers(said.split("(1: all the same)")[0])[-1] == pytest.approx(kept[best], abs=0.006)
    assert numbers(said)[-1] == pytest.approx(edges(noisy, clean, shape), abs=0.006)

    slide(frame, "#sigma", 0)
    lost = {title: psnr(values, clean) for title, values in panels(frame).items() if title in kept}
    said = answer(frame, 2)
    finite = dict(lost.items())
    assert f"{max(finite, key=finite.__getitem__)} comes closest" in said
    assert f"{min(finite, key=finite.__getitem__)} is furthest" in said
    assert f"{min(finite.values()):.1f} dB" in said

    said = answer(frame, 3)
    for level in (0.05, 0.3, 0.5):
        slide(frame, "#sigma", level)
        best = frame.locator("#outputs .best figcaption b").first.inner_text()
        assert f"{level:g}: {best}" in said


def grids(frame: Any) -> dict[str, np.ndarray]:
    shape = frame.evaluate("explore.shape")
    return {name: shown(frame, f"#{name}").reshape(shape) for name in ("output", "vit", "clean")}


def hide(frame: Any, side: int) -> tuple[slice, slice]:
    """Hide a block of patches in the middle, alone; return where it is, in pixels."""
    frame.click("#none")
    patch, (height, width, _) = frame.evaluate("[explore.patch, explore.shape]")
    rows, columns = height // patch, width // patch
    top, left = (rows - side) // 2, (columns - side) // 2
    for row in range(top, top + side):
        for column in range(left, left + side):
            frame.locator("#grid button").nth(row * columns + column).click()
    settle(frame)
    wait_until(frame, "document.getElementById('output').count === argument", side * side)
    return slice(top * patch, (top + side) * patch), slice(left * patch, (left + side) * patch)


def test_patches_prompts_are_answered_by_what_is_seen(page: Any, made: Made) -> None:
    frame = widget(page, made, "patches")
    frame.click("#none")
    settle(frame)
    before = grids(frame)
    inner = hide(frame, 1)
    after = grids(frame)
    said = answer(frame, 1)
    for name, title in (("output", "the MCAE"), ("vit", "the ViT")):
        change = np.square(after[name] - before[name])
        share = round(100 * change[inner].sum() / change.sum())
        assert re.search(rf"{title} changes, {share} % is in the patch itself", said), (share, said)

    found = []
    for share in (0.25, 0.75):
        slide(frame, "#ratio", share)
        found.append([frame.inner_text(f"#{name}Hidden") for name in ("psnr", "vitPsnr")])
    said = answer(frame, 2)
    for title, few, many in zip(("the MCAE", "the ViT"), *found, strict=True):
        assert f"{title} comes to {few} where 25 % are hidden and to {many} where 75 % are" in said

    hole, patch = hide(frame, 4), frame.evaluate("explore.patch")
    heart = tuple(slice(each.start + patch, each.stop - patch) for each in hole)
    made_of, outside = grids(frame), np.ones(frame.evaluate("explore.shape")[:2], bool)
    outside[hole] = False
    clean = made_of["clean"]
    guesses = {
        "the MCAE": made_of["output"],
        "the ViT": made_of["vit"],
        "one colour": np.broadcast_to(clean[outside].mean(0), clean.shape),
    }
    errors = {title: np.square(values - clean)[heart].mean() for title, values in guesses.items()}
    said = answer(frame, 3)
    order = sorted(errors, key=errors.__getitem__)
    assert sorted(order, key=said.index) == order
    assert numbers(said)[-1] == pytest.approx(max(errors.values()), abs=1e-4)


def test_walk_prompts_are_answered_by_what_is_seen(page: Any, made: Made) -> None:
    frame = widget(page, made, "walk")
    assert frame.is_hidden("#presets"), "the arithmetic is on the whole page"
    frames = [shown(frame, f"#strip button:nth-child({step}) canvas") for step in range(1, 10)]
    slide(frame, "#share", 0.5)
    line = shown(frame, ".main canvas")
    mean = (frames[0] + frames[-1]) / 2
    share = np.sqrt(np.square(line - mean).mean() / np.square(frames[0] - frames[-1]).mean())
    assert f"by {100 * share:.0f} % of what the ends differ" in answer(frame, 1)

    strides = [np.sqrt(np.square(b - a).mean()) for a, b in itertools.pairwise(frames)]
    assert numbers(answer(frame, 3))[0] == pytest.approx(max(strides) / np.mean(strides), abs=0.006)

    frame.check("[value=spherical]")
    settle(frame)
    slide(frame, "#share", 0.5)
    arc = shown(frame, ".main canvas")
    said = answer(frame, 2)
    assert f"{line.std():.3f} on the line and by {arc.std():.3f} on the arc" in said
    more = (
        "Neither"
        if abs(line.std() - arc.std()) < 5e-4
        else "The arc"
        if arc.std() > line.std()
        else "The straight line"
    )
    assert said.startswith(more)


def test_latents_prompts_are_answered_by_what_is_seen(page: Any, made: Made, lab: Lab) -> None:
    frame = widget(page, made, "latents")
    frame.select_option("#space", label="VAE")
    frame.check("#trails")
    data = frame.evaluate("explore.spaces.at(-1).views.pca2")
    moves = np.subtract(data["noisy"], data["clean"]).reshape(-1, 2)
    share = np.linalg.norm(moves.mean(0)) / np.linalg.norm(moves, axis=1).mean()
    said = answer(frame, 1)
    assert "picture of VAE" in said
    assert numbers(said)[0] == pytest.approx(100 * share, abs=0.6)

    table = frame.evaluate("explore.measures.map(each => [each.name, each['shift of an image']])")
    least = min(table, key=lambda each: each[1])
    said = answer(frame, 2)
    assert said.startswith(f"In {least[0]}. ")
    assert all(f"{name} {value:.3f}" in said for name, value in table)

    frame.check("[value=tsne]")
    labels = np.array(frame.evaluate("explore.labels"))
    chance = np.square(np.bincount(labels) / len(labels)).sum()
    purity = frame.evaluate("explore.measures.at(-1)['purity, clean']")
    said = answer(frame, 3)
    assert f"In VAE, {100 * purity:.0f} %" in said
    assert f"{100 * chance:.0f} % would be by chance" in said


def learn(frame: Any, steps: int) -> None:
    frame.click("#run")
    wait_until(frame, "Number(document.getElementById('steps').textContent) >= argument", steps)
    frame.click("#run")


@pytest.fixture
def lab(made: Made) -> Lab:
    return lab_of(made)


def test_denoiser_learns_in_the_page(page: Any, made: Made) -> None:
    """By steps: how long they take is the machine's affair. A core of 2020 takes some 20 of them a second."""
    frame = widget(page, made, "train")
    assert answer(frame, 1) == "Press Start first."
    learn(frame, 200)
    [gain] = numbers(frame.inner_text("#gain"))
    assert gain >= 3
    said = answer(frame, 1)
    first = int(numbers(said)[0])
    assert first % 20 == 0
    assert 0 < first <= 200
    assert f"the noisy images have {frame.inner_text('#before')}" in said
    assert "Only one bottleneck was tried so far (16:" in answer(frame, 2)
    frame.select_option("#bottleneck", "2")
    assert frame.inner_text("#steps") == "0", "it starts anew"
    learn(frame, 40)
    said = answer(frame, 2)
    qualities = dict(re.findall(r"(\d+): ([\d.]+) dB", said))
    assert qualities.keys() == {"2", "16"}
    assert float(qualities["2"]) < float(qualities["16"])
    frame.select_option("#rate", "0.1")
    frame.click("#restart")
    learn(frame, 20)
    assert re.search(r"0\.003: [\d.]+ dB; 0\.1: ", answer(frame, 3))


def rows(frame: Any) -> list[np.ndarray]:
    found = frame.evaluate(
        "[...document.querySelectorAll('.samples')]"
        ".map(row => [...row.querySelectorAll('canvas')].map(canvas => [...canvas.shown]))"
    )
    return [np.array(each) for each in found]


def test_samples_prompts_are_answered_by_what_is_seen(page: Any, made: Made) -> None:
    frame = widget(page, made, "samples")
    titles = frame.evaluate("explore.rows.map(row => row.title)")

    def at(temperature: float) -> list[np.ndarray]:
        slide(frame, "#temperature", temperature)
        wait_until(frame, "document.getElementById('rows').dataset.temperature == argument", f"{temperature:g}")
        return rows(frame)

    cold, said = at(0), answer(frame, 1)
    assert len({tuple(np.round(each, 2)) for each in cold[0]}) == 1
    assert "VAE, its prior: one image, six times." in said
    one, two = at(1), at(2)
    said = answer(frame, 3)
    for title, few, many in zip(titles, one, two, strict=True):
        shares = [100 * ((each <= 0.01) | (each >= 0.99)).mean() for each in (many, few)]
        told = numbers(said.split(f" {title}: ")[1])[:2]
        assert told == pytest.approx(shares, abs=0.06)
    distances = frame.evaluate("explore.rows.map(row => [row.distance, row.title]).sort((a, b) => a[0] - b[0])")
    said = answer(frame, 2)
    assert [said.index(title) for _, title in distances] == sorted(said.index(title) for _, title in distances)


def test_samples_of_a_decoder_without_room_wait_to_be_asked(page: Any, made: Made) -> None:
    """As if the AE's were large."""
    first, second, *rest = (made.book / "explore/data/samples.js").read_text(encoding="utf-8").split('"atOnce":true')
    late = "".join([first, '"atOnce":true', second, '"atOnce":false', *rest])
    page.route("**/data/samples.js", lambda route: route.fulfill(body=late, content_type="text/javascript"))
    opened(page, made, "samples")
    titles = page.evaluate("explore.rows.map(row => row.title)")
    waits = page.evaluate("[...document.querySelectorAll('.samples')].map(row => !!row.querySelector('.load'))")
    assert waits == [title.startswith("AE") for title in titles] == [False, False, True]
    assert all(title in answer(page, 2) for title in titles), "distances are known of every row"
    page.click("button.load")
    wait_until(page, "!document.querySelector('button.load')")
    settle(page)
    assert len({each.tobytes() for row in rows(page) for each in row}) == sum(len(row) for row in rows(page))


def test_sizes_prompts_are_answered_by_what_is_seen(page: Any, made: Made, lab: Lab) -> None:
    frame = widget(page, made, "sizes")
    catalogue: Any = lab.catalogues[0]
    found = lab.measure(Baseline(method="pca", size=catalogue.size), Components()).arrays
    basis, mean = found["components"].astype(float), found["mean"].astype(float)
    images = frame.evaluate("gallery(explore.gallery).map(image => [...image.values])")
    height, width, channels = frame.evaluate("explore.shape")
    pixels = np.array(images).reshape(-1, height, width, channels).transpose(0, 3, 1, 2).reshape(len(images), -1)
    along = (pixels - mean.ravel()) @ basis.T

    def quality(size: int) -> float:
        made_of = (mean.ravel() + along[:, :size] @ basis[:size]).clip(0, 1)
        return float(np.mean([psnr(a, b) for a, b in zip(made_of, pixels, strict=True)]))

    slide(frame, "#size", np.log(16) / np.log(len(basis)))
    assert frame.inner_text("#numbers") == "16"
    assert f"{quality(16):.1f} dB" in answer(frame, 1)
    ae = lab.measure(catalogue.ae(), Rebuilt()).arrays["images"].reshape(len(images), -1) / 255
    apart = float(np.mean([psnr(a, b) for a, b in zip(ae, pixels, strict=True)])) - quality(catalogue.size)
    said = answer(frame, 2)
    assert numbers(said)[-1] == pytest.approx(abs(apart), abs=0.1)  # the page's components have eight bits
    assert ("better" if apart > 0 else "worse") in said
    one, two = (
        next((n for n in range(64, len(basis) + 1) if quality(n) >= quality(64) + more), None) for more in (1, 2)
    )
    assert one
    told = [64, one - 64, two - one if two else len(basis)]
    assert numbers(answer(frame, 3)) == pytest.approx(told, abs=1.1)  # in eight bits, quality differs a little
