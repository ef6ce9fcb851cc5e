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
        """As others left it: all of it stays."""
        folder = cls(path)
        folder.files.update(each for each in path.rglob("*") if each.is_file())
        return folder

    def put(self, name: str, content: str | bytes) -> Path:
        """Atomically; an unchanged file keeps its modification time."""
        path = self.path / name
        self.files.add(path)
        raw = content.encode() if isinstance(content, str) else content
        if not path.exists() or path.read_bytes() != raw:
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}.{os.getpid()}")
            new.write_bytes(raw)
            os.replace(new, path)
        return path

    def drop_the_rest(self) -> None:
        for path in sorted(self.path.rglob("*"), reverse=True):
            if path.is_file() and path not in self.files:
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
