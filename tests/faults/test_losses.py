"""What others made stays: whatever an output folder is called and holds, whoever else works here, and when pruning."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import small_report
from reporting_sample import QUARTO, VALUES, render, write_book

from autoencoders import settings
from autoencoders.errors import InputError, ReportError
from autoencoders.reporting import folder as folders
from autoencoders.reporting import making, variables
from autoencoders.reporting.folder import MARK, Folder
from autoencoders.settings import ENVIRONMENT, Settings
from autoencoders.store.files import locked

Tried = Callable[[int], None]

OUTPUT = "An output folder that is, holds or lies in what the report is made of is refused before anything is made."
KEPT = "Making a report takes away only what an earlier one lists as its own: whatever others put beside it stays."


def content(folder: Path) -> dict[str, bytes]:
    """All that lies in its folder, but for locks."""
    return {name: raw for name, raw in small_report.content(folder).items() if not name.endswith(".lock")}


def edition_of(root: Path, **given: Any) -> making.Edition:
    lab: Any = SimpleNamespace(
        settings=Settings(**given), profile=SimpleNamespace(name="smoke"), plan=list, catalogues=[]
    )
    return making.Edition(root=root, labs=(lab,), facts=lambda: pytest.fail("the work has begun"))


# ── Where a report is made ───────────────────────────────────────────────────────────────────────────────────────────

HOLDING = (".", "./", "..", "../..", "/", "report", "report/..", "docs", "./docs", "docs/site", "analysis", "cache")
HOLDING += (
    "cache/book",
    "submission",
    "autoencoders",
    "tests",
    ".git",
    "data",
    "chapters",
    "link",
    "shared",
    "elsewhere",
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with all that somebody may keep in one, and a folder beside it."""
    root = tmp_path / "home/project"
    write_book(root, values=VALUES)
    for name in ("docs/reliability.md", "tests/test_a.py", ".git/HEAD", "data/set", "analysis/a.csv", "chapters/a.qmd"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("precious")
    (root / "../thesis.tex").write_text("precious")
    (root / "shared/cache").mkdir(parents=True)
    (root / "elsewhere/images").mkdir(parents=True)
    (root / "link").symlink_to(root / "docs")
    monkeypatch.setattr(making, "PROJECT", root)
    return root


@pytest.mark.promise(OUTPUT)
@pytest.mark.parametrize("output", HOLDING)
def test_output_folder_that_holds_sources_is_refused(project: Path, output: str, tried: Tried) -> None:
    """By each command that writes there, whoever renders."""
    written = QUARTO.replace("output-dir: _book", f"output-dir: {output}")
    (project / "_quarto.yml").write_text(written.replace("report/two.qmd", "report/two.qmd, chapters/a.qmd"))
    edition = edition_of(project, cache=project / "shared/cache", data_dir=project / "elsewhere/images")
    before = content(project.parent)
    asked: list[Callable[[], Any]] = [
        lambda: making.report(edition, "pandoc"),
        lambda: making.hand_in(edition, "quarto"),
        lambda: making.prepare(edition, "Quarto"),
        lambda: making.add_extra_pages(edition),
        lambda: making.packed(edition),
    ]
    for ask in asked:
        with pytest.raises(InputError, match=r"^_quarto.yml, project: output-dir: [^\n]*$"):
            ask()
    assert content(project.parent) == before
    tried(len(asked))


@pytest.mark.promise(OUTPUT)
@pytest.mark.parametrize("output", ["_book", "public", "build/book", "../site"])
def test_output_folder_of_its_own_is_accepted(project: Path, output: str) -> None:
    (project / "_quarto.yml").write_text(QUARTO.replace("output-dir: _book", f"output-dir: {output}"))
    making._check_output(edition_of(project))


@pytest.mark.promise(OUTPUT)
def test_site_of_somebody_else_is_refused(project: Path) -> None:
    (project / "_book").mkdir()
    (project / "_book/index.html").write_text("precious")
    before = content(project)
    for renderer in ("pandoc", "quarto", "auto"):
        with pytest.raises(InputError, match="holds a site that no rendering here lists as its own"):
            making.report(edition_of(project), renderer)  # type: ignore[arg-type]
    assert content(project) == before


# ── What lies there ──────────────────────────────────────────────────────────────────────────────────────────────────

FOREIGN = (
    "CNAME",
    ".nojekyll",
    ".git/HEAD",
    "index.html.bak",
    "zzz.html",
    "notebooks/mine.ipynb",
    "images/photo.png",
    "explore/data/mine.js",
    "deep/er/file",
    "G01_Assignment2_Report.pdf",
)


def put_foreign(folder: Path) -> dict[str, bytes]:
    for name in FOREIGN:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"precious {name} <a href='nowhere.html'>")
    (folder / "empty").mkdir()
    return {name: (folder / name).read_bytes() for name in FOREIGN}


