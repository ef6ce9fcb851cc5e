"""What a run is, in the words and numbers that the chapters print."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from autoencoders import claims, paragraphs, tables
from autoencoders.catalogue import TRIPLES, Catalogue
from autoencoders.data.folders import USUAL_SIZE, folder_of, is_folder
from autoencoders.data.sources import STAND_INS
from autoencoders.findings import MOST_CLASSES, Findings
from autoencoders.judging import Judged
from autoencoders.lab import Lab
from autoencoders.paragraphs import Writer
from autoencoders.profiles import Profile
from autoencoders.reporting import chosen
from autoencoders.reporting.book import embedded
from autoencoders.reporting.variables import literal
from autoencoders.settings import PROJECT
from autoencoders.specs import VARIANCE
from autoencoders.studies.base import Study

DATASETS = {
    "cifar10": "CIFAR-10: 60,000 colour images of 32 × 32 pixels in 10 classes",
    "cifar100": "CIFAR-100: 60,000 colour images of 32 × 32 pixels in 100 classes",
    "svhn": "SVHN: 99,289 house numbers as colour images of 32 × 32 pixels, the middle digit their class",
    "fashion-mnist": "Fashion-MNIST: 70,000 grey pictures of clothes, padded to 32 × 32 pixels, in 10 classes",
    "photos10": "photos10: crops of ten photographs that ship with Python packages",
}
ASSIGNED = "cifar10"
CELL = 4  # pixels along a side of a cell of the spatial latent: the models' own number would bring torch
SOURCES = {  # and how they are divided
    "cifar10": "CIFAR-10 [@krizhevsky2009] holds 60,000 RGB images of 32×32 pixels in 10 classes, of which 50,000 are "
    "for training and 10,000 for testing.",
    "folder": "Each image was cropped to its middle and scaled; of each class, a fifth was drawn for testing.",
}


def of(lab: Lab) -> dict[str, Any]:
    """The values that a chapter reaches by `{{< var group >}}`, `{{< var task.variance >}}` and so on."""
    facts: dict[str, Any] = _of_run(lab) | {
        "dataset": _of_data(lab),
        "task": {
            "variance": VARIANCE,
            "variance_sigma": f"{math.sqrt(VARIANCE):.3f}",
            "margins": claims.margins(),
            "tuned": Findings(lab).tuning_kept(),
            "overfitting": Findings(lab).overfitting(),
            "units": Findings(lab).units_used(),
            "samples": Findings(lab).samples_drawn(),
            "repeated": _repeated(lab),
            **_compared(lab.catalogues[0]),  # type: ignore[arg-type]
        },
    }
    judged = claims.judge_all(lab)  # which asks for all trainings
    facts |= {"chosen": chosen.of(lab), "date": _trained_on([lab]), "scope": claims.scope(lab)}
    facts |= _written(PROJECT / "report/paragraphs", judged, facts["scope"], "/report/claims.qmd")
    if lab.dataset != ASSIGNED:
        facts["notice"] = notice(lab)
        facts["dataset"]["statement"] = literal(f"{facts['notice']['cover']} {_described(lab)}")
    return facts


def _of_data(lab: Lab) -> dict[str, str]:
    """What the chapters say of the data; of data that isn't the assignment's, the statement is another."""
    plan, name = lab.catalogues[0], lab.dataset
    cells = (folder_of(name).size if is_folder(name) else USUAL_SIZE) // CELL
    few = len(plan.classes or lab.bench.dataset(plan.data).classes) <= MOST_CLASSES  # most are known unread
    return {
        "name": name,
        "title": _title(lab),
        "statement": "All results are on CIFAR-10.",
        "source": SOURCES.get(name.partition(":")[0]) or f"{DATASETS[name]}.",
        "validation": f"{100 * plan.data.validation:g} %",
        "cells": f"{cells}×{cells}",
        "each_class": "each class" if few else f"the {MOST_CLASSES} classes of the lowest and the highest means",
    }


def of_studies(labs: Sequence[Lab]) -> dict[str, Any]:
    """The same for the studies' book: `{{< var data.digits >}}` is what a study was given to look at."""
    judged = [each for lab in labs for each in claims.judge_all(lab)]
    plans = {lab.plan_class: lab for lab in labs if issubclass(lab.plan_class, Study)}
    facts = _of_run(labs[0]) | {
        "data": {plan.name: _listed_data(lab) for plan, lab in plans.items()},
        "task": {name: value for plan in plans for name, value in plan.constants.items()}
        | {"margins": claims.margins()},
    }
    facts["date"] = _trained_on(labs)
    facts |= _written(PROJECT / "report/studies/paragraphs", judged, claims.scope(labs[0]), "/claims.qmd")
    facts["data"]["statement"] = "All results are on the data sets that the studies ask for."
    if missing := [choice for lab in labs for choice in lab.choices if choice.stand_in]:
        reasons = ". ".join(dict.fromkeys(choice.reason for choice in missing))
        facts["notice"] = {
            "header": "Stand-in data: " + ", ".join(dict.fromkeys(choice.name for choice in missing)),
            "captions": {
                plan.notebook: _caption(choice.name for choice in lab.choices if choice.stand_in)
                for plan, lab in plans.items()
            },
            "cover": f"{reasons}.",
        }
        facts["data"]["statement"] = facts["notice"]["cover"]
    return facts


def _written(folder: Path, judged: Sequence[Judged], scope: str, page: str) -> dict[str, Any]:
    """The paragraphs on a run by name, and the table that their marks lead to."""
    writer = Writer.of(judged, {"scope": scope}, page)
    written = {name: writer.write(paragraph) for name, paragraph in paragraphs.read(folder).items()}
    return {"paragraphs": written, "claims": writer.table()}


