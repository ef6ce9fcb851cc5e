"""To be written."""

from __future__ import annotations

from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.lab import Lab

HEAD = Head(
    "results",
    "Results",
    "Every figure of every artifact, to sort, filter and download, with what it was computed from.",
)


def page(lab: Lab, addresses: Addresses) -> Page:
    return Page(HEAD, body="", data={}, scripts=())
