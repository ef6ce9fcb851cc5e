"""Quarto is found, or installed once, or done without; and both renderers make the same report where it is there."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from reporting_sample import render, write_book

from autoencoders.errors import ReportError
from autoencoders.reporting import making, quarto
from autoencoders.settings import ENVIRONMENT, Settings

Patch = pytest.MonkeyPatch
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: Patch) -> Path:
    """An empty place for programs, and nothing else on the PATH; this Python lies elsewhere."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "env/python"))
    return folder


def failing(monkeypatch: Patch) -> list[str]:
    """Installations fail; what was to be installed."""
    attempts: list[str] = []

    def fails(package: str) -> str:
        attempts.append(package)
        return "no network"

    monkeypatch.setattr(quarto, "_install", fails)
    return attempts


def there() -> quarto.Quarto:
    found = quarto.find()
    assert found
    return found


def install(folder: Path, version: str, script: str = "") -> None:
    program = folder / "quarto"
    program.write_text(f'#!/bin/sh\nif [ "$1" = "--version" ]; then echo {version}; exit; fi\n{script}\n')
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("version", "enough"),
    [("1.9.0", True), ("1.9.17", True), ("1.10.2", True), ("2.0", True), ("1.8.27", False), ("0.9", False)],
)
def test_versions_are_compared_as_numbers(tools: Path, version: str, enough: bool) -> None:
    install(tools, version)
    found = quarto.find()
    assert found
    assert found.version == version
    assert found.recent_enough == enough


def test_no_quarto_is_found_where_there_is_none(tools: Path) -> None:
    assert quarto.find() is None


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense"])
def test_a_quarto_that_doesnt_run_is_none(tools: Path, script: str) -> None:
    (tools / "quarto").write_text(f"#!/bin/sh\n{script}\n")
    (tools / "quarto").chmod(0o755)
    assert quarto.find() is None


def test_a_failed_installation_is_told_once_and_remembered(
    tools: Path, tmp_path: Path, monkeypatch: Patch, capsys: Captured
) -> None:
    attempts = failing(monkeypatch)
    assert quarto.obtain(tmp_path) is None
    assert attempts == ["quarto-cli>=1.9"]
    capsys.readouterr()
    assert quarto.obtain(tmp_path) is None
    assert len(attempts) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "Quarto is not installed and can't be had here" in line
    assert "no network" in line
    assert "Pandoc and Typst" in line


def test_who_insists_gets_another_attempt_and_an_error(tools: Path, tmp_path: Path, monkeypatch: Patch) -> None:
    attempts = failing(monkeypatch)
    quarto.obtain(tmp_path)
    with pytest.raises(ReportError, match="no network"):
        quarto.obtain(tmp_path, insist=True)
    assert len(attempts) == 2


def test_an_old_quarto_is_called_old(tools: Path, tmp_path: Path, monkeypatch: Patch) -> None:
    install(tools, "1.8.27")
    failing(monkeypatch)
    with pytest.raises(ReportError, match=r"Quarto 1.8.27 is too old, 1.9 is needed"):
        quarto.obtain(tmp_path, insist=True)


def test_an_installed_quarto_is_used_and_a_failure_forgotten(tools: Path, tmp_path: Path, monkeypatch: Patch) -> None:
    failing(monkeypatch)
    quarto.obtain(tmp_path)
    monkeypatch.setattr(quarto, "_install", lambda package: install(tools, "1.9.3"))
    found = quarto.obtain(tmp_path, insist=True)
    assert found
    assert found.name == "Quarto 1.9.3"
    assert not (tmp_path / quarto.REMEMBERED).exists()


def test_an_installation_ends_in_bounded_time(monkeypatch: Patch) -> None:
    monkeypatch.setattr(quarto, "PATIENCE", 0.01)
    assert "no end after" in quarto._install("quarto-cli>=1.9")


def test_a_failing_render_tells_the_end_of_what_it_said(tools: Path, tmp_path: Path) -> None:
    install(tools, "1.9.3", "echo 'ERROR: in chapter two'; exit 1")
    with pytest.raises(ReportError, match="ERROR: in chapter two"):
        quarto.render(there(), tmp_path, {})


def test_the_pre_render_step_gets_this_python_and_the_settings_in_force(tools: Path, tmp_path: Path) -> None:
    install(tools, "1.9.3", 'echo "$GROUP $AE_PROFILE ${PATH%%:*} $PWD" > seen')
    settings = Settings(group="G07", profile="smoke", seeds=(0, 1))
    environment = making._environment(settings, *ENVIRONMENT)
    quarto.render(there(), tmp_path, environment)
    assert (tmp_path / "seen").read_text().split() == ["G07", "smoke", str(tmp_path / "env"), str(tmp_path)]
    assert environment["AE_SEEDS"] == "0 1"
    assert "AUTOENCODERS_DATA" not in environment  # none was given


def test_quarto_reads_authors_and_notice_from_a_file_of_its_own() -> None:
    import yaml

    values = {"group": "G07", "authors": "Ada Lovelace, Alan Turing"}
    plain = yaml.safe_load(making._for_quarto(values))
    assert plain == {"book": {"author": ["Group G07", "Ada Lovelace", "Alan Turing"]}}
    noticed = yaml.safe_load(making._for_quarto(values | {"notice": {"header": 'Stand-in "data"'}}))
    assert 'Stand-in "data"' in noticed["book"]["body-header"]
    ((header,),) = (noticed["format"]["typst"]["include-in-header"],)
    assert header["text"].startswith("#set page(foreground: ")


@pytest.mark.skipif(not (shutil.which("quarto") and quarto.find()), reason="Quarto is not here")
def test_both_renderers_show_the_same_figures_tables_and_references(tmp_path: Path) -> None:
    def shown(folder: Path) -> dict[str, set[str]]:
        text = "\n".join(path.read_text() for path in folder.rglob("*.html"))
        return {
            "labels": set(re.findall(r'id="((?:fig|tbl|eq|sec)-[\w-]+)"', text)),
            "references": set(re.findall(r">((?:Figure|Table|Section|Chapter)(?:&nbsp;|\s)[\dA-Z.]+)</", text)),
            "citations": set(re.findall(r'id="(ref-[\w-]+)"', text)),
        }

    book = write_book(tmp_path)
    render(book)
    ours = shown(book.output)
    quarto.render(there(), tmp_path, {})
    assert shown(book.output) == ours
