"""What a command does before anything else: answer interruptions, find its environment, write to any console.

Only Python's own modules are imported here, and nothing newer than Python 3.8: so much has to work everywhere.
"""

from __future__ import annotations

import importlib.util
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

INTERRUPTED = 130  # the exit code
LINE = "interrupted: finished work is kept, and the same command goes on from there"
PATIENCE = 1.5  # seconds in which to tidy up
SIGNALS = (signal.SIGINT, signal.SIGTERM)
NEEDED = ("typer", "joblib", "torch")
ENVIRONMENT = Path(__file__).resolve().parent.parent / ".venv"


def begin() -> None:
    """Call it before anything is imported that takes its time."""
    _on_signals(_leave)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console of Windows knows no "−" and no "σ"
    _use_environment()


# ── The environment ──────────────────────────────────────────────────────────────────────────────────────────────────


def _use_environment() -> None:
    """Go on in the project's own environment where this Python lacks what is needed, or say how to make it."""
    lacking = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not lacking:
        return
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.is_file() and Path(sys.prefix).resolve() != ENVIRONMENT.resolve():
        os.execv(str(python), [str(python), *getattr(sys, "orig_argv", ["", *sys.argv])[1:]])
    say(f"error: {sys.executable} lacks {', '.join(lacking)}: type `make setup`, then `source .venv/bin/activate`")
    sys.exit(2)


# ── Interruptions ────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def interruptible() -> Iterator[None]:
    """Answer the first interruption at once and raise it as KeyboardInterrupt, to tidy up; the next one ends the
    process, and so does time."""
    answered = False

    def interrupt(number: int, frame: Any) -> None:
        nonlocal answered
        answered = True
        _on_signals(_end)
        say(LINE)
        ending = threading.Timer(PATIENCE, os._exit, (INTERRUPTED,))
        ending.daemon = True
        ending.start()
        raise KeyboardInterrupt

    before = _on_signals(interrupt)
    try:
        yield
    except KeyboardInterrupt:
        if not answered:
            say(LINE)
        raise
    finally:
        if not answered:
            for number, handler in before.items():
                signal.signal(number, handler)


def _on_signals(handler: Any) -> dict[signal.Signals, Any]:
    """Set a handler, and return those before; a signal that was ignored, as by `nohup`, stays so."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    heeded = [number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    return {number: signal.signal(number, handler) for number in heeded}


def _leave(number: int, frame: Any) -> None:
    say(LINE)
    _end(number, frame)


def _end(number: int, frame: Any) -> None:
    os._exit(INTERRUPTED)


def say(line: str) -> None:
    """Write a line to stderr, even from a signal's handler, which may come in the midst of another line."""
    try:
        print(line, file=sys.stderr, flush=True)
    except (RuntimeError, ValueError, OSError):
        with suppress(OSError):
            os.write(2, f"\n{line}\n".encode())
