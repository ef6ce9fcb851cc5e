"""What this machine has, found without torch: its GPUs, which worker keeps which, and how memory is kept."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

# ── GPUs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

VISIBLE = "CUDA_VISIBLE_DEVICES"
_held: list[object] = []  # until this process ends, however it ends


def gpus() -> list[str]:
    """By the names that CUDA takes, if an NVIDIA driver answers here; of those alone that the user lets us see."""
    if shutil.which("nvidia-smi") is None:
        return []
    if VISIBLE in os.environ:
        return [name.strip() for name in os.environ[VISIBLE].split(",") if name.strip() not in ("", "-1")]
    return sorted((path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")), key=int)


@functools.cache
def processor(device: str) -> str:
    """The name of what computes there, `AMD EPYC 9R14` for example."""
    if device.startswith("cuda"):
        described, pattern = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")), r"Model:\s*(.+)"
    else:
        described, pattern = [Path("/proc/cpuinfo")], r"model name\s*: (.+)"
    texts = [path.read_text() for path in described if path.exists()]
    found = [name.strip() for text in texts for name in re.findall(pattern, text)]
    return found[0] if found else platform.processor() or platform.machine()


@functools.cache
def keep_one_gpu() -> None:
    """From now on this worker sees one GPU: one that no other worker has, while there is such a one.

    It must come before the process first uses CUDA, which looks at the environment once.
    """
    several = gpus()
    if len(several) > 1:
        os.environ[VISIBLE] = next(filter(_taken, several), several[os.getpid() % len(several)])


def _taken(gpu: str) -> bool:
    """Whether it was free, and is ours now."""
    from filelock import FileLock, Timeout

    lock = FileLock(Path(tempfile.gettempdir()) / f"autoencoders-{os.getuid()}-gpu-{gpu}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    _held.append(lock)
    return True


# ── Memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # their numbers in <malloc.h>
MEBIBYTE = 2**20


@functools.cache
def keep_freed_memory() -> None:
    """Keep memory that this process frees for its next step, which needs as much again; only glibc can be told so.

    Otherwise it may hand large blocks back to Linux after each use, and Linux clears each page anew for the next one:
    half of the time that an SSIM took.
    """
    with suppress(OSError, AttributeError):
        tune = ctypes.CDLL(None).mallopt
        tune(MMAP_THRESHOLD, 32 * MEBIBYTE)  # the most that it takes
        tune(TRIM_THRESHOLD, 256 * MEBIBYTE)


# ── Arithmetic ───────────────────────────────────────────────────────────────────────────────────────────────────────


def flush_denormals() -> None:
    """Let this thread take for zero what is nearer to zero than 1.2e-38.

    The gradients of units that are far from their threshold get as small as that, and processors take many times as
    long for such numbers: the steps of a masked autoencoder took four times as long in its third epoch as in its first.
    What they would add to a weight is lost in its rounding.
    """
    import torch

    torch.set_flush_denormal(True)
