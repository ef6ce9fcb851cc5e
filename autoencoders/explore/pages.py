"""One HTML file, one script of data and whatever scripts a page shares with others."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from string import Template
from typing import Any

from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder

ASSETS = resources.files("autoencoders.explore").joinpath("assets")
PALETTE = resources.files("autoencoders.reporting").joinpath("assets/palette.css")
FOLDER = "explore"


@dataclass(frozen=True)
class Head:
    """What the other pages and the report's first one say of a page."""

    name: str  # of its file
    title: str
    promise: str  # what a reader can do there, as a sentence

    @property
    def url(self) -> str:
        return f"{FOLDER}/{self.name}.html"


@dataclass(frozen=True)
class Page:
    head: Head
    body: str  # HTML
    data: Mapping[str, Any]  # what its scripts find in `explore`; NaN becomes null
    scripts: Sequence[str]  # among the assets, in the order in which they run
    files: Mapping[str, bytes | str] = field(default_factory=dict)  # whatever else it loads, by name


def write(folder: Folder, book: Book, pages: Sequence[Page]) -> None:
    for page in pages:
        for name, content in page.files.items():
            folder.put(f"{FOLDER}/{name}", content)
        folder.put(f"{FOLDER}/data/{page.head.name}.js", f"window.explore = {as_script(page.data)};\n")
        folder.put(page.head.url, _html(book, page, pages))
    shared = ("explore.css", "explore.js", *dict.fromkeys(name for page in pages for name in page.scripts))
    for name in shared:
        folder.put(f"{FOLDER}/{name}", ASSETS.joinpath(name).read_text(encoding="utf-8"))
    folder.put(f"{FOLDER}/palette.css", PALETTE.read_text(encoding="utf-8"))


def as_script(data: Any) -> str:
    """JSON, which is JavaScript; a script may hold it, for nothing in it ends a script."""
    return json.dumps(_finite(data), ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _html(book: Book, page: Page, pages: Sequence[Page]) -> str:
    def link(each: Page) -> str:
        here = ' aria-current="page"' if each is page else ""
        return f'<li><a href="{each.head.name}.html"{here}>{html.escape(each.head.title)}</a></li>'

    notice = book.variables.get("notice.header", "")
    return Template(ASSETS.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        name=page.head.name,
        title=html.escape(page.head.title),
        promise=html.escape(page.head.promise),
        report=html.escape(book.title),
        navigation="".join(map(link, pages)),
        notice=f'<p class="notice" role="note">{html.escape(notice)}</p>' if notice else "",
        body=page.body,
        scripts="\n".join(f'<script src="{name}" defer></script>' for name in page.scripts),
    )
