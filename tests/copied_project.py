"""The command line, as a person has it: in a copy of the project, with a cache of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoencoders import settings

SELDOM = {"fsspec", "s3fs", "paramiko", "onnx", "onnxscript", "safetensors"}  # what only sharing and exporting need
SELDOM |= {"autoencoders.sharing", "autoencoders.exporting", "autoencoders.store.archive"}


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    """What a command imported, by `PYTHONPROFILEIMPORTTIME`."""
    return set(re.findall(r"^import time:.*\|\s*(\S+)$", done.stderr, re.MULTILINE))


@dataclass(frozen=True)
class Project:
    """A copy of the project with a cache: nothing that is done to them reaches anybody else."""

    folder: Path
    cache: Path

    def command(self, *arguments: str) -> list[str]:
        """Whatever the arguments don't say is fixed; of an option that is given twice, the last one counts."""
        command, *rest = arguments
        fixed = ["--profile", "smoke", "--dataset", "photos10", "--device", "cpu", "--cache", str(self.cache)]
        return [sys.executable, "pipeline.py", command, *fixed, *rest]

    def environment(self, **twins: str) -> dict[str, str]:
        """Without anybody's settings, and with one thread: workers that share cores wait for each other otherwise."""
        foreign = {name: value for name, value in os.environ.items() if name not in settings.ENVIRONMENT.values()}
        return foreign | {"OMP_NUM_THREADS": "1"} | twins

    def __call__(self, *arguments: str, **twins: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd=self.folder, env=self.environment(**twins), capture_output=True, text=True
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        """What a command prints, which must be JSON as everybody reads it."""
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} isn't JSON")

        return json.loads(done.stdout, parse_constant=refuse)

    def states(self, *names: str) -> dict[str, dict[str, Any]]:
        """Each experiment's standing, by name."""
        return {standing["name"]: standing for standing in self.json("status", *names)["experiments"]}

    def copy(self, folder: Path, *, cache: Path | None = None) -> Project:
        """Another copy, to be edited; it shares the cache unless it is given its own."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
        return Project(folder, cache or self.cache)

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        source = path.read_text(encoding="utf-8")
        assert source.count(old) == 1, f"{file} has {source.count(old)} times {old!r}"
        path.write_text(source.replace(old, new), encoding="utf-8")


def copied(folder: Path) -> Project:
    """The code, the notebooks and the chapters alone: no data, and no `params.yml` that somebody may have edited."""
    folder.mkdir(parents=True)
    shutil.copy(settings.PROJECT / "pipeline.py", folder)
    shutil.copytree(
        settings.PROJECT / "autoencoders", folder / "autoencoders", ignore=shutil.ignore_patterns("__pycache__")
    )
    made = shutil.ignore_patterns("cache", "_variables.yml", ".*")
    for name in ("analysis", "report"):
        shutil.copytree(settings.PROJECT / name, folder / name, ignore=made)
    for name in ("_quarto.yml", "index.qmd", "references.bib"):
        shutil.copy(settings.PROJECT / name, folder)
    return Project(folder, folder.parent / "cache")


@dataclass(frozen=True)
class Run:
    """A finished `pipeline.py run` of everything; its cache is read by many tests, and changed by none."""

    project: Project
    stdout: str
    stderr: str
