"""A page: one HTML file, one script of data, and whatever scripts it shares with others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from typing import Any

from autoencoders.jsonable import finite
from autoencoders.reporting import citation, templates
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder
from autoencoders.reporting.scripts import policy

ASSETS = resources.files("autoencoders.explore").joinpath("assets")
BASE = resources.files("autoencoders.reporting").joinpath("assets")
FOLDER = "explore"
SHARED = {"base.css": BASE, "theme.js": BASE, "shell.css": BASE, "shell.js": BASE}
SHARED |= {"explore.css": ASSETS, "explore.js": ASSETS}
Groups = Mapping[str, Sequence[Any]]  # of what has a url, a number and a title, by their heading
fill = partial(templates.fill, "autoencoders.explore")


@dataclass(frozen=True)
class Head:
    """What the other pages and the report's first one say of a page."""

    name: str  # of its file
    title: str
    promise: str  # what a reader can do there, as a sentence
    prompts: tuple[str, ...] = ()  # what to try; a script of the page says what is to be seen then

    number: str = ""  # none: in the navigation it stands beside chapters, which have one

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


def write(folder: Folder, book: Book, pages: Sequence[Page], groups: Groups | None = None) -> None:
    """Put the pages into the folder; ``groups`` are what else is in the navigation."""
    navigation = {**(groups or {}), "To explore": [page.head for page in pages]}
    for page in pages:
        for name, content in page.files.items():
            folder.put(f"{FOLDER}/{name}", content)
        folder.put(f"{FOLDER}/data/{page.head.name}.js", f"window.explore = {as_script(page.data)};\n")
        notice = book.variables.get("notice.header", "")
        told = policy(compiled=True)  # models run by WebAssembly
        filled = fill("page.html", page=page, groups=navigation, book=book, notice=notice, policy=told)
        folder.put(page.head.url, citation.with_metadata(filled, book))
    for name, place in SHARED.items():
        folder.put(f"{FOLDER}/{name}", place.joinpath(name).read_bytes())
    for name in dict.fromkeys(name for page in pages for name in page.scripts):
        folder.put(f"{FOLDER}/{name}", asset(name))


def asset(name: str) -> str:
    return ASSETS.joinpath(name).read_text(encoding="utf-8")


def as_script(data: Any) -> str:
    """JSON, which is JavaScript; a script may hold it, for nothing in it ends a script."""
    return json.dumps(finite(data), ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")
