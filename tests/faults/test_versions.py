"""A cache that something else has made: other code, other data, another Python, torch or joblib, another format."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import pytest
from forks import PROJECT, Broken, Order, Whole, entry_of, results, steps, store_in, tasks
from small_store import Bench

from autoencoders.store import Reason, entries
from autoencoders.store.tasks import FORMAT

PACKAGES = {"joblib", "numpy", "pillow", "scikit-image", "scikit-learn", "scipy", "torch", "torchvision"}
USED = "A cache that other versions of Python, torch, joblib or the code have made is used where it can be."
TOLD = "`status` says of each result whether it serves, and if not, what has changed: code, parameter, data or version."


@pytest.fixture
def cache(tmp_path: Path) -> Bench:
    """With one finished task."""
    bench = Bench(tmp_path)
    bench.store.fetch(bench.task)
    return bench


# ── What made it, matters not ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.promise(USED)
@pytest.mark.parametrize("name", sorted({"python", *PACKAGES}))
def test_what_other_versions_made_is_used_and_told(cache: Bench, name: str) -> None:
    now = entries.read_record(cache.entry)["versions"]
    cache.reseal(versions=now | {name: "0.1.2"})
    state = cache.store.state(cache.task)
    assert state.state == "cached"
    assert state.reasons == (Reason("version", name, "0.1.2", now[name]),)
    cache.store.fetch(cache.task)
    assert cache.runs == 1


@pytest.mark.promise(USED)
def test_what_is_not_installed_here_may_have_made_it(cache: Bench) -> None:
    cache.reseal(versions={"jax": "1.0", "numpy": entries.read_record(cache.entry)["versions"]["numpy"] + "+local"})
    assert cache.store.state(cache.task).reasons == (Reason("version", "jax", "1.0", None),)
    cache.store.fetch(cache.task)
    assert cache.runs == 1


@pytest.mark.promise(USED)
def test_what_this_installation_made_gives_no_reasons(whole: Whole) -> None:
    """With torch's version in it, whose build's name some packages leave out."""
    [record, _] = store_in(whole.folder).entries()
    assert record["versions"].keys() == {"python", *PACKAGES}
    for task in tasks([0, 1]):
        assert store_in(whole.folder).state(task).reasons == ()


@pytest.mark.promise(USED)
def test_joblib_that_names_and_hashes_otherwise_finds_everything(cache: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joblib.memory.hashing, "hash", lambda *_, **__: "0" * 32)
    monkeypatch.setattr(joblib.memory, "get_func_name", lambda *_, **__: (["elsewhere"], "other"))
    monkeypatch.setattr(joblib, "__version__", "99")
    cache.store.fetch(cache.task)
    assert cache.runs == 1


LOOK = """
import sys
from pathlib import Path
from autoencoders.store import Store, Task, codehash

folder, package = map(Path, sys.argv[1:])
spec, inputs = {"seed": 0, "rates": [0.1, 0.2], "model": {"type": "AE", "width": 32}}, {"data": "f00d"}
task = Task(name="ae-vector", kind="training", spec=spec, roots=("lab.work:train",), inputs=inputs, compute=print)
print(Store(folder / "cache", folder / "lab").state(task).state)
roots = ["autoencoders.training:train", "autoencoders.models.masked:MaskedAutoencoder"]
print(codehash.package(package).code(roots).digest)
"""


def looked(cache: Bench, *python: str, **surroundings: str) -> subprocess.CompletedProcess[str]:
    """What a Python without anybody's packages finds in a cache, and how it hashes the true code."""
    command = [*python, "-c", LOOK, str(cache.folder), str(PROJECT / "autoencoders")]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)} | surroundings
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.promise(USED)
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_another_python_finds_everything(cache: Bench, version: str) -> None:
    """Also one with another hash seed, and one that optimises."""
    here = looked(cache, sys.executable, "-B", "-O", PYTHONHASHSEED="77")
    assert here.stdout.splitlines()[0] == "cached", here.stderr
    other = shutil.which(f"python{version}")
    choice = {"PYENV_VERSION": version}
    if not other or subprocess.run([other, "--version"], env=os.environ | choice, check=False).returncode:
        pytest.skip(f"there is no Python {version} here")
    found = looked(cache, other, **choice)
    assert found.stdout == here.stdout, found.stderr


# ── What doesn't serve ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.promise(TOLD)
@pytest.mark.parametrize(
    ("forgotten", "told"),
    [
        ((), "stale"),
        (("spec", "manifest", "inputs"), "stale"),
        (("versions", "created"), "stale"),
        (("kind",), "missing"),
    ],
)
def test_another_format_is_told_as_such_and_made_again(
    cache: Bench, forgotten: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its records look like."""
    record = {name: value for name, value in entries.read_record(cache.entry).items() if name not in forgotten}
    (cache.entry / "record.json").write_bytes(entries.sealed(record))
    for module in ("store", "tasks"):
        monkeypatch.setattr(f"autoencoders.store.{module}.FORMAT", FORMAT + 1)
    state = cache.store.state(cache.task)
    assert state.state == told
    assert state.reasons in ((), (Reason("version", "store format", FORMAT, FORMAT + 1),))
    assert state.reasons or told == "missing"
    cache.store.fetch(cache.task)
    assert cache.runs == 2
    assert cache.store.state(cache.task).state == "cached"
    assert list(cache.store.entries())


@pytest.mark.promise(USED)
def test_another_torchs_checkpoint_is_not_gone_on_with(broken: Broken, whole: Whole, tmp_path: Path) -> None:
    """Its steps may differ in a bit: the training begins anew, and ends in the bits of this torch."""
    [killed] = broken(Order(work="sweep", folder=str(tmp_path), step=15, more={"torch": "1.0"}))
    assert killed.signal
    assert list(tmp_path.glob("work/cache/checkpoints/*/checkpoint.pt"))
    [ended] = broken(Order(work="sweep", folder=str(tmp_path)))
    assert ended.code == 0, ended.stderr
    assert len(steps(tmp_path)) == 14 + len(steps(whole.folder))
    assert results(tmp_path) == results(whole.folder)


@pytest.mark.promise(TOLD)
def test_command_line_tells_what_other_versions_made(whole: Whole, copy: Path, capsys: Any) -> None:
    from autoencoders.inspection import Standing, print_standings

    entry = entry_of(copy, 0)
    record = entries.read_record(entry)
    now = record["versions"]["torch"]
    (entry / "record.json").write_bytes(entries.sealed(record | {"versions": record["versions"] | {"torch": "1.0"}}))
    state = store_in(copy).state(tasks([0])[0])
    standing = Standing("training-0", "training", 0, "key", state)
    print_standings([standing], [])
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.split()[:3] == ["cached", "training", "training-0"]
    assert first.endswith(f"version torch: 1.0 → {now.partition('+')[0]}")
    assert json.loads(json.dumps(standing.as_json()))["reasons"][0]["kind"] == "version"
