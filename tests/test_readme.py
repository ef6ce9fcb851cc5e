"""What the README and its companions say, held equal to the files and commands that they speak of."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import pipeline
from autoencoders.profiles import PROFILES
from autoencoders.reporting import submission

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")


def table(text: str, first_column: str) -> list[list[str]]:
    """The rows of the Markdown table whose first column has that heading."""
    (body,) = re.findall(rf"^\| {first_column} \|.*\n\|[-:|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in body.splitlines()]


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    """The run that the README quotes."""
    (path,) = re.findall(r"\((benchmarks/reference-\S+\.json)\)", README)
    return json.loads((PROJECT / path).read_text(encoding="utf-8"))


# ── The README's results ─────────────────────────────────────────────────────────────────────────────────────────────


def quoted(values: list[float], unit: str) -> str:
    scale, digits = (100, 1) if unit == "%" else (1, 2)
    mean, low, high = (f"{scale * value:.{digits}f}" for value in (statistics.mean(values), min(values), max(values)))
    return f"{mean} {unit} [{low}, {high}]"


def test_readme_quotes_values_of_the_reference_run(reference: dict[str, Any]) -> None:
    rows = table(README, "model")
    assert len(rows) == 5
    for model, shown, measured, value, minutes in rows:
        experiment, seen, metric = re.findall(r"`(\S+?)`", f"{model} {shown} {measured}")
        wanted = {"experiment": experiment, "input": seen, "metric": metric, "region": "all", "split": "test"}
        found = [row for row in reference["rows"] if wanted.items() <= row.items()]
        assert value == quoted([row["value"] for row in found], unit=value.split()[1])
        assert [(row["seed"], row["n"]) for row in found] == [(seed, 10_000) for seed in (0, 1, 2)]
        seconds = [each["seconds"] for each in reference["trainings"] if each["experiment"] == experiment]
        assert minutes == f"{statistics.mean(seconds) / 60:.0f}"


def test_readme_quotes_times_to_quality() -> None:
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in PROJECT.glob("benchmarks/results-*.json")]
    found = {name: each for results in kept for name, each in results.items() if name.startswith("quality-")}
    rows = table(README, "family")
    assert {f"quality-{re.findall('`(.+)`', family)[0]}" for family, *_ in rows} == found.keys()
    for family, _, ours, plain in rows:
        times = found[f"quality-{re.findall('`(.+)`', family)[0]}"]
        assert float(ours) == times["ours"]["seconds"]
        assert plain == f"{'' if times['plain']['reached'] else 'more than '}{times['plain']['seconds']}"


def test_readme_names_profile_hardware_and_hours_of_the_reference_run(reference: dict[str, Any]) -> None:
    sentences = re.search(
        r"^Profile `(\w+)`, (\S+), two cores of an (.+), one thread a training: (\d+) trainings and all that is "
        r"measured of them took (\d+\.\d) hours of a core\.",
        README,
        re.MULTILINE,
    )
    assert sentences
    profile, dataset, device, count, hours = sentences.groups()
    trainings = reference["trainings"]
    assert (profile, dataset) == (reference["profile"], {"cifar10": "CIFAR-10"}[reference["dataset"]])
    assert {(training["device"], training["threads"]) for training in trainings} == {(device, 1)}
    assert int(count) == len(trainings)
    assert hours == f"{reference['seconds'] / 3600:.1f}"


# ── Its commands and profiles ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_documents_name_only_commands_that_exist(document: str) -> None:
    text = (PROJECT / document).read_text(encoding="utf-8")
    commands = set(re.findall(r"pipeline\.py ([a-z]+)", text))
    targets = {name for names in re.findall(r"(?:`|^)make ([a-z ]+)", text, re.MULTILINE) for name in names.split()}
    assert commands <= set(typer.main.get_command(pipeline.app).commands)  # type: ignore[attr-defined]
    assert targets
    assert targets <= set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


def test_readme_lists_every_command_but_the_renderers_own() -> None:
    listed = set(re.findall(r"pipeline\.py ([a-z]+)", README)) | set(re.findall(r"make ([a-z]+)", README))
    assert set(typer.main.get_command(pipeline.app).commands) - listed == {"prepare"}  # type: ignore[attr-defined]


def test_readme_lists_every_profile_with_its_seeds() -> None:
    listed = {name.strip("`"): int(seeds) for name, _, seeds in table(README, "profile")}
    assert listed == {name: len(profile.seeds) for name, profile in PROFILES.items()}


# ── The files beside it ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("schema", "file"),
    [("github-workflows", ".github/workflows/report.yml"), ("citation-file-format", "CITATION.cff")],
)
def test_file_follows_its_published_schema(schema: str, file: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", file]
    checked = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_workflow_runs_the_checks_before_it_publishes_the_report() -> None:
    workflow = yaml.safe_load((PROJECT / ".github/workflows/report.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    runs = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert "make lint test" in runs["check"]
    assert "make report PROFILE=quick" in runs["report"]
    assert (jobs["report"]["needs"], jobs["publish"]["needs"]) == ("check", "report")
    steps = {step["uses"].partition("@")[0]: step["with"] for step in jobs["report"]["steps"] if "with" in step}
    assert "cache" in steps["actions/cache"]["path"].split()
    assert steps["actions/upload-pages-artifact"]["path"] == "_book"


def test_pre_commit_runs_the_ruff_of_make_lint() -> None:
    config = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (local,) = config["repos"]
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    hooks = {re.sub(r" --\S+", "", hook["entry"]) for hook in local["hooks"]}
    linted = re.findall(r"^\t@\$\(PYTHON\) (-m ruff \w+)", MAKEFILE, re.MULTILINE)
    assert hooks == {f".venv/bin/python {command}" for command in linted}


def test_version_and_licence_are_the_same_everywhere() -> None:
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    project = PYPROJECT["project"]
    released = re.findall(r"^## \[(\d\S+)\] - (\S+)$", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert released[0] == (citation["version"], str(citation["date-released"]))
    assert (PROJECT / "LICENSE").read_text().startswith(f"{project['license']} License")
    assert "LICENSE" in submission.FILES


def test_architecture_lists_the_layers_that_lint_imports_checks() -> None:
    contract = PYPROJECT["tool"]["importlinter"]["contracts"][0]
    layers = [re.findall(r"\w+", layer) for layer in contract["layers"]]
    listed = [
        re.findall(r"`(\w+)`", cells[0]) for cells in table((PROJECT / "docs/architecture.md").read_text(), "layer")
    ]
    assert listed == layers
