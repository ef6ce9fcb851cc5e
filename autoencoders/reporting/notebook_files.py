"""Reading notebooks: the parameters that one declares, and the outputs that the report embeds of it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from autoencoders import reading
from autoencoders.coercion import listed
from autoencoders.errors import InputError, ReportError


@dataclass(frozen=True)
class Cell:
    kind: str  # code | markdown | raw
    source: str
    tags: tuple[str, ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()

    @cached_property
    def options(self) -> dict[str, Any]:
        """Quarto's `#| name: value` lines at the cell's beginning."""
        lines = self.source.splitlines()[: self._option_lines]
        try:
            options = reading.from_yaml("\n".join(line.removeprefix("#|").removeprefix(" ") for line in lines)) or {}
        except ValueError as error:
            raise ReportError(f"a cell's options are not YAML ({error}): {listed(lines)}") from None
        if not isinstance(options, dict):
            raise ReportError(f"a cell's options are no 'name: value' lines: {listed(lines)}")
        return options

    @property
    def code(self) -> str:
        return "\n".join(self.source.splitlines()[self._option_lines :]).strip("\n")

    @property
    def label(self) -> str:
        return str(self.options.get("label", ""))

    @property
    def _option_lines(self) -> int:
        lines = self.source.splitlines()
        return next((i for i, line in enumerate(lines) if not line.startswith("#|")), len(lines))


@dataclass(frozen=True)
class NotebookFile:
    path: Path
    cells: tuple[Cell, ...]
    metadata: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> NotebookFile:
        if not path.is_file():
            raise InputError(f"{path.name}: there is no such notebook in {path.parent}")
        content = reading.parsed_json(path)
        try:
            return cls(path, tuple(_cell(raw) for raw in content["cells"]), dict(content.get("metadata", {})))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(f"{path} is not a notebook: {type(error).__name__}: {error}") from None

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def title(self) -> str:
        """Its first heading."""
        lines = (line for cell in self.cells if cell.kind == "markdown" for line in cell.source.splitlines())
        return next((line.removeprefix("# ").strip() for line in lines if line.startswith("# ")), self.name)

    def cell(self, label: str) -> Cell:
        try:
            labels = {cell.label: cell for cell in self.cells if cell.kind == "code" and cell.label}
        except ReportError as error:
            raise ReportError(f"{self.path.name}: {error}") from None
        if label not in labels:
            raise ReportError(f"{self.path.name} has no cell labelled {label!r}; there are: {', '.join(labels)}")
        return labels[label]

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The names that the cell tagged `parameters` declares, with their annotations as source."""
        sources = [cell.source for cell in self.cells if "parameters" in cell.tags]
        try:
            statements = [node for source in sources for node in ast.parse(source).body]
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise InputError(f"{self.path}, the cell of parameters: {error}") from None
        return {
            node.target.id: ast.unparse(node.annotation)
            for node in statements
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        }


def _cell(raw: dict[str, Any]) -> Cell:
    tags, outputs = raw.get("metadata", {}).get("tags", ()), raw.get("outputs", ())
    return Cell(str(raw["cell_type"]), text(raw["source"]), tuple(map(str, tags)), tuple(map(dict, outputs)))


def text(value: str | list[str]) -> str:
    """A multi-line string as notebooks store it: whole, or as a list of its lines."""
    return value if isinstance(value, str) else "".join(value)
