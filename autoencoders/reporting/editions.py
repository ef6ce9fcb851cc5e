"""What an edition of the PDF prints. Chapters mark the rest as Quarto's conditional content, for example
`::: {.content-visible when-meta="edition.full"}`; the site shows all of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from autoencoders import reading, tables
from autoencoders.settings import EDITIONS

LONGEST = EDITIONS[-1]  # also what the site shows
ELSEWHERE = {  # what a reference says that leads to no place in print
    "fig": "a figure on the site",
    "tbl": "a table on the site",
    "eq": "an equation on the site",
    "sec": "the site",
}
_FENCE = re.compile(r":{3,}\s*(\S.*)?")
_CONDITION = re.compile(r'(when|unless)-(?:format|meta)="([\w.]+)"')
_LABEL = re.compile(r"\{\{<\s*embed\s+\S+#((?:fig|tbl)-[\w-]+)|\{#((?:fig|tbl|eq|sec)-[\w-]+)")
_REFERENCE = re.compile(r"@((?:fig|tbl)-[\w-]+)", re.IGNORECASE)
_ANSWER = re.compile(r"#+ .*\{#sec-r(\d\d)\}")  # heads the section that answers a requirement


def printed(sources: Iterable[Path], asked: str) -> str:
    """The edition that is asked for, of a book whose chapters mark some; another has one edition, with all of it."""
    return asked if left_out(sources, EDITIONS[0]) else LONGEST


def for_quarto(sources: Iterable[Path], edition: str) -> dict[str, Any]:
    """The metadata of each format, by which Quarto decides on conditional content and `print.lua` on references."""
    print_only = {"edition": metadata(edition), "left-out": left_out(sources, edition)}
    return {"html": {"edition": metadata(LONGEST)}, "typst": print_only}


def metadata(edition: str) -> dict[str, bool]:
    """By name, whether what a chapter marks with `edition.name` is printed: in that edition and in longer ones."""
    return {name: EDITIONS.index(name) <= EDITIONS.index(edition) for name in EDITIONS}


def conditions(form: str, edition: str) -> frozenset[str]:
    """Everything that conditional content may ask for and that holds: a format, and the edition with shorter ones."""
    return frozenset({form, *(f"edition.{name}" for name, holds in metadata(edition).items() if holds)})


def left_out(sources: Iterable[Path], edition: str) -> dict[str, str]:
    """What references say in print to each figure, table, equation and section that the edition leaves to the site."""
    labels = {label: printed for path in sources for line, printed in _lines(path, edition) for label in _labels(line)}
    return {label: ELSEWHERE[label.split("-")[0]] for label, printed in labels.items() if not printed}


def unanswered(sources: Iterable[Path], edition: str) -> list[str]:
    """The requirements for whose figures and tables print sends its readers to the site: those of the report's sections
    that show or mention some, and none that is printed."""
    paths = list(sources)
    missing, answers, current = left_out(paths, edition), dict[str, list[bool]](), ""
    for path in paths:
        for line, _ in _lines(path, edition):
            if line.startswith("#"):
                heading = _ANSWER.match(line)
                current = f"R{int(heading[1])}" if heading else ""
            shown = [*_labels(line), *(label.lower() for label in _REFERENCE.findall(line))]
            answers.setdefault(current, []).extend(each not in missing for each in shown if not each.startswith("sec"))
    return [name for name, printed in answers.items() if name and printed and not any(printed)]


def statement(sources: Iterable[Path], edition: str) -> str:
    """What the checklist says of the edition."""
    if missing := unanswered(sources, edition):
        return f"This {edition} edition leaves the figures and tables of {tables.in_a_row(missing)} to the site."
    return "The figures and tables of all requirements are printed here; the site has more."


def _lines(path: Path, edition: str) -> Iterator[tuple[str, bool]]:
    """Each line of a chapter, and whether it is printed."""
    holding, open_ = conditions("typst", edition), list[bool]()
    for line in reading.text(path).splitlines():
        if fence := _FENCE.fullmatch(line.strip()):
            if fence[1]:
                open_.append(all((name in holding) == (kind == "when") for kind, name in _CONDITION.findall(fence[1])))
            elif open_:
                open_.pop()
        yield line, all(open_)


def _labels(line: str) -> list[str]:
    return [embedded or written for embedded, written in _LABEL.findall(line)]
