"""The two books: the assignment's report, and the sibling studies'."""

from __future__ import annotations

from typing import Literal

from autoencoders import explore
from autoencoders.lab import Lab
from autoencoders.reporting import facts
from autoencoders.reporting.making import Edition
from autoencoders.settings import PROJECT, Settings
from autoencoders.studies import STUDIES, study


def of(book: Literal["report", "studies"], settings: Settings) -> Edition:
    return {"report": assignment, "studies": studies}[book](settings)


def assignment(settings: Settings) -> Edition:
    lab = Lab(settings)
    lab.announce()
    return Edition(
        root=PROJECT,
        labs=(lab,),
        facts=lambda: facts.of(lab),
        offered=explore.HEADS,
        more=lambda book, folder: explore.add(book, lab, folder),
    )


def studies(settings: Settings) -> Edition:
    labs = tuple(Lab(settings, study(name)) for name in STUDIES)
    for lab in labs:
        lab.announce()
    return Edition(root=PROJECT / "report/studies", labs=labs, facts=lambda: facts.of_studies(labs))
