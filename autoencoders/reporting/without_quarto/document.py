"""The chapters as one numbered document: figures, tables, equations and sections counted as Quarto's books count them,
references to them resolved, and what is meant for one format only kept from the other."""

from __future__ import annotations

import copy
import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

from autoencoders.reporting.book import Book
from autoencoders.reporting.without_quarto import pandoc
from autoencoders.reporting.without_quarto.pandoc import Element
from autoencoders.reporting.without_quarto.shortcodes import Expansion

NAMES = {"fig": "Figure", "tbl": "Table", "eq": "Equation", "lst": "Listing", "sec": "Section"}
NUMBERED_LEVELS = 3
_LABEL = re.compile(r"(fig|tbl|eq|lst|sec)-")
_EQUATION_LABEL = re.compile(r"\{#(eq-[\w-]+)\}([.,;]?)")
_CALLOUT = re.compile(r"callout-(note|tip|warning|important|caution)")


@dataclass
class Chapter:
    source: Path
    title: str
    blocks: list[Element]
    appendix: bool = False
    number: str = ""  # none: an unnumbered one

    @property
    def slug(self) -> str:
        return self.source.stem


@dataclass(frozen=True)
class Target:
    """What a reference leads to."""

    text: str  # Figure 4.1
    number: str
    slug: str


class Dialect(ABC):
    """What the formats do differently."""

    conditions: frozenset[str]  # what conditional content may ask for, and holds
    left_out: Mapping[str, str] = MappingProxyType({})  # labels of what isn't shown: what references say instead

    def heading(self, header: Element, number: str) -> Element:
        return header

    @abstractmethod
    def callout(self, kind: str, title: list[Element], body: list[Element]) -> list[Element]: ...

    @abstractmethod
    def equation(self, identifier: str, number: str, math: Element) -> list[Element]: ...

    def floating(self, element: Element, notebook: str) -> list[Element]:
        return [element]


@dataclass
class Document:
    chapters: list[Chapter]
    targets: dict[str, Target] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def parse(book: Book, expansion: Expansion) -> list[Chapter]:
    """Every chapter with its shortcodes expanded, not yet numbered."""
    sources = [expansion.chapter(path) for path in book.sources]
    with ThreadPoolExecutor() as pool:
        parsed = list(pool.map(pandoc.read, sources))
    return [
        Chapter(path, _title(blocks) or path.stem, blocks, appendix=path in book.appendices)
        for path, blocks in zip(book.sources, parsed, strict=True)
    ]


def labelled(identifier: str) -> bool:
    """Whether it is the label of something that is counted."""
    return bool(_LABEL.match(identifier))


def _title(blocks: list[Element]) -> str:
    """The first heading's, which may stand in conditional content."""
    for block in blocks:
        found = pandoc.plain(block) if block["t"] == "Header" else _title(block["c"][1]) if block["t"] == "Div" else ""
        if found:
            return found
    return ""


def numbered(chapters: list[Chapter], dialect: Dialect) -> Document:
    """The document for one format. The chapters themselves stay as they are."""
    document = Document([copy.copy(chapter) for chapter in chapters])
    counted = {False: 0, True: 0}
    for chapter in document.chapters:
        chapter.blocks = pandoc.walk(copy.deepcopy(chapter.blocks), lambda e: _visible(e, dialect.conditions))
        chapter.blocks = pandoc.walk(chapter.blocks, _uncounted_title)
        first = next((block for block in chapter.blocks if block["t"] == "Header"), None)
        if first and "unnumbered" not in pandoc.attributes(first)[1]:
            counted[chapter.appendix] += 1
            n = counted[chapter.appendix]
            chapter.number = chr(ord("A") + n - 1) if chapter.appendix else str(n)
        chapter.blocks = pandoc.walk(chapter.blocks, _Numbering(document, chapter, dialect))
    for chapter in document.chapters:
        chapter.blocks = pandoc.walk(chapter.blocks, _CrossReferences(document, chapter, dialect.left_out))
    return document


