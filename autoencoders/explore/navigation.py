"""One navigation and one search for the chapters, whichever renderer made them, and the pages to explore."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autoencoders.explore.pages import FOLDER, Page, fill
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder

TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
NUMBERED = re.compile(r"(\d+|[A-Z])\s+(.+)")
TAG = re.compile(r"<(script|style|select)\b.*?</\1>|<[^>]+>", re.DOTALL)
INDEX = "window.searchIndex = "
LISTED = re.compile(r'<li class="to-explore.*?<!-- end -->', re.DOTALL)  # in a sidebar by Quarto


@dataclass(frozen=True)
class Chapter:
    url: str
    number: str
    title: str


def chapters(folder: Folder, book: Book) -> dict[str, list[Chapter]]:
    """Those that were rendered, by the headings of the navigation."""
    groups = {"": book.chapters, "Appendices": book.appendices}
    found = {name: [_chapter(folder, book, source) for source in sources] for name, sources in groups.items()}
    return {name: [each for each in members if each] for name, members in found.items() if any(members)}


def _chapter(folder: Folder, book: Book, source: Path) -> Chapter | None:
    url = source.relative_to(book.root).with_suffix(".html").as_posix()
    path = folder.path / url
    if path not in folder.files:
        return None
    title = TITLE.search(path.read_text(encoding="utf-8"))
    name = " ".join(html.unescape(title[1]).rpartition(f" – {book.title}")[0].split()) if title else source.stem
    numbered = NUMBERED.fullmatch(name)
    return Chapter(url, numbered[1], numbered[2]) if numbered else Chapter(url, "", name or book.title)


def add_to_search(folder: Folder, pages: Sequence[Page]) -> None:
    """Put the pages into the site's index: into ours, and into Quarto's, which is a file and a script."""
    path = folder.path / "search.js"
    if not path.exists():
        return
    entries = json.loads(path.read_text(encoding="utf-8").removeprefix(INDEX).rstrip(";\n"))
    if entries and isinstance(entries[0], dict):
        entries = [each for each in entries if not each["href"].startswith(f"{FOLDER}/")]
        entries += [
            {"objectID": url, "href": url, "title": title, "section": "", "text": text}
            for url, title, text in _said(pages)
        ]
        folder.put("search.json", json.dumps(entries, indent=2, ensure_ascii=False) + "\n")
    else:
        entries = [each for each in entries if not each[0].startswith(f"{FOLDER}/")]
        entries += [[url, title, title, text, "", 0.8] for url, title, text in _said(pages)]
    folder.put("search.js", f"{INDEX}{json.dumps(entries, ensure_ascii=False, separators=(',', ':'))};\n")


def add_to_sidebar(folder: Folder, pages: Sequence[Page]) -> None:
    """Put the pages below the chapters where Quarto lists these: ours list both."""
    for path in sorted(path for path in folder.files if path.suffix == ".html"):
        name, text = path.relative_to(folder.path).as_posix(), path.read_text(encoding="utf-8")
        before, sidebar, rest = text.partition('<nav id="quarto-sidebar"')
        inside, end, after = rest.partition("</nav>")
        if end:
            listed = fill("sidebar.html", pages=pages, base="../" * name.count("/"))
            inside = LISTED.sub("", inside)
            kept, _, closing = inside.rpartition("</ul>")
            folder.put(name, f"{before}{sidebar}{kept}{listed}</ul>{closing}{end}{after}")


def _said(pages: Sequence[Page]) -> list[tuple[str, str, str]]:
    found = []
    for page in pages:
        own = html.unescape(TAG.sub(" ", page.body)) if page.head.prompts else ""
        text = " ".join([page.head.promise, *page.head.prompts, *own.split()])
        found.append((page.head.url, page.head.title, text))
    return found
