"""Entries that go to other caches: in a file, and by a place that several machines reach."""

from __future__ import annotations

import io
import shutil
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_store import Bench
from waiting import PATIENCE

from autoencoders.errors import InputError
from autoencoders.store import Store, archive, entries, remote
from autoencoders.store.remote import Remote


@pytest.fixture
def full(tmp_path: Path) -> Bench:
    """A store with one entry."""
    (tmp_path / "full").mkdir()
    bench = Bench(tmp_path / "full")
    bench.store.fetch(bench.task)
    return bench


def empty(bench: Bench, folder: Path, address: str | None = None) -> Store:
    """Another machine's, which runs the same code."""
    return Store(folder, bench.store.package, remote=address)


def unused(*_: Any, **__: Any) -> Any:
    pytest.fail("it was computed again")


def taken(bench: Bench, store: Store) -> None:
    """The entry is there as it was written, and nothing is computed."""
    found = store.fetch(replace(bench.task, compute=unused))
    made = bench.store.fetch(bench.task)
    assert found.meta == made.meta
    assert all(np.array_equal(found.arrays[name], array) for name, array in made.arrays.items())


# ── In a file ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_archive_brings_an_entry_to_another_cache(full: Bench, tmp_path: Path) -> None:
    key = full.store.key(full.task)
    assert archive.pack(full.store, [key, "0" * 16], tmp_path / "a.tar") == 1
    other = empty(full, tmp_path / "other")
    assert archive.unpack(other, tmp_path / "a.tar") == (1, 0)
    taken(full, other)
    assert archive.unpack(other, tmp_path / "a.tar") == (0, 1), "what is sound stays"
    assert {path.name for path in other.root.iterdir()} <= {"artifacts", "locks", ".autoencoders-cache"}


def test_archive_of_the_same_entries_has_the_same_bytes(full: Bench, tmp_path: Path) -> None:
    for name in ("a.tar", "b.tar"):
        archive.pack(full.store, [full.store.key(full.task)], tmp_path / name)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_archive_replaces_what_is_damaged(full: Bench, tmp_path: Path) -> None:
    key = full.store.key(full.task)
    archive.pack(full.store, [key], tmp_path / "a.tar")
    shutil.copytree(full.store.root, tmp_path / "other")
    (tmp_path / "other/artifacts" / key / entries.META).write_bytes(b"{}")
    other = empty(full, tmp_path / "other")
    assert archive.unpack(other, tmp_path / "a.tar") == (1, 0)
    taken(full, other)
    assert len(list((other.root / "set-aside").iterdir())) == 1


