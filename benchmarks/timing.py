"""How the benchmarks measure: contenders in turn, the median of several rounds, and what the machine was."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))
RESULTS = PROJECT / "build/bench"


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(contenders: Mapping[str, Callable[[], float]], rounds: int = 3) -> dict[str, float]:
    """The median of what each says of itself. They alternate: what else the machine does, it does to all."""
    said: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            said[name].append(run())
    return {name: statistics.median(values) for name, values in said.items()}


def tell(name: str, **found: Any) -> None:
    """For people and for programs; one file a benchmark."""
    result = found | {"machine": machine()}
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def machine() -> dict[str, Any]:
    import torch

    from autoencoders.machine import processor

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return {
        "device": processor(device.type),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


if __name__ == "__main__":  # all that `make bench` has found, as one file to keep: benchmarks/results-HARDWARE.json
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))}
    print(json.dumps(found, indent=1))
