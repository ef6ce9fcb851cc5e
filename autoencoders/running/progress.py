"""Carrying out a plan while a person watches: one bar for all of it with an ETA, one line for each running training.

Where output goes to a file or a pipe, a line every half a minute says as much.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from autoencoders.console import log
from autoencoders.errors import InputError, StorageError, TrainingError
from autoencoders.lab import Lab
from autoencoders.running import order, processes
from autoencoders.running.order import Order, Pool
from autoencoders.store import Task
from autoencoders.store.files import noted

INTERVAL = 30.0  # seconds between lines


def follow(lab: Lab, tasks: Sequence[Task]) -> None:
    """Compute what is missing, in the order of what it needs; what can't be had is listed at the end, with why."""
    found = missing(lab, tasks)
    if found and lab.store.bring(found):
        found = missing(lab, tasks)
    if found:
        lab.check_images()
    total = len({*found, *map(lab.store.key, tasks)})
    log(f"{total - len(found)} of {total} results are cached, {len(found)} to make")
    failed: dict[str, Exception] = {}
    with _display(lab, found) as (started, finished), _pool(lab, list(found.values())) as pool:
        for key, failure in order.run(found, _order(lab, found), Noted(pool, started)):
            if isinstance(failure, StorageError):
                raise failure  # what one can't store no other can
            if failure:
                failed[key] = failure
            finished(key)
    if failed:
        raise _explained([(task, failed[key]) for key, task in found.items() if key in failed])


def missing(lab: Lab, tasks: Sequence[Task]) -> dict[str, Task]:
    """What isn't cached of these tasks and of those that they need, by key."""
    found: dict[str, Task] = {}
    waiting = list(tasks)
    with lab.store.looked_at_once():
        for task in waiting:
            if (key := lab.store.key(task)) not in found and not lab.store.contains(task):
                found[key] = task
                waiting += task.needed.values()
    return found


def _order(lab: Lab, tasks: Mapping[str, Task]) -> Order:
    needs = {key: tasks.keys() & map(lab.store.key, task.needed.values()) for key, task in tasks.items()}
    return Order(needs, {key: task.work for key, task in tasks.items()})


@contextmanager
def _pool(lab: Lab, tasks: Sequence[Task]) -> Iterator[Pool[Task]]:
    """Who carries the tasks out: processes of this machine, or a cluster's workers."""
    if not lab.settings.scheduler or not tasks:
        with processes.pool(lab.bench.carry_out, lab.jobs(len(tasks))) as pool:
            yield pool
        return
    from autoencoders.running import cluster

    with cluster.connected(lab.settings.scheduler, lab.jobs(len(tasks))) as client:
        cluster.check_workers_match(client, lab.bench, tasks)
        yield cluster.Workers(client, lab.bench)


def _explained(failed: list[tuple[Task, Exception]]) -> Exception:
    """One line a cause: a damaged data set fails every training. If all that failed was wrong input, this is, too."""
    causes: dict[str, list[str]] = {}
    for task, error in failed:
        cause = str(error) if isinstance(error, InputError | TrainingError) else f"{type(error).__name__}: {error}"
        causes.setdefault(cause.splitlines()[0], []).append(task.name)
    lines = [f"{', '.join(names)}: {cause}" for cause, names in causes.items()]
    kind = InputError if all(isinstance(error, InputError) for _, error in failed) else TrainingError
    return kind("\n  ".join([f"{len(failed)} could not be made, nor what needs them (the rest is done):", *lines]))


class Noted:
    """A pool that tells of each task when it is handed over."""

    def __init__(self, pool: Pool[Task], started: Callable[[Task], None]) -> None:
        self.pool, self.started, self.size = pool, started, pool.size

    def submit(self, task: Task, work: float) -> Future[Exception | None]:
        self.started(task)
        return self.pool.submit(task, work)


