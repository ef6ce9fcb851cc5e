"""What print can't do: pages beside the report's chapters that a reader can turn, sort, drag and take apart.

They are plain HTML with a little script, whichever renderer made the rest of the site; nothing is fetched from
anywhere, so that they work from a disk, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from autoencoders.explore import (
    comparison_page,
    latents_page,
    noise_page,
    patches_page,
    pipeline_page,
    results_page,
    samples_page,
    sizes_page,
    study_pages,
    train_page,
    walk_page,
)
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.navigation import add_to_search, add_to_sidebar, chapters
from autoencoders.explore.pages import Head, Page, write
from autoencoders.explore.widgets import add_widgets
from autoencoders.lab import Lab
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder
from autoencoders.settings import Settings

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
STUDY_HEADS = study_pages.HEADS


def _pages(settings: Settings) -> tuple[ModuleType, ...]:
    """Those of a run; two files of results that are given have one, too."""
    return (*PAGES, comparison_page) if settings.compare else PAGES


def heads(settings: Settings) -> list[Head]:
    return [module.HEAD for module in _pages(settings)]


def add_explorer_pages(book: Book, lab: Lab, folder: Folder) -> None:
    """Put the pages of a run into the folder that holds the site."""
    addresses = Addresses.of(folder)
    with lab.store.looked_at_once():
        _add(book, folder, [module.page(lab, addresses) for module in _pages(lab.settings)])


def add_study_pages(book: Book, labs: Mapping[str, Lab], folder: Folder) -> None:
    """Put the pages of the studies into the folder that holds their site."""
    _add(book, folder, study_pages.pages(labs))


def _add(book: Book, folder: Folder, pages: list[Page]) -> None:
    write(folder, book, pages, chapters(folder, book))
    add_to_search(folder, pages)
    add_to_sidebar(folder, pages)
    add_widgets(folder)
