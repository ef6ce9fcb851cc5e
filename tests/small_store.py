"""A store on an empty folder, with a small package of its own: what is said of stores is tried on it."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autoencoders.store import Artifact, Store, Task, entries

MODULE = """
    RATE = 0.5

    def train(x):
        '''Train.'''
        return helper(x) * RATE

    def helper(x):
        return x + 1

    def plot(x):
        return x
"""


def counted(folder: Path, scratch: Path) -> Artifact:
    """Leaves a mark for each time that it runs."""
    with (folder / "runs").open("a") as opened:
        opened.write("run\n")
    return Artifact({"weights/encoder.0": np.arange(6.0).reshape(2, 3)}, {"history": {"loss": [1.0, 0.5]}})


class Bench:
    """A store on an empty folder, a small package, and a task whose runs are counted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.package = folder / "lab"
        self.package.mkdir()
        (self.package / "__init__.py").touch()
        self.module = self.package / "work.py"
        self.module.write_text(textwrap.dedent(MODULE))
        self.task = Task(
            name="ae-vector",
            kind="training",
            spec={"model": {"type": "AE", "width": 32}, "rates": (0.1, 0.2), "seed": 0},
            roots=("lab.work:train",),
            inputs={"data": "f00d"},
            compute=partial(counted, folder),
        )

    @property
    def store(self) -> Store:
        """As a fresh process would have it."""
        return Store(self.cache, self.package)

    @property
    def entry(self) -> Path:
        return self.cache / "artifacts" / self.store.key(self.task)

    @property
    def runs(self) -> int:
        marks = self.folder / "runs"
        return len(marks.read_text().splitlines()) if marks.exists() else 0

    def state(self, task: Task | None = None) -> str:
        return self.store.state(task or self.task).state

    def edit(self, old: str, new: str) -> None:
        source = self.module.read_text()
        assert old in source
        self.module.write_text(source.replace(old, new))

    def reseal(self, **changes: Any) -> None:
        """Another record, as somebody writes it who knows how."""
        record = entries.read_record(self.entry)
        (self.entry / "record.json").write_bytes(entries.sealed(record | changes))

    def returning(self, arrays: dict[str, Any] | None = None, meta: dict[str, Any] | None = None) -> Task:
        return replace(self.task, compute=lambda scratch: Artifact(arrays or {}, meta or {}))
