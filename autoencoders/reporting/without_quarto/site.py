"""The site without Quarto: one plain page a chapter, with navigation, search and a dark mode; nothing from the network,
so that it also works from a disk and under any path."""

from __future__ import annotations

import copy
import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from autoencoders.colours import on_dark
from autoencoders.reporting import citation, dark_twins, editions, previews, scripts
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder
from autoencoders.reporting.notebook_files import NotebookFile
from autoencoders.reporting.templates import fill
from autoencoders.reporting.variables import replaced
from autoencoders.reporting.without_quarto import pandoc, shortcodes
from autoencoders.reporting.without_quarto.document import (
    Chapter,
    Dialect,
    Document,
    as_float,
    labelled,
    located,
    numbered,
    rewritten,
)
from autoencoders.reporting.without_quarto.pandoc import Element, div, link, span, string

COVER = {
    "Group": "group",
    "Authors": "authors",
    "Data": "dataset.title",
    "Profile": "profile.title",
    "Seeds": "seeds",
    "Trained on": "date",
}
ASSETS = {  # by the folder that they lie in
    "autoencoders.reporting": ("base.css", "theme.js", "shell.css", "shell.js", "previews.css", "previews.js"),
    "autoencoders.reporting.without_quarto": ("style.css", "site.js"),
}
HTML = ("--to=html5", "--mathml", "--wrap=none", "--syntax-highlighting=pygments")


class HtmlDialect(Dialect):
    conditions = editions.conditions("html", editions.LONGEST)

    def heading(self, header: Element, number: str) -> Element:
        if number:
            header["c"][2] = [span([string(number)], "number"), {"t": "Space"}, *header["c"][2]]
        return header

    def callout(self, kind: str, title: list[Element], body: list[Element]) -> list[Element]:
        heading = div([{"t": "Para", "c": title}], "callout-title")
        return [div([heading, *body], "callout", kind)]

    def equation(self, identifier: str, number: str, math: Element) -> list[Element]:
        return [span([math, span([string(f"({number})")], "equation-number")], "equation", identifier=identifier)]

    def floating(self, element: Element, notebook: str) -> list[Element]:
        if notebook:
            source = link([string("source")], f"{notebook}.ipynb#{pandoc.identifier(element)}", "source")
            element["c"][1][1][0]["c"] += [{"t": "Space"}, source]
        return [_scrolling(element)]


def _scrolling(element: Element) -> Element:
    """A table that is wider than the screen is moved under its caption, not with it."""
    if element["t"] != "Table":
        return element
    attributes, caption = element["c"][:2]
    element["c"][:2] = [["", [], []], [None, []]]
    return {"t": "Figure", "c": [[attributes[0], ["table"], []], caption, [div([element], "scrolling")]]}


_TABLE = re.compile(
    r'(<figure id="[^"]*" class="table">\n)(.*?)(<figcaption\b.*?</figcaption>\n)(?=</figure>)', re.DOTALL
)


def _captions_first(body: str) -> str:
    """Pandoc puts captions of tables last: while a page comes in, the table would stand where its caption belongs."""
    return _TABLE.sub(r"\1\3\2", body)


@dataclass
class SitePage:
    """One HTML file."""

    url: str
    title: str
    number: str
    blocks: list[Element]
    kind: str = "chapter"  # chapter | appendix | notebook

    @property
    def name(self) -> str:
        return f"{self.number} {self.title}".strip()

    @property
    def base(self) -> str:
        return "../" * self.url.count("/")


