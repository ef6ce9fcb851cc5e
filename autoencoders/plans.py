"""What is trained and measured with one seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from autoencoders.measurements.measurement import Measurement
from autoencoders.profiles import Profile
from autoencoders.specs import Baseline, Data, Experiment, Subject, Untrained


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Short trainings that differ in one setting; that of the first is the one in use."""

    model: str  # in words
    setting: str  # the field of the model's or the training's spec
    runs: tuple[Experiment, ...]
    by: Literal["error", "bits", "probe"] | None = None  # what validation images choose by; None: a trade, no contest

    def value(self, run: Experiment) -> Any:
        """What a run has for the setting."""
        return getattr(run.training if hasattr(run.training, self.setting) else run.model, self.setting)


@dataclass(frozen=True, kw_only=True)
class Plan(ABC):
    """What is trained and measured with one seed: by the assignment's catalogue, or by a study's."""

    profile: Profile
    dataset: str
    others: tuple[str, ...] = ()  # what could be had of the further data sets that `wanted_data` names, in their order
    seed: int = 0
    classes: tuple[str, ...] = ()  # of the data set, where they are known before it is read
    images: int | None = None  # that a folder holds, of all classes

    @classmethod
    def wanted_data(cls, asked: str) -> tuple[str, ...]:
        """The data sets that such a plan needs, the main one first, where ``asked`` was asked for."""
        return (asked,)

    @property
    def data(self) -> Data:
        """What most experiments are trained on, and all baselines are fitted to."""
        if self.images is None:
            return Data(name=self.dataset, train=self.profile.train)
        from autoencoders import data

        return data.data_of_folder(self.dataset, self.images, self.profile.train)

    @abstractmethod
    def results(self) -> list[Experiment]:
        """Every experiment that a result table shows."""

    def sweeps(self) -> list[Sweep]:
        """What is tuned, by short runs that are compared on validation images only."""
        return []

    def tuning(self) -> list[Experiment]:
        """The runs of all sweeps."""
        return list(dict.fromkeys(run for sweep in self.sweeps() for run in sweep.runs))

    def repeats(self, experiment: Experiment) -> bool:
        """Whether an experiment is trained with this plan's seed, where the plan isn't that of the first seed."""
        return True

    def of_tuning(self) -> list[tuple[Subject, Measurement]]:
        """What is measured of them, on validation images."""
        return []

    def baselines(self) -> list[Baseline]:
        return []

    def untrained(self) -> list[Untrained]:
        """Models with random weights, beside which trained ones are measured."""
        return []

    @abstractmethod
    def of_model(self, experiment: Experiment) -> list[Measurement]:
        """What is measured of a trained model."""

    @abstractmethod
    def of_baseline(self, baseline: Baseline) -> list[Measurement]:
        """What is measured of a baseline."""

    def of_untrained(self, untrained: Untrained) -> list[Measurement]:
        """What is measured of a model with random weights."""
        return []

    def measurements(self) -> list[tuple[Subject, Measurement]]:
        """Everything that the result tables and claims need, for each experiment and for what stands beside them."""
        return [
            *((baseline, spec) for baseline in self.baselines() for spec in self.of_baseline(baseline)),
            *((untrained, spec) for untrained in self.untrained() for spec in self.of_untrained(untrained)),
            *((experiment, spec) for experiment in self.results() for spec in self.of_model(experiment)),
        ]

    def claims(self, results: Any) -> Iterable[Any]:
        """What is expected of the results, by a study; the assignment's claims have a module of their own."""
        return ()
