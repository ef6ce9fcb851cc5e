"""One entry on disk: a folder with the arrays, the metadata, and the record that holds the digests of both.

Nothing in it can run code when it is loaded: arrays are npz without pickles, everything else is JSON. That is Python's
JSON: NaN and infinities are the bare words `NaN`, `Infinity` and `-Infinity`, and come back as the floats they were.

An npz is a zip whose members are arrays. These are neither compressed nor out of step with the memory, so an entry can
be read by mapping its file: however many processes look at it, memory holds it once.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import mmap
import os
import shutil
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from autoencoders.store.files import appearing, storing

if TYPE_CHECKING:
    import numpy as np

_UNREADABLE = frozenset({errno.EACCES, errno.EIO, errno.ESTALE, errno.EPERM})  # the disk's fault, not the entry's
_ALIGNMENT = 64  # bytes; numpy's headers are padded to as much
_EMPTY = 22  # bytes of an archive without arrays

ARRAYS, META, RECORD = FILES = ("arrays.npz", "meta.json", "record.json")

Record = dict[str, Any]
_SHAPE = {"format": int, "key": str, "created": str, "seconds": int | float} | dict.fromkeys(
    ("spec", "inputs", "manifest", "versions"), dict
)
_LONGEST_RECORD = 16_000_000  # bytes


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
    """Write an entry, the record last; what would nearly fill the disk is refused at once."""
    with storing(folder), appearing(folder) as unfinished:
        unfinished.mkdir()
        if shutil.disk_usage(unfinished).free < 2 * sum(array.nbytes for array in artifact.arrays.values()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        (unfinished / META).write_bytes(canonical(artifact.meta))
        with (unfinished / ARRAYS).open("wb") as file:
            _pack(artifact.arrays, file)
        files = {name: _description(unfinished / name) for name in (ARRAYS, META)}
        (unfinished / RECORD).write_bytes(sealed(record | {"files": files}))


def canonical(value: Any) -> bytes:
    """JSON of a value, the same whatever the order of its keys; lists and tuples are one thing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain_number).encode()


def _plain_number(value: Any) -> Any:
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(f"{value!r} is neither JSON nor a number")


def _pack(arrays: Mapping[str, np.ndarray], file: IO[bytes]) -> None:
    """Write an npz. Its bytes depend on the arrays alone: no dates."""
    import numpy as np

    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            array = np.asarray(array)
            if array.dtype.hasobject:
                raise TypeError(f"array {name!r} holds Python objects, which are never stored")
            member = zipfile.ZipInfo(f"{name}.npy")
            header = 54 + len(member.filename.encode())  # of a member with sizes of 64 bits and some padding
            padding = -(file.tell() + header) % _ALIGNMENT
            member.extra = struct.pack("<HH", 0xD935, padding) + bytes(padding)  # the number that others use for it
            with archive.open(member, "w", force_zip64=True) as opened:
                np.lib.format.write_array(opened, array, version=(1, 0), allow_pickle=False)


def sealed(record: Record) -> bytes:
    return canonical(record | {"digest": hashlib.sha256(canonical(record)).hexdigest()})


def _description(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(folder: Path, *, mapped: bool = False) -> tuple[Artifact, Record]:
    """What was written, or AbsentError, or DamageError. The bytes that are checked are the bytes that are decoded.

    Mapped arrays stay on disk until they are looked at; what is written to them is this process's own.
    """
    record = read_record(folder)
    arrays, meta = _checked(folder, ARRAYS, record, mapped), _checked(folder, META, record)
    try:
        return Artifact(_unpacked(arrays), json.loads(meta[:])), record
    except Exception as error:  # whatever a decoder makes of bytes that it can't take
        raise DamageError("content", "plain arrays and JSON", f"{type(error).__name__}: {error}") from error


def check(folder: Path) -> None:
    """Raise what `read` would raise for files that are missing or changed, without decoding them."""
    record = read_record(folder)
    for name in (ARRAYS, META):
        _checked(folder, name, record, mapped=True)


def read_record(folder: Path) -> Record:
    """Where an entry came from, and the digests of its files; an entry in another's place is none."""
    if not folder.is_dir():
        raise AbsentError(folder.name)
    with _opened(folder, RECORD) as file:
        data = file.read(_LONGEST_RECORD)
    try:
        record = json.loads(data)
        del record["digest"]
        described = {name: (int(file["bytes"]), str(file["sha256"])) for name, file in record["files"].items()}
        whole = all(isinstance(record[name], kind) for name, kind in _SHAPE.items())
        if whole and data == sealed(record) and record["key"] == folder.name and described.keys() == {ARRAYS, META}:
            return record
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise DamageError(RECORD, "as it was written", "altered")


def _checked(folder: Path, name: str, record: Record, mapped: bool = False) -> mmap.mmap:
    expected = record["files"][name]
    with _opened(folder, name) as file:
        size = os.fstat(file.fileno()).st_size
        if size != expected["bytes"] or size == 0:
            raise DamageError(name, f"{expected['bytes']} bytes", f"{size} bytes")
        if mapped:
            found = hashlib.file_digest(file, "sha256")  # read, since mapped pages count as this process's memory
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        else:
            data = mmap.mmap(-1, size)
            file.readinto(data)
            found = hashlib.sha256(data)
    if found.hexdigest() != expected["sha256"]:
        raise DamageError(name, f"sha256 {expected['sha256'][:12]}", f"sha256 {found.hexdigest()[:12]}")
    return data


@contextmanager
def _opened(folder: Path, name: str) -> Iterator[io.BufferedReader]:
    try:
        with storing(folder, only=_UNREADABLE):
            if not (folder / name).is_file():  # a pipe would be waited for
                raise FileNotFoundError
            with (folder / name).open("rb") as file:
                yield file
    except OSError:
        if not folder.is_dir():  # dropped by another process meanwhile
            raise AbsentError(folder.name) from None
        raise DamageError(name, "a file", "missing") from None


def _unpacked(data: mmap.mmap) -> dict[str, np.ndarray]:
    if len(data) == _EMPTY:  # zipfile would look for more
        return {}
    with zipfile.ZipFile(cast(IO[bytes], data)) as archive:
        return {member.filename.removesuffix(".npy"): _array(data, member) for member in archive.infolist()}


def _array(data: mmap.mmap, member: zipfile.ZipInfo) -> np.ndarray:
    """A member of an npz, where it lies."""
    import numpy as np

    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed")
    lengths = struct.unpack_from("<HH", data, member.header_offset + 26)  # of name and padding, after 30 bytes
    data.seek(member.header_offset + 30 + sum(lengths))
    if np.lib.format.read_magic(data) != (1, 0):
        raise ValueError(f"{member.filename} is of another version")
    shape, in_columns, dtype = np.lib.format.read_array_header_1_0(data)
    if dtype.hasobject:
        raise ValueError(f"{member.filename} holds Python objects")
    return np.ndarray(shape, dtype, data, data.tell(), order="F" if in_columns else "C")
