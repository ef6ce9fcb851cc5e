"""Quarto is found, or installed once, or done without; and both renderers make the same report where it is there."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pypdf import PdfReader
from reporting_sample import VALUES, render, write_book

from autoencoders.errors import ReportError
from autoencoders.reporting import making, publishing, quarto, quarto_pages
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder
from autoencoders.reporting.without_quarto import pandoc, pdf
from autoencoders.settings import ENVIRONMENT, PROJECT, Settings

Patch = pytest.MonkeyPatch
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: Patch) -> Path:
    """An empty place for programs, and nothing else on the PATH; this Python lies elsewhere."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "env/python"))
    return folder


def failing(monkeypatch: Patch) -> list[str]:
    """Installations fail; what was to be installed."""
    attempts: list[str] = []

    def fails(package: str) -> str:
        attempts.append(package)
        return "no network"

    monkeypatch.setattr(quarto, "_install", fails)
    return attempts


def there() -> quarto.Quarto:
    found = quarto.find()
    assert found
    return found


def install(folder: Path, version: str, script: str = "") -> None:
    program = folder / "quarto"
    program.write_text(f'#!/bin/sh\nif [ "$1" = "--version" ]; then echo {version}; exit; fi\n{script}\n')
    program.chmod(0o755)


def test_one_version_of_quarto_is_installed() -> None:
    name, version = quarto.PACKAGE.split("==")
    assert name == "quarto-cli"
    assert quarto.Quarto("quarto", version).recent_enough


@pytest.mark.parametrize(
    ("version", "enough"),
    [("1.9.0", True), ("1.9.17", True), ("1.10.2", True), ("2.0", True), ("1.8.27", False), ("0.9", False)],
)
def test_quarto_versions_compare_as_numbers(tools: Path, version: str, enough: bool) -> None:
    install(tools, version)
    found = quarto.find()
    assert found
    assert found.version == version
    assert found.recent_enough == enough


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense"])
def test_quarto_that_does_not_run_is_not_found(tools: Path, script: str) -> None:
    (tools / "quarto").write_text(f"#!/bin/sh\n{script}\n")
    (tools / "quarto").chmod(0o755)
    assert quarto.find() is None


def test_quarto_installation_that_failed_is_remembered(
    tools: Path, tmp_path: Path, monkeypatch: Patch, capsys: Captured
) -> None:
    attempts = failing(monkeypatch)
    assert quarto.obtain(tmp_path) is None
    assert attempts == [quarto.PACKAGE]
    capsys.readouterr()
    assert quarto.obtain(tmp_path) is None
    assert len(attempts) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "Quarto is not installed and can't be had here" in line
    assert "no network" in line
    assert "Pandoc and Typst" in line


def test_quarto_insisted_on_is_tried_again_or_an_error(tools: Path, tmp_path: Path, monkeypatch: Patch) -> None:
    attempts = failing(monkeypatch)
    quarto.obtain(tmp_path)
    with pytest.raises(ReportError, match="no network"):
        quarto.obtain(tmp_path, insist=True)
    assert len(attempts) == 2


