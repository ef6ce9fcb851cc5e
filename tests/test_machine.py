"""Which GPUs there are, that each worker of several keeps one to itself, and that freed memory stays with a process."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from joblib.externals.loky import get_reusable_executor
from waiting import PATIENCE

from autoencoders import machine
from autoencoders.evaluation import metrics
from autoencoders.running import processes


@pytest.fixture
def with_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Makes this a machine with a driver, whose GPUs are those named."""
    driver = tmp_path / "nvidia-smi"
    driver.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    machine.keep_one_gpu.cache_clear()
    return lambda visible: monkeypatch.setenv(machine.VISIBLE, visible)


def test_gpus_need_a_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(machine.VISIBLE, "0,1")
    assert machine.gpus() == []


@pytest.mark.parametrize(
    ("visible", "found"), [("0", ["0"]), ("2, 0", ["2", "0"]), ("GPU-8f2a", ["GPU-8f2a"]), ("", []), ("-1", [])]
)
def test_gpus_are_those_that_the_user_lets_us_see(
    with_gpus: Callable[[str], None], visible: str, found: list[str]
) -> None:
    with_gpus(visible)
    assert machine.gpus() == found


def test_workers_side_by_side_have_a_gpu_each(with_gpus: Callable[[str], None], tmp_path: Path) -> None:
    get_reusable_executor().shutdown(wait=True)  # workers of earlier tests saw another machine
    with_gpus("0,1,2")

    def note(task: int) -> None:
        (tmp_path / f"worker-{os.getpid()}").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
        deadline = time.monotonic() + PATIENCE
        while len(list(tmp_path.glob("worker-*"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)  # so that each worker gets something to do

    with processes.pool(note, 3) as pool:
        assert {future.result() for future in [pool.submit(task, 1) for task in range(9)]} == {None}
    assert sorted(path.read_text() for path in tmp_path.glob("worker-*")) == ["0", "1", "2"]


def test_more_workers_than_gpus_share_them(with_gpus: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus("0,1")
    monkeypatch.setattr(machine, "_taken", lambda gpu: False)
    machine.keep_one_gpu()
    assert os.environ[machine.VISIBLE] in ("0", "1")


def test_single_gpu_is_nobodys_own(with_gpus: Callable[[str], None]) -> None:
    with_gpus("1")
    machine.keep_one_gpu()
    assert os.environ[machine.VISIBLE] == "1"


# ── Memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────

FAULTS = """
import resource
import numpy as np
from autoencoders import machine
if {kept}:
    machine.keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    several = [np.ones(200_000) for _ in range(8)]
    del several
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="elsewhere nothing is changed")
def test_kept_memory_asks_for_its_pages_once() -> None:
    def faults(kept: bool) -> int:
        script = FAULTS.format(kept=kept)
        return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)

    pages = 8 * 200_000 * 8 // 4096
    assert faults(kept=True) < 3 * pages, "those of the first arrays, and few more"
    assert faults(kept=False) > 10 * pages, "new ones for most of the arrays"


def test_kept_memory_changes_no_number() -> None:
    images = torch.rand(2, 20, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    before = metrics.compare(*images)
    machine.keep_freed_memory.cache_clear()
    machine.keep_freed_memory()
    after = metrics.compare(*images)
    assert all((before[name] == after[name]).all() for name in before)
