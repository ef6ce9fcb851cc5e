"""A second level of the cache, which several machines share: a folder, a bucket or a server, by fsspec.

An entry's arrays and metadata lie there under their digests, and its record, which names the digests, is written last.
So whatever a reader finds is whole, or is seen not to be, even while two machines write one key at once.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from autoencoders.console import log
from autoencoders.store import entries
from autoencoders.store.entries import AbsentError, DamageError

PATIENCE = 5.0  # seconds to answer: more would be wondered about
OPTIONS: dict[str, dict[str, Any]] = {  # so that what never answers ends by itself
    "s3": {"config_kwargs": {"connect_timeout": 4, "read_timeout": 30, "retries": {"max_attempts": 1}}},
    "ssh": {"timeout": 4, "banner_timeout": 4, "auth_timeout": 4},
    "file": {"auto_mkdir": True},
}
T = TypeVar("T")


class Remote:
    """Asked once which entries it has; one that fails is not asked again, and costs one line."""

    def __init__(self, address: str, patience: float | None = None) -> None:
        self.address, self.patience = address.rstrip("/"), PATIENCE if patience is None else patience
        self.name = re.sub(r"(?<=//)([^/@:]*):[^/@]*@", r"\1@", self.address)  # without a password
        self._keys: set[str] | None = None
        self._is_lost = False

    def has(self, key: str) -> bool:
        """Whether the entry may be there."""
        return key in self.keys()

    def keys(self) -> set[str]:
        """The entries that were there when it was asked first; none where it can't be asked."""
        if self._keys is None:
            self._keys = set()
            try:
                self._import()
                self._keys = within(self.patience, self._listed)
            except Exception as error:  # of whatever lies between here and there
                self._give_up(error)
        return self._keys

    def bring(self, key: str, folder: Path) -> bool:
        """Copy an entry into a folder, to be checked there; whether it came."""
        try:
            files, place = self._opened()
            folder.mkdir(parents=True)
            files.get_file(f"{place}/{key}/{entries.RECORD}", str(folder / entries.RECORD))
            for name, path in _addresses(folder).items():
                files.get_file(f"{place}/{path}", str(folder / name))
        except (AbsentError, DamageError, FileNotFoundError):
            return False  # nobody has finished writing it
        except Exception as error:
            self._give_up(error)
            return False
        return True

    def push(self, folder: Path) -> bool:
        """Copy an entry there; whether it arrived."""
        if self._is_lost:
            return False
        try:
            files, place = self._opened()
            files.makedirs(f"{place}/{folder.name}", exist_ok=True)
            for name, path in _addresses(folder).items():
                files.put_file(str(folder / name), f"{place}/{path}")
            files.put_file(str(folder / entries.RECORD), f"{place}/{folder.name}/{entries.RECORD}")
        except Exception as error:
            self._give_up(error)
            return False
        return True

    def _give_up(self, error: Exception) -> None:
        log(f"remote {self.name}: {_cause(error)}: going on without it")
        self._keys, self._is_lost = set(), True

    def _import(self) -> None:
        """Before the clock runs: the packages are large."""
        import fsspec

        logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # which tells of failures by tracebacks
        fsspec.get_filesystem_class(self.address.partition("://")[0])

    def _opened(self) -> tuple[Any, str]:
        """The file system, and the folder in it."""
        import fsspec

        kind = self.address.partition("://")[0]
        files, place = fsspec.url_to_fs(self.address, **OPTIONS[kind])
        return files, str(place).rstrip("/")

    def _listed(self) -> set[str]:
        files, place = self._opened()
        files.invalidate_cache()
        try:
            return {path.rstrip("/").rpartition("/")[2] for path in files.ls(place, detail=False)}
        except FileNotFoundError:
            return set()  # nothing was pushed yet


def _addresses(folder: Path) -> dict[str, str]:
    """Where an entry's files lie below the remote, by their names."""
    described = entries.read_record(folder)["files"]
    return {name: f"{folder.name}/{one['sha256'][:32]}-{name}" for name, one in described.items()}


def within(seconds: float, action: Callable[[], T]) -> T:
    """The result, or a TimeoutError: looking up a name can outlast every timeout that a client has."""
    found: list[T] = []
    failures: list[Exception] = []

    def attempt() -> None:
        try:
            found.append(action())
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    if failures:
        raise failures[0]
    if not found:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return found[0]


def _cause(error: Exception) -> str:
    """In a few words."""
    if isinstance(error, ImportError):
        return "the packages for it are missing: `pip install '.[remote]'` installs them"
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
