"""What can be asked of the store, and what it answers about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autoencoders.jsonable import flattened
from autoencoders.store import entries
from autoencoders.store.codehash import Code
from autoencoders.store.entries import Artifact, Record, canonical


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something to compute once: its key is made of kind, spec, inputs and the code that its roots reach."""

    name: str  # what people call it
    kind: str
    spec: Mapping[str, Any]  # JSON-able
    roots: tuple[str, ...]  # where its code starts: "package.module:name"
    inputs: Mapping[str, str | Task]  # fingerprints of data, and the tasks whose artifacts it is computed from
    compute: Callable[..., Artifact]  # of a folder for checkpoints, which outlives an interruption, and, by name, of
    # the artifacts of those tasks
    device: Callable[[], str] = str  # the name of what computes it, in whichever process; no part of the key
    work: float = 1  # how long it takes compared with others, roughly; no part of the key

    @property
    def needed(self) -> dict[str, Task]:
        """The tasks among its inputs."""
        return {name: value for name, value in self.inputs.items() if isinstance(value, Task)}


@dataclass(frozen=True)
class Reason:
    """One thing that differs from what it was."""

    kind: Literal["code", "parameter", "data", "version", "file"]
    what: str
    old: Any = None
    new: Any = None


@dataclass(frozen=True)
class State:
    """Where a task stands, with its epochs while it is partial and the message once it failed.

    What is cached has reasons, too, if it was made by other versions than those that are installed now, on another
    device, or of inputs that have been made anew since: it serves all the same, except to a strict store.
    """

    state: Literal["cached", "missing", "stale", "partial", "corrupt", "failed"]
    reasons: tuple[Reason, ...] = ()
    epoch: int | None = None
    epochs: int | None = None
    message: str | None = None


Kind = Literal["entry", "checkpoint", "failure", "set aside", "unfinished"]


@dataclass(frozen=True)
class Dropped:
    """Something that nothing refers to any more."""

    what: Kind
    key: str
    name: str
    path: Path
    bytes: int
    seconds: float = 0  # that computing it took, where that is known
    changed: float = 0  # when it was made, in seconds since 1970

    def __str__(self) -> str:
        return f"{self.what:10} {self.bytes / 1e6:9.2f} MB  {self.name}"


def differences(record: Record, task: Task, inputs: Mapping[str, str], code: Code) -> tuple[Reason, ...]:
    """Why an entry isn't what the task asks for; what another format means by its words, only its own code knows."""
    if record["format"] != entries.FORMAT:
        return (Reason("version", "store format", record["format"], entries.FORMAT),)
    compared: list[tuple[Any, Mapping, Mapping]] = [
        ("parameter", dict(flattened(record["spec"])), dict(flattened(task.spec))),
        ("data", record["inputs"], inputs),
        ("code", record["manifest"], code.manifest),
    ]
    return tuple(
        Reason(kind, what, old.get(what), new.get(what))
        for kind, old, new in compared
        for what in sorted({*old, *new})
        if what not in old or what not in new or canonical(old[what]) != canonical(new[what])
    )
