"""What it costs to play with the pages to explore: of `_book`, or of the site in a given folder.

Chromium has one core and renders by software. A page's own load, and what a chapter loads of it, in MB; how long a
drag's redraw occupies that core, from a slider's move to the last canvas that answers it: milliseconds of the
processor's time, so that other work beside it doesn't count; how far things jump meanwhile; and what the denoiser that
learns in the page gains in a minute. Exits with 1 if a limit is missed.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from timing import PROJECT, tell

MOVES = 20
MOVE = """async ([act, done, moves]) => {
  const $ = selector => document.querySelector(selector);
  const move = i => new Function("$", "i", act)($, i), answered = i => new Function("$", "i", `return ${done}`)($, i);
  for (let i = 1; i <= moves; i++) {
    move(i);
    while (!answered(i)) await new Promise(next => requestAnimationFrame(next));
    await new Promise(next => setTimeout(next, 50));
  }
}"""
SLIDE = "const slider = $('{}'); slider.value = {}; slider.dispatchEvent(new Event('input'))"
NOISE = (SLIDE.format("#sigma", "i / 50"), "$('#outputs').dataset.sigma == i / 50")
TURN = """$("[data-turn]").click();
requestAnimationFrame(() => { // a page draws in the same frame; whoever asks for a pixel waits until all are there
  document.querySelectorAll(".clouds canvas").forEach(each => each.getContext("2d").getImageData(0, 0, 1, 1));
  $(".clouds").turned = i;
});"""
DRAGS = {  # what is done, and when it is answered
    "noise": NOISE,
    "digits": NOISE,
    "compact": NOISE,
    "train": (SLIDE.format("#sigma", ".05 + i / 50"), "$('#steps').textContent === '0'"),
    "patches": ("$(`#grid button:nth-child(${i + 1})`).click()", "$('#output').count === i"),
    "walk": (SLIDE.format("#share", "i / 25"), "$('.main canvas').step === i / 25"),
    "samples": (SLIDE.format("#temperature", "i / 20"), "$('#rows').dataset.temperature == i / 20"),
    "sizes": (SLIDE.format("#size", ".3 + i / 30"), "$('#outputs').dataset.size === $('#numbers').value"),
    "latents": (TURN, "$('.clouds').turned === i"),
}
FIRST = {"patches": "#none", "latents": "[name=dims][value='3']"}  # what is clicked before
WATCH = """
window.jumps = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => {
  if (!entry.hadRecentInput) window.jumps += entry.value;
})).observe({ type: "layout-shift", buffered: true });
"""
READY = ".prompts:not([hidden])"
LESSON = 60_000  # milliseconds
LIMITS: dict[str, Callable[[Any], bool]] = {
    "page, MB": lambda size: size < 3,
    "in a chapter, MB": lambda size: size < 3,
    "before it is near": lambda files: files == 0,
    "drag, ms": lambda took: took <= 50,
    "shift": lambda jumps: jumps == 0,
    "gain, dB": lambda gain: gain >= 3,
}


class Visit:
    """A tab, and the files that it asked for, by frame."""

    def __init__(self, browser: Any) -> None:
        self.page = browser.new_page(viewport={"width": 1280, "height": 300}, bypass_csp=True)  # `MOVE` evaluates text
        self.page.add_init_script(WATCH)
        self.asked: list[tuple[str, str]] = []
        self.page.on("request", lambda request: self.asked.append((request.frame.url, request.url)))

    def megabytes(self, frame: Any) -> float:
        urls = {url.partition("?")[0] for by, url in self.asked if by == frame.url and url.startswith("file:")}
        return sum(Path(unquote(url.removeprefix("file://"))).stat().st_size for url in urls) / 1e6


def alone(browser: Any, path: Path) -> dict[str, Any]:
    """The whole page."""
    visit, name = Visit(browser), path.stem
    page = visit.page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(path.as_uri())
    page.wait_for_selector(READY, timeout=60_000)
    if name in FIRST:
        page.click(FIRST[name])
    page.wait_for_timeout(3000)  # for what shaders are still compiled
    found: dict[str, Any] = {"page, MB": visit.megabytes(page)}
    found["drag, ms"] = dragged(browser, page, name)
    found["shift"] = page.evaluate("jumps")
    if name == "train":
        page.evaluate("$ => document.querySelector('#restart').click()")
        page.click("#run")
        page.wait_for_timeout(LESSON)
        found["gain, dB"] = float(page.inner_text("#gain").split()[0].replace("−", "-"))
    page.close()
    return found


def dragged(browser: Any, page: Any, name: str) -> float:
    """Milliseconds that all of the browser computed for a move."""
    session = browser.new_browser_cdp_session()

    def computed() -> float:
        return sum(each["cpuTime"] for each in session.send("SystemInfo.getProcessInfo")["processInfo"])

    before = computed()
    page.evaluate(MOVE, [*DRAGS[name], MOVES])
    took = (computed() - before) / MOVES * 1000
    session.detach()
    return round(took, 1)


def in_chapter(browser: Any, chapter: Path, name: str) -> dict[str, Any]:
    """The same page where a chapter shows it."""
    visit, place = Visit(browser), f".widget:is([href*='/{name}.html'], [src*='/{name}.html'])"
    page = visit.page
    page.goto(chapter.as_uri())
    page.wait_for_timeout(500)
    early = sum("/explore/" in url and "/widgets." not in url for _, url in visit.asked)
    page.set_viewport_size({"width": 1280, "height": 900})
    look = "place => document.querySelector(place).scrollIntoView({ behavior: 'instant' })"
    page.evaluate(look, place)
    frame = page.wait_for_selector(f"iframe{place}").content_frame()
    page.evaluate(look, place)
    frame.wait_for_selector(READY, timeout=60_000)
    page.wait_for_timeout(1000)
    found = {"in a chapter, MB": visit.megabytes(frame), "before it is near": early}
    found["shift"] = page.evaluate("jumps") + frame.evaluate("jumps")
    page.close()
    return found


def measured(browser: Any, site: Path) -> dict[str, dict[str, Any]]:
    chapters = {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}
    found = {}
    for name in DRAGS:
        if not (path := site / f"explore/{name}.html").exists():
            continue
        found[name] = alone(browser, path)
        for chapter, text in chapters.items():
            if f'explore/{name}.html" class="widget' in text:
                jumps = found[name]["shift"]
                found[name] |= in_chapter(browser, chapter, name)
                found[name]["shift"] += jumps
    return found


def printed(found: dict[str, dict[str, Any]]) -> list[str]:
    """Print a row a page; return what missed its limit."""
    missed = []
    print("| page | " + " | ".join(LIMITS) + " |\n|" + "---|" * (len(LIMITS) + 1))
    for name, values in found.items():
        cells = []
        for column in LIMITS:
            value = values.get(column)
            cell = f"{value:.3g}" if isinstance(value, float) else "" if value is None else str(value)
            if value is not None and not LIMITS[column](value):
                missed.append(f"{name}: {column}: {cell}")
                cell = f"**{cell}**"
            cells.append(cell)
        print(f"| {name} | {' | '.join(cells)} |")
    return missed


def main() -> int:
    site = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else PROJECT / "_book"
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program or not (site / "explore").exists():
        print("no Chromium here: nothing measured" if site.exists() else "no site to look at: `make report` makes one")
        return 0
    from playwright.sync_api import sync_playwright

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # for what is started from here, too
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        found = measured(browser, site)
        browser.close()
    tell("playground", pages=found)
    missed = printed(found)
    print(*missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
