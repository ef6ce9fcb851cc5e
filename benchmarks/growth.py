"""How time and memory grow with images, epochs, experiments and seeds; each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

from timing import PROJECT, tell

TRAINING = """
import json, resource, sys, time
from autoencoders import data, training
from autoencoders.profiles import PROFILES
from autoencoders.catalogue import Catalogue
from autoencoders.specs import Data, Experiment, Training
from autoencoders.tasks import named
images, epochs = map(int, sys.argv[1:])
choice = data.choose("cifar10", True, download=False)
spec = Data(name=choice.name, train=images)
dataset = data.load(spec, choice.root)
model = Catalogue(profile=PROFILES["quick"]).ae().model
experiment = Experiment(name="ae", model=model, data=spec, training=Training(epochs=epochs))
started = time.perf_counter()
training.train(experiment, named(model.implementation), dataset.train, dataset.validation)
seconds = time.perf_counter() - started
megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"seconds": round(seconds, 2), "megabytes": megabytes}))
"""
PLANNING = """
import json, sys, time
from pathlib import Path
from autoencoders import inspection
from autoencoders.lab import Lab
from autoencoders.settings import Settings
lab = Lab(Settings(profile="full", dataset="photos10", seeds=tuple(range(int(sys.argv[1]))), cache=Path("build/none")))
started = time.perf_counter()
trainings, measurements = inspection.standings(lab, None)
seconds = time.perf_counter() - started
print(json.dumps({"seconds": round(seconds, 3), "tasks": len(trainings) + len(measurements)}))
"""


def measured(program: str, *arguments: int) -> dict[str, float]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return json.loads(subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    tell(
        "growth",
        images={n: measured(TRAINING, n, 1) for n in (1_000, 4_000, 16_000)},
        epochs={n: measured(TRAINING, 4_000, n) for n in (1, 2, 4)},
        seeds={n: measured(PLANNING, n) for n in (1, 3, 9)},
    )


if __name__ == "__main__":
    main()
