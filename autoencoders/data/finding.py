"""Where the files of a data set are."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from autoencoders.data.sources import SOURCES, Downloaded, Shipped, source_of
from autoencoders.errors import InputError

DATA = Path(__file__).resolve().parents[2] / "data"


def locate(name: str, data_dir: str | Path | None = None) -> Path | None:
    """The folder that holds this data set, None where there is none; writes nothing and imports no torch."""
    source = source_of(name)
    if isinstance(source, Shipped):
        files = [shipped(package, path) for package, path in source.files]
        if missing := [str(path) for path in files if not path.is_file()]:
            raise InputError(f"{name} needs {missing[0]}, which isn't there: reinstall scikit-image and scikit-learn")
        return files[0].parent
    for place in places(data_dir):
        folder = place / source.folder
        if folder.is_dir():
            if missing := [file for file in source.files if not (folder / file).is_file()]:
                raise InputError(f"{name} is incomplete: {folder} lacks {', '.join(missing)} (see {source.url})")
            return place
    return None


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
    many = sorted(path for pattern in source.patterns for path in folder.glob(pattern))
    return {path.relative_to(folder).as_posix(): path for path in [*(folder / file for file in source.files), *many]}
