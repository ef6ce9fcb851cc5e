"""What masked models, convolutions and attention side by side, make of an image of which a reader hides parts."""

from __future__ import annotations

from typing import Any

from autoencoders.catalogue import Catalogue
from autoencoders.explore import scripts
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.explore.scripts import BrowserModels
from autoencoders.lab import Lab

PROMPTS = (
    "Press “Show all”, then hide one patch in the middle. Where do the outputs change?",
    "Drag the share from 0.25 to 0.75. What becomes of the error over what is hidden?",
    "Show all again, and hide a block of 4 × 4 patches in the middle. Which model knows better what its heart holds?",
)
PROMISE = "Hide patches of an image and see what the masked autoencoder puts there, and what a transformer does."
HEAD = Head("patches", "Hide patches", PROMISE, PROMPTS)
SCRIPTS = (*scripts.SCRIPTS, "denoise.js", "patches.js")


def page(lab: Lab, addresses: Addresses) -> Page:
    catalogue: Catalogue = lab.catalogues[0]  # type: ignore[assignment]
    masked = [catalogue.mcae(ratio) for ratio in catalogue.ratios]
    vit = catalogue.vit(catalogue.ratio)
    models = BrowserModels.of(lab, [*masked, vit], "forward")
    ratios = {each.name: each.model.ratio for each in masked if each.name in models.scripts}  # type: ignore[attr-defined]
    first = next((name for name, ratio in ratios.items() if ratio == catalogue.ratio), "")
    gallery = scripts.gallery(lab)
    data: dict[str, Any] = {
        "gallery": gallery,
        "shape": gallery["shape"][1:],
        "patch": masked[0].model.patch,  # type: ignore[attr-defined]
    }
    wanted = [name for name in (first, vit.name) if name in models.scripts]
    at_once = {first, *scripts.at_once(models.scripts, wanted, data, SCRIPTS)}
    known = ratios | ({vit.name: catalogue.ratio} if vit.name in models.scripts else {})
    data["models"] = [
        {
            "name": name,
            "kind": "vit" if name == vit.name else "mcae",
            "ratio": ratio,
            "bytes": len(models.scripts[name]),
            "atOnce": name in at_once,
        }
        for name, ratio in known.items()
    ]
    return models.page(HEAD, "patches.html", data, SCRIPTS)
