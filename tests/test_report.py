"""The report as a person makes it: by the true command, to what is handed in, and again after an edit."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path

import pypdf
import pytest
from copied_project import SELDOM, imported
from made_report import Made

from autoencoders import explore, settings
from autoencoders.reporting import editions, pages
from autoencoders.reporting.book import Book, embedded, sources

pytestmark = pytest.mark.scenario

REQUIRED = [f"r{number:02d}" for number in (*range(1, 28), 39)]
TITLE = "G07_Assignment2_Report"


def test_checklist_leads_to_everything_required(made: Made) -> None:
    checklist = made.page("report/checklist.html")
    targets = {anchor: page for page, anchor in re.findall(r'href="([^"#]*)#sec-(r\d\d)"', checklist)}
    by_chapter = {"r24", "r25", "r26", "r27"}  # answered by whole chapters
    assert targets.keys() == set(REQUIRED) - by_chapter
    for anchor, page in targets.items():
        assert f'id="sec-{anchor}"' in made.page(f"report/{page}"), anchor
    for anchor in ("sec-problem", "sec-method", "sec-tuning", "sec-autoencoder", "sec-masked", "sec-findings"):
        assert f'#{anchor}"' in checklist


def test_site_and_pdf_show_everything_required(made: Made) -> None:
    site = "".join(path.read_text(encoding="utf-8") for path in made.book.rglob("*.html"))
    shown = {number for number in REQUIRED if re.search(rf'id="(fig|tbl)-{number}-', site)}
    assert shown == set(REQUIRED) - {"r06"}, "R6 is a discussion: claims alone"
    pdf = pypdf.PdfReader(made.book / f"{TITLE}.pdf")
    text = "".join(page.extract_text() for page in pdf.pages)
    numbered = r'id="((?:fig|tbl)-[\w-]+)".*?<figcaption[^>]*><strong>((?:Figure|Table)\s[\dA-Z]+(?:\.\d+)?)'
    chapters = (made.book / "report").glob("*.html")
    floats = [each for path in chapters for each in re.findall(numbered, path.read_text(encoding="utf-8"), re.S)]
    assert len(floats) > 40
    only_on_the_site = editions.left_out(sources(made.project.folder), "standard")  # last in chapters: numbers agree
    for caption in (caption for label, caption in floats if label not in only_on_the_site):
        assert re.sub(r"\s", " ", caption) in re.sub(r"\s", " ", text), caption


def test_report_says_what_it_is(made: Made) -> None:
    pdf = pypdf.PdfReader(made.book / f"{TITLE}.pdf")
    assert pdf.metadata is not None
    assert "G07" in (pdf.metadata.author or "")
    cover, *pages = [page.extract_text() for page in pdf.pages]
    assert "Nothing in this report is a result on CIFAR-10" in cover
    assert all("photos10, not CIFAR-10" in page for page in pages)
    assert all("photos10, not CIFAR-10" in path.read_text() for path in made.book.rglob("*.html"))
    assert "The report on one page" in pages[0]
    assert "Figure 2" in pages[0].replace("\u00a0", " "), "all of it"


def printed(made: Made, edition: str) -> str:
    """The text of the PDF, which keeps to what its edition may have."""
    book = Book.read(made.project.folder)
    assert book.edition == edition
    assert pages.complaints(pages.measured(book.pdf, pages.following(book)), pages.LIMITS[edition]) == []
    return " ".join(page.extract_text() for page in pypdf.PdfReader(book.pdf).pages)


def test_standard_edition_keeps_to_its_pages(made: Made) -> None:
    assert "figures and tables\nempty in % of each page: 2: " in made.stderr
    assert "The figures and tables of all requirements are printed here" in printed(made, "standard")


def test_short_edition_keeps_to_its_pages_and_leaves_the_site_alone(made: Made, tmp_path: Path) -> None:
    mine = made.copy(tmp_path)
    before = mine.stamps()
    done = mine.again(AE_EDITION="short")
    assert done.returncode == 0, done.stderr
    assert re.search(r"This short edition leaves the figures and\s+tables of R\d", printed(mine, "short"))
    touched = {name for name, stamp in mine.stamps().items() if before.get(name) != stamp}
    handed = {f"submission/{TITLE}.pdf", "submission/G07_Assignment2_Code.zip"}
    assert touched == {f"_book/{TITLE}.pdf", *handed}
    with zipfile.ZipFile(mine.project.folder / "submission/G07_Assignment2_Code.zip") as archive:
        assert b"edition: short" in archive.read("G07_Assignment2_Code/params.yml")


def test_report_again_changes_nothing(made: Made) -> None:
    before = made.stamps()
    done = made.again(PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stderr
    assert not imported(done) & SELDOM
    assert re.search(r"^(\d+) of \1 results are cached, 0 to make$", done.stderr, re.MULTILINE)
    assert re.search(r"^(\d+) of \1 notebooks are up to date$", done.stderr, re.MULTILINE)
    assert made.stamps() == before


def test_parameter_touches_only_what_uses_it(made: Made, tmp_path: Path) -> None:
    mine = made.copy(tmp_path)
    before, cached = mine.stamps(), set(os.listdir(mine.project.cache / "artifacts"))
    (mine.project.folder / "params.yml").write_text("group: G00\nnotebooks:\n  02-denoising:\n    examples: 4\n")
    done = mine.again()
    assert done.returncode == 0, done.stderr
    after = mine.stamps()
    touched = {name for name, stamp in after.items() if before.get(name) != stamp}
    assert {name for name in touched if name.startswith("cache/notebooks/")} == {"cache/notebooks/02-denoising.ipynb"}
    pages = {name.removeprefix("_book/") for name in touched if name.endswith(".html") and name.startswith("_book/")}
    assert "report/05-denoising.html" in pages
    assert not pages & {f"report/{name}.html" for name in ("01-problem", "04-autoencoder", "06-vae", "07-masked")}
    assert set(os.listdir(mine.project.cache / "artifacts")) == cached


def test_level_of_noise_trains_its_denoiser_alone(made: Made, tmp_path: Path) -> None:
    mine = made.copy(tmp_path)
    cached = set(os.listdir(mine.project.cache / "artifacts"))
    (mine.project.folder / "params.yml").write_text("group: G00\nsigmas: [0.3, 0.1, 0.2]\n")
    done = mine.again()
    assert done.returncode == 0, done.stderr
    records = [
        json.loads((mine.project.cache / "artifacts" / name / "record.json").read_text())
        for name in set(os.listdir(mine.project.cache / "artifacts")) - cached
    ]
    trained = {r["name"].split("/")[-1] for r in records if r["kind"] == "training"}
    assert trained == {"dae-vector-0.2@0"}
    others = {r["kind"] for r in records if "dae-vector-0.2@0" not in r["name"] and "gaussian:0.2" not in r["name"]}
    assert others == {"linearprogram"}, "which the page on noise has for all levels at once"
    assert "σ = 0.2" in mine.page("report/05-denoising.html").replace("\u00a0", " ")


def test_submission_is_whole(made: Made) -> None:
    handed = made.project.folder / "submission"
    assert {path.name for path in handed.iterdir()} == {f"{TITLE}.pdf", "G07_Assignment2_Code.zip"}
    assert (handed / f"{TITLE}.pdf").read_bytes() == (made.book / f"{TITLE}.pdf").read_bytes()
    with zipfile.ZipFile(handed / "G07_Assignment2_Code.zip") as archive:
        names = {name.split("/", 1)[1] for name in archive.namelist()}
        assert {"pipeline.py", "README.md", "environment.yml", "autoencoders/models/vae.py", "Makefile"} <= names
        assert "report/studies/_quarto.yml" in names
        assert not [name for name in names if "cache" in name or name.endswith("_variables.yml")], "what is generated"
        notebooks = {Path(name).stem: name for name in archive.namelist() if name.endswith(".ipynb")}
        assert notebooks.keys() == {path.stem for path in (settings.PROJECT / "analysis").glob("*.ipynb")}
        for name in map(notebooks.__getitem__, embedded(settings.PROJECT)):
            cells = json.loads(archive.read(name))["cells"]
            assert any(cell.get("outputs") for cell in cells), f"{name} has no outputs"


def test_explorer_pages_are_linked_from_every_page(made: Made) -> None:
    first = made.page("index.html").split("<main", 1)[1]  # the rest has it in the sidebar
    for head in explore.heads(settings.Settings()):
        assert (made.book / head.url).exists()
        assert f'href="{head.url}"' in first
        assert f'href="../../{head.url}"' in made.page("cache/notebooks/03-vae.html")