def _visible(element: Element, conditions: frozenset[str]) -> list[Element] | None:
    """Quarto's conditional content: a division for a format or an edition, or for all but one."""
    if element["t"] not in ("Div", "Span"):
        return None
    (_, classes, values), content = element["c"]
    if not {"content-visible", "content-hidden"} & set(classes):
        return None
    asked = [(name, value) for name, value in values if name.endswith(("-format", "-meta"))]
    holds = all((value in conditions) == name.startswith("when") for name, value in asked)
    return content if holds == ("content-visible" in classes) else []


def _callout(element: Element) -> str:
    """Its kind, of a division that is one."""
    classes = element["c"][0][1] if element["t"] == "Div" else []
    return next((match[1] for match in map(_CALLOUT.fullmatch, classes) if match), "")


def _uncounted_title(element: Element) -> None:
    """The heading that a callout begins with is its title, and no section of the chapter."""
    if _callout(element) and element["c"][1] and element["c"][1][0]["t"] == "Header":
        classes = pandoc.attributes(element["c"][1][0])[1]
        classes += [] if "unnumbered" in classes else ["unnumbered"]


class _Numbering:
    """Counts as it walks; what it counts gets its number, and becomes something to refer to."""

    def __init__(self, document: Document, chapter: Chapter, dialect: Dialect) -> None:
        self.document, self.chapter, self.dialect = document, chapter, dialect
        self.counts: Counter[str] = Counter()
        self.sections = [0] * NUMBERED_LEVELS

    def __call__(self, element: Element) -> Element | list[Element] | None:
        match element["t"]:
            case "Header":
                return self.header(element)
            case "Div":
                return self.div(element)
            case "Figure" | "Table" if labelled(pandoc.identifier(element)):
                return self.floating(element, "")
            case "Para":
                return self.equation(element)
        return None

    def header(self, element: Element) -> Element:
        level, (identifier, classes, _), _ = element["c"]
        number = ""
        if self.chapter.number and "unnumbered" not in classes and level <= NUMBERED_LEVELS:
            if level > 1:
                self.sections[level - 1] += 1
                self.sections[level:] = [0] * (NUMBERED_LEVELS - level)
            number = ".".join([self.chapter.number, *map(str, self.sections[1:level])])
        if identifier.startswith("sec-"):
            name = "Appendix" if self.chapter.appendix and level == 1 else "Chapter" if level == 1 else "Section"
            title = pandoc.plain(element)
            self.add(identifier, f"{name} {number}" if number else title, number or title)
        return self.dialect.heading(element, number)

    def div(self, element: Element) -> Element | list[Element] | None:
        (identifier, _, values), content = element["c"]
        if labelled(identifier):
            return self.floating(as_float(identifier, content), dict(values).get("notebook", ""))
        if kind := _callout(element):
            title = pandoc.words(dict(values).get("title", ""))
            if not title and content and content[0]["t"] == "Header":
                title, content = content[0]["c"][2], content[1:]
            return self.dialect.callout(kind, title or pandoc.words(kind.title()), content)
        return None

    def floating(self, element: Element, notebook: str) -> list[Element]:
        """Its caption begins with its name and number."""
        if element["t"] == "Table":
            _set_widths(element)
        attributes, (short, caption) = element["c"][0], element["c"][1]
        target = self.count(attributes[0])
        name = {"t": "Strong", "c": [pandoc.string(f"{target.text.replace(' ', chr(0xA0))}:")]}
        inlines = caption[0]["c"] if caption else []
        if not inlines:
            self.problem(f"{attributes[0]} has no caption")
        element["c"][1] = [short, [{"t": "Plain", "c": [name, {"t": "Space"}, *inlines]}]]
        return self.dialect.floating(element, notebook)

    def equation(self, element: Element) -> Element | None:
        """`$$ … $$ {#eq-label}`."""
        inlines = element["c"]
        label = _EQUATION_LABEL.fullmatch(pandoc.plain(inlines[-1:])) if len(inlines) > 1 else None
        if not label or inlines[0]["t"] != "Math":
            return None
        number = self.count(label[1]).number
        return {"t": "Para", "c": self.dialect.equation(label[1], number, inlines[0])}

    def count(self, identifier: str) -> Target:
        kind = identifier.split("-")[0]
        self.counts[kind] += 1
        number = f"{self.chapter.number}.{self.counts[kind]}".removeprefix(".")
        return self.add(identifier, f"{NAMES[kind]} {number}", number)

    def add(self, identifier: str, text: str, number: str) -> Target:
        if identifier in self.document.targets:
            self.problem(f"{identifier} is the label of more than one thing")
        target = self.document.targets[identifier] = Target(text, number, self.chapter.slug)
        return target

    def problem(self, what: str) -> None:
        self.document.problems.append(f"{self.chapter.source.name}: {what}")


