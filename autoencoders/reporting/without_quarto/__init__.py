"""The report without Quarto: the same chapters through Pandoc and Typst, both of which come as Python wheels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from autoencoders.errors import ReportError
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder, write_if_changed
from autoencoders.reporting.notebook_files import NotebookFile
from autoencoders.reporting.without_quarto import pandoc, pdf, site
from autoencoders.reporting.without_quarto.document import parse
from autoencoders.reporting.without_quarto.shortcodes import Expansion

WORKSHOP = Path("cache/report")  # images and the Typst source, below the project


def name() -> str:
    """What the colophon says."""
    return f"Pandoc {pandoc.version()} and Typst {version('typst')}, without Quarto"


def render(book: Book, executed: list[Path], extra: Mapping[str, str], add_extra: Callable[[Folder], None]) -> None:
    """Write the PDF and the site into the book's output folder.

    ``executed`` are the notebooks that the site shows; ``extra`` are addresses and titles of pages beside the chapters,
    which ``add_extra`` puts into the folder.
    """
    workshop = book.root / WORKSHOP
    images = workshop.resolve() / "images"
    expansion = Expansion(book.root, images, book.variables)
    chapters = parse(book, expansion)
    folder = Folder(book.output)
    pages = site.Site(book, folder, images, extra)
    with ThreadPoolExecutor(1) as pool:  # Typst leaves Python alone while it works
        printed = pool.submit(pdf.write, chapters, book, workshop)
        pages.write(chapters, [NotebookFile.read(path) for path in executed])
        content, problems = printed.result()
    if found := list(dict.fromkeys(expansion.problems + pages.problems + problems)):
        raise ReportError("the report has unresolved places:\n" + "\n".join(f"  {problem}" for problem in found))
    write_if_changed(book.pdf, content)  # listed nowhere: it stays when another group's report is made
    add_extra(folder)
    folder.drop_older()
