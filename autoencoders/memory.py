"""Keeps memory that was freed for the next step, which needs as much again.

Without it, glibc may hand large blocks back to Linux after each use, and Linux clears each page anew for the next one:
half of the time that an SSIM took. Trainings gain nothing by it.
"""

from __future__ import annotations

import ctypes
import functools
from contextlib import suppress

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # their numbers in <malloc.h>
MEBIBYTE = 2**20


@functools.cache
def keep_freed() -> None:
    """For this process, from now on; elsewhere than on glibc nothing happens."""
    with suppress(OSError, AttributeError):
        tune = ctypes.CDLL(None).mallopt
        tune(MMAP_THRESHOLD, 32 * MEBIBYTE)  # the most that it takes
        tune(TRIM_THRESHOLD, 256 * MEBIBYTE)
