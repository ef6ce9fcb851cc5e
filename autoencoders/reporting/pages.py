"""The pages of the PDF, measured as a reader sees them: parts, figures and tables with the way to their text, and how
much stays empty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from autoencoders import reading
from autoencoders.console import log
from autoencoders.reporting.book import Book

DENSITY = 36  # dots per inch: lines of text are told apart
MARGINS = 2.0, 1.7  # cm above and below the text, where a page has its header and its number
GAP = 1.2  # cm: what is empty and higher separates no paragraphs
EMPTIEST = 1 / 3  # of a page of the body
REFERENCES = "{#refs}"  # in the chapter that begins what follows the body
_FLOAT = r"(?:Figure|Table)\s[\dA-Z]++(?:\.\d++)?+"
CAPTION = re.compile(rf"^({_FLOAT}):", re.MULTILINE)
MENTION = re.compile(rf"({_FLOAT})(?!:)")


@dataclass(frozen=True)
class Limits:
    """The most that an edition may have: pages in all, of its body and after it; figures and tables in its body, and
    pages between one of them and the text that first refers to it."""

    pages: int | None = None
    body: int | None = None
    appendix: int | None = None
    floats: int | None = None
    away: int | None = None


LIMITS = {
    "short": Limits(pages=8, away=1),
    "standard": Limits(body=22, appendix=6, floats=32, away=1),
    "full": Limits(),
}


@dataclass(frozen=True)
class Page:
    number: int
    part: Literal["cover", "body", "appendix"]
    floats: tuple[str, ...]  # Figure 4.1
    mentions: tuple[str, ...]  # figures and tables that its text refers to
    empty: float  # share of the text's height in gaps
    foreign: tuple[str, ...] = ()  # figures and tables that stand in another chapter than their own


def report(book: Book) -> None:
    """Say how the PDF fills its pages, and what is more than its edition should have."""
    pages = measured(book.pdf, following(book))
    count = {part: sum(page.part == part for page in pages) for part in ("body", "appendix")}
    floats = len(_shown(pages))
    log(f"{book.pdf.name}: {len(pages)} pages, {count['body']} of them the body, with {floats} figures and tables")
    shares = ", ".join(f"{page.number}: {100 * page.empty:.0f}" for page in pages if page.part != "cover")
    log(f"empty in % of each page: {shares}")
    distances = {name: way for name, way in ways(pages).items() if way}
    log("pages from text to figure or table: " + (", ".join(f"{n}: {way}" for n, way in distances.items()) or "none"))
    for complaint in complaints(pages, LIMITS[book.edition]):
        log(f"warning: the {book.edition} edition {complaint}")


def complaints(pages: Iterable[Page], limits: Limits) -> list[str]:
    """What is more than an edition should have, in words that go on from its name."""
    pages = list(pages)
    parts = {part: [page for page in pages if page.part == part] for part in ("body", "appendix")}
    counted = [
        (len(pages), limits.pages, "pages"),
        (len(parts["body"]), limits.body, "pages before the appendix"),
        (len(parts["appendix"]), limits.appendix, "pages of appendix"),
        (len(_shown(pages)), limits.floats, "figures and tables before the appendix"),
    ]
    found = [f"has {n} {what}, {most} at most are wanted" for n, most, what in counted if most is not None and n > most]
    found += [
        f"leaves {100 * page.empty:.0f} % of page {page.number} empty"
        for page in parts["body"]
        if page.empty > EMPTIEST
    ]
    found += [f"has {name} in another chapter" for page in parts["body"] for name in page.foreign]
    return found if limits.away is None else [*found, *_strays(pages, limits.away)]


def _strays(pages: Iterable[Page], away: int) -> Iterator[str]:
    """Figures and tables of the body that the text doesn't refer to, or only from afar."""
    pages = list(pages)
    distances = ways(pages)
    yield from (f"never refers to {name}" for name in _shown(pages) if name not in distances)
    for name, way in distances.items():
        if abs(way) > away:
            order = "after" if way > 0 else "before"
            yield f"has {name} {abs(way)} pages {order} the text that first refers to it"


def ways(pages: Iterable[Page]) -> dict[str, int]:
    """By figure and table of the body, how many pages after the text that first refers to it it stands."""
    pages = list(pages)
    first: dict[str, int] = {}
    for page in pages:
        for name in page.mentions:
            first.setdefault(name, page.number)
    return {name: number - first[name] for name, number in _shown(pages).items() if name in first}


