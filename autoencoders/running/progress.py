"""Carrying out a plan while a person watches: one bar for all of it with an ETA, one line for each running training."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from autoencoders.console import log
from autoencoders.errors import InputError, StorageError, TrainingError
from autoencoders.lab import Lab
from autoencoders.running import order, processes
from autoencoders.running.order import Order, Pool
from autoencoders.store import Task
from autoencoders.store.files import noted


def follow(lab: Lab, tasks: Sequence[Task]) -> None:
    """Compute what is missing, in the order of what it needs; what can't be had is listed at the end, with why."""
    missing = _missing(lab, tasks)
    total = len({*missing, *map(lab.store.key, tasks)})
    log(f"{total - len(missing)} of {total} results are cached, {len(missing)} to make")
    failed: list[tuple[Task, Exception]] = []
    with _display(lab, missing) as finished, _pool(lab, list(missing.values())) as pool:
        for key, failure in order.run(missing, _order(lab, missing), pool):
            if isinstance(failure, StorageError):
                raise failure  # what one can't store no other can
            if failure:
                failed.append((missing[key], failure))
            finished(key)
    if failed:
        raise _explained(failed)


def _missing(lab: Lab, tasks: Sequence[Task]) -> dict[str, Task]:
    """What isn't cached of these tasks and of those that they need, by key."""
    found: dict[str, Task] = {}
    waiting = list(tasks)
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


@contextmanager
def _display(lab: Lab, tasks: Mapping[str, Task]) -> Iterator[Callable[[str], None]]:
    """Shows what is running by reading the progress files of all workers, whichever process they are in."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("eta"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        whole = progress.add_task("all", total=sum(task.work for task in tasks.values()) or 1, note="")
        stop = threading.Event()
        watcher = threading.Thread(target=_watch, args=(lab, tasks, progress, stop), daemon=True)
        watcher.start()
        try:
            yield lambda key: progress.advance(whole, tasks[key].work)
        finally:
            stop.set()
            watcher.join()


def _watch(lab: Lab, tasks: Mapping[str, Task], progress: Progress, stop: threading.Event) -> None:
    lines: dict[str, TaskID] = {}
    files = {task.name: lab.store.scratch(task) / "progress.json" for task in tasks.values()}
    while not stop.wait(0.5):
        for name, file in files.items():
            now = noted(file)
            if not now:
                if name in lines:
                    progress.remove_task(lines.pop(name))
                continue
            if name not in lines:
                lines[name] = progress.add_task(name.split("/")[-1], total=now["steps"], note="")
            speed = f"{now['images_per_second']:,.0f} images/s"
            note = f"epoch {now['epoch']}/{now['epochs']} · loss {now['loss']:.4g} · {speed}"
            progress.update(lines[name], completed=now["step"], note=note)
