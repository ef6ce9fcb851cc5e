"""What others made stays: whatever an output folder is called and holds, whoever else works here, and when pruning."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import small_report
from reporting_sample import QUARTO, VALUES, render, write_book
from typer.testing import CliRunner

import pipeline
from autoencoders import data, inspection, settings
from autoencoders.catalogue import Catalogue
from autoencoders.errors import InputError, ReportError
from autoencoders.inspection import Remembered
from autoencoders.lab import Lab, Source
from autoencoders.plans import Plan
from autoencoders.profiles import PROFILES
from autoencoders.reporting import making, variables
from autoencoders.reporting.folder import MARK, Folder
from autoencoders.settings import ENVIRONMENT, Settings
from autoencoders.store import Artifact, Store, Task, entries
from autoencoders.store.files import locked
from autoencoders.studies import study

Tried = Callable[[int], None]

OUTPUT = "An output folder that is, holds or lies in what the report is made of is refused before anything is made."
KEPT = "Making a report takes away only what an earlier one lists as its own: whatever others put beside it stays."


def content(folder: Path) -> dict[str, bytes]:
    """All that lies in its folder, but for locks."""
    return {name: raw for name, raw in small_report.content(folder).items() if not name.endswith(".lock")}


def begun(*_: Any) -> Any:
    pytest.fail("the work has begun")


def manuscript_of(root: Path, **given: Any) -> making.Manuscript:
    """One whose work must not begin."""
    lab: Any = SimpleNamespace(
        settings=Settings(**given), profile=SimpleNamespace(name="smoke"), plan=begun, catalogues=[]
    )
    return making.Manuscript(root=root, labs=(lab,), facts=begun)


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
    """By each command that writes there, whoever renders: into it, or for readers."""
    manuscript = manuscript_of(project, cache=project / "shared/cache", data_dir=project / "elsewhere/images")
    before = content(project.parent)
    commands: list[Callable[[], Any]] = [
        lambda: making.report(manuscript, "pandoc"),
        lambda: making.hand_in(manuscript, "quarto"),
        lambda: making.prepare(manuscript, "Quarto"),
        lambda: making.complete(manuscript, None),
        lambda: making.packed(manuscript),
    ]
    written = QUARTO.replace("report/two.qmd", "report/two.qmd, chapters/a.qmd")
    choices = {
        "output-dir": written.replace("output-dir: build/book", f"output-dir: {output}"),
        "published-dir": f"{written}published-dir: {output}\n",
    }
    for name, text in choices.items():
        (project / "_quarto.yml").write_text(text)
        for command in commands:
            with pytest.raises(InputError, match=rf"^_quarto.yml: {name}: [^\n]*$"):
                command()
    (project / "_quarto.yml").write_bytes(before["project/_quarto.yml"])
    assert content(project.parent) == before
    tried(len(choices) * len(commands))


@pytest.mark.promise(OUTPUT)
@pytest.mark.parametrize("output", ["public", "build/pages", "../site"])
def test_output_folder_of_its_own_is_accepted(project: Path, output: str) -> None:
    (project / "_quarto.yml").write_text(QUARTO.replace("output-dir: build/book", f"output-dir: {output}"))
    making._check_output(manuscript_of(project))


@pytest.mark.promise(OUTPUT)
def test_site_of_somebody_else_is_refused(project: Path) -> None:
    (project / "_book").mkdir()
    (project / "_book/index.html").write_text("precious")
    before = content(project)
    for renderer in ("pandoc", "quarto", "auto"):
        with pytest.raises(InputError, match="holds a site that no rendering here lists as its own"):
            making.report(manuscript_of(project), renderer)  # type: ignore[arg-type]
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
    assert (book.output / "report/one.html").exists()
    assert not (book.output / "report/two.html").exists(), "it was an earlier rendering's own"
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
    Folder(folder).drop_the_rest()
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
    replace = os.replace

    def killed(source: Path, target: Path) -> None:
        replace(source, target)
        if target.name == "two.html":
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.put("two.html", "2")
    (tmp_path / "theirs.html").write_text("x")
    again = Folder(tmp_path)
    again.put("one.html", "1")
    again.drop_the_rest()
    assert set(content(tmp_path)) == {MARK, "one.html", "theirs.html"}


@pytest.mark.promise(KEPT)
def test_what_a_killed_write_left_goes_and_what_looks_like_it_stays(tmp_path: Path) -> None:
    Folder(tmp_path).put("deep/one.html", "1")
    for name in ("deep/.one.html.0123abcd", ".one.html.0123abcd", "deep/.theirs.html.0123abcd", ".env.deadbeef"):
        (tmp_path / name).write_text("half")
    again = Folder(tmp_path)
    again.put("deep/one.html", "1")
    again.drop_the_rest()
    own = {MARK, "deep/one.html"}
    assert set(content(tmp_path)) - own == {".one.html.0123abcd", "deep/.theirs.html.0123abcd", ".env.deadbeef"}


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
            manuscript = manuscript_of(tmp_path)
            with pytest.raises(TimeoutError):
                ask(manuscript, "pandoc") if ask is not making.packed else making.packed(manuscript)
            waiting.append(ask.__name__)
        monkeypatch.setenv(making.HELD, "1")
        with pytest.raises(pytest.fail.Exception, match="the work has begun"):
            making.prepare(manuscript_of(tmp_path), "Quarto")
        return ()

    monkeypatch.setattr(making, "locked", lambda path, wait=True: locked(path, wait=False))
    monkeypatch.setattr(making.submission, "pack", pack)
    small_report.made(tmp_path, 1, in_this_process=True)
    assert len(waiting) == 4


@pytest.mark.promise(GROUPS)
@pytest.mark.parametrize("option", ["group", "profile", "dataset", "seeds"])
def test_submission_of_another_run_is_refused_and_its_command_told(tmp_path: Path, option: str) -> None:
    other = {"group": "G01", "profile": "quick", "dataset": "cifar10", "seeds": "3"}
    write_quarto(tmp_path)
    lab: Any = SimpleNamespace(
        settings=Settings(group="G07", dataset="photos10"),
        store=SimpleNamespace(looked_at_once=nullcontext),
        profile=replace(PROFILES["smoke"], seeds=(0, 1)),
    )
    manuscript = making.Manuscript(root=tmp_path, labs=(lab,), facts=begun)
    run = making._run(manuscript)
    variables.write(tmp_path / "_variables.yml", {"run": run | {option: other[option]}})
    with pytest.raises(ReportError, match=f"`python pipeline.py submission --{option} {other[option]}` packs it"):
        making.packed(manuscript)
    variables.write(tmp_path / "_variables.yml", {"run": run})
    with pytest.raises(pytest.fail.Exception, match="the work has begun"):
        making.packed(manuscript)
    (tmp_path / "_variables.yml").unlink()
    with pytest.raises(ReportError, match="no report is made yet"):
        making.packed(manuscript)


def write_quarto(root: Path) -> None:
    (root / "_quarto.yml").write_text("project: {output-dir: build/book}\nbook: {chapters: [index.qmd]}\n")
    (root / "index.qmd").write_text("# One\n")


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
    "notebooks:\n  02-denoising:\n    examples: 3\nprofile: full # here\ngroup: G00",
    "data_dir: /home/ada/data\ncache: /home/ada/cache\ndevice: cpu\njobs: 2\ngroup: G00",
    "sigmas: [0.2, 0.1] # first\nunseen: none\narithmetic: [dog - cat + bird]\ngroup: G00",
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
        {"sigmas": "0.25", "unseen": "none", "arithmetic": "dog - cat + bird, ship - truck + frog"},
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


# ── Pruning ──────────────────────────────────────────────────────────────────────────────────────────────────────────

PRUNED = "Pruning keeps what any profile asks for on any data and with any seed that the cache has results of."
OURS = "Pruning touches only what is named as the store names its own, in a folder marked as its cache, and no links."
ASKED = (
    "Pruning says first how much goes and how long it took; more than an hour's work goes only if that is confirmed."
)


def finish(store: Store, task: Task, seconds: float = 0.0) -> Path:
    """Put an entry of the task into the cache, as if computing it had taken so long."""
    store.fetch(replace(task, compute=lambda scratch, **needed: Artifact({"a": np.zeros(1)}, {})))
    folder = store.root / "artifacts" / store.key(task)
    artifact, record = entries.read(folder)
    shutil.rmtree(folder)
    entries.write(folder, artifact, record | {"seconds": seconds})
    return folder


def obsolete(lab: Lab) -> Task:
    """What no plan asks for."""
    return replace(lab.bench.training(lab.experiments()[0]), name="obsolete", spec={"seed": 9, "old": True})


@pytest.fixture
def without_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what ships with packages is there, and stands in for what isn't."""
    monkeypatch.setattr(data.files, "DATA", tmp_path / "none")
    for twin in ENVIRONMENT.values():
        monkeypatch.delenv(twin, raising=False)


