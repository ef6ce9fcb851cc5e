"""What shortcodes stand for, and how figures, tables, equations and sections are counted and referred to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from reporting_sample import CHAPTERS, SVG, TABLE, VALUES, code, figure, table, write_book, write_notebook

from autoencoders.errors import ReportError
from autoencoders.reporting import document, mermaid, pandoc, variables
from autoencoders.reporting.book import Book
from autoencoders.reporting.notebook_files import NotebookFile
from autoencoders.reporting.without_quarto.pdf import TypstDialect
from autoencoders.reporting.without_quarto.shortcodes import Expansion
from autoencoders.reporting.without_quarto.site import HtmlDialect


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


# ── Variables ────────────────────────────────────────────────────────────────────────────────────────────────────────


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


def test_nested_variables_have_dotted_names() -> None:
    assert dict(variables.flat({"a": 1, "b": {"c": {"d": "x"}}})) == {"a": "1", "b.c.d": "x"}


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
def test_a_variable_is_replaced_wherever_it_stands(tmp_path: Path, source: str, result: str) -> None:
    assert expanded(tmp_path, source, {"a": "1", "a.b": "2"}) == (result, [])


def test_what_cant_be_expanded_is_told_with_file_and_line(tmp_path: Path) -> None:
    source = "fine\n\n{{< var none >}}\n{{< video x >}}\n{{< embed /no.ipynb#fig-x >}}\n{{< include no.md >}}"
    _, problems = expanded(tmp_path, source)
    assert [problem.split(": ")[0] for problem in problems] == [f"report/one.qmd:{n}" for n in (3, 4, 5, 6)]
    assert "no variable is called none" in problems[0]
    assert "no.ipynb: there is no such notebook" in problems[2]


def test_an_included_file_is_expanded_as_well(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/part.md").write_text("part {{< var a >}}")
    assert expanded(tmp_path, "{{< include /cache/part.md >}}", {"a": "1"}) == ("part 1", [])


# ── Embedding ────────────────────────────────────────────────────────────────────────────────────────────────────────


def embedded(tmp_path: Path, cell: dict[str, Any], label: str, options: str = "") -> str:
    write_notebook(tmp_path / "cache/notebooks/n.ipynb", cell)
    source, problems = expanded(tmp_path, f"{{{{< embed /cache/notebooks/n.ipynb#{label}{options} >}}}}")
    assert problems == []
    return source


def test_a_figure_comes_with_its_image_caption_alt_text_and_notebook(tmp_path: Path) -> None:
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
def test_the_best_image_is_taken(tmp_path: Path, data: dict[str, str], extension: str) -> None:
    embedded(tmp_path, figure("fig-x", **data), "fig-x")
    assert [path.name for path in (tmp_path / "images/n").iterdir()] == [f"fig-x.{extension}"]


def test_a_table_in_markdown_becomes_a_table(tmp_path: Path) -> None:
    (block,) = pandoc.read(embedded(tmp_path, table("tbl-x"), "tbl-x"))
    assert [inner["t"] for inner in block["c"][1]] == ["Table", "Para"]


def test_wide_tables_keep_columns_as_wide_as_what_they_hold() -> None:
    wide = f"| {'a' * 90} | b |\n|:--|--:|\n| 1 | 2 |"
    (block,) = pandoc.read(wide)
    assert {width["t"] for _, width in block["c"][2]} == {"ColWidthDefault"}


def test_a_cell_without_caption_label_is_plain_text(tmp_path: Path) -> None:
    cell = code("#| label: claims\n1", {"text/markdown": "It **holds**."})
    assert embedded(tmp_path, cell, "claims").strip() == "It **holds**."


def test_code_is_shown_on_demand(tmp_path: Path) -> None:
    assert "```python\nshow()\n```" in embedded(tmp_path, figure("fig-x"), "fig-x", " echo=true")


def test_something_interactive_has_a_still_twin_in_print(tmp_path: Path) -> None:
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


def test_a_cell_that_shows_nothing_cant_be_embedded(tmp_path: Path) -> None:
    write_notebook(tmp_path / "n.ipynb", code("#| label: fig-x\nx = 1"))
    _, problems = expanded(tmp_path, "{{< embed /n.ipynb#fig-x >}}")
    assert problems == ["report/one.qmd:1: cell fig-x of n.ipynb shows nothing"]


# ── Counting and referring ───────────────────────────────────────────────────────────────────────────────────────────

FIGURE = "::: {#fig-%s}\nContent\n\nCaption.\n:::\n\n"


def test_figures_tables_and_equations_are_counted_by_chapter(tmp_path: Path) -> None:
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


def test_sections_are_counted_to_the_third_level(tmp_path: Path) -> None:
    source = "# A\n\n## B {#sec-b}\n\n### C {#sec-c}\n\n## D\n\n### E {#sec-e}\n\n#### F\n\n## G {.unnumbered}\n"
    found = numbered(tmp_path, source, "# H\n\n## I {#sec-i}\n", appendices=1)
    assert [target.text for target in found.targets.values()] == [
        "Section 1.1",
        "Section 1.1.1",
        "Section 1.2.1",
        "Section A.1",
    ]


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
def test_a_reference_reads_as_quartos(tmp_path: Path, reference: str, shown: str) -> None:
    found = numbered(tmp_path, f"# A\n\n{reference}\n\n" + FIGURE % "a" + FIGURE % "b", "# Z {#sec-z}\n")
    assert found.problems == []
    assert text(found).split("  ")[0].removeprefix("1 A").strip().startswith(shown)


def test_what_refers_to_nothing_and_what_is_labelled_twice_is_told(tmp_path: Path) -> None:
    found = numbered(tmp_path, "# A\n\n@fig-no and @tbl-no.\n\n" + FIGURE % "a", "# B\n\n" + FIGURE % "a")
    assert sorted(found.problems) == [
        "0.qmd: @fig-no refers to nothing",
        "0.qmd: @tbl-no refers to nothing",
        "1.qmd: fig-a is the label of more than one thing",
    ]


def test_a_figure_without_caption_is_told(tmp_path: Path) -> None:
    assert numbered(tmp_path, "# A\n\n::: {#fig-a}\n![](x.svg){fig-alt=a}\n:::\n").problems != []


def test_citations_are_left_to_citeproc(tmp_path: Path) -> None:
    found = numbered(tmp_path, "# A\n\n@kingma2014 and [@he2022, p. 3].\n")
    assert str(found.chapters[0].blocks).count("citationId") == 2


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


def test_chapters_stay_as_they_are_for_the_next_format(tmp_path: Path) -> None:
    chapter = document.Chapter(tmp_path / "a.qmd", "A", pandoc.read("# A\n\n" + FIGURE % "a"))
    before = str(chapter.blocks)
    document.numbered([chapter], HtmlDialect())
    document.numbered([chapter], TypstDialect())
    assert str(chapter.blocks) == before


# ── The book ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_book_is_read_from_quartos_file(tmp_path: Path) -> None:
    book = write_book(tmp_path)
    assert book.pdf == tmp_path / "_book/G07_Assignment2_Report.pdf"
    assert [path.stem for path in book.sources] == ["index", "one", "two", "references", "extra"]
    assert book.variables["dataset.title"] == "CIFAR-10"


def test_a_missing_chapter_or_variable_is_told(tmp_path: Path) -> None:
    write_book(tmp_path)
    variables.write(tmp_path / "_variables.yml", {key: value for key, value in VALUES.items() if key != "group"})
    with pytest.raises(ReportError, match="output-file: no variable is called group"):
        Book.read(tmp_path)
    variables.write(tmp_path / "_variables.yml", VALUES)
    (tmp_path / "report/two.qmd").unlink()
    with pytest.raises(ReportError, match="two.qmd"):
        Book.read(tmp_path)


def test_the_projects_own_book_is_complete() -> None:
    """Every chapter can be read, each reference to a section leads somewhere, each citation is in the bibliography."""
    import yaml

    root = Path(document.__file__).parents[2]
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


# ── Mermaid ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_flowchart_is_read() -> None:
    graph = mermaid.parse(
        'flowchart LR\n  %% why\n  data[("cifar10")]\n  data --> a["ae ×3"] & b\n  a & b -->|measure| m(out<br>two)\n'
    )
    assert graph.nodes == {"data": "cifar10", "a": "ae ×3", "b": "b", "m": "out<br>two"}
    assert graph.edges == [("data", "a"), ("data", "b"), ("a", "m"), ("b", "m")]
    assert graph.round == {"data", "m"}


@pytest.mark.parametrize(
    "source", ["", "sequenceDiagram\n A->>B: x", "flowchart LR\n  a ~~~> b", "flowchart LR\n  --> b"]
)
def test_what_cant_be_drawn_is_told(source: str) -> None:
    with pytest.raises(ReportError, match="without Quarto"):
        mermaid.parse(source)


@pytest.mark.parametrize("direction", ["LR", "TD"])
def test_no_two_boxes_overlap_and_nothing_lies_outside(direction: str) -> None:
    import re

    edges = "\n".join(f"a --> b{i}\nb{i} --> c{i % 3}" for i in range(9))
    svg = mermaid.as_svg(f"flowchart {direction}\na[A longer text]\n{edges}\nb1 --> c1\nc1 --> b1\n")
    ((width, height),) = [map(float, match) for match in re.findall(r'<svg [^>]*width="(\d+)" height="(\d+)"', svg)]
    boxes = [
        tuple(map(float, m))
        for m in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', svg)
    ]
    assert len(boxes) == 13
    for i, (x, y, w, h) in enumerate(boxes):
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        for u, v, ww, hh in boxes[i + 1 :]:
            assert x + w <= u or u + ww <= x or y + h <= v or v + hh <= y


def test_a_flowchart_in_a_chapter_becomes_a_figure(tmp_path: Path) -> None:
    options = '%%| label: fig-graph\n%%| fig-cap: "What follows."\n%%| fig-alt: "a to b"'
    markdown, problems = expanded(tmp_path, f"```{{mermaid}}\n{options}\nflowchart LR\na --> b\n```\n")
    assert problems == []
    found = numbered(tmp_path, f"# A\n\n{markdown}")
    assert found.targets["fig-graph"].text == "Figure 1.1"
    assert (tmp_path / "images/fig-graph.svg").read_text().startswith("<svg")


def test_text_in_a_drawing_is_escaped() -> None:
    assert "&lt;b&gt; &amp; c" in mermaid.as_svg("flowchart LR\na[<b> & c]\n")


def test_reading_a_notebooks_options(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "n.ipynb", code("#| label: fig-x\n#|fig-cap: a\n\nf()\n#| not an option"))
    (cell,) = NotebookFile.read(path).cells
    assert cell.options == {"label": "fig-x", "fig-cap": "a"}
    assert cell.code == "f()\n#| not an option"


def test_the_sample_has_no_problem(tmp_path: Path) -> None:
    book = write_book(tmp_path)
    expansion = Expansion(tmp_path, tmp_path / "images", book.variables)
    found = document.numbered(document.parse(book, expansion), HtmlDialect())
    assert found.problems + expansion.problems == []
    assert set(CHAPTERS) == {path.relative_to(tmp_path).as_posix() for path in book.sources}
