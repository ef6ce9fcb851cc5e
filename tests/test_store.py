"""The store's promises: computed once, never wrong, never lost, always explained."""

from __future__ import annotations

import errno
import itertools
import json
import math
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from small_store import Bench, counted
from waiting import settled, until

from autoencoders.errors import InputError, StorageError
from autoencoders.store import Artifact, Reason, Task, entries, files
from autoencoders.store import store as store_module

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def snapshot(folder: Path) -> dict[str, Any]:
    """Everything about a folder that an inspection could change."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in [folder, *folder.rglob("*")]
        if path.exists()
    }


def failing(error: BaseException) -> Callable[[Path], Artifact]:
    def compute(scratch: Path) -> Artifact:
        raise error

    return compute


def never(scratch: Path) -> Artifact:
    raise AssertionError("computed again")


# ── Once ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_computed_once_and_the_same_ever_after(bench: Bench) -> None:
    first, second = bench.store.fetch(bench.task), bench.store.fetch(replace(bench.task, compute=never))
    assert bench.runs == 1
    for artifact in (first, second):
        np.testing.assert_array_equal(artifact.arrays["weights/encoder.0"], np.arange(6.0).reshape(2, 3))
        assert artifact.meta == {"history": {"loss": [1.0, 0.5]}}
    assert bench.state() == "cached"
    assert bench.store.contains(bench.task)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3), np.float32),
        np.array(3, np.int8),
        np.array([], bool),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(["a", "äé"]),
        np.array([np.nan, -0.0, np.inf]),
        np.arange(6, dtype=">u2")[::2],
        np.zeros(2, np.dtype([("x", "f4"), ("y", "i8")])),
        np.array([1 + 2j], np.complex64),
        np.float16(1.5),
    ],
)
def test_arrays_come_back_as_they_were(bench: Bench, array: np.ndarray) -> None:
    for name in ("file", "a/b.c", "ä", "x.npy", "allow_pickle"):
        bench.store.fetch(bench.returning({name: array}))
        [(found_name, found)] = bench.store.fetch(bench.task).arrays.items()
        assert found_name == name
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        assert found.tobytes() == np.asarray(array).tobytes()
        shutil.rmtree(bench.cache)


def test_meta_comes_back_with_its_nan(bench: Bench) -> None:
    meta = {
        "loss": [float("nan"), float("inf"), -float("inf"), None],
        "é": "é",
        "n": np.float32(1.5),
        "t": (1, 2),
        "e": {},
    }
    for found in (bench.store.fetch(bench.returning(meta=meta)).meta, bench.store.fetch(bench.task).meta):
        assert math.isnan(found["loss"][0])
        assert found["loss"][1:] == [math.inf, -math.inf, None]
        assert (found["é"], found["n"], found["t"], found["e"]) == ("é", 1.5, [1, 2], {})


def test_empty_artifact(bench: Bench) -> None:
    bench.store.fetch(bench.returning())
    assert bench.store.fetch(bench.task) == Artifact({}, {})


def test_entries_of_equal_artifacts_are_equal_bytes(bench: Bench) -> None:
    bench.store.fetch(bench.task)
    before = (bench.entry / "arrays.npz").read_bytes()
    shutil.rmtree(bench.cache)
    bench.store.fetch(bench.task)
    assert (bench.entry / "arrays.npz").read_bytes() == before
    np.testing.assert_array_equal(
        np.load(bench.entry / "arrays.npz")["weights/encoder.0"], np.arange(6.0).reshape(2, 3)
    )


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_key_does_not_depend_on_form(bench: Bench) -> None:
    key = bench.store.key(bench.task)
    shuffled = {"seed": 0, "rates": [0.1, 0.2], "model": {"width": 32, "type": "AE"}}
    assert bench.store.key(replace(bench.task, spec=shuffled)) == key
    assert bench.store.key(replace(bench.task, name="other name", compute=never)) == key
    assert bench.store.key(replace(bench.task, roots=("lab.work:train", "lab.work:helper"))) == key


CHANGES: dict[str, dict[str, Any]] = {
    "value": {"spec": {"model": {"type": "AE", "width": 33}, "rates": (0.1, 0.2), "seed": 0}},
    "type": {"spec": {"model": {"type": "AE", "width": 32}, "rates": (0.1, 0.2), "seed": 0.0}},
    "order of a list": {"spec": {"model": {"type": "AE", "width": 32}, "rates": (0.2, 0.1), "seed": 0}},
    "one more": {"spec": {"model": {"type": "AE", "width": 32}, "rates": (0.1, 0.2), "seed": 0, "new": None}},
    "kind": {"kind": "probe"},
    "data": {"inputs": {"data": "beef"}},
    "another input": {"inputs": {"data": "f00d", "model": "1"}},
    "roots": {"roots": ("lab.work:plot",)},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_key_depends_on_content(bench: Bench, change: Mapping[str, Any]) -> None:
    assert bench.store.key(replace(bench.task, **change)) != bench.store.key(bench.task)


def test_spec_that_is_not_json_is_refused_by_name(bench: Bench) -> None:
    with pytest.raises(TypeError, match=r"ae-vector.*not JSON|ae-vector.*isn't JSON"):
        bench.store.key(replace(bench.task, spec={"model": object()}))


def test_missing_root_is_one_clear_error(bench: Bench) -> None:
    with pytest.raises(InputError, match="lab.work:nothing"):
        bench.store.fetch(replace(bench.task, roots=("lab.work:nothing",)))
    assert not bench.cache.exists()


# ── Edits of the code ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new"), [("x + 1", "x + 2"), ("RATE = 0.5", "RATE = 0.25"), ("helper(x) *", "helper(x) +")]
)
def test_edit_in_reach_is_stale_and_its_undoing_finds_the_old_entry(bench: Bench, old: str, new: str) -> None:
    bench.store.fetch(bench.task)
    bench.edit(old, new)
    assert bench.state() == "stale"
    bench.store.fetch(bench.task)
    assert bench.runs == 2
    bench.edit(new, old)
    assert bench.state() == "cached"
    bench.store.fetch(bench.task)
    assert bench.runs == 2


@pytest.mark.parametrize(
    ("old", "new"), [("'''Train.'''", "'''Learn.'''"), ("return x\n", "return 2 * x\n"), ("def", "# so\ndef")]
)
def test_edit_out_of_reach_recomputes_nothing(bench: Bench, old: str, new: str) -> None:
    bench.store.fetch(bench.task)
    bench.edit(old, new)
    assert bench.state() == "cached"
    bench.store.fetch(bench.task)
    assert bench.runs == 1


def test_change_of_joblibs_cached_function_loses_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from autoencoders.store import backend

    bench.store.fetch(bench.task)

    def rewritten(key: str, code: str, compute: Callable) -> Any:
        """Another source, as after a release that touches the store."""
        return compute()

    monkeypatch.setattr(backend, "_entry", rewritten)
    bench.store.fetch(bench.task)
    assert bench.runs == 1


# ── Why something is stale ───────────────────────────────────────────────────────────────────────────────────────────


def test_reasons_name_the_function(bench: Bench) -> None:
    bench.store.fetch(bench.task)
    bench.edit("x + 1", "x + 2")
    [reason] = bench.store.state(bench.task).reasons
    assert (reason.kind, reason.what) == ("code", "lab.work.helper")
    assert reason.old != reason.new


def test_reasons_name_what_the_code_reaches_no_more(bench: Bench) -> None:
    bench.store.fetch(bench.task)
    bench.edit("helper(x) * RATE", "x * RATE")
    reasons = {reason.what: reason for reason in bench.store.state(bench.task).reasons}
    assert reasons.keys() == {"lab.work.train", "lab.work.helper"}
    assert reasons["lab.work.helper"].new is None


def test_reasons_name_the_parameter(bench: Bench) -> None:
    bench.store.fetch(bench.task)
    spec = {"model": {"type": "AE", "width": 64}, "rates": [0.1], "depth": 2}
    assert bench.store.state(replace(bench.task, spec=spec)).reasons == (
        Reason("parameter", "depth", None, 2),
        Reason("parameter", "model.width", 32, 64),
        Reason("parameter", "rates", [0.1, 0.2], [0.1]),
        Reason("parameter", "seed", 0, None),
    )


def test_reasons_name_the_data(bench: Bench) -> None:
    bench.store.fetch(bench.task)
    changed = replace(bench.task, inputs={"data": "beef"})
    assert bench.store.state(changed).reasons == (Reason("data", "data", "f00d", "beef"),)


def test_reasons_compare_with_the_most_similar_entry(bench: Bench) -> None:
    for width, seed in ((8, 1), (16, 2), (32, 3)):
        bench.store.fetch(replace(bench.task, spec={"width": width, "seed": seed}))
    assert bench.store.state(replace(bench.task, spec={"width": 17, "seed": 2})).reasons == (
        Reason("parameter", "width", 16, 17),
    )


@pytest.mark.parametrize("other", [{"name": "vae"}, {"kind": "probe"}])
def test_entries_of_other_names_and_kinds_are_no_older_versions(bench: Bench, other: Mapping[str, Any]) -> None:
    bench.store.fetch(replace(bench.task, **other))
    assert bench.state(replace(bench.task, spec={"seed": 7})) == "missing"


def test_store_format_is_a_reason(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.store.fetch(bench.task)
    monkeypatch.setattr(entries, "FORMAT", 3)
    assert bench.store.state(bench.task).reasons == (Reason("version", "store format", 2, 3),)


# ── Processes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_four_threads_compute_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = []

    def locked(path: Path) -> Any:
        waiting.append(path)
        return files.locked(path)

    def slow(scratch: Path) -> Artifact:
        until(lambda: len(waiting) == 4)
        return counted(bench.folder, scratch)

    monkeypatch.setattr(store_module, "locked", locked)

    store = bench.store
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(store.fetch, [replace(bench.task, compute=slow)] * 4))
    assert bench.runs == 1
    assert len({artifact.arrays["weights/encoder.0"].sum() for artifact in found}) == 1


def test_tasks_travel_to_other_processes(bench: Bench) -> None:
    task, store = pickle.loads(pickle.dumps((bench.task, bench.store)))
    store.fetch(task)
    assert bench.state() == "cached"


# ── Failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_failure_leaves_no_entry_and_no_lock_and_is_remembered(bench: Bench) -> None:
    broken = replace(bench.task, compute=failing(ValueError("loss became NaN\nat step 3")))
    for _ in range(2):
        with pytest.raises(ValueError, match="loss became NaN"):
            bench.store.fetch(broken)
    state = bench.store.state(bench.task)
    assert (state.state, state.message) == ("failed", "ValueError: loss became NaN")
    assert not bench.store.contains(bench.task)
    assert not list(bench.cache.glob("artifacts/*"))
    bench.store.fetch(bench.task)
    assert bench.state() == "cached"
    shutil.rmtree(bench.entry)
    assert bench.state() == "missing"


def test_failure_is_of_one_key_alone(bench: Bench) -> None:
    with pytest.raises(ZeroDivisionError):
        bench.store.fetch(replace(bench.task, compute=failing(ZeroDivisionError())))
    assert bench.state(replace(bench.task, spec={"seed": 1})) == "missing"


def test_interruption_is_no_failure(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.store.fetch(replace(bench.task, compute=failing(KeyboardInterrupt())))
    assert bench.state() == "missing"
    bench.store.fetch(bench.task)


@pytest.mark.parametrize(
    "artifact",
    [
        Artifact({"x": np.array([object()])}, {}),
        Artifact({"x": np.array([None, 1.0])}, {}),
        Artifact({"x": np.zeros(1, np.dtype([("a", object)]))}, {}),
        Artifact({}, {"model": object()}),
        Artifact({}, {"array": np.zeros(3)}),
        Artifact({}, {"set": {1, 2}}),
    ],
)
def test_live_objects_are_refused(bench: Bench, artifact: Artifact) -> None:
    with pytest.raises(TypeError):
        bench.store.fetch(replace(bench.task, compute=lambda scratch: artifact))
    assert bench.state() == "failed"
    assert not list(bench.cache.glob("artifacts/*"))


# ── Checkpoints ──────────────────────────────────────────────────────────────────────────────────────────────────────


def interrupted_at(progress: str | None) -> Callable[[Path], Artifact]:
    def compute(scratch: Path) -> Artifact:
        assert list(scratch.iterdir()) == []
        (scratch / "checkpoint.pt").write_text("weights")
        if progress is not None:
            (scratch / "progress.json").write_text(progress)
        raise KeyboardInterrupt

    return compute


@pytest.mark.parametrize(
    ("progress", "epochs"),
    [('{"epoch": 7, "epochs": 40}', (7, 40)), ('{"epo', (None, None)), (None, (None, None)), ("[]", (None, None))],
)
def test_partial_work_is_told_and_handed_back(bench: Bench, progress: str | None, epochs: tuple) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.store.fetch(replace(bench.task, compute=interrupted_at(progress)))
    state = bench.store.state(bench.task)
    assert (state.state, (state.epoch, state.epochs)) == ("partial", epochs)
    scratch = bench.store.scratch(bench.task)

    def resume(folder: Path) -> Artifact:
        assert folder == scratch
        return Artifact({}, {"from": (folder / "checkpoint.pt").read_text()})

    assert bench.store.fetch(replace(bench.task, compute=resume)).meta == {"from": "weights"}
    assert not scratch.exists()


# ── Damage ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path: Path) -> None:
    """With the modification time put back, as a failing disk would."""
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=times)


def test_damage_after_a_check_in_the_same_process_is_found(bench: Bench) -> None:
    store = bench.store
    store.fetch(bench.task)
    settled(*bench.entry.iterdir())
    assert store.state(bench.task).state == store.state(bench.task).state == "cached"
    flip_a_bit(bench.entry / "arrays.npz")
    assert store.state(bench.task).state == "corrupt"


def test_length_that_changed_is_told_in_bytes(bench: Bench) -> None:
    bench.store.fetch(bench.task)
    size = (bench.entry / "arrays.npz").stat().st_size
    (bench.entry / "arrays.npz").write_bytes(b"")
    assert bench.store.state(bench.task).reasons == (Reason("file", "arrays.npz", f"{size} bytes", "0 bytes"),)


# ── The disk ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", ["locks", "checkpoints", "set-aside"])
def test_folder_that_cannot_be_made_is_one_clear_error(bench: Bench, place: str) -> None:
    bench.store.fetch(bench.task)
    truncate(bench.entry / "meta.json")
    shutil.rmtree(bench.cache / place, ignore_errors=True)
    (bench.cache / place).write_text("in the way")
    with pytest.raises(StorageError, match=place):
        bench.store.fetch(bench.task)


def test_disk_full_while_computing_is_a_storage_error_and_no_failure(bench: Bench) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/somewhere/checkpoint.pt")
    with pytest.raises(StorageError, match=r"/somewhere/checkpoint\.pt: No space left on device"):
        bench.store.fetch(replace(bench.task, compute=failing(error)))
    assert bench.state() == "missing"


def test_other_os_errors_of_a_computation_stay_what_they_are(bench: Bench) -> None:
    with pytest.raises(FileNotFoundError):
        bench.store.fetch(replace(bench.task, compute=failing(FileNotFoundError(2, "no", "data.bin"))))
    assert bench.state() == "failed"


def test_unreadable_disk_is_no_damage(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.store.fetch(bench.task)

    store = bench.store
    settled(*bench.package.rglob("*.py"))
    store.key(bench.task)  # now the package's files are remembered, and only the entry's will be read

    def unreadable(path: Path, mode: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr(Path, "open", unreadable)
    with pytest.raises(StorageError, match="Input/output error"):
        store.state(bench.task)


def test_code_that_is_edited_while_a_process_runs_is_not_computed_with(bench: Bench) -> None:
    store = bench.store  # knows the code as this process has it
    bench.edit("return x + 1", "return x + 2")
    with pytest.raises(InputError, match="ae-vector reaches was edited while this ran: start again"):
        store.fetch(replace(bench.task, compute=never))
    assert not store.contains(bench.task)
    bench.store.fetch(bench.task)  # a new process computes with what is there now


def test_other_edits_meanwhile_are_no_obstacle(bench: Bench) -> None:
    store = bench.store
    bench.edit("def plot(x):\n    return x", "def plot(x):\n    return -x")
    store.fetch(bench.task)
    assert store.contains(bench.task)


# ── Looking without touching ─────────────────────────────────────────────────────────────────────────────────────────


def inspect(bench: Bench, task: Task) -> None:
    store = bench.store
    for _ in range(2):
        store.key(task)
        store.contains(task)
        store.state(task)
        store.scratch(task)
        list(store.entries())
        store.prune([], dry_run=True)
        with pytest.raises(KeyError):
            store.provenance(replace(task, spec={"seed": -1}))


def test_inspection_of_nothing_makes_nothing(bench: Bench) -> None:
    inspect(bench, bench.task)
    assert not bench.cache.exists()
    assert list(bench.store.entries()) == bench.store.prune([]) == []
    assert not bench.cache.exists()


def test_inspection_changes_nothing(bench: Bench) -> None:
    """With an entry in each state, and cached entries loaded as well."""
    bench.store.fetch(bench.task)
    partial_task = replace(bench.task, name="partial", spec={"a": 1})
    with pytest.raises(KeyboardInterrupt):
        bench.store.fetch(replace(partial_task, compute=interrupted_at('{"epoch": 1, "epochs": 2}')))
    failed = replace(bench.task, name="failed", spec={"a": 2})
    with pytest.raises(ValueError, match="no"):
        bench.store.fetch(replace(failed, compute=failing(ValueError("no"))))
    corrupt = replace(bench.task, name="corrupt", spec={"a": 3})
    bench.store.fetch(corrupt)
    truncate(bench.cache / "artifacts" / bench.store.key(corrupt) / "arrays.npz")
    stale, missing = replace(bench.task, spec={"a": 4}), replace(bench.task, name="missing", spec={"a": 5})

    before = snapshot(bench.cache)
    tasks = [bench.task, partial_task, failed, corrupt, stale, missing]
    assert [bench.state(task) for task in tasks] == ["cached", "partial", "failed", "corrupt", "stale", "missing"]
    for task in tasks:
        inspect(bench, task)
    bench.store.provenance(bench.task)
    bench.store.fetch(bench.task)
    assert snapshot(bench.cache) == before


def test_cached_entries_are_read_without_a_lock(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they must be where the cache is read-only."""
    bench.store.fetch(bench.task)
    monkeypatch.setattr("filelock.FileLock", never)
    bench.store.fetch(bench.task)


