"""What a run was asked to do: `params.yml`, overridden by the environment, overridden by flags."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from autoencoders import compared, data, machine, reading
from autoencoders.coercion import coerced, listed, shown
from autoencoders.errors import InputError
from autoencoders.profiles import PROFILES, Profile

PROJECT = Path(__file__).resolve().parent.parent

EDITIONS = ("short", "standard", "full")  # of the PDF: each prints what the one before prints, and more

# A group's name becomes a file name and stands in YAML, Typst and HTML: the rule keeps it harmless in all of them.
GROUP_RULE = "1 to 32 letters, digits, '-' and '_', beginning with a letter or digit"

ENVIRONMENT = {
    "group": "GROUP",
    "profile": "AE_PROFILE",
    "dataset": "AE_DATASET",
    "edition": "AE_EDITION",
    "image_size": "AE_IMAGE_SIZE",
    "data_dir": "AUTOENCODERS_DATA",
    "cache": "AE_CACHE",
    "device": "AE_DEVICE",
    "jobs": "AE_JOBS",
    "scheduler": "AE_SCHEDULER",
    "remote": "AE_REMOTE",
    "compare": "AE_COMPARE",
    "strict_environment": "AE_STRICT_ENVIRONMENT",
} | {name: f"AE_{name.upper()}" for name in compared.PARAMETERS}
OF_THE_MACHINE = (
    "data_dir",
    "cache",
    "device",
    "jobs",
    "scheduler",
    "remote",
    "compare",
    "strict_environment",
)  # the others are the report's


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Checked and normalised; `auto` is resolved as late as possible, by whoever needs the value."""

    group: str = "G00"
    authors: tuple[str, ...] = ()
    profile: str = "auto"
    dataset: str = "cifar10"  # a folder of images by its name and size: `folder:holidays@32`, in the data folder
    edition: str = "standard"
    image_size: int | None = None  # of a folder's images; None: 32
    sigmas: tuple[float, ...] | None = None  # of this and the next six, see `compared`; None: the profile's own
    unseen: tuple[float, ...] | None = None
    ratios: tuple[float, ...] | None = None
    latents: tuple[int, ...] | None = None
    betas: tuple[float, ...] | None = None
    arithmetic: tuple[tuple[str, ...], ...] | None = None
    seeds: tuple[int, ...] | None = None
    data_dir: Path | None = None
    cache: Path = PROJECT / "cache"
    device: str = "auto"
    jobs: int | None = None  # None: as many as pay on this machine
    scheduler: str | None = None  # Dask's; None: processes of this machine
    remote: str | None = None  # where machines share what they have computed
    compare: tuple[Path, ...] = ()  # two files of `results --json`, of which the site has a page
    strict_environment: bool = False  # whether what other versions or another device made is stale
    notebooks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def resolved_profile(self) -> Profile:
        name = self.profile if self.profile != "auto" else ("full" if machine.gpus() else "quick")
        return compared.applied(PROFILES[name], self.given())

    def given(self) -> dict[str, Any]:
        """What is compared in place of the profile's own."""
        values = {name: getattr(self, name) for name in compared.PARAMETERS}
        return {name: value for name, value in values.items() if value is not None}


def load(path: Path = PROJECT / "params.yml", **flags: Any) -> Settings:
    """The settings in force; a flag that is None was not given.

    >>> load(profile="smoke", seeds="0,1").seeds
    (0, 1)
    """
    values: dict[str, Any] = _read(path)
    values |= {name: os.environ[twin] for name, twin in ENVIRONMENT.items() if twin in os.environ}
    values |= {name: value for name, value in flags.items() if value is not None}
    parsed: dict[str, Any] = {name: _parsed(name, value) for name, value in values.items()}
    compared.check(parsed)
    asked, size = parsed.get("dataset", Settings.dataset), parsed.get("image_size")
    parsed["dataset"], parsed["data_dir"] = data.resolved(asked, size, parsed.get("data_dir"))
    return Settings(**parsed)


def as_yaml(text: str, settings: Settings) -> str:
    """Return the text of a `params.yml` with these settings in place of its own, those of a machine left out.

    Comments stay, unless a value is written in such a way that only writing all anew replaces it.
    """
    import yaml

    wanted, said = replace(settings, **{name: getattr(Settings(), name) for name in OF_THE_MACHINE}), _said(text)
    values = {f.name: getattr(wanted, f.name) for f in fields(Settings) if f.name not in OF_THE_MACHINE}
    plain = {name: _unparsed(name, value) for name, value in values.items()}
    if said:
        others = {name: plain[name] for name, value in values.items() if value != getattr(said, name)}
        if _said(edited := _edited(text, others)) == wanted:
            return edited
    return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False)


def _said(text: str) -> Settings | None:
    """What a text says by itself; nothing where it can't be read."""
    try:
        return Settings(**{name: _parsed(name, value) for name, value in (reading.from_yaml(text) or {}).items()})
    except (ValueError, AttributeError, KeyError, InputError):
        return None


def _unparsed(name: str, value: Any) -> Any:
    if name in compared.PARAMETERS:
        return compared.plain(value)
    if value is None:
        return RULES[name].default[0]
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value


def _edited(text: str, values: Mapping[str, Any]) -> str:
    """The text with these values where the names have theirs, or at its end."""
    import yaml

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    places = {key.value: node for key, node in root.value} if root else {}
    shown = {
        n: yaml.safe_dump([v], default_flow_style=True, allow_unicode=True, width=10**9).strip()[1:-1]
        for n, v in values.items()
    }
    for name in sorted(values.keys() & places.keys(), key=lambda name: places[name].start_mark.index, reverse=True):
        node = places[name]
        text = text[: node.start_mark.index] + shown[name] + text[node.end_mark.index :]
    added = [f"{name}: {shown[name]}\n" for name in values if name not in places]
    return "\n".join([text.rstrip("\n"), "".join(added)]) if added else text