def test_quarto_too_old_is_refused_in_its_pre_render_step(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.delenv("QUARTO_SHARE_PATH", raising=False)
    assert quarto.calling() is None
    monkeypatch.setenv("QUARTO_SHARE_PATH", str(tmp_path))
    (tmp_path / "version").write_text("1.9.3\n")
    caller = quarto.calling()
    assert caller
    assert caller.name == "Quarto 1.9.3"
    (tmp_path / "version").write_text("1.8.27")
    with pytest.raises(ReportError, match=r"Quarto 1.8.27 is too old, 1.9 is needed"):
        quarto.calling()


def test_quarto_once_installed_is_used_and_the_failure_forgotten(
    tools: Path, tmp_path: Path, monkeypatch: Patch
) -> None:
    failing(monkeypatch)
    quarto.obtain(tmp_path)
    monkeypatch.setattr(quarto, "_install", lambda package: install(tools, "1.9.3"))
    found = quarto.obtain(tmp_path, insist=True)
    assert found
    assert found.name == "Quarto 1.9.3"
    assert not (tmp_path / quarto.REMEMBERED).exists()


def test_quarto_installation_ends_in_bounded_time(monkeypatch: Patch) -> None:
    monkeypatch.setattr(quarto, "PATIENCE", 0.01)
    assert "no end after" in quarto._install("quarto-cli>=1.9")


def test_quarto_failure_shows_the_end_of_its_output(tools: Path, tmp_path: Path) -> None:
    install(tools, "1.9.3", "echo 'ERROR: in chapter two'; exit 1")
    with pytest.raises(ReportError, match="ERROR: in chapter two"):
        quarto.render(there(), tmp_path, {})


def test_quarto_pre_render_step_gets_this_python_and_the_settings(tools: Path, tmp_path: Path) -> None:
    install(tools, "1.9.3", 'echo "$GROUP $AE_PROFILE ${PATH%%:*} $PWD" > seen')
    settings = Settings(group="G07", profile="smoke", seeds=(0, 1))
    environment = making._environment(settings, *ENVIRONMENT)
    quarto.render(there(), tmp_path, environment)
    assert (tmp_path / "seen").read_text().split() == ["G07", "smoke", str(tmp_path / "env"), str(tmp_path)]
    assert environment["AE_SEEDS"] == "0, 1"
    assert "AUTOENCODERS_DATA" not in environment  # none was given


def test_quarto_reads_authors_notice_and_notebooks_from_a_file_of_its_own() -> None:
    import yaml

    values = {"group": "G07", "date": "2026-01-02"}
    plain = yaml.safe_load(making._for_quarto(values, ("Ada Lovelace", "Turing, *Alan*"), [Path("nb/01-a.ipynb")], {}))
    assert plain["book"]["author"] == ["Group G07", "Ada Lovelace", r"Turing\, \*Alan\*"], "Quarto reads Markdown"
    assert plain["book"]["page-footer"]["center"] == [{"text": "01-a", "href": "nb/01-a.ipynb"}]
    assert plain["project"]["resources"] == ["/nb/01-a.ipynb"]
    assert plain["book"]["date"] == "2026-01-02"
    assert "body-header" not in plain["book"]
    noticed = yaml.safe_load(making._for_quarto(values | {"notice": {"header": 'Stand-in "data"'}}, (), [], {}))
    assert 'Stand-in "data"' in noticed["book"]["body-header"]


def small_manuscript(book: Book) -> making.Manuscript:
    (book.root / "cache/report").mkdir(parents=True, exist_ok=True)
    (book.root / "_quarto.yml.local").touch()
    return making.Manuscript(root=book.root, labs=(SimpleNamespace(settings=Settings()),), facts=dict)  # type: ignore[arg-type]


@pytest.fixture
def rendered(tmp_path: Path) -> Book:
    """A whole book that readers have."""
    book = write_book(tmp_path / "project")
    render(book)
    return book


def stand_in(tools: Path, book: Book, script: str, version: str = "1.9.3") -> None:
    """A Quarto that begins like the real one, by deleting its output; what it would make lies beside the project."""
    made = book.root.parent / "made"
    if not made.exists():
        shutil.copytree(book.rendered, made)
    cleaned = f"export PATH=/usr/bin:/bin; echo once >> ../count; rm -rf {book.rendered}; mkdir -p {book.rendered}"
    install(tools, version, f"{cleaned}\nmade={made} out={book.rendered} pdf={book.pdf.name}\n{script}")


WHOLE = "cp -r $made/. $out"
SITE = f"{WHOLE}; rm $out/$pdf"
PDF = "cp $made/$pdf $out"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_quarto_renders_only_if_something_has_changed(tools: Path, rendered: Book) -> None:
    book, manuscript = rendered, small_manuscript(rendered)
    stand_in(tools, book, WHOLE)

    def asked() -> int:
        making._bring_up_to_date(manuscript, book, there(), [])
        return len((book.root.parent / "count").read_text().split())

    assert [asked(), asked()] == [1, 1]
    chapter = book.chapters[0]
    chapter.write_text(chapter.read_text() + "\nMore.\n")
    assert [asked(), asked()] == [2, 2]
    (book.rendered / "search.js").write_text("something else")
    assert [asked(), asked()] == [3, 3]
    stand_in(tools, book, WHOLE, version="1.9.4")
    assert [asked(), asked()] == [4, 4]


def test_pandoc_renders_only_if_something_has_changed(rendered: Book, monkeypatch: Patch) -> None:
    manuscript, calls = small_manuscript(rendered), []
    monkeypatch.setattr(making.without_quarto, "render", lambda *given: calls.append(given))

    def asked() -> int:
        making._bring_up_to_date(manuscript, rendered, None, [])
        return len(calls)

    assert [asked(), asked()] == [1, 1]
    chapter = rendered.chapters[0]
    chapter.write_text(chapter.read_text() + "\nMore.\n")
    assert [asked(), asked()] == [2, 2]


@pytest.mark.parametrize("of", ["chapter", "rendered page", "published page", "published PDF", "results"])
def test_book_counts_as_made_until_something_changes(rendered: Book, of: str, monkeypatch: Patch) -> None:
    manuscript = small_manuscript(rendered)
    monkeypatch.setattr(making, "embedded", lambda root: ["one"])
    notebook = rendered.root / "cache/notebooks/one.ipynb"
    notebook.parent.mkdir(exist_ok=True)
    notebook.write_text("executed")
    assert not making._is_made(manuscript, rendered, None)
    making._remember(manuscript, rendered, None)
    assert making._is_made(manuscript, rendered, None)
    assert not making._is_made(manuscript, rendered, quarto.Quarto("quarto", "1.9.3")), "by another renderer"
    changed = {
        "chapter": rendered.chapters[0],
        "rendered page": rendered.rendered / "index.html",
        "published page": rendered.output / "index.html",
        "published PDF": rendered.pdf,
        "results": notebook,
    }[of]
    changed.write_bytes(changed.read_bytes() + b" ")
    assert not making._is_made(manuscript, rendered, None)
    changed.unlink()
    assert not making._is_made(manuscript, rendered, None)


def test_quarto_started_by_hand_counts_as_made(tools: Path, rendered: Book) -> None:
    manuscript = small_manuscript(rendered)
    made_by = quarto.Quarto("quarto", "1.9.3")
    making.complete(manuscript, made_by)  # its last step
    assert making._is_made(manuscript, rendered, made_by)


@pytest.mark.parametrize("part", [SITE, PDF])
def test_quarto_book_of_one_format_is_not_taken_for_a_whole_one(tools: Path, rendered: Book, part: str) -> None:
    manuscript = small_manuscript(rendered)
    stand_in(tools, rendered, part)
    quarto.render(there(), rendered.root, {})
    making.complete(manuscript, there())
    assert not making._is_made(manuscript, rendered, there())


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "kill -9 $$",
        "cp $made/index.html $out; exit 1",
        f"{WHOLE}; rm $out/report/one.html",
        f"{WHOLE}; echo '<p>?@fig-lost</p>' >> $out/report/one.html",
        f"{WHOLE}; echo > $out/$pdf",
        "true",
    ],
)
def test_quarto_render_that_fails_leaves_the_last_book_and_no_litter(tools: Path, rendered: Book, script: str) -> None:
    before, around = contents(rendered.output), set(contents(rendered.root))
    litter = "touch index.typ index.html report/one.html; mkdir -p site_libs report/one_files/figure; touch $pdf"
    stand_in(tools, rendered, f"{litter}; touch report/one_files/figure/a.svg\n{script}")
    with pytest.raises(ReportError):
        making._render(there(), small_manuscript(rendered), rendered)
    assert contents(rendered.output) == before
    left = set(contents(rendered.root)) - around
    assert {name for name in left if not name.startswith(("build/", "cache/", "_quarto"))} == set()
    assert not (rendered.root / "site_libs").exists()


