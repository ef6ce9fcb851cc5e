"""Where the files of a data set are, what they hold in one value, and whether they are the official ones."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autoencoders import reading
from autoencoders.data.folders import Folder, check_image, counts, images_in
from autoencoders.data.sources import CLASSES, SOURCES, Downloaded, Shipped, source_of
from autoencoders.errors import InputError
from autoencoders.store.files import write

DATA = Path(__file__).resolve().parents[2] / "data"


def locate(name: str, data_dir: str | Path | None = None) -> Path | None:
    """Find the folder that holds this data set, None where there is none; write nothing and import no torch."""
    source = source_of(name)
    if isinstance(source, Shipped):
        files = [shipped(package, path) for package, path in source.files]
        if missing := [str(path) for path in files if not path.is_file()]:
            raise InputError(f"{name} needs {missing[0]}, which isn't there: reinstall scikit-image and scikit-learn")
        return files[0].parent
    if isinstance(source, Folder):
        return _place_of(source, data_dir)
    for place in places(data_dir):
        folder = place / source.folder
        if folder.is_dir():
            if missing := [file for file in source.files if not (folder / file).is_file()]:
                raise InputError(f"{name} is incomplete: {folder} lacks {', '.join(missing)} (see {source.url})")
            return place
    return None


def _place_of(source: Folder, data_dir: str | Path | None) -> Path:
    """Nothing stands in for one's own images: where they aren't, that is a mistake."""
    named = data_dir or os.environ.get("AUTOENCODERS_DATA")
    tried = [*([Path(named).expanduser().resolve()] if named else []), DATA]
    found = next((place for place in tried if (place / source.folder).is_dir()), None)
    if found is None:
        raise InputError(f"there is no folder {' or '.join(str(place / source.folder) for place in tried)}")
    counts(found / source.folder)
    return found


def classes_of(name: str, root: Path) -> tuple[tuple[str, ...], int | None]:
    """The classes, and how many images there are of all of them, as far as that is known before images are read."""
    source = source_of(name)
    if isinstance(source, Folder):
        found = counts(root / source.folder)
        return tuple(kind for kind, _ in found), sum(number for _, number in found)
    return CLASSES.get(name, ()), None


def places(data_dir: str | Path | None) -> list[Path]:
    """Where to look, in order. A folder that somebody names must exist and hold some data set: else it is a mistake."""
    named = data_dir or os.environ.get("AUTOENCODERS_DATA")
    if not named:
        return [DATA]
    place = Path(named).expanduser().resolve()
    known = sorted({source.folder for source in SOURCES.values() if isinstance(source, Downloaded)})
    if not any((place / folder).is_dir() for folder in known):
        state = "holds no data set" if place.is_dir() else "is no folder"
        raise InputError(
            f"the data folder {place} {state}: expected one that holds {', '.join(known[:-1])} or {known[-1]}"
        )
    return [place, DATA]


def shipped(package: str, path: str) -> Path:
    """A file inside an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"the package {package} isn't installed, and its file {path} is needed")
    return Path(spec.submodule_search_locations[0]) / path


def files_of(name: str, root: Path) -> dict[str, Path]:
    """Every file that this data set is read from, by a name that is the same on every machine."""
    source = source_of(name)
    if isinstance(source, Shipped):
        return {f"{package}/{path}": shipped(package, path) for package, path in source.files}
    folder = root / source.folder
    if isinstance(source, Folder):
        images = [path for paths in images_in(folder).values() for path in paths]
        return {path.relative_to(folder).as_posix(): path for path in images}
    many = sorted(path for pattern in source.patterns for path in folder.glob(pattern))
    return {path.relative_to(folder).as_posix(): path for path in [*(folder / file for file in source.files), *many]}


# ── What they hold ───────────────────────────────────────────────────────────────────────────────────────────────────


def fingerprint(name: str, root: Path, cache_dir: Path | None = None, *, remember: bool = True) -> str:
    """Digest the files' content; remember it in ``cache_dir`` for as long as sizes and modification times stay."""
    stamp = _digest((file, f"{stat.st_size} {stat.st_mtime_ns}") for file, stat in _statuses(name, root).items())
    memory = cache_dir / "fingerprints.json" if cache_dir else None
    entry = _recalled(memory).get(f"{name} {root}") if memory else None
    if isinstance(entry, dict) and entry.get("stamp") == stamp and "fingerprint" in entry:
        return str(entry["fingerprint"])
    value = _digest(_checksums(name, root).items())
    if memory and remember:
        with contextlib.suppress(OSError):  # what can't be remembered is computed again
            _remember(memory, _recalled(memory) | {f"{name} {root}": {"stamp": stamp, "fingerprint": value}})
    return value


def verified(name: str, root: Path) -> str:
    """The same digest, of the files as they are now; refuse those that aren't the official ones."""
    source, checksums = source_of(name), _checksums(name, root)
    for file, expected in source.files.items() if isinstance(source, Downloaded) else ():
        if expected and checksums[file] != expected:
            path = files_of(name, root)[file]
            raise InputError(f"{path} is truncated or altered: its MD5 is {checksums[file]}, expected {expected}")
    return _digest(checksums.items())


def _statuses(name: str, root: Path) -> dict[str, os.stat_result]:
    """What the file system says of each file; one that can't be read to its end in reasonable time is refused."""
    source = source_of(name)
    most = source.gigabytes * 1e9 if isinstance(source, Downloaded) else reading.MOST_BYTES
    return {file: reading.check_file(path, most) for file, path in files_of(name, root).items()}


def _checksums(name: str, root: Path) -> dict[str, str]:
    _statuses(name, root)
    found = files_of(name, root)
    if isinstance(source_of(name), Folder):
        for path in found.values():
            check_image(path)
    return {file: _md5(path) for file, path in found.items()}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, functools.partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def _digest(items: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(sorted(items)).encode()).hexdigest()


def _recalled(memory: Path) -> dict[str, Any]:
    try:
        return dict(reading.parsed_json(memory))
    except (InputError, ValueError, TypeError):
        return {}  # nothing remembered, or nothing legible: the files tell


def _remember(memory: Path, entries: dict[str, Any]) -> None:
    """Of two writers at once, one computes again later."""
    write(memory, json.dumps(entries, indent=1, sort_keys=True))
