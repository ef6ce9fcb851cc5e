"""Damaged on the disk: found before anything uses it, told by name, set aside and made again."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from forks import STEPS, Broken, Order, Whole, draws, entry_of, results, steps, store_in, tasks

from autoencoders.store import Store, entries

FOUND = "A file of the cache that was truncated, zeroed, altered in one bit or deleted is found before it is used."
REPAIRED = "What is damaged is set aside, reported, and computed again to the same bits."


def truncated(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


def zeroed(data: bytes, draw: random.Random) -> bytes:
    """A block, as file systems do it after a crash; or all of it."""
    start = draw.choice((0, draw.randrange(len(data))))
    block = bytes(len(data[start : start + 512]))
    return data[:start] + block + data[start + 512 :]


def flipped(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]


def deleted(data: bytes, draw: random.Random) -> None:
    return None


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes | None]] = {
    "truncated": truncated,
    "zeroed": zeroed,
    "one bit flipped": flipped,
    "deleted": deleted,
}


def inflict(damage: str, path: Path, draw: random.Random) -> None:
    original = path.read_bytes()
    while (damaged := DAMAGES[damage](original, draw)) == original:  # zeroes that were zeroes
        pass
    path.unlink()
    if damaged is not None:
        path.write_bytes(damaged)


@pytest.mark.promise(FOUND)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", entries.FILES)
def test_damage_is_named_before_anything_is_loaded(
    copy: Path, file: str, damage: str, thorough: bool, tried: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    [task, other] = tasks([0, 1])
    path = entry_of(copy, 0) / file
    original = path.read_bytes()
    monkeypatch.setattr(entries, "_unpacked", None)  # nothing may be decoded
    cases = 1 if damage == "deleted" else 200 if thorough else 10
    for draw in draws(f"{file} {damage}", cases):
        inflict(damage, path, draw)
        store = Store(store_in(copy).root, store_in(copy).package)
        found = store.state(task)
        assert found.state == "corrupt"
        assert [(reason.kind, reason.what) for reason in found.reasons] == [("file", file)]
        assert found.reasons[0].old != found.reasons[0].new
        assert not store.contains(task)
        assert store.state(other).state == "cached"
        path.write_bytes(original)
    assert store_in(copy).state(task).state == "cached"
    tried(cases)


@pytest.mark.promise(REPAIRED)
@pytest.mark.parametrize("file", entries.FILES)
def test_what_is_damaged_is_made_again(
    broken: Broken, whole: Whole, copy: Path, file: str, thorough: bool, tried: Callable[[int], None]
) -> None:
    damages = list(DAMAGES) if thorough else [random.Random(file).choice(list(DAMAGES))]
    for number, damage in enumerate(damages, start=1):
        before = len(steps(copy))
        inflict(damage, entry_of(copy, 1) / file, random.Random(damage))
        [ended] = broken(Order(work="sweep", folder=str(copy)))
        assert ended.code == 0, ended.stderr
        assert "1 of 2 results are cached, 1 to make" in ended.stderr
        [warning] = [line for line in ended.stderr.splitlines() if "is damaged" in line]
        assert warning.startswith(f"training-1 is damaged ({file}: ")
        assert "set aside as" in warning
        assert len(list((copy / "work/cache/set-aside").iterdir())) == number
        assert results(copy) == results(whole.folder)
        assert len(steps(copy)) - before == STEPS, "the sound one was left alone"
    tried(len(damages))


@pytest.mark.promise(REPAIRED)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_checkpoint_is_not_gone_on_with(
    broken: Broken, whole: Whole, tmp_path: Path, damage: str, thorough: bool, tried: Callable[[int], None]
) -> None:
    cases = (1 if damage == "deleted" else 4) if thorough else 1
    for number, draw in enumerate(draws(f"checkpoint {damage}", cases)):
        folder = tmp_path / str(number)
        [killed] = broken(Order(work="sweep", folder=str(folder), step=STEPS - 2))
        assert killed.signal
        [checkpoint] = (folder / "work/cache/checkpoints").glob("*/checkpoint.pt")
        inflict(damage, checkpoint, draw)
        [ended] = broken(Order(work="sweep", folder=str(folder)))
        assert ended.code == 0, ended.stderr
        assert results(folder) == results(whole.folder)
        assert len(steps(folder)) == 2 * STEPS + STEPS - 3, "it began anew"
    tried(cases)


@pytest.mark.promise(REPAIRED)
def test_entry_in_anothers_place_is_not_taken_for_it(broken: Broken, whole: Whole, copy: Path) -> None:
    """Its digests are right."""
    mine, other = entry_of(copy, 0), entry_of(copy, 1)
    shutil.rmtree(mine)
    shutil.copytree(other, mine)
    assert store_in(copy).state(tasks([0])[0]).state == "corrupt"
    [ended] = broken(Order(work="sweep", folder=str(copy)))
    assert ended.code == 0, ended.stderr
    assert results(copy) == results(whole.folder)
