"""Downloads that come whole or not at all, from whatever answers at the other end."""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import shutil
import socket
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from autoencoders.data import files
from autoencoders.data.sources import Downloaded

PATIENCE = 5.0  # seconds that a server gets to answer: a dead network should say so before anyone wonders


def download(source: Downloaded) -> None:
    """Into a folder beside its place, then moved there: what is in ``data/`` is complete at any time."""
    from filelock import FileLock

    free = shutil.disk_usage(files.DATA.parent).free / 1e9
    if free < source.gigabytes:
        raise OSError(errno.ENOSPC, f"{files.DATA.parent} has {free:.1f} GB left, {source.gigabytes} GB are needed")
    _reach(source.url)
    files.DATA.mkdir(exist_ok=True)
    with FileLock(files.DATA / ".lock"):
        if (files.DATA / source.folder).is_dir():
            return  # another process was faster
        most = int(source.gigabytes * 1e9)
        with tempfile.TemporaryDirectory(dir=files.DATA, prefix=".download-") as workshop:
            with _socket_timeout(2 * PATIENCE), _careful_unpacking(most), _files_up_to(most):
                source.download(Path(workshop))
            (files.DATA / source.folder).parent.mkdir(parents=True, exist_ok=True)
            os.replace(Path(workshop) / source.folder, files.DATA / source.folder)


def _reach(url: str) -> None:
    """Raises OSError within seconds where no network is: looking up a name can outlast every socket timeout."""
    failures: list[OSError] = []

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE).close()
        except (urllib.error.HTTPError, http.client.HTTPException):
            pass  # somebody answered
        except OSError as error:
            failures.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    if asking.is_alive():
        raise TimeoutError(f"no answer within {PATIENCE:.0f} s")
    if failures:
        raise failures[0]


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """torchvision sets none, so that a connection that dies would be waited for without end."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextlib.contextmanager
def _careful_unpacking(most: int) -> Iterator[None]:
    """torchvision unpacks whatever bears the right MD5: here, no further than its folder and no more than so many
    bytes, however few an archive may take."""
    left = most

    def careful(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
        nonlocal left
        left -= member.size
        if left < 0:
            raise OSError(errno.EFBIG, f"the archive holds more than {most / 1e9:g} GB")
        if not (member.isfile() or member.isdir()):  # Python's own filter was outwitted by links more than once
            raise tarfile.SpecialFileError(member)
        return tarfile.data_filter(member, folder)

    before = tarfile.TarFile.extraction_filter
    tarfile.TarFile.extraction_filter = staticmethod(careful)
    try:
        yield
    finally:
        tarfile.TarFile.extraction_filter = before


@contextlib.contextmanager
def _files_up_to(most: int) -> Iterator[None]:
    """A server that never stops sending, or a small file that unpacks to a huge one, meets an OSError."""
    if os.name != "posix":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limits = [limit for limit in (most, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_FSIZE, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
