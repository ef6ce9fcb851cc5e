"""From a run to its report: what is outdated is computed, executed, written, rendered, checked and packed."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from autoencoders import compared, reading, references
from autoencoders.console import log
from autoencoders.errors import InputError, ReportError
from autoencoders.lab import Lab
from autoencoders.reporting import book as books
from autoencoders.reporting import (
    editions,
    execution,
    graph,
    publishing,
    quarto,
    quarto_pages,
    scripts,
    submission,
    variables,
    without_quarto,
)
from autoencoders.reporting.book import Book, embedded
from autoencoders.reporting.execution import Execution
from autoencoders.reporting.folder import Folder, is_marked, write_if_changed
from autoencoders.reporting.notebook_files import NotebookFile
from autoencoders.reporting.without_quarto import WORKSHOP, pdf
from autoencoders.running import progress
from autoencoders.settings import ENVIRONMENT, PROJECT, Settings
from autoencoders.store import codehash, syntax
from autoencoders.store.files import locked

Renderer = Literal["auto", "quarto", "pandoc"]
TO_NOTEBOOKS = (
    "data_dir",
    "cache",
    "device",
    "jobs",
    "remote",
    "strict_environment",
)  # by the environment, not as parameters
HELD = "AE_REPORT_LOCK"  # tells Quarto's steps that the report which they belong to keeps others out
FOLDERS = (*submission.FOLDERS, "analysis", "tests", "cache", "data", "submission", ".git", ".venv")  # of the project


@dataclass(frozen=True, kw_only=True)
class Manuscript:
    """A book to be made: where its `_quarto.yml` lies, whose results it shows, and what its chapters say of them."""

    root: Path
    labs: tuple[Lab, ...]
    facts: Callable[[], Mapping[str, Any]]
    extra: Mapping[str, str] = field(default_factory=dict)  # titles of pages beside the chapters, by address
    add_extra: Callable[[Book, Folder], None] = lambda book, folder: None  # what makes them

    @property
    def settings(self) -> Settings:
        return self.labs[0].settings


def report(manuscript: Manuscript, renderer: Renderer = "auto") -> Book:
    """Make the book's site and PDF, whole and up to date."""
    with _alone(manuscript):
        return _report(manuscript, renderer)


def hand_in(manuscript: Manuscript, renderer: Renderer = "auto") -> tuple[Path, ...]:
    """Make the report and pack it, before anybody else makes one here; return where to begin reading."""
    with _alone(manuscript):
        book = _report(manuscript, renderer)
        return (*book.made, *_pack(manuscript))


def _report(manuscript: Manuscript, renderer: Renderer) -> Book:
    tool = None if renderer == "pandoc" else quarto.obtain(PROJECT, insist=renderer == "quarto")
    executions = _prepare(manuscript, _named(tool))
    book = Book.read(manuscript.root)
    _bring_up_to_date(manuscript, book, tool, [each.target for each in executions])
    if missing := [path for path in book.made if not path.exists()]:
        raise ReportError(f"{missing[0]} was not made")
    return book


def _bring_up_to_date(manuscript: Manuscript, book: Book, tool: quarto.Quarto | None, executed: list[Path]) -> None:
    """Render a book, which takes its time whether anything has changed or not: so only if something has."""
    if _is_made(manuscript, book, tool):
        log("nothing has changed: the book is as it was")
    elif tool:
        _render(tool, manuscript, book)
    else:
        without_quarto.render(book, executed, manuscript.extra, partial(manuscript.add_extra, book))
        publishing.publish(book)
        _remember(manuscript, book, tool)


def _named(tool: quarto.Quarto | None) -> str:
    return tool.name if tool else without_quarto.name()


def _render(tool: quarto.Quarto, manuscript: Manuscript, book: Book) -> None:
    log(f"rendering with {tool.name}")
    with publishing.tidy(book):
        quarto.render(tool, manuscript.root, _environment(manuscript.settings, *ENVIRONMENT) | {HELD: "1"})
    _complete(manuscript, tool)


def complete(manuscript: Manuscript, tool: quarto.Quarto | None) -> None:
    """Complete what somebody rendered by `quarto render` alone; a report that called Quarto goes on by itself."""
    if HELD not in os.environ:
        with _alone(manuscript):
            _complete(manuscript, tool)


def _complete(manuscript: Manuscript, tool: quarto.Quarto | None) -> None:
    """Add to what Quarto rendered what it can't make, and give it to the readers; remember a whole book."""
    book = Book.read(manuscript.root)
    site, pdf = ((book.rendered / path.name).exists() for path in book.made)
    if site:
        quarto_pages.mend(book)
        folder = Folder.found(book.rendered)
        manuscript.add_extra(book, folder)
        folder.claim()
    try:
        publishing.publish(book)
    except ReportError:
        if not quarto.previews():
            raise
        log(f"this preview is not whole: {book.output.name} stays as it was")
        return
    if site and pdf and tool:
        _remember(manuscript, book, tool)


# ── What is made already ─────────────────────────────────────────────────────────────────────────────────────────────