@dataclass
class Site:
    book: Book
    folder: Folder
    images: Path  # where embedded images were put
    extra: Mapping[str, str]  # titles of pages beside the chapters, by address
    problems: list[str] = field(default_factory=list)
    sizes: dict[str, dict[str, str]] = field(default_factory=dict)  # of the images put there, by name
    dark: dict[str, str] = field(default_factory=dict)  # the twin for dark pages of each figure that was put there
    urls: dict[str, str] = field(default_factory=dict)  # of the chapters, by slug: where Quarto puts them, too

    def write(self, chapters: list[Chapter], notebooks: Iterable[NotebookFile]) -> None:
        document = numbered(chapters, HtmlDialect())
        self._resolve_citations(document)
        self.urls = {
            chapter.slug: chapter.source.relative_to(self.book.root).with_suffix(".html").as_posix()
            for chapter in document.chapters
        }
        rewritten(document, lambda c, element: self._for_page(c.source, element, document, self.urls[c.slug]))
        pages = [
            SitePage(self.urls[c.slug], c.title, c.number, c.blocks, "appendix" if c.appendix else "chapter")
            for c in document.chapters
        ]
        executed = [self._notebook_page(notebook, document) for notebook in notebooks]
        with ThreadPoolExecutor() as pool:
            bodies = list(pool.map(lambda page: pandoc.write(page.blocks, *HTML), pages + executed))
        whole = zip(pages + executed, bodies, strict=True)
        written = {page.url: self._html(page, body, pages, position) for position, (page, body) in enumerate(whole)}
        for url, text in written.items():
            self.folder.put(url, text)
        self.folder.put("previewed.js", previews.script_of((page.url, written[page.url]) for page in pages))
        for package, names in ASSETS.items():
            for name in names:
                self.folder.put(name, resources.files(package).joinpath("assets", name).read_bytes())
        self.folder.put("search.js", f"window.searchIndex = {_search_index(pages)};\n")
        self.problems += document.problems

    # Links and images

    def _resolve_citations(self, document: Document) -> None:
        """All chapters at once, since the list of references stands in one of them."""
        whole = [div(chapter.blocks) for chapter in document.chapters]
        sources = pandoc.bibliography(self.book.bibliography)
        resolved = json.loads(pandoc.write(whole, "--to=json", "--citeproc", "--metadata=link-citations", *sources))
        for chapter, wrapped in zip(document.chapters, resolved["blocks"], strict=True):
            chapter.blocks = wrapped["c"][1]

    def _for_page(self, source: Path, element: Element, document: Document, url: str) -> list[Element] | None:
        if element["t"] == "Link":
            element["c"][2][0] = self._address(element["c"][2][0], document, url)
        elif element["t"] == "Image":
            attributes, _, target = element["c"]
            values = dict(attributes[2])
            alt = values.pop("fig-alt", None) or values.pop("alt", None) or pandoc.plain(element["c"][1])
            element["c"][1], target[0] = [string(alt)], self._image(source, target[0])
            if not values.keys() & {"width", "height"}:
                values |= self.sizes.get(target[0], {})
            image = target[0]
            target[0] = _from(url, image)
            attributes[2] = [*([name, value] for name, value in values.items()), ["loading", "lazy"]]
            if dark := self.dark.get(image):
                attributes[1] += [dark_twins.LIGHT]
                twin = copy.deepcopy(element)
                twin["c"][0][1][-1], twin["c"][2][0] = dark_twins.DARK, _from(url, dark)
                return [element, twin]
        return None

    def _address(self, target: str, document: Document, url: str) -> str:
        """A link as the page at this address has it."""
        file, _, anchor = target.partition("#")
        if re.match(r"\w+:", target) or (file and not file.endswith((".qmd", ".ipynb"))):
            return target
        if file.endswith(".ipynb"):
            page = _notebook_url(Path(file).stem)
        elif anchor in document.targets:
            page = self.urls[document.targets[anchor].slug]
        elif anchor.startswith("ref-"):
            page = self.urls.get("references", url)
        else:
            page = self.urls.get(Path(file).stem, f"{Path(file).stem}.html") if file else url
        return ("" if page == url else _from(url, page)) + (f"#{anchor}" if anchor else "")

    def _image(self, source: Path, target: str) -> str:
        path = located(target, source, self.book.root)
        if not path:
            self.problems.append(f"{source.name}: there is no image {target}")
            return target
        inside = path.relative_to(self.images) if path.is_relative_to(self.images) else Path(path.name)
        name = f"images/{inside.as_posix()}"
        if name not in self.sizes:
            self.folder.put(name, path.read_bytes())
            self.sizes[name] = size(path)
            if path.is_relative_to(self.images) and path.suffix == ".svg":  # a figure
                self.dark[name] = dark_twins.address(name)
                self.folder.put(self.dark[name], on_dark(path.read_text(encoding="utf-8")))
        return name

    # Notebooks

    def _notebook_page(self, notebook: NotebookFile, document: Document) -> SitePage:
        """What was executed, to read; and the file itself, to download."""
        cells = []
        for position, cell in enumerate(notebook.cells):
            if cell.kind == "markdown":
                cells.append(cell.source)
            elif cell.kind == "code":
                name = cell.label or f"cell-{position}"
                output = shortcodes.cell_output(cell, self.images / notebook.name, name)
                cells.append(f"```python\n{cell.code}\n```" if cell.code.strip() else "")
                cells.append(shortcodes.floating(cell, output))
        source = replaced("\n\n".join(cells), self.book.variables)
        blocks = pandoc.walk(pandoc.read(source), lambda element: self._for_notebook(element, document, notebook.name))
        blocks = [block for block in blocks if not (block["t"] == "Header" and block["c"][0] == 1)]
        name, url = notebook.path.name, _notebook_url(notebook.name)
        self.folder.put(url.removesuffix(".html") + ".ipynb", notebook.path.read_bytes())
        download = link([string(f"Download {name}")], name, "button")
        return SitePage(url, notebook.title, "", [{"t": "Para", "c": [download]}, *blocks], "notebook")

    def _for_notebook(self, element: Element, document: Document, name: str) -> list[Element] | None:
        url = _notebook_url(name)
        if (replaced_by := self._for_page(self.images, element, document, url)) is not None:
            return replaced_by
        if element["t"] == "Div" and labelled(pandoc.identifier(element)):
            label = pandoc.identifier(element)
            shown = as_float(label, element["c"][1])
            if target := document.targets.get(label):
                caption = shown["c"][1][1]
                there = link([string(f"{target.text} in the report.")], f"{_from(url, self.urls[target.slug])}#{label}")
                caption[0:1] = [{"t": "Plain", "c": [there, {"t": "Space"}, *(caption[0]["c"] if caption else [])]}]
            return [_scrolling(shown)]
        return element["c"][1] if element["t"] == "Div" and "content-visible" in pandoc.attributes(element)[1] else None

    def _html(self, page: SitePage, body: str, pages: list[SitePage], position: int) -> str:
        facts = self.book.variables
        groups = {
            "": [each for each in pages if each.kind == "chapter"],
            "Appendices": [each for each in pages if each.kind == "appendix"],
            "To explore": [SitePage(url, title, "", []) for url, title in self.extra.items()],
        }
        headings = [block for block in page.blocks if block["t"] == "Header" and 2 <= block["c"][0] <= 3]
        filled = fill(
            "autoencoders.reporting.without_quarto",
            "page.html",
            page=page,
            policy=scripts.OURS,
            book=self.book,
            body=_captions_first(body),
            groups={name: members for name, members in groups.items() if members},
            contents=[(each["c"][0], pandoc.identifier(each), pandoc.plain(each)) for each in headings],
            cover=[(label, facts[key]) for label, key in COVER.items() if facts.get(key)],
            notice=facts.get("notice.header", ""),
            warning=facts.get("notice.cover", ""),
            before=pages[position - 1] if 0 < position < len(pages) else None,
            after=pages[position + 1] if position + 1 < len(pages) else None,
        )
        return citation.with_metadata(filled, self.book)


