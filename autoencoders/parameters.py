"""A notebook's parameters: whatever papermill, params.yml or a person hands in, as the declared types or an error.

papermill's `-p` passes lists as strings and only warns of unknown names; here both end well: values are read as YAML
into the type that the parameters cell declares, and a name that it doesn't declare is refused.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from autoencoders.coercion import coerced, refusal
from autoencoders.errors import InputError
from autoencoders.reading import from_yaml

SEEDS = "seeds"  # may be a number, a list or a text, whatever type a notebook declares: `settings` has the rule
_IPYTHON = {"In", "Out", "exit", "quit", "get_ipython", "open"}


def checked(namespace: Mapping[str, Any]) -> SimpleNamespace:
    """The parameters in a notebook's namespace (`globals()`), straight after its parameters cell."""
    declared: dict[str, Any] = dict(namespace.get("__annotations__", {}))
    public = {n for n, value in namespace.items() if not n.startswith("_") and not isinstance(value, types.ModuleType)}
    if unknown := sorted(public - _IPYTHON - declared.keys() - {"checked"}):
        raise InputError(f"no parameter is called {', '.join(unknown)}; there are: {', '.join(declared)}")
    values = {
        name: namespace.get(name) if name == SEEDS else parsed(namespace.get(name), kind, name)
        for name, kind in declared.items()
    }
    return SimpleNamespace(**values)


def parsed(value: Any, kind: Any, name: str) -> Any:
    """``value`` as ``kind``; text is read as YAML first, unless text is what is wanted."""
    try:
        return coerced(from_yaml(value) if isinstance(value, str) and kind is not str else value, kind, text=True)
    except (TypeError, ValueError):
        raise InputError(f"parameter {name} {refusal(value, kind)}") from None
