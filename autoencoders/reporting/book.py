"""The book as `_quarto.yml` describes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from autoencoders.errors import ReportError
from autoencoders.reporting import variables


@dataclass(frozen=True, kw_only=True)
class Book:
    root: Path
    title: str
    subtitle: str
    stem: str  # of the PDF's name
    rendered: Path  # the folder into which it is rendered
    chapters: tuple[Path, ...]
    appendices: tuple[Path, ...]
    bibliography: tuple[Path, ...]
    variables: Mapping[str, str]  # by dotted name

    @classmethod
    def read(cls, root: Path) -> Book:
        values = dict(variables.flat(variables.read(root / "_variables.yml")))
        raw = _raw(root)
        book = raw["book"]

        def text(name: str) -> str:
            try:
                return variables.replaced(str(book.get(name, "")), values)
            except ReportError as error:
                raise ReportError(f"_quarto.yml, book: {name}: {error}") from None

        found = cls(
            root=root,
            title=text("title"),
            subtitle=text("subtitle"),
            stem=text("output-file"),
            rendered=(root / raw["project"]["output-dir"]).resolve(),
            chapters=_files(root, book["chapters"]),
            appendices=_files(root, book.get("appendices")),
            bibliography=_files(root, raw.get("bibliography")),
            variables=values,
        )
        if missing := [p for p in (*found.sources, *found.bibliography) if not p.exists()]:
            raise ReportError(f"_quarto.yml names files that aren't there: {', '.join(map(str, missing))}")
        return found

    @property
    def sources(self) -> tuple[Path, ...]:
        return self.chapters + self.appendices

    @property
    def output(self) -> Path:
        """The folder in which readers find the last book that was whole: `_book` for `build/book`."""
        return self.rendered.parent.parent / f"_{self.rendered.name}"

    @property
    def pdf(self) -> Path:
        return self.output / f"{self.stem}.pdf"

    @property
    def made(self) -> tuple[Path, Path]:
        """Where to begin reading."""
        return self.output / "index.html", self.pdf


def embedded(root: Path) -> set[str]:
    """The notebooks that the book in a folder embeds figures and tables from: what it needs executed."""
    book = _raw(root)["book"]
    chapters = _files(root, book["chapters"]) + _files(root, book.get("appendices"))
    return {name for chapter in chapters for name in _EMBED.findall(chapter.read_text(encoding="utf-8"))}


_EMBED = re.compile(r"\{\{<\s*embed\s+/cache/notebooks/([\w-]+)\.ipynb")


def _raw(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "_quarto.yml").read_text(encoding="utf-8"))


def _files(root: Path, names: Any) -> tuple[Path, ...]:
    return tuple(root / name for name in ([names] if isinstance(names, str) else names or []))
