"""What the store costs: a key, a cached result beyond the reading of its files, and the standing of many entries."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from timing import in_turn, seconds, tell

from autoencoders.catalogue import Catalogue
from autoencoders.lab import Lab
from autoencoders.profiles import PROFILES
from autoencoders.settings import Settings
from autoencoders.store import Artifact, Store, Task, entries

ENTRIES = 500


def tasks(lab: Lab) -> list[Task]:
    """As many trainings as there are entries, which only pretend to learn."""
    experiment = Catalogue(profile=PROFILES["smoke"], dataset="photos10").ae()
    real = lab.bench.training(experiment)
    arrays = {"weights": np.zeros(300_000, np.float32)}
    return [
        Task(
            name=f"{real.name}{seed}",
            kind=real.kind,
            spec={**real.spec, "seed": seed},
            roots=real.roots,
            inputs=real.inputs,
            compute=lambda scratch: Artifact(arrays, {}),
        )
        for seed in range(ENTRIES)
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Settings(profile="smoke", dataset="photos10", cache=Path(folder)))
        planned = tasks(lab)
        for task in planned:
            lab.store.fetch(task)
        first, entry = planned[0], Path(folder) / "artifacts" / lab.store.key(planned[0])
        found = in_turn(
            {
                "key": lambda: seconds(lambda: [lab.store.key(task) for task in planned]) / ENTRIES,
                "cached result": lambda: seconds(lambda: lab.store.fetch(first)),
                "reading its files": lambda: seconds(lambda: entries.read(entry)),
                "status of all": lambda: _status(Path(folder), planned),
            },
            rounds=5,
        )
    milliseconds = {name: round(1000 * value, 3) for name, value in found.items()}
    overhead = milliseconds["cached result"] - milliseconds["reading its files"]
    tell("store", entries=ENTRIES, milliseconds=milliseconds, overhead_of_a_cached_result=round(overhead, 3))


def _status(folder: Path, planned: list[Task]) -> float:
    store = Store(folder)
    return seconds(lambda: [store.state(task) for task in planned])


if __name__ == "__main__":
    main()
