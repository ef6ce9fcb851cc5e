"""Each safeguard switched off, in a copy of the project: the suite must notice, or else it proves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from autoencoders.settings import PROJECT

NOTICED = "The suite fails if a safeguard is switched off: so many were, one at a time."


@dataclass(frozen=True)
class Mutation:
    """A safeguard, the code that it is, what stands there when it is off, and a test that must notice."""

    safeguard: str
    file: str  # of the package
    old: str
    new: str
    test: str
    quick: bool = False  # tried in CI, too


KILLS = "faults/test_kills.py::test_a_killed_run_goes_on"
DAMAGE = "faults/test_damage.py::test_damage_is_named_before_anything_is_loaded"

MUTATIONS = (
    Mutation(
        "one process at a time computes a result",
        "store/files.py",
        "        lock.acquire(timeout=-1 if wait else 0)\n",
        "",
        "faults/test_concurrency.py::test_overlapping_sweeps_compute_each_result_once",
        quick=True,
    ),
    Mutation(
        "the digest of each file",
        "store/entries.py",
        'if found.hexdigest() != expected["sha256"]:',
        "if not found.hexdigest():",
        f"{DAMAGE}[arrays.npz-one bit flipped]",
    ),
    Mutation(
        "the digest of the record",
        "store/entries.py",
        "if data == sealed(record) and",
        "if",
        f"{DAMAGE}[record.json-one bit flipped]",
    ),
    Mutation(
        "an entry is of its own key",
        "store/entries.py",
        'record["key"] == folder.name and',
        "",
        "faults/test_damage.py::test_entry_in_anothers_place_is_not_taken_for_it",
    ),
    Mutation(
        "an entry appears whole or not at all",
        "store/files.py",
        "unfinished = unfinished_name(path)",
        "unfinished = path",
        f"{KILLS}[mid-write of an entry]",
    ),
    Mutation(
        "what couldn't be written is taken away",
        "store/files.py",
        "        shutil.rmtree(unfinished, ignore_errors=True)\n",
        "",
        "faults/test_disk.py::test_a_disk_that_refuses_an_entry",
    ),
    Mutation(
        "damage is set aside",
        "store/store.py",
        "            self._set_aside_if_damaged(known)\n",
        "",
        "faults/test_damage.py::test_what_is_damaged_is_made_again[arrays.npz]",
    ),
    Mutation(
        "a disk that refuses is told as such",
        "store/files.py",
        "if only is not None and error.errno not in only:",
        "if error.errno:",
        "faults/test_disk.py::test_a_disk_that_refuses_at_any_moment[28]",
    ),
    Mutation(
        "a full disk is told wherever it is noticed",
        "commandline.py",
        "if error.errno not in NO_ROOM:",
        "if error.errno:",
        "faults/test_disk.py::test_a_disk_that_is_full_while_a_report_is_made",
    ),
    Mutation(
        "a checkpoint appears whole or not at all",
        "training.py",
        "            temporary.write_bytes(_digest(payload, self.identity) + payload)\n"
        "            os.replace(temporary, path)\n",
        "            path.write_bytes(_digest(payload, self.identity) + payload)\n",
        f"{KILLS}[mid-checkpoint]",
    ),
    Mutation(
        "the digest of a checkpoint",
        "training.py",
        "if digest != _digest(payload, self.identity):",
        "if not digest:",
        "faults/test_versions.py::test_another_torchs_checkpoint_is_not_gone_on_with",
    ),
    Mutation(
        "a training goes on from its checkpoint",
        "training.py",
        "            run.resume(checkpoint)",
        "            pass",
        f"{KILLS}[mid-epoch]",
    ),
    Mutation(
        "a step's randomness is its own",
        "training.py",
        '        self.generator.manual_seed(derived_seed(seed, "corruption", self.step))\n',
        "",
        f"{KILLS}[mid-epoch]",
    ),
    Mutation(
        "nothing is fitted to test images",
        "measurements/common.py",
        "return pca.fit_pca(data.train.images.to(device))",
        "return pca.fit_pca(data.test.images.to(device))",
        "faults/test_leaks.py::test_other_test_images_change_nothing_that_is_learned",
    ),
    Mutation(
        "noise that judges is no noise that trained",
        "training.py",
        'derived_seed(seed, "corruption", self.step)',
        "1_000_003 + self.step",
        "faults/test_leaks.py::test_no_noise_of_a_training_is_met_again",
    ),
    Mutation(
        "arrays are no pickles",
        "store/entries.py",
        "    if dtype.hasobject:\n",
        "    if dtype.hasobject:\n        return np.lib.format.read_array(member, allow_pickle=True)\n",
        "faults/test_tampering.py::test_pickle_in_an_entry_is_refused[object_array]",
    ),
    Mutation(
        "checkpoints are no pickles",
        "training.py",
        "weights_only=True",
        "weights_only=False",
        "faults/test_tampering.py::test_pickle_in_a_checkpoint_is_refused[pickle]",
    ),
    Mutation(
        "the code counts",
        "store/store.py",
        "dict(self.inputs), self.code.digest]",
        "dict(self.inputs)]",
        "test_store.py::test_reasons_name_the_function",
        quick=True,
    ),
    Mutation(
        "a process computes with the code that it says",
        "store/store.py",
        "        self._refuse_if_edited(known)",
        "",
        "test_store.py::test_code_that_is_edited_while_a_process_runs_is_not_computed_with",
    ),
    Mutation(
        "one process at a time makes a book",
        "reporting/making.py",
        "            held.enter_context(locked(path, wait=False))\n",
        "            pass\n",
        "faults/test_concurrency.py::test_two_reports_at_once_end_with_a_whole_book",
    ),
    Mutation(
        "what a killed execution leaves is in nobody's way",
        "reporting/execution.py",
        'with_suffix(".partial.ipynb")',
        'with_suffix(f".{os.getpid()}.ipynb")',
        "faults/test_kills.py::test_a_killed_report_is_mended[mid-write of a notebook]",
    ),
    Mutation(
        "nobody writes to mapped images",
        "store/entries.py",
        "access=mmap.ACCESS_COPY",
        "access=mmap.ACCESS_WRITE",
        "test_store.py::test_mapped_arrays_are_the_same_and_changes_to_them_are_ones_own",
    ),
    Mutation(
        "workers end with their run",
        "running/processes.py",
        "    exit_with_parent(parent)\n",
        "",
        "faults/test_kills.py::test_workers_end_with_a_killed_run[trainings]",
    ),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the code and of its tests, to be changed."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("autoencoders", "tests"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)
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


@pytest.mark.promise(NOTICED)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.safeguard)
def test_a_safeguard_that_is_off_is_noticed(
    project: Path, mutation: Mutation, thorough: bool, tried: Callable[[int], None]
) -> None:
    if not thorough and not mutation.quick:
        pytest.skip("takes a while: `make faults` does it")
    path = project / "autoencoders" / mutation.file
    source = path.read_text(encoding="utf-8")
    assert source.count(mutation.old) == 1, "the code has changed: so must this table"
    path.write_text(source.replace(mutation.old, mutation.new), encoding="utf-8")
    done = outcome(project, [mutation.test])
    assert done.returncode == 1, done.stdout[-3000:]
    assert "1 failed" in done.stdout
    tried(1)
