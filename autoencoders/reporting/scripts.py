"""Which scripts may run on the site: its own files and what figures of this project hold; nothing else of notebooks."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from autoencoders.errors import ReportError
from autoencoders.reporting.notebook_files import Cell, NotebookFile, text
from autoencoders.turning import SCRIPT

SHOWN = ("text/html", "text/markdown", "image/svg+xml")  # what pages take over as it is
RUNS = re.compile(r"javascript|ecmascript|widget")  # types of outputs that are scripts
ACTIVE = {"script", "iframe", "frame", "object", "embed", "applet", "base", "meta", "link", "form", "portal"}
ADDRESS = re.compile(r"^[\s\0-\x1f]*(javascript|vbscript|data:\s*(text/html|image/svg|application))", re.IGNORECASE)
INLINE = re.compile(r"<script\b(?![^>]*\bsrc\s*=)(?![^>]*\bapplication/(?:ld\+)?json\b)[^>]*>(.*?)</script\s*>", re.S)
HEAD = r"<head\b[^>]*>"
HANDLER = re.compile(r"""<[a-zA-Z][^>]*?\son\w+\s*=\s*("[^"]*"|'[^']*')""")


# ── What notebooks show ──────────────────────────────────────────────────────────────────────────────────────────────


def check(notebook: NotebookFile) -> None:
    """Refuse a notebook that would bring a script to the site which no figure of this project has."""
    for number, cell in enumerate(notebook.cells, start=1):
        for found in _active_in(cell):
            where = f"cell {cell.label or number}"
            raise ReportError(f"{notebook.path.name}, {where}: its output holds {found}, which would run on the site")


def _active_in(cell: Cell) -> Iterator[str]:
    if cell.kind != "code":
        yield from active(cell.source)
    for output in cell.outputs:
        data = output.get("data", {})
        yield from (mime for mime in data if RUNS.search(mime))
        for mime in SHOWN:
            if mime in data:
                yield from active(text(data[mime]))


def active(markup: str) -> list[str]:
    """What would run in this HTML, SVG or Markdown, apart from the script of our own figures."""
    finder = _Finder()
    finder.feed(markup.replace(f"<script>{SCRIPT}</script>", ""))
    finder.close()
    return finder.found


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        tag = tag.rpartition(":")[2]
        if tag in ACTIVE and (tag, attrs) != ("script", [("type", "application/json")]):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name == "srcdoc" or ADDRESS.match(value or ""):
                self.found.append(f"{name}={json.dumps(value)[:60]}")


# ── What browsers are told ───────────────────────────────────────────────────────────────────────────────────────────


def policy(inline: Iterable[str] = (), handlers: Iterable[str] = (), *, compiled: bool = False) -> str:
    """A Content-Security-Policy that lets scripts of the site's own files run, and these; WebAssembly if asked for."""
    hashes = [_hash(each) for each in sorted({*inline})]
    in_attributes = [_hash(each) for each in sorted({*handlers})]
    allowed = ["'self'", *hashes, *(["'unsafe-hashes'", *in_attributes] if in_attributes else [])]
    if compiled:
        allowed.append("'wasm-unsafe-eval'")
    return f"script-src {' '.join(allowed)}; object-src 'none'; base-uri 'none'"


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


OURS = policy([SCRIPT])


def add_policy(page: str) -> str:
    """The page with a policy that lets run what is in it now, for pages that Quarto wrote."""
    meta = '<meta http-equiv="Content-Security-Policy" content='
    if meta in page.partition("</head>")[0]:
        return page
    handlers = [html.unescape(quoted[1:-1]) for quoted in HANDLER.findall(page)]
    told = policy(INLINE.findall(page), handlers)
    return re.sub(HEAD, lambda head: f'{head[0]}\n{meta}"{told}">', page, count=1)
