"""What shortcodes stand for, and how figures, tables, equations and sections are counted and referred to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from reporting_sample import SVG, TABLE, VALUES, code, figure, write_book, write_notebook

from autoencoders.errors import InputError, ReportError
from autoencoders.reporting import variables
from autoencoders.reporting.book import Book
from autoencoders.reporting.notebook_files import NotebookFile
from autoencoders.reporting.without_quarto import document, pandoc
from autoencoders.reporting.without_quarto.pdf import TypstDialect
from autoencoders.reporting.without_quarto.shortcodes import Expansion
from autoencoders.reporting.without_quarto.site import HtmlDialect
from autoencoders.settings import PROJECT


def expanded(tmp_path: Path, source: str, values: dict[str, str] | None = None) -> tuple[str, list[str]]:
    chapter = tmp_path / "report/one.qmd"
    chapter.parent.mkdir(exist_ok=True)
    chapter.write_text(source)
    expansion = Expansion(tmp_path, tmp_path / "images", values or {})
    return expansion.chapter(chapter), expansion.problems


def numbered(
    tmp_path: Path, *chapters: str, dialect: document.Dialect | None = None, appendices: int = 0
) -> document.Document:
    parsed = []
    for i, source in enumerate(chapters):
        blocks = pandoc.read(source)
        appendix = i >= len(chapters) - appendices
        parsed.append(document.Chapter(tmp_path / f"{i}.qmd", f"Chapter {i}", blocks, appendix=appendix))
    return document.numbered(parsed, dialect or HtmlDialect())


def text(found: document.Document, chapter: int = 0) -> str:
    return pandoc.plain(found.chapters[chapter].blocks).replace("\u00a0", " ")


def test_variables_are_text_in_the_file_and_written_only_when_they_change(tmp_path: Path) -> None:
    path = tmp_path / "_variables.yml"
    values: dict[str, Any] = {
        "group": "G00",
        "n": {"error": 0.1, "images": 10_000, "text": "0.10", "odd": 'a: "b" # {{ }}\n- c', "yes": "on"},
    }
    assert variables.write(path, values)
    first = path.read_bytes()
    assert not variables.write(path, values)
    assert path.read_bytes() == first
    assert variables.read(path) == {"group": "G00", "n": {k: str(v) for k, v in values["n"].items()}}
    assert variables.write(path, values | {"group": "G01"})


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("{{< var a >}}", "1"),
        ("x{{<var a.b>}}y", "x2y"),
        ("$\\sigma = {{< var a >}}$", "$\\sigma = 1$"),
        ("{{{< var a >}}}", "{{{< var a >}}}"),  # how Quarto escapes one
        ("none", "none"),
    ],
)
def test_variable_is_replaced_wherever_it_stands(tmp_path: Path, source: str, result: str) -> None:
    assert expanded(tmp_path, source, {"a": "1", "a.b": "2"}) == (result, [])


def test_shortcode_that_fails_is_named_with_file_and_line(tmp_path: Path) -> None:
    source = "fine\n\n{{< var none >}}\n{{< video x >}}\n{{< embed /no.ipynb#fig-x >}}\n{{< include no.md >}}"
    _, problems = expanded(tmp_path, source)
    assert [problem.split(": ")[0] for problem in problems] == [f"report/one.qmd:{n}" for n in (3, 4, 5, 6)]
    assert "no variable is called none" in problems[0]
    assert "no.ipynb: there is no such notebook" in problems[2]


def test_included_file_is_expanded_as_well(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/part.md").write_text("part {{< var a >}}")
    assert expanded(tmp_path, "{{< include /cache/part.md >}}", {"a": "1"}) == ("part 1", [])


def embedded(tmp_path: Path, cell: dict[str, Any], label: str, options: str = "") -> str:
    write_notebook(tmp_path / "cache/notebooks/n.ipynb", cell)
    source, problems = expanded(tmp_path, f"{{{{< embed /cache/notebooks/n.ipynb#{label}{options} >}}}}")
    assert problems == []
    return source


def test_embedded_figure_has_image_caption_alt_text_and_notebook(tmp_path: Path) -> None:
    source = embedded(tmp_path, figure("fig-x", caption="It falls.", alt='A "curve"'), "fig-x")
    (block,) = pandoc.read(source)
    assert block["c"][0][0] == "fig-x"
    assert dict(block["c"][0][2]) == {"notebook": "n"}
    assert pandoc.plain(block["c"][1][-1]).strip() == "It falls."
    assert (tmp_path / "images/n/fig-x.svg").read_text() == SVG
    assert 'fig-alt="A \\"curve\\""' in source


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        ({"image/png": "iVBORw0K", "image/svg+xml": SVG}, "svg"),
        ({"image/png": "iVBORw0K"}, "png"),
        ({"image/jpeg": "iVBORw0K", "image/png": "iVBORw0K"}, "png"),
    ],
)
def test_embedded_figure_is_its_best_image(tmp_path: Path, data: dict[str, str], extension: str) -> None:
    embedded(tmp_path, figure("fig-x", **data), "fig-x")
    assert [path.name for path in (tmp_path / "images/n").iterdir()] == [f"fig-x.{extension}"]


def test_wide_table_keeps_columns_as_wide_as_their_cells() -> None:
    wide = f"| {'a' * 90} | b |\n|:--|--:|\n| 1 | 2 |"
    (block,) = pandoc.read(wide)
    assert {width["t"] for _, width in block["c"][2]} == {"ColWidthDefault"}


def test_embedded_cell_without_caption_is_plain_text(tmp_path: Path) -> None:
    cell = code("#| label: claims\n1", {"text/markdown": "It **holds**."})
    assert embedded(tmp_path, cell, "claims").strip() == "It **holds**."


def test_interactive_figure_has_a_still_twin_in_print(tmp_path: Path) -> None:
    source = embedded(tmp_path, figure("fig-x", **{"text/html": "<p>turn me</p>", "image/svg+xml": SVG}), "fig-x")
    shown = {}
    dialects: tuple[document.Dialect, ...] = (HtmlDialect(), TypstDialect())
    for dialect in dialects:
        found = numbered(tmp_path, f"# A\n\n{source}", dialect=dialect)
        shown[type(dialect)] = str(found.chapters[0].blocks)
    assert "turn me" in shown[HtmlDialect]
    assert "fig-x.svg" not in shown[HtmlDialect]
    assert "turn me" not in shown[TypstDialect]
    assert "fig-x.svg" in shown[TypstDialect]


def test_cell_without_output_cannot_be_embedded(tmp_path: Path) -> None:
    write_notebook(tmp_path / "n.ipynb", code("#| label: fig-x\nx = 1"))
    _, problems = expanded(tmp_path, "{{< embed /n.ipynb#fig-x >}}")
    assert problems == ["report/one.qmd:1: cell fig-x of n.ipynb shows nothing"]


FIGURE = "::: {#fig-%s}\nContent\n\nCaption.\n:::\n\n"


def test_numbers_of_figures_tables_and_equations_count_by_chapter(tmp_path: Path) -> None:
    one = (
        "# A {#sec-a}\n\n"
        + FIGURE % "a"
        + FIGURE % "b"
        + f"::: {{#tbl-a}}\n{TABLE}\n\nErrors.\n:::\n\n$$x$$ {{#eq-a}}\n"
    )
    found = numbered(
        tmp_path, "# Preface {.unnumbered}\n", one, "# B\n\n" + FIGURE % "c", "# C\n\n" + FIGURE % "d", appendices=1
    )
    assert {label: target.text for label, target in found.targets.items()} == {
        "sec-a": "Chapter 1",
        "fig-a": "Figure 1.1",
        "fig-b": "Figure 1.2",
        "tbl-a": "Table 1.1",
        "eq-a": "Equation 1.1",
        "fig-c": "Figure 2.1",
        "fig-d": "Figure A.1",
    }
    assert found.problems == []


def test_section_numbers_reach_the_third_level(tmp_path: Path) -> None:
    source = "# A\n\n## B {#sec-b}\n\n### C {#sec-c}\n\n## D\n\n### E {#sec-e}\n\n#### F\n\n## G {.unnumbered}\n"
    found = numbered(tmp_path, source, "# H\n\n## I {#sec-i}\n", appendices=1)
    assert [target.text for target in found.targets.values()] == [
        "Section 1.1",
        "Section 1.1.1",
        "Section 1.2.1",
        "Section A.1",
    ]


@pytest.mark.parametrize("dialect", [HtmlDialect(), TypstDialect()])
def test_title_of_a_callout_is_no_section(tmp_path: Path, dialect: document.Dialect) -> None:
    callout = "::: {.callout-note}\n## Title\n\nBody.\n:::\n\n"
    found = numbered(tmp_path, f"# A\n\n## B {{#sec-b}}\n\n{callout}## C {{#sec-c}}\n", dialect=dialect)
    assert [target.text for target in found.targets.values()] == ["Section 1.1", "Section 1.2"]
    assert "Title" in text(found)
    assert not re.search(r"1\.\d\s+Title", text(found))


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("@fig-a", "Figure 1.1"),
        ("@Fig-a", "Figure 1.1"),
        ("[@fig-a]", "Figure 1.1"),
        ("[-@fig-a]", "1.1"),
        ("[@fig-a; @fig-b]", "Figure 1.1, Figure 1.2"),
        ("[see @fig-a]", "see 1.1"),
        ("@sec-z", "Chapter 2"),
    ],
)
def test_reference_reads_as_in_quarto(tmp_path: Path, reference: str, shown: str) -> None:
    found = numbered(tmp_path, f"# A\n\n{reference}\n\n" + FIGURE % "a" + FIGURE % "b", "# Z {#sec-z}\n")
    assert found.problems == []
    assert text(found).split("  ")[0].removeprefix("1 A").strip().startswith(shown)


@pytest.mark.parametrize(("widths", "shares"), [("", [None, None]), (' tbl-colwidths="[20,80]"', [0.2, 0.8])])
def test_table_has_the_widths_that_its_caption_gives(widths: str, shares: list[float | None], tmp_path: Path) -> None:
    source = f"# A\n\n| a | b |\n|:--|:--|\n| c | d |\n\n: caption {{#tbl-a{widths}}}\n"
    table = numbered(tmp_path, source, dialect=TypstDialect()).chapters[0].blocks[1]
    assert [width.get("c") for _, width in table["c"][2]] == shares
    assert table["c"][0] == ["tbl-a", [], []]


def test_labels_that_are_missing_or_double_are_reported(tmp_path: Path) -> None:
    found = numbered(tmp_path, "# A\n\n@fig-no and @tbl-no.\n\n" + FIGURE % "a", "# B\n\n" + FIGURE % "a")
    assert sorted(found.problems) == [
        "0.qmd: @fig-no refers to nothing",
        "0.qmd: @tbl-no refers to nothing",
        "1.qmd: fig-a is the label of more than one thing",
    ]


def test_figure_without_caption_is_reported(tmp_path: Path) -> None:
    assert numbered(tmp_path, "# A\n\n::: {#fig-a}\n![](x.svg){fig-alt=a}\n:::\n").problems != []


def test_conditional_content_is_for_its_format_alone(tmp_path: Path) -> None:
    source = "# A\n\n" + "".join(
        f'::: {{.content-{kind} {condition}="{form}"}}\n{kind}-{condition}-{form}\n:::\n\n'
        for kind in ("visible", "hidden")
        for condition in ("when-format", "unless-format")
        for form in ("html", "typst")
    )
    dialects: tuple[document.Dialect, ...] = (HtmlDialect(), TypstDialect())
    html, typst = (set(text(numbered(tmp_path, source, dialect=d)).split("A", 1)[1].split()) for d in dialects)
    assert html == {
        "visible-when-format-html",
        "visible-unless-format-typst",
        "hidden-when-format-typst",
        "hidden-unless-format-html",
    }
    assert not html & typst
    assert len(typst) == 4


def test_book_is_read_from_quartos_file(tmp_path: Path) -> None:
    book = write_book(tmp_path)
    assert book.pdf == tmp_path / "_book/G07_Assignment2_Report.pdf"
    assert [path.stem for path in book.sources] == ["index", "one", "two", "references", "extra"]
    assert book.variables["dataset.title"] == "CIFAR-10"


def test_book_names_a_missing_chapter_or_variable(tmp_path: Path) -> None:
    write_book(tmp_path)
    variables.write(tmp_path / "_variables.yml", {key: value for key, value in VALUES.items() if key != "group"})
    with pytest.raises(ReportError, match="output-file: no variable is called group"):
        Book.read(tmp_path)
    variables.write(tmp_path / "_variables.yml", VALUES)
    (tmp_path / "report/two.qmd").unlink()
    with pytest.raises(InputError, match="two.qmd"):
        Book.read(tmp_path)


def test_book_of_the_project_is_complete() -> None:
    """Every chapter can be read, each reference to a section leads somewhere, each citation is in the bibliography."""
    import yaml

    root = PROJECT
    names = yaml.safe_load((root / "_quarto.yml").read_text())["book"]
    assert names["chapters"][0] == "index.qmd"  # Quarto's books begin there
    chapters = []
    for name in names["chapters"] + names["appendices"]:
        blocks = pandoc.read((root / name).read_text())
        chapters.append(document.Chapter(root / name, name, blocks, appendix=name in names["appendices"]))
    found = document.numbered(chapters, HtmlDialect())
    assert [problem for problem in found.problems if "@sec-" in problem or "@eq-" in problem] == []
    bibliography = (root / "references.bib").read_text()
    for chapter in found.chapters:
        for citation in _citations(chapter.blocks):
            assert f"{{{citation}," in bibliography, f"{chapter.source.name} cites {citation}"


def _citations(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["citationId"]] if "citationId" in node else []
        return own + [key for value in node.values() for key in _citations(value)]
    return [key for item in node for key in _citations(item)] if isinstance(node, list) else []


def test_notebook_cell_has_options_and_code(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "n.ipynb", code("#| label: fig-x\n#|fig-cap: a\n\nf()\n#| not an option"))
    (cell,) = NotebookFile.read(path).cells
    assert cell.options == {"label": "fig-x", "fig-cap": "a"}
    assert cell.code == "f()\n#| not an option"
