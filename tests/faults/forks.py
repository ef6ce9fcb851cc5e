"""Work that is to be broken: one process imports everything once and forks another for each case, which so costs its
own work alone. The tests of the suite hold it as the fixture `broken`."""

from __future__ import annotations

import functools
import io
import itertools
import json
import os
import pickle
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

INTERVAL = 4  # steps from one checkpoint to the next, by a clock that counts steps
EPOCHS, IMAGES, BATCH = 3, 100, 16
STEPS = EPOCHS * -(-IMAGES // BATCH)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong when something below the work's folder is changed for the n-th time: a file is opened to be
    written, a folder made, something renamed or removed."""

    at: int = 0  # counted from 1; 0: never
    matching: str = ""  # only changes that this is found in, such as "os.rename .*checkpoint"
    room: int | None = None  # None: killed before the change; else in the middle of a file, after so many bytes
    error: int | None = None  # no kill, but from then on whatever needs room is refused with this number


@dataclass(frozen=True, kw_only=True)
class Order:
    work: str
    folder: str
    fault: Fault = field(default_factory=Fault)
    step: int = 0  # of all trainings, counted from 1: killed before it; 0: never
    seconds: float = 0.0  # killed after so long; 0: never
    more: dict[str, Any] = field(default_factory=dict)  # what the work is told


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended: by a signal, or with a code."""

    signal: int
    code: int
    stderr: str
    changes: int
    seconds: float


@dataclass(frozen=True)
class Whole:
    """A sweep that nobody disturbed."""

    folder: Path
    changes: int  # of the disk
    seconds: float


class Broken:
    """Orders work, several at once if need be, and waits for its end."""

    def __init__(self) -> None:
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(map(str, (PROJECT, HERE, HERE.parent))),
        }
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __call__(self, *orders: Order) -> list[Ended]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([asdict(order) for order in orders]) + "\n")
        self.process.stdin.flush()
        return [Ended(**ended) for ended in json.loads(self.process.stdout.readline())]

    def close(self) -> None:
        self.process.communicate()


# ── In the process that forks ────────────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    """Answers each line of orders with how they ended."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # no work may write among the answers
    for line in sys.stdin:
        orders = [Order(**raw | {"fault": Fault(**raw["fault"])}) for raw in json.loads(line)]
        started = [forked(order, number) for number, order in enumerate(orders)]
        ended = [awaited(*each) for each in started]
        print(json.dumps([asdict(each) for each in ended]), file=answers, flush=True)


@functools.cache
def import_for(work: str) -> None:
    """What each case would import again."""
    import filelock  # noqa: F401

    from autoencoders.store import backend  # noqa: F401

    if work == "report":
        import nbformat  # noqa: F401
        import papermill.cli  # noqa: F401
        import typst  # noqa: F401

        from autoencoders.reporting import making  # noqa: F401
    elif work != "count":
        import torch

        from autoencoders.running import progress  # noqa: F401

        torch.set_num_threads(1)
        for seed in (0, 1):
            trained(seed)  # torch imports more when it trains


def forked(order: Order, number: int) -> tuple[int, Path, float, threading.Timer | None]:
    told = Path(order.folder) / f"told-{number}"
    told.mkdir(parents=True, exist_ok=True)
    import_for(order.work)
    started = time.monotonic()
    pid = os.fork()
    if not pid:
        in_the_fork(order, told)
    timer = threading.Timer(order.seconds, os.kill, (pid, signal.SIGKILL)) if order.seconds else None
    if timer:
        timer.start()
    return pid, told, started, timer


def awaited(pid: int, told: Path, started: float, timer: threading.Timer | None) -> Ended:
    _, status = os.waitpid(pid, 0)
    if timer:
        timer.cancel()
    changes = told / "changes"
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Ended(
        signal=killed,
        code=0 if killed else os.waitstatus_to_exitcode(status),
        stderr=(told / "stderr").read_text(encoding="utf-8"),
        changes=int(changes.read_text()) if changes.exists() else 0,
        seconds=time.monotonic() - started,
    )


# ── In the fork ──────────────────────────────────────────────────────────────────────────────────────────────────────


