"""The book as `_quarto.yml` describes it, for whoever needs to know without Quarto."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoencoders.errors import ReportError
from autoencoders.reporting import shortcodes, variables


@dataclass(frozen=True, kw_only=True)
class Book:
    root: Path
    title: str
    subtitle: str
    stem: str  # of the PDF's name
    output: Path
    chapters: tuple[Path, ...]
    appendices: tuple[Path, ...]
    bibliography: tuple[Path, ...]
    variables: Mapping[str, str]  # by dotted name

    @classmethod
    def read(cls, root: Path) -> Book:
        import yaml

        values = dict(variables.flat(variables.read(root / "_variables.yml")))
        raw = yaml.safe_load((root / "_quarto.yml").read_text(encoding="utf-8"))
        book = raw["book"]

        def text(name: str) -> str:
            expanded, unknown = shortcodes.with_variables(str(book.get(name, "")), values)
            if unknown:
                raise ReportError(f"_quarto.yml, book: {name}: no variable is called {', '.join(unknown)}")
            return expanded

        def files(names: Any) -> tuple[Path, ...]:
            return tuple(root / name for name in ([names] if isinstance(names, str) else names or []))

        found = cls(
            root=root,
            title=text("title"),
            subtitle=text("subtitle"),
            stem=text("output-file"),
            output=root / raw["project"].get("output-dir", "_book"),
            chapters=files(book["chapters"]),
            appendices=files(book.get("appendices")),
            bibliography=files(raw.get("bibliography")),
            variables=values,
        )
        if missing := [p for p in (*found.sources, *found.bibliography) if not p.exists()]:
            raise ReportError(f"_quarto.yml names files that aren't there: {', '.join(map(str, missing))}")
        return found

    @property
    def sources(self) -> tuple[Path, ...]:
        return self.chapters + self.appendices

    @property
    def pdf(self) -> Path:
        return self.output / f"{self.stem}.pdf"
