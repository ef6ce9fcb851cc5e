#!/usr/bin/env python
"""The command line: train, measure, inspect. `python pipeline.py --help` says what there is."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that takes its time
    from autoencoders import startup

    startup.begin()

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from autoencoders import commandline
from autoencoders.console import print_json
from autoencoders.settings import Settings

if TYPE_CHECKING:
    from autoencoders.lab import Lab
    from autoencoders.reporting.making import Manuscript

app = typer.Typer(
    help=(
        "Trains autoencoders, measures them and makes the report of it; whatever was done before is taken from the "
        "cache.\n\nNew here? `make report` does everything. Or step by step: `run`, `results`, `report`."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
command = commandline.registrar(app)
Json = Annotated[bool, typer.Option("--json", help="Print JSON alone, for programs.")]
Study = Annotated[
    str | None, typer.Option("--study", help="digits, transfer or compact: a sibling study, not the assignment.")
]
Names = Annotated[
    list[str] | None, typer.Argument(help="Experiments and baselines, by name or pattern ('dae-*'); none: all.")
]


def _lab(settings: Settings, study: str | None, *, looks_only: bool = False) -> Lab:
    """The assignment's, or a study's."""
    from autoencoders import studies
    from autoencoders.catalogue import Catalogue
    from autoencoders.lab import Lab

    return Lab(settings, studies.study(study) if study else Catalogue, looks_only=looks_only)


@command
def run(
    settings: Settings,
    names: Names = None,
    study: Study = None,
    push: Annotated[bool, typer.Option("--push", help="Then copy to the remote what it lacks.")] = False,
) -> None:
    """Train and measure whatever is missing. Interrupt it at will: the same command goes on from there."""
    from autoencoders.running import progress

    lab = _lab(settings, study)
    lab.announce()
    progress.follow(lab, lab.plan(names))
    if push:
        from autoencoders import sharing

        sharing.push(lab, names)


@command
def status(settings: Settings, names: Names = None, study: Study = None, json: Json = False) -> None:
    """Say of each experiment whether it is cached, missing, stale (and why), partly trained, corrupt or failed."""
    from autoencoders import inspection

    lab = _lab(settings, study, looks_only=True)
    trainings, measurements = inspection.standings(lab, names)
    if json:
        print_json(
            lab.head,
            experiments=[t.as_json() for t in trainings],
            measurements=[m.as_json() for m in measurements],
            room=lab.store.sizes(),
        )
    else:
        lab.announce()
        inspection.print_standings(trainings, measurements)
        inspection.print_room(lab.store.sizes())


@command
def results(
    settings: Settings,
    names: Names = None,
    study: Study = None,
    json: Json = False,
    against: Annotated[Path | None, typer.Option(help="What `results --json` said of another run.")] = None,
    against_cache: Annotated[Path | None, typer.Option(help="Its cache, to compare image by image.")] = None,
) -> None:
    """Show every figure measured in this run: models and baselines, with 95 % intervals."""
    from autoencoders import inspection

    lab = _lab(settings, study, looks_only=True)
    if against:
        from autoencoders import comparing

        comparing.show(lab, names, against, against_cache, json=json)
        return
    rows = inspection.rows(lab, names)
    if json:
        trainings, seconds = inspection.trainings(lab, names), inspection.seconds(lab, names)
        print_json(lab.head, experiments=names or [], seconds=seconds, trainings=trainings, rows=rows)
    else:
        lab.announce()
        inspection.print_rows(rows)


Renderer = Annotated[
    Literal["auto", "quarto", "pandoc"],
    typer.Option(help="auto: Quarto where it can be had, else Pandoc and Typst, which come as Python packages."),
]


Whose = Annotated[Literal["report", "studies"], typer.Option("--book", help="Whose chapters.")]


def _manuscript(book: Literal["report", "studies"], settings: Settings) -> Manuscript:
    from autoencoders import books

    manuscript = books.manuscript(book, settings)
    for lab in manuscript.labs:
        lab.announce()
    return manuscript


@command
def report(settings: Settings, renderer: Renderer = "auto") -> None:
    """Make everything that is handed in: what is missing is trained, then notebooks, site, PDF and zip are made."""
    from autoencoders.reporting import making

    for path in making.hand_in(_manuscript("report", settings), renderer):
        print(path)


@command
def studies(settings: Settings, renderer: Renderer = "auto") -> None:
    """Make the sibling studies' book: what is missing is trained, then notebooks, site and PDF are made."""
    from autoencoders.reporting import making

    for path in making.report(_manuscript("studies", settings), renderer).made:
        print(path)


