"""What print can't do: pages beside the report's chapters that a reader can turn, sort, drag and take apart.

They are plain HTML with a little script, whichever renderer made the rest of the site; nothing is fetched from
anywhere, so that they work from a disk, too.
"""

from __future__ import annotations

from autoencoders.explore import (
    latents_page,
    noise_page,
    patches_page,
    pipeline_page,
    results_page,
    samples_page,
    sizes_page,
    train_page,
    walk_page,
)
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.navigation import add_to_search, chapters
from autoencoders.explore.pages import Head, write
from autoencoders.explore.widgets import add_widgets
from autoencoders.lab import Lab
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder

PAGES = (  # in the order of navigation
    noise_page,
    train_page,
    patches_page,
    walk_page,
    samples_page,
    sizes_page,
    latents_page,
    results_page,
    pipeline_page,
)
HEADS: tuple[Head, ...] = tuple(module.HEAD for module in PAGES)


def add_explorer_pages(book: Book, lab: Lab, folder: Folder) -> None:
    """Put the pages of a run into the folder that holds the site."""
    addresses = Addresses.of(folder)
    with lab.store.looked_at_once():
        pages = [module.page(lab, addresses) for module in PAGES]
    write(folder, book, pages, chapters(folder, book))
    add_to_search(folder, pages)
    add_widgets(folder)
