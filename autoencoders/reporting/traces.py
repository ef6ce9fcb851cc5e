"""What is handed in tells nothing of the machine that it was made on: no path, and neither its name nor its user's."""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autoencoders.coercion import listed
from autoencoders.errors import ReportError
from autoencoders.settings import Settings

SHORTEST = 4  # characters of a name that is looked for: a shorter one is met by chance
PICTURES = ("image/png", "image/jpeg")


def check(content: Mapping[str, bytes], root: Path, settings: Settings) -> None:
    """Refuse files that name a folder of this machine, and notebooks whose outputs name the machine or its user."""
    notebooks = {file: _parsed(raw) for file, raw in content.items() if file.endswith(".ipynb")}
    others = {file: raw for file, raw in content.items() if file not in notebooks}
    texts = others | {file: _text(notebook) for file, notebook in notebooks.items()}
    found = [f"{file} holds the path of {what}" for file, what in _met(texts, _places(root, settings))]
    outputs = {file: _text(_outputs(notebook)) for file, notebook in notebooks.items()}
    names = {what: name for what, name in _names().items() if not any(map(_pattern(name).search, others.values()))}
    found += [
        f"an output in {file} holds {what}, {names[what]}"
        for file, what in _met(outputs, {what: _pattern(name) for what, name in names.items()})
    ]
    if found:
        raise ReportError(f"nothing is packed, as it would tell of this machine: {listed(found)}: remove that")


def _met(texts: Mapping[str, bytes], patterns: Mapping[str, re.Pattern[bytes]]) -> Iterator[tuple[str, str]]:
    """Each file with the first of what it holds."""
    for file, text in texts.items():
        if met := next((what for what, pattern in patterns.items() if pattern.search(text)), None):
            yield file, met


def _pattern(*words: str, before: str = r"\w") -> re.Pattern[bytes]:
    """For any of these where it isn't part of a longer one; in JSON, a line before it ends with the letter n."""
    escaped = [re.escape(word) for word in words]
    whole = [rf"{word}(?:(?<![{before}]{word})|(?<=\\n{word}))" for word in escaped]  # in this order it is quick
    return re.compile(rf"(?:{'|'.join(whole)})(?![\w-])".encode(errors="surrogateescape"))


# ── Where things lie ─────────────────────────────────────────────────────────────────────────────────────────────────


def _places(root: Path, settings: Settings) -> dict[str, re.Pattern[bytes]]:
    """Folders of this machine, links followed and not; one as short as `/root` or `/data` tells nothing."""
    known = {
        "this project": root,
        "the cache": settings.cache,
        "the data sets": settings.data_dir,
        "the installed packages": Path(sysconfig.get_path("purelib")),
    }
    with suppress(RuntimeError):  # nobody's
        known["the home folder"] = Path.home()
    both = {what: {path.absolute(), path.resolve()} for what, path in known.items() if path}
    ways = {what: [way for path in paths if len(path.parts) > 2 for way in _ways(path)] for what, paths in both.items()}
    return {what: _pattern(*written, before=r"\w.~-") for what, written in ways.items() if written}


def _ways(path: Path) -> set[str]:
    """The path as plain text, JSON and URLs have it."""
    in_json = (json.dumps(str(path), ensure_ascii=ascii)[1:-1] for ascii in (True, False))
    return {str(path), quote(os.fsencode(path)), *in_json}


# ── Whose it is ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _names() -> dict[str, str]:
    """What is looked for, unless the project's own text has the word, too: a machine `report`, a user who signs."""
    known = {"the name of this machine": socket.gethostname().partition(".")[0]}
    with suppress(KeyError, ImportError, OSError):  # nobody's
        known["the name of its user"] = getpass.getuser()
    return {what: name for what, name in known.items() if len(name) >= SHORTEST and re.search("[A-Za-z]", name)}


# ── What notebooks say ───────────────────────────────────────────────────────────────────────────────────────────────


def _parsed(raw: bytes) -> Any:
    """The notebook, or all of a file that isn't one."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode(errors="replace")


def _outputs(notebook: Any) -> Any:
    """What cells have put out, but for pictures."""
    try:
        outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
        shown = [
            {mime: said for mime, said in output.get("data", {}).items() if mime not in PICTURES} for output in outputs
        ]
    except (KeyError, TypeError, AttributeError):
        return notebook
    return [{**output, "data": data} for output, data in zip(outputs, shown, strict=True)]


def _text(value: Any) -> bytes:
    """All texts in a value of JSON."""
    return "\n".join(_texts(value)).encode(errors="surrogateescape")


def _texts(value: Any) -> Iterator[str]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _texts(part)
    if isinstance(value, str):
        yield value
