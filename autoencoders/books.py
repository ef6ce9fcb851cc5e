"""The two books: the assignment's report, and the sibling studies'."""

from __future__ import annotations

from typing import Literal

from autoencoders import explore
from autoencoders.lab import Lab
from autoencoders.reporting import facts
from autoencoders.reporting.making import Manuscript
from autoencoders.settings import PROJECT, Settings
from autoencoders.studies import STUDIES, study


def manuscript(book: Literal["report", "studies"], settings: Settings) -> Manuscript:
    return {"report": assignment, "studies": studies}[book](settings)


def assignment(settings: Settings) -> Manuscript:
    lab = Lab(settings)
    return Manuscript(
        root=PROJECT,
        labs=(lab,),
        facts=lambda: facts.of(lab),
        extra={head.url: head.title for head in explore.heads(settings)},
        add_extra=lambda book, folder: explore.add_explorer_pages(book, lab, folder),
    )


def studies(settings: Settings) -> Manuscript:
    labs = {name: Lab(settings, study(name)) for name in STUDIES}
    return Manuscript(
        root=PROJECT / "report/studies",
        labs=tuple(labs.values()),
        facts=lambda: facts.of_studies(tuple(labs.values())),
        extra={head.url: head.title for head in explore.STUDY_HEADS},
        add_extra=lambda book, folder: explore.add_study_pages(book, labs, folder),
    )
