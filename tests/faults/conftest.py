"""What the project promises, the tests that hold each promise, and how many cases were tried: told after each run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from forks import Broken, Order, Whole

from autoencoders.settings import PROJECT

TOLD = PROJECT / "build/reliability.json"


@pytest.fixture(scope="session")
def thorough() -> bool:
    """Whether there is time for every case (`make faults`), or for a sample of them (`make test`)."""
    return os.environ.get("FAULTS") == "thorough"


@pytest.fixture(scope="session")
def patience(thorough: bool) -> None:
    """Asked for first by what takes minutes."""
    if not thorough:
        pytest.skip("takes minutes: `make faults` does it")


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Callable[[int], None]:
    """Tells how many cases a test has tried; one that doesn't say has tried one."""
    return lambda cases: request.node.user_properties.append(("cases", cases))


@pytest.fixture(scope="session")
def broken() -> Iterator[Broken]:
    """Carries out work in processes that may be killed."""
    process = Broken()
    yield process
    process.close()


@pytest.fixture(scope="session")
def whole(broken: Broken, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """What all that is broken must come to; it stays as it is."""
    folder = tmp_path_factory.mktemp("whole")
    [ended] = broken(Order(work="sweep", folder=str(folder)))
    assert ended.code == 0, ended.stderr
    return Whole(folder, ended.changes, ended.seconds)


@pytest.fixture
def copy(whole: Whole, tmp_path: Path) -> Path:
    """The same, to be changed."""
    shutil.copytree(whole.folder, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    promise = item.get_closest_marker("promise")
    if promise and not any(name == "promise" for name, _ in item.user_properties):
        item.user_properties.append(("promise", promise.args[0]))
    yield


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Also of workers: what a test tells travels with its report."""
    held = []
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            told: dict[str, Any] = {}
            for name, value in getattr(report, "user_properties", ()):
                told[name] = told.get(name, 0) + value if name == "cases" else value
            if "promise" in told:
                test = report.nodeid.split("[")[0]
                held.append({"cases": 1} | told | {"test": test, "outcome": outcome})
    if held:
        TOLD.parent.mkdir(exist_ok=True)
        TOLD.write_text(json.dumps(held, indent=1), encoding="utf-8")
