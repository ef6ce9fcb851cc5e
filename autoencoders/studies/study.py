"""What all studies share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from autoencoders.config import Corruption, Experiment, Model, Plan, Training


@dataclass(frozen=True, kw_only=True)
class Study(Plan):
    """A plan with a name and data sets of its own, by the names under which they were asked for."""

    name: ClassVar[str]
    notebook: ClassVar[str]  # that shows its results
    wanted: ClassVar[tuple[str, ...]]  # data sets, the main one first; embedded ones stand in for what can't be had

    others: tuple[str, ...] = ()  # what could be had of the further ones, in the same order

    def experiment(self, name: str, model: Model, corruption: Corruption | None, **training: Any) -> Experiment:
        return Experiment(
            name=f"{self.name}-{name}",
            model=model,
            data=self.data,
            corruption=corruption,
            training=Training(**training),
            seed=self.seed,
        )
