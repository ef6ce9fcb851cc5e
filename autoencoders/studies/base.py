"""What all studies share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from autoencoders.plans import Plan
from autoencoders.specs import Corruption, Data, Experiment, Model, Training

SIZES = {  # of the official training sets: for training and validation together
    "cifar10": 50_000,
    "mnist-colored": 60_000,
    "mnist-colored-class": 60_000,
    "voc2007": 8967,
    "stl10": 5000,
    "digits-colored": 1437,
    "digits-colored-class": 1437,
    "photos10": 10_000,
    "photos10-64": 5000,
    "photos10-96": 3330,
}


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a profile spends: training images, epochs, images measured. None: all there are."""

    train: int | None
    epochs: int
    images: int | None = None


B = TypeVar("B", bound=Budget)


@dataclass(frozen=True, kw_only=True)
class Study(Plan, Generic[B]):
    """A plan with a name and data sets of its own, by the names under which they were asked for."""

    name: ClassVar[str]
    notebook: ClassVar[str]  # that shows its results
    wanted: ClassVar[tuple[str, ...]]  # data sets, the main one first; embedded ones stand in for what can't be had
    constants: ClassVar[dict[str, str]]  # that its chapter and captions print: `{{< var task.digits_sigma >}}`
    budgets: ClassVar[Mapping[str, Any]]  # by profile

    @classmethod
    def wanted_data(cls, asked: str) -> tuple[str, ...]:
        return cls.wanted

    @property
    def budget(self) -> B:
        return self.budgets[self.profile.name]

    @property
    def data(self) -> Data:
        return images_of(self.dataset, self.budget.train)

    def experiment(
        self, name: str, model: Model, corruption: Corruption | None, data: Data | None = None, **training: Any
    ) -> Experiment:
        return Experiment(
            name=f"{self.name}-{name}",
            model=model,
            data=data or self.data,
            corruption=corruption,
            training=Training(**training),
            seed=self.seed,
        )


def images_of(name: str, train: int | None, validation: float = Data.validation) -> Data:
    """So many training images of a data set, or all where it has fewer."""
    at_most = SIZES[name] - round(validation * SIZES[name])
    return Data(name=name, train=min(train or at_most, at_most), validation=validation)
