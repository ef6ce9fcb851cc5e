"""The PDF without Quarto: Pandoc writes Typst, Typst sets it, tagged for screen readers (PDF/UA-1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType

from autoencoders.errors import ReportError
from autoencoders.reporting import editions
from autoencoders.reporting.book import Book
from autoencoders.reporting.without_quarto import pandoc, placement
from autoencoders.reporting.without_quarto.document import Chapter, Dialect, Document, located, numbered, rewritten
from autoencoders.reporting.without_quarto.pandoc import Element, raw_block, raw_inline

_SIZED = re.compile(r"\\(?:big|Big|bigg|Bigg)[lrm]?(?![A-Za-z])")  # Pandoc would spell the delimiter's name instead


class TypstDialect(Dialect):
    """Typst numbers headings itself, for its bookmarks and its table of contents."""

    def __init__(self, edition: str = editions.LONGEST, left_out: Mapping[str, str] = MappingProxyType({})) -> None:
        self.conditions, self.left_out = editions.conditions("typst", edition), left_out

    def callout(self, kind: str, title: list[Element], body: list[Element]) -> list[Element]:
        opening = raw_block("typst", f'#callout("{kind}", [')
        return [opening, {"t": "Plain", "c": title}, raw_block("typst", "])["), *body, raw_block("typst", "]")]

    def equation(self, identifier: str, number: str, math: Element) -> list[Element]:
        opening = raw_inline("typst", f'#numbered-equation("({number})")[')
        return [opening, math, raw_inline("typst", f"] <{identifier}>")]


def write(chapters: list[Chapter], book: Book, workshop: Path) -> tuple[bytes, list[str]]:
    """The PDF's bytes, and what is wrong with it. ``workshop`` keeps the Typst source."""
    import typst

    dialect = TypstDialect(book.edition, editions.left_out(book.sources, book.edition))
    document = numbered(chapters, dialect)
    rewritten(document, lambda chapter, element: _for_typst(chapter, element, document, book.root))
    source = workshop / "report.typ"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(_preamble(book) + _body(document, book), encoding="utf-8")
    try:
        compiler = typst.Compiler(input=str(source), root=str(book.root), ignore_system_fonts=True)
        content, warnings = placement.compiled(compiler)
    except typst.TypstError as error:
        raise ReportError(f"Typst can't set {source}:\n{error.diagnostic}".rstrip()) from None
    return content, document.problems + [f"Typst: {warning}" for warning in warnings]


def style() -> str:
    """Of the PDF, whichever renderer writes it."""
    return resources.files("autoencoders.reporting").joinpath("assets/book.typ").read_text(encoding="utf-8")


def _body(document: Document, book: Book) -> str:
    blocks = []
    for chapter in document.chapters:
        first_appendix = chapter.appendix and chapter.number == "A"
        blocks += [raw_block("typst", "#before-chapter")]
        blocks += [raw_block("typst", "#show: appendices")] if first_appendix else []
        blocks += _with_equations(chapter.blocks)
    sources = pandoc.bibliography(book.bibliography)
    typst = pandoc.write(blocks, "--to=typst", "--wrap=none", "--citeproc", "--metadata=link-citations", *sources)
    return re.sub(
        r"\b(plus|minus|times|dot)\.circle\b", r"\1.o", typst
    )  # Pandoc's names of symbols are those of an older Typst


def _with_equations(blocks: list[Element]) -> list[Element]:
    """Keep each equation with the paragraph that leads to it."""
    kept = []
    for block, following in zip_longest(blocks, blocks[1:]):
        leads = block["t"] == "Para" and bool(following) and _is_equation(following)
        around = (raw_block("typst", "#leads-to-equation["), raw_block("typst", "]"))
        kept += [around[0], block, around[1]] if leads else [block]
    return kept


def _is_equation(block: Element) -> bool:
    inlines = block["c"] if block["t"] == "Para" else []
    maths = [inline["c"][0]["t"] for inline in inlines if inline["t"] == "Math"]
    return maths == ["DisplayMath"] and all(inline["t"] in ("Math", "RawInline") for inline in inlines)


def _preamble(book: Book) -> str:
    """The style, and with it what stands on the cover and in the headers."""
    titles = f"(title: {string(book.title)}, subtitle: {string(book.subtitle)})"
    return f'{style()}\n#show: book.with(yaml("/_variables.yml") + {titles})\n\n'


def _for_typst(chapter: Chapter, element: Element, document: Document, root: Path) -> Element | list[Element] | None:
    match element["t"]:
        case "Math":
            element["c"][1] = _SIZED.sub("", element["c"][1])
            return [
                raw_inline("typst", f"#described({string(element['c'][1].strip())})["),
                element,
                raw_inline("typst", "]"),
            ]
        case "Image":
            return _image(chapter, element, document, root)
        case "Link":
            if element["c"][2][0].endswith((".qmd", ".ipynb")):
                return element["c"][1]  # the style deals with places in chapters, whichever renderer writes them
    return None


def _image(chapter: Chapter, element: Element, document: Document, root: Path) -> Element:
    (_, _, values), content, (target, _) = element["c"]
    options: Mapping[str, str] = dict(values)
    path = located(target, chapter.source, root)
    if not path:
        document.problems.append(f"{chapter.source.name}: there is no image {target}")
        return pandoc.string(f"?image:{target}")
    alt = options.get("fig-alt") or options.get("alt") or pandoc.plain(content)
    if not alt:
        document.problems.append(f"{chapter.source.name}: {path.name} has no alt text")
    width = f", width: {_length(options['width'])}" if "width" in options else ""
    place = "/" + path.relative_to(root.resolve()).as_posix()
    return raw_inline("typst", f"#image({string(place)}, alt: {string(alt or 'missing')}{width})")


def _length(width: str) -> str:
    return f"{float(width.removesuffix('px')) * 0.75:g}pt" if re.fullmatch(r"[\d.]+(px)?", width) else width


def string(value: str) -> str:
    """A string in Typst's own syntax."""
    return '"' + re.sub(r'[\x00-\x1f"\\]', lambda match: f"\\u{{{ord(match[0]):x}}}", value) + '"'
