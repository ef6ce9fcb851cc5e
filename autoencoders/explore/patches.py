"""To be written."""

from __future__ import annotations

from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.lab import Lab

HEAD = Head("patches", "Hide patches", "Click patches of an image away and see what the masked autoencoder puts there.")


def page(lab: Lab, addresses: Addresses) -> Page:
    return Page(HEAD, body="", data={}, scripts=())
