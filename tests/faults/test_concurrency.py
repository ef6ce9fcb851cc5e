"""Several at once on one cache, and on one report: everything is made once, and nobody takes anything away."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import small_report
from copied_project import Project
from forks import Broken, Order, Whole, draws, results, steps, store_in, tasks
from made_report import complete

ONCE = "Several runs on one cache share the work: each result is computed exactly once, and all get the same."
ONE_BOOK = "Two reports made at once wait for each other and end with one whole book."


@pytest.mark.promise(ONCE)
def test_overlapping_sweeps_compute_each_result_once(
    broken: Broken, tmp_path: Path, thorough: bool, tried: Callable[[int], None]
) -> None:
    """Four processes, each with some tasks in an order of its own; a mark is left whenever one is computed."""
    rounds = 25 if thorough else 3
    for number, draw in enumerate(draws("overlap", rounds)):
        folder = tmp_path / str(number)
        wanted = [draw.sample(range(12), draw.randint(6, 12)) for _ in range(4)]
        ended = broken(*(Order(work="count", folder=str(folder), more={"numbers": each}) for each in wanted))
        assert [each.code for each in ended] == [0] * 4, ended
        marks = Counter((folder / "computed").read_text().split())
        assert marks == {str(n): 1 for each in wanted for n in each}
        seen = [line.split() for line in (folder / "seen").read_text().splitlines()]
        assert len(seen) == sum(map(len, wanted))
        assert len({(n, value) for n, value in seen}) == len(marks), "all have seen the same"
    tried(rounds)


@pytest.mark.promise(ONCE)
def test_whoever_is_killed_meanwhile_leaves_the_work_to_the_others(
    broken: Broken, tmp_path: Path, thorough: bool, tried: Callable[[int], None]
) -> None:
    """A lock of a process that is gone is no lock."""
    rounds = 15 if thorough else 3
    for number, draw in enumerate(draws("killed", rounds)):
        folder = tmp_path / str(number)
        more = {"numbers": list(range(12))}
        deaths = [draw.uniform(0.02, 0.4), draw.uniform(0.02, 0.4), 0.0, 0.0]
        ended = broken(*(Order(work="count", folder=str(folder), more=more, seconds=death) for death in deaths))
        assert [each.code for each in ended[2:]] == [0, 0], ended
        marks = Counter((folder / "computed").read_text().split())
        assert marks.keys() == set(map(str, range(12)))
        assert sum(marks.values()) - 12 <= sum(each.signal == signal.SIGKILL for each in ended)
    tried(rounds)


@pytest.mark.promise(ONCE)
@pytest.mark.parametrize("content", ["", "4194305", "not a process"])
def test_the_lock_file_of_a_dead_process_is_no_obstacle(
    broken: Broken, whole: Whole, tmp_path: Path, content: str
) -> None:
    store = store_in(tmp_path)
    for task in tasks([0, 1]):
        lock = store._lock_file(store.key(task))
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.write_text(content)
    [ended] = broken(Order(work="sweep", folder=str(tmp_path), more={"seeds": [0]}))
    assert ended.code == 0, ended.stderr
    assert results(tmp_path).items() <= results(whole.folder).items()


@pytest.mark.promise(ONCE)
def test_trainings_side_by_side_take_each_step_once(broken: Broken, whole: Whole, tmp_path: Path) -> None:
    """The same sweep four times at once, with real trainings."""
    orders = [Order(work="sweep", folder=str(tmp_path), more={"seeds": order}) for order in ([0, 1], [1, 0]) * 2]
    ended = broken(*orders)
    assert [each.code for each in ended] == [0] * 4, ended
    assert results(tmp_path) == results(whole.folder)
    assert sorted(steps(tmp_path)) == sorted(steps(whole.folder))


@pytest.mark.promise(ONCE)
def test_pruning_meanwhile_spares_what_is_being_made(broken: Broken, whole: Whole, tmp_path: Path) -> None:
    """By two at once, who look at files that come and go."""
    store, over = store_in(tmp_path), threading.Event()

    def look_and_prune() -> None:
        while not over.is_set():
            for task in tasks([0, 1]):
                assert store_in(tmp_path).state(task).state != "failed"
            store.prune(tasks([0]))

    with ThreadPoolExecutor(2) as threads:
        pruning = [threads.submit(look_and_prune) for _ in range(2)]
        [ended] = broken(Order(work="sweep", folder=str(tmp_path), more={"seeds": [0]}))
        [dropped] = broken(Order(work="sweep", folder=str(tmp_path), more={"seeds": [1]}))
        over.set()
    assert [each.result() for each in pruning] == [None, None]
    assert (ended.code, dropped.code) == (0, 0), ended.stderr + dropped.stderr
    assert results(tmp_path).items() <= results(whole.folder).items()
    assert store.state(tasks([0])[0]).state == "cached"
    assert len(steps(tmp_path)) == len(steps(whole.folder))


# ── Reports ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.promise(ONE_BOOK)
def test_two_reports_at_once_end_with_a_whole_book(
    broken: Broken, tmp_path: Path, thorough: bool, tried: Callable[[int], None]
) -> None:
    """As `pipeline.py report` makes them, with small contents; the later one finds the notebook executed."""
    rounds = 3 if thorough else 1
    for number in range(rounds):
        folder = tmp_path / str(number)
        small_report.written(folder / "work")
        order = Order(work="report", folder=str(folder), more={"limit": 1, "workers": True})
        both = broken(order, order)
        assert [each.code for each in both] == [0, 0], both
        said = "".join(each.stderr for each in both)
        assert said.count("notebook 01-sample: executed") == 1
        assert said.count("waiting for it") >= 1
        before = small_report.content(folder / "work")
        [again] = broken(order)
        assert again.code == 0, again.stderr
        assert small_report.content(folder / "work") == before, "nothing was missing, and nothing lies about"
    tried(rounds)


@pytest.mark.promise(ONE_BOOK)
def test_two_report_commands_at_once(patience: None, project: Project, tmp_path: Path) -> None:
    """The true one, in a project where nothing was made before."""
    own = complete(project.copy(tmp_path / "code", cache=tmp_path / "cache"))
    command = own.command("report", "--renderer", "pandoc")
    both = [
        subprocess.Popen(command, cwd=own.folder, env=own.environment(), stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum(text.count(": executed in") for text in said) == len(list(own.folder.glob("cache/notebooks/*.ipynb")))
    before = small_report.content(own.folder)
    again = own("report", "--renderer", "pandoc")
    assert again.returncode == 0, again.stderr
    assert small_report.content(own.folder) == before
