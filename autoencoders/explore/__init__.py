"""What print can't do: pages beside the report's chapters that a reader can turn, sort, drag and take apart.

They are plain HTML with a little script, whichever renderer made the rest of the site; nothing is fetched from
anywhere, so that they work from a disk, too.
"""

from __future__ import annotations

from autoencoders.explore import latents, noise, patches, pipeline, results, walk
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page, write
from autoencoders.lab import Lab
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder

PAGES = (walk, noise, patches, latents, results, pipeline)  # in the order in which they are offered
HEADS: tuple[Head, ...] = tuple(module.HEAD for module in PAGES)


def add(book: Book, lab: Lab, folder: Folder) -> None:
    """The pages of a run, into the folder that holds the site."""
    addresses = Addresses.of(folder)
    made: list[Page] = [module.page(lab, addresses) for module in PAGES]
    write(folder, book, made)
