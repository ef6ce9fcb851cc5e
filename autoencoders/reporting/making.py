"""From a run to its report: what is outdated is computed, executed, written, rendered, checked and packed."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from autoencoders import inspection, references
from autoencoders.console import log
from autoencoders.explore.pages import Head
from autoencoders.lab import Lab
from autoencoders.reporting import checks, execution, fallback, mermaid, pdf, quarto, submission, variables
from autoencoders.reporting.book import Book, embedded
from autoencoders.reporting.execution import Execution
from autoencoders.reporting.folder import Folder
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
    offered: tuple[Head, ...] = ()  # the pages to explore, beside the chapters
    more: Callable[[Book, Folder], None] = lambda book, folder: None  # what makes them

    @property
    def settings(self) -> Settings:
        return self.labs[0].settings


def report(edition: Edition, renderer: Renderer = "auto") -> Book:
    """The book's site and PDF, whole and up to date."""
    tool = None if renderer == "pandoc" else quarto.obtain(PROJECT, insist=renderer == "quarto")
    with _alone(edition, "report"):
        executions = prepare(edition, tool.name if tool else fallback.name())
        book = Book.read(edition.root)
        if tool:
            _rendered(tool, edition, book, executions)
        else:
            fallback.render(book, [each.target for each in executions], edition.offered, partial(edition.more, book))
        checks.check(book)
    return book


def _rendered(tool: quarto.Quarto, edition: Edition, book: Book, executions: list[Execution]) -> None:
    """By Quarto, which takes its time whether anything has changed or not: so it is asked only if something has."""
    workshop = edition.root / fallback.WORKSHOP
    memory = workshop / "rendered.txt"
    settings = [edition.root / name for name in ("_quarto.yml", "_quarto.yml.local", "_variables.yml")]
    drawn = [path for path in workshop.iterdir() if path.suffix in (".typ", ".svg")]
    style = [path for path in (PROJECT / "report/style").iterdir() if path.is_file()]
    targets = [each.target for each in executions]
    ingredients = [*settings, *book.sources, *book.bibliography, *drawn, *style, *targets]

    def state() -> str:
        """Of what goes in and of what came out."""
        made = [path for path in book.output.rglob("*") if path.is_file()]
        digests = sorted((str(p), hashlib.sha256(p.read_bytes()).hexdigest()) for p in (*ingredients, *made))
        return hashlib.sha256(json.dumps([tool.name, digests]).encode()).hexdigest()

    if memory.exists() and memory.read_text(encoding="utf-8") == state():
        log("nothing has changed: the book is as it was")
    else:
        log(f"rendering with {tool.name}")
        quarto.render(tool, edition.root, _environment(edition.settings, *ENVIRONMENT))
    complete(edition)
    memory.write_text(state(), encoding="utf-8")


def prepare(edition: Edition, renderer: str) -> list[Execution]:
    """Everything that the chapters need, brought up to date; quick where nothing changed."""
    with _alone(edition, "prepare"):  # a stage of its own: Quarto runs it in another process, in the midst of a report
        return _prepared(edition, renderer)


def _prepared(edition: Edition, renderer: str) -> list[Execution]:
    for lab in edition.labs:
        progress.follow(lab, lab.plan())
    values = dict(edition.facts())
    executions = _executions(edition, values)
    outdated = [each for each in executions if each.outdated]
    log(f"{len(executions) - len(outdated)} of {len(executions)} notebooks are up to date")
    surroundings = _environment(edition.settings, *OF_THE_MACHINE)
    jobs = edition.settings.jobs or os.cpu_count() or 1
    execution.execute(outdated, folder=PROJECT, environment=surroundings, jobs=jobs, report=log)
    variables.write_if_changed(edition.root / fallback.WORKSHOP / "pipeline.svg", _graph(edition))
    variables.write(edition.root / "_variables.yml", values | {"renderer": renderer})
    variables.write_if_changed(edition.root / fallback.WORKSHOP / "book.typ", pdf.style())
    notebooks = [each.target.relative_to(edition.root) for each in executions]
    told = _for_quarto(values, edition.settings.authors, notebooks)
    variables.write_if_changed(edition.root / "_quarto.yml.local", told)
    return executions


def complete(edition: Edition) -> None:
    """Make of a site that Quarto rendered what Quarto can't; when it made the PDF alone, there is none."""
    book = Book.read(edition.root)
    if (book.output / "index.html").exists():
        quarto.drop_libraries(book.output)
        edition.more(book, Folder.found(book.output))


def packed(edition: Edition) -> tuple[Path, ...]:
    """The submission, of what was rendered before."""
    with _alone(edition, "report"):
        return submission.pack(Book.read(edition.root), _executions(edition, dict(edition.facts())))


@contextmanager
def _alone(edition: Edition, stage: str) -> Iterator[None]:
    """Two at once would take each other's files away: the later one waits, and finds most of its work done."""
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


def _graph(edition: Edition) -> str:
    """The dependency graph to look at: measurements counted, since their names would fill three pages."""

    def counted(match: re.Match[str]) -> str:
        total = sum(map(int, re.findall(r"×(\d+)", match[2])))
        return f'"{match[1]}: {total} measurements"'

    return mermaid.as_svg(
        re.sub(r'"([^"<]*)<br>([^"]*)"', counted, inspection.mermaid(edition.labs, sorted(embedded(edition.root))))
    )


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
