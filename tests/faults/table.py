"""docs/reliability.md, made of what the last run of the fault suite told: `python tests/faults/table.py`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
TOLD, PAGE = PROJECT / "build/reliability.json", PROJECT / "docs/reliability.md"
HEAD = """\
| promise | held by | cases tried |
|:--------|:--------|------------:|
"""


def table(held: Iterable[dict[str, Any]]) -> str:
    """A line for each promise, with the cases of all its tests; in one order, whichever worker was done first."""
    lines: dict[str, tuple[list[str], int]] = {}
    for each in sorted(held, key=lambda each: each["test"]):
        tests, cases = lines.get(each["promise"], ([], 0))
        name = f"`{each['test'].split('/')[-1].replace('::', ' ')}`"
        passed = each["cases"] if each["outcome"] == "passed" else 0
        lines[each["promise"]] = ([*dict.fromkeys([*tests, name])], cases + passed)
    return HEAD + "".join(f"| {promise} | {', '.join(t)} | {n:,} |\n" for promise, (t, n) in lines.items())


if __name__ == "__main__":
    PAGE.write_text(table(json.loads(TOLD.read_text(encoding="utf-8"))), encoding="utf-8")
    print(PAGE)