@pytest.mark.parametrize(("part", "kept"), [(SITE, "pdf"), (PDF, "site")])
def test_book_keeps_the_last_of_what_was_not_rendered(tools: Path, rendered: Book, part: str, kept: str) -> None:
    before = contents(rendered.output)
    stand_in(tools, rendered, f"{part}; [ {kept} = site ] || echo '<p>New.</p>' >> $out/report/one.html")
    quarto.render(there(), rendered.root, {})
    making.complete(small_manuscript(rendered), None)
    after = contents(rendered.output)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == ({"report/one.html"} if kept == "pdf" else set())
    assert (rendered.rendered / rendered.pdf.name).exists(), "the link to it works in a preview, too"


def test_site_without_any_pdf_offers_none(tools: Path, rendered: Book) -> None:
    stand_in(tools, rendered, SITE)
    rendered.pdf.unlink()
    quarto.render(there(), rendered.root, {})
    making.complete(small_manuscript(rendered), None)
    assert rendered.pdf.name not in (rendered.output / "index.html").read_text()
    assert (rendered.output / "index.html").read_text().count("<a ") > 1


def test_preview_that_is_not_whole_leaves_the_last_book(tools: Path, rendered: Book, monkeypatch: Patch) -> None:
    before = contents(rendered.output)
    (rendered.rendered / "report/one.html").unlink()
    (rendered.root.parent / "version").write_text("1.9.3")
    monkeypatch.setenv("QUARTO_SHARE_PATH", str(rendered.root.parent))
    making.complete(small_manuscript(rendered), quarto.calling())
    assert contents(rendered.output) == before
    monkeypatch.setenv("QUARTO_PROJECT_RENDER_ALL", "1")
    with pytest.raises(ReportError, match=r"one.html leads nowhere"):
        making.complete(small_manuscript(rendered), quarto.calling())


