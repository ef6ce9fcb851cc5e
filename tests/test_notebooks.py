"""The notebooks as people run them: by the plain `papermill` command, on a cache that a smoke run has filled."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest
from copied_project import Project, Run
from made_report import Made

from autoencoders import compared, paragraphs
from autoencoders.corruption import gaussian
from autoencoders.models import Masked
from autoencoders.notebook import source
from autoencoders.reporting.book import embedded
from autoencoders.reporting.notebook_files import NotebookFile
from autoencoders.settings import PROJECT

NOTEBOOKS = {path.stem: NotebookFile.read(path) for path in sorted((PROJECT / "analysis").glob("*.ipynb"))}
ASSIGNED = sorted(embedded(PROJECT))
REQUIRED = {1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 25, 27, 39} | set(
    range(28, 33)
)


def papermill(project: Project, name: str, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papermill", f"{PROJECT}/analysis/{name}.ipynb", str(out), "-k", "python3"]
    twins = {"AE_PROFILE": "smoke", "AE_DATASET": "photos10", "AE_CACHE": str(project.cache), "AE_DEVICE": "cpu"}
    environment = project.environment(PYTHONPATH=str(project.folder), **twins)
    return subprocess.run([*command, *arguments], cwd=project.folder, env=environment, capture_output=True, text=True)


def entries(project: Project) -> dict[str, str]:
    """The kind and name of each artifact, by key."""
    records = (json.loads(path.read_text()) for path in project.cache.glob("artifacts/*/record.json"))
    return {record["key"]: f"{record['kind']} {record['name']}" for record in records}


def test_papermill_takes_everything_from_a_warm_cache(smoke: Run, tmp_path: Path) -> None:
    project = smoke.project.copy(tmp_path / "project")
    before = entries(smoke.project)
    done = papermill(project, "01-autoencoder", tmp_path / "out.ipynb")
    assert done.returncode == 0, done.stderr[-2000:]
    assert entries(smoke.project) == before, "what the notebooks need is what `run` makes"


@pytest.mark.parametrize("name", ASSIGNED)
def test_notebook_shows_every_figure_and_table(smoke: Run, made: Made, name: str) -> None:
    assert entries(made.project) == entries(smoke.project), "what the notebooks need is what `run` makes"
    executed = NotebookFile.read(made.project.folder / f"cache/notebooks/{name}.ipynb")
    labelled = [cell for cell in executed.cells if cell.label]
    assert labelled
    for cell in labelled:
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        assert ("image/svg+xml" if cell.label.startswith("fig-") else "text/markdown") in kinds, cell.label


def test_notebook_trains_only_what_is_missing(smoke: Run, tmp_path: Path) -> None:
    project = smoke.project.copy(tmp_path / "project", cache=tmp_path / "cache")
    shutil.copytree(smoke.project.cache, project.cache)
    before = entries(project)
    done = papermill(project, "02-denoising", tmp_path / "out.ipynb", "-p", "sigmas", "[0.3, 0.2]")
    assert done.returncode == 0, done.stderr[-2000:]
    made = [entry for key, entry in entries(project).items() if key not in before]
    assert [entry for entry in made if entry.startswith("training")] == ["training smoke/photos10/dae-vector-0.2@0"]
    assert all("0.2" in entry for entry in made), made


def test_notebook_refuses_a_wrong_parameter(smoke: Run, tmp_path: Path) -> None:
    done = papermill(smoke.project, "02-denoising", tmp_path / "out.ipynb", "-p", "sigma", "0.2")
    assert done.returncode != 0
    assert "no parameter is called sigma; there are: profile, dataset, seeds, sigmas, unseen, ratios, " in done.stderr


def test_notebook_help_lists_the_parameters(smoke: Run, tmp_path: Path) -> None:
    done = papermill(smoke.project, "02-denoising", tmp_path / "out.ipynb", "--help-notebook")
    assert done.returncode == 0, done.stderr
    for name, declared in {"sigmas": 'object (default "auto")', "examples": "int (default 6)"}.items():
        assert f"{name}: {declared}" in " ".join(done.stdout.split())
    assert "noise levels of the denoisers" in " ".join(done.stdout.split())


# ── As they are committed ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("notebook", NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_notebooks_are_committed_clean(notebook: NotebookFile) -> None:
    assert not any(cell.outputs for cell in notebook.cells), "outputs are made, not committed"
    assert {"profile", "seeds"} <= notebook.parameters.keys()
    for name in ("dataset", *compared.PARAMETERS):
        assert (name in notebook.parameters) == (name == "seeds" or notebook.name in ASSIGNED), "a study has its own"
    for cell in notebook.cells:
        if cell.label.startswith("fig-"):
            assert cell.options.get("fig-cap"), cell.label
            assert cell.options.get("fig-alt"), cell.label
        elif cell.label:
            assert cell.options.get("tbl-cap"), cell.label
        assert not re.search(r"^\s*(import|from) (torch|matplotlib|sklearn)", cell.code, re.MULTILINE)


@pytest.mark.parametrize("notebook", NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_notebooks_open_with_a_question_and_end_with_an_answer(notebook: NotebookFile) -> None:
    assert re.match(r"# .+\n\n\*\*[^*]+\?\*\*", notebook.cells[0].source)
    headings = [cell.source.split("\n")[0] for cell in notebook.cells if cell.source.startswith("## ")]
    assert headings[-2:] == ["## What was found", "## Where the numbers come from"]
    folder = PROJECT / ("report" if notebook.name in ASSIGNED else "report/studies") / "paragraphs"
    code = "\n".join(cell.code for cell in notebook.cells if cell.kind == "code")
    asked = re.findall(r'"([\w-]+)"', "".join(re.findall(r"nb\.answer\((.*?)\)", code, re.DOTALL)))
    assert set(asked) <= paragraphs.read(folder).keys()
    assert asked or "nb.tuning_kept()" in code


def test_source_is_shown_as_it_stands_in_its_file() -> None:
    shown = source(Masked.losses, gaussian).text
    blocks = re.findall(r"`([\w.]+)` in `(\S+)`:\n\n```python\n(.*?)```", shown, re.DOTALL)
    names = [("Masked.losses", "autoencoders/models/masked.py"), ("gaussian", "autoencoders/corruption.py")]
    assert [(name, file) for name, file, _ in blocks] == names
    for _, file, block in blocks:
        text = dedent((PROJECT / file).read_text(encoding="utf-8"))
        assert block in text or indent(block, "    ") in text
        assert block.startswith("def ")


def test_requirements_have_a_figure_or_table_in_the_report() -> None:
    labels = {cell.label for notebook in NOTEBOOKS.values() for cell in notebook.cells if cell.label}
    answered = {int(label.split("-")[1][1:]) for label in labels if label.split("-")[1][0] == "r"}
    assert answered >= REQUIRED, sorted(REQUIRED - answered)
    paths = (PROJECT / "index.qmd", *(PROJECT / "report").rglob("*.qmd"))
    chapters = "".join(path.read_text(encoding="utf-8") for path in paths)
    assert not [label for label in labels if f"#{label} >}}}}" not in chapters]
