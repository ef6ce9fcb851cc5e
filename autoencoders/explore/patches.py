"""What the masked autoencoders make of an image of which a reader hides what they like."""

from __future__ import annotations

from autoencoders.explore import models
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import ASSETS, Head, Page
from autoencoders.lab import Lab
from autoencoders.specs import MCAE, Experiment

HEAD = Head("patches", "Hide patches", "Click patches of an image away and see what the masked autoencoder puts there.")
SCRIPTS = (*models.SCRIPTS, "denoise.js", "patches.js")
FIRST = 0.5  # the ratio whose model is loaded with the page


def page(lab: Lab, addresses: Addresses) -> Page:
    catalogue = lab.catalogues[0]
    masked = [catalogue.mcae(ratio) for ratio in catalogue.ratios]  # type: ignore[attr-defined]
    files = models.scripts(lab, masked, "forward")
    gallery = models.gallery(lab)
    data = {
        "gallery": gallery,
        "shape": gallery["shape"][1:],
        "patch": _mcae(masked[0]).patch,
        "models": [
            {
                "name": each.name,
                "ratio": _mcae(each).ratio,
                "bytes": len(files[models.name(each)]),
                "atOnce": _mcae(each).ratio == FIRST,
            }
            for each in masked
        ],
    }
    body = ASSETS.joinpath("patches.html").read_text(encoding="utf-8")
    return Page(HEAD, body=body, data=data, scripts=SCRIPTS, files=files | models.SHARED)


def _mcae(experiment: Experiment) -> MCAE:
    assert isinstance(experiment.model, MCAE)
    return experiment.model
