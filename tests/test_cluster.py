"""Dask's workers make what this process would make, or are refused; a lost worker's task is made by another."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from copied_project import Project
from waiting import PATIENCE, until

from autoencoders.errors import InputError
from autoencoders.running import cluster
from autoencoders.running.cluster import Introduction


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ""),
        ({"code": {"models.ConvAE": "x", "training.train": "b"}}, "other code (models.ConvAE)"),
        ({"code": {"training.train": "b"}}, "other code (models.ConvAE)"),
        ({"data": {"cifar10": "other"}}, "other data (cifar10)"),
        ({"cache": "nothing"}, "another cache folder"),
        ({"data": {}, "cache": "-"}, "other data (cifar10), another cache folder"),
    ],
)
def test_mismatch_names_what_differs(change: dict, expected: str) -> None:
    own = {"code": {"models.ConvAE": "a", "training.train": "b"}, "data": {"cifar10": "d"}, "cache": "word"}
    assert cluster._differences(Introduction("here", **own), Introduction("there", **(own | change))) == expected


def test_missing_scheduler_is_one_clear_error(tmp_path: Path) -> None:
    nobody = "tcp://127.0.0.1:9"
    with pytest.raises(InputError, match=f"no scheduler answers at {nobody}"), cluster.connected(nobody, 1):
        pass


def test_missing_dask_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(InputError, match=r"pip install '\.\[cluster\]'"), cluster.connected("local", 1):
        pass


@contextmanager
def scheduler(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """As a person starts one; it chooses a port."""
    file = folder / "scheduler.json"
    command = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    with running([*command, "--scheduler-file", str(file)], folder, environment):
        yield json.loads(awaited(file))["address"]


@contextmanager
def worker(address: str, project: Project) -> Iterator[None]:
    """In a folder of its own, as on a machine of its own, with whatever code lies there."""
    command = ["-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    with running(command, project.folder, project.environment(PYTHONPATH=str(project.folder))):
        yield


@contextmanager
def running(arguments: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def awaited(file: Path) -> str:
    return until(lambda: file.exists() and file.read_text())


def keys(project: Project) -> set[str]:
    return {path.name for path in (project.cache / "artifacts").iterdir()}


def test_workers_with_other_code_are_refused_and_others_do_the_work(project: Project, tmp_path: Path) -> None:
    here = project.copy(tmp_path / "here", cache=tmp_path / "cache")
    there = here.copy(tmp_path / "there")
    other = here.copy(tmp_path / "other")
    other.edit("autoencoders/models/base.py", "return images * 2 - 1", "return images * 2 - 1.0")
    with scheduler(tmp_path, here.environment()) as address:
        none = here("run", "tune-base", "--scheduler", address)
        assert none.returncode == 2
        assert "no workers yet" in none.stderr
        with worker(address, other):
            refused = until_met(here, address)
        assert refused.returncode == 2
        assert re.search(r"these workers would make .*:\n +worker tcp://.*: other code \(.*centred\)", refused.stderr)
        assert not (here.cache / "artifacts").exists(), "nothing was made by the other code"
        with worker(address, there):
            done = until_met(here, address)
    assert done.returncode == 0, done.stderr
    assert here.states("tune-base")["tune-base"]["state"] == "cached"


def until_met(project: Project, address: str) -> subprocess.CompletedProcess[str]:
    """Workers take a while to join, and others to be missed."""
    for _ in range(30):
        done = project("run", "tune-base", "--scheduler", address)
        if "no workers yet" not in done.stderr:
            return done
    raise AssertionError("the worker never joined")


def test_task_of_a_killed_worker_is_made_by_another(project: Project, tmp_path: Path) -> None:
    mine = project.copy(tmp_path / "mine", cache=tmp_path / "cache")
    mine.edit("autoencoders/training.py", "CHECKPOINT_SECONDS = 30.0", "CHECKPOINT_SECONDS = 0.2")
    mine.edit("autoencoders/profiles.py", '"vector": 1, "spatial": 1', '"vector": 30, "spatial": 1')
    command = mine.command("run", "ae-vector", "vae", "--scheduler", "local", "--jobs", "2")
    with subprocess.Popen(command, cwd=mine.folder, env=mine.environment(), stderr=subprocess.PIPE, text=True) as run:
        threading.Thread(target=kill_a_trainer, args=(mine.cache, run.pid), daemon=True).start()
        _, stderr = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, stderr
    assert (tmp_path / "killed").exists(), "no worker was killed"
    assert {state["state"] for state in mine.states("ae-vector", "vae").values()} == {"cached"}


def kill_a_trainer(cache: Path, parent: int) -> None:
    """The worker that holds the lock of a training which has a checkpoint."""
    found = until(lambda: list(cache.glob("checkpoints/*/checkpoint.pt")))
    lock = (cache / "locks" / f"{found[0].parent.name}.lock").stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        _, _, _, _, pid, place, *_ = line.replace("-> ", "").split()
        if place.endswith(f":{lock}") and int(pid) != parent:
            os.kill(int(pid), signal.SIGKILL)
            (cache.parent / "killed").touch()
            return
