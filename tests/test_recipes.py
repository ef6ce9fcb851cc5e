"""The recipes of `docs/adding.md`, carried out as they stand on a copy of the project."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from copied_project import Project, Run

from autoencoders.settings import PROJECT

RECIPES = PROJECT / "docs" / "adding.md"


@pytest.fixture
def own(smoke: Run, tmp_path: Path) -> Project:
    """A copy of a project in which everything was run, with a cache of its own."""
    shutil.copytree(smoke.project.cache, tmp_path / "cache")
    return smoke.project.copy(tmp_path / "code", cache=tmp_path / "cache")


def carry_out(recipe: str, project: Project) -> list[str]:
    """Write the files and lines of a recipe and run its commands; return what the commands print."""
    section = RECIPES.read_text(encoding="utf-8").split(f"## {recipe}\n")[1].split("\n## ")[0]
    printed = []
    for kind, file, content in re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```", section, re.DOTALL | re.MULTILINE):
        if kind == "python":
            (project.folder / file).parent.mkdir(exist_ok=True)
            (project.folder / file).write_text(content, encoding="utf-8")
        elif kind == "diff":
            lines = content.splitlines(keepends=True)
            project.edit(file, "".join(x[1:] for x in lines if x[0] == " "), "".join(x[1:] for x in lines))
        else:
            printed += [_printed(project, *shlex.split(command)) for command in content.splitlines()]
    return printed


def _printed(project: Project, python: str, script: str, *arguments: str) -> str:
    assert (python, script) == ("python", "pipeline.py")
    done = project(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def states(project: Project) -> dict[str, str]:
    status = project.json("status")
    return {each["name"]: each["state"] for each in status["experiments"] + status["measurements"]}


def page_on_noise(project: Project) -> str:
    script = (
        "import pathlib, sys; from autoencoders.explore import noise_page; from autoencoders.lab import Lab; "
        "from autoencoders.settings import Settings; cache = pathlib.Path(sys.argv[1]); "
        "lab = Lab(Settings(profile='smoke', dataset='photos10', device='cpu', cache=cache)); "
        "print(noise_page.page(lab, None).body)"
    )
    command = [sys.executable, "-c", script, str(project.cache)]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_recipe_adds_a_model(own: Project) -> None:
    before = states(own)
    assert set(before.values()) == {"cached"}
    _, printed = carry_out("A model", own)
    assert "psnr_mean" in printed
    rows = own.json("results", "mine")["rows"]
    assert {row["model"] for row in rows} == {"Mine"}
    assert {"mse", "ssim", "probe_linear", "purity", "auroc_negative"} <= {row["metric"] for row in rows}
    assert re.search("The model mine can't run in a browser: .*MaxPool2d", page_on_noise(own))
    after = states(own)
    assert {name: state for name, state in after.items() if name.split()[0] != "mine"} == before
    assert {state for name, state in after.items() if name.split()[0] == "mine"} == {"cached"}
    own.edit("autoencoders/models/mine.py", "nn.MaxPool2d(4)", "nn.AvgPool2d(4)")
    assert {name.split()[0] for name, state in states(own).items() if state == "stale"} == {"mine"}


def test_recipe_adds_a_measurement(own: Project) -> None:
    before = states(own)
    assert "brightness" in carry_out("A measurement", own)[-1]
    after = states(own)
    assert {name: state for name, state in after.items() if not name.endswith(" brightness")} == before
    own.edit("autoencoders/measurements/brightness.py", ".mean((1, 2, 3))", ".abs().mean((1, 2, 3))")
    assert {name for name, state in states(own).items() if state == "stale"} == {"ae-vector brightness"}


def test_recipe_adds_a_study(own: Project) -> None:
    before = states(own)
    _, printed = carry_out("A study", own)
    assert {"mine-clean", "mine-noisy", "baseline/input"} <= set(printed.split())
    assert states(own) == before
