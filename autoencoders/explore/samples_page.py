"""Images drawn from the VAE's prior, and from mixtures of Gaussians fitted to the latents of VAE and AE."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoencoders.catalogue import Catalogue
from autoencoders.explore import scripts
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.explore.scripts import BrowserModels
from autoencoders.lab import Lab
from autoencoders.measurements.exhibits import Density
from autoencoders.store import Artifact

PROMPTS = (
    "Drag the temperature to 0. What is left of each row?",
    "Drag it to 1, where each density is as it was fitted. Which row is most like photographs?",
    "Drag it to 2. What becomes of the images?",
)
HEAD = Head(
    "samples",
    "Draw samples",
    "Draw images that never were: from the variational autoencoder’s prior, and from densities fitted to latents.",
    PROMPTS,
)
SCRIPTS = (*scripts.SCRIPTS, "denoise.js", "samples.js")


def page(lab: Lab, addresses: Addresses) -> Page:
    catalogue: Catalogue = lab.catalogues[0]  # type: ignore[assignment]
    vae, ae = catalogue.vae(), catalogue.ae()
    densities = {each.name: lab.measure(each, Density()) for each in (vae, ae)}
    distances = {each.name: _distances(lab.measure(each, catalogue.samples())) for each in (vae, ae)}
    rows = [
        (vae.name, "prior", "VAE, its prior"),
        (vae.name, "mixture", "VAE, a mixture of Gaussians fitted to its latents"),
        (ae.name, "mixture", "AE, a mixture of Gaussians fitted to its latents"),
    ]
    models = BrowserModels.of(lab, [vae, ae], "decode")
    data: dict[str, Any] = {
        "shape": scripts.gallery(lab)["shape"][1:],
        "densities": {name: _density(found) for name, found in densities.items()},
    }
    at_once = scripts.at_once(models.scripts, list(models.scripts), data, SCRIPTS)
    data["models"] = {
        name: {
            "file": scripts.file_of(name, "decode"),
            "bytes": len(script),
            "atOnce": name in at_once or name == vae.name,  # the page is about it
        }
        for name, script in models.scripts.items()
    }
    data["rows"] = [
        {"model": model, "kind": kind, "title": title, "distance": distances[model].get(kind)}
        for model, kind, title in rows
        if model in models.scripts
    ]
    return models.page(HEAD, "samples.html", data, SCRIPTS)


def _distances(samples: Artifact) -> dict[str, float]:
    """The Fréchet distance from real images, by what samples were drawn from."""
    return {row["metric"].removeprefix("frechet_"): row["value"] for row in samples.meta["rows"]}


def _density(found: Artifact) -> dict[str, Any]:
    """The mixture, of whose triangular factors the upper half, all zeros, stays behind."""
    factors = found.arrays["factors"]
    lower = factors[:, *np.tril_indices(factors.shape[1])]
    return {
        "dimensions": factors.shape[1],
        "weights": found.arrays["weights"].tolist(),
        "means": scripts.text(found.arrays["means"]),
        "factors": scripts.text(lower),
    }
