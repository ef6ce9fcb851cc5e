"""What is kept in `benchmarks/`: runs of other hardware or profiles (`results --json`), what `make bench` found,
and what was tried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoencoders import reading
from autoencoders.evaluation.statistics import Estimate
from autoencoders.settings import PROJECT

FOLDER = PROJECT / "benchmarks"
RUNS, SPEEDS, RECIPES = "reference-*.json", "results-*.json", "recipes.json"


@dataclass(frozen=True)
class ReferenceRun:
    """One such file: every value of a run, and where it came from."""

    name: str
    content: dict[str, Any]

    @property
    def label(self) -> str:
        devices = dict.fromkeys(training["device"] for training in self.content["trainings"])
        return f"{self.content['profile']}, {' and '.join(devices)}"

    def estimates(self, experiment: str, seen: str, metric: str) -> list[Estimate]:
        """One a seed, of the test images as a whole."""
        wanted = {"experiment": experiment, "split": "test", "input": seen, "region": "all", "metric": metric}
        rows = [row for row in self.content["rows"] if wanted.items() <= row.items()]
        return [Estimate(*(_number(row[part]) for part in Estimate._fields)) for row in rows]


def _number(value: float | None) -> Any:
    """JSON knows no NaN: it says null."""
    return float("nan") if value is None else value


def of(dataset: str) -> list[ReferenceRun]:
    """The reference runs on that data set: values of another one would compare nothing."""
    found = [ReferenceRun(path.stem, reading.parsed_json(path)) for path, _ in _files(RUNS)]
    return [run for run in found if run.content["dataset"] == dataset]


def speeds() -> list[dict[str, Any]]:
    """What `make bench` found, by benchmark, one for each hardware that it was kept of."""
    return [reading.parsed_json(path) for path, _ in _files(SPEEDS)]


def recipes() -> list[dict[str, Any]]:
    """What was tried when the models' recipes were chosen (see `benchmarks/recipes.py`)."""
    return [row for path, _ in _files(RECIPES) for row in reading.parsed_json(path)["rows"]]


def texts() -> str:
    """All that a notebook may read of them."""
    return "\n".join(text for pattern in (RUNS, SPEEDS, RECIPES) for _, text in _files(pattern))


def _files(pattern: str) -> Iterable[tuple[Path, str]]:
    return [(path, reading.text(path)) for path in sorted(FOLDER.glob(pattern))]
