"""How the report is cited: by machines, from its pages, and by people, from the submission's README."""

from __future__ import annotations

import re
from html import escape

from autoencoders.reporting.book import Book

MARK = '<meta name="citation_title"'
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def authors(book: Book) -> list[str]:
    """The people, or the group where it has named none."""
    named = [name for name in book.variables.get("authors", "").split(", ") if name]
    return named or [f"Group {_group(book)}"]


def _group(book: Book) -> str:
    return book.variables.get("group", "")


def with_metadata(page: str, book: Book) -> str:
    """The page with what Google Scholar and Zotero (`citation_*`) and previews of links (Open Graph) look for."""
    if MARK in page or not (title := TITLE.search(page)):
        return page
    said = {
        "citation_title": [book.title],
        "citation_author": authors(book),
        "citation_publication_date": [book.variables.get("date", "").replace("-", "/")],
        "citation_technical_report_number": [_group(book)],
        "citation_pdf_url": [book.pdf.name],
        "citation_language": ["en"],
    }
    shown = {"og:type": "article", "og:site_name": book.title, "og:description": book.subtitle}
    lines = [f'<meta name="{name}" content="{escape(v)}">' for name, values in said.items() for v in values if v]
    lines += [f'<meta property="{name}" content="{escape(value)}">' for name, value in shown.items()]
    lines += [f'<meta property="og:title" content="{title[1].strip()}">']  # which is escaped already
    return page.replace("</head>", "\n".join([*lines, "</head>"]), 1)


def as_markdown(book: Book) -> str:
    """A section for people, with an entry for BibTeX."""
    names, date = authors(book), book.variables.get("date", "")
    entry = {
        "author": " and ".join(f"{{{name}}}" for name in names),
        "title": book.title,
        "note": f"{book.subtitle}, group {_group(book)}",
        "year": date[:4],
    }
    fields = "".join(f"  {name} = {{{value}}},\n" for name, value in entry.items() if value)
    key = re.sub(r"\W", "", _group(book))
    cited = f"{', '.join(names)} ({date[:4]}). *{book.title}.* {book.subtitle}."
    return f"## How to cite this report\n\n{cited}\n\n```bibtex\n@misc{{{key}{date[:4]},\n{fields}}}\n```\n"