def kept(folder: Path) -> dict[str, bytes]:
    assert (folder / "empty").is_dir()
    return {name: (folder / name).read_bytes() for name in FOREIGN}


@pytest.mark.promise(KEPT)
def test_site_keeps_what_others_put_there(tmp_path: Path, tried: Tried) -> None:
    """Before the first rendering and between two; what is made no more goes."""
    book = write_book(tmp_path)
    foreign = put_foreign(book.output)
    render(book)
    assert kept(book.output) == foreign
    own = set(content(book.output)) - set(FOREIGN) - {MARK, book.pdf.name}
    assert own == Folder(book.output).listed
    (tmp_path / "_quarto.yml").write_text(QUARTO.replace("report/two.qmd, ", ""))
    for name in ("one", "extra"):  # they refer to the chapter that goes
        (tmp_path / f"report/{name}.qmd").write_text(f"# Title {{#sec-{name}}}\n")
    render(type(book).read(tmp_path))
    assert kept(book.output) == foreign
    assert (book.output / "one.html").exists()
    assert not (book.output / "two.html").exists(), "it was an earlier rendering's own"
    tried(2 * len(FOREIGN))


@pytest.mark.promise(KEPT)
def test_quarto_keeps_what_others_put_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: Tried) -> None:
    """Quarto by itself would take all: it is told not to, and what it made is told from what was there."""
    book = write_book(tmp_path)
    (tmp_path / "cache/report").mkdir()
    (tmp_path / "_quarto.yml.local").touch()
    foreign = put_foreign(book.output)
    program, made = tmp_path / "quarto", iter(["old.html", "new.html"])
    program.write_text(
        '#!/bin/sh\n[ "$*" = "render --no-clean" ] || rm -r _book\necho > _book/index.html; cp i _book/$PAGE'
    )
    program.chmod(0o755)
    (tmp_path / "i").write_text("page")
    for page in made:
        monkeypatch.setenv("PAGE", page)
        (tmp_path / "index.qmd").write_text(f"# {page}\n")
        making._render(making.quarto.Quarto(str(program), "1.9.3"), edition_of(tmp_path), book, [])
        assert Folder(book.output).listed == {"index.html", page}
        assert kept(book.output) == foreign
    assert not (book.output / "old.html").exists()
    tried(2 * len(FOREIGN))


@pytest.mark.promise(KEPT)
@pytest.mark.parametrize(
    "mark",
    [
        '["../precious", "sub/../../precious", "{root}/precious", "link/precious", "", ".", "sub", 5, null]',
        '{"../precious": 1}',
        "[" * 100_000,
        "no JSON",
        "",
    ],
)
def test_lists_name_nothing_outside_their_folder(tmp_path: Path, mark: str) -> None:
    """Not one that somebody edited, either."""
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (folder / "link").symlink_to(tmp_path / "other")
    (tmp_path / "precious").write_text("x")
    (tmp_path / "other/precious").write_text("x")
    (folder / "sub/file").write_text("x")
    (folder / MARK).write_text(mark.replace("{root}", str(tmp_path)))
    before = content(tmp_path)
    Folder(folder).drop_older()
    after = content(tmp_path)
    assert json.loads(after.pop(f"site/{MARK}")) == []
    before.pop(f"site/{MARK}")
    assert after == before


