"""The chapters' paragraphs as they read when results fall otherwise; `python tests/swapped_results.py` writes them.

Each file in `tests/renderings` is to be read as a whole: no seam may show where a verdict has turned.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))  # run as a script

from autoencoders import paragraphs  # noqa: E402
from autoencoders.claims import SCALES  # noqa: E402
from autoencoders.evaluation import statistics  # noqa: E402
from autoencoders.judging import Claim, Judged, Quantity  # noqa: E402
from autoencoders.reporting.book import sources  # noqa: E402

RENDERINGS = PROJECT / "tests/renderings"
OPPOSITE = {"supported": "contradicted", "contradicted": "supported"}
PARAGRAPH = re.compile(r"\{\{< var paragraphs\.([\w-]+) >\}\}")


def measured() -> list[Judged]:
    """The made-up results as they are."""
    content = yaml.safe_load((RENDERINGS / "claims.yml").read_text(encoding="utf-8"))
    return [judged(id, *values) for id, values in content.items()]


def judged(
    id: str, requirement: str, scale: str, at: str, name_a: str, a: float, name_b: str, b: float, verdict: str
) -> Judged:
    sides = Quantity(name_a, np.array([[a]])), Quantity(name_b, np.array([[b]]))
    void = "it doesn't recognise plain reconstructions" if verdict == "void" else ""
    claim = Claim(id, requirement, f"{name_a} and {name_b}", *sides, SCALES[scale], void=void, at=at)
    found = "undecided" if void else verdict
    difference = statistics.Measured(a - b, SCALES[scale].margin / 4, math.inf, 10_000, 1)
    return Judged(
        claim=claim,
        a=sides[0],
        b=sides[1],
        difference=difference,
        verdict=found,  # type: ignore[arg-type]
        p=0.01,
        verdict_corrected=found,  # type: ignore[arg-type]
        p_holm=0.02,
    )


def flipped(judged: Judged) -> Judged:
    """Each side with the other's values."""
    verdict = OPPOSITE.get(judged.verdict_corrected, judged.verdict_corrected)
    return _with(judged, judged.b.mean, judged.a.mean, verdict)


def equivalent(judged: Judged) -> Judged:
    return _with(judged, judged.a.mean, judged.a.mean + judged.claim.scale.margin / 4, "equivalent")


def undecided(judged: Judged) -> Judged:
    return _with(judged, judged.a.mean, judged.a.mean + 1.5 * judged.claim.scale.margin, "undecided")


def _with(judged: Judged, a: float, b: float, verdict: str) -> Judged:
    sides = Quantity(judged.a.name, np.array([[a]])), Quantity(judged.b.name, np.array([[b]]))
    claim = replace(judged.claim, a=sides[0], b=sides[1])
    found = {"verdict": verdict, "verdict_corrected": verdict}
    return replace(judged, claim=claim, a=sides[0], b=sides[1], **found)  # type: ignore[arg-type]


SWAPS: dict[str, Callable[[Judged], Judged]] = {
    "measured": lambda judged: judged,
    "flipped": flipped,
    "equivalent": equivalent,
    "undecided": undecided,
}


def render(swap: Callable[[Judged], Judged]) -> str:
    """Every paragraph of the report under the headings of its chapter, marks without their links."""
    writer = paragraphs.Writer.of(map(swap, measured()), {"scope": "in this run"})
    written = {name: writer.write(each) for name, each in paragraphs.read(PROJECT / "report/paragraphs").items()}
    text = "\n\n".join(block for path in sources(PROJECT) for block in _blocks(path.read_text(encoding="utf-8")))
    shown = PARAGRAPH.sub(lambda match: written[match[1]], text)
    return re.sub(r"\[(c\d+,?)\]\(\S+ \"[^\"]*\"\)\{\.claim\}", r"^\1^", shown).replace("^^", "") + "\n"


def _blocks(chapter: str) -> Iterator[str]:
    """What shows paragraphs, with the headings before it."""
    headings: list[str] = []
    unconditional = re.sub(r"^:::.*\n?", "", chapter, flags=re.MULTILINE)
    for block in (block.strip("\n") for block in unconditional.split("\n\n")):
        if re.match("#+ ", block):
            headings = [block] if block.startswith("# ") else [each for each in headings if each[:2] == "# "] + [block]
        elif PARAGRAPH.search(block):
            yield from (*headings, block)
            headings = []


if __name__ == "__main__":
    for name, swap in SWAPS.items():
        (RENDERINGS / f"{name}.md").write_text(render(swap), encoding="utf-8")
