"""What computed a result stands in its record: versions, device, precision, threads, and what it was made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoencoders.errors import InputError
from autoencoders.store import Artifact, Reason, State, Store, Task, entries

KNOWN = "Each result says what computed it; `status` tells what differs, and `--strict-environment` makes it stale."


class Chain:
    """A store with a training, whose weights can be made to differ, and what is measured of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.weight, self.runs = folder, 1.0, list[str]()
        (folder / "lab").mkdir()
        (folder / "lab/work.py").write_text("def work():\n    return 1\n")
        self.training = self.task("training", self.train)
        self.measurement = self.task("measurement", self.measure, model=self.training)

    def task(self, name: str, compute: Callable[..., Artifact], **inputs: Task) -> Task:
        return Task(
            name=name,
            kind=name,
            spec={},
            roots=("lab.work:work",),
            inputs=inputs,
            compute=compute,
            device=lambda: "CPU A",
        )

    def train(self, scratch: Path) -> Artifact:
        self.runs.append("training")
        meta = {"precision": "bf16", "device": "CPU A", "threads": 7, "seconds": len(self.runs)}
        return Artifact({"weights": np.full(3, self.weight)}, meta)

    def measure(self, scratch: Path, model: Artifact) -> Artifact:
        self.runs.append("measurement")
        return Artifact({"sum": model.arrays["weights"].sum()}, {})

    def store(self, *, strict: bool = False) -> Store:
        """As a new process has it."""
        return Store(self.folder / "cache", self.folder / "lab", strict=strict)

    def record(self, task: Task) -> dict[str, Any]:
        return self.store().provenance(task)

    def reseal(self, task: Task, **changes: Any) -> None:
        """As another machine would have written it."""
        entry = self.folder / "cache/artifacts" / self.store().key(task)
        (entry / "record.json").write_bytes(entries.sealed(self.record(task) | changes))


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    chain = Chain(tmp_path)
    chain.store().fetch(chain.measurement)
    return chain


def other_numpy(chain: Chain) -> Reason:
    now = chain.record(chain.training)["versions"]
    chain.reseal(chain.training, versions=now | {"numpy": "0.1"})
    return Reason("version", "numpy", "0.1", now["numpy"])


def other_device(chain: Chain) -> Reason:
    chain.reseal(chain.training, environment=chain.record(chain.training)["environment"] | {"device": "CPU B"})
    return Reason("version", "device", "CPU B", "CPU A")


ELSEWHERE = [other_numpy, other_device]


@pytest.mark.promise(KNOWN)
def test_record_says_what_computed_it(chain: Chain) -> None:
    assert chain.record(chain.training)["environment"] == {"device": "CPU A", "precision": "bf16", "threads": 7}
    assert chain.record(chain.measurement)["environment"].keys() == {"device", "precision", "threads"}
    assert chain.record(chain.measurement)["environment"]["precision"] == "fp32"
    packages = {"joblib", "numpy", "pillow", "scikit-image", "scikit-learn", "scipy", "torch", "torchvision"}
    assert chain.record(chain.training)["versions"].keys() == {"python", *packages}


@pytest.mark.promise(KNOWN)
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_what_differs_is_told_and_used(chain: Chain, elsewhere: Callable[[Chain], Reason]) -> None:
    reason = elsewhere(chain)
    assert chain.store().state(chain.training) == State("cached", (reason,))
    assert chain.store().contains(chain.training)
    chain.store().fetch(chain.training)
    assert chain.runs == ["training", "measurement"]


@pytest.mark.promise(KNOWN)
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_what_differs_is_stale_where_that_is_asked_for(chain: Chain, elsewhere: Callable[[Chain], Reason]) -> None:
    reason = elsewhere(chain)
    store = chain.store(strict=True)
    assert store.state(chain.training) == State("stale", (reason,))
    assert not store.contains(chain.training)
    store.fetch(chain.training)
    assert chain.runs == ["training", "measurement", "training"]
    assert store.state(chain.training) == State("cached")
    store.fetch(chain.training)
    assert len(chain.runs) == 3
    assert len(list((chain.folder / "cache/set-aside").iterdir())) == 1, "the older one is kept"


@pytest.mark.promise(KNOWN)
def test_nothing_is_stale_where_nothing_differs(chain: Chain) -> None:
    store = chain.store(strict=True)
    for task in (chain.training, chain.measurement):
        assert store.state(task) == State("cached")
        store.fetch(task)
    assert chain.runs == ["training", "measurement"]


@pytest.mark.promise(KNOWN)
@pytest.mark.parametrize("weight", [1.0, 2.0])
def test_measurement_of_a_model_that_was_made_anew_with_other_numbers_is_told(chain: Chain, weight: float) -> None:
    """How long it took is no number of it."""
    chain.weight = weight
    other_device(chain)
    strict = chain.store(strict=True)
    strict.fetch(chain.training)
    reasons = chain.store().state(chain.measurement).reasons
    assert [(each.kind, each.what) for each in reasons] == ([] if weight == 1.0 else [("data", "model")])
    assert strict.contains(chain.measurement) == (weight == 1.0)
    assert strict.fetch(chain.measurement).arrays["sum"] == 3 * weight


@pytest.mark.promise(KNOWN)
def test_records_of_before_give_no_reasons(chain: Chain) -> None:
    for task in (chain.training, chain.measurement):
        record = chain.record(task)
        entry = chain.folder / "cache/artifacts" / record["key"]
        older = {name: value for name, value in record.items() if name not in ("environment", "made_of")}
        (entry / "record.json").write_bytes(entries.sealed(older))
        assert chain.store(strict=True).state(task) == State("cached")


@pytest.mark.promise(KNOWN)
def test_strictness_reaches_the_store_of_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    from autoencoders import settings
    from autoencoders.lab import Lab

    monkeypatch.setenv("AE_STRICT_ENVIRONMENT", "true")
    asked = settings.load(profile="smoke", dataset="photos10", device="cpu", cache=tmp_path)
    lab = Lab(asked)
    assert lab.store.strict
    assert pickle.loads(pickle.dumps(lab.bench)).store.strict
    assert not Lab(replace(asked, strict_environment=False)).store.strict
    with pytest.raises(InputError):
        settings.load(strict_environment="perhaps")
