"""The GPUs of this machine, found without torch, and which of them a worker process keeps to itself."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
_held: list[object] = []  # until this process ends, however it ends


def present() -> list[str]:
    """By the names that CUDA takes, if an NVIDIA driver answers here; of those alone that the user lets us see."""
    if shutil.which("nvidia-smi") is None:
        return []
    if VISIBLE in os.environ:
        return [name.strip() for name in os.environ[VISIBLE].split(",") if name.strip() not in ("", "-1")]
    return sorted((path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")), key=int)


@functools.cache
def keep_one() -> None:
    """From now on this worker sees one GPU: one that no other worker has, while there is such a one.

    It must come before the process first uses CUDA, which looks at the environment once.
    """
    several = present()
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
