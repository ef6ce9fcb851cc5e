"""Each task is computed once: cached, locked, checked, and explained when it isn't there."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from autoencoders.errors import InputError, StorageError
from autoencoders.store import codehash, entries, mapping
from autoencoders.store.codehash import Code
from autoencoders.store.entries import AbsentError, Artifact, DamageError, Record
from autoencoders.store.files import NO_ROOM, Stamp, locked, stamp, storing
from autoencoders.store.tasks import FORMAT, Dropped, Kind, Reason, State, Task, differences

_OWN_PACKAGE = Path(__file__).parents[1]

log = logging.getLogger(__name__)


class Store:
    """The cache folder: finished work in `artifacts`, by key; what is memory-mapped in `data`; unfinished work in
    `checkpoints`; damaged in `set-aside`."""

    def __init__(self, root: Path, package: Path | str = _OWN_PACKAGE) -> None:
        self.root = Path(root)
        self.package = Path(package).absolute()
        self._imported = codehash.Snapshot(self.package)
        self._sound: dict[str, tuple[Stamp | None, ...]] = {}  # what entries looked like when their digests were right
        self._index: tuple[Stamp | None, dict[tuple[str, str], list[Record]]] = (None, {})

    # ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def key(self, task: Task) -> str:
        """What the result depends on: kind, spec, inputs and code, and nothing else."""
        return self._key(task, self._code(task))

    def code_of(self, roots: tuple[str, ...]) -> dict[str, str]:
        """A hash of each part of the code that these roots reach."""
        return dict(codehash.package(self.package).code(roots).manifest)

    def scratch(self, task: Task) -> Path:
        """Where the task keeps its checkpoints and tells its progress while it is computed."""
        return self._scratch(self.key(task))

    def _code(self, task: Task) -> Code:
        return codehash.package(self.package).code(task.roots)

    def _key(self, task: Task, code: Code) -> str:
        try:
            content = entries.canonical([FORMAT, task.kind, dict(task.spec), dict(task.inputs), code.digest])
        except TypeError as error:
            raise TypeError(f"the spec of {task.name} isn't JSON: {error}") from None
        return hashlib.sha256(content).hexdigest()[:16]

    def _entry(self, key: str) -> Path:
        return self.root / "artifacts" / key

    def _mapped(self, key: str) -> Path:
        return self.root / "data" / key

    def _scratch(self, key: str) -> Path:
        return self.root / "checkpoints" / key

    def _failure(self, key: str) -> Path:
        return self.root / "failures" / f"{key}.json"

    def _lock_file(self, key: str) -> Path:
        return self.root / "locks" / f"{key}.lock"

    # ── Fetching ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def fetch(self, task: Task) -> Artifact:
        """The artifact, computed if it is missing; whoever asks meanwhile, in whichever process, waits for it."""
        code = self._code(task)
        key = self._key(task, code)
        try:
            return self._cached(key, code)  # takes no lock and writes nothing: a read-only folder serves too
        except (AbsentError, DamageError):
            pass
        with locked(self._lock_file(key)):
            self._set_aside_if_damaged(key, task)
            self._make(task, key, code)
            return self._cached(key, code)  # read back: the first run sees what all later ones see

    def mapped(self, task: Task) -> Artifact:
        """Like `fetch`, but the arrays stay on disk, memory-mapped, so that all processes share them. Where they can't
        be kept, in a cache that is full or read-only, this process has them for itself."""
        code = self._code(task)
        key = self._key(task, code)
        try:
            with suppress(AbsentError, DamageError):
                return mapping.read(self._mapped(key))
            with locked(self._lock_file(key)):
                try:
                    return mapping.read(self._mapped(key))  # another process was faster
                except DamageError as damage:
                    self._set_aside(self._mapped(key), task, damage)
                except AbsentError:
                    pass
                return self._make_mapped(task, key, code)
        except StorageError:
            return task.compute(self._scratch(key))

    def _make_mapped(self, task: Task, key: str, code: Code) -> Artifact:
        try:
            artifact, record = self._compute(task, key, code)
            with suppress(StorageError, DamageError):
                mapping.write(self._mapped(key), artifact, record)
                artifact = mapping.read(self._mapped(key))
            return artifact
        finally:
            shutil.rmtree(self._scratch(key), ignore_errors=True)

    def _cached(self, key: str, code: Code, compute: Callable[[], tuple[Artifact, Record]] | None = None) -> Artifact:
        from autoencoders.store import backend  # imports joblib, which takes its time and which status doesn't need

        def absent() -> tuple[Artifact, Record]:
            raise AbsentError(key)

        return backend.cached(self._entry(key), key, code.digest, compute or absent)[0]

    def _make(self, task: Task, key: str, code: Code) -> None:
        try:
            self._cached(key, code, lambda: self._compute(task, key, code))
        except StorageError:
            raise
        except Exception as error:
            self._remember_failure(task, key, error)
            raise
        shutil.rmtree(self._scratch(key), ignore_errors=True)

    def _compute(self, task: Task, key: str, code: Code) -> tuple[Artifact, Record]:
        self._refuse_if_edited(task, code)
        scratch = self._scratch(key)
        with storing(scratch):
            scratch.mkdir(parents=True, exist_ok=True)
            self._failure(key).unlink(missing_ok=True)
        created, started = datetime.now(UTC), time.perf_counter()
        with storing(scratch, only=NO_ROOM):
            artifact = task.compute(scratch)
        record = {
            "format": FORMAT,
            "key": key,
            "name": task.name,
            "kind": task.kind,
            "spec": dict(task.spec),
            "inputs": dict(task.inputs),
            "code": code.digest,
            "manifest": dict(code.manifest),
            "created": created.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - started, 3),
            "versions": _versions(),
        }
        return artifact, record

    def _refuse_if_edited(self, task: Task, code: Code) -> None:
        """The key names the code on disk, but a process computes with what it has imported: they must be the same."""
        if self._imported.code(task.roots).digest != code.digest:
            raise InputError(f"the code that {task.name} reaches was edited while this ran: start again")

    def _remember_failure(self, task: Task, key: str, error: Exception) -> None:
        path = self._failure(key)
        unfinished = entries.unfinished_name(path)
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps({"name": task.name, "kind": task.kind, "message": message}))
            os.replace(unfinished, path)
        except OSError as unwritable:
            log.warning("the failure of %s can't be noted down: %s", task.name, unwritable)

    def _set_aside_if_damaged(self, key: str, task: Task) -> None:
        try:
            entries.read(self._entry(key))
        except AbsentError:
            pass
        except DamageError as damage:
            self._set_aside(self._entry(key), task, damage)

    def _set_aside(self, damaged: Path, task: Task, damage: DamageError) -> None:
        aside = self.root / "set-aside" / f"{damaged.name}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
        log.warning("%s is damaged (%s): set aside as %s, and made again", task.name, damage, aside)
        with storing(aside):
            aside.parent.mkdir(parents=True, exist_ok=True)
            os.replace(damaged, aside)

    # ── Inspecting: nothing here writes ──────────────────────────────────────────────────────────────────────────────

    def contains(self, task: Task) -> bool:
        """Whether a sound entry is there."""
        try:
            self._check(self.key(task))
        except (AbsentError, DamageError):
            return False
        return True

    def state(self, task: Task) -> State:
        """Where the task stands, and if an older entry of its name is there, what changed since."""
        code = self._code(task)
        key = self._key(task, code)
        try:
            self._check(key)
            return State("cached", _other_versions(entries.read_record(self._entry(key))))
        except DamageError as damage:
            return State("corrupt", (Reason("file", damage.file, damage.expected, damage.found),))
        except AbsentError:
            pass
        if failure := _json(self._failure(key)):
            return State("failed", message=failure.get("message"))
        if _files_in(self._scratch(key)):
            progress = _json(self._scratch(key) / "progress.json")
            return State("partial", epoch=progress.get("epoch"), epochs=progress.get("epochs"))
        older = [differences(record, task, code) for record in self._records_by_name().get((task.kind, task.name), [])]
        return State("stale", min(older, key=len)) if older else State("missing")

    def provenance(self, task: Task) -> Record:
        """Where the task's artifact came from: spec, code, inputs, versions, when and how long."""
        try:
            return entries.read_record(self._entry(self.key(task)))
        except (AbsentError, DamageError) as error:
            raise KeyError(f"{task.name} isn't in the cache: {error}") from None

    def entries(self) -> Iterator[Record]:
        """The provenance of everything that is cached, the newest first."""
        records = [record for records in self._records_by_name().values() for record in records]
        ours = [record for record in records if record["format"] == FORMAT]
        return iter(sorted(ours, key=lambda record: record["created"], reverse=True))

    def _check(self, key: str) -> None:
        """Digests are computed once a process for as long as the files stay untouched."""
        folder = self._entry(key)
        try:
            now = tuple(stamp(folder / name) for name in entries.FILES)
        except OSError:
            now = (None,)
        if None in now or self._sound.get(key) != now:
            entries.check(folder)
            self._sound[key] = now

    def _records_by_name(self) -> dict[tuple[str, str], list[Record]]:
        folder = self.root / "artifacts"
        if not folder.is_dir():
            return {}
        now = stamp(folder)
        if now is None or now != self._index[0]:
            found: dict[tuple[str, str], list[Record]] = {}
            for entry in sorted(folder.glob("[!.]*")):
                try:
                    record = entries.read_record(entry)
                except (AbsentError, DamageError):
                    continue
                found.setdefault((str(record.get("kind")), str(record.get("name"))), []).append(record)
            self._index = now, found
        return self._index[1]

    # ── Dropping ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def prune(self, keep: Iterable[Task], dry_run: bool = False) -> list[Dropped]:
        """Drop what these tasks don't refer to, and all that was set aside; what is being computed now stays."""
        kept = {self.key(task) for task in keep}
        unneeded = [found for found in self._inventory() if found.key not in kept or self._is_rubbish(found)]
        return [found for found in unneeded if dry_run or self._drop(found)]

    def _inventory(self) -> Iterator[Dropped]:
        for what, subfolder in _PLACES.items():
            folder = self.root / subfolder
            for path in sorted(folder.iterdir()) if folder.is_dir() else []:
                key = path.name.lstrip(".").split(".")[0].split("-")[0]
                found: Kind = "unfinished" if path.name.startswith(".") else what
                yield Dropped(found, key, _name(path) or key, path, _size(path))

    def _is_rubbish(self, found: Dropped) -> bool:
        """Whether it serves nobody, whatever its key."""
        if found.what == "checkpoint":
            return self._entry(found.key).is_dir()
        return found.what in ("set aside", "unfinished")

    def _drop(self, found: Dropped) -> bool:
        try:
            with locked(self._lock_file(found.key), wait=False), storing(found.path):
                if not found.path.exists():
                    return False  # another process was faster
                shutil.rmtree(found.path) if found.path.is_dir() else found.path.unlink()
                return True
        except TimeoutError:
            return False


