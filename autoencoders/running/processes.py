"""Carrying out tasks, one after another or side by side; the one place that knows how processes are made."""

from __future__ import annotations

import functools
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from autoencoders import gpus

T = TypeVar("T")
R = TypeVar("R")


def run(tasks: Sequence[T], function: Callable[[T], R], jobs: int = 1) -> Iterator[tuple[T, R | Exception]]:
    """Each task with what `function` makes of it, as they complete. One that fails yields its exception, and the rest
    goes on. With several jobs, libraries get an equal share of the cores each."""
    if jobs <= 1 or len(tasks) <= 1:
        return ((task, attempt(function, task)) for task in tasks)
    return _side_by_side(tasks, function, jobs)


def _side_by_side(tasks: Sequence[T], function: Callable[[T], R], jobs: int) -> Iterator[tuple[T, R | Exception]]:
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    left = dict(enumerate(tasks))
    try:
        for index, result in _parallel(left, function, jobs):
            yield left.pop(index), result
    except TerminatedWorkerError:  # a worker was killed, which ends them all; alone, each task answers for itself
        for index in list(left):
            try:
                [(_, result)] = _parallel({index: left[index]}, function, jobs)
            except TerminatedWorkerError as error:
                result = RuntimeError(f"its process was killed: {str(error).splitlines()[0]}")
            yield left.pop(index), result


def _parallel(tasks: dict[int, T], function: Callable[[T], R], jobs: int) -> Iterator[tuple[int, R | Exception]]:
    import joblib

    with joblib.parallel_config("loky", inner_max_num_threads=max(1, joblib.cpu_count() // jobs)):
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    numbered = joblib.delayed(functools.partial(_attempt_numbered, os.getpid()))
    return parallel(numbered(index, function, task) for index, task in list(tasks.items()))


def _attempt_numbered(parent: int, index: int, function: Callable[[T], R], task: T) -> tuple[int, R | Exception]:
    end_with(parent)
    _stay_for_long()
    gpus.keep_one()
    return index, portable(attempt(function, task))


@functools.cache
def end_with(parent: int) -> None:
    """From now on this process ends when its parent does: of one that was killed, workers would go on for nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _stay_for_long() -> None:
    """loky takes a worker that has grown by 300 MB for a leak and replaces it; ours keep a data set, on purpose."""
    from joblib.externals.loky import process_executor

    process_executor._USE_PSUTIL = False


def attempt(function: Callable[[T], R], task: T) -> R | Exception:
    """What the function makes of the task, or why it can't."""
    try:
        return function(task)
    except Exception as error:
        return error.with_traceback(None)  # its frames hold the model, whose memory the next one needs


def portable(result: R | Exception) -> R | Exception:
    """Some exceptions can't be unpickled, which would break the pool; their message can."""
    if isinstance(result, Exception):
        try:
            pickle.loads(pickle.dumps(result))
        except Exception:
            return RuntimeError(f"{type(result).__name__}: {result}")
    return result
