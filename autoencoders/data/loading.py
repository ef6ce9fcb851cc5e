"""A spec's data set: read, checked and split."""

from __future__ import annotations

import importlib
from pathlib import Path

from autoencoders.data.failures import cause_of
from autoencoders.data.fingerprints import verified
from autoencoders.data.kinds import Dataset, Raw
from autoencoders.data.sources import reader_name
from autoencoders.data.splitting import split
from autoencoders.errors import InputError
from autoencoders.specs import Data


def load(spec: Data, root: Path) -> Dataset:
    """The data set that a spec describes, read from ``root`` (see ``obtain``), checked and split."""
    raw, digest = _read(spec.name, root)
    train, validation = split(raw, spec)
    return Dataset(spec.name, train, validation, raw.test, raw.classes, digest)


def _read(name: str, root: Path) -> tuple[Raw, str]:
    module, reader = reader_name(name).split(":")
    try:
        digest = verified(name, root)
        return getattr(importlib.import_module(module), reader)(root), digest
    except InputError:
        raise
    except Exception as error:  # pickles, XML and pictures each fail in their own way
        raise InputError(f"{name} can't be read from {root}: {cause_of(error)}") from error