def _memory(manuscript: Manuscript) -> Path:
    return manuscript.root / WORKSHOP / "rendered.txt"


def _remember(manuscript: Manuscript, book: Book, tool: quarto.Quarto | None) -> None:
    _memory(manuscript).write_text(_state(manuscript, book, tool), encoding="utf-8")


def _is_made(manuscript: Manuscript, book: Book, tool: quarto.Quarto | None) -> bool:
    memory = _memory(manuscript)
    return memory.exists() and memory.read_text(encoding="utf-8") == _state(manuscript, book, tool)


def _state(manuscript: Manuscript, book: Book, tool: quarto.Quarto | None) -> str:
    """A digest of what goes into a book, and of what came out; an executed notebook names the results it rests on."""
    settings = [manuscript.root / name for name in ("_quarto.yml", "_quarto.yml.local", "_variables.yml")]
    written = [path for path in (manuscript.root / WORKSHOP).iterdir() if path.suffix in (".typ", ".svg", ".md")]
    notebooks = [manuscript.root / f"cache/notebooks/{name}.ipynb" for name in embedded(manuscript.root)]
    ours = [*_files(PROJECT / "report/style"), *_files(PROJECT / "autoencoders"), *references.FOLDER.glob("*.json")]
    ours += manuscript.settings.compare
    made = [*_files(book.rendered), *(book.output / name for name in Folder(book.output).listed), book.pdf]
    paths = [*settings, *book.sources, *book.bibliography, *written, *notebooks, *ours, *made]
    digests = sorted((path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths if path.exists())
    return hashlib.sha256(json.dumps([_named(tool), digests]).encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]


def prepare(manuscript: Manuscript, renderer: str) -> list[Execution]:
    """Bring everything that the chapters need up to date; quick where nothing changed."""
    with nullcontext() if HELD in os.environ else _alone(manuscript):
        return _prepare(manuscript, renderer)


def _prepare(manuscript: Manuscript, renderer: str) -> list[Execution]:
    for lab in manuscript.labs:
        progress.follow(lab, lab.plan())
    with manuscript.labs[0].store.looked_at_once():
        values = dict(manuscript.facts())
        executions = _executions(manuscript, values)
    outdated = [each for each in executions if each.outdated]
    log(f"{len(executions) - len(outdated)} of {len(executions)} notebooks are up to date")
    surroundings = _environment(manuscript.settings, *TO_NOTEBOOKS)
    jobs = manuscript.settings.jobs or os.cpu_count() or 1
    execution.execute(outdated, folder=PROJECT, environment=surroundings, jobs=jobs, report=log)
    execution.forget_failures(executions)
    for each in executions:
        scripts.check(NotebookFile.read(each.target))
    workshop = manuscript.root / WORKSHOP
    write_if_changed(workshop / "pipeline.svg", graph.overview(manuscript.labs, sorted(embedded(manuscript.root))))
    write_if_changed(workshop / "book.typ", pdf.style())
    write_if_changed(workshop / "claims.md", values.pop("claims"))
    sources = books.sources(manuscript.root)
    printed = editions.printed(sources, manuscript.settings.edition)
    said = {"name": printed, "statement": editions.statement(sources, printed)}
    values |= {"renderer": renderer, "run": _run(manuscript), "edition": said}
    variables.write(manuscript.root / "_variables.yml", values)
    notebooks = [each.target.relative_to(manuscript.root) for each in executions]
    formats = editions.for_quarto(sources, printed)
    write_if_changed(
        manuscript.root / "_quarto.yml.local", _for_quarto(values, manuscript.settings.authors, notebooks, formats)
    )
    return executions


def packed(manuscript: Manuscript) -> tuple[Path, ...]:
    """Pack the submission, of what was rendered before."""
    with _alone(manuscript):
        return _pack(manuscript)


def _pack(manuscript: Manuscript) -> tuple[Path, ...]:
    _check_rendered(manuscript)
    with manuscript.labs[0].store.looked_at_once():
        executions = _executions(manuscript, dict(manuscript.facts()))
    settings = replace(manuscript.settings, profile=manuscript.labs[0].profile.name)
    return submission.pack(Book.read(manuscript.root), executions, settings)


def _check_rendered(manuscript: Manuscript) -> None:
    """Refuse to pack another run's report, and say which command does."""
    path = manuscript.root / "_variables.yml"
    made = variables.read(path).get("run", {}) if path.exists() else {}
    if not made:
        raise ReportError("no report is made yet: `python pipeline.py report` makes it")
    if other := {name: made.get(name) for name, value in _run(manuscript).items() if made.get(name) != value}:
        options = " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in other.items())
        raise ReportError(
            f"the report that was made last is another one: `python pipeline.py submission {options}` packs it, "
            "`python pipeline.py report` makes this one"
        )


def _run(manuscript: Manuscript) -> dict[str, str]:
    """What a report is of, by the options that say so."""
    first, settings = manuscript.labs[0], manuscript.settings
    lists = {name: compared.text(getattr(first.profile, name)) for name in compared.PARAMETERS}
    named = {"group": settings.group, "profile": first.profile.name, "dataset": settings.dataset}
    return named | {"edition": settings.edition} | lists


def _check_output(manuscript: Manuscript) -> None:
    """Refuse to mix what is made with what it is made of, before anything is made."""
    rendered, output = books.output_folders(manuscript.root)
    places = {(root / name).resolve() for root in (PROJECT, manuscript.root) for name in (*submission.FILES, *FOLDERS)}
    kept = [PROJECT, manuscript.settings.cache, manuscript.settings.data_dir, *books.sources(manuscript.root)]
    within = [place.resolve() for place in kept if place]
    for name, folder in (("output-dir", rendered), ("published-dir", output)):
        mixed = [place for place in within if place.is_relative_to(folder)]
        mixed += [place for place in places if folder.is_relative_to(place) or place.is_relative_to(folder)]
        if mixed:
            raise InputError(f"_quarto.yml: {name}: {folder} is, holds or lies in {mixed[0]}: choose one of its own")
    if rendered.is_relative_to(output) or output.is_relative_to(rendered):
        raise InputError(f"_quarto.yml: output-dir: Quarto empties it, so it can't be {output}, where readers look")
    if (output / "index.html").exists() and not is_marked(output):
        raise InputError(
            f"{output} holds a site that no rendering here lists as its own: move it away, or choose another "
            "published-dir"
        )


@contextmanager
def _alone(manuscript: Manuscript) -> Iterator[None]:
    """Keep others out: two at once would take each other's files away. The later one waits, and finds most of its work
    done."""
    _check_output(manuscript)
    path = manuscript.root / "cache/report.lock"
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, wait=False))
        except TimeoutError:
            log("another process makes this book just now: waiting for it")
            held.enter_context(locked(path))
        yield


