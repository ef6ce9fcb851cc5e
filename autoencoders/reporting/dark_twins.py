"""Figures on dark pages: beside each drawing stands its twin, and the page's style shows the one or the other."""

from __future__ import annotations

import re
from pathlib import Path

from autoencoders.colours import on_dark
from autoencoders.reporting.folder import write_if_changed

LIGHT, DARK = "light-content", "dark-content"  # as Quarto calls what only one of its themes shows
_FIGURE = re.compile(
    r'(?:<a href="[^"]+" class="lightbox" data-gallery="(?P<gallery>[^"]+)"(?P<title>[^>]*)>)?'
    r'<img src="(?P<image>[^":]+\.svg)" class="(?P<classes>[^"]*\bfigure-img\b[^"]*)"(?P<rest>[^>]*)>(?(gallery)</a>)'
)


def address(image: str) -> str:
    """Where the twin of a figure lies."""
    return f"{image.removesuffix('.svg')}-dark.svg"


def add(page: Path, html: str) -> str:
    """Put the twin of each figure of a page by Quarto beside it; one that has it stays as it is."""

    def paired(found: re.Match[str]) -> str:
        image, classes = found["image"], found["classes"]
        drawing = page.parent / image
        if LIGHT in classes or DARK in classes or not drawing.is_file():
            return found[0]
        write_if_changed(page.parent / address(image), on_dark(drawing.read_text(encoding="utf-8")))
        return _shown(found, image, LIGHT) + _shown(found, address(image), DARK)

    return _FIGURE.sub(paired, html)


def _shown(figure: re.Match[str], image: str, theme: str) -> str:
    """One of the two, with a link that shows it large where the figure has one; a gallery holds one image."""
    shown = f'<img src="{image}" class="{figure["classes"]} {theme}"{figure["rest"]}>'
    if not (gallery := figure["gallery"]):
        return shown
    return f'<a href="{image}" class="lightbox {theme}" data-gallery="{gallery}-{theme}"{figure["title"]}>{shown}</a>'