def _set_widths(table: Element) -> None:
    """Of columns, in percent, where the table says so as Quarto wants it: `tbl-colwidths="[20,80]"`."""
    identifier, classes, values = table["c"][0]
    found = dict(values)
    if widths := json.loads(found.pop("tbl-colwidths", "[]")):
        columns = zip(table["c"][2], widths, strict=True)
        table["c"][2] = [[alignment, {"t": "ColWidth", "c": width / 100}] for (alignment, _), width in columns]
    table["c"][0] = [identifier, classes, [list(pair) for pair in found.items()]]


def as_float(identifier: str, content: list[Element]) -> Element:
    """A division's last paragraph is the caption of what stands before it."""
    body, caption = (content[:-1], content[-1:]) if len(content) > 1 and content[-1]["t"] == "Para" else (content, [])
    if len(body) == 1 and body[0]["t"] == "Table":
        table = body[0]
        table["c"][0] = [identifier, *table["c"][0][1:]]
        table["c"][1] = [None, caption]
        return table
    return {"t": "Figure", "c": [[identifier, [], []], [None, caption], body]}


class _CrossReferences:
    """`@fig-x` becomes a link that reads "Figure 4.1"; what is no label of ours is left to citeproc."""

    def __init__(self, document: Document, chapter: Chapter, left_out: Mapping[str, str]) -> None:
        self.document, self.chapter, self.left_out = document, chapter, left_out

    def __call__(self, element: Element) -> list[Element] | None:
        if element["t"] != "Cite":
            return None
        citations = element["c"][0]
        if not any(labelled(citation["citationId"].lower()) for citation in citations):
            return None
        separated = [[pandoc.string(","), {"t": "Space"}, *self.reference(citation)] for citation in citations]
        return [inline for inlines in separated for inline in inlines][2:]

    def reference(self, citation: Element) -> list[Element]:
        identifier = citation["citationId"][0].lower() + citation["citationId"][1:]
        prefix, suffix = citation["citationPrefix"], citation["citationSuffix"]
        if elsewhere := self.left_out.get(identifier):
            begins = identifier != citation["citationId"]  # a sentence, as @Fig-x does
            return pandoc.words(elsewhere[0].upper() + elsewhere[1:] if begins else elsewhere)
        target = self.document.targets.get(identifier)
        if not target:
            self.document.problems.append(f"{self.chapter.source.name}: @{identifier} refers to nothing")
            return [pandoc.string(f"?@{identifier}")]
        bare = prefix or citation["citationMode"]["t"] == "SuppressAuthor"
        text = target.number if bare else target.text
        reference = pandoc.link([pandoc.string(text.replace(" ", "\u00a0"))], f"#{identifier}", "crossref")
        return [*prefix, *([{"t": "Space"}] if prefix else []), reference, *suffix]


def located(target: str, source: Path, root: Path) -> Path | None:
    """The image that a chapter means: from the project's root where it begins with a slash, else beside itself.

    Addresses say %20 for a space, whoever wrote them.
    """
    name = unquote(target)
    for path in (root / name.removeprefix("/"), source.parent / name):
        if path.is_file():
            return path.resolve()
    return None


def rewritten(document: Document, visit: Callable[[Chapter, Element], Element | list[Element] | None]) -> None:
    """Each chapter's elements replaced by what ``visit`` makes of them."""
    for chapter in document.chapters:
        chapter.blocks = pandoc.walk(chapter.blocks, partial(visit, chapter))
