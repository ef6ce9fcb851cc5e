"""A data set that was asked for, from wherever it can be had; or what stands in for it."""

from __future__ import annotations

import http.client
import tarfile
from dataclasses import dataclass
from pathlib import Path

from autoencoders.data import downloading, finding
from autoencoders.data.failures import UnavailableError, cause_of
from autoencoders.data.finding import locate
from autoencoders.data.sources import STAND_INS, Downloaded, source_of
from autoencoders.errors import InputError


@dataclass(frozen=True)
class Choice:
    """The data set that a run uses, and why it is not the one that was asked for where it isn't."""

    name: str
    root: Path
    stand_in: bool
    reason: str


def obtain(name: str, data_dir: str | Path | None = None, *, download: bool = True) -> Path:
    """The folder that holds this data set, downloading it into ``data/`` where it is nowhere else."""
    root = locate(name, data_dir)
    if root is not None:
        return root
    source = source_of(name)
    assert isinstance(source, Downloaded), "what ships with packages is located or fails"
    try:
        if not download:
            raise FileNotFoundError("nothing is downloaded now")
        downloading.download(source)
    except (OSError, RuntimeError, http.client.HTTPException, tarfile.TarError, EOFError) as error:
        places = " or ".join(str(place) for place in finding.places(data_dir))
        raise UnavailableError(
            f"{name} is not in {places} and can't be downloaded ({cause_of(error)}): put the folder {source.folder} "
            f"from {source.url} there, or point --data-dir or $AUTOENCODERS_DATA at the folder that holds it",
            cause=cause_of(error),
        ) from error
    return finding.DATA


def choose(
    name: str, profile_allows_stand_in: bool, data_dir: str | Path | None = None, *, download: bool = True
) -> Choice:
    """The data set that was asked for; where it can't be had, its embedded stand-in if the profile allows that."""
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