def pruned(lab: Lab, **how: Any) -> set[Path]:
    """The entries that go."""
    before = set((lab.store.root / "artifacts").iterdir())
    inspection.prune(lab, **{"drop": True, "confirmed": lambda question: True} | how)
    return before - set((lab.store.root / "artifacts").iterdir())


@pytest.mark.promise(PRUNED)
@pytest.mark.usefixtures("without_data")
def test_prune_keeps_all_data_and_seeds_that_were_ever_computed(tmp_path: Path, tried: Tried) -> None:
    """Of two versions of a data set that is gone, of seeds of other runs, and of studies on mixed stand-ins."""
    cifar = [[Source("cifar10", Path(), fingerprint)] for fingerprint in ("f00d", "beef")]
    mixed = [Source("voc2007", Path(), "v0c"), Source("photos10-96", Path(), "9696")]
    runs: list[tuple[str, int, type[Plan], list[Source]]] = [
        ("full", 7, Catalogue, cifar[0]),
        ("quick", 0, Catalogue, cifar[1]),
        ("evening", 3, Catalogue, cifar[1]),
    ]
    wanted = study("transfer").wanted_data("cifar10")
    if {"voc2007", "stl10"} == {*wanted}:
        runs.append(("quick", 5, study("transfer"), mixed))
    kept = set()
    for profile, seed, plan, sources in runs:
        lab = Remembered(Settings(profile=profile, seeds=(seed,), cache=tmp_path / "cache"), plan, sources)
        kept |= {finish(lab.store, task) for task in lab.readings()}
        trained = lab.experiments()[:2]
        kept |= {finish(lab.store, lab.bench.training(each)) for each in trained}
        measured = [pair for pair in lab.measurements() if pair[0] in trained and not pair[1].needs(pair[0])]
        kept |= {finish(lab.store, lab.bench.measurement(*pair)) for pair in measured[:2]}
    gone = finish(lab.store, obsolete(lab))
    for given in ({"profile": "smoke"}, {"profile": "full", "seeds": (1,)}, {"dataset": "photos10"}):
        now = Lab(Settings(cache=tmp_path / "cache", **{"profile": "quick"} | given), looks_only=True)
        assert pruned(now) == {gone}
        assert set((tmp_path / "cache/artifacts").iterdir()) == kept
        gone = finish(lab.store, obsolete(lab))
    tried(3 * len(kept))


