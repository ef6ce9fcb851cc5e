"""Where the pages of the PDF break: what belongs together stays together."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pypdf import PdfReader
from reporting_sample import CHAPTERS, render, write_book

from autoencoders.reporting.without_quarto import pdf
from autoencoders.settings import PROJECT


def set_in_style(folder: Path, body: str) -> list[str]:
    """The text of each page."""
    import typst

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
