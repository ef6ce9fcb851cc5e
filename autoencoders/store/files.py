"""Files: when one counts as unchanged, how one appears whole, who may write, and what is said when one can't."""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from autoencoders import reading
from autoencoders.errors import InputError, StorageError

Stamp = tuple[int, ...]

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_TICK = 100_000_000  # nanoseconds; a file system's clock may tick this slowly


def stamp(path: Path) -> Stamp | None:
    """The same for as long as a file's content is; None where it changed so recently that its times can't tell."""
    status = os.stat(path)
    if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < _TICK:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Another name for a file or folder while it is made: it appears under its own whole, or not at all."""
    unfinished = unfinished_name(path)
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        os.replace(unfinished, path)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def unfinished_name(path: Path) -> Path:
    """A name beside the final one, of this writer alone; what a killed process leaves is never taken for the real."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")


def write(path: Path, content: bytes | str) -> None:
    """Write a file, all of it or nothing, whoever reads or writes it meanwhile.

    >>> write(folder / "progress.json", "{}")
    """
    with appearing(path) as unfinished:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


def noted(path: Path) -> dict[str, Any]:
    """What a small JSON file says; an unreadable one says nothing.

    >>> noted(folder / "progress.json").get("epoch")
    """
    try:
        found = reading.parsed_json(path)
    except InputError:
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def storing(path: Path, only: frozenset[int] | None = None) -> Iterator[None]:
    """What the file system refuses here (or only these error numbers) becomes one line with the path and the cause."""
    try:
        yield
    except TimeoutError:
        raise  # of a lock that someone else holds: nothing is wrong
    except OSError as error:
        if only is not None and error.errno not in only:
            raise
        raise StorageError(f"cache: {error.filename or path}: {error.strerror or error}") from error


@contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[None]:
    """Held by the operating system for as long as this process lives, so a dead one's is no obstacle. Who doesn't
    wait gets a TimeoutError."""
    from filelock import FileLock

    lock = FileLock(path)
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=-1 if wait else 0)
    try:
        yield
    finally:
        lock.release()
