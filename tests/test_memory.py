"""Memory that was freed stays with the process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from autoencoders import memory
if {kept}:
    memory.keep_freed()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    several = [np.ones(200_000) for _ in range(8)]
    del several
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="elsewhere nothing is changed")
def test_pages_are_asked_for_once() -> None:
    def faults(kept: bool) -> int:
        done = subprocess.run(
            [sys.executable, "-c", FAULTS.format(kept=kept)], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    pages = 8 * 200_000 * 8 // 4096
    assert faults(kept=True) < 3 * pages, "those of the first arrays, and few more"
    assert faults(kept=False) > 10 * pages, "new ones for most of the arrays"
