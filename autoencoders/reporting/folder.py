"""Output folders, which others use as well: only what this project lists as its own is ever dropped."""

from __future__ import annotations

import json
from pathlib import Path

from autoencoders.errors import InputError
from autoencoders.store import files

MARK = ".made-by-autoencoders.json"  # in the folder: the names of what was put there


class Folder:
    """Puts files into a folder, and drops those of an earlier time; what others put there stays."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: set[Path] = set()  # put there this time
        self.listed = _listed(path)  # put there this time or before

    @classmethod
    def found(cls, path: Path) -> Folder:
        """Take a folder as others left it: all of it counts as put there this time."""
        folder = cls(path)
        folder.files |= set(_files(path))
        return folder

    def claim(self) -> None:
        """List all of it, for the folder was empty before: the next time drops what it doesn't put there itself."""
        self._list({path.relative_to(self.path).as_posix() for path in self.files})

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        if not self._holds(path):
            raise InputError(f"{path} leads out of its folder by a link: remove the link")
        self.files.add(path)
        if path.suffix != ".pdf" and name not in self.listed:  # a PDF is its group's, and stays when another's is made
            self._list(self.listed | {name})  # before it is there: an interruption's are the next time's to drop
        write_if_changed(path, content)
        return path

    def drop_the_rest(self) -> None:
        """Drop what an earlier time put there and this one didn't."""
        put = {path.relative_to(self.path).as_posix() for path in self.files}
        for name in sorted(self.listed - put):
            path = self.path / name
            if self._holds(path) and (path.is_file() or path.is_symlink()):
                path.unlink()
                _drop_empty(path.parent, self.path)
        for path in self.path.rglob(".*"):
            wanted = files.finished_name(path)
            if wanted and wanted.relative_to(self.path).as_posix() in self.listed | put:
                path.unlink()  # of a rendering that was killed
        self._list(self.listed & put)

    def _list(self, names: set[str]) -> None:
        self.listed = names
        write_if_changed(self.path / MARK, json.dumps(sorted(names), indent=0, ensure_ascii=False) + "\n")

    def _holds(self, path: Path) -> bool:
        """Whether the path is inside, links in it followed."""
        return path.parent.resolve().is_relative_to(self.path.resolve())


def is_marked(path: Path) -> bool:
    return (path / MARK).is_file()


def _listed(folder: Path) -> set[str]:
    """What the folder's mark lists; nothing where it has none, or one that can't be read."""
    try:
        names = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return set()
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != MARK]


def _drop_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Write a file atomically, and say whether it changed; an unchanged one keeps its modification time."""
    raw = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == raw:
        return False
    files.write(path, raw)
    return True
