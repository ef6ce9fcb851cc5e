"""An output folder that ends up holding what was put there, and nothing older."""

from __future__ import annotations

import os
from pathlib import Path


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: set[Path] = set()

    @classmethod
    def found(cls, path: Path) -> Folder:
        """Take a folder as others left it: all of it stays."""
        folder = cls(path)
        folder.files.update(each for each in path.rglob("*") if each.is_file())
        return folder

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        self.files.add(path)
        write_if_changed(path, content)
        return path

    def drop_the_rest(self) -> None:
        for path in sorted(self.path.rglob("*"), reverse=True):
            if path.is_file() and path not in self.files:
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()


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
