"""Eight single-threaded trainings on one Dask worker and on two, of this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from timing import seconds, tell

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported, here and in the workers

from autoencoders.catalogue import Catalogue
from autoencoders.lab import Lab
from autoencoders.profiles import PROFILES
from autoencoders.running import cluster, order
from autoencoders.running.order import Order
from autoencoders.settings import Settings
from autoencoders.specs import Data, Experiment, Training
from autoencoders.store import Task

IMAGES, TRAININGS = 8192, 8


def training(seed: int, dataset: str, images: int = IMAGES) -> Experiment:
    model = Catalogue(profile=PROFILES["quick"]).ae().model
    data = Data(name=dataset, train=images)
    return Experiment(name=f"run-{seed}", model=model, data=data, training=Training(epochs=1), seed=seed)


def taken(workers: int, folder: Path) -> float:
    """Seconds of workers that have read the data and imported everything."""
    lab = Lab(Settings(profile="quick", dataset="cifar10", device="cpu", cache=folder))
    bench = lab.bench
    first = [bench.training(training(100 + n, lab.dataset, 256)) for n in range(2 * workers)]
    first.append(bench.training(training(99, lab.dataset)))
    tasks = [bench.training(training(seed, lab.dataset)) for seed in range(TRAININGS)]
    with cluster.connected("local", workers) as client:
        pool = cluster.Workers(client, bench)

        def carry_out(tasks: list[Task]) -> list[Exception | None]:
            by_key = {bench.store.key(task): task for task in tasks}
            alike = Order(dict.fromkeys(by_key, ()), dict.fromkeys(by_key, 1))
            return [failure for _, failure in order.run(by_key, alike, pool)]

        assert not any(carry_out(first))
        spent = seconds(lambda: carry_out(tasks))
    assert all(map(lab.store.contains, tasks))
    return spent


def main() -> None:
    found = {}
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            found[workers] = taken(workers, Path(folder))
    spent = {f"{workers} workers": round(value, 1) for workers, value in found.items()}
    tell("cluster", trainings=TRAININGS, images=IMAGES, seconds=spent, ratio=round(found[1] / found[2], 2))


if __name__ == "__main__":
    main()
