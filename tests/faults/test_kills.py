"""Killed without a warning, wherever that happens to be: the next run goes on, and ends where it would have ended."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_report
from copied_project import Run
from forks import INTERVAL, PROJECT, Broken, Fault, Order, Whole, draws, leftovers, results, steps, store_in, tasks
from waiting import until

from autoencoders.store import entries

RESUMES = "A run that is killed loses at most one checkpoint interval, and ends in the same bits as if it hadn't been."


def fault(place: str, at: int, room: int | None = None) -> dict[str, Any]:
    return {"fault": Fault(matching=place, at=at, room=room)}


LATER = (2, 3, 4, 5, 7, 8, 9, 10)  # of ten checkpoints of two trainings: before its first one, nothing is lost

PLACES: dict[str, Callable[[random.Random, Whole], dict[str, Any]]] = {
    "mid-epoch": lambda draw, whole: {"step": draw.randint(1, len(steps(whole.folder)))},
    "before any change of the disk": lambda draw, whole: fault("", draw.randint(1, whole.changes)),
    "mid-checkpoint": lambda draw, _: fault(r"^open .*checkpoint\.pt", draw.choice(LATER), draw.randint(0, 9_999)),
    "before a checkpoint's renaming": lambda draw, _: fault(r"^os.rename .*checkpoint\.pt", draw.randint(1, 10)),
    "mid-write of an entry": lambda draw, _: fault("^open .*/artifacts/", draw.randint(1, 6), draw.randint(0, 500)),
    "before an entry's renaming": lambda draw, _: fault("^os.rename .*/artifacts/", draw.randint(1, 2)),
    "by the clock": lambda draw, whole: {"seconds": whole.seconds * draw.uniform(0.05, 0.8)},
}


@pytest.mark.promise(RESUMES)
@pytest.mark.parametrize("place", PLACES)
def test_a_killed_run_goes_on(
    broken: Broken, whole: Whole, place: str, tmp_path: Path, thorough: bool, tried: Callable[[int], None]
) -> None:
    cases = 12 if thorough else 1
    for number, draw in enumerate(draws(place, cases)):
        folder = tmp_path / str(number)
        [killed] = broken(Order(work="sweep", folder=str(folder), **PLACES[place](draw, whole)))
        assert killed.signal or place == "by the clock", killed
        assert_nothing_is_half_written(folder)
        [resumed] = broken(Order(work="sweep", folder=str(folder)))
        assert resumed.code == 0, resumed.stderr
        assert results(folder) == results(whole.folder)
        assert set(steps(folder)) == set(steps(whole.folder))
        assert len(steps(folder)) - len(steps(whole.folder)) <= INTERVAL, "steps were taken again"
        assert leftovers(folder) == leftovers(whole.folder)
    tried(cases)


@pytest.mark.promise(RESUMES)
def test_a_run_may_be_killed_again_and_again(
    broken: Broken, whole: Whole, tmp_path: Path, thorough: bool, tried: Callable[[int], None]
) -> None:
    kills = 0
    for number, draw in enumerate(draws("again", 4 if thorough else 1)):
        folder, mine = tmp_path / str(number), 0
        while (ended := broken(Order(work="sweep", folder=str(folder), **fault("", draw.randint(10, 60))))[0]).signal:
            mine += 1
        assert ended.code == 0, ended.stderr
        assert results(folder) == results(whole.folder)
        assert len(steps(folder)) - len(steps(whole.folder)) <= INTERVAL * mine
        kills += mine
    tried(kills)


def assert_nothing_is_half_written(folder: Path) -> None:
    """What stands under its final name is sound, and what isn't done is told as such."""
    for entry in (folder / "work/cache/artifacts").glob("[!.]*"):
        entries.check(entry)
    store = store_in(folder)
    assert {store.state(task).state for task in tasks([0, 1])} <= {"cached", "partial", "missing"}


# ── The report ───────────────────────────────────────────────────────────────────────────────────────────────────────

WHOLE_BOOK = (
    "A killed execution leaves the old notebook or the new one, and a killed render a book that the next one mends."
)