def _trained_on(labs: Iterable[Lab]) -> str:
    """The day of the last training: no date of the report itself, which may be made again from the same results."""
    trainings = [(lab, lab.bench.training(experiment)) for lab in labs for experiment in lab.experiments()]
    return max(lab.store.provenance(task)["created"] for lab, task in trainings)[:10]


def _of_run(lab: Lab) -> dict[str, Any]:
    return {
        "group": lab.settings.group,
        "authors": ", ".join(lab.settings.authors),
        "profile": {"name": lab.profile.name, "title": f"{lab.profile.name} ({lab.profile.purpose})"},
        "seeds": _listed(catalogue.seed for catalogue in lab.catalogues),
        "device": lab.device,
    }


def _compared(catalogue: Catalogue) -> dict[str, str]:
    """What this run compares, and where that is less than the assignment asks for."""
    betas = _listed(catalogue.betas)
    beside = f"VAEs with fixed $\\beta$ of {betas} stand beside it." if catalogue.betas else "It stands alone here."
    return {
        "probe_sigma": f"{round(catalogue.sigma, 3):g}",
        "sigmas": _listed(sigma for sigma in catalogue.trained_levels if sigma != math.sqrt(VARIANCE)),
        "unseen_sigmas": _listed(sorted(catalogue.profile.unseen)),
        "ratio": f"{100 * catalogue.ratio:g} %",
        "ratios": _listed(catalogue.ratios),
        "size": str(catalogue.size),
        "all_betas": _listed(["calibrated", *catalogue.betas]),
        "fixed_betas": beside,
        "arithmetic": _listed(map(_sum, catalogue.triples)),
        "later": later(catalogue.profile),
        "lacking": "\\\n".join(lacking(catalogue)) or "This run has everything that the assignment asks for.",
    }


def _repeated(lab: Lab) -> str:
    """What the intervals of this run say nothing of."""
    alone = "Its interval is over test images and says nothing of how another training would have turned out."
    if len(lab.catalogues) == 1:
        return f"Each model was trained once. {alone}"
    if lab.profile.repeated == "headline":
        return f"Only the main models were trained several times. Of another one, there is one training. {alone}"
    return "Each model was trained several times, but few seeds tell little of how much trainings differ."


def _sum(classes: Sequence[str]) -> str:
    return "{} − {} + {}".format(*classes)


def later(profile: Profile) -> str:
    """What longer profiles train, and this one doesn't."""
    missing = [] if profile.complete else ["one denoiser for all levels (R8)", "an MCAE with a far decoder (R23)"]
    missing += [] if profile.tuned == "all" else ["the tuning of other models than the AE (R25)"]
    missing += [] if profile.left_out else ["models without the images of a class (R12)"]
    if not missing:
        return "Nothing is left to a longer profile."
    return f"This profile leaves to `evening`: {_listed(missing)}."


def lacking(catalogue: Catalogue) -> Iterator[str]:
    """What the assignment asks for and this run hasn't, a sentence each."""
    profile, asked = catalogue.profile, TRIPLES[ASSIGNED][0]
    if len(profile.sigmas) < 2:
        yield "R7 is answered for one level σ alone, beside the variance."
    if not profile.unseen:
        yield "R8 is answered without levels of noise that no denoiser was trained on."
    if not catalogue.triples:
        yield "R14 is not answered: the arithmetic has no classes on this data set."
    elif catalogue.dataset == ASSIGNED and asked not in catalogue.triples:
        yield f"R14 is answered for other classes than {_sum(asked)}."
    if not catalogue.betas:
        yield "R16 is answered for the calibrated VAE alone, without one of a fixed β."
    if len(profile.ratios) < 2:
        yield "R19 and R22 are answered for one mask ratio alone."
    if not catalogue.other_sizes:
        yield "R25 compares no sizes of the latent by full trainings."


def _listed_data(lab: Lab) -> str:
    """What was asked for, and what stands in for it."""
    pairs = zip(lab.plan_class.wanted_data(lab.settings.dataset), lab.choices, strict=True)
    return ", ".join(f"{choice.name} in place of {name}" if choice.stand_in else name for name, choice in pairs)


def notice(lab: Lab) -> dict[str, Any]:
    """That the data isn't what the assignment asks for: on the cover, in each page's header, in each caption."""
    why = f"{lab.choice.reason}. " if lab.choice.reason else ""
    what = "Stand-in data" if lab.dataset in STAND_INS[ASSIGNED] else "Other data"
    return {
        "header": f"{what}: {lab.dataset}, not CIFAR-10",
        "captions": dict.fromkeys(embedded(PROJECT), _caption([lab.dataset], what)),
        "cover": f"{why}Nothing in this report is a result on CIFAR-10.",
    }


def _caption(names: Iterable[str], what: str = "Stand-in data") -> str:
    listed = ", ".join(dict.fromkeys(names))
    return f"({what}: {listed}.)" if listed else ""


def _title(lab: Lab) -> str:
    """A data set in one line, with what is known of it."""
    return DATASETS.get(lab.dataset) or f"{lab.dataset}: {_described(lab)}"


def _described(lab: Lab) -> str:
    """What was read: of one's own images, nobody else can say it."""
    images = lab.bench.dataset(lab.catalogues[0].data)
    counts = [len(part) for part in (images.train, images.validation, images.test)]
    height, width = images.test.images.shape[2:]
    return (
        f"This run has {counts[0]:,} training, {counts[1]:,} validation and {counts[2]:,} test images "
        f"of {height} × {width} pixels in {len(images.classes)} classes."
    )


def _listed(values: Any) -> str:
    """`0.1, 0.3 and 0.5`."""
    texts = [value if isinstance(value, str) else f"{value:g}" for value in values]
    return tables.in_a_row(texts) or "none"
