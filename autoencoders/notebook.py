"""The first lines of every analysis notebook: its parameters checked, the sources of its figures and tables kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from autoencoders import compared, parameters, settings, tables
from autoencoders.catalogue import Catalogue
from autoencoders.findings import Findings
from autoencoders.lab import Lab
from autoencoders.plans import Plan
from autoencoders.results import P, Recording, Results
from autoencoders.running.cells import WatchedLab
from autoencoders.studies import study

_LABEL = re.compile(r"^#\|\s*label:\s*(\S+)", re.MULTILINE)
COMMON = ("profile", "dataset", *compared.PARAMETERS)


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


class Sourced(Results[P]):
    """Results seen from a notebook: `p` holds its parameters, and every figure can name what it was made of."""

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


class Notebook(Sourced[Catalogue], Findings):
    """What a notebook of the assignment works with."""


class StudyNotebook(Sourced[Any]):
    """What a study's notebook works with; `catalogue` is the study."""


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
