"""What all specs share: they are frozen, their values normalised, and JSON can say them."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any, Literal


class Spec:
    """A frozen description with normalised values: ``Gaussian(1)`` and ``Gaussian(1.0)`` are one spec and one key."""

    def __post_init__(self) -> None:
        declared: dict[str, Any] = _declared_types(type(self))  # type: ignore[arg-type]
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = _normalised(getattr(self, field.name), declared[field.name], f"{type(self).__name__}.{field.name}")
            object.__setattr__(self, field.name, value)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able values; the class name is kept, since two classes may share their fields."""
        values = {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {"type": type(self).__name__, **values}


@functools.cache
def _declared_types(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.to_dict()
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def _normalised(value: Any, declared: Any, where: str) -> Any:
    """``value`` as the type that its field declares, or a TypeError that names the field."""
    options = typing.get_args(declared) if isinstance(declared, types.UnionType) else (declared,)
    for option in options:
        if typing.get_origin(option) is Literal:
            if value in typing.get_args(option):
                return value
        elif typing.get_origin(option) is tuple:
            if isinstance(value, list | tuple):
                return tuple(_normalised(v, typing.get_args(option)[0], where) for v in value)
        elif option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        elif isinstance(value, option) and not (option is int and isinstance(value, bool)):
            return value
    raise TypeError(f"{where} must be {declared}, not {value!r}")
