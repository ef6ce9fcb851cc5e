"""The site without Quarto: one plain page a chapter, with navigation, search and a dark mode; nothing from the network,
so that it also works from a disk and under any path."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from string import Template

from autoencoders.explore.pages import Head
from autoencoders.reporting import pandoc, shortcodes
from autoencoders.reporting.book import Book
from autoencoders.reporting.document import Chapter, Document, as_float, labelled, located, numbered, rewritten
from autoencoders.reporting.folder import Folder
from autoencoders.reporting.notebooks import Notebook
from autoencoders.reporting.pandoc import Element, div, link, span, string

ASSETS = resources.files("autoencoders.reporting").joinpath("assets")
HTML = ("--to=html5", "--mathml", "--wrap=none", "--syntax-highlighting=pygments")


class HtmlDialect:
    formats = frozenset({"html"})

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


@dataclass
class Page:
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
    offered: Sequence[Head] = ()  # pages to explore, beside the chapters
    problems: list[str] = field(default_factory=list)
    sizes: dict[str, dict[str, str]] = field(default_factory=dict)  # of the images put there, by name

    def write(self, chapters: list[Chapter], notebooks: Iterable[Notebook]) -> None:
        document = numbered(chapters, HtmlDialect())
        self._resolve_citations(document)
        rewritten(document, lambda chapter, element: self._for_page(chapter.source, element, document, chapter.slug))
        pages = [
            Page(f"{c.slug}.html", c.title, c.number, c.blocks, "appendix" if c.appendix else "chapter")
            for c in document.chapters
        ]
        executed = [self._notebook_page(notebook, document) for notebook in notebooks]
        with ThreadPoolExecutor() as pool:
            bodies = list(pool.map(lambda page: pandoc.write(page.blocks, *HTML), pages + executed))
        for position, (page, body) in enumerate(zip(pages + executed, bodies, strict=True)):
            neighbours = (
                pages[position - 1] if 0 < position < len(pages) else None,
                *pages[position + 1 : position + 2],
            )
            self.folder.put(page.url, self._page(page, body, pages, neighbours))
        for asset in ("palette.css", "style.css", "site.js"):
            self.folder.put(asset, ASSETS.joinpath(asset).read_text(encoding="utf-8"))
        self.folder.put("search.js", f"window.searchIndex = {_search_index(pages)};\n")
        self.problems += document.problems

    # Links and images

    def _resolve_citations(self, document: Document) -> None:
        """All chapters at once, since the list of references stands in one of them."""
        whole = [div(chapter.blocks) for chapter in document.chapters]
        sources = [f"--bibliography={path}" for path in self.book.bibliography]
        resolved = json.loads(pandoc.write(whole, "--to=json", "--citeproc", "--metadata=link-citations", *sources))
        for chapter, wrapped in zip(document.chapters, resolved["blocks"], strict=True):
            chapter.blocks = wrapped["c"][1]

    def _for_page(self, source: Path, element: Element, document: Document, slug: str) -> Element | None:
        if element["t"] == "Link":
            element["c"][2][0] = self._address(element["c"][2][0], document, slug)
        elif element["t"] == "Image":
            attributes, _, target = element["c"]
            values = dict(attributes[2])
            alt = values.pop("fig-alt", None) or values.pop("alt", None) or pandoc.plain(element["c"][1])
            element["c"][1], target[0] = [string(alt)], self._image(source, target[0])
            if not values.keys() & {"width", "height"}:
                values |= self.sizes.get(target[0], {})
            attributes[2] = [*([name, value] for name, value in values.items()), ["loading", "lazy"]]
        return None

    def _address(self, target: str, document: Document, slug: str) -> str:
        file, _, anchor = target.partition("#")
        if file.endswith(".ipynb"):
            return f"notebooks/{Path(file).stem}.html" + (f"#{anchor}" if anchor else "")
        if re.match(r"\w+:", target) or (file and not file.endswith(".qmd")):
            return target
        if anchor in document.targets:
            file = document.targets[anchor].slug
        elif anchor.startswith("ref-"):
            file = "references"
        page = Path(file).stem if file else slug
        return (f"{page}.html" if page != slug else "") + (f"#{anchor}" if anchor else "")

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
        return name

    # Notebooks

    def _notebook_page(self, notebook: Notebook, document: Document) -> Page:
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
        source, _ = shortcodes.with_variables("\n\n".join(cells), self.book.variables)
        blocks = pandoc.walk(pandoc.read(source), lambda element: self._for_notebook(element, document))
        blocks = [block for block in blocks if not (block["t"] == "Header" and block["c"][0] == 1)]
        name = notebook.path.name
        self.folder.put(f"notebooks/{name}", notebook.path.read_bytes())
        download = link([string(f"Download {name}")], name, "button")
        return Page(
            f"notebooks/{notebook.name}.html", notebook.title, "", [{"t": "Para", "c": [download]}, *blocks], "notebook"
        )

    def _for_notebook(self, element: Element, document: Document) -> list[Element] | None:
        self._for_page(self.images, element, document, "")
        if element["t"] == "Image":
            element["c"][2][0] = f"../{element['c'][2][0]}"
        if element["t"] == "Div" and labelled(pandoc.identifier(element)):
            label = pandoc.identifier(element)
            shown = as_float(label, element["c"][1])
            if target := document.targets.get(label):
                caption = shown["c"][1][1]
                there = link([string(f"{target.text} in the report.")], f"../{target.slug}.html#{label}")
                caption[0:1] = [{"t": "Plain", "c": [there, {"t": "Space"}, *(caption[0]["c"] if caption else [])]}]
            return [_scrolling(shown)]
        return element["c"][1] if element["t"] == "Div" and "content-visible" in pandoc.attributes(element)[1] else None

    # Pages

    def _page(self, page: Page, body: str, pages: list[Page], neighbours: tuple[Page | None, ...]) -> str:
        facts = self.book.variables
        before, after = (*neighbours, None, None)[:2]
        notice = facts.get("notice.header", "")
        template = Template(ASSETS.joinpath("page.html").read_text(encoding="utf-8"))
        return template.substitute(
            base=page.base,
            page_title=html.escape(page.name),
            title=html.escape(self.book.title),
            subtitle=html.escape(self.book.subtitle),
            pdf=html.escape(self.book.pdf.name),
            notice=f'<p class="notice" role="note">{html.escape(notice)}</p>' if notice else "",
            cover=_cover(self.book) if page.url == "index.html" else "",
            heading=f"<h1>{html.escape(page.title)}</h1>" if page.kind == "notebook" else "",
            navigation=_navigation(pages, page, self.offered),
            contents=_contents(page),
            body=body,
            previous=f'<a rel="prev" href="{before.url}"><span>Previous</span>{html.escape(before.name)}</a>'
            if before
            else "<i></i>",
            next=f'<a rel="next" href="{after.url}"><span>Next</span>{html.escape(after.name)}</a>' if after else "",
            kind=page.kind,
        )


def size(image: Path) -> dict[str, str]:
    """An image's own size in pixels, so that a page leaves room for it before it is there."""
    if image.suffix == ".svg":
        tag = re.search(rb"<svg\b[^>]*>", image.read_bytes())
        found = re.findall(rb'\s(width|height)="([\d.]+)(px|pt)?"', tag[0]) if tag else []
        return {kind.decode(): f"{float(value) * (4 / 3 if unit == b'pt' else 1):.0f}" for kind, value, unit in found}
    from PIL import Image

    with Image.open(image) as opened:
        return {"width": str(opened.width), "height": str(opened.height)}


