"""What a notebook's cell shows while it trains: a bar to whoever watches, a line every half a minute in a log."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import Progress

from autoencoders.lab import Lab
from autoencoders.running import progress
from autoencoders.store import Artifact, Task

PASSING = {"autoencoders": {"passing": True}}  # marks outputs that an executed notebook doesn't keep
WIDTH = 110

Display = Callable[..., Any]  # IPython's


class WatchedLab(Lab):
    """A lab in a notebook, which shows what it is at."""

    def _fetch(self, task: Task) -> Artifact:
        if self.store.contains(task):
            return super()._fetch(task)
        with shown(self, task):
            return super()._fetch(task)


@contextmanager
def shown(lab: Lab, task: Task) -> Iterator[None]:
    """Show how far the trainings are that a task needs, until they are done."""
    from IPython import display, get_ipython

    shell = get_ipython()
    if not shell:  # a plain Python
        yield
        return
    view = Bar(display.display) if is_watched(shell) else Lines(display.display)
    board = Progress(
        *progress.columns(), console=Console(file=io.StringIO(), width=WIDTH, force_jupyter=False), auto_refresh=False
    )
    try:
        with progress.followed(lab, progress.missing(lab, [task]).values(), board, lambda: view.show(as_text(board))):
            yield
    finally:
        view.close()


def is_watched(shell: Any) -> bool:
    """Whether a person is there: papermill and nbconvert allow no questions to be asked."""
    kernel = getattr(shell, "kernel", None)
    request = kernel.get_parent("shell") if kernel else {}
    return bool(request.get("content", {}).get("allow_stdin", True))


def as_text(board: Progress) -> str:
    """The running trainings, one a line; nothing if there are none."""
    if not board.tasks:
        return ""
    with board.console.capture() as captured:
        board.console.print(board.get_renderable())
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


class Bar:
    """One output, which follows the training and is empty after it."""

    def __init__(self, display: Display) -> None:
        self.display = display
        self.handle: Any = None

    def show(self, text: str) -> None:
        if self.handle:
            self.handle.update({"text/plain": text}, raw=True, metadata=PASSING)
        elif text:
            self.handle = self.display({"text/plain": text}, raw=True, metadata=PASSING, display_id=True)

    def close(self) -> None:
        self.show("")


class Lines(progress.Lines):
    """A further output from time to time, where nobody would see one change."""

    def __init__(self, display: Display, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(lambda text: display({"text/plain": text}, raw=True, metadata=PASSING), clock)

    def close(self) -> None:
        pass
