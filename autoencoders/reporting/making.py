"""From a run to its report: what is outdated is computed, executed, written, rendered, checked and packed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from autoencoders import references
from autoencoders.console import log
from autoencoders.errors import InputError, ReportError
from autoencoders.lab import Lab
from autoencoders.reporting import book as books
from autoencoders.reporting import checks, execution, graph, quarto, submission, variables, without_quarto
from autoencoders.reporting.book import Book, embedded
from autoencoders.reporting.execution import Execution
from autoencoders.reporting.folder import Folder, is_marked, write_if_changed
from autoencoders.reporting.without_quarto import WORKSHOP, pdf
from autoencoders.running import progress
from autoencoders.settings import ENVIRONMENT, PROJECT, Settings
from autoencoders.store.files import locked

Renderer = Literal["auto", "quarto", "pandoc"]
TO_NOTEBOOKS = ("data_dir", "cache", "device", "jobs", "strict_environment")  # by the environment, not as parameters
HELD = "AE_REPORT_LOCK"  # tells Quarto's steps that the report which they belong to keeps others out
FOLDERS = (*submission.FOLDERS, "analysis", "tests", "cache", "data", "submission", ".git", ".venv")  # of the project


@dataclass(frozen=True, kw_only=True)
class Edition:
    """A book to be made: where its `_quarto.yml` lies, whose results it shows, and what its chapters say of them."""

    root: Path
    labs: tuple[Lab, ...]
    facts: Callable[[], Mapping[str, Any]]
    extra: Mapping[str, str] = field(default_factory=dict)  # titles of pages beside the chapters, by address
    add_extra: Callable[[Book, Folder], None] = lambda book, folder: None  # what makes them

    @property
    def settings(self) -> Settings:
        return self.labs[0].settings


def report(edition: Edition, renderer: Renderer = "auto") -> Book:
    """Make the book's site and PDF, whole and up to date."""
    with _alone(edition):
        return _report(edition, renderer)


def hand_in(edition: Edition, renderer: Renderer = "auto") -> tuple[Path, ...]:
    """Make the report and pack it, before anybody else makes one here; return where to begin reading."""
    with _alone(edition):
        book = _report(edition, renderer)
        return (*book.made, *_pack(edition))


def _report(edition: Edition, renderer: Renderer) -> Book:
    output = books.output_folder(edition.root)
    if (output / "index.html").exists() and not is_marked(output):
        raise InputError(
            f"{output} holds a site that no rendering here lists as its own: move it away, or choose another output-dir"
        )
    tool = None if renderer == "pandoc" else quarto.obtain(PROJECT, insist=renderer == "quarto")
    executions = _prepare(edition, tool.name if tool else without_quarto.name())
    book = Book.read(edition.root)
    if tool:
        _render(tool, edition, book, executions)
    else:
        executed = [each.target for each in executions]
        without_quarto.render(book, executed, edition.extra, partial(edition.add_extra, book))
    checks.check(book)
    return book


def _render(tool: quarto.Quarto, edition: Edition, book: Book, executions: list[Execution]) -> None:
    """Render by Quarto, which takes its time whether anything has changed or not: so only if something has."""
    workshop = edition.root / WORKSHOP
    memory = workshop / "rendered.txt"
    settings = [edition.root / name for name in ("_quarto.yml", "_quarto.yml.local", "_variables.yml")]
    drawn = [path for path in workshop.iterdir() if path.suffix in (".typ", ".svg")]
    style = [path for path in (PROJECT / "report/style").iterdir() if path.is_file()]
    targets = [each.target for each in executions]
    ingredients = [*settings, *book.sources, *book.bibliography, *drawn, *style, *targets]

    def state() -> str:
        """Of what goes in and of what came out."""
        made = filter(Path.is_file, [book.pdf, *(book.output / name for name in Folder(book.output).listed)])
        digests = sorted((str(p), hashlib.sha256(p.read_bytes()).hexdigest()) for p in (*ingredients, *made))
        return hashlib.sha256(json.dumps([tool.name, digests]).encode()).hexdigest()

    if memory.exists() and memory.read_text(encoding="utf-8") == state():
        log("nothing has changed: the book is as it was")
    else:
        log(f"rendering with {tool.name}")
        with Folder(book.output).filled(book.pdf):  # which stays when another group's report is made
            quarto.render(tool, edition.root, _environment(edition.settings, *ENVIRONMENT) | {HELD: "1"})
    add_extra_pages(edition)
    memory.write_text(state(), encoding="utf-8")


def prepare(edition: Edition, renderer: str) -> list[Execution]:
    """Bring everything that the chapters need up to date; quick where nothing changed."""
    with nullcontext() if HELD in os.environ else _alone(edition):
        return _prepare(edition, renderer)


def _prepare(edition: Edition, renderer: str) -> list[Execution]:
    for lab in edition.labs:
        progress.follow(lab, lab.plan())
    values = dict(edition.facts())
    executions = _executions(edition, values)
    outdated = [each for each in executions if each.outdated]
    log(f"{len(executions) - len(outdated)} of {len(executions)} notebooks are up to date")
    surroundings = _environment(edition.settings, *TO_NOTEBOOKS)
    jobs = edition.settings.jobs or os.cpu_count() or 1
    execution.execute(outdated, folder=PROJECT, environment=surroundings, jobs=jobs, report=log)
    workshop = edition.root / WORKSHOP
    write_if_changed(workshop / "pipeline.svg", graph.overview(edition.labs, sorted(embedded(edition.root))))
    write_if_changed(workshop / "book.typ", pdf.style())
    variables.write(edition.root / "_variables.yml", values | {"renderer": renderer, "run": _run(edition)})
    notebooks = [each.target.relative_to(edition.root) for each in executions]
    write_if_changed(edition.root / "_quarto.yml.local", _for_quarto(values, edition.settings.authors, notebooks))
    output = Folder(books.output_folder(edition.root))
    if not output.path.exists():
        output.claim([])  # what Quarto puts there is no stranger's, even if it fails half-way
    return executions


