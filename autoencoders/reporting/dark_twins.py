"""Figures on dark pages: beside each drawing stands its twin, and the page's style shows the one or the other."""

from __future__ import annotations

import re
from pathlib import Path

from autoencoders.colours import on_dark
from autoencoders.reporting.folder import write_if_changed

LIGHT, DARK = "light-content", "dark-content"  # as Quarto calls what only one of its themes shows
_FIGURE = re.compile(r'<img src="([^":]+\.svg)" class="([^"]*\bfigure-img\b[^"]*)"([^>]*)>')


def address(image: str) -> str:
    """Where the twin of a figure lies."""
    return f"{image.removesuffix('.svg')}-dark.svg"


def add(page: Path, html: str) -> str:
    """Put the twin of each figure of a page by Quarto beside it; one that has it stays as it is."""

    def paired(found: re.Match[str]) -> str:
        image, classes, rest = found.groups()
        drawing = page.parent / image
        if LIGHT in classes or DARK in classes or not drawing.is_file():
            return found[0]
        write_if_changed(page.parent / address(image), on_dark(drawing.read_text(encoding="utf-8")))
        pair = {LIGHT: image, DARK: address(image)}
        return "".join(f'<img src="{src}" class="{classes} {name}"{rest}>' for name, src in pair.items())

    return _FIGURE.sub(paired, html)
