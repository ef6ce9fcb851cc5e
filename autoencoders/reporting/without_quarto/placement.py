"""Each figure and table in its own chapter: at the head of a page, or at the foot of the one its chapter begins on.

Typst tells where things stand in one layout; what follows from that holds in the next. A chapter is settled once those
before it are, which takes more layouts than Typst tries by itself.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from autoencoders.reporting.pages import EMPTIEST, GAP

if TYPE_CHECKING:
    from typst import Compiler

LAYOUTS = 12  # at most; then the last one is good enough
TEXT = 25.6  # cm: the height of a page's text
Mark = dict[str, Any]


@dataclass(frozen=True)
class Placement:
    """What `book.typ` is told; chapters and floats are counted from one."""

    fresh: tuple[int, ...] = ()  # the chapters that begin on a new page
    top: tuple[int, ...] | None = None  # the floats that stand at the head of a page; None: all, as most of them will


def compiled(compiler: Compiler) -> tuple[bytes, list[str]]:
    """The PDF, and Typst's warnings."""
    placement, seen = Placement(), set[Placement]()
    while True:
        given = {"placement": json.dumps(asdict(placement))}
        content, warnings = compiler.compile_with_warnings(format="pdf", pdf_standards=["ua-1"], sys_inputs=given)
        seen.add(placement)
        placement = improved(json.loads(compiler.query("<layout>", field="value")))
        if placement in seen or len(seen) == LAYOUTS:
            assert isinstance(content, bytes)  # one document, one file
            return content, [warning.message for warning in warnings]


def improved(marks: list[Mark]) -> Placement:
    """What follows from where things stand."""
    before = {mark["chapter"]: mark for mark in marks if mark["kind"] == "before"}
    begun = {mark["chapter"]: mark["page"] for mark in marks if mark["kind"] == "chapter"}
    floats = [mark for mark in marks if mark["kind"] == "float"]
    fresh = (chapter for chapter, end in before.items() if _begins_afresh(chapter, end, floats))
    top = (mark["number"] for mark in floats if mark["page"] != begun.get(mark["chapter"]))
    return Placement(tuple(sorted(fresh)), tuple(sorted(top)))


def _begins_afresh(chapter: int, end: Mark, floats: list[Mark]) -> bool:
    """Whether it would begin above what floats in an earlier one, and leaves little empty if it doesn't."""
    earlier = [mark for mark in floats if mark["chapter"] < chapter and mark["page"] == end["page"]]
    below = [mark["y"] for mark in earlier if mark["y"] > end["y"]]
    return bool(below) and min(below) - end["y"] < EMPTIEST * TEXT - GAP
