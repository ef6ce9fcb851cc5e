"""Two runs side by side, by what `results --json` says of each: what changed, by how much, and what differs in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autoencoders import inspection, reading
from autoencoders.console import print_json
from autoencoders.errors import InputError
from autoencoders.jsonable import finite, flattened
from autoencoders.lab import Lab
from autoencoders.results import NORMAL
from autoencoders.store import Store, entries

PLACE = ("experiment", "seed", "split", "input", "region", "metric")  # what a value is of
PER_IMAGE = {"psnr_mean": "psnr", "psnr_pooled": "psnr"}  # of the arrays beside values: what they are called there


@dataclass(frozen=True)
class Change:
    """A value then and now. Paired: by image, from the arrays of both; else from the two intervals alone."""

    place: tuple[Any, ...]
    old: float
    new: float
    lo: float
    hi: float
    how: str  # same | paired | apart

    @property
    def difference(self) -> float:
        return self.new - self.old

    @property
    def is_clear(self) -> bool:
        return self.how != "same" and not self.lo <= 0 <= self.hi and not math.isnan(self.lo)

    def as_json(self) -> dict[str, Any]:
        return dict(zip(PLACE, self.place, strict=True)) | {
            **{name: value for name, value in asdict(self).items() if name != "place"},
            "difference": self.difference,
        }


@dataclass(frozen=True)
class Comparison:
    """What two runs say of the same things."""

    differences: list[dict[str, Any]]  # of the trainings: what, old, new
    changes: list[Change]
    gone: int  # values that only the old run has
    added: int


def show(lab: Lab, names: Iterable[str] | None, against: Path, its_cache: Path | None, *, json: bool) -> None:
    """What changed since another run, or between another machine's and this one."""
    stores = [lab.store, *([Store(its_cache)] if its_cache else [])]
    now = lab.head | {"trainings": inspection.trainings(lab, names), "rows": inspection.rows(lab, names)}
    found = compare(read(against), finite(now), stores)
    if json:
        changes = [change.as_json() for change in found.changes]
        ends = {"gone": found.gone, "added": found.added}
        print_json(lab.head, against=against.name, differences=found.differences, changes=changes, **ends)
        return
    lab.announce()
    for line in lines(found):
        print(line)


def read(path: Path) -> dict[str, Any]:
    """A file that `results --json` has written."""
    found = reading.parsed_json(path)
    rows = found.get("rows") if isinstance(found, dict) else None
    if not isinstance(rows, list) or any(
        not isinstance(row, dict) or not {*PLACE, "value"} <= row.keys() for row in rows
    ):
        raise InputError(f"{path} holds no results: `python pipeline.py results --json` writes such a file")
    return found


