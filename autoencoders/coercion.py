"""Values as the types that are declared for them: of specs, of settings and of notebooks' parameters."""

from __future__ import annotations

import math
import re
import reprlib
import types
import typing
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Literal

_short = reprlib.Repr()
_short.maxlevel = 3
_short.maxstring = _short.maxother = 200
_MOST_BITS = 1024  # of a whole number that text may say: Python refuses to write down those of thousands of digits


def coerced(value: Any, declared: Any, *, text: bool = False) -> Any:
    """``value`` as ``declared``, or a TypeError; with ``text``, numbers may be text, but must be finite.

    >>> coerced([1, 2], tuple[float, ...])
    (1.0, 2.0)
    >>> coerced("1e-3", float | None, text=True)
    0.001
    """
    for option in typing.get_args(declared) if isinstance(declared, types.UnionType) else (declared,):
        with suppress(TypeError, ValueError, OverflowError):
            return _as(value, option, text)
    raise TypeError(refusal(value, declared))


def refusal(value: Any, declared: Any) -> str:
    """What is wrong with a value."""
    plain = isinstance(declared, type) and not typing.get_args(declared)
    return f"must be {declared.__name__ if plain else declared}, not {shown(value)}"


def shown(value: Any) -> str:
    """A value for a message: a few words, however large it is."""
    try:
        found = _short.repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return found if len(found) <= 300 else f"{found[:300]}…"


def listed(names: Iterable[Any]) -> str:
    """Names for a message, a few of them and each in a few words."""
    known = list(names)
    plain = [isinstance(name, str) and name.isprintable() and len(name) <= 100 for name in known[:5]]
    short = [name if as_it_is else shown(name) for name, as_it_is in zip(known[:5], plain, strict=True)]
    return ", ".join(short) + (f" and {len(known) - 5} more" if len(known) > 5 else "")


def _as(value: Any, kind: Any, text: bool) -> Any:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        if value in parts:
            return value
    elif origin in (list, tuple):
        if isinstance(value, list | tuple):
            return origin(coerced(item, parts[0], text=text) for item in value)
    elif kind is float and _is_number(value, text):
        number = float(value)
        if math.isfinite(number) or not text:
            return number
    elif kind is int and text and isinstance(value, str):
        if re.fullmatch("-?[0-9]{1,300}", value):
            return int(value)
    elif isinstance(value, kind) and not (kind is int and (isinstance(value, bool) or value.bit_length() > _MOST_BITS)):
        return value
    raise TypeError


def _is_number(value: Any, text: bool) -> bool:
    return isinstance(value, int | float | str if text else int | float) and not isinstance(value, bool)
