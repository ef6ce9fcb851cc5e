"""A VAE's latent space: between two test images, and by adding and subtracting classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autoencoders.catalogue import Catalogue
from autoencoders.explore import scripts
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.explore.scripts import BrowserModels
from autoencoders.lab import Lab
from autoencoders.measurements.playground import Landmarks
from autoencoders.specs import Experiment

HEAD = Head(
    "walk",
    "Walk the latent space",
    "Slide between two test images, or add and subtract classes, and see what the variational "
    "autoencoder makes of it, in this browser.",
)
SCRIPTS = (*scripts.SCRIPTS, "walk.js")


def page(lab: Lab, addresses: Addresses) -> Page:
    catalogue: Catalogue = lab.catalogues[0]  # type: ignore[assignment]
    vae = catalogue.vae()
    data = _data(lab, vae, catalogue.triples)
    return BrowserModels.of(lab, [vae], "decode").page(HEAD, "walk.html", data, SCRIPTS)


def _data(lab: Lab, vae: Experiment, triples: Iterable[Sequence[str]]) -> dict[str, Any]:
    found = lab.measure(vae, Landmarks())
    gallery = scripts.gallery(lab)
    kinds = found.arrays["kinds"].tolist()
    return {
        "gallery": gallery,
        "shape": gallery["shape"][1:],
        "model": vae.name,
        "dimensions": found.arrays["means"].shape[1],
        "latents": scripts.text(found.arrays["images"].astype("<f4")),
        "means": scripts.text(found.arrays["means"].astype("<f4")),
        "kinds": kinds,
        "triples": _triples(triples, [gallery["classes"][kind] for kind in kinds]),
    }


def _triples(asked: Iterable[Sequence[str]], names: list[str]) -> list[list[int]]:
    """Those asked for whose classes there are, else the first three; as places among the names."""
    known = [[names.index(name) for name in triple] for triple in asked if {*triple} <= {*names}]
    return known or [[place % len(names) for place in range(3)]]
