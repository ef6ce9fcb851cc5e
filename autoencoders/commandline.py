"""What all commands share: the options, and errors as one line with an exit code."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from autoencoders import compared, settings, startup
from autoencoders.console import log
from autoencoders.errors import InputError, ReportError, StorageError, TrainingError
from autoencoders.store.files import NO_ROOM

EXIT_CODES = {TrainingError: 1, ReportError: 1, InputError: 2, StorageError: 3}

_SHARED = "Options of all commands"
_COMPARED = "What is compared: lists, the first value for headlines"


def _shared_options(
    profile: Annotated[
        str | None, typer.Option(help="smoke, quick, evening, full or auto (AE_PROFILE).", rich_help_panel=_SHARED)
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="cifar10, cifar100, svhn, photos10, … or folder:PATH (AE_DATASET).", rich_help_panel=_SHARED),
    ] = None,
    image_size: Annotated[
        str | None, typer.Option(help="Of a folder's images, in pixels (AE_IMAGE_SIZE).", rich_help_panel=_SHARED)
    ] = None,
    edition: Annotated[
        str | None, typer.Option(help="Of the PDF: short, standard or full (AE_EDITION).", rich_help_panel=_SHARED)
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Names the PDF and the zip (GROUP).", rich_help_panel=_SHARED)
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the data sets lie (AUTOENCODERS_DATA).", rich_help_panel=_SHARED)
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where finished work is kept (AE_CACHE).", rich_help_panel=_SHARED)
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps (AE_DEVICE).", rich_help_panel=_SHARED)
    ] = None,
    jobs: Annotated[str | None, typer.Option(help="Trainings side by side (AE_JOBS).", rich_help_panel=_SHARED)] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Dask's: none, local or tcp://host:8786 (AE_SCHEDULER).", rich_help_panel=_SHARED),
    ] = None,
    remote: Annotated[
        str | None,
        typer.Option(
            help="Where machines share results: s3://…, ssh://… or file:///… (AE_REMOTE).", rich_help_panel=_SHARED
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(help="Two files of `results --json`: a page of the site (AE_COMPARE).", rich_help_panel=_SHARED),
    ] = None,
    strict_environment: Annotated[
        bool | None,
        typer.Option(
            "--strict-environment/--any-environment",
            help="Whether what other versions or another device made is stale (AE_STRICT_ENVIRONMENT).",
            rich_help_panel=_SHARED,
        ),
    ] = None,
) -> None:
    """Each overrides its environment twin, which overrides params.yml; nothing that a flag says is persisted."""


def _lists() -> dict[str, inspect.Parameter]:
    """An option for each list of what is compared."""
    return {
        name: inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(help=f"{_sentence(one)} ({settings.ENVIRONMENT[name]}).", rich_help_panel=_COMPARED),
            ],
        )
        for name, one in compared.PARAMETERS.items()
    }


def _sentence(parameter: compared.Parameter) -> str:
    return f"{parameter.what[0].upper()}{parameter.what[1:]}, such as {parameter.example}"


def registrar(app: typer.Typer) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator: the function becomes a command with the shared options, and is handed the settings they make."""
    shared = {**inspect.signature(_shared_options, eval_str=True).parameters, **_lists()}

    def command(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

        @functools.wraps(function)
        def run(**arguments: Any) -> None:
            flags = {name: arguments.pop(name) for name in shared}
            with_exit_code(lambda: function(settings.load(**flags), **arguments))

        keyword_only = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own, *shared.values())]
        run.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]
        del run.__wrapped__  # typer would look through it, at the wrong signature
        run.__annotations__ = {p.name: p.annotation for p in keyword_only}
        app.command()(run)
        return run

    return command


def with_exit_code(action: Callable[[], None]) -> None:
    """A mistake that a person can mend is one line on stderr and an exit code, never a traceback."""
    try:
        with startup.Interruptible():
            action()
    except KeyboardInterrupt:
        raise typer.Exit(startup.INTERRUPTED) from None
    except tuple(EXIT_CODES) as error:
        log(f"error: {error}")
        raise typer.Exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))) from None
    except OSError as error:
        if error.errno not in NO_ROOM and not error.filename:
            raise  # a closed pipe for example, which is no mistake
        log(f"error: {error.filename or 'the disk'}: {error.strerror}")
        raise typer.Exit(EXIT_CODES[StorageError if error.errno in NO_ROOM else TrainingError]) from None