def in_the_fork(order: Order, told: Path) -> None:
    code = 1
    try:
        changes = told / "changes"
        changes.unlink(missing_ok=True)
        os.dup2(os.open(told / "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        watch = Watch(Path(order.folder) / "work", order.fault)
        sys.addaudithook(watch)
        code = WORKS[order.work](Path(order.folder), order)
        watch.active = False
        changes.write_text(str(watch.count))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


class Watch:
    """Counts changes below a folder, and lets one of them go wrong."""

    def __init__(self, folder: Path, fault: Fault) -> None:
        self.folder, self.fault = str(folder), fault
        self.pattern = re.compile(fault.matching)
        self.count, self.active = 0, True
        if fault.room is not None:  # the system will kill whoever writes beyond a limit
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.active and event in CHANGES and (path := self._changed(event, arguments)):
            if not self.pattern.search(f"{event} {path}"):
                return
            self.count += 1
            if self.fault.error is not None:
                if self.fault.at and self.count >= self.fault.at and event not in REMOVALS:
                    raise OSError(self.fault.error, os.strerror(self.fault.error), path)
            elif self.count == self.fault.at:
                self._kill()

    def _changed(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        path = arguments[0]
        if not isinstance(path, str | bytes | os.PathLike):
            return None
        if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return None
        name = os.fsdecode(path)
        if event in REMOVALS and not os.path.isabs(name) and arguments[-1] not in (None, -1):
            name = os.path.join(os.readlink(f"/proc/self/fd/{arguments[-1]}"), name)
        name = os.path.abspath(name)
        return name if name.startswith(self.folder) else None

    def _kill(self) -> None:
        if self.fault.room is None:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.fault.room, self.fault.room))


REMOVALS = frozenset({"os.remove", "os.rmdir"})
CHANGES = REMOVALS | {"open", "os.rename", "os.mkdir", "os.truncate", "os.link", "os.symlink"}


# ── Work: a sweep of small trainings, in a store ─────────────────────────────────────────────────────────────────────


def sweep(folder: Path, order: Order) -> int:
    """What `pipeline.py run` does, with small trainings: as many as asked for, two kinds of models in turn."""
    from autoencoders import training
    from autoencoders.running import progress

    training.CHECKPOINT_SECONDS = INTERVAL - 0.5
    steps = itertools.count(1)
    notes = os.open(folder / "steps", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    clock = Clock()
    training.time = SimpleNamespace(monotonic=clock)  # type: ignore[assignment]
    advance = training.Run.advance

    def noted(run: Any) -> None:
        if next(steps) == order.step:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(notes, f"{run.experiment.name} {run.step}\n".encode())
        advance(run)
        clock.now += 1

    training.Run.advance = noted  # type: ignore[method-assign]
    training.torch.__version__ = order.more.get("torch", training.torch.__version__)
    store = store_in(folder)
    lab: Any = SimpleNamespace(
        store=store,
        bench=SimpleNamespace(carry_out=store.fetch),
        settings=SimpleNamespace(scheduler=None),
        jobs=lambda tasks: 1,
        check_images=lambda: None,
    )
    return exit_code(lambda: progress.follow(lab, tasks(order.more.get("seeds", [0, 1]))))


def exit_code(action: Callable[[], object]) -> int:
    """As the command line has it."""
    import typer

    from autoencoders import commandline

    try:
        commandline.with_exit_code(action)
    except typer.Exit as ended:
        return ended.exit_code
    return 0


def load(folder: Path, order: Order) -> int:
    """What a measurement does with the models that it asks for."""
    store = store_in(folder)
    for task in tasks([0, 1]):
        store.fetch(task)
    return 0


def count(folder: Path, order: Order) -> int:
    """Asks for tasks that leave a mark whenever they are computed, and takes down what came of each."""
    from autoencoders.store import Artifact, Task

    store = store_in(folder)
    for number in order.more["numbers"]:

        def compute(scratch: Path, number: int = number) -> Artifact:
            time.sleep(0.01)
            noted(folder / "computed", number)
            return Artifact({}, {"by": f"{os.getpid()}-{random.random()}"})

        task = Task(
            name=f"{number}",
            kind="count",
            spec={"n": number},
            roots=("faults.forks:count",),
            inputs={},
            compute=compute,
        )
        noted(folder / "seen", f"{number} {store.fetch(task).meta['by']}")
    return 0


def noted(path: Path, line: object) -> None:
    """Whoever else does so at this moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


class Clock:
    """Counts steps; and goes on a little whenever it is read, as a duration of nothing is no duration."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1e-4
        return self.now


def store_in(folder: Path) -> Any:
    """Whose code is this file: what becomes of edits of the package is tested elsewhere."""
    from autoencoders.store import Store

    return Store(folder / "work" / "cache", HERE)


def tasks(seeds: list[int]) -> list[Any]:
    from autoencoders import machine
    from autoencoders.store import Task

    return [
        Task(
            name=f"training-{seed}",
            kind="training",
            spec=experiment(seed).to_dict() | {"training": {"epochs": EPOCHS}, "data": {"train": IMAGES}},
            roots=("faults.forks:trained",),
            inputs={"data": "blobs"},
            compute=partial(trained, seed),
            device=partial(machine.processor, "cpu"),
        )
        for seed in seeds
    ]


def experiment(seed: int) -> Any:
    from autoencoders.specs import ConvAE, Experiment, Gaussian, Training
    from autoencoders.studies.digits.plan import DigitAE

    model = (ConvAE(latent=8, width=4), DigitAE(dropout=0.2, batch_norm=True))[seed % 2]
    recipe = Training(epochs=EPOCHS, batch=BATCH)
    return Experiment(name=f"training-{seed}", model=model, corruption=Gaussian(0.2), training=recipe, seed=seed)


def trained(seed: int, scratch: Path | None = None) -> Any:
    from autoencoders import training
    from autoencoders.lab import ProgressFile
    from autoencoders.tasks import named

    return training.train(
        experiment(seed),
        named(experiment(seed).model.implementation),
        images(IMAGES, seed=1),
        images(20, seed=2),
        checkpoint=scratch / "checkpoint.pt" if scratch else None,
        report=ProgressFile(scratch / "progress.json", interval=-1.0) if scratch else None,
    )


def images(count: int, seed: int) -> Any:
    import torch

    from autoencoders.data import Split

    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 4, 4, generator=generator).repeat_interleave(4, 2).repeat_interleave(4, 3)
    return Split((255 * coarse).byte(), torch.zeros(count, dtype=torch.int64))


# ── Work: a training that finds a planted checkpoint ─────────────────────────────────────────────────────────────────


class Bomb:
    """What a planted pickle would do."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def plant(folder: Path, order: Order) -> int:
    import torch

    from autoencoders import training
    from autoencoders.tasks import named

    data = images(IMAGES, seed=1), images(20, seed=2)
    run = training.Run(experiment(0), named(experiment(0).model.implementation), *data, torch.device("cpu"))
    payload = FORMS[order.more["form"]](Bomb(folder / "exploded"))
    scratch = store_in(folder).scratch(tasks([0])[0])
    scratch.mkdir(parents=True)
    (scratch / "checkpoint.pt").write_bytes(training._digest(payload, run.identity) + payload)
    return sweep(folder, replace(order, more={"seeds": [0]}))


def torch_saved(bomb: Bomb, **how: Any) -> bytes:
    import torch

    file = io.BytesIO()
    torch.save({"model": bomb}, file, **how)
    return file.getvalue()


FORMS: dict[str, Callable[[Bomb], bytes]] = {
    "torch.save": torch_saved,
    "torch.save, as it once was": partial(torch_saved, _use_new_zipfile_serialization=False),
    "pickle": pickle.dumps,
}


# ── Work: a small report ─────────────────────────────────────────────────────────────────────────────────────────────


def report(folder: Path, order: Order) -> int:
    """In one process, so that whatever it does can be interrupted; or with workers, as it is."""
    import small_report

    in_this_process = not order.more.get("workers", False)
    return exit_code(lambda: small_report.made(folder / "work", order.more["limit"], in_this_process=in_this_process))


WORKS: dict[str, Callable[[Path, Order], int]] = {
    "sweep": sweep,
    "load": load,
    "count": count,
    "plant": plant,
    "report": report,
}


# ── What came of it ──────────────────────────────────────────────────────────────────────────────────────────────────


def results(folder: Path) -> dict[str, tuple[bytes, dict[str, Any]]]:
    """All that is in a cache, without what differs from one run to the next: how long it took."""
    found = {}
    for entry in sorted((folder / "work/cache/artifacts").glob("[!.]*")):
        meta = json.loads((entry / "meta.json").read_bytes())
        meta["history"].pop("seconds")
        timeless = {name: value for name, value in meta.items() if name not in ("seconds", "images_per_second")}
        found[entry.name] = ((entry / "arrays.npz").read_bytes(), timeless)
    return found


def entry_of(folder: Path, seed: int) -> Path:
    [task] = tasks([seed])
    return folder / "work/cache/artifacts" / store_in(folder).key(task)


def steps(folder: Path) -> list[str]:
    """Every step that was taken, in order and as often as it was taken."""
    notes = folder / "steps"
    return notes.read_text().splitlines() if notes.exists() else []


def leftovers(folder: Path) -> set[str]:
    """What is in the cache after `prune` has dropped what serves nobody."""
    store_in(folder).prune(tasks([0, 1]))
    return {str(path.relative_to(folder)) for path in (folder / "work").rglob("*")}


def draws(what: str, count: int) -> Iterator[random.Random]:
    """A generator for each case: the same cases each time."""
    return (random.Random(f"{what} {number}") for number in range(count))


if __name__ == "__main__":
    main()
