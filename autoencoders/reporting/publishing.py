"""What was rendered takes the place of the last book once it is whole; whatever fails before leaves that one alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoencoders.reporting import checks, pages
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder, write_if_changed


def publish(book: Book) -> None:
    """Check what was rendered, and put it where readers find it; a site alone keeps the last PDF, a PDF the last site.

    Whoever is interrupted here has old pages beside new ones until the same command runs again.
    """
    site = (book.rendered / "index.html").exists()
    if site and not (book.rendered / book.pdf.name).exists():
        _keep_pdf(book)
    checks.check(book)
    folder = Folder(book.output) if site else Folder.found(book.output)
    for path in sorted(Folder.found(book.rendered).files):
        folder.put(path.relative_to(book.rendered).as_posix(), path.read_bytes())
    folder.drop_the_rest()
    if book.pdf.exists():
        pages.report(book)


def _keep_pdf(book: Book) -> None:
    """Give a site that was rendered alone the last PDF; where there is none, its pages offer none."""
    if book.pdf.exists():
        shutil.copyfile(book.pdf, book.rendered / book.pdf.name)
        return
    offer = re.compile(
        rf"""<a\b[^>]*href="[^"]*{re.escape(book.pdf.name)}".*?</a>|<meta name="citation_pdf_url"[^>]*>""", re.DOTALL
    )
    for path in book.rendered.rglob("*.html"):
        write_if_changed(path, offer.sub("", path.read_text(encoding="utf-8")))


@contextmanager
def tidy(book: Book) -> Iterator[None]:
    """Drop afterwards what Quarto leaves beside the chapters when it fails or is interrupted; what lay there before
    is somebody's."""
    before = _litter(book)
    try:
        yield
    finally:
        for path in _litter(book) - before:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _litter(book: Book) -> set[Path]:
    """Whatever is called as Quarto calls its intermediate results."""
    pages = [source.with_suffix(end) for source in book.sources for end in (".html", ".typ")]
    pages += [book.root / f"{name}{end}" for name in ("index", book.stem) for end in (".typ", ".pdf")]
    folders = [source.with_name(f"{source.stem}_files") for source in book.sources]
    return {path for path in (*pages, *folders, book.root / "site_libs") if path.exists()}
