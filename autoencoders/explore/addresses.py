"""Where on the rendered site each figure, table and notebook is, whichever renderer put it there, and what each figure
and table was made of."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autoencoders.reporting.checks import PREVIEW
from autoencoders.reporting.folder import Folder
from autoencoders.tables import SOURCES

LABEL = re.compile(r'\sid="((?:fig|tbl)-[\w-]+?)(?:-caption-[\da-f-]{36})?"')  # Quarto labels captions, too
CAPTION = re.compile(r"<figcaption[^>]*>(.*?)</figcaption>", re.DOTALL)
OWN_LINK = re.compile(r'<a\b[^>]*class="source".*?</a>', re.DOTALL)  # what a caption holds beside its text
TAG = re.compile(r"<[^>]+>")
FROM_HERE = "../"  # these pages lie in a folder of their own


@dataclass(frozen=True)
class Addresses:
    """By label, as links from one of these pages."""

    chapters: dict[str, str]  # where the report shows it
    notebooks: dict[str, str]  # the cell that made it
    captions: dict[str, str] = field(default_factory=dict)  # with the number that the report gave it
    pages: dict[str, str] = field(default_factory=dict)  # of the notebooks, by their names
    sources: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # keys by notebook and label

    @classmethod
    def of(cls, site: Folder) -> Addresses:
        """On pages that stay; whatever an earlier report left in the folder is about to go."""
        found = cls({}, {})
        files = sorted(site.files, key=lambda path: path.with_suffix(""))  # a preview after its page
        for path in (path for path in files if path.suffix == ".html"):
            inside = path.relative_to(site.path)
            if inside.parts[0] == "explore":
                continue
            address, text = f"{FROM_HERE}{inside.as_posix()}", path.read_text(encoding="utf-8")
            if "notebooks" in inside.parts:
                found.pages.setdefault(inside.stem.removesuffix(PREVIEW), address)
                found._note(found.notebooks, address, text)
            else:
                found._note(found.chapters, address, text)
                for label, caption in _captions(text):
                    found.captions.setdefault(label, caption)
        for path in (path for path in files if path.suffix == ".ipynb"):
            if path.stem in found.pages and (sources := _sources(path)) is not None:
                found.sources[path.stem] = sources
        return found

    def _note(self, holders: dict[str, str], address: str, text: str) -> None:
        for label in LABEL.findall(text):
            holders.setdefault(label, f"{address}#{label}")

    def cells(self) -> dict[str, str | None]:
        """Where each figure and table that a notebook made is: its cell, or else where the report shows it."""
        labels = {label for cells in self.sources.values() for label in cells}
        return {label: self.notebooks.get(label) or self.chapters.get(label) for label in labels}

    def cells_by_key(self) -> dict[str, list[str]]:
        """The labels of what each artifact was asked for."""
        found: dict[str, list[str]] = {}
        for cells in self.sources.values():
            for label, keys in cells.items():
                for key in keys:
                    found.setdefault(key, []).append(label)
        return found


def _captions(text: str) -> Iterator[tuple[str, str]]:
    """The first caption after a label, unless another label comes before it."""
    starts = list(LABEL.finditer(text))
    for start in starts:
        others = (s.start() for s in starts if s.start() > start.end() and s[1] != start[1])
        if found := CAPTION.search(text, start.end(), next(others, len(text))):
            yield start[1], " ".join(html.unescape(TAG.sub("", OWN_LINK.sub("", found[1]))).split())


def _sources(path: Path) -> dict[str, list[str]] | None:
    """The keys in an executed notebook's table of sources, by label; None if it has no such table."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError):
        return None
    outputs = (output for cell in cells for output in cell.get("outputs", ()))
    sources = [output.get("metadata", {}).get("text/markdown", {}).get(SOURCES) for output in outputs]
    return next((dict(each) for each in sources if each is not None), None)