def test_quarto_pages_lose_widget_libraries_and_keep_own_scripts() -> None:
    far, own = "https://cdn.jsdelivr.net/npm", '<script src="site_libs/quarto-nav/quarto-nav.js"></script>'
    libraries = (
        f'<script src="{far}/jquery@3.5.1/dist/jquery.min.js" integrity="sha384-x"></script>{own}'
        f'\n<script src="{far}/requirejs@2.3.6/require.min.js" integrity="sha384-x sha384-y"></script>\n'
        """<script type="application/javascript">define('jquery', [],function() {return window.jQuery;})</script>"""
    )
    page = quarto_pages.drop_libraries(f"<head>{libraries}</head><script>draw('jquery')</script>")
    assert "".join(page.split("\n")) == f"<head>{own}</head><script>draw('jquery')</script>"


QUARTO_PAGE = """<html><head>
<script src="site_libs/quarto-html/quarto.js" type="module"></script>
<script src="site_libs/quarto-html/tabsets/tabsets.js" type="module"></script>
<script src="site_libs/quarto-search/quarto-search.js"></script></head>
<body><div class="quarto-title-meta">by Group G07</div></body></html>"""
QUARTO_SCRIPTS = {
    "quarto-html/quarto.js": 'import * as tabsets from "./tabsets/tabsets.js";\ntabsets.init();\nwindow.ran = true;\n',
    "quarto-html/tabsets/tabsets.js": "export function init() {\n  window.tabs = true;\n}\n",
    "quarto-search/quarto-search.js": """let shownWarning = false;
async function read() {
  if (window.location.protocol === "file:" && !shownWarning) return [];
  const response = await fetch("search.json");
  return response.json();
}
""",
}


