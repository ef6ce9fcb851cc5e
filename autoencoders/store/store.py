"""Each task is computed once: cached, locked, checked, and explained when it isn't there."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autoencoders.errors import InputError, StorageError
from autoencoders.store import codehash, entries, files
from autoencoders.store.codehash import Code
from autoencoders.store.entries import AbsentError, Artifact, DamageError, Record
from autoencoders.store.files import NO_ROOM, Stamp, locked, noted, stamp, storing
from autoencoders.store.remote import Remote
from autoencoders.store.tasks import Dropped, Kind, Reason, State, Task, differences

_PACKAGES = {  # what makes numbers: distributions with their modules
    "joblib": "joblib",
    "numpy": "numpy",
    "pillow": "PIL",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "torch": "torch",
    "torchvision": "torchvision",
}
_OWN_PACKAGE = Path(__file__).parents[1]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Known:
    """A task with what its key is made of, as code and inputs are now."""

    task: Task
    code: Code
    inputs: Mapping[str, str]

    @functools.cached_property
    def key(self) -> str:
        try:
            return _key(self.task.kind, dict(self.task.spec), dict(self.inputs), self.code.digest)
        except TypeError as error:
            raise TypeError(f"the spec of {self.task.name} isn't JSON: {error}") from None


def _key(kind: str, spec: Mapping[str, Any], inputs: Mapping[str, str], code: str) -> str:
    return hashlib.sha256(entries.canonical([entries.FORMAT, kind, spec, inputs, code])).hexdigest()[:16]


class Store:
    """The cache folder: finished work in `artifacts`, by key; unfinished work in `checkpoints`; damaged in
    `set-aside`."""

    def __init__(
        self, root: Path, package: Path | str = _OWN_PACKAGE, *, strict: bool = False, remote: str | None = None
    ) -> None:
        self.root = Path(root)
        self.remote = Remote(remote) if remote else None  # where others may have what is missing here
        self.strict = strict  # then what other versions or another device made is stale
        self.package = Path(package).absolute()
        self._imported = codehash.Imported(self.package)
        self._sound: dict[str, tuple[Stamp | None, ...]] = {}  # what entries looked like when their digests were right
        self._index: tuple[Stamp | None, dict[tuple[str, str], list[Record]]] = (None, {})

    # ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def key(self, task: Task) -> str:
        """What the result depends on: kind, spec, inputs and code, and nothing else."""
        return self._known(task).key

    @contextmanager
    def looked_at_once(self) -> Iterator[None]:
        """Take the code for unchanged while this lasts: for those who ask about thousands of tasks."""
        with codehash.package(self.package).looked_at_once():
            yield

    def code_of(self, roots: tuple[str, ...]) -> dict[str, str]:
        """A hash of each part of the code that these roots reach."""
        return dict(codehash.package(self.package).code(roots).manifest)

    def scratch(self, task: Task) -> Path:
        """Where the task keeps its checkpoints and its progress while it is computed."""
        return self._scratch(self.key(task))

    def _known(self, task: Task) -> _Known:
        inputs = {name: self.key(value) if isinstance(value, Task) else value for name, value in task.inputs.items()}
        return _Known(task, codehash.package(self.package).code(task.roots), inputs)

    def _entry(self, key: str) -> Path:
        return self.root / "artifacts" / key

    def _scratch(self, key: str) -> Path:
        return self.root / "checkpoints" / key

    def _failure(self, key: str) -> Path:
        return self.root / "failures" / f"{key}.json"

    def _lock_file(self, key: str) -> Path:
        return self.root / "locks" / f"{key}.lock"

    def _aside(self, key: str) -> Path:
        return self.root / "set-aside" / f"{key}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"

    # ── Fetching ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def fetch(self, task: Task, *, mapped: bool = False) -> Artifact:
        """The artifact, computed if it is missing; whoever asks meanwhile, in whichever process, waits for it.

        With ``mapped``, its arrays stay on disk, memory-mapped, so that all processes share them.
        """
        known = self._known(task)
        if not self._refused(known):
            with suppress(AbsentError, DamageError):
                return self._cached(known, mapped)  # takes no lock and writes nothing: a read-only folder serves too
        if self._bring(known.key) and not self._refused(known):
            return self._cached(known, mapped)
        with locked(self._lock_file(known.key)):
            self._mark()
            self._set_aside_if_useless(known)
            self._make(known)
            return self._cached(known, mapped)  # read back: the first run sees what all later ones see

    def _cached(
        self, known: _Known, mapped: bool = False, compute: Callable[[], tuple[Artifact, Record]] | None = None
    ) -> Artifact:
        from autoencoders.store import backend  # imports joblib, which takes its time and which status doesn't need

        def absent() -> tuple[Artifact, Record]:
            raise AbsentError(known.key)

        return backend.cached(self._entry(known.key), known.key, known.code.digest, compute or absent, mapped=mapped)[0]

    def _make(self, known: _Known) -> None:
        try:
            self._cached(known, compute=lambda: self._compute(known))
        except StorageError:
            raise
        except Exception as error:
            self._remember_failure(known, error)
            raise
        shutil.rmtree(self._scratch(known.key), ignore_errors=True)

    def _compute(self, known: _Known) -> tuple[Artifact, Record]:
        task, scratch = known.task, self._scratch(known.key)
        needed = {name: self.fetch(each) for name, each in task.needed.items()}
        package = codehash.package(self.package)
        package.look_again()  # only now: making those may have taken hours
        self._refuse_if_edited(known, package)
        with storing(scratch):
            scratch.mkdir(parents=True, exist_ok=True)
            self._failure(known.key).unlink(missing_ok=True)
        created, started = datetime.now(UTC), time.perf_counter()
        with storing(scratch, only=NO_ROOM):
            artifact = task.compute(scratch, **needed)
        seconds = time.perf_counter() - started
        self._refuse_if_edited(known)  # what was imported meanwhile included
        record = {
            "format": entries.FORMAT,
            "key": known.key,
            "name": task.name,
            "kind": task.kind,
            "spec": dict(task.spec),
            "inputs": dict(known.inputs),
            "code": known.code.digest,
            "manifest": dict(known.code.manifest),
            "made_of": self._numbers_in(task),
            "created": created.isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "versions": _versions(),
            "environment": {"device": task.device(), "precision": "fp32", "threads": _threads()}
            | {name: artifact.meta[name] for name in ("device", "precision", "threads") if name in artifact.meta},
        }
        return artifact, record

    def _numbers_in(self, task: Task) -> dict[str, str | None]:
        """A digest of the arrays that the task is computed from, by input: metadata also say how long it took."""
        files = {name: self._files(self.key(needed)) for name, needed in task.needed.items()}
        return {name: found[entries.ARRAYS]["sha256"][:16] if found else None for name, found in files.items()}

    def _elsewhere(self, known: _Known) -> tuple[Reason, ...]:
        """What an entry was made by and of, where that differs from what is here now."""
        try:
            record = entries.read_record(self._entry(known.key))
        except (AbsentError, DamageError):
            return ()
        here = known.task.device()
        device = record.get("environment", {}).get("device", here)
        made_of = record.get("made_of", {})
        return (
            *_other_versions(record),
            *([Reason("version", "device", device, here)] if device != here else []),
            *(
                Reason("data", name, made_of[name], now)
                for name, now in self._numbers_in(known.task).items()
                if now and made_of.get(name, now) != now
            ),
        )

    def _refused(self, known: _Known) -> bool:
        return self.strict and bool(self._elsewhere(known))

    def _refuse_if_edited(self, known: _Known, *others: codehash.Package) -> None:
        """The key names the code on disk, but a process computes with what it has imported: they must be the same."""
        roots = known.task.roots
        if any(package.code(roots).digest != known.code.digest for package in (self._imported, *others)):
            raise InputError(f"the code that {known.task.name} reaches was edited while this ran: start again")

    def _remember_failure(self, known: _Known, error: Exception) -> None:
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        note = {"name": known.task.name, "kind": known.task.kind, "message": message}
        try:
            files.write(self._failure(known.key), json.dumps(note))
        except OSError as unwritable:
            log.warning("the failure of %s can't be noted down: %s", known.task.name, unwritable)

    def _set_aside_if_useless(self, known: _Known) -> None:
        entry = self._entry(known.key)
        try:
            entries.read(entry, mapped=True)
            trouble = "made elsewhere" if self._refused(known) else ""
        except AbsentError:
            return
        except DamageError as damage:
            trouble = f"damaged ({damage})"
        if trouble:
            aside = self._aside(entry.name)
            log.warning("%s is %s: set aside as %s, and made again", known.task.name, trouble, aside)
            _move(entry, aside)

    # ── Entries that were made elsewhere ─────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A folder for entries that aren't checked yet."""
        with storing(self.root):
            self._mark()
            folder = tempfile.TemporaryDirectory(dir=self.root, prefix=".incoming-", ignore_cleanup_errors=True)
        with folder as path:
            yield Path(path)

    def adopt(self, folder: Path) -> bool:
        """Move an entry here from a folder called by its key, unless a sound one is here; refuse what isn't whole."""
        record, key = entries.read(folder, mapped=True)[1], folder.name
        if record["format"] != entries.FORMAT:
            raise DamageError(entries.RECORD, f"format {entries.FORMAT}", f"format {record['format']}")
        if (found := _key(record["kind"], record["spec"], record["inputs"], record["code"])) != key:
            raise DamageError(entries.RECORD, f"the record of {key}", f"that of {found}")
        with locked(self._lock_file(key)):
            if self.sound_entry(key):
                return False
            if self._entry(key).exists():
                _move(self._entry(key), self._aside(key))
            _move(folder, self._entry(key))
        return True

    def sound_entry(self, key: str) -> Path | None:
        """Where an entry lies, if it is there and whole."""
        try:
            self._check(key)
        except (AbsentError, DamageError):
            return None
        return self._entry(key)

    def _bring(self, key: str) -> bool:
        """Take an entry from the remote; whether it is here now."""
        if not (self.remote and self.remote.has(key)):
            return False
        with self.incoming() as folder:
            try:
                return self.remote.bring(key, folder / key) and (self.adopt(folder / key) or True)
            except (AbsentError, DamageError) as damage:
                log.warning("%s is damaged in %s (%s): made here", key, self.remote.name, damage)
                return False

    def bring(self, keys: Iterable[str]) -> int:
        """Take from the remote what it has of these, for other processes, too; return how many entries came."""
        if not self.remote:
            return 0
        there = [key for key in keys if self.remote.has(key)]
        if there:
            log.warning("copying %d results from %s", len(there), self.remote.name)
        return sum(map(self._bring, there))

    def push(self, keys: Iterable[str]) -> int:
        """Copy to the remote what it lacks of these; return how many entries arrived."""
        if not self.remote:
            return 0
        lacking = [key for key in dict.fromkeys(keys) if not self.remote.has(key)]
        return sum(self.remote.push(folder) for folder in map(self.sound_entry, lacking) if folder)

    # ── Inspecting: nothing here writes ──────────────────────────────────────────────────────────────────────────────

    def contains(self, task: Task) -> bool:
        """Whether a sound entry is there, and may be used."""
        known = self._known(task)
        try:
            self._check(known.key)
        except (AbsentError, DamageError):
            return False
        return not self._refused(known)

    def content(self, task: Task) -> str | None:
        """A digest of what the task's entry holds, whenever and however it was made; None where there is none."""
        files = self._files(self.key(task))
        return hashlib.sha256(entries.canonical(files)).hexdigest()[:16] if files else None

    def _files(self, key: str) -> dict[str, Any] | None:
        """The sizes and digests of an entry's files; None where there is none."""
        try:
            return entries.read_record(self._entry(key))["files"]
        except (AbsentError, DamageError):
            return None

    def state(self, task: Task) -> State:
        """Where the task stands, and if an older entry of its name is there, what changed since."""
        known = self._known(task)
        key = known.key
        try:
            self._check(key)
            reasons = self._elsewhere(known)
            return State("stale" if self.strict and reasons else "cached", reasons)
        except DamageError as damage:
            return State("corrupt", (Reason("file", damage.file, damage.expected, damage.found),))
        except AbsentError:
            pass
        if failure := noted(self._failure(key)):
            return State("failed", message=failure.get("message"))
        if _files_in(self._scratch(key)):
            progress = noted(self._scratch(key) / "progress.json")
            return State("partial", epoch=progress.get("epoch"), epochs=progress.get("epochs"))
        records = self._records_by_name().get((task.kind, task.name), [])
        older = [differences(record, task, known.inputs, known.code) for record in records]
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
        ours = [record for record in records if record["format"] == entries.FORMAT]
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

    def sizes(self) -> dict[str, int]:
        """How many bytes the cache has of each kind of task, and of work that is unfinished, damaged or failed."""
        kinds = {record["key"]: str(kind) for (kind, _), all_of in self._records_by_name().items() for record in all_of}
        found: dict[str, int] = {}
        for what, subfolder in _PLACES.items():
            folder = self.root / subfolder
            for path in folder.iterdir() if folder.is_dir() else ():
                kind = kinds.get(path.name, "unfinished") if what == "entry" else what
                found[kind] = found.get(kind, 0) + _size(path)
        return found

    def prune(self, keep: Iterable[Task], dry_run: bool = False) -> list[Dropped]:
        """Drop what these tasks don't refer to, and all that was set aside; what is being computed now stays."""
        with self.looked_at_once():
            kept = {self.key(task) for task in keep}
        unneeded = [found for found in self._inventory() if found.key not in kept or self._is_droppable(found)]
        if unneeded and not self._is_ours():
            raise InputError(f"{self.root} isn't marked as a cache of this project: nothing is dropped there")
        return unneeded if dry_run else self.drop(unneeded)

    def is_finished(self, key: str) -> bool:
        return self._entry(key).is_dir()

    def drop(self, unneeded: Iterable[Dropped]) -> list[Dropped]:
        """Drop what `prune` listed, and return what was still there."""
        return [found for found in unneeded if self._drop(found)]

    def _inventory(self) -> Iterator[Dropped]:
        """All that is called as the store calls its own; links are somebody else's."""
        for what, subfolder in _PLACES.items():
            folder = self.root / subfolder
            for path in sorted(folder.iterdir()) if folder.is_dir() else []:
                match = _NAMED[what].fullmatch(path.name)
                if match and not path.is_symlink():
                    key = match[match.lastindex or 1]
                    found: Kind = "unfinished" if path.name.startswith(".") else what
                    yield Dropped(found, key, _name(path) or key, path, _size(path), _seconds(path), _changed(path))

    def _is_ours(self) -> bool:
        """Whether the folder has the mark, or holds a sound entry from before there was one."""
        return (self.root / _MARK).is_file() or bool(self._records_by_name())

    def _mark(self) -> None:
        if not (self.root / _MARK).is_file():
            with storing(self.root):
                files.write(self.root / _MARK, "A cache of the project `autoencoders`, which may drop files here.\n")

    def _is_droppable(self, found: Dropped) -> bool:
        """Whether it is of no use, whatever its key."""
        if found.what == "checkpoint":
            return self.is_finished(found.key)
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
    "checkpoint": "checkpoints",
    "failure": "failures",
    "set aside": "set-aside",
}
_KEY = r"([0-9a-f]{16})"
_NAMED: dict[Kind, re.Pattern[str]] = {  # finished or, with a dot before, not
    "entry": re.compile(rf"{_KEY}|\.{_KEY}\.[0-9a-f]{{8}}"),
    "checkpoint": re.compile(_KEY),
    "failure": re.compile(rf"{_KEY}\.json|\.{_KEY}\.json\.[0-9a-f]{{8}}"),
    "set aside": re.compile(rf"{_KEY}-\d{{8}}T\d{{6}}\.\d{{6}}"),
}
_MARK = ".autoencoders-cache"


def _move(path: Path, target: Path) -> None:
    with storing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)


def _name(path: Path) -> str | None:
    return noted(path / entries.RECORD if path.is_dir() else path).get("name")


def _seconds(path: Path) -> float:
    """How long computing an entry took, by its record; of anything else nobody knows."""
    seconds = noted(path / entries.RECORD).get("seconds", 0)
    return float(seconds) if isinstance(seconds, int | float) else 0


def _changed(path: Path) -> float:
    """What is gone by now is as good as new."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


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
    """Of Python and of every package that makes numbers: as it is loaded, or else as it is installed."""
    modules = {name: sys.modules.get(module) for name, module in _PACKAGES.items()}
    loaded = {name: str(module.__version__) for name, module in modules.items() if module}
    installed = {name: version for name in _PACKAGES if (version := _installed(name))}
    return {"python": platform.python_version(), **installed, **loaded}


def _threads() -> int:
    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch else 1