def _executions(manuscript: Manuscript, values: Mapping[str, Any]) -> list[Execution]:
    first = manuscript.labs[0]
    return execution.plan(
        PROJECT / "analysis",
        manuscript.root / "cache/notebooks",
        names=embedded(manuscript.root),
        requested=first.settings.notebooks,
        common=_run(manuscript) | {"dataset": first.dataset},
        inputs={
            "data": "".join(source.fingerprint for lab in manuscript.labs for source in lab.bench.sources),
            "artifacts": _contents(manuscript.labs),
            "references": references.texts(),
        },
        code=partial(_shown, manuscript.labs, values.get("paragraphs", {})),
        notices=values.get("notice", {}).get("captions"),
    )


def _shown(labs: Iterable[Lab], paragraphs: Mapping[str, str], text: str) -> str:
    """A digest of what a notebook's code reaches, with the plans whose results it shows; and, word by word, of what it
    shows of the package's source and of the report's paragraphs."""
    plans = {f"{type(plan).__module__}:{type(plan).__name__}" for lab in labs for plan in lab.catalogues}
    reached = codehash.package(PROJECT / "autoencoders").code(plans, text).digest
    files = (PROJECT / f"{module.replace('.', '/')}.py" for module in sorted(syntax.used(text)[1]))
    sources = [reading.text(file) for file in files if file.is_file()] if "notebook.source(" in text else []
    quoted = [said for name, said in paragraphs.items() if f'"{name}"' in text]
    return hashlib.sha256(json.dumps([reached, sources, quoted]).encode()).hexdigest()


def _contents(labs: Iterable[Lab]) -> str:
    """A digest of all results that notebooks may show: also of those that were made anew under their old keys."""
    contents = [[lab.store.key(task), lab.store.content(task)] for lab in labs for task in lab.plan()]
    return hashlib.sha256(json.dumps(contents).encode()).hexdigest()


def _environment(settings: Settings, *names: str) -> dict[str, str]:
    """The settings in force as environment variables, for processes that read them anew."""
    given = {name: getattr(settings, name) for name in names}
    texts = {n: compared.text(v) if isinstance(v, tuple) else str(v) for n, v in given.items() if v is not None}
    return {ENVIRONMENT[name]: value for name, value in texts.items()}


def _for_quarto(
    values: Mapping[str, Any], authors: Iterable[str], notebooks: Iterable[Path], formats: Mapping[str, Any]
) -> str:
    """What Quarto can't read from variables: the authors, the notice in each page's header, what each format shows, and
    the executed notebooks, as files to download and in the footer, where Quarto makes pages of what is linked. JSON is
    YAML."""
    files = [path.as_posix() for path in notebooks]
    book: dict[str, Any] = {
        "author": [variables.literal(name) for name in (f"Group {values['group']}", *authors)],
        "date": values["date"],
        "page-footer": {"left": "Notebooks", "center": [{"text": Path(file).stem, "href": file} for file in files]},
    }
    if notice := values.get("notice", {}).get("header"):
        book["body-header"] = f"::: {{.callout-warning appearance=minimal}}\n{notice}\n:::\n"
    resources = [f"/{file}" for file in files]  # without the slash, Quarto takes those of the last book, too
    settings = {"project": {"resources": resources}, "book": book, "format": formats}
    return json.dumps(settings, indent=1, ensure_ascii=False) + "\n"
