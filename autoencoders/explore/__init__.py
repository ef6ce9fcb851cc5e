"""What print can't do: pages beside the report's chapters that a reader can turn, sort, drag and take apart.

They are plain HTML with a little script, whichever renderer made the rest of the site; nothing is fetched from
anywhere, so that they work from a disk, too.
"""

from __future__ import annotations

from types import ModuleType

from autoencoders.explore import (
    comparison_page,
    latents_page,
    noise_page,
    patches_page,
    pipeline_page,
    results_page,
    walk_page,
)
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, write
from autoencoders.lab import Lab
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder
from autoencoders.settings import Settings

PAGES = (walk_page, noise_page, patches_page, latents_page, results_page, pipeline_page)  # in the order of navigation


def _pages(settings: Settings) -> tuple[ModuleType, ...]:
    """Those of a run; two files of results that are given have one, too."""
    return (*PAGES, comparison_page) if settings.compare else PAGES


def heads(settings: Settings) -> list[Head]:
    return [module.HEAD for module in _pages(settings)]


def add_explorer_pages(book: Book, lab: Lab, folder: Folder) -> None:
    """Put the pages of a run into the folder that holds the site."""
    addresses = Addresses.of(folder)
    with lab.store.looked_at_once():
        write(folder, book, [module.page(lab, addresses) for module in _pages(lab.settings)])
