"""The notebooks as people work in them: one kernel, in which cells run again, in another order, with other values."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from copied_project import Run
from nbclient import NotebookClient

from autoencoders.reporting.book import embedded
from autoencoders.running.cells import PASSING
from autoencoders.settings import PROJECT

HELPERS = """
import math
from pathlib import Path

mine = 5
notes: dict[str, float] = {}


def helper() -> int:
    return mine
"""
CHANGES = {  # a parameter of each, with another value that needs no further training
    "01-autoencoder": ("pairs", 40),
    "02-denoising": ("examples", 4),
    "03-vae": ("examples", 4),
    "04-masked": ("heatmaps", 3),
    "05-comparison": ("unseen", [0.2]),
    "06-tuning": ("seeds", [0]),
    "07-digits": ("paths", 2),
    "08-bottleneck-transfer": ("examples", 4),
    "09-compact-denoiser": ("examples", 4),
}


class Kernel:
    """A plain kernel with a notebook's cells."""

    def __init__(self, client: NotebookClient) -> None:
        self.client = client
        self.cells = [cell for cell in client.nb.cells if cell.cell_type == "code"]
        (self.parameters,) = (cell for cell in self.cells if "parameters" in cell.metadata.get("tags", ()))
        (self.begin,) = (cell for cell in self.cells if "notebook.begin" in cell.source)
        self.shown = [cell for cell in self.cells if cell.source.startswith("#| label:")]

    def run(self, cells: Iterable[Any]) -> None:
        for cell in cells:
            self.client.execute_cell(cell, self.client.nb.cells.index(cell))

    def run_source(self, source: str) -> str:
        """What a cell that somebody adds says."""
        cell = nbformat.v4.new_code_cell(source)
        self.client.nb.cells.append(cell)
        self.run([cell])
        return "".join(output.get("text", "") for output in cell.outputs)

    def outputs(self) -> dict[str, str]:
        """What each labelled cell shows, without progress and what matplotlib makes anew each time."""
        texts = {cell.source.split("\n")[0]: json.dumps([*filter(lasting, cell.outputs)]) for cell in self.shown}
        return {
            label: re.sub(r"\b[a-z]+[0-9a-f]{10}\b|execution_count\W+\d+", "", text) for label, text in texts.items()
        }


def lasting(output: dict[str, Any]) -> bool:
    return not PASSING.items() <= output.get("metadata", {}).items()


@contextmanager
def kernel(run: Run, name: str) -> Iterator[Kernel]:
    project = run.project
    twins = {"AE_PROFILE": "smoke", "AE_DATASET": "photos10", "AE_CACHE": str(project.cache), "AE_DEVICE": "cpu"}
    notebook = nbformat.read(PROJECT / f"analysis/{name}.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=600, kernel_name="python3")
    environment = project.environment(PYTHONPATH=str(project.folder), **twins)
    with client.setup_kernel(cwd=str(project.folder), env=environment):
        yield Kernel(client)


@pytest.fixture
def mine(smoke: Run, tmp_path: Path) -> Run:
    """A run whose cache may be added to."""
    project = smoke.project.copy(tmp_path / "project", cache=tmp_path / "cache")
    shutil.copytree(smoke.project.cache, project.cache)
    return Run(project, "", "")


@pytest.mark.scenario
@pytest.mark.parametrize("name", CHANGES)
def test_notebook_lives_in_one_kernel(smoke: Run, mine: Run, name: str) -> None:
    parameter, value = CHANGES[name]
    with kernel(smoke if name in embedded(PROJECT) and parameter != "unseen" else mine, name) as live:
        live.run([live.parameters])
        live.run_source(HELPERS)
        live.run(live.cells)
        first = live.outputs()
        live.run(live.cells)
        assert live.outputs() == first, "Run All again shows the same"
        line = re.compile(rf"^({parameter}: [\w\[\]]+) = .*?(?=  #)", re.MULTILINE)
        live.parameters.source, changed = line.subn(rf"\1 = {value}", live.parameters.source)
        assert changed == 1
        live.run([live.parameters, live.begin])
        assert live.run_source(f"print(nb.p.{parameter})").strip() == str(value)
        live.run(cell for cell in live.cells[2:] if cell not in live.shown)
        live.run(reversed(live.shown))
        assert all(cell.outputs for cell in live.shown)
