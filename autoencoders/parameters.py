"""A notebook's parameters: whatever papermill, params.yml or a person hands in, as the declared types or an error.

papermill's `-p` passes lists as strings and only warns of unknown names; here both end well: values are read as YAML
into the type that the parameters cell declares, and a name that it doesn't declare is refused.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from autoencoders.errors import InputError

_IPYTHON = {"In", "Out", "exit", "quit", "get_ipython", "open"}


def checked(namespace: Mapping[str, Any]) -> SimpleNamespace:
    """The parameters in a notebook's namespace (`globals()`), straight after its parameters cell."""
    declared: dict[str, Any] = dict(namespace.get("__annotations__", {}))
    public = {n for n, value in namespace.items() if not n.startswith("_") and not isinstance(value, types.ModuleType)}
    if unknown := sorted(public - _IPYTHON - declared.keys() - {"checked"}):
        raise InputError(f"no parameter is called {', '.join(unknown)}; there are: {', '.join(declared)}")
    return SimpleNamespace(**{name: parsed(namespace.get(name), kind, name) for name, kind in declared.items()})


def parsed(value: Any, kind: Any, name: str) -> Any:
    """``value`` as ``kind``; text is read as YAML first, unless text is what is wanted."""
    try:
        return _as(from_yaml(value) if isinstance(value, str) and kind is not str else value, kind)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(value, kind, name) from None


def from_yaml(text: str) -> Any:
    """What the text says, or a ValueError: PyYAML lets through whatever its constructors stumble over."""
    import yaml

    try:
        return yaml.safe_load(text)
    except Exception as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None


def _as(value: Any, kind: Any) -> Any:
    if typing.get_origin(kind) is list:
        (item,) = typing.get_args(kind)
        if not isinstance(value, list | tuple):
            raise TypeError
        return [_as(v, item) for v in value]
    if isinstance(kind, types.UnionType):
        if value is None and type(None) in typing.get_args(kind):
            return None
        (kind,) = (option for option in typing.get_args(kind) if option is not type(None))
        return _as(value, kind)
    if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        return _finite(float(value))  # YAML takes 1e-3 for text
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise TypeError


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError
    return value


def _wrong(value: Any, kind: Any, name: str) -> InputError:
    wanted = kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else kind
    return InputError(f"parameter {name} must be {wanted}, not {value!r}")
