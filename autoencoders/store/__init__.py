"""Computes each task once and keeps what came out, with where it came from. Knows nothing of autoencoders."""

from __future__ import annotations

from autoencoders.store.entries import Artifact
from autoencoders.store.store import Store
from autoencoders.store.tasks import Dropped, Reason, State, Task

__all__ = ["Artifact", "Dropped", "Reason", "State", "Store", "Task"]
