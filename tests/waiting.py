"""Waiting for events, never for a time: on a busy machine everything comes, but later."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from autoencoders.store.files import stamp

T = TypeVar("T")
PATIENCE = 600.0  # seconds, after which it never comes


def until(condition: Callable[[], T]) -> T:
    """Wait until something is the case, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "what is waited for never comes"
        time.sleep(0.01)
    return found


def settled(*paths: Path) -> None:
    """Wait until files are so old that their times would tell of any edit."""
    until(lambda: all(stamp(path) for path in paths))
