"""The sibling assignments on the same engine: each study says what it trains and measures, and on which data."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autoencoders.errors import InputError

if TYPE_CHECKING:
    from autoencoders.studies.base import Study

STUDIES = {
    "digits": "autoencoders.studies.digits.plan:Digits",
    "transfer": "autoencoders.studies.transfer.plan:TransferStudy",
    "compact": "autoencoders.studies.compact.plan:Compact",
}


def study(name: str) -> type[Study[Any]]:
    if name not in STUDIES:
        raise InputError(f"no study is called {name!r}; there are: {', '.join(STUDIES)}")
    module, found = STUDIES[name].split(":")
    return getattr(importlib.import_module(module), found)
