"""How pages and the submission say what they are to be cited as."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

from autoencoders.reporting import citation
from autoencoders.reporting.book import Book

PAGE = "<html><head><title>2 Data &amp; method</title>\n</head><body></body></html>"
BOOK = Book(
    root=Path(),
    title="Learning <images>",
    subtitle="An assignment",
    stem="G07_Report",
    rendered=Path("build"),
    output=Path("_book"),
    chapters=(),
    appendices=(),
    bibliography=(),
    edition="standard",
    variables={"group": "G07", "authors": "Ada Lovelace, Žofie Müller-李", "date": "2026-11-26"},
)


def said(page: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', page):
        found.setdefault(name, []).append(unescape(value))
    return found


def test_page_tells_machines_how_to_cite_the_report() -> None:
    page = citation.with_metadata(PAGE, BOOK)
    found = said(page)
    assert found["citation_title"] == ["Learning <images>"]
    assert found["citation_author"] == ["Ada Lovelace", "Žofie Müller-李"]
    assert found["citation_publication_date"] == ["2026/11/26"]
    assert found["citation_pdf_url"] == ["G07_Report.pdf"]
    assert found["og:title"] == ["2 Data & method"]
    assert page.index("og:title") < page.index("</head>")
    assert citation.with_metadata(page, BOOK) == page, "once"


def test_group_is_cited_where_no_author_is_named() -> None:
    anonymous = replace(BOOK, variables={"group": "G07", "authors": "", "date": "2026-11-26"})
    assert said(citation.with_metadata(PAGE, anonymous))["citation_author"] == ["Group G07"]
    assert "Group G07 (2026). *Learning <images>.*" in citation.as_markdown(anonymous)


def test_readme_gives_an_entry_for_bibtex() -> None:
    text = citation.as_markdown(BOOK)
    assert "@misc{G072026," in text
    assert "  author = {{Ada Lovelace} and {Žofie Müller-李}},\n" in text
    assert "  year = {2026},\n" in text
