"""Output folders, which others use as well: only what this project lists as its own is ever dropped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from autoencoders.errors import InputError

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

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        if not self._holds(path):
            raise InputError(f"{path} leads out of its folder by a link: remove the link")
        self.files.add(path)
        self.claim([path])  # before it is there: what an interruption leaves is the next time's to drop
        write_if_changed(path, content)
        return path

    def claim(self, paths: Iterable[Path]) -> None:
        """List files as this project's own."""
        names = {path.relative_to(self.path).as_posix() for path in paths}
        if not names <= self.listed or not (self.path / MARK).exists():
            self._list(self.listed | names)

    def drop_older(self) -> None:
        """Drop what is listed and wasn't put there this time."""
        put = {path.relative_to(self.path).as_posix() for path in self.files}
        for name in sorted(self.listed - put):
            path = self.path / name
            if self._holds(path) and (path.is_file() or path.is_symlink()):
                path.unlink()
                _drop_empty(path.parent, self.path)
        self._list(self.listed & put)

    @contextmanager
    def filled(self, *unlisted: Path) -> Iterator[None]:
        """Let another program fill the folder anew: list what appears or changes meanwhile, but for these paths."""
        self.claim([])
        self.drop_older()
        before = {path: _stamp(path) for path in _files(self.path)}
        try:
            yield
        finally:
            self.listed = _listed(self.path)  # that program may have called us
            made = {path for path in _files(self.path) if _stamp(path) != before.get(path)}
            self.claim(made - set(unlisted))

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


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _drop_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Write a file atomically, and say whether it changed; an unchanged one keeps its modification time."""
    raw = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == raw:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_bytes(raw)
    os.replace(new, path)
    return True
