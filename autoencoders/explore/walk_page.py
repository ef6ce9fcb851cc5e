"""A VAE's latent space: between two images, and by adding and subtracting classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autoencoders.catalogue import Catalogue
from autoencoders.explore import scripts
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.explore.scripts import BrowserModels
from autoencoders.lab import Lab
from autoencoders.measurements.openings import BestPair
from autoencoders.measurements.playground import Landmarks
from autoencoders.specs import Experiment
from autoencoders.store import Artifact

PROMPTS = (
    "Drag the way to 0.5. Is the image in the middle one image, or two at once?",
    "Stay in the middle and take the arc instead of the straight line. Which image has more contrast?",
    "Drag slowly from 0 to 1. Does the image change at an even pace?",
)
HEAD = Head(
    "walk",
    "Walk the latent space",
    "Slide between two images, or add and subtract classes, and see what the variational autoencoder makes of it, in "
    "this browser.",
    PROMPTS,
)
SCRIPTS = (*scripts.SCRIPTS, "walk.js")


def page(lab: Lab, addresses: Addresses) -> Page:
    catalogue: Catalogue = lab.catalogues[0]  # type: ignore[assignment]
    vae = catalogue.vae()
    best = lab.measure(vae, catalogue.best_sum()).meta
    triples = [best["classes"], *catalogue.triples] if best["classes"] else catalogue.triples
    data = _data(lab, vae, triples) | {"sum": _said_of_sum(best)}
    return BrowserModels.of(lab, [vae], "decode").page(HEAD, "walk.html", data, SCRIPTS)


def _data(lab: Lab, vae: Experiment, triples: Iterable[Sequence[str]]) -> dict[str, Any]:
    found, pair = lab.measure(vae, Landmarks()), lab.measure(vae, BestPair())
    gallery = scripts.gallery(lab)
    kinds = found.arrays["kinds"].tolist()
    return {
        "gallery": gallery,
        "shape": gallery["shape"][1:],
        "model": scripts.file_of(vae.name, "decode"),
        "dimensions": found.arrays["means"].shape[1],
        "latents": scripts.text(found.arrays["images"].astype("<f4")),
        "means": scripts.text(found.arrays["means"].astype("<f4")),
        "kinds": kinds,
        "triples": _triples(triples, [gallery["classes"][kind] for kind in kinds]),
        "opening": _opening(pair, gallery["classes"]),
    }


def _opening(pair: Artifact, classes: Sequence[str]) -> dict[str, Any]:
    images = pair.arrays["images"].transpose(0, 2, 3, 1)
    shown = {"pixels": scripts.text(images), "labels": pair.arrays["labels"].tolist(), "classes": classes}
    kept, median = (_percent(pair.meta[name]) for name in ("kept", "median"))
    return {
        "images": {"shape": list(images.shape), **shown},
        "latents": scripts.text(pair.arrays["latents"].astype("<f4")),
        "said": f"It opens on the best of {pair.meta['pairs']} pairs of validation images: the one on whose way "
        f"decoded images keep most of the detail, at least {kept} of it, where the median pair keeps {median}. The "
        "other images are test images, as they come.",
    }


def _said_of_sum(best: Mapping[str, Any]) -> str:
    if not best["classes"]:
        return "A sum of three classes needs more classes than these validation images show."
    a, b, c = best["classes"]
    share, control = (_percent(best[name]) for name in ("share", "control"))
    seen = (
        f"Of all {best['tried']} sums of three classes, {a} − {b} + {c} comes out best on validation images: a judge "
        f"sees {c} in {share} of the sums of single images, and in {control} where any other class is added instead. "
    )
    return seen + ("It works." if best["works"] else "That is not beyond chance: none works.")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _triples(asked: Iterable[Sequence[str]], names: list[str]) -> list[list[int]]:
    """Those asked for whose classes there are, each once, else the first three; as places among the names."""
    known = [tuple(names.index(name) for name in triple) for triple in asked if {*triple} <= {*names}]
    return [list(each) for each in dict.fromkeys(known)] or [[place % len(names) for place in range(3)]]
