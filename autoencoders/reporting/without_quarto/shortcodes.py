"""What Quarto's shortcodes stand for: `var`, `embed` and `include`, expanded in a chapter's Markdown source."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autoencoders import reading
from autoencoders.errors import InputError, ReportError
from autoencoders.reporting.folder import write_if_changed
from autoencoders.reporting.notebook_files import Cell, NotebookFile, text
from autoencoders.reporting.variables import SHORTCODE, replaced

_IMAGES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}  # the best first


@dataclass
class Expansion:
    """Turns chapters into plain Pandoc Markdown; images go to a folder, problems are collected with their places."""

    root: Path
    images: Path
    values: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    notebooks: dict[Path, NotebookFile] = field(default_factory=dict)  # those embedded from

    def chapter(self, path: Path) -> str:
        source = reading.text(path)
        where = path.relative_to(self.root)

        def expanded(match: re.Match[str]) -> str:
            line = source.count("\n", 0, match.start()) + 1
            try:
                return self._expanded(match, path)
            except (InputError, ReportError) as error:
                self.problems.append(f"{where}:{line}: {error}")
                return ""

        return SHORTCODE.sub(expanded, source)

    def _expanded(self, shortcode: re.Match[str], path: Path) -> str:
        name, arguments = shortcode.groups()
        match name:
            case "var":
                return replaced(shortcode[0], self.values)
            case "include":
                included = self._located(arguments, path)
                if not included.exists():
                    raise ReportError(f"there is no file {arguments} to include")
                return self.chapter(included)
            case "embed":
                return self._embedded(arguments, path)
        raise ReportError(f"{{{{< {name} >}}}} is known to Quarto alone")

    def _located(self, address: str, path: Path) -> Path:
        return self.root / address[1:] if address.startswith("/") else path.parent / address

    def _embedded(self, arguments: str, path: Path) -> str:
        file, _, label = arguments.partition("#")
        located = self._located(file, path).resolve()
        if located not in self.notebooks:
            self.notebooks[located] = NotebookFile.read(located)
        notebook = self.notebooks[located]
        cell = notebook.cell(label)
        if not cell.outputs:
            raise ReportError(f"cell {label} of {notebook.path.name} shows nothing")
        body = cell_output(cell, self.images / notebook.name, label)
        return replaced(floating(cell, body, notebook=notebook.name), self.values)


def cell_output(cell: Cell, images: Path, name: str) -> str:
    alt = str(cell.options.get("fig-alt", ""))
    shown = [_shown(output, images, f"{name}-{i}" if i else name, alt) for i, output in enumerate(cell.outputs)]
    return "\n\n".join(filter(None, shown))


def floating(cell: Cell, body: str, **attributes: str) -> str:
    """A figure or table with its caption, in Quarto's own syntax for them; anything else as it is."""
    if not cell.label.startswith(("fig-", "tbl-")):
        return f"\n\n{body}\n\n"
    caption = cell.options.get("fig-cap") or cell.options.get("tbl-cap") or ""
    given = " ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())
    return f"\n\n::::: {{#{cell.label} {given}}}\n{body}\n\n{caption}\n:::::\n\n"


def _shown(output: Mapping[str, Any], images: Path, name: str, alt: str) -> str:
    if output["output_type"] == "stream":
        return "" if output["name"] == "stderr" else _verbatim(text(output["text"]))
    data = output.get("data", {})
    picture = ""
    if mime := next((m for m in _IMAGES if m in data), None):
        raw, path = text(data[mime]), images / f"{name}.{_IMAGES[mime]}"
        write_if_changed(path, raw if mime == "image/svg+xml" else base64.b64decode(raw))
        picture = f"![]({quote(path.as_posix())}){{fig-alt={_quoted(alt)}}}"
    if "text/html" in data and (picture or not data.keys() & {"text/markdown", "text/latex"}):
        page = f"```{{=html}}\n{text(data['text/html'])}\n```"  # something to interact with; print has its static twin
        still = picture or _verbatim(text(data.get("text/plain", "")))
        return (
            f':::: {{.content-visible when-format="html"}}\n{page}\n::::\n\n'
            f':::: {{.content-visible unless-format="html"}}\n{still}\n::::'
        )
    if picture:
        return picture
    if "text/markdown" in data:
        return text(data["text/markdown"])
    return _verbatim(text(data.get("text/plain", "")))


def _verbatim(output: str) -> str:
    return f"``````\n{output.rstrip()}\n``````" if output.strip() else ""


def _quoted(value: str) -> str:
    return json.dumps(str(value), ensure_ascii=False)
