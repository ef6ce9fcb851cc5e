"""What a run was asked to do: `params.yml`, overridden by the environment, overridden by flags."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from autoencoders import data, gpus, parameters
from autoencoders.errors import InputError
from autoencoders.profiles import PROFILES, Profile

PROJECT = Path(__file__).resolve().parent.parent

# A group's name becomes a file name and stands in YAML, Typst and HTML: the rule keeps it harmless in all of them.
GROUP_RULE = "1 to 32 letters, digits, '-' and '_', beginning with a letter or digit"
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")

ENVIRONMENT = {
    "group": "GROUP",
    "profile": "AE_PROFILE",
    "dataset": "AE_DATASET",
    "seeds": "AE_SEEDS",
    "data_dir": "AUTOENCODERS_DATA",
    "cache": "AE_CACHE",
    "device": "AE_DEVICE",
    "jobs": "AE_JOBS",
    "scheduler": "AE_SCHEDULER",
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Checked and normalised; `auto` is resolved as late as possible, by whoever needs the value."""

    group: str = "G00"
    authors: tuple[str, ...] = ()
    profile: str = "auto"
    dataset: str = "cifar10"
    seeds: tuple[int, ...] | None = None  # None: the profile's own
    data_dir: Path | None = None
    cache: Path = PROJECT / "cache"
    device: str = "auto"
    jobs: int | None = None  # None: as many as pay on this machine
    scheduler: str | None = None  # Dask's; None: processes of this machine
    notebooks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def resolved_profile(self) -> Profile:
        name = self.profile if self.profile != "auto" else ("full" if gpus.present() else "quick")
        return PROFILES[name]


def load(path: Path = PROJECT / "params.yml", **flags: Any) -> Settings:
    """The settings in force; a flag that is None was not given."""
    values: dict[str, Any] = _read(path)
    values |= {name: os.environ[twin] for name, twin in ENVIRONMENT.items() if twin in os.environ}
    values |= {name: value for name, value in flags.items() if value is not None}
    parsed: dict[str, Any] = {name: _PARSERS[name](value) for name, value in values.items()}
    return Settings(**parsed)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = parameters.from_yaml(path.read_text(encoding="utf-8")) or {}
    except ValueError as error:
        raise InputError(f"{path.name} is not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{path.name} must hold 'name: value' lines, not a {type(values).__name__}")
    allowed = [f.name for f in fields(Settings)]
    if unknown := [str(name) for name in values if name not in allowed]:
        raise InputError(f"{path.name} has no parameter {', '.join(unknown)}; there are: {', '.join(allowed)}")
    return values


# ── One parser a setting: anything wrong is one clear line ───────────────────────────────────────────────────────────


def _group(value: Any) -> str:
    if not (isinstance(value, str) and _GROUP.fullmatch(value)):
        raise InputError(f"group {value!r}: must be {GROUP_RULE}")
    return value


def _authors(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not (isinstance(names, list) and all(isinstance(n, str) and n.isprintable() and n.strip() for n in names)):
        raise InputError(f"authors {value!r}: must be a list of names")
    return tuple(n.strip() for n in names)


def _profile(value: Any) -> str:
    if value not in (*PROFILES, "auto"):
        raise InputError(f"profile {value!r}: must be one of {', '.join(PROFILES)} or auto")
    return value


def _dataset(value: Any) -> str:
    data.reader_name(str(value))  # raises for an unknown name, with the valid ones
    return str(value)


def _seeds(value: Any) -> tuple[int, ...] | None:
    if value in ("auto", None):
        return None
    items = value.replace(",", " ").split() if isinstance(value, str) else [value] if isinstance(value, int) else value
    try:
        seeds = tuple(int(str(item)) for item in items)  # int(0.5) would be 0
    except (TypeError, ValueError):
        seeds = ()
    if not seeds or len(set(seeds)) != len(seeds) or not 0 <= min(seeds) <= max(seeds) < 2**63:  # what torch takes
        raise InputError(f"seeds {value!r}: must be auto, or distinct whole numbers from 0, such as 0,1,2")
    return seeds


def _path(value: Any) -> Path | None:
    try:
        return Path(value).expanduser().resolve() if value else None
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"{value!r} is no path of a folder") from None


def _device(value: Any) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", str(value)):
        raise InputError(f"device {value!r}: must be auto, cpu, mps, cuda or cuda:N")
    return str(value)


def _jobs(value: Any) -> int | None:
    if value in ("auto", None):
        return None
    if not re.fullmatch(r"[1-9]\d*", str(value)):
        raise InputError(f"jobs {value!r}: must be auto or a whole number from 1")
    return int(value)


def _scheduler(value: Any) -> str | None:
    if value in ("none", None):
        return None
    if not re.fullmatch(r"local|(tcp|tls|ucx)://[\w.\[\]:-]+:\d+", str(value)):
        raise InputError(f"scheduler {value!r}: must be none, local or an address such as tcp://host:8786")
    return str(value)


def _notebooks(value: Any) -> dict[str, dict[str, Any]]:
    value = value or {}
    if not (isinstance(value, dict) and all(isinstance(v, dict) for v in value.values())):
        raise InputError("notebooks: must give each notebook's name its own 'parameter: value' lines")
    return value


_PARSERS = {
    "group": _group,
    "authors": _authors,
    "profile": _profile,
    "dataset": _dataset,
    "seeds": _seeds,
    "data_dir": _path,
    "cache": lambda value: _path(value) or PROJECT / "cache",
    "device": _device,
    "jobs": _jobs,
    "scheduler": _scheduler,
    "notebooks": _notebooks,
}
