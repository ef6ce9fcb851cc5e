"""One entry on disk: a folder with the arrays, the metadata, and the record that holds the digests of both.

Nothing in it can run code when it is loaded: arrays are npz without pickles, everything else is JSON. That is Python's
JSON: NaN and infinities are the bare words `NaN`, `Infinity` and `-Infinity`, and come back as the floats they were.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoencoders.store.files import storing

if TYPE_CHECKING:
    import numpy as np

_UNREADABLE = frozenset({errno.EACCES, errno.EIO, errno.ESTALE, errno.EPERM})  # the disk's fault, not the entry's

ARRAYS, META, RECORD = FILES = ("arrays.npz", "meta.json", "record.json")

Record = dict[str, Any]


@dataclass(frozen=True)
class Artifact:
    """All that is ever stored: arrays and JSON-able metadata, never a live object."""

    arrays: dict[str, np.ndarray]
    meta: dict[str, Any]


class AbsentError(Exception):
    """There is no such entry."""


class DamageError(Exception):
    """An entry isn't what was written."""

    def __init__(self, file: str, expected: str, found: str) -> None:
        super().__init__(f"{file}: {found}, not {expected}")
        self.file, self.expected, self.found = file, expected, found


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def write(folder: Path, artifact: Artifact, record: Record) -> None:
    """The entry appears whole or not at all: it is written under another name, the record last, and then renamed."""
    content = {ARRAYS: _packed(artifact.arrays), META: canonical(artifact.meta)}
    files = {name: {"bytes": len(data), "sha256": _sha256(data)} for name, data in content.items()}
    content[RECORD] = sealed(record | {"files": files})
    with appearing(folder) as unfinished:
        for name, data in content.items():
            (unfinished / name).write_bytes(data)


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """A folder under another name, to be filled; if that fails, nothing is left of it."""
    unfinished = unfinished_name(folder)
    try:
        with storing(folder):
            unfinished.mkdir(parents=True)
            yield unfinished
            os.replace(unfinished, folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def unfinished_name(path: Path) -> Path:
    """A name beside the final one, of this writer alone; what a killed process leaves is never taken for an entry."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")


def canonical(value: Any) -> bytes:
    """JSON of a value, the same whatever the order of its keys; lists and tuples are one thing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain_number).encode()


def _plain_number(value: Any) -> Any:
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(f"{value!r} is neither JSON nor a number")


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An npz file. Its bytes depend on the arrays alone: no dates."""
    import numpy as np

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            array = np.asarray(array)
            if array.dtype.hasobject:
                raise TypeError(f"array {name!r} holds Python objects, which are never stored")
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return file.getvalue()


def sealed(record: Record) -> bytes:
    return canonical(record | {"digest": _sha256(canonical(record))})


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(folder: Path) -> tuple[Artifact, Record]:
    """What was written, or AbsentError, or DamageError. The bytes that are checked are the bytes that are decoded."""
    record = read_record(folder)
    arrays, meta = (_checked(folder, name, record) for name in (ARRAYS, META))
    try:
        return Artifact(_unpacked(arrays), json.loads(meta)), record
    except Exception as error:  # whatever a decoder makes of bytes that it can't take
        raise DamageError("content", "plain arrays and JSON", f"{type(error).__name__}: {error}") from error


def check(folder: Path) -> None:
    """Raises what `read` would raise for files that are missing or changed, without decoding them."""
    record = read_record(folder)
    for name in (ARRAYS, META):
        _checked(folder, name, record)


def read_record(folder: Path, files: Iterable[str] = (ARRAYS, META)) -> Record:
    """Where an entry came from, and the digests of its files; an entry in another's place is none."""
    if not folder.is_dir():
        raise AbsentError(folder.name)
    data = _bytes(folder, RECORD)
    try:
        record = json.loads(data)
        del record["digest"]
        if data == sealed(record) and record["key"] == folder.name and record["files"].keys() == set(files):
            return record
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise DamageError(RECORD, "as it was written", "altered")


def _checked(folder: Path, name: str, record: Record) -> bytes:
    expected, data = record["files"][name], _bytes(folder, name)
    if len(data) != expected["bytes"]:
        raise DamageError(name, f"{expected['bytes']} bytes", f"{len(data)} bytes")
    if (found := _sha256(data)) != expected["sha256"]:
        raise DamageError(name, f"sha256 {expected['sha256'][:12]}", f"sha256 {found[:12]}")
    return data


def _bytes(folder: Path, name: str) -> bytes:
    try:
        with storing(folder, only=_UNREADABLE):
            return (folder / name).read_bytes()
    except OSError:
        if not folder.is_dir():  # dropped by another process meanwhile
            raise AbsentError(folder.name) from None
        raise DamageError(name, "a file", "missing") from None


def _unpacked(data: bytes) -> dict[str, np.ndarray]:
    import numpy as np

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.removesuffix(".npy"): _array(np, archive, name) for name in archive.namelist()}


def _array(np: Any, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as member:
        return np.lib.format.read_array(member, allow_pickle=False)
