"""What each edition of the PDF prints, and what its pages look like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pypdf import PdfReader
from reporting_sample import CHAPTERS, VALUES, render, write_book

from autoencoders.reporting import book as books
from autoencoders.reporting import editions, pages
from autoencoders.settings import EDITIONS, PROJECT

CONDITIONAL = """# Two {#sec-two}

::: {.content-visible when-meta="edition.standard"}
## Again {#sec-r02}

See @fig-again. @Fig-again, @fig-again.

{{< embed /cache/notebooks/01-sample.ipynb#fig-again >}}
:::

::: {.content-visible when-meta="edition.full"}
More of it.
:::

::: {.content-visible unless-meta="edition.standard"}
@Fig-again is in @sec-r02.
:::
"""


@pytest.mark.parametrize(
    ("edition", "text", "numbered"),
    [
        ("short", "A figure on the site is in the site.", False),
        ("standard", "See Figure 2.1. Figure 2.1, Figure 2.1.", True),
        ("full", "More of it.", True),
    ],
)
def test_edition_prints_its_share_and_the_site_shows_all(
    tmp_path: Path, edition: str, text: str, numbered: bool
) -> None:
    values = VALUES | {"edition": {"name": edition}}
    made = write_book(tmp_path, CHAPTERS | {"report/two.qmd": CONDITIONAL}, values)
    render(made)
    printed = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(made.pdf).pages))
    assert text in printed
    assert ("Figure 2.1:" in printed) is numbered
    shown = (made.output / "report/two.html").read_text(encoding="utf-8")
    assert 'id="fig-again"' in shown
    assert "More of it." in shown
    assert "on the site" not in shown


def test_edition_names_the_requirements_that_it_leaves_to_the_site(tmp_path: Path) -> None:
    sources = write_book(tmp_path, CHAPTERS | {"report/two.qmd": CONDITIONAL}).sources
    assert editions.unanswered(sources, "short") == ["R2"]
    assert editions.unanswered(sources, "standard") == []
    assert editions.left_out(sources, "short") == {"sec-r02": "the site", "fig-again": "a figure on the site"}


def test_book_without_marks_has_one_edition(tmp_path: Path) -> None:
    sources = write_book(tmp_path).sources
    assert {editions.printed(sources, edition) for edition in EDITIONS} == {editions.LONGEST}
    assert editions.printed(books.sources(PROJECT), "short") == "short"


def test_standard_edition_answers_every_requirement_in_print() -> None:
    assert editions.unanswered(books.sources(PROJECT), "standard") == []


def test_figures_stand_in_the_section_that_first_refers_to_them() -> None:
    """Or print may set them pages later."""
    sources = books.sources(PROJECT)
    missing = editions.left_out(sources, "standard")
    for path in sources:
        sections = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for label in re.findall(r"embed \S+#((?:fig|tbl)-[\w-]+)", "".join(sections)):
            first = next(text for text in sections if re.search(rf"[@#]{label}\b", text, re.IGNORECASE))
            assert label in missing or f"#{label} " in first, f"{path.name}: {label} stands below its section"


def test_references_to_the_site_begin_sentences_with_a_capital() -> None:
    """`@Tbl-x` reads "A table on the site", where an edition leaves the table out."""
    sources = books.sources(PROJECT)
    for path in sources:
        for label in re.findall(r"(?:^|[.?!:] |\n)@((?:fig|tbl|sec|eq)-[\w-]+)", path.read_text(encoding="utf-8")):
            assert label not in editions.left_out(sources, EDITIONS[0]), f"{path.name}: @{label} begins a sentence"


def set_by_typst(folder: Path, source: str) -> Path:
    import typst

    (folder / "a.typ").write_text('#set page("a4", margin: (top: 2.2cm, bottom: 1.9cm))\n' + source)
    typst.compile(str(folder / "a.typ"), output=str(folder / "a.pdf"))
    return folder / "a.pdf"


FULL = "#for i in range(20) [ #lorem(20) #parbreak() ]"


def test_pages_are_measured_as_readers_see_them(tmp_path: Path) -> None:
    source = f"""Cover #pagebreak()
    = Begin
    See Figure 1.1 and Table 1.2.
    {FULL} #pagebreak()
    Figure 1.1: A picture #v(12cm) Table 1.1: A table #pagebreak()
    Half #v(11cm) Table 1.2: Another
    = References
    Some #parbreak() Table A.1: After the body"""
    found = pages.measured(set_by_typst(tmp_path, source), ["References"])
    cover, full, gap, half, *rest = found
    assert [cover.part, full.part, gap.part, half.part] == ["cover", "body", "body", "body"]
    assert rest == []
    assert full.empty < 0.2
    assert gap.floats == ("Figure 1.1", "Table 1.1")
    assert gap.empty > 0.8
    assert half.empty > 0.8
    assert half.floats == ("Table 1.2", "Table A.1"), "where both parts share a page"
    assert pages.ways(found) == {"Figure 1.1": 1, "Table 1.2": 2}
    assert pages.complaints(found, pages.Limits(away=1))[-2:] == [
        "never refers to Table 1.1",
        "has Table 1.2 2 pages after the text that first refers to it",
    ]


def test_page_that_is_half_empty_is_complained_of(tmp_path: Path) -> None:
    source = f"= Begin\n{FULL} #pagebreak()\n#block(height: 12cm, clip: true)[{FULL}] #pagebreak()\n= References\nSome"
    found = pages.measured(set_by_typst(tmp_path, source), ["References"])
    assert [page.part for page in found][-1] == "appendix"
    (complaint,) = pages.complaints(found, pages.Limits())
    assert re.fullmatch(r"leaves 5\d % of page 2 empty", complaint)
    told = pages.complaints(found, pages.Limits(pages=2, body=1, appendix=1, floats=0))
    assert told[:2] == ["has 3 pages, 2 at most are wanted", "has 2 pages before the appendix, 1 at most are wanted"]
    assert len(told) == 3


def test_float_in_another_chapter_is_complained_of(tmp_path: Path) -> None:
    source = """#set heading(numbering: "1.1")
    = One
    #v(3cm) Figure 1.1: Here \\ Figure 2.1: Too early \\ #v(1cm)
    = Two
    Figure 1.2: Too late
    == Within
    Figure 2.2: Here
    = References
    Some"""
    found = pages.measured(set_by_typst(tmp_path, source), ["References"])
    assert [page.foreign for page in found] == [("Figure 2.1", "Figure 1.2")]
    assert "has Figure 1.2 in another chapter" in pages.complaints(found, pages.Limits())
