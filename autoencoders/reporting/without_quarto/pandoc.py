"""Pandoc as a library: its documents are JSON trees, read, changed here and written."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autoencoders.errors import ReportError

Element = dict[str, Any]
Attributes = list[Any]  # [identifier, classes, [[name, value], …]]


def read(markdown: str) -> list[Element]:
    # wide lines must not make Pandoc guess the widths of a table's columns
    return json.loads(run(markdown, "--from=markdown", "--to=json", "--columns=10000"))["blocks"]


def write(blocks: list[Element], *arguments: str, metadata: dict[str, Any] | None = None) -> str:
    document = {"pandoc-api-version": _version(), "meta": metadata or {}, "blocks": blocks}
    return run(json.dumps(document), "--from=json", *arguments)


def run(text: str, *arguments: str) -> str:
    command = [_executable(), *arguments]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if complaints := done.stderr.decode().strip():  # a warning is a missing reference or image: never to be ignored
        raise ReportError(f"pandoc: {complaints}")
    if done.returncode:
        raise ReportError(f"pandoc ended with exit code {done.returncode}")
    return done.stdout.decode()


def bibliography(files: Iterable[Path]) -> list[str]:
    """The options for it: Pandoc reads these paths as addresses, in which %20 is a space."""
    return [f"--bibliography={quote(path.as_posix(), safe='/:')}" for path in files]


@cache
def version() -> str:
    return run("", "--version").split()[1]


@cache
def _version() -> list[int]:
    return json.loads(run("", "--from=markdown", "--to=json"))["pandoc-api-version"]


@cache
def _executable() -> str:
    import pypandoc

    return pypandoc.get_pandoc_path()


def walk(node: Any, visit: Callable[[Element], Element | list[Element] | None]) -> Any:
    """The tree with each element of a list replaced by what ``visit`` makes of it (None: itself), from inside out."""
    if isinstance(node, dict):
        return {key: walk(value, visit) for key, value in node.items()}
    if not isinstance(node, list):
        return node
    items: list[Any] = []
    for item in node:
        item = walk(item, visit)
        made = visit(item) if isinstance(item, dict) and "t" in item else None
        items += [item] if made is None else made if isinstance(made, list) else [made]
    return items


def plain(node: Any) -> str:
    """The text of a tree: of headings, for search, for alt texts."""
    if isinstance(node, list):
        return "".join(plain(item) for item in node)
    if not isinstance(node, dict):
        return ""
    kind: str = node.get("t", "")
    content: Any = node.get("c")
    match kind:
        case "Str":
            return content
        case "Space" | "SoftBreak" | "LineBreak":
            return " "
        case "Code" | "CodeBlock":
            return content[1] + (" " if kind == "CodeBlock" else "")
        case "Math":
            return content[1]
        case "RawInline" | "RawBlock":
            return ""
        case "Link" | "Image" | "Span" | "Quoted" | "Cite":
            return plain(content[1])
        case "Para" | "Plain":
            return plain(content) + " "
    return plain(content if isinstance(content, list) else [])


def identifier(element: Element) -> str:
    return attributes(element)[0]


def attributes(element: Element) -> Attributes:
    """Of an element that has some: a header keeps its own behind its level."""
    content = element["c"]
    return content[1] if element["t"] == "Header" else content[0]


def string(text: str) -> Element:
    return {"t": "Str", "c": text}


def words(text: str) -> list[Element]:
    spaced = [[{"t": "Space"}, string(word)] for word in text.split()]
    return [element for pair in spaced for element in pair][1:]


def raw_inline(language: str, text: str) -> Element:
    return {"t": "RawInline", "c": [language, text]}


def raw_block(language: str, text: str) -> Element:
    return {"t": "RawBlock", "c": [language, text]}


def link(content: list[Element], target: str, *classes: str) -> Element:
    return {"t": "Link", "c": [["", list(classes), []], content, [target, ""]]}


def span(content: list[Element], *classes: str, identifier: str = "") -> Element:
    return {"t": "Span", "c": [[identifier, list(classes), []], content]}


def div(content: list[Element], *classes: str, identifier: str = "") -> Element:
    return {"t": "Div", "c": [[identifier, list(classes), []], content]}
