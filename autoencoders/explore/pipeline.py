"""To be written."""

from __future__ import annotations

from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.lab import Lab

HEAD = Head(
    "pipeline",
    "Pipeline",
    "What was computed from what, and the state of each part; each leads to its results and notebook cells.",
)


def page(lab: Lab, addresses: Addresses) -> Page:
    return Page(HEAD, body="", data={}, scripts=())
