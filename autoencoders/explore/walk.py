"""To be written."""

from __future__ import annotations

from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.lab import Lab

HEAD = Head(
    "walk",
    "Walk the latent space",
    "Slide between two test images, or add and subtract classes, and see what the variational "
    "autoencoder makes of it, in this browser.",
)


def page(lab: Lab, addresses: Addresses) -> Page:
    return Page(HEAD, body="", data={}, scripts=())
