"""Whoever may write to the cache can't make it run code: entries are arrays and JSON, checkpoints plain tensors."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forks import FORMS, Bomb, Broken, Order, Whole, entry_of, results, store_in, tasks

from autoencoders.store import entries

NOTHING_RUNS = "Nothing that is loaded from the cache can run code: a planted pickle is refused, not opened."


# ── Entries ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def sealed(entry: Path, arrays: bytes | None = None, **changes: Any) -> None:
    """As somebody does it who knows how records are made."""
    record = entries.read_record(entry)
    if arrays is not None:
        (entry / "arrays.npz").write_bytes(arrays)
        record["files"]["arrays.npz"] = entries._description(entry / "arrays.npz")
    (entry / "record.json").write_bytes(entries.sealed(record | changes))


def object_array(bomb: Bomb) -> bytes:
    file = io.BytesIO()
    np.savez(file, x=np.array([bomb], object))
    return file.getvalue()


def member(bomb: Bomb) -> bytes:
    """A member of the archive that is a pickle from its first byte on."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", pickle.dumps(bomb))
    return file.getvalue()


def object_header(bomb: Bomb) -> bytes:
    """A member that says of itself that it needs no pickle, in a field within a field."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("x.npy", "w") as member:
        header = {"descr": [("a", [("b", "|O")])], "fortran_order": False, "shape": (1,)}
        np.lib.format.write_array_header_1_0(member, header)
        member.write(pickle.dumps(bomb))
    return file.getvalue()


def absurd_size(bomb: Bomb) -> bytes:
    """A member that claims to be larger than any memory."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("x.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": (1 << 60,)})
    return file.getvalue()


def plain_pickle(bomb: Bomb) -> bytes:
    return pickle.dumps(bomb)


def joblibs_own(bomb: Bomb) -> bytes:
    """As joblib.Memory would have written it."""
    import joblib

    file = io.BytesIO()
    joblib.dump([bomb], file)
    return file.getvalue()


@pytest.mark.promise(NOTHING_RUNS)
@pytest.mark.parametrize("plant", [object_array, member, object_header, absurd_size, plain_pickle, joblibs_own])
def test_pickle_in_an_entry_is_refused(
    broken: Broken, whole: Whole, copy: Path, tmp_path: Path, plant: Callable[[Bomb], bytes]
) -> None:
    bomb = Bomb(tmp_path / "exploded")
    entry = entry_of(copy, 0)
    sealed(entry, plant(bomb))
    for name in ("output.pkl", "metadata.json", "func_code.py", "arrays.pkl"):
        (entry / name).write_bytes(pickle.dumps(bomb))
    with pytest.raises(entries.DamageError):
        entries.read(entry)
    store_in(copy).state(tasks([0])[0])
    assert not bomb.mark.exists()
    [ended] = broken(Order(work="load", folder=str(copy)))
    assert ended.code == 0, ended.stderr
    assert not bomb.mark.exists()
    assert "training-0 is damaged" in ended.stderr
    assert results(copy) == results(whole.folder)


RECORDS: dict[str, dict[str, Any]] = {
    "no files": {"files": {}},
    "other files": {"files": {"../../x": {"bytes": 1, "sha256": ""}}},
    "files that are none": {"files": 5},
    "another key": {"key": "0" * 16},
}


@pytest.mark.promise(NOTHING_RUNS)
def test_altered_record_is_damage(copy: Path, tried: Callable[[int], None]) -> None:
    """Also if somebody has sealed it anew; and so is what isn't a record at all."""
    entry = entry_of(copy, 0)
    record = (entry / "record.json").read_bytes()
    for changes in RECORDS.values():
        sealed(entry, **changes)
        assert store_in(copy).state(tasks([0])[0]).state == "corrupt"
        (entry / "record.json").write_bytes(record)
    others = [b"[" * 100_000, b'{"digest": 1}', b"[1]", b"null", b"\xff", pickle.dumps(Bomb(copy / "exploded"))]
    for content in others:
        (entry / "record.json").write_bytes(content)
        store = store_in(copy)
        assert store.state(tasks([0])[0]).state == "corrupt"
        assert {each["name"] for each in store.entries()} == {"training-1"}
    assert not (copy / "exploded").exists()
    tried(len(RECORDS) + len(others))


# ── Checkpoints ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.promise(NOTHING_RUNS)
@pytest.mark.parametrize("form", FORMS)
def test_pickle_in_a_checkpoint_is_refused(broken: Broken, whole: Whole, tmp_path: Path, form: str) -> None:
    """Sealed as a true one is, by somebody who knows what it is a checkpoint of."""
    [ended] = broken(Order(work="plant", folder=str(tmp_path), more={"form": form}))
    assert ended.code == 0, ended.stderr
    assert not (tmp_path / "exploded").exists()
    assert len(results(tmp_path)) == 1
    assert results(tmp_path).items() <= results(whole.folder).items()


# ── What is written ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.promise(NOTHING_RUNS)
def test_only_arrays_and_json_are_written(whole: Whole, tried: Callable[[int], None]) -> None:
    files = [path for path in (whole.folder / "work/cache").rglob("*") if path.is_file()]
    for path in files:
        match path.suffix:
            case ".json":
                json.loads(path.read_bytes())
            case ".npz":
                np.load(path, allow_pickle=False)
            case suffix:
                assert suffix == ".lock"
                assert path.read_bytes() == b""
    tried(len(files))