def written(path: Path, members: list[tuple[tarfile.TarInfo, bytes]], mode: Any = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        for member, content in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return path


def named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


KEY = "0123456789abcdef"
HOSTILE = {
    "parent": named("../harm"),
    "inside out": named(f"{KEY}/../../record.json"),
    "absolute": named("/tmp/harm"),
    "other file": named(f"{KEY}/harm.py"),
    "other key": named("artifacts/record.json"),
    "symbolic link": named(f"{KEY}/record.json", tarfile.SYMTYPE, "/etc/hostname"),
    "hard link": named(f"{KEY}/record.json", tarfile.LNKTYPE, "/etc/hostname"),
    "folder": named(f"{KEY}/record.json", tarfile.DIRTYPE),
    "pipe": named(f"{KEY}/record.json", tarfile.FIFOTYPE),
    "device": named(f"{KEY}/record.json", tarfile.CHRTYPE),
}


@pytest.mark.parametrize("member", HOSTILE.values(), ids=HOSTILE)
def test_hostile_archive_is_refused(member: tarfile.TarInfo, full: Bench, tmp_path: Path) -> None:
    path = written(tmp_path / "a.tar", [(member, b"{}")])
    other = empty(full, tmp_path / "other")
    with pytest.raises(InputError, match="is refused: .* is no file of an entry") as refusal:
        archive.unpack(other, path)
    assert len(str(refusal.value).splitlines()) == 1
    assert [p.name for p in other.root.iterdir()] == [".autoencoders-cache"]


def test_archive_that_is_broken_is_one_clear_line(full: Bench, tmp_path: Path) -> None:
    key = full.store.key(full.task)
    archive.pack(full.store, [key], tmp_path / "a.tar")
    whole = (tmp_path / "a.tar").read_bytes()
    folder = full.store.root / "artifacts" / key
    files = [(named(f"{key}/{name}"), (folder / name).read_bytes()) for name in entries.FILES]
    altered = [(m, c[:-1] + b"!" if m.name.endswith(entries.META) else c) for m, c in files]
    moved = [(named(m.name.replace(key, KEY)), c) for m, c in files]
    broken = {
        "empty": b"",
        "nothing": b"nothing" * 200,
        "cut off": whole[: len(whole) // 3],
        "compressed": written(tmp_path / "c", files, "w:gz").read_bytes(),
        "altered": written(tmp_path / "d", altered).read_bytes(),
        "another's key": written(tmp_path / "e", moved).read_bytes(),
        "lacking": written(tmp_path / "f", files[:2]).read_bytes(),
        "twice": written(tmp_path / "g", files[:1] * 2).read_bytes(),
    }
    for what, content in broken.items():
        (tmp_path / "b.tar").write_bytes(content)
        other = empty(full, tmp_path / what)
        with pytest.raises(InputError) as refusal:
            archive.unpack(other, tmp_path / "b.tar")
        assert len(str(refusal.value).splitlines()) == 1, what
        assert not (other.root / "artifacts").exists(), what


# ── By a place that several reach ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket of a real server that speaks S3, on this machine."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "someone")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "something")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        import s3fs

        s3fs.S3FileSystem().mkdir("shared")
        yield "s3://shared/results"
    server.stop()


@pytest.fixture(params=["file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(remote, "PATIENCE", PATIENCE)
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/{tmp_path.name}"
    return f"file://{tmp_path}/remote"


def test_remote_hands_on_what_was_pushed(full: Bench, place: str, tmp_path: Path) -> None:
    first = empty(full, full.store.root, place)
    assert first.push([full.store.key(full.task)]) == 1
    second = empty(full, tmp_path / "second", place)
    taken(full, second)
    assert empty(full, tmp_path / "second", place).push([full.store.key(full.task)]) == 0, "it is there already"


def test_remote_that_is_damaged_is_not_used(full: Bench, tmp_path: Path) -> None:
    place, key = tmp_path / "remote", full.store.key(full.task)
    empty(full, full.store.root, f"file://{place}").push([key])
    for path in (place / key).iterdir():
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        other = empty(full, tmp_path / f"other-{path.name}", f"file://{place}")
        assert other.fetch(full.task).meta == full.store.fetch(full.task).meta, "computed here"
        path.write_bytes(whole)


def test_remote_without_its_record_has_no_entry(full: Bench, tmp_path: Path) -> None:
    place, key = tmp_path / "remote", full.store.key(full.task)
    empty(full, full.store.root, f"file://{place}").push([key])
    (place / key / entries.RECORD).unlink()
    assert not Remote(f"file://{place}").bring(key, tmp_path / key)


def test_two_machines_may_push_one_key_at_once(full: Bench, place: str, tmp_path: Path) -> None:
    """They took different times for it: their records differ."""
    machines = [full.store, empty(full, tmp_path / "b")]
    machines[1].fetch(full.task)
    key = full.store.key(full.task)
    stores = [empty(full, machine.root, place) for machine in machines]
    pushing = [threading.Thread(target=store.push, args=([key],)) for store in stores]
    for thread in pushing:
        thread.start()
    for thread in pushing:
        thread.join()
    taken(full, empty(full, tmp_path / "c", place))


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """S3 is at an address where nobody listens; clients that know another one are forgotten."""
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("address", ["s3://shared/x", "file:///proc/nowhere/x", "ssh://me:secret@127.0.0.1:9/x"])
def test_remote_that_cannot_be_reached_costs_one_line(
    address: str, full: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = replace(full.task, spec={"another": 1})
    store = empty(full, tmp_path / "other", address)
    for task in (full.task, other):
        store.fetch(task)
    assert store.push([store.key(full.task), store.key(other)]) == 0
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "secret" not in said


def test_remote_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    over = threading.Event()
    silent = Remote(f"file://{tmp_path}", patience=0.05)
    monkeypatch.setattr(silent, "_listed", lambda: over.wait() and set())
    try:
        assert not silent.has(KEY)
        assert not silent.has(KEY)
    finally:
        over.set()
    assert capsys.readouterr().err == f"remote file://{tmp_path}: no answer within 0.05 s: going on without it\n"


def test_run_takes_what_the_remote_has_before_it_computes(full: Bench, tmp_path: Path) -> None:
    address, key = f"file://{tmp_path}/remote", full.store.key(full.task)
    empty(full, full.store.root, address).push([key])
    other = empty(full, tmp_path / "other", address)
    assert other.bring(["0" * 16, key]) == 1
    taken(full, empty(full, tmp_path / "other"))
    assert empty(full, tmp_path / "third").bring([key]) == 0, "without a remote"
