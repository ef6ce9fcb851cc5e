"""Killed without a warning, wherever that happens to be: the next run goes on, and ends where it would have ended."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forks import INTERVAL, Broken, Fault, Order, Whole, draws, leftovers, results, steps, store_in, tasks

from autoencoders.store import entries

RESUMES = "A run that is killed loses at most one checkpoint interval, and ends in the same bits as if it hadn't been."


def fault(place: str, at: int, room: int | None = None) -> dict[str, Any]:
    return {"fault": Fault(matching=place, at=at, room=room)}


PLACES: dict[str, Callable[[random.Random, Whole], dict[str, Any]]] = {
    "mid-epoch": lambda draw, whole: {"step": draw.randint(1, len(steps(whole.folder)))},
    "before any change of the disk": lambda draw, whole: fault("", draw.randint(1, whole.changes)),
    "mid-checkpoint": lambda draw, _: fault(r"^open .*checkpoint\.pt", draw.randint(1, 10), draw.randint(0, 9_999)),
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
    cases = 12 if thorough else 2
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
