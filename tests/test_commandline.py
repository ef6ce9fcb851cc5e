"""Options, exit codes and JSON, apart from what any command does."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from autoencoders import commandline, compared, settings
from autoencoders.console import print_json
from autoencoders.data import UnavailableError
from autoencoders.errors import InputError, ReportError, StorageError, TrainingError
from autoencoders.lab import Lab
from autoencoders.settings import Settings


@pytest.fixture(autouse=True)
def no_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    for twin in settings.ENVIRONMENT.values():
        monkeypatch.delenv(twin, raising=False)


class App:
    """A command line of two commands; what they are handed is kept."""

    def __init__(self, fails: BaseException | None = None) -> None:
        self.app, self.seen = typer.Typer(), []  # type: ignore[var-annotated]
        command = commandline.registrar(self.app)

        @command
        def act(
            settings: Settings,
            names: Annotated[list[str] | None, typer.Argument()] = None,
            loud: Annotated[bool, typer.Option("--loud")] = False,
        ) -> None:
            """Act."""
            self.seen.append((settings, names, loud))
            print("done")
            if fails is not None:
                raise fails

        @command
        def rest(settings: Settings) -> None:
            """Rest."""

    def __call__(self, *arguments: str, **environment: str) -> Any:
        return CliRunner().invoke(self.app, [*arguments], env=environment)


def test_command_is_handed_settings_and_its_own_arguments() -> None:
    app = App()
    found = app("act", "ae-*", "vae", "--loud", "--group", "G07", "--seeds", "1,2", "--jobs", "3")
    assert (found.exit_code, found.stdout, found.stderr) == (0, "done\n", "")
    [(given, names, loud)] = app.seen
    assert (given.group, given.seeds, given.jobs) == ("G07", (1, 2), 3)
    assert (list(names), loud) == (["ae-*", "vae"], True)


def test_flags_override_the_environment_and_are_forgotten() -> None:
    app = App()
    for arguments in (["--group", "G07"], []):
        assert app("act", *arguments, GROUP="G01").exit_code == 0
    assert [given.group for given, *_ in app.seen] == ["G07", "G01"]


def test_wrong_settings_reach_no_command() -> None:
    app = App()
    found = app("act", "--jobs", "0")
    assert (found.exit_code, found.stdout, app.seen) == (2, "", [])
    assert found.stderr == "error: jobs '0': must be auto or a whole number from 1 to 1000\n"


LISTS = {  # of what is compared: a value, what it means, and one that is refused
    "sigmas": ("0.2,0.1", (0.2, 0.1), "0"),
    "unseen": ("none", (), "0.2,0.2"),
    "ratios": ("0.6", (0.6,), "1"),
    "latents": ("24,40", (24, 40), "0"),
    "betas": ("2,0.5", (2.0, 0.5), "-1"),
    "arithmetic": ("a - b + c, d - e + f", (("a", "b", "c"), ("d", "e", "f")), "a - b"),
    "seeds": ("3,5", (3, 5), "1,1"),
}


def test_every_list_is_tried() -> None:
    assert LISTS.keys() == compared.PARAMETERS.keys()


@pytest.mark.parametrize("name", LISTS)
def test_what_is_compared_comes_by_flag_or_environment(name: str) -> None:
    app, twin = App(), settings.ENVIRONMENT[name]
    value, meant, wrong = LISTS[name]
    assert twin == f"AE_{name.upper()}"
    for arguments, environment in (
        ([f"--{name}", value], {}),
        ([], {twin: value}),
        ([f"--{name}", value], {twin: wrong}),
    ):
        assert app("act", *arguments, **environment).exit_code == 0
    assert [getattr(given, name) for given, *_ in app.seen] == [meant] * 3
    for arguments, environment in (([f"--{name}", wrong], {}), ([], {twin: wrong})):
        found = app("act", *arguments, **environment)
        assert found.exit_code == 2
        assert re.fullmatch(rf"error: {name} '{wrong}': must be auto, .* such as .*\n", found.stderr)
    assert len(app.seen) == 3


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["--group"], ["--loud=3"]])
def test_wrong_usage(arguments: list[str]) -> None:
    assert App()("act", *arguments).exit_code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TrainingError("it diverged"), 1),
        (ReportError("it diverged"), 1),
        (InputError("it diverged"), 2),
        (UnavailableError("it diverged", "no network"), 2),
        (StorageError("it diverged"), 3),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(error: Exception, code: int) -> None:
    found = App(error)("act")
    assert (found.exit_code, found.stderr) == (code, "error: it diverged\n")


def test_interruption_says_how_to_go_on() -> None:
    found = App(KeyboardInterrupt())("act")
    assert found.exit_code == 130
    assert found.stderr == "interrupted: finished work is kept, and the same command goes on from there\n"


def test_bugs_are_not_hidden() -> None:
    found = App(RuntimeError("a bug"))("act")
    assert found.exit_code == 1
    assert isinstance(found.exception, RuntimeError)


def test_help_lists_every_shared_option_with_its_twin() -> None:
    text = App()("act", "--help", COLUMNS="200", TERM="dumb").stdout
    for name, twin in settings.ENVIRONMENT.items():
        [line] = [line for line in text.splitlines() if f"--{name.replace('_', '-')} " in line]
        assert twin in line
    assert "--loud" in text


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(
        Settings(profile="smoke", dataset="photos10", group="G07", device="cpu", cache=tmp_path), looks_only=True
    )


def test_json_alone_in_one_envelope(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    print_json(lab.head, rows=[])
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {
        "schema": 1,
        "profile": "smoke",
        "dataset": "photos10",
        "group": "G07",
        "device": "cpu",
        "rows": [],
    }


def test_json_has_null_for_what_it_does_not_know(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    print_json(lab.head, a=math.nan, b=[math.inf, {"c": (-math.inf, 1.5)}], d="NaN", e=0.0, f=None, g=True)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert found.items() >= {"a": None, "d": "NaN", "e": 0.0, "f": None, "g": True}.items()
    assert found["b"] == [None, {"c": [None, 1.5]}]


def test_announcing_a_run(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.announce()
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "profile smoke (seconds, for tests: the numbers mean nothing) · photos10 · seeds 0 · cpu\n"
