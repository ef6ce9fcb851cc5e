"""How much room a cache takes, and what of it may go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from small_store import Bench

from autoencoders import inspection
from autoencoders.errors import InputError
from autoencoders.store import Dropped


def test_room_is_told_by_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = Bench(tmp_path)
    other = replace(bench.task, kind="reconstruction")
    for task in (bench.task, other):
        bench.store.fetch(task)
    (bench.cache / "checkpoints" / "0" / "x").parent.mkdir(parents=True)
    (bench.cache / "checkpoints" / "0" / "x").write_bytes(bytes(1_500_000))
    sizes = bench.store.sizes()
    entry = sum(path.stat().st_size for path in bench.entry.iterdir())
    assert sizes["training"] == entry
    assert sizes["checkpoint"] == 1_500_000
    assert sizes.keys() == {"training", "reconstruction", "checkpoint"}
    inspection.print_room(sizes)
    said = capsys.readouterr().out
    assert said.startswith("room: 1.5 MB (checkpoints 1.5, ")
    assert "trainings 0.0" in said
    assert "measurements 0.0" in said


def test_room_of_nothing_is_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inspection.print_room(Bench(tmp_path).store.sizes())
    assert capsys.readouterr().out == "room: 0.0 MB\n"


DAY, NOW = 86_400, 1e9


@pytest.mark.parametrize(
    ("age", "size", "older_than", "larger_than", "goes"),
    [
        (1 * DAY, 5e6, None, None, True),
        (31 * DAY, 5e6, "30d", None, True),
        (29 * DAY, 5e6, "30d", None, False),
        (13 * 3600, 5e6, "12h", None, True),
        (31 * DAY, 99e6, "30d", "100MB", False),
        (31 * DAY, 101e6, "30 d", "100 mb", True),
        (29 * DAY, 101e6, "30d", "100MB", False),
        (15 * DAY, 2.6e9, "2w", "2.5GB", True),
    ],
)
def test_prune_is_limited_by_age_and_size(
    age: float, size: float, older_than: str | None, larger_than: str | None, goes: bool, tmp_path: Path
) -> None:
    item = Dropped("entry", "key", "name", tmp_path, int(size), changed=NOW - age)
    assert inspection.only(older_than, larger_than).holds(item, NOW) == goes


@pytest.mark.parametrize("older_than", ["30", "d", "-1d", "30 parsecs", "1e9d", ""])
def test_age_without_its_unit_is_refused(older_than: str) -> None:
    with pytest.raises(InputError, match="older-than .*: must be a number with its unit, such as 30d or 12h"):
        inspection.only(older_than, None)


def test_entry_is_as_old_as_its_folder(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.store.fetch(bench.task)
    [found] = bench.store.prune([], dry_run=True)
    assert found.changed == bench.entry.stat().st_mtime
