"""How long a drag takes on the pages where models run: from a slider's move to the last canvas that answers it.

Untrained models of profile quick's size, in a headless browser, once on its plain processor and once by WebGL, which
headless browsers compute on the processor, too.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from timing import tell
from untrained import playground

MOVES = 20
MOVE = """async ([act, done, moves]) => {
  const $ = selector => document.querySelector(selector), took = [];
  const move = i => new Function("$", "i", act)($, i), answered = i => new Function("$", "i", `return ${done}`)($, i);
  for (let i = 1; i <= moves; i++) {
    const began = performance.now();
    move(i);
    while (!answered(i)) await new Promise(next => setTimeout(next));
    took.push(performance.now() - began);
    await new Promise(next => setTimeout(next, 50));
  }
  return took;
}"""
SLIDE = "const slider = $('{}'); slider.value = {}; slider.dispatchEvent(new Event('input'))"
DRAGS = {  # what is done, and when it is answered
    "walk": (SLIDE.format("#share", "i / 25"), "$('.main canvas').step === i / 25"),
    "patches": ("$(`#grid button:nth-child(${i + 1})`).click()", "$('#output').count === i"),
    "noise": (SLIDE.format("#sigma", "i / 50"), "$('#outputs').dataset.sigma == i / 50"),
}


def measured(page: Any, name: str) -> dict[str, float]:
    act, done = DRAGS[name]
    if name == "patches":
        page.click("#none")
    page.wait_for_timeout(3000)  # for what shaders are still compiled
    took = page.evaluate(MOVE, [act, done, MOVES])
    return {"median": round(statistics.median(took)), "most": round(max(took))}


def main() -> None:
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        site = playground("quick", Path(folder))
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for backend in ("cpu", "webgl"):
            for name in DRAGS:
                page = browser.new_page(bypass_csp=True)  # what is done there is evaluated
                page.goto(f"{(site / name).as_uri()}.html?backend={backend}")
                page.wait_for_selector("#playground:not([hidden])", timeout=60_000)
                found[f"{name}, {backend}"] = measured(page, name)
                if name == "noise":
                    page.click("#all")
                    page.wait_for_function("!document.querySelector('button.load')", timeout=60_000)
                    found[f"noise with all models, {backend}"] = measured(page, name)
                page.close()
        browser.close()
    tell("playground", milliseconds=found)


if __name__ == "__main__":
    main()