# ── Provenance ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_provenance_tells_where_an_artifact_comes_from(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(7, 5)
    monkeypatch.setattr(store_module, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    bench.store.fetch(bench.task)
    found = bench.store.provenance(bench.task)
    assert found["key"] == bench.store.key(bench.task)
    assert (found["name"], found["kind"], found["inputs"]) == ("ae-vector", "training", {"data": "f00d"})
    assert found["spec"] == {"model": {"type": "AE", "width": 32}, "rates": [0.1, 0.2], "seed": 0}
    assert found["manifest"].keys() == {"lab.work.RATE", "lab.work.helper", "lab.work.train"}
    assert found["seconds"] == 5
    assert found["created"].endswith("+00:00")
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["versions"].keys() >= {"numpy", "joblib"}
    json.dumps(found)


def test_entries_lists_what_is_cached(bench: Bench) -> None:
    store = bench.store
    for name in ("a", "b"):
        store.fetch(replace(bench.task, name=name, spec={"name": name}))
        assert name in {record["name"] for record in store.entries()}
    truncate(bench.cache / "artifacts" / store.key(replace(bench.task, spec={"name": "a"})) / "record.json")
    assert {record["name"] for record in bench.store.entries()} == {"b"}


# ── Pruning ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def litter(bench: Bench) -> Task:
    """An entry that is kept, and one of everything that isn't."""
    kept = replace(bench.task, name="kept", spec={"kept": True})
    bench.store.fetch(bench.task)
    truncate(bench.entry / "meta.json")
    bench.store.fetch(bench.task)
    bench.store.fetch(kept)
    with pytest.raises(ValueError, match="no"):
        bench.store.fetch(replace(bench.task, spec={"a": 1}, compute=failing(ValueError("no"))))
    with pytest.raises(KeyboardInterrupt):
        bench.store.fetch(replace(bench.task, spec={"a": 2}, compute=interrupted_at(None)))
    (bench.cache / "artifacts" / f".{bench.store.key(kept)}.1234abcd").mkdir()
    return kept


def test_prune_drops_what_nothing_refers_to(bench: Bench) -> None:
    kept = litter(bench)
    before = snapshot(bench.cache)
    announced = bench.store.prune([kept], dry_run=True)
    assert snapshot(bench.cache) == before
    assert bench.store.prune([kept]) == announced
    assert sorted(dropped.what for dropped in announced if dropped.key != bench.store.key(kept)) == sorted(
        ["entry", "set aside", "failure", "checkpoint", "checkpoint"]
    )
    assert [dropped.what for dropped in announced if dropped.key == bench.store.key(kept)] == ["unfinished"]
    assert all(str(dropped) for dropped in announced)
    left = {
        path.name
        for place in ("artifacts", "checkpoints", "failures", "set-aside")
        for path in (bench.cache / place).iterdir()
    }
    assert left == {bench.store.key(kept)}
    assert bench.state(kept) == "cached"
    assert bench.store.prune([kept]) == []


def test_prune_keeps_partial_work_that_is_referred_to(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.store.fetch(replace(bench.task, compute=interrupted_at(None)))
    assert bench.store.prune([bench.task]) == []
    assert bench.state() == "partial"


def test_prune_drops_checkpoints_of_finished_work(bench: Bench) -> None:
    bench.store.fetch(bench.task)
    scratch = bench.store.scratch(bench.task)
    scratch.mkdir()
    assert [dropped.path for dropped in bench.store.prune([bench.task])] == [scratch]
    assert not scratch.exists()
    assert bench.state() == "cached"


def test_prune_spares_what_is_being_computed(bench: Bench) -> None:
    def compute(scratch: Path) -> Artifact:
        (scratch / "checkpoint").write_text("precious")
        assert bench.store.prune([]) == []
        return Artifact({}, {"kept": (scratch / "checkpoint").read_text()})

    assert bench.store.fetch(replace(bench.task, compute=compute)).meta == {"kept": "precious"}


# ── Inputs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def total(scratch: Path, model: Artifact) -> Artifact:
    return Artifact({}, {"total": float(model.arrays["weights/encoder.0"].sum())})


@pytest.fixture
def probe(bench: Bench) -> Task:
    """A task that is computed from another."""
    return replace(bench.task, kind="probe", inputs={"data": "f00d", "model": bench.task}, compute=total)


def test_inputs_are_made_and_handed_over_by_name(bench: Bench, probe: Task) -> None:
    for _ in range(2):
        assert bench.store.fetch(probe).meta == {"total": 15.0}
    assert bench.runs == 1
    assert bench.store.provenance(probe)["inputs"] == {"data": "f00d", "model": bench.store.key(bench.task)}


def test_inputs_are_part_of_the_key(bench: Bench, probe: Task) -> None:
    other = replace(bench.task, spec={"seed": 1})
    assert bench.store.key(probe) != bench.store.key(replace(probe, inputs={"data": "f00d", "model": other}))
    before = bench.store.key(probe)
    bench.edit("x + 1", "x + 2")
    assert bench.store.key(probe) != before, "of another code's model there is another probe"


def test_edit_while_an_input_is_made_is_not_computed_with(bench: Bench, probe: Task) -> None:
    """Even if it is undone before the end: by then, the process has imported the edited code."""

    def edited(scratch: Path) -> Artifact:
        bench.edit("return x + 1", "return x + 2")
        return counted(bench.folder, scratch)

    slow = replace(probe, inputs={"model": replace(bench.task, compute=edited)})
    with pytest.raises(InputError, match="was edited while this ran"):
        bench.store.fetch(slow)
    bench.edit("return x + 2", "return x + 1")
    assert bench.state(slow) != "cached"


# ── Mapped ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_mapped_arrays_are_the_same_and_changes_to_them_are_ones_own(bench: Bench) -> None:
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b/c": np.asfortranarray(np.eye(3, dtype=np.int16)), "ä": np.array(2)}
    task = bench.returning(arrays)
    plain = bench.store.fetch(task).arrays
    for _ in range(2):
        mapped = bench.store.fetch(task, mapped=True).arrays
        assert str(bench.entry / "arrays.npz") in Path("/proc/self/maps").read_text()
        for name, array in mapped.items():
            np.testing.assert_array_equal(array, arrays[name])
            assert array.strides == plain[name].strides
            assert array.flags.aligned
            array[...] = 7
    assert bench.state() == "cached"


def test_arrays_lie_where_a_mapped_file_needs_them(bench: Bench) -> None:
    bench.store.fetch(bench.returning({name: np.ones(n) for n, name in enumerate(["a", "bb", "c" * 77, "é/d"])}))
    for array in bench.store.fetch(bench.task, mapped=True).arrays.values():
        assert array.__array_interface__["data"][0] % 64 == 0


def test_compressed_arrays_are_refused(bench: Bench) -> None:
    """A small file could become larger than any memory."""
    bench.store.fetch(bench.task)
    files = entries.read_record(bench.entry)["files"]
    np.savez_compressed(bench.entry / "arrays.npz", x=np.zeros(1000))
    bench.reseal(files=files | {"arrays.npz": entries._description(bench.entry / "arrays.npz")})
    with pytest.raises(entries.DamageError, match="compressed"):
        entries.read(bench.entry)


# ── Speed ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are opened from now on: what takes its time, on any machine."""
    found: list[Path] = []
    plain = Path.open

    def noted(path: Path, *how: Any, **more: Any) -> Any:
        found.append(path)
        return plain(path, *how, **more)

    monkeypatch.setattr(Path, "open", noted)
    return found


def test_five_hundred_states_open_no_file_again_and_again(bench: Bench, opened: list[Path]) -> None:
    """An entry's files once, and its record twice more: for what made it, and for older versions of what is missing."""
    tasks = [replace(bench.task, name=f"task {i}", spec={"i": i}) for i in range(500)]
    writer = bench.store
    for task in tasks[:250]:
        artifact, record = writer._compute(writer._known(task))
        entries.write(bench.cache / "artifacts" / writer.key(task), artifact, record)
    settled(bench.cache / "artifacts", *bench.package.rglob("*.py"))
    reader = bench.store
    reader.key(bench.task)
    opened.clear()
    states = [reader.state(task).state for task in tasks]
    assert len(opened) <= 250 * (len(entries.FILES) + 2)
    assert states[:250] == ["cached"] * 250
    assert set(states[250:]) == {"missing"}


def test_cached_fetch_opens_each_file_of_its_entry_once(bench: Bench, opened: list[Path]) -> None:
    store = bench.store
    store.fetch(bench.task)
    settled(*bench.package.rglob("*.py"))
    store.key(bench.task)
    opened.clear()
    store.fetch(bench.task)
    assert sorted(path.name for path in opened) == sorted(entries.FILES)


def test_import_and_status_need_neither_torch_nor_joblib(bench: Bench) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from autoencoders.running import processes\nfrom autoencoders.store import Store, Task\n"
        "task = Task(name='', kind='', spec={}, roots=('lab.work:train',), inputs={}, compute=print)\n"
        f"assert Store(Path({str(bench.cache)!r}), {str(bench.package)!r}).state(task).state == 'missing'\n"
        "print({'torch', 'joblib', 'numpy', 'filelock', 'asyncio'} & set(sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    found = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