def _read(path: Path) -> dict[str, Any]:
    if not os.path.lexists(path):
        return {}
    values = reading.parsed_yaml(path) or {}
    if not isinstance(values, dict):
        raise InputError(f"{path.name} must hold 'name: value' lines, not a {type(values).__name__}")
    allowed = [f.name for f in fields(Settings)]
    if unknown := [name for name in values if name not in allowed]:
        raise InputError(f"{path.name} has no parameter {listed(unknown)}; there are: {', '.join(allowed)}")
    return values


# ── One rule a setting: anything wrong is one clear line ─────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Rule:
    """What a setting must be, beside being of its type."""

    must_be: str
    holds: Callable[[Any], object] = lambda value: True
    default: tuple[Any, ...] = ()  # values that stand for the setting's default
    read: Callable[[Any], Any] = lambda value: value  # before it is brought to its type


def _matches(pattern: str) -> Callable[[str], object]:
    return lambda value: re.fullmatch(pattern, value)


def _folder(value: Any) -> Any:
    return Path(value).expanduser().resolve() if isinstance(value, str | Path) else value


def _two_files(value: Any) -> Any:
    files = [part.strip() for part in value.strip("[] ").split(",")] if isinstance(value, str) else value
    return [_folder(file) for file in files] if isinstance(files, list) and len(files) == 2 else None


def _may_be_there(path: Path) -> bool:
    """Whether a file system can have it: names have a greatest length."""
    try:
        path.stat()
    except OSError as error:
        return error.errno not in (errno.ENAMETOOLONG, errno.ELOOP)
    return True


def _names(value: Any) -> Any:
    names = [value] if isinstance(value, str) else value
    readable = isinstance(names, list) and all(name.isprintable() for name in names)
    return [name.strip() for name in names] if readable else None


def _is_of_one(notebook: Any, values: Any) -> bool:
    """Whether these are parameters of one notebook; what the run compares has its place beside the group."""
    if not isinstance(values, dict):
        return False
    if misplaced := [name for name in compared.PARAMETERS if name in values]:
        raise InputError(
            f"notebooks: {shown(notebook)}: {', '.join(misplaced)} belongs to the whole run: move it to a line of its "
            "own, outside 'notebooks:'"
        )
    return True


def _switch(value: Any) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


RULES = {
    "group": Rule(GROUP_RULE, _matches("[A-Za-z0-9][A-Za-z0-9_-]{0,31}")),
    "authors": Rule("a list of names", all, read=_names),
    "profile": Rule(f"one of {', '.join(PROFILES)} or auto", lambda value: value in (*PROFILES, "auto")),
    "dataset": Rule(  # raises, with the valid ones
        "the name of a data set", lambda value: data.is_folder(value) or data.reader_name(value)
    ),
    "edition": Rule(f"one of {', '.join(EDITIONS)}", lambda value: value in EDITIONS),
    "image_size": Rule(
        "auto or a multiple of 8 from 16 to 128", lambda size: size in data.SIZES, default=("auto", None)
    ),
    "data_dir": Rule("the path of a folder", _may_be_there, default=("", None), read=_folder),
    "cache": Rule("the path of a folder", _may_be_there, default=("", None), read=_folder),
    "device": Rule("auto, cpu, mps, cuda or cuda:N", _matches(r"auto|cpu|mps|cuda(:\d+)?")),
    "jobs": Rule("auto or a whole number from 1 to 1000", lambda jobs: 1 <= jobs <= 1000, default=("auto", None)),
    "scheduler": Rule(
        "none, local or an address such as tcp://host:8786",
        _matches(r"local|(tcp|tls|ucx)://[\w.\[\]:-]+:\d+"),
        default=("none", None),
    ),
    "remote": Rule(
        "none or an address such as s3://bucket/prefix, ssh://host/folder or file:///folder",
        _matches(r"(s3://[\w.-]+(/\S*)?|ssh://[\w.@:-]+/\S+|file:///.+)"),
        default=("none", "", None),
    ),
    "compare": Rule(
        "none or two files of results, such as old.json,new.json",
        lambda files: all(map(_may_be_there, files)),
        default=("none", "", None),
        read=_two_files,
    ),
    "strict_environment": Rule("true or false", read=_switch),
    "notebooks": Rule(
        "each notebook's name with its own 'parameter: value' lines",
        lambda notebooks: all(_is_of_one(name, values) for name, values in notebooks.items()),
        default=(None,),
    ),
} | {
    name: Rule(parameter.must_be, parameter.allows, default=("auto", None), read=parameter.read)
    for name, parameter in compared.PARAMETERS.items()
}


def _parsed(name: str, value: Any) -> Any:
    rule, declared = RULES[name], {f.name: f for f in fields(Settings)}[name]
    if any(value is default or (isinstance(value, str) and value == default) for default in rule.default):
        return declared.default if declared.default is not MISSING else {}
    try:
        found = coerced(rule.read(value), _TYPES[name], text=True)
        if rule.holds(found):
            return found
    except (TypeError, ValueError, AttributeError, RuntimeError):
        pass
    raise InputError(f"{name} {shown(value)}: must be {rule.must_be}")


_TYPES = get_type_hints(Settings) | {"notebooks": dict}
