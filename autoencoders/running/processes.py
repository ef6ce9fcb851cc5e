"""Carrying out tasks in this process, or side by side in others; the one place that knows how processes are made."""

from __future__ import annotations

import functools
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from autoencoders import machine
from autoencoders.running.order import Pool

T = TypeVar("T")

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_IDLE = 300  # seconds after which a worker with nothing to do ends


@contextmanager
def pool(function: Callable[[T], object], jobs: int = 1) -> Iterator[Pool[T]]:
    """Whatever carries out ``function`` of tasks; with several jobs, libraries get an equal share of the cores each."""
    if jobs <= 1:
        yield Here(function)
        return
    others = SideBySide(function, jobs)
    try:
        yield others
    except BaseException:
        others.end()  # nobody waits for what they do
        raise


class Here(Generic[T]):
    """This process, which does one task after another."""

    size = 1

    def __init__(self, function: Callable[[T], object]) -> None:
        self.function = function

    def submit(self, task: T, work: float) -> Future[Exception | None]:
        done: Future[Exception | None] = Future()
        done.set_result(attempt(self.function, task))
        return done


class SideBySide(Generic[T]):
    """Processes of this machine, which joblib's loky keeps for the next tasks."""

    def __init__(self, function: Callable[[T], object], jobs: int) -> None:
        import joblib

        self.function, self.size = function, jobs
        self.threads = dict.fromkeys(_THREADS, str(max(1, joblib.cpu_count() // jobs)))

    def submit(self, task: T, work: float) -> Future[Exception | None]:
        with shielded():
            try:
                return self._executor().submit(_attempt, os.getpid(), self.function, task)
            except BrokenExecutor:  # a worker was killed just now
                return self._executor().submit(_attempt, os.getpid(), self.function, task)

    def _executor(self) -> Executor:
        """The same one each time; a new one once a worker was killed, which ends them all."""
        from joblib.externals.loky import get_reusable_executor

        return get_reusable_executor(max_workers=self.size, timeout=_IDLE, env=self.threads)

    def end(self) -> None:
        self._executor().shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]


def _attempt(parent: int, function: Callable[[T], object], task: T) -> Exception | None:
    exit_with_parent(parent)
    _keep_large_workers()
    machine.keep_one_gpu()
    return portable(attempt(function, task))


@functools.cache
def exit_with_parent(parent: int) -> None:
    """From now on this process ends when its parent does: of one that was killed, workers would go on for nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def shielded() -> Iterator[None]:
    """Processes that are started here never see a Ctrl-C, which a terminal sends to all: this one answers it, and ends
    them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def kill(workers: Iterable[BaseProcess]) -> None:
    """End processes and all that they have started, at once."""
    import psutil

    found = []
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(worker.pid)
            found += [process, *process.children(recursive=True)]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=1)


def _keep_large_workers() -> None:
    """loky takes a worker that has grown by 300 MB for a leak and replaces it; ours keep a data set, on purpose."""
    from joblib.externals.loky import process_executor

    process_executor._USE_PSUTIL = False


def attempt(function: Callable[[T], object], task: T) -> Exception | None:
    """Do it; the result is why it can't be done, if so."""
    try:
        function(task)
    except Exception as error:
        return error.with_traceback(None)  # its frames hold the model, whose memory the next one needs
    return None


def portable(error: Exception | None) -> Exception | None:
    """Some exceptions can't be unpickled, which would break the pool; their message can."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
