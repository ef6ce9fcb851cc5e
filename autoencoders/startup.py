"""What a command does before anything else: answer interruptions, find its environment, write to any console.

Nothing is imported here that Python hasn't loaded anyway (`signal` imports `enum`, which takes its time), and nothing
newer than Python 3.8 is used: interruptions are answered, and a missing environment is told, from the first moment on.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import sys

INTERRUPTED = 130  # the exit code
LINE = "interrupted: finished work is kept, and the same command goes on from there"
PATIENCE = 1.5  # seconds in which to tidy up
SIGNALS = (_signal.SIGINT, _signal.SIGTERM)
NEEDED = ("typer", "joblib", "torch")
ENVIRONMENT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".venv")


def begin() -> None:
    """Call it before anything is imported that takes its time."""
    _on_signals(_leave)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console of Windows knows no "−" and no "σ"
    _use_environment()


# ── The environment ──────────────────────────────────────────────────────────────────────────────────────────────────


def _use_environment() -> None:
    """Go on in the project's own environment where this Python lacks what is needed, or say how to make it."""
    from importlib.util import find_spec

    lacking = [name for name in NEEDED if find_spec(name) is None]
    if not lacking:
        return
    python = os.path.join(ENVIRONMENT, "Scripts/python.exe" if os.name == "nt" else "bin/python")
    if os.path.isfile(python) and os.path.realpath(sys.prefix) != os.path.realpath(ENVIRONMENT):
        os.execv(python, [python, *sys.argv])
    say(f"error: {sys.executable} lacks {', '.join(lacking)}: type `make setup`, then `source .venv/bin/activate`")
    sys.exit(2)


# ── Interruptions ────────────────────────────────────────────────────────────────────────────────────────────────────


class Interruptible:
    """Answer the first interruption at once and raise it as KeyboardInterrupt, to tidy up; the next one ends the
    process, and so does time."""

    answered = False

    def __enter__(self) -> None:
        self.before = _on_signals(self._interrupt)

    def _interrupt(self, number: int, frame: object) -> None:
        from threading import Timer

        self.answered = True
        _on_signals(_end)
        say(LINE)
        ending = Timer(PATIENCE, os._exit, (INTERRUPTED,))
        ending.daemon = True
        ending.start()
        raise KeyboardInterrupt

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if self.answered:
            return
        for number, handler in self.before.items():
            _signal.signal(number, handler)
        if isinstance(error, KeyboardInterrupt):  # without a signal
            say(LINE)


def _on_signals(handler: object) -> dict:
    """Set a handler, and return those before; a signal that was ignored, as by `nohup`, stays so."""
    heeded = [number for number in SIGNALS if _signal.getsignal(number) not in (_signal.SIG_IGN, None)]
    try:
        return {number: _signal.signal(number, handler) for number in heeded}
    except ValueError:
        return {}  # in a thread, which no signal reaches


def _leave(number: int, frame: object) -> None:
    say(LINE)
    _end(number, frame)


def _end(number: int, frame: object) -> None:
    os._exit(INTERRUPTED)


def say(line: str) -> None:
    """Write a line to stderr, even from a signal's handler, which may come in the midst of another line."""
    try:
        print(line, file=sys.stderr, flush=True)
    except (RuntimeError, ValueError, OSError):
        os.write(2, f"\n{line}\n".encode())