@pytest.fixture(scope="module")
def reports(broken: Broken, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small report, and what it is after a parameter has changed."""
    older, newer = tmp_path_factory.mktemp("older"), tmp_path_factory.mktemp("newer")
    small_report.written(older / "work")
    for folder, limit in ((older, 1), (newer, 2)):
        if folder == newer:
            shutil.copytree(older / "work", newer / "work")
        [made] = broken(Order(work="report", folder=str(folder), more={"limit": limit}))
        assert made.code == 0, made.stderr
    return older / "work", newer / "work"


REPORT_PLACES: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "while a notebook is executed": lambda draw: fault(r"^open .*\.partial\.ipynb", draw.randint(1, 8)),
    "mid-write of a notebook": lambda draw: fault(r"^open .*/notebooks/", draw.randint(1, 9), draw.randint(0, 3_000)),
    "before a notebook's renaming": lambda draw: fault("^os.rename .*/cache/notebooks/", 1),
    "before any change of a render": lambda draw: fault("build/|_book|cache/report/|submission", draw.randint(1, 15)),
    "mid-write of a page": lambda draw: fault("^open .*[/_]book/", draw.randint(1, 6), draw.randint(0, 2_000)),
}


@pytest.mark.promise(WHOLE_BOOK)
@pytest.mark.parametrize("place", REPORT_PLACES)
def test_a_killed_report_is_mended(
    broken: Broken,
    reports: tuple[Path, Path],
    place: str,
    tmp_path: Path,
    thorough: bool,
    tried: Callable[[int], None],
) -> None:
    older, newer = map(small_report.content, reports)
    cases = 1 if not thorough or "renaming" in place else 5
    for number, draw in enumerate(draws(place, cases)):
        folder = tmp_path / str(number)
        shutil.copytree(reports[0], folder / "work")
        order = Order(work="report", folder=str(folder), more={"limit": 2}, **REPORT_PLACES[place](draw))
        [killed] = broken(order)
        assert killed.signal, killed
        notebook = "cache/notebooks/01-sample.ipynb"
        assert small_report.content(folder / "work")[notebook] in (older[notebook], newer[notebook])
        [mended] = broken(Order(work="report", folder=str(folder), more={"limit": 2}))
        assert mended.code == 0, mended.stderr
        assert small_report.content(folder / "work") == newer, "or something was left lying about"
    tried(cases)


# ── Nobody goes on for a run that is gone ────────────────────────────────────────────────────────────────────────────

ALONE = "Nothing goes on working for a run that was killed."
POOLS = {
    "trainings": "two(processes.pool(work, jobs=2), lambda pool, task: pool.submit(task, 1))",
    "notebooks": "two(execution._pool(2), lambda pool, task: pool.submit(work, task))",
}
SCRIPT = """\
import pathlib, time
from autoencoders.running import processes
from autoencoders.reporting import execution

def work(task):
    pathlib.Path(f"begun-{task}").touch()
    time.sleep(1e6)

def two(pools, submit):
    with pools as pool:
        [begun.result() for begun in [submit(pool, 1), submit(pool, 2)]]

if __name__ == "__main__":
"""


@pytest.mark.promise(ALONE)
@pytest.mark.parametrize("pool", POOLS)
def test_workers_end_with_a_killed_run(tmp_path: Path, pool: str) -> None:
    script = tmp_path / "run.py"
    script.write_text(f"{SCRIPT}    {POOLS[pool]}\n")
    process = subprocess.Popen(
        [sys.executable, str(script)], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(PROJECT)}
    )
    until(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
    process.kill()
    process.wait()
    try:
        until(lambda: not busy(tmp_path))
    finally:
        for left in busy(tmp_path):
            os.kill(left, signal.SIGKILL)


@pytest.mark.promise(RESUMES)
def test_the_command_line_goes_on_after_a_kill(patience: None, smoke: Run, tmp_path: Path) -> None:
    """With its worker processes, of which nobody else knows, and real trainings."""
    own = smoke.project.copy(tmp_path / "code", cache=tmp_path / "cache")
    names = ("tune-base", "tune-rate-*")
    for place in ("checkpoints", "artifacts"):
        process = subprocess.Popen(own.command("run", *names, "--jobs", "2"), cwd=own.folder, env=own.environment())
        until(lambda place=place: any(own.cache.glob(f"{place}/*")))
        process.kill()
        process.wait()
        until(lambda: not busy(own.folder))
        assert {standing["state"] for standing in own.states(*names).values()} <= {"cached", "partial", "missing"}
    done = own("run", *names)
    assert done.returncode == 0, done.stderr
    made = {path.name: (path / "arrays.npz").read_bytes() for path in own.cache.glob("artifacts/[!.]*")}
    assert len(made) >= 2
    theirs = smoke.project.cache / "artifacts"
    assert made == {name: (theirs / name / "arrays.npz").read_bytes() for name in made}


def busy(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it is gone, or somebody else's
            if Path(os.readlink(process / "cwd")).is_relative_to(folder):
                found.append(int(process.name))
    return found
