"""The report as it comes out: pages, PDF, checks of both, and what is handed in."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader
from reporting_sample import CHAPTERS, PARAMETERS, VALUES, code, figure, markdown, render, write_book, write_notebook

from autoencoders import settings
from autoencoders.errors import ReportError
from autoencoders.reporting import checks, execution, submission
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import MARK, Folder
from autoencoders.reporting.without_quarto import site


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Book:
    book = write_book(tmp_path_factory.mktemp("book"))
    render(book)
    return book


@pytest.fixture(scope="module")
def pages(rendered: Book) -> list[str]:
    return [page.extract_text() for page in PdfReader(rendered.pdf).pages]


def html(book: Book, name: str) -> str:
    return (book.output / name).read_text(encoding="utf-8")


def broken(tmp_path: Path, **chapters: str) -> str:
    book = write_book(tmp_path, CHAPTERS | {f"report/{name}.qmd": source for name, source in chapters.items()})
    with pytest.raises(ReportError) as told:
        render(book)
    return str(told.value)


def test_image_has_its_size_on_the_page(tmp_path: Path) -> None:
    """So that a page leaves room for it before it is there."""
    sizes = {
        'width="453.6pt" height="216pt" viewBox="0 0 1 1"': {"width": "605", "height": "288"},
        'viewBox="0 0 1 1" height="20" width="30.4px"': {"width": "30", "height": "20"},
        'stroke-width="3" width="100%" viewBox="0 0 1 1"': {},
    }
    for attributes, size in sizes.items():
        (tmp_path / "image.svg").write_text(f'<?xml version="1.0"?>\n<svg {attributes}><g width="7"/></svg>')
        assert site.size(tmp_path / "image.svg") == size
    Image.new("RGB", (40, 30)).save(tmp_path / "image.png")
    assert site.size(tmp_path / "image.png") == {"width": "40", "height": "30"}


def test_report_is_whole(rendered: Book) -> None:
    checks.check(rendered)
    names = {path.relative_to(rendered.output).as_posix() for path in rendered.output.rglob("*") if path.is_file()}
    assert names == {
        MARK,
        *(f"{name}.html" for name in ("index", "cache/notebooks/01-sample")),
        *(f"report/{name}.html" for name in ("one", "two", "references", "extra")),
        *(f"images/01-sample/fig-{name}{end}.svg" for name in ("curve", "again") for end in ("", "-dark")),
        "cache/notebooks/01-sample.ipynb",
        "G07_Assignment2_Report.pdf",
        *("search.js", "previewed.js", "site.js", "shell.js", "previews.js", "theme.js"),
        *("base.css", "shell.css", "style.css", "previews.css"),
    }


def test_references_lead_to_other_pages_and_carry_numbers(rendered: Book) -> None:
    two = html(rendered, "report/two.html").replace("\u00a0", " ")
    assert 'href="one.html#fig-curve" class="crossref">Figure 1.1<' in two
    assert 'href="one.html#sec-details" class="crossref">Section 1.1<' in two
    assert 'href="#fig-again" class="crossref">Figure 2.1<' in two


def test_citation_leads_to_the_list_of_references(rendered: Book) -> None:
    assert 'href="references.html#ref-kingma2014"' in html(rendered, "report/one.html")
    assert 'id="ref-kingma2014"' in html(rendered, "report/references.html")
    assert "ref-kingma2014" not in html(rendered, "report/two.html")


def test_figure_has_alt_text_a_numbered_caption_and_its_notebook(rendered: Book) -> None:
    one = html(rendered, "report/one.html")
    assert 'alt="A falling curve"' in one
    assert re.search(r"<figcaption[^>]*><strong>Figure\s1.1:</strong> The curve. It <em>falls</em> by <math", one)
    assert 'href="../cache/notebooks/01-sample.html#fig-curve"' in one
    assert "<td" in one.split('id="tbl-errors"')[1]
    assert "Figure" in html(rendered, "cache/notebooks/01-sample.html")
    assert 'href="../../report/one.html#fig-curve"' in html(rendered, "cache/notebooks/01-sample.html")


def test_pages_are_linked_to_their_neighbours_and_to_all_others(rendered: Book) -> None:
    one = html(rendered, "report/one.html")
    assert '<a rel="prev" href="../index.html">' in one
    assert '<a rel="next" href="../report/two.html">' in one
    assert 'href="../report/one.html" aria-current="page"' in one
    assert {"../index.html", "../report/two.html", "../report/extra.html"} <= set(
        re.findall(r'<li><a href="([^"]+)"', one)
    )
    assert 'href="../G07_Assignment2_Report.pdf"' in one
    assert 'rel="next"' not in html(rendered, "report/extra.html")
    assert 'href="../../report/one.html"' in html(rendered, "cache/notebooks/01-sample.html")


def test_search_index_finds_sections(rendered: Book) -> None:
    raw = html(rendered, "search.js")
    entries = json.loads(raw.removeprefix("window.searchIndex = ").rstrip(";\n"))
    assert [url for url, _, _, text, *_ in entries if "KL divergence" in text] == ["report/one.html#sec-details"]


def test_pdf_has_title_and_author_and_is_tagged(rendered: Book) -> None:
    reader = PdfReader(rendered.pdf)
    assert reader.metadata
    assert reader.metadata.title == "Sample report"
    assert reader.metadata.author == "Group G07, Ada Lovelace"
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"


def test_caption_of_a_table_comes_before_it(rendered: Book) -> None:
    """Also in the order of the file: a page must not jump while it comes in."""
    for name in ("report/one.html", "report/extra.html", "cache/notebooks/01-sample.html"):
        tables = re.findall(r'<figure id="tbl-[^>]*>(.*?)</figure>', html(rendered, name), re.DOTALL)
        assert tables
        for table in tables:
            assert 0 < table.index("</figcaption>") < table.index("<table>")


def test_pdf_bookmarks_and_contents_list_the_chapters(rendered: Book, pages: list[str]) -> None:
    titles = [item.title for item in PdfReader(rendered.pdf).outline if not isinstance(item, list)]
    assert titles[-5:] == ["Abstract", "1 First", "2 Second", "References", "A Extra"]
    assert re.search(r"A\s*Extra", pages[0]), "the cover lists the chapters"


def test_cover_names_authors_and_date(pages: list[str]) -> None:
    assert "Ada Lovelace" in pages[0]
    assert "2026-01-02" in pages[0]
    assert "Abstract" in pages[1]


@pytest.mark.parametrize(("rows", "pages"), [(20, 1), (120, 3)])
def test_pdf_breaks_only_tables_longer_than_a_page(tmp_path: Path, rows: int, pages: int) -> None:
    lines = "".join(f"| row {i} | {i} |\n" for i in range(rows))
    source = f"# Two {{#sec-two}}\n\n{'Text. ' * 300}\n\n| a | b |\n|:--|--:|\n{lines}\n: Long {{#tbl-long}}\n"
    book = write_book(tmp_path, CHAPTERS | {"report/two.qmd": source})
    render(book)
    shown = [len(re.findall(r"row \d", page.extract_text())) for page in PdfReader(book.pdf).pages]
    assert sum(shown) == rows
    assert sum(map(bool, shown)) == pages


def test_pdf_has_symbols_that_pandoc_and_typst_name_differently(tmp_path: Path) -> None:
    symbols = r"$a \odot b \otimes c \oplus d \ominus e \cap f$ and $\big\lVert x \big\rVert \bigl( y \bigr)$"
    book = write_book(tmp_path, CHAPTERS | {"report/two.qmd": CHAPTERS["report/two.qmd"] + f"\n\n{symbols}\n"})
    render(book)
    text = " ".join(page.extract_text() for page in PdfReader(book.pdf).pages)
    assert "parallel" not in text


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("# Two {#sec-two}\n\n@fig-curv\n", "two.qmd: @fig-curv refers to nothing"),
        ("# Two {#sec-two}\n\n{{< var eror >}}\n", "report/two.qmd:3: no variable is called eror"),
        ("# Two {#sec-two}\n\n![A](no.svg){fig-alt=a}\n", "two.qmd: there is no image no.svg"),
        ("# Two {#sec-two}\n\n@nobody2014 says so.\n", "nobody2014"),
        ("# Two {#sec-two}\n\n{{< embed /cache/notebooks/01-sample.ipynb#fig-z >}}\n", "no cell labelled 'fig-z'"),
        ("# Two {#sec-two}\n\n```{=typst}\n#nonsense\n```\n", "unknown variable: nonsense"),
    ],
)
def test_unresolved_place_fails_the_build(tmp_path: Path, source: str, told: str) -> None:
    chapters = {"two": source + "\n@fig-curve\n\n{#fig-again}", "one": CHAPTERS["report/one.qmd"]}
    assert told in broken(tmp_path, **chapters)
    assert not (tmp_path / "_book/G07_Assignment2_Report.pdf").exists()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<p>?@fig-x</p>", "unresolved '?@fig-x'"),
        ("<p>see ?? there</p>", "unresolved '??'"),
        ("<p>?var:group</p>", "unresolved '?var:group'"),
        ("<p>{{&lt; var x &gt;}}</p>", "unresolved '{{< var x >}}'"),
        ("<p>x</p><img src='no.png' alt='a'>", "no.png leads nowhere"),
        ("<p>x</p><img src='data:,' alt=''>", "has no alt text"),
        ("<p>x</p><a href='no.html'>a</a>", "no.html leads nowhere"),
        ("<p>x</p><a href='#no'>a</a>", "#no leads to no place on that page"),
        ("<p>x</p><a href='b.html#no'>a</a>", "b.html#no leads to no place"),
        ("<p>x</p><a href='b.html#sort=a&amp;other=b'>a</a>", "b.html#sort=a&other=b leads to no place"),
        ("<p>x</p><a href='#sort=a'>a</a>", "#sort=a leads to no place"),
        ("<p>x</p><script src='https://cdn.example/x.js'></script>", "is loaded from the network"),
        ("", "the page is empty"),
    ],
)
def test_page_faults_are_found(tmp_path: Path, body: str, told: str) -> None:
    (tmp_path / "b.html").write_text("<form data-views='sort metric'></form><p id='there'>b</p>")
    page = tmp_path / "a.html"
    page.write_text(f"<html><body>{body}</body></html>")
    (problem,) = checks.page_problems(page, tmp_path)
    assert problem.startswith("a.html: ")
    assert told in problem


@pytest.mark.parametrize(
    "body",
    [
        "<p>Really?! What?</p><code>{{< var x >}} ??</code>",
        "<script>const a = b ?? c</script><p>x</p>",
        "<a href='b.html#metric=ssim&amp;sort=-value'>a</a>",
        "<a href='b.html#there'>a</a><a href='https://example.org'>b</a><a href='#'>top</a>",
    ],
)
def test_page_without_fault_has_none(tmp_path: Path, body: str) -> None:
    (tmp_path / "b.html").write_text("<form data-views='sort metric'></form><p id='there'>b</p>")
    page = tmp_path / "a.html"
    page.write_text(f"<html><body>{body}</body></html>")
    assert checks.page_problems(page, tmp_path) == []


def test_pdf_faults_are_found(tmp_path: Path) -> None:
    import typst

    head = '#set document(title: "T")\n#set page(header: [Header])\n'
    body = "Text of the page, see ?\\@fig-x.\n#pagebreak()\n#pagebreak()\nMore text here."
    (tmp_path / "a.typ").write_text(head + body)
    typst.compile(str(tmp_path / "a.typ"), output=str(tmp_path / "a.pdf"))
    assert checks.pdf_problems(tmp_path / "a.pdf") == [
        "a.pdf, page 1: unresolved '?@fig-x'",
        "a.pdf, page 2: the page is empty",
    ]
    assert checks.pdf_problems(tmp_path / "b.pdf") == [f"{tmp_path / 'b.pdf'} was not made"]


def packed(root: Path, notice: str = "", group: str = "G07") -> tuple[Path, Path]:
    book = write_book(root, values=VALUES | {"group": group})
    book.pdf.parent.mkdir(exist_ok=True)
    book.pdf.write_bytes(b"%PDF")
    for name, text in {"params.yml": "# why\ngroup: G00   # the group\n", "README.md": "x", "pipeline.py": "x"}.items():
        (root / name).write_text(text)
    (root / "autoencoders/__pycache__").mkdir(parents=True, exist_ok=True)
    (root / "autoencoders/__pycache__/a.pyc").write_text("x")
    (root / "autoencoders/a.py").write_text("x")
    written = [markdown("# One"), code(PARAMETERS, tags=("parameters",)), figure("fig-x")]
    source = write_notebook(root / "analysis/01-one.ipynb", *(cell | {"outputs": []} for cell in written))
    executions = execution.plan(root / "analysis", root / "cache/notebooks", requested={}, common={}, inputs={})
    injected = code("profile = 'smoke'", tags=("injected-parameters",))
    written[2]["source"] = written[2]["source"].replace("A curve.", f"A curve. {notice}")
    shown = [cell | {"id": f"c{i}"} for i, cell in enumerate([*written[:2], injected, written[2]])]
    write_notebook(executions[0].target, *shown, autoencoders=executions[0].seal(shown))
    assert source.exists()
    return submission.pack(book, executions, settings.Settings(group=group))


def test_zip_holds_the_project_and_the_executed_notebooks(tmp_path: Path) -> None:
    pdf, archive = packed(tmp_path, notice="(Stand-in.)")
    assert pdf.name == "G07_Assignment2_Report.pdf"
    assert archive.name == "G07_Assignment2_Code.zip"
    with zipfile.ZipFile(archive) as content:
        names = [name.removeprefix("G07_Assignment2_Code/") for name in content.namelist()]
        assert names == sorted(names)
        assert {"README.md", "pipeline.py", "_quarto.yml", "index.qmd", "report/one.qmd", "autoencoders/a.py"} <= set(
            names
        )
        assert not [name for name in names if "__pycache__" in name or name.startswith("cache")]
        assert content.read("G07_Assignment2_Code/params.yml") == b"# why\ngroup: G07   # the group\n"
        notebook = json.loads(content.read("G07_Assignment2_Code/analysis/01-one.ipynb"))
    assert notebook["cells"][2]["metadata"]["tags"] == ["injected-parameters"]
    assert notebook["cells"][3]["outputs"]
    assert "Stand-in" not in notebook["cells"][3]["source"]


@pytest.mark.parametrize("group", ["007", "1e3", "no", "0x1F"])
def test_zip_keeps_a_group_that_looks_like_a_number(tmp_path: Path, group: str) -> None:
    with zipfile.ZipFile(packed(tmp_path, group=group)[1]) as content:
        (tmp_path / "handed-in.yml").write_bytes(content.read(f"{group}_Assignment2_Code/params.yml"))
    assert settings.load(tmp_path / "handed-in.yml").group == group


def test_zip_of_the_same_inputs_has_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    first = [path.read_bytes() for path in packed(tmp_path / "a")]
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for path in (tmp_path / "b").rglob("*"):
        os.utime(path, (1, 1))
    assert [path.read_bytes() for path in packed(tmp_path / "b")] == first


def test_submission_needs_what_is_made_and_up_to_date(tmp_path: Path) -> None:
    book = write_book(tmp_path)
    with pytest.raises(ReportError, match=r"pipeline.py report"):
        submission.pack(book, [], settings.Settings())
    book.pdf.parent.mkdir()
    book.pdf.write_bytes(b"%PDF")
    write_notebook(tmp_path / "analysis/01-one.ipynb", code("1"))
    outdated = execution.plan(tmp_path / "analysis", tmp_path / "cache", requested={}, common={}, inputs={})
    with pytest.raises(ReportError, match="not up to date: 01-one"):
        submission.pack(book, outdated, settings.Settings())


def test_folder_holds_what_was_put_there_and_nothing_older(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("old/deep/file", "x")
    folder.drop_the_rest()
    folder = Folder(tmp_path)
    folder.put("new/a.txt", "a")
    folder.put("b.bin", b"\x00")
    folder.drop_the_rest()
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        MARK,
        "b.bin",
        "new",
        "new/a.txt",
    ]
