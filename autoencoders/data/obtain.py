"""A data set that was asked for, from wherever it can be had; or what stands in for it."""

from __future__ import annotations

import errno
import http.client
import socket
import tarfile
import urllib.error
from dataclasses import dataclass
from pathlib import Path

from autoencoders.data import files
from autoencoders.data.download import download as fetch
from autoencoders.data.files import locate
from autoencoders.data.sources import STAND_INS, Downloaded, source_of
from autoencoders.errors import InputError


class UnavailableError(InputError):
    """The data set is neither here nor to be had: the one failure for which a stand-in may step in."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Choice:
    """The data set that a run uses, and why it is not the one that was asked for where it isn't."""

    name: str
    root: Path
    stand_in: bool
    reason: str


def obtain(name: str, data_dir: str | Path | None = None, *, download: bool = True) -> Path:
    """Find the folder that holds this data set; download it into ``data/`` where it is nowhere else."""
    root = locate(name, data_dir)
    if root is not None:
        return root
    source = source_of(name)
    assert isinstance(source, Downloaded), "what ships with packages is located or fails"
    try:
        if not download:
            raise FileNotFoundError("nothing is downloaded now")
        fetch(source)
    except (OSError, RuntimeError, http.client.HTTPException, tarfile.TarError, EOFError) as error:
        places = " or ".join(str(place) for place in files.places(data_dir))
        raise UnavailableError(
            f"{name} is not in {places} and can't be downloaded ({cause_of(error)}): put the folder {source.folder} "
            f"from {source.url} there, or point --data-dir or $AUTOENCODERS_DATA at the folder that holds it",
            cause=cause_of(error),
        ) from error
    return files.DATA


def choose(
    name: str, profile_allows_stand_in: bool, data_dir: str | Path | None = None, *, download: bool = True
) -> Choice:
    """Obtain the data set that was asked for, or its stand-in if it can't be had and the profile allows that."""
    try:
        return Choice(name, obtain(name, data_dir, download=download), stand_in=False, reason="")
    except UnavailableError as error:
        stand_in, root = _stand_in(name, data_dir)
        if not profile_allows_stand_in:
            raise InputError(f"{error}; or use --profile quick, which goes on with {stand_in}") from error
        reason = f"{name} is not here and can't be downloaded ({error.cause}), so {stand_in} stands in for it"
        return Choice(stand_in, root, stand_in=True, reason=reason)


def _stand_in(name: str, data_dir: str | Path | None) -> tuple[str, Path]:
    """The first that is here."""
    found = ((stand_in, locate(stand_in, data_dir)) for stand_in in STAND_INS[name])
    return next((stand_in, root) for stand_in, root in found if root is not None)


def cause_of(error: Exception) -> str:
    """Why data can't be had or read, in one line."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"no space: {error.strerror}"
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError | TimeoutError | ConnectionError | socket.gaierror):
        return f"no network: {getattr(error, 'reason', error)}"
    return " ".join(str(error).split()) or type(error).__name__