def add_extra_pages(edition: Edition) -> None:
    """Add to a site that Quarto rendered what Quarto can't make; when it made the PDF alone, there is none."""
    _check_output(edition)
    book = Book.read(edition.root)
    if (book.output / "index.html").exists():
        quarto.drop_libraries(book.output)
        edition.add_extra(book, Folder.found(book.output))


def packed(edition: Edition) -> tuple[Path, ...]:
    """Pack the submission, of what was rendered before."""
    with _alone(edition):
        return _pack(edition)


def _pack(edition: Edition) -> tuple[Path, ...]:
    _check_rendered(edition)
    executions = _executions(edition, dict(edition.facts()))
    settings = replace(edition.settings, profile=edition.labs[0].profile.name)
    return submission.pack(Book.read(edition.root), executions, settings)


def _check_rendered(edition: Edition) -> None:
    """Refuse to pack another run's report, and say which command does."""
    path = edition.root / "_variables.yml"
    made = variables.read(path).get("run", {}) if path.exists() else {}
    if not made:
        raise ReportError("no report is made yet: `python pipeline.py report` makes it")
    if other := {name: made.get(name) for name, value in _run(edition).items() if made.get(name) != value}:
        options = " ".join(f"--{name} {value}" for name, value in other.items())
        raise ReportError(
            f"the report that was made last is another one: `python pipeline.py submission {options}` packs it, "
            "`python pipeline.py report` makes this one"
        )


def _run(edition: Edition) -> dict[str, str]:
    """What a report is of, by the options that say so."""
    first, settings = edition.labs[0], edition.settings
    seeds = ",".join(str(catalogue.seed) for catalogue in first.catalogues)
    return {"group": settings.group, "profile": first.profile.name, "dataset": settings.dataset, "seeds": seeds}


def _check_output(edition: Edition) -> None:
    """Refuse to mix what is made with what it is made of, before anything is made."""
    output = books.output_folder(edition.root)
    places = {(root / name).resolve() for root in (PROJECT, edition.root) for name in (*submission.FILES, *FOLDERS)}
    kept = filter(None, (PROJECT, edition.settings.cache, edition.settings.data_dir, *books.sources(edition.root)))
    mixed = [place for place in kept if place.resolve().is_relative_to(output)]
    mixed += [place for place in places if output.is_relative_to(place) or place.is_relative_to(output)]
    if mixed:
        raise InputError(
            f"_quarto.yml, project: output-dir: {output} is, holds or lies in {mixed[0]}: choose a folder of its own"
        )


@contextmanager
def _alone(edition: Edition) -> Iterator[None]:
    """Keep others out: two at once would take each other's files away. The later one waits, and finds most of its work
    done."""
    _check_output(edition)
    path = edition.root / "cache/report.lock"
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, wait=False))
        except TimeoutError:
            log("another process makes this book just now: waiting for it")
            held.enter_context(locked(path))
        yield


def _executions(edition: Edition, values: Mapping[str, Any]) -> list[Execution]:
    first = edition.labs[0]
    return execution.plan(
        PROJECT / "analysis",
        edition.root / "cache/notebooks",
        names=embedded(edition.root),
        requested=first.settings.notebooks,
        common=_run(edition) | {"dataset": first.dataset},
        inputs={
            "data": "".join(source.fingerprint for lab in edition.labs for source in lab.bench.sources),
            "code": execution.code_digest(PROJECT / "autoencoders"),
            "references": references.texts(),
        },
        notices=values.get("notice", {}).get("captions"),
    )


def _environment(settings: Settings, *names: str) -> dict[str, str]:
    """The settings in force as environment variables, for processes that read them anew."""
    given = {name: getattr(settings, name) for name in names}
    texts = {n: " ".join(map(str, v)) if isinstance(v, tuple) else str(v) for n, v in given.items() if v is not None}
    return {ENVIRONMENT[name]: value for name, value in texts.items()}


def _for_quarto(values: Mapping[str, Any], authors: Sequence[str], notebooks: Iterable[Path]) -> str:
    """What Quarto can't read from variables: the authors, the notice in each page's header, and the executed notebooks,
    as files to download and in the footer, where Quarto makes pages of what is linked. JSON is YAML."""
    files = [path.as_posix() for path in notebooks]
    book: dict[str, Any] = {
        "author": [variables.literal(name) for name in (f"Group {values['group']}", *authors)],
        "page-footer": {"left": "Notebooks", "center": [{"text": Path(file).stem, "href": file} for file in files]},
    }
    if notice := values.get("notice", {}).get("header"):
        book["body-header"] = f"::: {{.callout-warning appearance=minimal}}\n{notice}\n:::\n"
    return json.dumps({"project": {"resources": files}, "book": book}, indent=1, ensure_ascii=False) + "\n"
