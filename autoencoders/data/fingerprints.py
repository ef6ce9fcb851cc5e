"""What a data set's files hold, in one value; and whether they are the official ones."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from autoencoders.data.finding import files_of
from autoencoders.data.sources import Downloaded, source_of
from autoencoders.errors import InputError


def fingerprint(name: str, root: Path, cache_dir: Path | None = None, *, remember: bool = True) -> str:
    """A digest of the files' content; remembered in ``cache_dir`` for as long as sizes and modification times stay."""
    stats = [(file, path.stat()) for file, path in files_of(name, root).items()]
    stamp = _folded((file, f"{stat.st_size} {stat.st_mtime_ns}") for file, stat in stats)
    memory = cache_dir / "fingerprints.json" if cache_dir else None
    entries = _recalled(memory) if memory else {}
    entry = entries.get(f"{name} {root}", {})
    if entry.get("stamp") == stamp:
        return str(entry["fingerprint"])
    value = _folded(_checksums(name, root).items())
    if memory and remember:
        with contextlib.suppress(OSError):  # whoever can't remember computes again
            _remember(memory, _recalled(memory) | {f"{name} {root}": {"stamp": stamp, "fingerprint": value}})
    return value


def verified(name: str, root: Path) -> str:
    """The same digest, of files that are looked at now; those that aren't the official ones are refused."""
    source, checksums = source_of(name), _checksums(name, root)
    for file, expected in source.files.items() if isinstance(source, Downloaded) else ():
        if expected and checksums[file] != expected:
            path = files_of(name, root)[file]
            raise InputError(f"{path} is truncated or altered: its MD5 is {checksums[file]}, expected {expected}")
    return _folded(checksums.items())


def _checksums(name: str, root: Path) -> dict[str, str]:
    return {file: _md5(path) for file, path in files_of(name, root).items()}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, functools.partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def _folded(items: Any) -> str:
    return hashlib.sha256(json.dumps(sorted(items)).encode()).hexdigest()


def _recalled(memory: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(memory.read_text()))
    except (OSError, ValueError, TypeError):
        return {}  # nothing remembered, or nothing legible: the files tell


def _remember(memory: Path, entries: dict[str, Any]) -> None:
    """All or nothing, for readers that look in meanwhile; of two writers at once one has to compute again later."""
    memory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=memory.parent, prefix=memory.name, delete=False) as file:
        json.dump(entries, file, indent=1, sort_keys=True)
    os.replace(file.name, memory)