def compare(old: Mapping[str, Any], new: Mapping[str, Any], stores: Sequence[Store]) -> Comparison:
    """Value by value, from the arrays where one of the stores has both artifacts."""
    then, now = ({tuple(row[name] for name in PLACE): row for row in run["rows"]} for run in (old, new))
    arrays = Arrays(stores)
    changes = [_change(place, then[place], now[place], arrays) for place in now if place in then]
    return Comparison(
        differences=list(_differences(old, new)),
        changes=changes,
        gone=len(then.keys() - now.keys()),
        added=len(now.keys() - then.keys()),
    )


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Arrays:
    """What was measured of each image, by the artifacts' keys."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self.stores = stores
        self._found: dict[str, Mapping[str, Any]] = {}

    def of(self, row: Mapping[str, Any]) -> Any:
        """The values [images] whose mean a row gives; None where no store has them."""
        key = str(row.get("key"))
        if key not in self._found:
            folder = next((folder for store in self.stores if (folder := store.sound_entry(key))), None)
            self._found[key] = entries.read(folder, mapped=True)[0].arrays if folder else {}
        metric = PER_IMAGE.get(row["metric"], row["metric"])
        names = (f"{row['region']}/{metric}", f"{row['metric']}/correct", row["metric"])
        found = next((self._found[key][name] for name in names if name in self._found[key]), None)
        return found if found is not None and found.ndim == 1 and row["metric"] != "psnr_pooled" else None


def _change(place: tuple[Any, ...], old: Mapping[str, Any], new: Mapping[str, Any], arrays: Arrays) -> Change:
    values = _number(old["value"]), _number(new["value"])
    if old.get("key") == new.get("key"):
        return Change(place, *values, math.nan, math.nan, "same")
    a, b = arrays.of(new), arrays.of(old)
    if a is not None and b is not None and len(a) == len(b):
        from autoencoders.evaluation.statistics import measure_difference

        found = measure_difference(a.astype(float), b.astype(float)).estimate()
        return Change(place, *values, found.lo, found.hi, "paired")
    errors = [(_number(row.get("hi")) - _number(row.get("lo"))) / (2 * NORMAL) for row in (old, new)]
    half = NORMAL * math.hypot(*errors)
    return Change(place, *values, values[1] - values[0] - half, values[1] - values[0] + half, "apart")


def _number(value: Any) -> float:
    """JSON knows no NaN: it says null."""
    return float(value) if isinstance(value, int | float) else math.nan


# ── What differs ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the runs, then of each training that both have."""
    for name in ("profile", "dataset", "device"):
        if old.get(name) != new.get(name):
            yield {"experiment": "", "seed": None, "what": name, "old": old.get(name), "new": new.get(name)}
    then, now = ({(t["experiment"], t["seed"]): t for t in run.get("trainings", ())} for run in (old, new))
    for place in now:
        if place in then and then[place]["key"] != now[place]["key"]:
            a, b = (dict(_said(training)) for training in (then[place], now[place]))
            for what in sorted({*a, *b}):
                if a.get(what) != b.get(what):
                    yield dict(zip(("experiment", "seed"), place, strict=True)) | {
                        "what": what,
                        "old": a.get(what),
                        "new": b.get(what),
                    }


def _said(training: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The spec, the code, the data and the versions of a training, as one value each."""
    yield from flattened(training["spec"])
    yield "code", str(training.get("code"))[:12]
    yield from ((f"data.{name}", str(value)[:12]) for name, value in training.get("inputs", {}).items())
    yield from ((f"version.{name}", value) for name, value in training.get("versions", {}).items())


# ── In words ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def lines(found: Comparison) -> Iterator[str]:
    """For a person: what differs, then each change, clear ones marked."""
    yield from _of_differences(found.differences)
    changed = [change for change in found.changes if change.how != "same"]
    for change in changed:
        experiment, seed, _, seen, region, metric = change.place
        where = seen + ("" if region == "all" else f" ({region})")
        interval = "" if math.isnan(change.lo) else f"[{change.lo:+.4g}, {change.hi:+.4g}]"
        mark = "*" if change.is_clear else " "
        values = f"{change.old:<9.5g} → {change.new:<9.5g} {change.difference:+.4g}"
        yield f"{mark} {experiment:22} {seed!s:>4}  {where:24} {metric:20} {values} {interval} {change.how}".rstrip()
    clear = sum(change.is_clear for change in changed)
    same = len(found.changes) - len(changed)
    yield (
        f"{len(changed)} values of other artifacts, {clear} of them clearly different (*); {same} of the same; "
        f"{found.gone} gone, {found.added} new"
    )


def _of_differences(differences: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What differs alike in several trainings is one line."""
    alike: dict[str, list[str]] = {}
    for each in differences:
        seed = "" if each["seed"] is None else f"@{each['seed']}"
        alike.setdefault(f"{each['what']}: {each['old']} → {each['new']}", []).append(f"{each['experiment']}{seed}")
    for what, names in alike.items():
        yield f"differs: {what}" + (f" ({', '.join(names)})" if any(names) else "")
