"""Files that people may have edited, replaced or broken: read whole, or refused in one line that names them."""

from __future__ import annotations

import functools
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from autoencoders.errors import InputError

MOST_BYTES = 256_000_000  # more than any file of a project that is read whole
MOST_CHARACTERS = 1_000_000  # of YAML, which takes seconds a megabyte
MOST_VALUES = 100_000  # that a YAML document may stand for


def check_file(path: Path, most: float = MOST_BYTES) -> os.stat_result:
    """Refuse what can't be read, what never ends (a pipe, a device), and what is too large to be what is meant."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is a {'folder' if stat.S_ISDIR(status.st_mode) else 'pipe or a device'}, not a file")
    if status.st_size > most:
        size, limit = (f"{number / 1e6:,.0f} MB" for number in (status.st_size, most))
        raise InputError(f"{path} is too large: {size}, where at most {limit} make sense")
    return status


def content(path: Path) -> bytes:
    check_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None


def text(path: Path) -> str:
    try:
        return content(path).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None


def parsed_json(path: Path) -> Any:
    try:
        return json.loads(text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON: {_line(error)}") from None


def parsed_yaml(path: Path) -> Any:
    try:
        return from_yaml(text(path))
    except ValueError as error:
        raise InputError(f"{path} is not valid YAML: {error}") from None


def from_yaml(source: str) -> Any:
    """What the source says, or a ValueError: PyYAML lets through whatever its constructors stumble over."""
    try:
        if len(source) > MOST_CHARACTERS:
            raise ValueError(f"it has more than {MOST_CHARACTERS:,} characters")
        loader = _loader()(source)
        node = loader.get_single_node()
        if _values(node, {}) > MOST_VALUES:
            raise ValueError(f"with its anchors written out, it has more than {MOST_VALUES:,} values")
        return None if node is None else loader.construct_document(node)
    except Exception as error:
        raise ValueError(_line(error)) from None


@functools.cache
def _loader() -> Any:
    """PyYAML's safe one, but for numbers of YAML 1.1 that nobody means: `1:30` is not 90 here, and `010` not 8."""
    import yaml

    class Loader(yaml.SafeLoader):
        def number(self, node: Any) -> Any:
            if re.match(r"[-+]?0\d|.*:", node.value):
                return node.value
            return self.construct_yaml_int(node) if node.tag.endswith("int") else self.construct_yaml_float(node)

    for kind in ("int", "float"):
        Loader.add_constructor(f"tag:yaml.org,2002:{kind}", Loader.number)
    return Loader


def _values(node: Any, known: dict[int, int]) -> int:
    """How many values a node stands for: a few lines of anchors can stand for more than any memory holds."""
    if id(node) not in known:
        known[id(node)] = MOST_VALUES + 1  # of what holds itself
        parts = node.value if node is not None and not isinstance(node.value, str) else []
        flat = [part for entry in parts for part in (entry if isinstance(entry, tuple) else (entry,))]
        known[id(node)] = 1 + sum(_values(part, known) for part in flat)
    return known[id(node)]


def _line(error: Exception) -> str:
    """An error's words in one line, a few of them."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 300 else f"{words[:300]}…"
