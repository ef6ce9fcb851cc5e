"""A notebook's parameters: whatever papermill, params.yml or a person hands in, as the declared types or an error.

papermill's `-p` passes lists as strings and only warns of unknown names; here both end well: values are read as YAML
into the type that the parameters cell declares, and a name that papermill injects without one is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from autoencoders.coercion import coerced, refusal
from autoencoders.errors import InputError
from autoencoders.reading import from_yaml

INJECTED = "# Parameters"  # how the cell begins in which papermill sets what it was given
ALWAYS = "profile"  # what every notebook's parameters cell declares, and no other cell


def checked(namespace: Mapping[str, Any]) -> SimpleNamespace:
    """Check the parameters in a notebook's namespace (`globals()`): the names that its parameters cell declares.

    All other names are their owner's: imports, helpers, and what cells left behind that ran before.
    """
    annotations: Mapping[str, Any] = namespace.get("__annotations__", {})
    latest, injected = _latest_cells(namespace.get("In", ()))
    declared = [name for name in annotations if name in (latest or annotations)]
    if unknown := sorted(injected - set(declared)):
        raise InputError(f"no parameter is called {', '.join(unknown)}; there are: {', '.join(declared)}")
    values = {name: parsed(namespace.get(name), annotations[name], name) for name in declared}
    return SimpleNamespace(**values)


def _latest_cells(history: Sequence[str]) -> tuple[set[str], set[str]]:
    """The names that the parameters cell declared when it ran last, and those that papermill's cell set after that."""
    injected: set[str] = set()
    for source in reversed(history):
        declares, sets = _names(source)
        if ALWAYS in declares:
            return declares, injected
        if source.startswith(INJECTED):
            injected |= sets
    return set(), injected


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell declares with a type, and those to which it merely assigns."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # such a cell is kept in the history, too
        return set(), set()
    declares = [node.target for node in body if isinstance(node, ast.AnnAssign)]
    sets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    return _identifiers(declares), _identifiers(sets)


def _identifiers(targets: Iterable[ast.expr]) -> set[str]:
    return {target.id for target in targets if isinstance(target, ast.Name)}


def parsed(value: Any, kind: Any, name: str) -> Any:
    """``value`` as ``kind``; text is read as YAML first, unless text is what is wanted."""
    try:
        return coerced(from_yaml(value) if isinstance(value, str) and kind is not str else value, kind, text=True)
    except (TypeError, ValueError):
        raise InputError(f"parameter {name} {refusal(value, kind)}") from None
