"""Carrying out tasks in the order of what they need, as many at once as a pool takes."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from graphlib import TopologicalSorter
from typing import Protocol, TypeVar

T = TypeVar("T", contravariant=True)


class Pool(Protocol[T]):
    """Whatever carries out tasks: this process, others of this machine, or a cluster's workers."""

    size: int  # how many tasks it is handed at once

    def submit(self, task: T, work: float) -> Future[Exception | None]:
        """Have it done; the result is what went wrong, if anything did."""


class Order:
    """Which task is next: of those whose needs are met, the one with most work, so that no core idles at the end."""

    def __init__(self, needs: Mapping[str, Collection[str]], work: Mapping[str, float]) -> None:
        self.work = work
        self._ready: list[tuple[float, int, str]] = []
        self._places = {key: place for place, key in enumerate(needs)}
        self._sorter = TopologicalSorter(needs)
        self._sorter.prepare()
        self._add_ready()

    def _add_ready(self) -> None:
        for key in self._sorter.get_ready():
            heapq.heappush(self._ready, (-self.work[key], self._places[key], key))

    def next(self) -> str | None:
        return heapq.heappop(self._ready)[2] if self._ready else None

    def done(self, key: str) -> None:
        """What needs this task can be carried out now."""
        self._sorter.done(key)
        self._add_ready()


def run(tasks: Mapping[str, T], order: Order, pool: Pool[T]) -> Iterator[tuple[str, Exception | None]]:
    """Each task's key with what went wrong, as they complete; what needs a task that failed is not tried."""
    running: dict[Future[Exception | None], str] = {}
    suspects: list[str] = []  # what ran when a process was killed: alone, each answers for itself
    alone: str | None = None
    while True:
        while not suspects and not alone and len(running) < pool.size and (key := order.next()):
            running[pool.submit(tasks[key], order.work[key])] = key
        if suspects and not running:
            alone = suspects.pop(0)
            running[pool.submit(tasks[alone], order.work[alone])] = alone
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            key = running.pop(future)
            failure = _failure(future)
            if isinstance(failure, BrokenExecutor):
                if key != alone:
                    suspects.append(key)
                    continue
                failure = RuntimeError(f"its process was killed: {str(failure).splitlines()[0]}")
            alone = None
            if failure is None:
                order.done(key)
            yield key, failure


def _failure(future: Future[Exception | None]) -> Exception | None:
    try:
        return future.result()
    except Exception as error:
        return error
