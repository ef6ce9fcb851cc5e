"""What the masked autoencoders make of an image of which a reader hides what they like."""

from __future__ import annotations

from autoencoders.explore import scripts
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.explore.scripts import BrowserModels
from autoencoders.lab import Lab
from autoencoders.specs import MCAE

HEAD = Head("patches", "Hide patches", "Click patches of an image away and see what the masked autoencoder puts there.")
SCRIPTS = (*scripts.SCRIPTS, "denoise.js", "patches.js")


def page(lab: Lab, addresses: Addresses) -> Page:
    catalogue = lab.catalogues[0]
    masked = [catalogue.mcae(ratio) for ratio in catalogue.ratios]  # type: ignore[attr-defined]
    models = BrowserModels.of(lab, masked, "forward")
    specs: dict[str, MCAE] = {each.name: each.model for each in masked if each.name in models.scripts}
    first = next((name for name, spec in specs.items() if spec.ratio == catalogue.ratio), "")  # type: ignore[attr-defined]
    gallery = scripts.gallery(lab)
    data = {
        "gallery": gallery,
        "shape": gallery["shape"][1:],
        "patch": masked[0].model.patch,
        "models": [
            {"name": name, "ratio": spec.ratio, "bytes": len(models.scripts[name]), "atOnce": name == first}
            for name, spec in specs.items()
        ],
    }
    return models.page(HEAD, "patches.html", data, SCRIPTS)
