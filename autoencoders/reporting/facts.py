"""What a run is, in the words and figures that the chapters print."""

from __future__ import annotations

import math
from typing import Any

from autoencoders import claims, config
from autoencoders.findings import Findings
from autoencoders.lab import Lab

DATASETS = {
    "cifar10": "CIFAR-10: 60,000 colour images of 32 × 32 pixels in 10 classes",
    "photos10": "photos10: crops of ten photographs that ship with Python packages",
}
ASSIGNED = "cifar10"


def of(lab: Lab) -> dict[str, Any]:
    """The values that a chapter reaches by `{{< var group >}}`, `{{< var task.variance >}}` and so on."""
    settings, profile = lab.settings, lab.profile
    facts: dict[str, Any] = {
        "group": settings.group,
        "authors": ", ".join(settings.authors),
        "dataset": {"name": lab.dataset, "title": DATASETS.get(lab.dataset, lab.dataset)},
        "profile": {"name": profile.name, "title": f"{profile.name} ({profile.purpose})"},
        "seeds": _listed(catalogue.seed for catalogue in lab.catalogues),
        "device": lab.device,
        "task": {
            "variance": config.VARIANCE,
            "variance_sigma": f"{math.sqrt(config.VARIANCE):.3f}",
            "probe_sigma": f"{config.NOISE.sigma:g}",
            "sigmas": _listed(profile.sigmas),
            "unseen_sigmas": _listed(profile.unseen),
            "ratios": _listed(config.RATIOS),
        },
    }
    none = {f"r{number:02d}": "No claim is made here on this data set." for number in range(1, 40)}
    facts["claims"] = none | claims.by_requirement(claims.judge_all(Findings(lab)))
    if lab.dataset == ASSIGNED:
        facts["dataset"]["statement"] = "All results are on CIFAR-10."
        return facts
    facts["notice"] = notice(lab)
    facts["dataset"]["statement"] = facts["notice"]["cover"]
    return facts


def notice(lab: Lab) -> dict[str, str]:
    """That the data isn't what the assignment asks for: on the cover, in each page's header, in each caption."""
    why = f"{lab.choice.reason}. " if lab.choice.reason else ""
    return {
        "header": f"Stand-in data: {lab.dataset}, not CIFAR-10",
        "caption": f"(Stand-in data: {lab.dataset}.)",
        "cover": f"{why}Nothing in this report is a result on CIFAR-10.",
    }


def _listed(values: Any) -> str:
    """`0.1, 0.3 and 0.5`."""
    texts = [f"{value:g}" for value in values]
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]])) or "none"
