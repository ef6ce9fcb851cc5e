"""Tasks run inline or side by side, and none can stop the others."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
import weakref
from pathlib import Path

import joblib
import pytest

from autoencoders.running import processes

# What workers do is nested in functions, so that it travels by value and no worker needs to import this file.


def test_nothing_to_do() -> None:
    assert list(processes.run([], print)) == list(processes.run([], print, jobs=2)) == []


def test_inline_runs_in_this_process_in_order_and_lazily() -> None:
    seen: list[int] = []

    def note(task: int) -> int:
        seen.append(task)
        return os.getpid()

    running = processes.run([3, 1, 2], note)
    assert seen == []
    assert next(running) == (3, os.getpid())
    assert seen == [3]
    assert list(running) == [(1, os.getpid()), (2, os.getpid())]


def test_a_single_task_needs_no_other_process() -> None:
    assert list(processes.run(["task"], lambda task: os.getpid(), jobs=4)) == [("task", os.getpid())]


@pytest.mark.parametrize("jobs", [1, 2])
def test_failing_tasks_stop_no_others(jobs: int) -> None:
    def halves(task: int) -> int:
        if task % 2:
            raise ValueError(f"{task} is odd")
        return task // 2

    found = dict(processes.run(range(6), halves, jobs=jobs))
    assert {task: result for task, result in found.items() if task % 2 == 0} == {0: 0, 2: 1, 4: 2}
    assert {task: str(result) for task, result in found.items() if task % 2} == {n: f"{n} is odd" for n in (1, 3, 5)}
    assert all(type(found[task]) is ValueError for task in (1, 3, 5))


def test_a_failed_task_lets_go_of_what_it_held() -> None:
    """A model on a GPU for example, which has run out of memory."""

    class Model:
        pass

    held: list[weakref.ref[Model]] = []

    def fail(task: int) -> None:
        model = Model()
        held.append(weakref.ref(model))
        raise MemoryError

    failures = list(processes.run([1], fail))
    assert isinstance(failures[0][1], MemoryError)
    assert held[0]() is None


def test_interrupting_an_inline_task_interrupts() -> None:
    def interrupted(task: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(processes.run([1, 2], interrupted))


def test_side_by_side_runs_elsewhere_and_hands_back_the_very_tasks() -> None:
    tasks = [["unhashable"], ["unhashable"], [object]]
    found = list(processes.run(tasks, lambda task: os.getpid(), jobs=2))
    assert sorted(id(task) for task, _ in found) == sorted(map(id, tasks))
    assert os.getpid() not in {result for _, result in found}


def test_results_come_as_they_complete() -> None:
    def sleep(seconds: float) -> float:
        time.sleep(seconds)
        return time.time()

    list(processes.run([0, 0], sleep, jobs=2))  # processes are started
    order = [task for task, _ in processes.run([1.0, 0.1], sleep, jobs=2)]
    assert order == [0.1, 1.0]


def test_threads_are_shared_out() -> None:
    def threads(task: int) -> str:
        return os.environ["OMP_NUM_THREADS"]

    share = max(1, joblib.cpu_count() // 2)
    assert {result for _, result in processes.run([1, 2], threads, jobs=2)} == {str(share)}


def test_exceptions_that_cannot_travel_become_messages() -> None:
    class OddError(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__(f"{one} and {two}")

    def fail(task: int) -> None:
        raise OddError(task, 2)

    messages = [f"{type(result).__name__} {result}" for _, result in processes.run([1, 1], fail, jobs=2)]
    assert messages == ["RuntimeError OddError: 1 and 2"] * 2


def test_a_killed_worker_stops_no_others(tmp_path: Path) -> None:
    def risky(task: int) -> int:
        (tmp_path / f"{task}-{os.getpid()}").touch()
        if task == 2:
            os.kill(os.getpid(), 9)
        return task * 10

    found = dict(processes.run(range(5), risky, jobs=2))
    assert {task: found[task] for task in (0, 1, 3, 4)} == {0: 0, 1: 10, 3: 30, 4: 40}
    assert "killed" in str(found[2])


def test_leaving_early_leaves_no_work_behind(tmp_path: Path) -> None:
    """As when the whole run is interrupted: the script ends at once, long before its tasks would."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import time
            from autoencoders.running import processes

            def sleep(seconds):
                time.sleep(seconds)

            running = processes.run([0, 30, 30, 30], sleep, jobs=2)
            next(running)
            running.close()
        """)
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-W", "ignore", str(script)], env=environment, check=True, timeout=20)