@command
def prepare(settings: Settings, book: Whose = "report") -> None:
    """Bring what the chapters need up to date, rendering nothing; `quarto render` does this first."""
    from autoencoders.reporting import making, quarto

    caller = quarto.calling()
    making.prepare(_manuscript(book, settings), renderer=caller.name if caller else "Quarto")


@command
def explore(settings: Settings, book: Whose = "report") -> None:
    """Complete what was rendered last with the pages to explore, and publish it; `quarto render` ends with this."""
    from autoencoders.reporting import making, quarto

    making.complete(_manuscript(book, settings), quarto.calling())


@command
def submission(settings: Settings) -> None:
    """Pack the PDF and the code as they are to be handed in, of the report that was made last."""
    from autoencoders.reporting import making

    for path in making.packed(_manuscript("report", settings)):
        print(path)


@command
def claims(
    settings: Settings,
    study: Study = None,
    json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if one is contradicted.")] = False,
) -> None:
    """Show each claim of the report with its test and its verdict."""
    from autoencoders import claims as all_claims

    lab = _lab(settings, study)
    judged = all_claims.judge_all(lab)
    if json:
        print_json(lab.head, claims=[each.as_json() for each in judged])
    else:
        lab.announce()
        for each in judged:
            print(f"{each.verdict_corrected:13} {each.claim.requirement:4} {each.claim.id:28} {each.sentence}")
    if strict and any(each.verdict_corrected == "contradicted" for each in judged):
        raise typer.Exit(1)


@command
def graph(settings: Settings) -> None:
    """Print the dependency graph, from data to report, as Mermaid."""
    from autoencoders.lab import Lab
    from autoencoders.reporting import graph
    from autoencoders.reporting.book import embedded
    from autoencoders.settings import PROJECT

    print(graph.mermaid([Lab(settings, looks_only=True)], sorted(embedded(PROJECT))))


@command
def export(
    settings: Settings,
    names: Annotated[list[str], typer.Argument(help="Trained models, by name or pattern ('vae*').")],
    to: Annotated[Path, typer.Option("--to", help="The folder to write to.")],
    study: Study = None,
) -> None:
    """Write trained models for others: weights, ONNX files, a model card. Needs `pip install '.[export]'`."""
    from autoencoders import exporting

    for path in exporting.export(_lab(settings, study, looks_only=True), names, to):
        print(path)


@command
def pack(
    settings: Settings,
    names: Names = None,
    *,
    file: Annotated[Path, typer.Argument(help="What to write.")],
    study: Study = None,
) -> None:
    """Pack what the cache holds of a run into one file, for another machine with the same code and data."""
    from autoencoders import sharing

    sharing.pack(_lab(settings, study, looks_only=True), names, file)


@command
def unpack(settings: Settings, file: Annotated[Path, typer.Argument(help="What `pack` has written.")]) -> None:
    """Take into the cache what it lacks of such a file, each digest checked."""
    from autoencoders import sharing
    from autoencoders.lab import Lab

    sharing.unpack(Lab(settings, looks_only=True), file)


@command
def prune(
    settings: Settings,
    yes: Annotated[bool, typer.Option("--yes", help="Drop them; without it they are only listed.")] = False,
    really: Annotated[bool, typer.Option("--really", help="Also what took more than an hour.")] = False,
    older_than: Annotated[str | None, typer.Option(help="Only what is older, such as 30d.")] = None,
    larger_than: Annotated[str | None, typer.Option(help="Only what is larger, such as 100MB.")] = None,
) -> None:
    """Drop cached work that no profile's experiments refer to any more."""
    from autoencoders import inspection
    from autoencoders.lab import Lab

    def confirmed(question: str) -> bool:
        return really or (sys.stdin.isatty() and typer.confirm(question, err=True))

    which = inspection.only(older_than, larger_than)
    inspection.prune(Lab(settings, looks_only=True), drop=yes, confirmed=confirmed, which=which)


if __name__ == "__main__":
    app()
