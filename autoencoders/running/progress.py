"""Carrying out a plan while a person watches: one bar for all of it with an ETA, one line for each running training."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from autoencoders.console import log
from autoencoders.errors import InputError, StorageError, TrainingError
from autoencoders.lab import Lab
from autoencoders.running import processes
from autoencoders.store import Task


def follow(lab: Lab, tasks: list[Task]) -> None:
    """Compute what is missing, those first that others build on; what can't be had is listed at the end, with why."""
    missing = [task for task in tasks if not lab.store.contains(task)]
    log(f"{len(tasks) - len(missing)} of {len(tasks)} results are cached, {len(missing)} to make")
    failed: dict[str, tuple[Task, Exception]] = {}
    with _display(lab, missing) as finished, _crew(lab, len(missing)) as carry_out:
        for wave in _waves(missing):
            ready = [task for task in wave if not failed.keys() & set(task.inputs.values())]
            for task, result in carry_out(ready):
                if isinstance(result, StorageError):
                    raise result  # what one can't store no other can
                if isinstance(result, Exception):
                    failed[lab.store.key(task)] = task, result
                finished(task)
    if failed:
        raise _explained(list(failed.values()))


@contextmanager
def _crew(lab: Lab, tasks: int) -> Iterator[Callable[[list[Task]], Iterator[tuple[Task, Exception | None]]]]:
    """Who carries the tasks out: processes of this machine, or a cluster's workers."""
    if not lab.settings.scheduler or not tasks:
        yield lambda ready: processes.run(ready, lab.bench.carry_out, lab.jobs(len(ready)))
        return
    from autoencoders.running import cluster

    with cluster.connected(lab.settings.scheduler, lab.jobs(tasks)) as client:
        yield lambda ready: cluster.run(client, lab.bench, ready)


def _explained(failed: list[tuple[Task, Exception]]) -> Exception:
    """One line a cause: a damaged data set fails every training. If all that failed was wrong input, this is, too."""
    causes: dict[str, list[str]] = {}
    for task, error in failed:
        cause = str(error) if isinstance(error, InputError | TrainingError) else f"{type(error).__name__}: {error}"
        causes.setdefault(cause.splitlines()[0], []).append(task.name)
    lines = [f"{', '.join(names)}: {cause}" for cause, names in causes.items()]
    kind = InputError if all(isinstance(error, InputError) for _, error in failed) else TrainingError
    return kind("\n  ".join([f"{len(failed)} could not be made, nor what needs them (the rest is done):", *lines]))


def _waves(tasks: list[Task]) -> Iterator[list[Task]]:
    """A task's inputs are made in an earlier wave than itself."""
    order = {"training": 0, "probefit": 1}
    for rank in (0, 1, 2):
        if wave := [task for task in tasks if order.get(task.kind, 2) == rank]:
            yield sorted(wave, key=_work, reverse=True)  # the longest first: no core idles at the end


def _work(task: Task) -> float:
    """A rough size, in thousands of images seen: enough for an ETA."""
    if task.kind == "training":
        return task.spec["training"]["epochs"] * (task.spec["data"]["train"] or 45_000) / 1000
    return 30 if task.kind == "probefit" else 10


@contextmanager
def _display(lab: Lab, tasks: list[Task]) -> Iterator[Callable[[Task], None]]:
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
        whole = progress.add_task("all", total=sum(map(_work, tasks)) or 1, note="")
        stop = threading.Event()
        watcher = threading.Thread(target=_watch, args=(lab, tasks, progress, stop), daemon=True)
        watcher.start()
        try:
            yield lambda task: progress.advance(whole, _work(task))
        finally:
            stop.set()
            watcher.join()


def _watch(lab: Lab, tasks: list[Task], progress: Progress, stop: threading.Event) -> None:
    lines: dict[str, TaskID] = {}
    files = {task.name: lab.store.scratch(task) / "progress.json" for task in tasks if task.kind == "training"}
    while not stop.wait(0.5):
        for name, file in files.items():
            try:
                now = json.loads(file.read_text())
            except (OSError, ValueError):
                if name in lines:
                    progress.remove_task(lines.pop(name))
                continue
            if name not in lines:
                lines[name] = progress.add_task(name.split("/")[-1], total=now["steps"], note="")
            speed = f"{now['images_per_second']:,.0f} images/s"
            note = f"epoch {now['epoch']}/{now['epochs']} · loss {now['loss']:.4g} · {speed}"
            progress.update(lines[name], completed=now["step"], note=note)
