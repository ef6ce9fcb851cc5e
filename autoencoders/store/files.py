"""When a file counts as unchanged, who may write, and what is said when one can't be read or written."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoencoders.errors import StorageError

Stamp = tuple[int, ...]

_TICK = 100_000_000  # nanoseconds; a file system's clock may tick this slowly


def stamp(path: Path) -> Stamp | None:
    """The same for as long as a file's content is; None where it changed so recently that its times can't tell."""
    status = os.stat(path)
    if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < _TICK:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


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


NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
