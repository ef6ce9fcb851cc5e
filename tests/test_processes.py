"""Tasks run inline or side by side, in the order of what they need, and none can stop the others."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import joblib
import pytest
from waiting import PATIENCE

from autoencoders.running import order, processes
from autoencoders.running.order import Order

# What workers do is nested in functions, so that it travels by value and no worker needs to import this file.


def run(
    tasks: Mapping[str, Any], function: Callable[[Any], object], jobs: int = 1, needs: Any = None
) -> Iterable[tuple[str, Exception | None]]:
    with processes.pool(function, jobs) as pool:
        yield from order.run(tasks, Order(needs or dict.fromkeys(tasks, ()), dict.fromkeys(tasks, 1)), pool)


def numbered(count: int) -> dict[str, int]:
    return {str(number): number for number in range(count)}


# ── Order ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Pretending:
    """A pool that notes what it is handed, and does the first task of those that it has when it is asked."""

    def __init__(self, size: int, failing: str = "") -> None:
        self.size, self.failing = size, failing
        self.handed: list[str] = []

    def submit(self, task: str, work: float) -> Future[Exception | None]:
        self.handed.append(task)
        done: Future[Exception | None] = Future()
        done.set_result(ValueError(task) if task == self.failing else None)
        return done


NEEDS = {"probe": {"fit", "model"}, "fit": {"model"}, "model": (), "other": (), "sample": {"other"}}
WORK = {"probe": 1, "fit": 1, "model": 5, "other": 9, "sample": 1}


def handed(size: int = 1, failing: str = "") -> list[str]:
    pool = Pretending(size, failing)
    list(order.run({name: name for name in NEEDS}, Order(NEEDS, WORK), pool))
    return pool.handed


@pytest.mark.parametrize("size", [1, 2, 100])
def test_order_is_that_of_what_tasks_need(size: int) -> None:
    found = handed(size)
    assert sorted(found) == sorted(NEEDS), "each once"
    assert all(found.index(needed) < found.index(task) for task, needs in NEEDS.items() for needed in needs)


def test_order_begins_with_the_longest_that_is_ready() -> None:
    assert handed() == ["other", "model", "fit", "probe", "sample"], "of equals, the first one"


def test_order_leaves_out_what_needs_a_task_that_failed() -> None:
    assert sorted(handed(failing="model")) == ["model", "other", "sample"]
    assert sorted(handed(failing="fit")) == ["fit", "model", "other", "sample"]


# ── Pools ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("jobs", [1, 2])
def test_pool_without_tasks_does_nothing(jobs: int) -> None:
    assert list(run({}, print, jobs)) == []


def test_one_job_runs_in_this_process_one_task_at_a_time() -> None:
    seen: list[tuple[int, int]] = []
    running = iter(run(numbered(3), lambda task: seen.append((task, os.getpid()))))
    assert seen == []
    assert next(running) == ("0", None)
    assert seen == [(0, os.getpid())]
    assert [key for key, _ in running] == ["1", "2"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_failing_tasks_stop_no_others(jobs: int) -> None:
    def halve(task: int) -> None:
        if task % 2:
            raise ValueError(f"{task} is odd")

    found = dict(run(numbered(6), halve, jobs))
    assert {key for key, failure in found.items() if failure is None} == {"0", "2", "4"}
    assert {str(failure) for failure in found.values() if failure} == {f"{n} is odd" for n in (1, 3, 5)}
    assert {type(failure) for failure in found.values() if failure} == {ValueError}


def test_failed_task_lets_go_of_what_it_held() -> None:
    """A model on a GPU for example, which has run out of memory."""

    class Model:
        pass

    held: list[weakref.ref[Model]] = []

    def fail(task: int) -> None:
        model = Model()
        held.append(weakref.ref(model))
        raise MemoryError

    [(_, failure)] = run(numbered(1), fail)
    assert isinstance(failure, MemoryError)
    assert held[0]() is None


def test_interruption_of_an_inline_task_ends_the_run() -> None:
    def interrupted(task: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run(numbered(2), interrupted))


def test_several_jobs_run_in_other_processes_with_their_share_of_threads(tmp_path: Path) -> None:
    def note(task: list[int]) -> None:
        (tmp_path / str(task[0])).write_text(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']}")

    assert {failure for _, failure in run({"a": [1], "b": [2]}, note, jobs=2)} == {None}
    pids, threads = zip(*(path.read_text().split() for path in tmp_path.iterdir()), strict=True)
    assert str(os.getpid()) not in pids
    assert {*threads} == {str(max(1, joblib.cpu_count() // 2))}


def test_results_come_as_they_complete(tmp_path: Path) -> None:
    def work(task: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while task == "long" and not (tmp_path / "short is there").exists() and time.monotonic() < deadline:
            time.sleep(0.01)

    results = iter(run({"long": "long", "short": "short"}, work, jobs=2))
    assert next(results) == ("short", None)
    (tmp_path / "short is there").touch()
    assert next(results) == ("long", None)


def test_exceptions_that_cannot_travel_become_messages() -> None:
    class OddError(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__(f"{one} and {two}")

    def fail(task: int) -> None:
        raise OddError(task, 2)

    messages = [f"{type(failure).__name__} {failure}" for _, failure in run({"a": 1, "b": 1}, fail, jobs=2)]
    assert messages == ["RuntimeError OddError: 1 and 2"] * 2


def test_killed_worker_stops_no_others(tmp_path: Path) -> None:
    def risky(task: int) -> None:
        if task == 2:
            os.kill(os.getpid(), 9)
        (tmp_path / str(task)).touch()

    found = dict(run(numbered(5), risky, jobs=2))
    assert {key for key, failure in found.items() if failure is None} == {"0", "1", "3", "4"}
    assert "killed" in str(found["2"])
    assert {path.name for path in tmp_path.iterdir()} == {"0", "1", "3", "4"}


def test_worker_killed_just_before_a_task_is_handed_over_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    handed = Future[None]()
    found = iter([Mock(submit=Mock(side_effect=BrokenExecutor)), Mock(submit=Mock(return_value=handed))])
    with processes.pool(str, jobs=2) as pool:
        monkeypatch.setattr(pool, "_executor", lambda: next(found))
        assert pool.submit(1, 1) is handed


def test_leaving_early_leaves_no_work_behind(tmp_path: Path) -> None:
    """As when the whole run is interrupted: the script ends at once, long before its tasks would."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import time
            from autoencoders.running import order, processes

            tasks = {"a": 0, "b": 1e6, "c": 1e6, "d": 1e6}
            with processes.pool(time.sleep, 2) as pool:
                running = order.run(tasks, order.Order(dict.fromkeys(tasks, ()), dict.fromkeys(tasks, 1)), pool)
                next(running)
                raise SystemExit
        """)
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-W", "ignore", str(script)], env=environment, check=True, timeout=PATIENCE)
