"""Where the pages of the PDF break: what belongs together stays together."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typst
from pypdf import PdfReader
from reporting_sample import CHAPTERS, render, write_book

from autoencoders.reporting import pages
from autoencoders.reporting.without_quarto import pdf, placement
from autoencoders.settings import PROJECT


def set_in_style(folder: Path, body: str) -> list[str]:
    """The text of each page."""
    (folder / "a.typ").write_text(f'{pdf.style()}\n#show: book.with((title: "T", subtitle: "S"))\n{body}')
    typst.compile(str(folder / "a.typ"), output=str(folder / "a.pdf"), ignore_system_fonts=True)
    return [page.extract_text() for page in PdfReader(folder / "a.pdf").pages]


def table(name: str, rows: int) -> str:
    cells = ", ".join(f"[{name} {row}], [x]" for row in range(rows))
    return f"#figure(table(columns: 2, table.header([a], [b]), {cells}), caption: [About {name}.], kind: table)\n"


def test_pdf_keeps_an_equation_with_the_sentence_that_leads_to_it(tmp_path: Path) -> None:
    source = "# Two {#sec-two}\n\n" + "".join(
        f"```{{=typst}}\n#pagebreak()\nAbove {height} #v({height / 10}cm)\n```\n\n"
        f"Sentence {height} is trained so that\n\n"
        f"$$ x_{{{height}}} $$ {{#eq-at{height}}}\n\n"
        for height in range(220, 246, 2)
    )
    book = write_book(tmp_path, CHAPTERS | {"report/two.qmd": source})
    render(book)
    pages = [page.extract_text() for page in PdfReader(book.pdf).pages]
    sentences = [page for page in pages if "Sentence" in page]
    assert len(sentences) == 13
    assert all("(2." in page for page in sentences)


def test_pdf_breaks_a_long_table_below_some_of_its_rows(tmp_path: Path) -> None:
    """Or before its caption, which never stands alone at the foot of a page."""
    heights = (18, 22, 23, 23.6, 24, 24.3)
    body = "".join(f"#pagebreak()\n#v({height}cm)\n" + table(f"row{i}", 80) for i, height in enumerate(heights))
    pages = set_in_style(tmp_path, body)
    for i in range(len(heights)):
        begun, *_, ended = [page.count(f"row{i} ") for page in pages if f"row{i}" in page]
        assert begun > 3
        assert ended


def test_pdf_hyphenates_nothing_bold_and_keeps_a_level_on_one_line(tmp_path: Path) -> None:
    narrow = "#block(width: 2.2cm)[%s]"
    (text,) = set_in_style(tmp_path, narrow % "*is quite undecided of reconstructions*")[1:] or [""]
    assert "undecided" in text
    assert "reconstructions" in text
    shown = set_in_style(tmp_path, "".join(narrow % f"{'a' * n} at σ = 0.2" for n in range(14)))[-1]
    assert shown.replace("\u00a0", " ").count("σ = 0.2") == 14


def test_claims_table_breaks_no_sample_size_interval_or_verdict(tmp_path: Path) -> None:
    chapter = (PROJECT / "report/claims.qmd").read_text(encoding="utf-8")
    shares = json.loads(re.findall(r'tbl-colwidths="(.*?)"', chapter)[0])
    assert sum(shares) == pytest.approx(100)
    claim = "at σ = 0.3 the DAE trained there denoises better than the linear map fitted there"
    row = ["c10", "R12", claim, "DAE σ = 0.3, vector: 24.02", "−3.04 [−3.07, −3.01]", "0.0005", "10,000 × 3", "≤ 10⁻⁴"]
    cells = ", ".join(pdf.string(cell) for cell in [*row, "undecided; alone contradicted"])
    widths = ", ".join(f"{share}%" for share in shares)
    shown = set_in_style(tmp_path, f"#figure(table(columns: ({widths}), {cells}), caption: [Claims.], kind: table)")[-1]
    lines = [line.replace("\u00a0", " ") for line in shown.splitlines()]
    for whole in ("c10", "R12", "0.0005", "10,000 × 3", "≤ 10⁻⁴", "[−3.07, −3.01]", "undecided; alone", "contradicted"):
        assert any(whole in line for line in lines), f"{whole} is broken"


def chapter(number: int, *sections: str) -> str:
    return f"#before-chapter\n= Chapter {number}\n" + "\n".join(sections)


def drawing(name: str, height: float = 8) -> str:
    return f"See {name}.\n#figure(rect(height: {height}cm), caption: [{name}: Something.])\n"


def test_pdf_keeps_figures_in_their_chapters_and_its_pages_full(tmp_path: Path) -> None:
    lines = "\n\n".join(["#lorem(40)"] * 9)
    book = [
        chapter(1, lines, drawing("Figure 1.1"), drawing("Figure 1.2"), "End."),
        chapter(2, lines, drawing("Figure 2.1"), drawing("Figure 2.2"), "#lorem(90)"),
        chapter(3, lines, lines, drawing("Figure 3.1", 5), "End."),
        chapter(4, drawing("Figure 4.1"), lines),
        "#before-chapter\n#heading(numbering: none)[References]\nSome",
    ]
    (tmp_path / "a.typ").write_text(f'{pdf.style()}\n#show: book.with((title: "T", subtitle: "S"))\n' + "\n".join(book))
    compiler = typst.Compiler(str(tmp_path / "a.typ"), ignore_system_fonts=True)
    compiler.compile(output=str(tmp_path / "a.pdf"))
    assert any(page.foreign for page in pages.measured(tmp_path / "a.pdf", ["References"])), "nothing to be mended"
    content, warnings = placement.compiled(compiler)
    (tmp_path / "a.pdf").write_bytes(content)
    *found, last = pages.measured(tmp_path / "a.pdf", ["References"])
    assert warnings == []
    assert sum(len(page.floats) for page in (*found, last)) == 6
    assert pages.complaints(found, pages.Limits(away=1)) == []
    assert last.foreign == ()


def test_chapter_waits_for_a_new_page_only_where_little_stays_empty() -> None:
    def marks(height: float) -> list[placement.Mark]:
        return [
            {"kind": "before", "chapter": 1, "page": 1, "y": 2},
            {"kind": "chapter", "chapter": 1, "page": 1, "y": 2},
            {"kind": "float", "chapter": 1, "number": 1, "page": 1, "y": 20},
            {"kind": "float", "chapter": 1, "number": 2, "page": 2, "y": 2},
            {"kind": "before", "chapter": 2, "page": 1, "y": height},
            {"kind": "chapter", "chapter": 2, "page": 1, "y": height},
        ]

    assert placement.improved(marks(15)) == placement.Placement(fresh=(2,), top=(2,))
    assert placement.improved(marks(9)) == placement.Placement(fresh=(), top=(2,))
