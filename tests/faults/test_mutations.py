"""Each safeguard switched off, in a copy of the project: the suite must notice, or else it proves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from safeguards import MUTATIONS, Mutation

from autoencoders.settings import PROJECT

NOTICED = "The suite fails if a safeguard is switched off: so many were, one at a time."


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the code and of its tests, to be changed."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("autoencoders", "tests"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "pipeline.py"):
        shutil.copy(PROJECT / name, folder)
    return folder


def outcome(project: Path, tests: Iterable[str]) -> subprocess.CompletedProcess[str]:
    """As `make test` does it: a sample of the cases."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "FAULTS"))}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return subprocess.run(
        [*command, *(f"tests/{test}" for test in tests)],
        cwd=project,
        env=environment | {"PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.promise(NOTICED)
def test_a_sound_copy_passes(project: Path, thorough: bool) -> None:
    """Or else what follows would prove nothing."""
    tests = dict.fromkeys(mutation.test for mutation in MUTATIONS if thorough or mutation.quick)
    done = outcome(project, tests)
    assert done.returncode == 0, done.stdout[-3000:]


def test_every_safeguard_of_the_table_stands_in_the_code() -> None:
    sources = {mutation.file: (PROJECT / "autoencoders" / mutation.file).read_text("utf-8") for mutation in MUTATIONS}
    assert [mutation.safeguard for mutation in MUTATIONS if sources[mutation.file].count(mutation.old) != 1] == []


@pytest.mark.promise(NOTICED)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.safeguard)
def test_a_safeguard_that_is_off_is_noticed(
    project: Path, mutation: Mutation, thorough: bool, tried: Callable[[int], None]
) -> None:
    if not thorough and not mutation.quick:
        pytest.skip("takes a while: `make faults` does it")
    path = project / "autoencoders" / mutation.file
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace(mutation.old, mutation.new), encoding="utf-8")
    done = outcome(project, [mutation.test])
    assert done.returncode == 1, done.stdout[-3000:]
    assert "1 failed" in done.stdout
    tried(1)