def _shown(pages: Iterable[Page]) -> dict[str, int]:
    """By figure and table of the body its page, which an appendix, counted in letters, may begin on as well."""
    floats = ((name, page.number) for page in pages if page.part == "body" for name in page.floats)
    return {name: number for name, number in floats if re.match(r"\w+ \d", name)}


def following(book: Book) -> frozenset[str]:
    """The headings of what follows the body: references and appendices."""
    sources = {path: reading.text(path) for path in book.sources}
    chapters = (text for path, text in sources.items() if path in book.appendices or REFERENCES in text)
    return frozenset(heading[1] for text in chapters if (heading := re.search(r"^# (.*?)\s*(?:\{.*)?$", text, re.M)))


def measured(pdf: Path, following: Iterable[str]) -> list[Page]:
    """The pages of a PDF; its bookmarks say where the chapters begin, ``following`` is called what follows the body."""
    from pypdfium2 import PdfDocument

    with PdfDocument(pdf) as document:
        first, last = _body(document, frozenset(following))
        begun = _begun(document)
        return [
            Page(
                number=index + 1,
                part="cover" if index < first else "body" if index < last else "appendix",
                floats=_names(CAPTION, page),
                mentions=_names(MENTION, page),
                empty=_emptiness(page),
                foreign=tuple(_foreign(page, index, begun)),
            )
            for index, page in enumerate(document)
        ]


def _begun(document: Any) -> list[tuple[int, float, str]]:
    """Where each chapter begins: its page, how far down (negative, from the foot), and its number or first word."""
    marks = [(mark.get_title(), mark.get_dest()) for mark in document.get_toc() if mark.level == 0]
    places = [(title, dest.get_index(), dest.get_view()[1]) for title, dest in marks if dest and title]
    return [(index, -view[1], title.split()[0]) for title, index, view in places if len(view) > 1]


def _foreign(page: Any, index: int, begun: list[tuple[int, float, str]]) -> Iterator[str]:
    """Figures and tables with a chapter's number below the heading of another, or above that of their own."""
    text = page.get_textpage()
    for name in CAPTION.findall(str(text.get_text_range()).replace("\r\n", "\n")):
        own, *counted = re.split(r"\s", name)[1].split(".")
        if counted and (found := text.search(f"{name}:").get_next()):
            here = index, -text.get_charbox(found[0])[3]
            above = [number for *place, number in begun if tuple(place) < here]
            if above[-1:] != [own]:
                yield re.sub(r"\s", " ", name)


def _names(pattern: re.Pattern[str], page: Any) -> tuple[str, ...]:
    text = str(page.get_textpage().get_text_range()).replace("\r\n", "\n")
    return tuple(re.sub(r"\s", " ", name) for name in pattern.findall(text))


def _body(document: Any, following: frozenset[str]) -> tuple[int, int]:
    """The indices of the first page of the body and of the first one after it."""
    begins = [(mark.get_title(), mark.get_dest()) for mark in document.get_toc() if mark.level == 0]
    places = [(title, dest.get_index(), dest.get_view()[1]) for title, dest in begins if dest]
    first = min((index for _, index, _ in places), default=0)
    after = [(index, view) for title, index, view in places if any(title.endswith(name) for name in following)]
    if not after:
        return first, len(document)
    index, view = min(after, key=lambda place: place[0])
    top = document[index].get_height() * 0.88  # of the text, and a heading's height less
    shared = len(view) > 1 and view[1] < top  # what stands above it on its page belongs to the body
    return first, index + shared


def _emptiness(page: Any) -> float:
    dots = np.asarray(page.render(scale=DENSITY / 72).to_pil().convert("L"))
    above, below = (round(margin / 2.54 * DENSITY) for margin in MARGINS)
    inked: np.ndarray = np.any(dots[above : len(dots) - below] < 250, axis=1)
    high = [length for length in _runs(inked) if length > GAP / 2.54 * DENSITY]
    return sum(high) / len(inked)


def _runs(inked: np.ndarray) -> Iterator[int]:
    """The lengths of the runs of empty rows, from above."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ~inked, [0]]).astype(int)))
    yield from (edges[1::2] - edges[::2]).tolist()
