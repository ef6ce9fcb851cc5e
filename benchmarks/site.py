"""How soon the site's pages show something, from a disk, and how far things jump meanwhile: of `_book`, in Chromium."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path
from typing import Any

from timing import PROJECT, tell

ROUNDS = 3
WATCH = """
window.jumps = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => window.jumps += entry.value))
  .observe({ type: "layout-shift", buffered: true });
"""
PAINTED = """() => new Promise(done => new PerformanceObserver(list => {
  const first = list.getEntriesByName("first-contentful-paint")[0];
  if (first) done(first.startTime);
}).observe({ type: "paint", buffered: true }))"""


def visit(browser: Any, path: Path) -> tuple[float, float]:
    """Milliseconds to the first text or image, and the layout's shift; nothing is remembered from other visits."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(path.as_uri(), wait_until="load")
    found = page.evaluate(PAINTED), page.evaluate("jumps")
    context.close()
    return found


def main() -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    pages = sorted((PROJECT / "_book").rglob("*.html"))
    if not program or not pages:
        print("no Chromium here: nothing measured" if pages else "no site to look at: `make report` makes one")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        visit(browser, pages[0])  # the first one pays for the browser's own start
        found = {path: [visit(browser, path) for _ in range(ROUNDS)] for path in pages}
        browser.close()
    paints = {path: statistics.median(ms for ms, _ in visits) for path, visits in found.items()}
    slowest = max(paints, key=paints.__getitem__)
    tell(
        "site",
        pages=len(pages),
        first_contentful_paint_ms={
            "median": round(statistics.median(paints.values())),
            "slowest": round(paints[slowest]),
        },
        slowest=slowest.relative_to(PROJECT / "_book").as_posix(),
        largest_layout_shift=round(max(shift for visits in found.values() for _, shift in visits), 4),
    )


if __name__ == "__main__":
    main()
