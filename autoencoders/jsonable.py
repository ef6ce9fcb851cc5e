"""Values on their way to JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any


def finite(value: Any) -> Any:
    """The same with None for NaN and infinities, which JSON doesn't know.

    >>> finite({"value": float("nan"), "of": (1, 2)})
    {'value': None, 'of': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def flattened(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings, by dotted names.

    >>> dict(flattened({"model": {"type": "AE", "width": 32}, "seed": 0}))
    {'model.type': 'AE', 'model.width': 32, 'seed': 0}
    """
    for name, part in value.items():
        if isinstance(part, Mapping):
            yield from flattened(part, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", part
