"""To be written."""

from __future__ import annotations

from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page
from autoencoders.lab import Lab

HEAD = Head("noise", "Add noise", "Drag the noise up and see what each denoiser makes of the same image.")


def page(lab: Lab, addresses: Addresses) -> Page:
    return Page(HEAD, body="", data={}, scripts=())
