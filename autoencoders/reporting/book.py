"""The book as `_quarto.yml` describes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoencoders import reading
from autoencoders.coercion import listed, shown
from autoencoders.errors import InputError, ReportError
from autoencoders.jsonable import flattened
from autoencoders.reporting import variables
from autoencoders.settings import EDITIONS


@dataclass(frozen=True, kw_only=True)
class Book:
    root: Path
    title: str
    subtitle: str
    stem: str  # of the PDF's name
    rendered: Path  # the folder into which it is rendered
    output: Path  # the folder in which readers find the last one that was whole
    chapters: tuple[Path, ...]
    appendices: tuple[Path, ...]
    bibliography: tuple[Path, ...]
    edition: str  # of the PDF
    variables: Mapping[str, str]  # by dotted name

    @classmethod
    def read(cls, root: Path) -> Book:
        values = {name: str(value) for name, value in flattened(variables.read(root / "_variables.yml"))}
        layout = _Layout.read(root)

        def text(name: str) -> str:
            try:
                return variables.replaced(str(layout.book.get(name, "")), values)
            except ReportError as error:
                raise ReportError(f"_quarto.yml, book: {name}: {error}") from None

        return cls(
            root=root,
            title=text("title"),
            subtitle=text("subtitle"),
            stem=text("output-file"),
            rendered=layout.rendered,
            output=layout.output,
            chapters=layout.chapters,
            appendices=layout.appendices,
            bibliography=layout.bibliography,
            edition=values.get("edition.name", EDITIONS[-1]),
            variables=values,
        )

    @property
    def sources(self) -> tuple[Path, ...]:
        return self.chapters + self.appendices

    @property
    def pdf(self) -> Path:
        return self.output / f"{self.stem}.pdf"

    @property
    def made(self) -> tuple[Path, Path]:
        """Where to begin reading."""
        return self.output / "index.html", self.pdf


def embedded(root: Path) -> set[str]:
    """The notebooks that the book in a folder embeds figures and tables from: what it needs executed."""
    return {name for chapter in sources(root) for name in _EMBED.findall(reading.text(chapter))}


def sources(root: Path) -> tuple[Path, ...]:
    """The chapters and appendices of the book in a folder, which need not have been prepared."""
    return _Layout.read(root).sources


def output_folders(root: Path) -> tuple[Path, Path]:
    """Into which the book in a folder is rendered, and in which readers find it."""
    layout = _Layout.read(root)
    return layout.rendered, layout.output


_EMBED = re.compile(r"\{\{<\s*embed\s+/cache/notebooks/([\w-]+)\.ipynb")


@dataclass(frozen=True)
class _Layout:
    """What `_quarto.yml` says, checked: each file that it names is there."""

    book: Mapping[str, Any]
    rendered: Path
    output: Path
    chapters: tuple[Path, ...]
    appendices: tuple[Path, ...]
    bibliography: tuple[Path, ...]

    @property
    def sources(self) -> tuple[Path, ...]:
        return self.chapters + self.appendices

    @classmethod
    def read(cls, root: Path) -> _Layout:
        path = root / "_quarto.yml"
        raw = reading.parsed_yaml(path)
        project, book = (_mapping(path, raw, name) for name in ("project", "book"))
        found = cls(
            book,
            _folder(path, "output-dir", project.get("output-dir", "_book")),
            _folder(path, "published-dir", raw.get("published-dir", "_book")),
            _files(path, "chapters", book.get("chapters")),
            _files(path, "appendices", book.get("appendices")),
            _files(path, "bibliography", raw.get("bibliography")),
        )
        if not found.chapters:
            raise InputError(f"{path} names no chapters")
        if missing := [file for file in (*found.sources, *found.bibliography) if not file.is_file()]:
            raise InputError(f"{path} names files that aren't there: {listed(map(str, missing))}")
        return found


def _mapping(path: Path, raw: Any, name: str) -> Mapping[str, Any]:
    found = raw.get(name) if isinstance(raw, dict) else None
    if not isinstance(found, dict):
        raise InputError(f"{path} has no section `{name}:` with 'name: value' lines")
    return found


def _folder(path: Path, what: str, name: Any) -> Path:
    if not isinstance(name, str) or not name:
        raise InputError(f"{path}: {what} must be a folder's name, not {shown(name)}")
    return (path.parent / name).resolve()


def _files(path: Path, what: str, names: Any) -> tuple[Path, ...]:
    found = [names] if isinstance(names, str) else names or []
    if isinstance(found, list) and any(isinstance(each, dict) and "part" in each for each in found):
        raise InputError(f"{path}, {what}: there are no parts in this book: list the chapters themselves")
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise InputError(f"{path}, {what}: must be a list of files, not {shown(found)}")
    return tuple(path.parent / each for each in found)
