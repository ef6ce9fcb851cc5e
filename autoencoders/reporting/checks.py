"""Whether a rendered report is whole, whichever renderer made it; each fault comes with its place."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from autoencoders.errors import ReportError
from autoencoders.reporting.book import Book

UNRESOLVED = re.compile(r"\?@\w[\w-]*|\?var:\S+|\?image:\S+|\{\{<.*?>\}\}|(?<!\?)\?\?(?!\?)")
PREVIEW = "-preview"  # Quarto's views of notebooks, whose cells refer to chapters
FOREIGN = re.compile(r"(https?:)?//")


def check(book: Book) -> None:
    """Check what was rendered: the site, the PDF or both."""
    pages = [page for page in sorted(book.rendered.rglob("*.html")) if not page.stem.endswith(PREVIEW)]
    problems = [problem for page in pages for problem in page_problems(page, book.rendered)]
    if pages and not (book.rendered / "index.html").exists():
        problems.append(f"{book.rendered}: there is no index.html")
    if not pages or (book.rendered / book.pdf.name).exists():
        problems += pdf_problems(book.rendered / book.pdf.name)
    if problems:
        raise ReportError("the report is not whole:\n" + "\n".join(f"  {problem}" for problem in problems))


class _Parsed(HTMLParser):
    """What a page says outside code, where it links to, and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.undescribed: list[str] = []
        self.anchors: set[str] = set()
        self.views: set[str] = set()  # what an address may ask a page to show, as in `#metric=ssim`
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._silent += tag in ("script", "style", "code", "annotation")
        self.anchors |= {values["id"]} if "id" in values else set()
        self.views |= set(values.get("data-views", "").split())
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in ("img", "script", "source", "iframe") and values.get("src"):
            self.loaded.append(values["src"])
        if tag == "link" and values.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.append(values.get("href", ""))
        if tag == "img" and not values.get("alt", "").strip() and values.get("role") != "presentation":
            self.undescribed.append(values.get("src", "")[:80])

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "code", "annotation")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)


@cache
def _read(path: Path, changed: int) -> _Parsed:
    page = _Parsed()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _page(path: Path) -> _Parsed:
    return _read(path, path.stat().st_mtime_ns)


def page_problems(path: Path, site: Path) -> list[str]:
    where = path.relative_to(site)
    page = _page(path)
    text = " ".join(page.text)
    problems = [f"{where}: unresolved {match[0]!r}" for match in UNRESOLVED.finditer(text)]
    problems += [f"{where}: {address} is loaded from the network" for address in page.loaded if FOREIGN.match(address)]
    problems += [f"{where}: the image {image} has no alt text" for image in page.undescribed]
    if not text.strip():
        problems.append(f"{where}: the page is empty")
    for address in page.links + page.loaded:
        if fault := _fault(address, path):
            problems.append(f"{where}: {address} {fault}")
    return problems


def _fault(address: str, path: Path) -> str:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.exists():
        return "leads nowhere"
    anchor = unquote(parts.fragment)
    asked = {name for name, _ in parse_qsl(parts.fragment)}
    if asked and target.suffix == ".html" and asked <= _page(target).views:
        return ""
    if anchor and target.suffix == ".html" and anchor not in _page(target).anchors:
        return "leads to no place on that page"
    return ""


def pdf_problems(path: Path) -> list[str]:
    from pypdfium2 import PdfDocument, PdfiumError
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    if not path.exists():
        return [f"{path} was not made"]
    try:
        pdf = PdfDocument(path)
    except PdfiumError as error:
        return [f"{path.name}: the PDF can't be read: {error}"]
    with pdf:
        problems = [] if pdf.get_metadata_value("Title") else [f"{path.name}: the PDF has no title"]
        before: set[str] = set()
        for number, page in enumerate(pdf, start=1):
            text = page.get_textpage().get_text_range()
            problems += [f"{path.name}, page {number}: unresolved {m[0]!r}" for m in UNRESOLVED.finditer(text)]
            lines = {line for line in text.splitlines() if len(line) > 3}  # longer than a page's number
            if lines <= before and not any(page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE])):
                # but for what runs along in the header
                problems.append(f"{path.name}, page {number}: the page is empty")
            before = lines
    return problems
