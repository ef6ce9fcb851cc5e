"""What every analysis notebook begins with, and what it shows beside figures: source code, answers, provenance."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any, ClassVar

from autoencoders import claims, compared, paragraphs, parameters, settings, tables
from autoencoders.catalogue import Catalogue
from autoencoders.findings import Findings
from autoencoders.lab import Lab
from autoencoders.plans import Plan
from autoencoders.results import P, Recording, Results
from autoencoders.running.cells import WatchedLab
from autoencoders.studies import study

_LABEL = re.compile(r"^#\|\s*label:\s*(\S+)", re.MULTILINE)
COMMON = ("profile", "dataset", *compared.PARAMETERS)
INCOMPLETE = (
    "*The answer rests on all results of a run, and this run lacks some: `python pipeline.py run` with the same "
    "parameters makes them.*"
)


def begin(namespace: Mapping[str, Any]) -> Notebook:
    """Begin a notebook of the assignment: `nb = notebook.begin(globals())`, straight after the parameters cell."""
    return Notebook(*_begun(namespace, Catalogue))


def begin_study(name: str, namespace: Mapping[str, Any]) -> StudyNotebook:
    """Begin a study's notebook: `nb = notebook.begin_study("digits", globals())`."""
    return StudyNotebook(*_begun(namespace, study(name)))


def _begun(namespace: Mapping[str, Any], plan: type[Plan]) -> tuple[Lab, SimpleNamespace]:
    declared = parameters.checked(namespace)
    flags = {name: getattr(declared, name) for name in COMMON if getattr(declared, name, "auto") != "auto"}
    return WatchedLab(settings.load(**flags), plan), declared


@dataclass(frozen=True)
class Prose:
    """Markdown that a cell shows."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text


def source(*objects: Any) -> Prose:
    """Show the source of functions, methods or classes as the package has it, each under its name and file."""
    return Prose("\n\n".join(map(_source, objects)))


def _source(what: Any) -> str:
    file = f"{what.__module__.replace('.', '/')}.py"
    return f"`{what.__qualname__}` in `{file}`:\n\n```python\n{dedent(inspect.getsource(what))}```"


class Sourced(Results[P]):
    """Results seen from a notebook: `p` holds its parameters, and every figure can name what it was made of."""

    PARAGRAPHS: ClassVar[Path]  # the folder of those that answer the notebook's question

    def __init__(self, lab: Lab, p: SimpleNamespace) -> None:
        from IPython import get_ipython

        super().__init__(lab)
        self.p = p
        self._sources: dict[str, dict[str, str]] = {}  # by label: the names of what it rests on, by key
        if shell := get_ipython():  # not in a plain Python, a test for example
            _follow_cells(shell.events, self)

    def begin_cell(self, info: Any) -> None:
        """Give the next cell a recording of its own."""
        self.recording = Recording(self.lab)

    def end_cell(self, result: Any) -> None:
        """Keep what a labelled cell asked for: its figure or table rests on that."""
        if match := _LABEL.search(result.info.raw_cell):
            asked = sorted((task.name, self.lab.store.key(task)) for task in self.recording.tasks())
            self._sources[match[1]] = {key: name for name, key in asked}

    def sources(self) -> tables.Sources:
        """List what each figure and table rests on."""
        rows = [
            {
                "figure or table": label,
                "rests on": ", ".join(dict.fromkeys(map(_subject, names.values()))),
                "artifacts": len(names),
            }
            for label, names in self._sources.items()
        ]
        shown = tables.markdown(rows or [{"figure or table": "none"}], list(rows[0] if rows else ["figure or table"]))
        return tables.Sources(shown.text, {label: list(names) for label, names in self._sources.items()})

    def answer(self, *names: str) -> Prose:
        """Show paragraphs of the report on this run; nothing is trained for them."""
        with self.lab.store.looked_at_once():
            if not all(map(self.lab.store.contains, self.lab.plan())):
                return Prose(INCOMPLETE)
        known, scope = paragraphs.read(self.PARAGRAPHS), claims.scope(self.lab)
        writer = paragraphs.Writer.of(claims.judge_all(self.lab), {"scope": scope}, page="")
        return Prose("\n\n".join(writer.write(known[name]) for name in names))


class Notebook(Sourced[Catalogue], Findings):
    """What a notebook of the assignment works with."""

    PARAGRAPHS = settings.PROJECT / "report/paragraphs"


class StudyNotebook(Sourced[Any]):
    """What a study's notebook works with; `catalogue` is the study."""

    PARAGRAPHS = settings.PROJECT / "report/studies/paragraphs"


def _follow_cells(events: Any, notebook: Sourced[Any]) -> None:
    """Tell a notebook of each cell, and no longer the one that was begun before in this kernel."""
    for event, method in (("pre_run_cell", "begin_cell"), ("post_run_cell", "end_cell")):
        for earlier in list(events.callbacks[event]):
            if isinstance(getattr(earlier, "__self__", None), Sourced):
                events.unregister(event, earlier)
        events.register(event, getattr(notebook, method))


def _subject(task: str) -> str:
    """The experiment or baseline in a task's name, `quick/cifar10/ae-vector@0/test clean` for example."""
    parts = task.split("/")[2:]
    subject = "/".join(parts[:2]) if parts[0] in ("baseline", "random") else parts[0]
    return subject.partition("@")[0]
