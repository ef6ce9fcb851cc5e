"""Entries of a cache in one file, to be handed on: a plain tar of `KEY/arrays.npz`, `KEY/meta.json`, `KEY/record.json`.

An archive may come from anybody. It unpacks into a store or not at all: no other names, no links, nothing that grows,
and each entry must be what its digests say and belong to the key that it claims.
"""

from __future__ import annotations

import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from autoencoders import reading
from autoencoders.errors import InputError
from autoencoders.store import entries
from autoencoders.store.entries import AbsentError, DamageError
from autoencoders.store.files import appearing, storing
from autoencoders.store.store import Store

MEMBER = re.compile(rf"([0-9a-f]{{16}})/({'|'.join(map(re.escape, entries.FILES))})")
MOST_BYTES = 1e12  # of an archive


def pack(store: Store, keys: Iterable[str], path: Path) -> int:
    """Write the sound entries among these to a file; return how many."""
    packed = 0
    with storing(path), appearing(path) as unfinished, tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as tar:
        for key in sorted({*keys}):
            folder = store.sound_entry(key)
            if folder:
                for name in entries.FILES:
                    tar.add(folder / name, f"{key}/{name}", recursive=False, filter=_anonymous)
                packed += 1
    return packed


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Say nothing of this machine: the same entries make the same bytes."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime, member.mode = 0, 0o644
    return member


def unpack(store: Store, path: Path) -> tuple[int, int]:
    """Take in what the cache lacks; return how many entries that were, and how many it had already."""
    reading.check_file(path, MOST_BYTES)
    taken = had = 0
    with store.incoming() as folder:
        for entry in _extracted(path, folder):
            try:
                adopted = store.adopt(entry)
            except (AbsentError, DamageError) as damage:
                raise InputError(f"{path}: the entry {entry.name} is damaged: {damage}") from None
            taken, had = taken + adopted, had + (not adopted)
            shutil.rmtree(entry, ignore_errors=True)
    if not taken + had:
        raise InputError(f"{path} holds no entries")
    return taken, had


def _extracted(path: Path, folder: Path) -> Iterator[Path]:
    """Each entry in a folder of its own, as soon as its files are there."""
    complete: dict[str, set[str]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                match = MEMBER.fullmatch(member.name)
                if not match or member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.sparse is not None:
                    raise InputError(f"{path} is refused: {member.name!r} is no file of an entry")
                key, name = match.groups()
                if name in complete.setdefault(key, set()):
                    raise InputError(f"{path} is refused: it has {member.name} twice")
                _copy(tar, member, folder / key / name)
                complete[key].add(name)
                if len(complete[key]) == len(entries.FILES):
                    yield folder / key
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise InputError(f"{path} is no archive of a cache, or is cut off: {error}") from None
    if torn := [key for key, names in complete.items() if len(names) < len(entries.FILES)]:
        raise InputError(f"{path} is cut off: the entry {torn[0]} lacks files")


def _copy(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = tar.extractfile(member)
    assert source is not None, "it is a regular file"
    with storing(target):
        target.parent.mkdir(exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(source, file)
