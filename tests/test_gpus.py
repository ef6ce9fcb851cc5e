"""Which GPUs there are, and that each worker of several keeps one to itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from joblib.externals.loky import get_reusable_executor

from autoencoders import gpus
from autoencoders.running import processes


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """One with a driver, whose GPUs are those named."""
    driver = tmp_path / "nvidia-smi"
    driver.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    gpus.keep_one.cache_clear()
    return lambda visible: monkeypatch.setenv(gpus.VISIBLE, visible)


def test_without_a_driver_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(gpus.VISIBLE, "0,1")
    assert gpus.present() == []


@pytest.mark.parametrize(
    ("visible", "found"), [("0", ["0"]), ("2, 0", ["2", "0"]), ("GPU-8f2a", ["GPU-8f2a"]), ("", []), ("-1", [])]
)
def test_only_what_the_user_lets_us_see_is_there(
    machine: Callable[[str], None], visible: str, found: list[str]
) -> None:
    machine(visible)
    assert gpus.present() == found


def own(_: int) -> tuple[int, str]:
    import time

    time.sleep(0.3)  # so that each worker gets something to do
    return os.getpid(), os.environ[gpus.VISIBLE]


def test_workers_side_by_side_have_a_gpu_each(machine: Callable[[str], None]) -> None:
    get_reusable_executor().shutdown(wait=True)  # workers of earlier tests saw another machine
    machine("0,1,2")
    done = dict(result for _, result in processes.run(range(9), own, jobs=3))  # type: ignore[misc]
    assert sorted(done.values()) == ["0", "1", "2"]


def test_more_workers_than_gpus_share_them(machine: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    machine("0,1")
    monkeypatch.setattr(gpus, "_taken", lambda gpu: False)
    gpus.keep_one()
    assert os.environ[gpus.VISIBLE] in ("0", "1")


def test_one_gpu_is_nobodys_own(machine: Callable[[str], None]) -> None:
    machine("1")
    gpus.keep_one()
    assert os.environ[gpus.VISIBLE] == "1"