FOREIGN_NAMES = (
    "paper.pdf",
    "0123",
    "0123456789ABCDEF",
    "0123456789abcdef0",
    "deadbeefdeadbeef.txt",
    ".hidden",
    "a" * 17,
)


def shared(folder: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Others' folders, called as the store calls its own."""
    for place in ("artifacts", "checkpoints", "failures", "set-aside", "data", "locks", "data/cifar-10-batches-py"):
        for name in names:
            (folder / place / name).mkdir(parents=True)
            (folder / place / name / "thesis.tex").write_text("precious")
    return content(folder)


@pytest.mark.promise(OURS)
def test_prune_leaves_others_names_and_links_alone(tmp_path: Path, tried: Tried) -> None:
    """In a cache that is ours, among entries that go."""
    store = Store(tmp_path / "cache")
    task = Task(name="a", kind="a", spec={}, roots=("autoencoders.jsonable:finite",), inputs={}, compute=begun)
    gone = finish(store, task)
    shared(tmp_path / "cache", FOREIGN_NAMES)
    shared(tmp_path / "elsewhere", ("mine",))
    for number, target in enumerate(("elsewhere/data", "nowhere", "elsewhere/data/mine/thesis.tex")):
        for place in ("artifacts", "checkpoints", "set-aside"):
            (tmp_path / "cache" / place / f"{number:016x}").symlink_to(tmp_path / target)
    links = {path for path in (tmp_path / "cache").rglob("*") if path.is_symlink()}
    before = content(tmp_path / "cache")
    elsewhere = content(tmp_path / "elsewhere")
    assert [item.path for item in store.prune([])] == [gone]
    ours = gone.relative_to(tmp_path / "cache").as_posix()
    assert content(tmp_path / "cache") == {n: raw for n, raw in before.items() if not n.startswith(ours)}
    assert content(tmp_path / "elsewhere") == elsewhere
    assert {path for path in (tmp_path / "cache").rglob("*") if path.is_symlink()} == links
    tried(len(before) + len(links))


@pytest.mark.promise(OURS)
def test_prune_refuses_a_folder_that_is_no_cache(tmp_path: Path) -> None:
    before = shared(tmp_path, ("0123456789abcdef", "0123456789abcdef-20260101T000000.000000", "0123456789abcdef.json"))
    with pytest.raises(InputError, match="isn't marked as a cache of this project: nothing is dropped there"):
        Store(tmp_path).prune([])
    assert content(tmp_path) == before


@pytest.mark.promise(OURS)
def test_prune_knows_a_cache_from_before_there_were_marks(tmp_path: Path) -> None:
    store = Store(tmp_path)
    task = Task(name="a", kind="a", spec={}, roots=("autoencoders.jsonable:finite",), inputs={}, compute=begun)
    gone = finish(store, task)
    (tmp_path / ".autoencoders-cache").unlink()
    assert [item.path for item in Store(tmp_path).prune([])] == [gone]


@pytest.mark.promise(ASKED)
@pytest.mark.usefixtures("without_data")
@pytest.mark.parametrize(("seconds", "begun_too"), [(59.0, False), (3601.0, False), (0.0, True)])
def test_prune_of_much_work_is_confirmed(
    tmp_path: Path, seconds: float, begun_too: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or refused, where nobody is there to be asked."""
    monkeypatch.setattr(inspection, "_kept", lambda lab: [])  # nothing else is in this cache
    lab = Lab(Settings(profile="smoke", dataset="photos10", cache=tmp_path / "cache"), looks_only=True)
    gone = finish(lab.store, obsolete(lab), seconds)
    if begun_too:
        (tmp_path / "cache/checkpoints/0123456789abcdef").mkdir(parents=True)
    command = ["prune", "--profile", "smoke", "--dataset", "photos10", "--cache", str(tmp_path / "cache")]
    listed = CliRunner().invoke(pipeline.app, command)
    assert (listed.exit_code, gone.exists()) == (0, True)
    assert f"{seconds / 60:.1f} minutes to compute" in listed.stderr
    much = seconds > inspection.HOUR or begun_too
    at_once = CliRunner().invoke(pipeline.app, [*command, "--yes"])
    assert (at_once.exit_code, gone.exists()) == ((2, True) if much else (0, False)), at_once.stderr
    assert at_once.stderr.splitlines()[0].startswith("dropping "), "that is said first"
    asked: list[str] = []
    if much:
        with pytest.raises(InputError, match="say --yes --really"):
            pruned(lab, confirmed=lambda question: bool(asked.append(question)))
        assert asked == ["Drop them?"]
        assert CliRunner().invoke(pipeline.app, [*command, "--yes", "--really"]).exit_code == 0
        assert not gone.exists()
