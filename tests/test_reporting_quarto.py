"""Quarto is found, or installed once, or done without; and both renderers make the same report where it is there."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pypdf import PdfReader
from reporting_sample import VALUES, render, write_book

from autoencoders.errors import ReportError
from autoencoders.reporting import checks, making, quarto
from autoencoders.reporting.book import Book
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
    assert environment["AE_SEEDS"] == "0 1"
    assert "AUTOENCODERS_DATA" not in environment  # none was given


def test_quarto_reads_authors_notice_and_notebooks_from_a_file_of_its_own() -> None:
    import yaml

    values = {"group": "G07"}
    plain = yaml.safe_load(making._for_quarto(values, ("Ada Lovelace", "Turing, *Alan*"), [Path("nb/01-a.ipynb")]))
    assert plain["book"]["author"] == ["Group G07", "Ada Lovelace", r"Turing\, \*Alan\*"], "Quarto reads Markdown"
    assert plain["book"]["page-footer"]["center"] == [{"text": "01-a", "href": "nb/01-a.ipynb"}]
    assert plain["project"]["resources"] == ["nb/01-a.ipynb"]
    assert "body-header" not in plain["book"]
    noticed = yaml.safe_load(making._for_quarto(values | {"notice": {"header": 'Stand-in "data"'}}, (), []))
    assert 'Stand-in "data"' in noticed["book"]["body-header"]


def test_quarto_renders_only_if_something_has_changed(tools: Path, tmp_path: Path) -> None:
    book = write_book(tmp_path / "project")
    edition = making.Edition(root=book.root, labs=(SimpleNamespace(settings=Settings()),), facts=dict)  # type: ignore[arg-type]
    (book.root / "cache/report").mkdir(parents=True)
    for name in ("_variables.yml", "_quarto.yml.local"):
        (book.root / name).touch()
    render_and_count = "mkdir -p _book; echo page > _book/index.html; echo once >> ../count"
    install(tools, "1.9.3", f"export PATH=/usr/bin:/bin; {render_and_count}")

    def asked() -> int:
        making._render(there(), edition, book, [])
        return len((tmp_path / "count").read_text().split())

    assert [asked(), asked()] == [1, 1]
    chapter = book.chapters[0]
    chapter.write_text(chapter.read_text() + "\nMore.\n")
    assert [asked(), asked()] == [2, 2]
    (book.output / "index.html").write_text("something else")
    assert [asked(), asked()] == [3, 3]
    install(tools, "1.9.4", f"export PATH=/usr/bin:/bin; {render_and_count}")
    assert [asked(), asked()] == [4, 4]


def test_quarto_pages_lose_widget_libraries_and_keep_own_scripts(tmp_path: Path) -> None:
    far, own = "https://cdn.jsdelivr.net/npm", '<script src="site_libs/quarto-nav/quarto-nav.js"></script>'
    libraries = (
        f'<script src="{far}/jquery@3.5.1/dist/jquery.min.js" integrity="sha384-x"></script>{own}'
        f'\n<script src="{far}/requirejs@2.3.6/require.min.js" integrity="sha384-x sha384-y"></script>\n'
        """<script type="application/javascript">define('jquery', [],function() {return window.jQuery;})</script>"""
    )
    page = tmp_path / "cache/notebooks/07-digits.html"
    page.parent.mkdir(parents=True)
    page.write_text(f"<head>{libraries}</head><script>draw('jquery')</script>")
    quarto.restrict_scripts(tmp_path)
    left = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>|\n', "", page.read_text())
    assert left == f"<head>{own}</head><script>draw('jquery')</script>"


def in_the_projects_style(book: Book) -> None:
    """The sample with all that the project's own report has from Quarto."""
    import yaml

    own = yaml.safe_load((PROJECT / "_quarto.yml").read_text())
    sample = yaml.safe_load((book.root / "_quarto.yml").read_text())
    settings = own | sample | {"book": sample["book"] | {name: own["book"][name] for name in ("downloads", "sidebar")}}
    (book.root / "_quarto.yml").write_text(yaml.safe_dump(settings))
    told = making._for_quarto(VALUES, (), [Path("cache/notebooks/01-sample.ipynb")])
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
    checks.check(book)
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
