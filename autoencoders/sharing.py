"""Results that go to other machines, and come from them: in a file, or by a place that all of them reach."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autoencoders.console import log
from autoencoders.errors import InputError
from autoencoders.lab import Lab
from autoencoders.store import Task, archive


def pack(lab: Lab, names: Iterable[str] | None, path: Path) -> None:
    """Pack what the cache holds of a run, or of some of its experiments."""
    keys = _keys(lab, names)
    packed = archive.pack(lab.store, keys, path)
    if not packed:
        path.unlink(missing_ok=True)
        raise InputError("the cache holds nothing of this run: `python pipeline.py run` computes it")
    log(f"{packed} of {len(keys)} results are in {path}: {path.stat().st_size / 1e6:.1f} MB")


def unpack(lab: Lab, path: Path) -> None:
    taken, had = archive.unpack(lab.store, path)
    log(f"{taken} results were taken in, {had} were here already")


def push(lab: Lab, names: Iterable[str] | None) -> None:
    """Copy to the remote what it lacks of a run."""
    if not lab.store.remote:
        raise InputError("--push needs a place to copy to: --remote, $AE_REMOTE or a line `remote:` in params.yml")
    pushed = lab.store.push(_keys(lab, names))
    log(f"{pushed} results were copied to {lab.store.remote.name}")


def _keys(lab: Lab, names: Iterable[str] | None) -> list[str]:
    """Of all that a run computes and needs; not of images, which each machine reads from its own data."""
    found: dict[str, Task] = {}
    waiting = lab.plan(names)
    with lab.store.looked_at_once():
        for task in waiting:
            if (key := lab.store.key(task)) not in found:
                found[key] = task
                waiting += task.needed.values()
    return list(found)
