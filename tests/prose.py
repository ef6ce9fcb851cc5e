"""What is looked for in prose: numbers and rankings that nobody measured."""

from __future__ import annotations

import re

import yaml

from autoencoders.settings import PROJECT

ALLOWED = [
    re.compile(pattern)
    for patterns in yaml.safe_load((PROJECT / "report/style/allowed.yml").read_text(encoding="utf-8")).values()
    for pattern in patterns
]
NUMBER = re.compile(r"(?<![\w@#])\d[\d.,]*")
RANKING = re.compile(
    r"\b(better|worse|best|worst|higher|lower|highest|lowest|outperforms?|beats?|superior|inferior|wins?|loses?)\b",
    re.I,
)


def stripped(text: str) -> str:
    """Without shortcodes, math, code, references, headings' ids, and what is allowed."""
    for pattern in (
        r"\{\{<.*?>\}\}",
        r"\$\$.*?\$\$",
        r"\$[^$]*\$",
        r"`[^`]*`",
        r"\{[#.][^}]*\}",
        r"\[?-?@[\w:-]+[^\]]*\]",
        r"@[\w-]+",
    ):
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    for allowed in ALLOWED:
        text = allowed.sub(" ", text)
    return text
