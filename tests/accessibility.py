"""What a browser knows of a page's manners: axe-core's rules, and how far things jumped while it loaded."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

AXE = Path(__file__).parent / "vendor/axe-core/axe.min.js"
DIGEST = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
WATCH = """
window.shifted = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => {
  if (!entry.hadRecentInput) window.shifted += entry.value;
})).observe({ type: "layout-shift", buffered: true });
"""
TO_THE_END = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  for (let at = 0; at < document.documentElement.scrollHeight; at += 2 * innerHeight) {
    scrollTo({ top: at, behavior: "instant" });
    await frame();
  }
  document.querySelectorAll("img").forEach(image => image.loading = "eager");
  await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
  scrollTo({ top: 0, behavior: "instant" });
  await frame();
  await frame();
  return window.shifted;
}"""


@functools.cache
def _axe() -> str:
    source = AXE.read_bytes()
    assert hashlib.sha256(source).hexdigest() == DIGEST
    return source.decode()


def violations(page: Any, *rules: str) -> list[str]:
    """Each rule of axe-core that is broken, of these or of all, with the places."""
    page.evaluate(_axe())
    options = {"resultTypes": ["violations"], "preload": False} | ({"runOnly": [*rules]} if rules else {})
    found = page.evaluate("options => axe.run(options)", options)["violations"]
    return [
        f"{rule['id']}: {node['target']} {(node['any'] + node['all'] + node['none'])[0]['message']}"
        for rule in found
        for node in rule["nodes"]
    ]


def shift(page: Any) -> float:
    """How far things jumped while the page loaded and was read to its end; needs `WATCH` from the start."""
    return page.evaluate(TO_THE_END)
