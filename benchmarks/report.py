"""The stages of a report when nothing has changed, after one that made everything (profile smoke, embedded data)."""

from __future__ import annotations

from timing import in_turn, seconds, tell

from autoencoders import books
from autoencoders.reporting import checks, making, without_quarto
from autoencoders.reporting.book import Book
from autoencoders.settings import PROJECT, Settings


def main() -> None:
    edition = books.assignment(Settings(profile="smoke", dataset="photos10"))
    making.report(edition, "pandoc")
    book = Book.read(PROJECT)
    executed = sorted((PROJECT / "cache/notebooks").glob("*.ipynb"))
    found = in_turn(
        {
            "what is outdated": lambda: seconds(lambda: making.prepare(edition, without_quarto.name())),
            "pages and PDF": lambda: seconds(lambda: without_quarto.render(book, executed, {}, lambda folder: None)),
            "checks": lambda: seconds(lambda: checks.check(book)),
            "submission": lambda: seconds(lambda: making.packed(edition)),
        }
    )
    tell(
        "report", seconds={name: round(value, 2) for name, value in found.items()}, whole=round(sum(found.values()), 2)
    )


if __name__ == "__main__":
    main()