@pytest.fixture
def by_quarto(tmp_path: Path) -> Book:
    """A site with what matters of one by Quarto."""
    book = write_book(tmp_path, values=VALUES | {"profile": {"title": "smoke <tests>"}, "seeds": "0"})
    for name, script in QUARTO_SCRIPTS.items():
        (book.rendered / "site_libs" / name).parent.mkdir(parents=True, exist_ok=True)
        (book.rendered / "site_libs" / name).write_text(script)
    (book.rendered / "index.html").write_text(QUARTO_PAGE)
    (book.rendered / "search.json").write_text('[{"title": "Found"}]')
    return book


def test_quarto_pages_are_mended_once(by_quarto: Book) -> None:
    quarto_pages.mend(by_quarto)
    before = contents(by_quarto.rendered)
    page = before["index.html"].decode()
    assert page.count("Profile") == 1
    assert "smoke &lt;tests&gt;" in page
    assert 'type="module"' not in page
    quarto_pages.mend(by_quarto)
    assert contents(by_quarto.rendered) == before


def test_quarto_pages_go_when_the_book_is_made_without_it(by_quarto: Book) -> None:
    Folder.found(by_quarto.rendered).claim()
    render(by_quarto)
    assert not (by_quarto.rendered / "search.json").exists()
    assert not (by_quarto.output / "site_libs").exists()
    assert (by_quarto.output / "index.html").exists()


def test_quarto_notebook_pages_number_as_the_chapters_do(by_quarto: Book) -> None:
    caption = '<figcaption class="x" id="fig-curve-caption-0ceaefa1-69ba">\n{}: The curve.</figcaption>'
    other = caption.replace("fig-curve", "fig-alone").format("Figure&nbsp;2")
    pages = {name: by_quarto.rendered / f"{name}.html" for name in ("report/one", "cache/notebooks/01-sample")}
    for name, number in zip(pages, ("Figure&nbsp;1.1", "Figure&nbsp;1"), strict=True):
        pages[name].parent.mkdir(exist_ok=True, parents=True)
        pages[name].write_text(caption.format(number) + other)
    pages["report/one"].write_text(caption.format("Figure&nbsp;1.1"))
    for _ in range(2):
        quarto_pages.mend(by_quarto)
        link = '<a href="../../report/one.html#fig-curve">Figure&nbsp;1.1</a>'
        assert pages["cache/notebooks/01-sample"].read_text() == caption.format(link) + other


def test_quarto_figures_get_a_twin_for_dark_pages_once(by_quarto: Book) -> None:
    drawing = by_quarto.rendered / "x_files/fig-output-1.svg"
    drawing.parent.mkdir()
    drawing.write_text('<svg><path style="fill: #ffffff"/><path style="fill: #222222"/></svg>')
    page = by_quarto.rendered / "index.html"
    page.write_text(
        QUARTO_PAGE + '<a href="x_files/fig-output-1.svg" class="lightbox" data-gallery="g" title="T">'
        '<img src="x_files/fig-output-1.svg" class="img-fluid figure-img" alt="A"></a>'
        '<img src="elsewhere.svg" class="figure-img" alt="B"><img src="x_files/fig-output-1.svg" alt="C">'
    )
    for _ in range(2):
        quarto_pages.mend(by_quarto)
        shown = re.findall(r'<img src="([^"]*)" class="img-fluid figure-img ([\w-]*)" alt="A">', page.read_text())
        both = [("x_files/fig-output-1.svg", "light-content"), ("x_files/fig-output-1-dark.svg", "dark-content")]
        assert shown == both
        large = re.findall(r'<a href="([^"]*)" class="lightbox ([\w-]*)" data-gallery="g-([\w-]*)"', page.read_text())
        assert large == [(image, theme, theme) for image, theme in both]
        assert page.read_text().count("<img") == 4
    dark = drawing.with_name("fig-output-1-dark.svg").read_text()
    assert dark == '<svg><path style="fill: none"/><path style="fill: #dde2e9"/></svg>'