@pytest.mark.promise(KEPT)
def test_files_are_put_through_no_link(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/a.png").write_text("precious")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/images").symlink_to(tmp_path / "pictures")
    with pytest.raises(InputError, match="leads out of its folder by a link"):
        Folder(tmp_path / "site").put("images/a.png", "new")
    assert (tmp_path / "pictures/a.png").read_text() == "precious"


@pytest.mark.promise(KEPT)
def test_interrupted_rendering_leaves_only_what_the_next_one_drops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.put("one.html", "1")
    replace = folders.os.replace

    def killed(source: Path, target: Path) -> None:
        replace(source, target)
        if target.name == "two.html":
            raise KeyboardInterrupt

    monkeypatch.setattr(folders.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.put("two.html", "2")
    (tmp_path / "theirs.html").write_text("x")
    again = Folder(tmp_path)
    again.put("one.html", "1")
    again.drop_older()
    assert set(content(tmp_path)) == {MARK, "one.html", "theirs.html"}


# ── Whose report it is ───────────────────────────────────────────────────────────────────────────────────────────────

GROUPS = "A group's report and submission are its own: made and packed in one go while others wait, who take none away."


@pytest.mark.promise(GROUPS)
def test_reports_of_two_groups_keep_each_others_files(tmp_path: Path) -> None:
    """And whatever else lies where they are handed in from."""
    small_report.written(tmp_path)
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission/cover letter.docx").write_text("precious")
    own = {group: small_report.made(tmp_path, 1, in_this_process=True, group=group) for group in ("G01", "G07")}
    assert (tmp_path / "submission/cover letter.docx").read_text() == "precious"
    for group, made in own.items():
        _, shown, pdf, archive = made
        assert {path.name for path in (shown, pdf)} == {f"{group}_Assignment2_Report.pdf"}
        assert pdf.read_bytes() == shown.read_bytes()
        assert f"group: {group}" in handed_in(archive)


def handed_in(archive: Path) -> str:
    """The `params.yml` of a submission."""
    with zipfile.ZipFile(archive) as content:
        return content.read(f"{archive.stem}/params.yml").decode()


@pytest.mark.promise(GROUPS)
def test_another_report_waits_until_one_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever command comes in between; but for the steps of a Quarto that this report has called."""
    small_report.written(tmp_path)
    waiting: list[str] = []

    def pack(*_: Any) -> tuple[Path, ...]:
        for ask in (making.prepare, making.report, making.hand_in, making.packed):
            with pytest.raises(TimeoutError):
                ask(edition_of(tmp_path), "pandoc") if ask is not making.packed else making.packed(edition_of(tmp_path))
            waiting.append(ask.__name__)
        monkeypatch.setenv(making.HELD, "1")
        with pytest.raises(pytest.fail.Exception, match="the work has begun"):
            making.prepare(edition_of(tmp_path), "Quarto")
        return ()

    monkeypatch.setattr(making, "locked", lambda path, wait=True: locked(path, wait=False))
    monkeypatch.setattr(making.submission, "pack", pack)
    small_report.made(tmp_path, 1, in_this_process=True)
    assert len(waiting) == 4


@pytest.mark.promise(GROUPS)
@pytest.mark.parametrize("option", ["group", "profile", "dataset", "seeds"])
def test_submission_of_another_run_is_refused_and_its_command_told(tmp_path: Path, option: str) -> None:
    run = {"group": "G07", "profile": "smoke", "dataset": "photos10", "seeds": "0,1"}
    other = {"group": "G01", "profile": "quick", "dataset": "cifar10", "seeds": "3"}
    variables.write(tmp_path / "_variables.yml", {"run": run | {option: other[option]}})
    write_quarto(tmp_path)
    lab: Any = SimpleNamespace(
        settings=Settings(group="G07", dataset="photos10"),
        profile=SimpleNamespace(name="smoke"),
        catalogues=[SimpleNamespace(seed=seed) for seed in (0, 1)],
    )
    edition = making.Edition(root=tmp_path, labs=(lab,), facts=lambda: pytest.fail("the work has begun"))
    with pytest.raises(ReportError, match=f"`python pipeline.py submission --{option} {other[option]}` packs it"):
        making.packed(edition)
    variables.write(tmp_path / "_variables.yml", {"run": run})
    with pytest.raises(pytest.fail.Exception, match="the work has begun"):
        making.packed(edition)
    (tmp_path / "_variables.yml").unlink()
    with pytest.raises(ReportError, match="no report is made yet"):
        making.packed(edition)


def write_quarto(root: Path) -> None:
    (root / "_quarto.yml").write_text("project: {}\nbook: {chapters: []}\n")


# ── What the zip says of the run ─────────────────────────────────────────────────────────────────────────────────────

IN_FORCE = "The `params.yml` that is handed in says what was in force, however the keys of this one are written."
WRITTEN = (
    "group: G00",
    "group : G00",
    "group  :   G00   # why",
    "'group': 'G00'",
    '"group": "G00"',
    "? group\n: G00",
    "group:\n  G00",
    "group: >-\n  G00",
    "group: !!str 007",
    "group: &a G00\nauthors: [*a]",
    "{group: G00, seeds: [1]}",
    "group: G00\ngroup: G01",
    "\ufeffgroup: G00",
    "---\ngroup: G00\n...",
    "# group: G00\nauthors: [Ada]",
    "# nothing",
    "",
    "group: G00\r\nprofile: quick\r\n",
    "seeds:\n- 1\n- 2\n# why\ngroup: G00",
    "seeds:\n  - 1\n  - 2\ngroup: G00\nprofile: auto",
    "notebooks:\n  02-denoising:\n    sigmas: [0.1]\nprofile: full # here\ngroup: G00",
    "data_dir: /home/ada/data\ncache: /home/ada/cache\ndevice: cpu\njobs: 2\ngroup: G00",
    "authors:\n  - Ada # she\n  - Zoë\ngroup: G00",
)


@pytest.mark.promise(IN_FORCE)
@pytest.mark.parametrize("text", WRITTEN)
def test_handed_in_parameters_are_those_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, tried: Tried
) -> None:
    for twin in ENVIRONMENT.values():
        monkeypatch.delenv(twin, raising=False)
    path = tmp_path / "params.yml"
    given: list[dict[str, Any]] = [
        {},
        {"group": "G07"},
        {"group": "007", "profile": "smoke"},
        {"group": "no", "seeds": "0,5", "dataset": "photos10"},
        {"seeds": "auto"},
    ]
    for flags in given:
        path.write_text(text, encoding="utf-8", newline="")
        force = settings.load(path, **flags)
        path.write_text(settings.as_yaml(text, force), encoding="utf-8", newline="")
        own = {name: getattr(Settings(), name) for name in settings.OF_THE_MACHINE}
        assert settings.load(path) == replace(force, **own)
        assert "/home/ada" not in path.read_text(encoding="utf-8")
    tried(len(given))


@pytest.mark.promise(IN_FORCE)
def test_handed_in_parameters_keep_comments() -> None:
    text = "# why\ngroup : 'G00'   # the group\nprofile: auto # and\nauthors:\n  - Ada # she\n"
    force = Settings(group="G07", profile="smoke", authors=("Ada",), seeds=(0, 1))
    assert settings.as_yaml(text, force) == (
        "# why\ngroup : G07   # the group\nprofile: smoke # and\nauthors:\n  - Ada # she\nseeds: [0, 1]\n"
    )
