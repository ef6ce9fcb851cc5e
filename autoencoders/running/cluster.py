"""Carrying out tasks on Dask's workers: on this machine, or on all that share the cache folder."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoencoders import machine
from autoencoders.errors import InputError
from autoencoders.running.processes import attempt, portable

if TYPE_CHECKING:
    from dask.distributed import Client

    from autoencoders.lab import Bench
    from autoencoders.store import Task

GPU = "GPU"  # the resource that `dask worker --resources GPU=1` offers: one training at a time for each


@contextmanager
def connected(address: str, jobs: int) -> Iterator[Client]:
    """A client of the scheduler at an address, or with `local` of one that lives as long as the context."""
    try:
        import dask
        from dask.distributed import Client, LocalCluster
    except ImportError:
        raise InputError("--scheduler needs Dask: pip install '.[cluster]'") from None
    if address == "local":
        calm = {"distributed.worker.daemon": False}  # workers may start processes of their own, as scikit-learn does
        options = {"threads_per_worker": 1, "memory_limit": 0, "dashboard_address": None, "silence_logs": logging.ERROR}
        with dask.config.set(calm), LocalCluster(n_workers=jobs, **options) as cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(address, timeout="10s")
    except OSError as error:
        raise InputError(f"no scheduler answers at {address}: {error}") from None
    with client:
        yield client


class Workers:
    """A cluster's workers; Dask knows how many tasks each takes. A lost worker's task goes to another."""

    size = sys.maxsize

    def __init__(self, client: Client, bench: Bench) -> None:
        self.bench = bench
        self.pinned = {GPU: 1} if bench.device.startswith("cuda") and _offered(client, GPU) else None
        self.executor = client.get_executor()

    def submit(self, task: Task, work: float) -> Future[Exception | None]:
        key = self.bench.store.key(task)
        options = {"key": f"{task.name}-{key}", "priority": work, "resources": self.pinned}
        return self.executor.submit(_carry_out, self.bench, task, key, **options)


def _offered(client: Client, resource: str) -> bool:
    return any(resource in worker["resources"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())


def _carry_out(bench: Bench, task: Task, key: str) -> Exception | None:
    """On a worker; one that joined late is asked here whether it would make the same thing."""
    if bench.store.key(task) != key:
        return InputError(f"{task.name}: the worker on {socket.gethostname()} has other code")
    machine.keep_one_gpu()
    return portable(attempt(bench.carry_out, task))


# ── Workers that would make something else ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Introduction:
    """What a process would make: the code that tasks reach, what its data files hold, and which cache it writes to."""

    host: str
    code: Mapping[str, str]
    data: Mapping[str, str]
    cache: str  # what it reads in the cache where the one who asks has left a word


def introduction(bench: Bench, tasks: Sequence[Task], word: str) -> Introduction:
    from autoencoders import data

    code: dict[str, str] = {}
    for roots in dict.fromkeys(task.roots for task in tasks):
        code |= bench.store.code_of(roots)
    fingerprints = {}
    for source in bench.sources:
        try:
            fingerprints[source.name] = data.fingerprint(source.name, source.root)
        except (OSError, InputError) as error:
            fingerprints[source.name] = str(error)
    try:
        found = (bench.cache / word).read_text(encoding="utf-8")
    except OSError:
        found = "nothing"
    return Introduction(socket.gethostname(), code, fingerprints, found)


def check_workers_match(client: Client, bench: Bench, tasks: Sequence[Task]) -> None:
    """Raise before anything is computed: workers with other code, data or cache would make other results."""
    word = f".word-{client.id}"
    bench.cache.mkdir(parents=True, exist_ok=True)
    try:
        (bench.cache / word).write_text(client.id, encoding="utf-8")
        own = introduction(bench, tasks, word)
        others: dict[str, Introduction] = client.run(introduction, bench, tasks, word)
    finally:
        (bench.cache / word).unlink(missing_ok=True)
    if not others:
        raise InputError("the scheduler has no workers yet: start them with `dask worker ADDRESS --nthreads 1`")
    if strange := {address: found for address, other in others.items() if (found := _differences(own, other))}:
        lines = [f"worker {address} on {others[address].host}: {what}" for address, what in strange.items()]
        raise InputError("\n  ".join(["these workers would make something else:", *lines]))


def _differences(own: Introduction, other: Introduction) -> str:
    code = sorted(name for name in own.code.keys() | other.code.keys() if own.code.get(name) != other.code.get(name))
    data = sorted(name for name in own.data if own.data[name] != other.data.get(name))
    found = [f"other code ({_few(code)})"] if code else []
    found += [f"other data ({_few(data)})"] if data else []
    found += ["another cache folder"] if own.cache != other.cache else []
    return ", ".join(found)


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
