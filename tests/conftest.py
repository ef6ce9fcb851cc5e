"""Fixtures that several test modules share."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from copied_project import Project, Run, copied
from filelock import FileLock
from made_report import Made, complete, make
from waiting import PATIENCE

from autoencoders.data import files


def _real_data(folder: str) -> Path:
    root = os.environ.get("AUTOENCODERS_DATA")
    if not root or not (Path(root) / folder).is_dir():
        pytest.skip(f"AUTOENCODERS_DATA names no folder with {folder}")
    return Path(root)


@pytest.fixture(scope="session")
def cifar_root() -> Path:
    """The folder that holds the real CIFAR-10."""
    return _real_data("cifar-10-batches-py")


@pytest.fixture(scope="session")
def mnist_root() -> Path:
    """The folder that holds the real MNIST."""
    return _real_data("MNIST/raw")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is resolved and no connection made."""

    def unreachable(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setattr(socket.socket, "connect", unreachable)


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_network: None) -> Path:
    """A machine without any data folder, and the place where downloads would go."""
    monkeypatch.delenv("AUTOENCODERS_DATA", raising=False)
    monkeypatch.setattr(files, "DATA", tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def denormals() -> None:
    """Numbers as a new process has them: whoever computed here before may have had the smallest taken for zero."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real one."""
    playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    program = shutil.which("chromium") or shutil.which("google-chrome") or pytest.skip("no Chromium here")
    with playwright() as driver:
        launched = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-quic"])
        yield launched
        launched.close()


def _left(request: Any) -> bool:
    """Whether the page was left before the answer came, which is nobody's fault."""
    return request.failure == "net::ERR_ABORTED"


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A tab at a desk, and what it complained of."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.faults = []
    page.on("console", lambda m: page.faults.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("requestfailed", lambda request: page.faults.append(request.url) if not _left(request) else None)
    yield page
    context.close()


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy that nothing was run in."""
    return copied(tmp_path_factory.mktemp("project") / "code")


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Made once, whichever worker needs it first."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "smoke"
    written = shared / "written.json"
    with FileLock(f"{shared}.lock"):
        if not written.exists():
            done = copied(shared / "code")("run")
            written.write_text(json.dumps([done.returncode, done.stdout, done.stderr]))
    code, stdout, stderr = json.loads(written.read_text())
    assert code == 0, stderr
    return Run(Project(shared / "code", shared / "cache"), stdout, stderr)


@pytest.fixture(scope="session")
def made(smoke: Run, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Made once, whichever worker needs it first; its cache is its own."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "report"
    written = shared / "written.json"
    project = Project(shared / "code", shared / "cache")
    with FileLock(f"{shared}.lock"):
        if not written.exists():
            shutil.copytree(smoke.project.cache, project.cache)
            done = make(complete(smoke.project.copy(project.folder, cache=project.cache)))
            written.write_text(json.dumps([done.returncode, done.stderr]))
    code, stderr = json.loads(written.read_text())
    assert code == 0, stderr
    return Made(project, stderr)
