"""From a run to its report: what is outdated is computed, executed, written, rendered, checked and packed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from autoencoders import references
from autoencoders.console import log
from autoencoders.errors import ReportError
from autoencoders.lab import Lab
from autoencoders.reporting import (
    execution,
    graph,
    publishing,
    quarto,
    quarto_pages,
    submission,
    variables,
    without_quarto,
)
from autoencoders.reporting.book import Book, embedded
from autoencoders.reporting.execution import Execution
from autoencoders.reporting.folder import Folder, write_if_changed
from autoencoders.reporting.without_quarto import WORKSHOP, pdf
from autoencoders.running import progress
from autoencoders.settings import ENVIRONMENT, PROJECT, Settings
from autoencoders.store.files import locked

Renderer = Literal["auto", "quarto", "pandoc"]
OF_THE_MACHINE = ("data_dir", "cache", "device", "jobs")  # reach notebooks by the environment, not as parameters


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
    tool = None if renderer == "pandoc" else quarto.obtain(PROJECT, insist=renderer == "quarto")
    with _alone(edition, "report"):
        executions = prepare(edition, tool.name if tool else without_quarto.name())
        book = Book.read(edition.root)
        if tool:
            _render(tool, edition, book)
        else:
            executed = [each.target for each in executions]
            without_quarto.render(book, executed, edition.extra, partial(edition.add_extra, book))
            publishing.publish(book)
        if missing := [path for path in book.made if not path.exists()]:
            raise ReportError(f"{missing[0]} was not made")
    return book


def _render(tool: quarto.Quarto, edition: Edition, book: Book) -> None:
    """Render by Quarto, which takes its time whether anything has changed or not: so only if something has."""
    if _is_rendered(edition, book, tool):
        log("nothing has changed: the book is as it was")
    else:
        log(f"rendering with {tool.name}")
        try:
            quarto.render(tool, edition.root, _environment(edition.settings, *ENVIRONMENT))
        finally:
            publishing.drop_litter(book)
    complete(edition, tool)


def complete(edition: Edition, tool: quarto.Quarto | None) -> None:
    """Add to what Quarto rendered what it can't make, and give it to the readers; remember a whole book."""
    book = Book.read(edition.root)
    site, pdf = ((book.rendered / path.name).exists() for path in book.made)
    if site:
        quarto_pages.mend(book)
        edition.add_extra(book, Folder.found(book.rendered))
    try:
        publishing.publish(book)
    except ReportError:
        if not quarto.previews():
            raise
        log(f"this preview is not whole: {book.output.name} stays as it was")
        return
    if site and pdf and tool:
        _memory(edition).write_text(_state(edition, book, tool), encoding="utf-8")


def _memory(edition: Edition) -> Path:
    return edition.root / WORKSHOP / "rendered.txt"


def _is_rendered(edition: Edition, book: Book, tool: quarto.Quarto) -> bool:
    memory = _memory(edition)
    return memory.exists() and memory.read_text(encoding="utf-8") == _state(edition, book, tool)


def _state(edition: Edition, book: Book, tool: quarto.Quarto) -> str:
    """A digest of what goes into a book by Quarto, and of what came out."""
    settings = [edition.root / name for name in ("_quarto.yml", "_quarto.yml.local", "_variables.yml")]
    drawn = [path for path in (edition.root / WORKSHOP).iterdir() if path.suffix in (".typ", ".svg")]
    style = [path for path in (PROJECT / "report/style").iterdir() if path.is_file()]
    notebooks = [edition.root / f"cache/notebooks/{name}.ipynb" for name in embedded(edition.root)]
    made = [path for path in book.rendered.rglob("*") if path.is_file()]
    paths = [*settings, *book.sources, *book.bibliography, *drawn, *style, *notebooks, *made]
    digests = sorted((str(path), hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths)
    return hashlib.sha256(json.dumps([tool.name, digests]).encode()).hexdigest()


def prepare(edition: Edition, renderer: str) -> list[Execution]:
    """Bring everything that the chapters need up to date; quick where nothing changed."""
    with _alone(edition, "prepare"):  # a stage of its own: Quarto runs it in another process, in the midst of a report
        return _prepare(edition, renderer)


def _prepare(edition: Edition, renderer: str) -> list[Execution]:
    for lab in edition.labs:
        progress.follow(lab, lab.plan())
    values = dict(edition.facts())
    executions = _executions(edition, values)
    outdated = [each for each in executions if each.outdated]
    log(f"{len(executions) - len(outdated)} of {len(executions)} notebooks are up to date")
    surroundings = _environment(edition.settings, *OF_THE_MACHINE)
    jobs = edition.settings.jobs or os.cpu_count() or 1
    execution.execute(outdated, folder=PROJECT, environment=surroundings, jobs=jobs, report=log)
    execution.forget_failures(executions)
    workshop = edition.root / WORKSHOP
    write_if_changed(workshop / "pipeline.svg", graph.overview(edition.labs, sorted(embedded(edition.root))))
    write_if_changed(workshop / "book.typ", pdf.style())
    variables.write(edition.root / "_variables.yml", values | {"renderer": renderer})
    notebooks = [each.target.relative_to(edition.root) for each in executions]
    write_if_changed(edition.root / "_quarto.yml.local", _for_quarto(values, edition.settings.authors, notebooks))
    publishing.drop_litter(Book.read(edition.root))
    return executions


def packed(edition: Edition) -> tuple[Path, ...]:
    """Pack the submission, of what was rendered before."""
    with _alone(edition, "report"):
        return submission.pack(Book.read(edition.root), _executions(edition, dict(edition.facts())))


@contextmanager
def _alone(edition: Edition, stage: str) -> Iterator[None]:
    """Keep others out: two at once would take each other's files away. The later one waits, and finds most of its work
    done."""
    path = edition.root / f"cache/{stage}.lock"
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
        common={
            "profile": first.profile.name,
            "dataset": first.dataset,
            "seeds": ",".join(str(catalogue.seed) for catalogue in first.catalogues),
        },
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