_PLACES: dict[Kind, str] = {
    "entry": "artifacts",
    "data": "data",
    "checkpoint": "checkpoints",
    "failure": "failures",
    "set aside": "set-aside",
}


def _name(path: Path) -> str | None:
    return _json(path / entries.RECORD if path.is_dir() else path).get("name")


def _size(path: Path) -> int:
    """What is gone by now takes no room."""
    total = 0
    for file in _files_in(path) if path.is_dir() else [path]:
        with suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


def _files_in(folder: Path) -> list[Path]:
    """By `os.walk`, which passes over what vanishes meanwhile."""
    return [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]


def _json(path: Path) -> dict:
    """What a small file says; an unreadable one says nothing."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _other_versions(record: Record) -> tuple[Reason, ...]:
    """What an entry was made by, where something else is installed now; builds of one version (1.2+cpu) are equal."""
    found = {name: _installed(name) for name in record["versions"]}
    return tuple(
        Reason("version", name, made_by, found[name])
        for name, made_by in record["versions"].items()
        if made_by.partition("+")[0] != (found[name] or "").partition("+")[0]
    )


@functools.cache
def _installed(name: str) -> str | None:
    """Without importing it: torch takes seconds."""
    from importlib import metadata

    try:
        return platform.python_version() if name == "python" else metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _versions() -> dict[str, str]:
    modules = {name: sys.modules.get(name) for name in ("numpy", "joblib", "torch")}
    loaded = {name: str(module.__version__) for name, module in modules.items() if module}
    return {"python": platform.python_version(), **loaded}