def _notebook_url(name: str) -> str:
    return f"cache/notebooks/{name}.html"


def _from(page: str, target: str) -> str:
    """An address on the site as a link from a page."""
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def size(image: Path) -> dict[str, str]:
    """An image's own size in pixels, so that a page leaves room for it before it is there."""
    if image.suffix == ".svg":
        tag = re.search(rb"<svg\b[^>]*>", image.read_bytes())
        found = re.findall(rb'\s(width|height)="([\d.]+)(px|pt)?"', tag[0]) if tag else []
        return {kind.decode(): f"{float(value) * (4 / 3 if unit == b'pt' else 1):.0f}" for kind, value, unit in found}
    from PIL import Image

    with Image.open(image) as opened:
        return {"width": str(opened.width), "height": str(opened.height)}


def _search_index(pages: list[SitePage]) -> str:
    """One entry a section: where it is, what it is called, its prose, what its tables and code say, and its weight."""
    entries = []
    for page in pages:
        sections: list[tuple[str, str, list[Element]]] = [("", page.title, [])]
        for block in page.blocks:
            if block["t"] == "Header":
                sections.append((pandoc.identifier(block), pandoc.plain(block), []))
            else:
                sections[-1][2].append(block)
        for anchor, title, blocks in sections:
            prose, rest = (_words(part) for part in _parted(blocks))
            if prose or rest:
                url = page.url + (f"#{anchor}" if anchor else "")
                entries.append([url, page.name, title, prose, rest, 0.5 if page.kind == "appendix" else 1])
    return json.dumps(entries, ensure_ascii=False, separators=(",", ":"))


def _parted(blocks: list[Element]) -> tuple[list[Element], list[Element]]:
    """Prose, with captions, and apart from it tables and code, which name much and explain nothing."""
    prose, rest = [], []
    for block in blocks:
        if block["t"] == "Figure":
            prose += block["c"][1][1]
            rest += block["c"][2]
        else:
            (rest if block["t"] in ("Table", "CodeBlock") else prose).append(block)
    return prose, rest


def _words(blocks: list[Element]) -> str:
    return re.sub(r"\s+", " ", pandoc.plain(blocks)).strip()