def test_quarto_scripts_and_search_work_from_a_disk(page: Any, by_quarto: Book) -> None:
    quarto_pages.mend(by_quarto)
    page.goto((by_quarto.rendered / "index.html").as_uri())
    assert page.evaluate("[window.ran, window.tabs]") == [True, True]
    assert page.evaluate("read()") == [{"title": "Found"}]
    assert page.faults == []


# ── Both renderers ───────────────────────────────────────────────────────────────────────────────────────────────────


def in_the_projects_style(book: Book) -> None:
    """The sample with all that the project's own report has from Quarto."""
    import yaml

    own = yaml.safe_load((PROJECT / "_quarto.yml").read_text())
    sample = yaml.safe_load((book.root / "_quarto.yml").read_text())
    settings = own | sample | {"book": sample["book"] | {name: own["book"][name] for name in ("downloads", "sidebar")}}
    (book.root / "_quarto.yml").write_text(yaml.safe_dump(settings))
    told = making._for_quarto(VALUES, (), [Path("cache/notebooks/01-sample.ipynb")], {})
    (book.root / "_quarto.yml.local").write_text(told)
    (book.root / "cache/report/book.typ").write_text(pdf.style())
    shutil.copytree(PROJECT / "report/style", book.root / "report/style")


def shown(book: Book) -> dict[str, set[str]]:
    """What the chapters hold on the site, and the captions in print."""
    chapters = [path for path in book.output.rglob("*.html") if path.parent.name != "notebooks"]
    site = " ".join(path.read_text().replace("&nbsp;", " ").replace("\u00a0", " ") for path in chapters)
    links = re.findall(r'<a [^>]*class="(?:quarto-xref|crossref)"[^>]*>(.*?)</a>', site)
    printed = " ".join(page.extract_text() for page in PdfReader(book.pdf).pages).replace("\u00a0", " ")
    return {
        "labels": set(re.findall(r'id="((?:fig|tbl|eq|sec)-(?![\w-]+-caption-)[\w-]+)"', site)),
        "references": {re.sub("<.*?>", "", link) for link in links},
        "citations": set(re.findall(r'id="(ref-[\w-]+)"', site)),
        "captions": set(re.findall(r"(?:Figure|Table) [\w.]+:[^.]*", " ".join(printed.split()))),
    }


@pytest.mark.skipif(not (shutil.which("quarto") and quarto.find()), reason="Quarto is not here")
def test_renderers_show_the_same(tmp_path: Path) -> None:
    book = write_book(tmp_path)
    render(book)
    ours = shown(book)
    in_the_projects_style(book)
    quarto.render(there(), tmp_path, {})
    publishing.publish(book)
    assert shown(book) == ours
    assert all(ours.values())
    page = (book.output / "cache/notebooks/01-sample.html").read_text()
    assert 'href="../../cache/notebooks/01-sample.ipynb"' in page
    assert 'class="code-fold"' in page
    assert 'href="../cache/notebooks/01-sample.html#fig-curve"' in (book.output / "report/one.html").read_text()
    assert "Group" in PdfReader(book.pdf).pages[0].extract_text()


def test_formulas_hold_nothing_that_quarto_would_spell_out() -> None:
    formulas: list[str] = []

    def collected(element: pandoc.Element) -> None:
        if element["t"] == "Math":
            formulas.append(element["c"][1])

    for chapter in (PROJECT / "index.qmd", *(PROJECT / "report").glob("*.qmd")):
        pandoc.walk(pandoc.read(chapter.read_text()), collected)
    assert formulas
    assert [
        each for each in formulas if re.search(r"\{\{<|\\([bB]igg?[lrm]?|o(dot|plus|minus|times))(?![A-Za-z])", each)
    ] == []
