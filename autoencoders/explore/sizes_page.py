"""How many numbers an image is worth: the rate–distortion curve, with the images changing along it."""

from __future__ import annotations

from autoencoders.catalogue import Catalogue
from autoencoders.explore import scripts
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page, asset, fill
from autoencoders.lab import Lab
from autoencoders.measurements.exhibits import Components, Rebuilt
from autoencoders.specs import Baseline, Experiment

PROMPTS = (
    "Drag the size to 16. How much of the images do so few numbers hold?",
    "Drag it to the autoencoder’s own size. Is it better than as many principal components?",
    "Drag on to the right. How many numbers does one more decibel cost?",
)
PROMISE = "Drag the size of the latent and see what so many numbers hold of an image."
HEAD = Head("sizes", "Size of the latent", PROMISE, PROMPTS)
SCRIPTS = ("images.js", "tensors.js", "svg.js", "decibels.js", "sizes.js")


def page(lab: Lab, addresses: Addresses) -> Page:
    catalogue: Catalogue = lab.catalogues[0]  # type: ignore[assignment]
    gallery = scripts.gallery(lab)
    height, width, channels = gallery["shape"][1:]
    found = lab.measure(Baseline(method="pca", size=catalogue.size), Components()).arrays
    components = found["components"].reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    basis, most = scripts.in_eight_bits(components.reshape(len(components), -1).T)
    known = {f"AE, {size}": (size, catalogue.ae(latent=size)) for size in (catalogue.size, *catalogue.other_sizes)}
    known[f"VAE, {catalogue.size}"] = (catalogue.size, catalogue.vae())
    data = {
        "gallery": gallery,
        "shape": gallery["shape"][1:],
        "mean": scripts.text(found["mean"].reshape(channels, height, width).transpose(1, 2, 0)),
        "basis": scripts.text(basis.T.copy()),
        "most": scripts.text(most),
        "size": catalogue.size,
        "models": [
            {"title": title, "size": size, "images": _rebuilt(lab, model)} for title, (size, model) in known.items()
        ],
    }
    files = {"playground.css": asset("playground.css")}
    return Page(HEAD, fill("sizes.html"), data, SCRIPTS, files)


def _rebuilt(lab: Lab, model: Experiment) -> str:
    return scripts.text(lab.measure(model, Rebuilt()).arrays["images"].transpose(0, 2, 3, 1))