def _cover(book: Book) -> str:
    facts = book.variables
    named = {
        "Group": "group",
        "Authors": "authors",
        "Data": "dataset.title",
        "Profile": "profile.title",
        "Seeds": "seeds",
    }
    rows = [(label, facts[key]) for label, key in named.items() if facts.get(key)]
    items = "".join(f"<div><dt>{label}</dt><dd>{html.escape(value)}</dd></div>" for label, value in rows)
    notice = facts.get("notice.cover", "")
    title = '<div class="callout-title"><p>Stand-in data</p></div>'
    warning = f'<div class="callout warning">{title}<p>{html.escape(notice)}</p></div>'
    return (
        f'<header class="cover"><h1>{html.escape(book.title)}</h1><p class="subtitle">{html.escape(book.subtitle)}</p>'
        f"<dl>{items}</dl>{warning if notice else ''}</header>"
    )


def _navigation(pages: list[Page], current: Page, offered: Sequence[Head]) -> str:
    def item(page: Page) -> str:
        here = ' aria-current="page"' if page is current else ""
        number = f'<span class="number">{page.number}</span>' if page.number else ""
        return f'<li><a href="{current.base}{page.url}"{here}>{number}<span>{html.escape(page.title)}</span></a></li>'

    chapters = "".join(item(page) for page in pages if page.kind == "chapter")
    appendices = "".join(item(page) for page in pages if page.kind == "appendix")
    beside = "".join(
        f'<li><a href="{current.base}{head.url}"><span>{html.escape(head.title)}</span></a></li>' for head in offered
    )
    groups = {"Appendices": appendices, "To explore": beside}
    return f"<ul>{chapters}</ul>" + "".join(f"<p>{name}</p><ul>{items}</ul>" for name, items in groups.items() if items)


def _contents(page: Page) -> str:
    def item(heading: Element) -> str:
        level, text = heading["c"][0], html.escape(pandoc.plain(heading))
        return f'<li class="level-{level}"><a href="#{pandoc.identifier(heading)}">{text}</a></li>'

    headings = [block for block in page.blocks if block["t"] == "Header" and 2 <= block["c"][0] <= 3]
    items = "".join(item(heading) for heading in headings)
    return f"<p>On this page</p><ul>{items}</ul>" if items else ""


def _search_index(pages: list[Page]) -> str:
    """One entry a section: where it is, what it is called, what it says."""
    entries = []
    for page in pages:
        sections: list[tuple[str, str, list[Element]]] = [("", page.title, [])]
        for block in page.blocks:
            if block["t"] == "Header":
                sections.append((pandoc.identifier(block), pandoc.plain(block), []))
            else:
                sections[-1][2].append(block)
        for anchor, title, blocks in sections:
            if text := re.sub(r"\s+", " ", pandoc.plain(blocks)).strip():
                entries.append([page.url + (f"#{anchor}" if anchor else ""), page.name, title, text])
    return json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