@contextmanager
def _display(lab: Lab, tasks: Mapping[str, Task]) -> Iterator[tuple[Callable[[Task], None], Callable[[str], None]]]:
    """Show how far all of it is, and each training that runs: in a terminal as bars, elsewhere in lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        account, board, lines = Account(tasks), Progress(disable=True), Lines(log)
        with followed(lab, tasks.values(), board, lambda: lines.show(account.line(board))):
            yield account.start, account.finish
        return
    with Progress(*columns(), console=console, transient=True) as progress:
        whole = progress.add_task("all", total=sum(task.work for task in tasks.values()) or 1, note="")
        with followed(lab, tasks.values(), progress):
            yield lambda task: None, lambda key: progress.advance(whole, tasks[key].work)


class Lines:
    """Say from time to time what is handed in."""

    def __init__(self, say: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self.say, self.clock = say, clock
        self.last = clock()

    def show(self, text: str) -> None:
        if text and self.clock() - self.last >= INTERVAL:
            self.last = self.clock()
            self.say(text)


class Account:
    """What is done of some tasks, what is left, and what runs now, in one line."""

    def __init__(self, tasks: Mapping[str, Task], clock: Callable[[], float] = time.monotonic) -> None:
        self.tasks, self.clock, self.began = tasks, clock, clock()
        self.running: dict[str, Task] = {}  # by name
        self.finished: set[str] = set()

    def start(self, task: Task) -> None:
        self.running[task.name] = task

    def finish(self, key: str) -> None:
        self.finished.add(key)
        self.running.pop(self.tasks[key].name, None)

    def line(self, board: Progress) -> str:
        """The board has a line for each training that tells how far it is."""
        trainings = {task.description: task for task in board.tasks}
        shares = {name: (t.completed / t.total if t.total else 0.0) for name, t in trainings.items()}
        running = dict(self.running)
        done = sum(self.tasks[key].work for key in list(self.finished))
        done += sum(task.work * shares.get(_short(name), 0.0) for name, task in running.items())
        whole, passed = sum(task.work for task in self.tasks.values()), self.clock() - self.began
        left = f", about {_duration(passed * (whole - done) / done)} to go" if done else ""
        now = [
            f"{_short(name)} ({trainings[_short(name)].fields['note']})" if _short(name) in trainings else _what(name)
            for name in running
        ]
        counts = f"{len(self.finished)} of {len(self.tasks)} done, {len(self.tasks) - len(self.finished)} left"
        return f"{counts} · {_duration(passed)} so far{left} · now: {', '.join(now) or 'nothing'}"


def _short(name: str) -> str:
    """What a training is called on the board."""
    return name.split("/")[-1]


def _what(name: str) -> str:
    """A task's name without its profile and data set."""
    return name.split("/", 2)[-1]


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("eta"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )


@contextmanager
def followed(
    lab: Lab, tasks: Iterable[Task], progress: Progress, show: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Keep a line for each training that runs by reading the progress files of all workers, whichever process they are
    in; call ``show`` after each look."""
    files = {task.name: lab.store.scratch(task) / "progress.json" for task in tasks}
    stop = threading.Event()

    def watch() -> None:
        lines: dict[str, TaskID] = {}
        while not stop.wait(0.5):
            update(progress, lines, files)
            show()

    watcher = threading.Thread(target=contextvars.copy_context().run, args=(watch,), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def update(progress: Progress, lines: dict[str, TaskID], files: Mapping[str, Path]) -> None:
    """Bring the lines up to what the files say; a training without a file isn't running."""
    for name, file in files.items():
        now = noted(file)
        if not now:
            if name in lines:
                progress.remove_task(lines.pop(name))
            continue
        if name not in lines:
            lines[name] = progress.add_task(_short(name), total=now["steps"], note="")
        speed = f"{now['images_per_second']:,.0f} images/s"
        note = f"epoch {now['epoch']}/{now['epochs']} · loss {now['loss']:.4g} · {speed}"
        progress.update(lines[name], completed=now["step"], note=note)
