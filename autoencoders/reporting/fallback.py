"""The report without Quarto: the same chapters through Pandoc and Typst, both of which come as Python wheels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autoencoders.errors import ReportError
from autoencoders.explore.pages import Head
from autoencoders.reporting import pdf, site
from autoencoders.reporting.book import Book
from autoencoders.reporting.document import parse
from autoencoders.reporting.folder import Folder
from autoencoders.reporting.notebooks import Notebook
from autoencoders.reporting.shortcodes import Expansion

WORKSHOP = Path("cache/report")  # images and the Typst source, below the project


def name() -> str:
    """What the colophon says."""
    from importlib.metadata import version

    from autoencoders.reporting import pandoc

    return f"Pandoc {pandoc.version()} and Typst {version('typst')}, without Quarto"


def render(book: Book, executed: list[Path], offered: Sequence[Head], more: Callable[[Folder], None]) -> None:
    """The PDF and the site, into the book's output folder; ``executed`` are the notebooks that the site shows;
    ``offered`` are pages beside its chapters, which ``more`` adds."""
    workshop = book.root / WORKSHOP
    images = workshop.resolve() / "images"
    expansion = Expansion(book.root, images, book.variables)
    chapters = parse(book, expansion)
    folder = Folder(book.output)
    pages = site.Site(book, folder, images, offered)
    with ThreadPoolExecutor(1) as pool:  # Typst leaves Python alone while it works
        printed = pool.submit(pdf.write, chapters, book, workshop)
        pages.write(chapters, [Notebook.read(path) for path in executed])
        content, problems = printed.result()
    if found := list(dict.fromkeys(expansion.problems + pages.problems + problems)):
        raise ReportError("the report has unresolved places:\n" + "\n".join(f"  {problem}" for problem in found))
    folder.put(book.pdf.name, content)
    more(folder)
    folder.drop_the_rest()
