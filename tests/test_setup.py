"""Setting up: three descriptions of one environment, the Makefile that builds it, and what the package asks of it."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
REQUIREMENTS = (PROJECT / "requirements.txt").read_text()
ENVIRONMENT = yaml.safe_load((PROJECT / "environment.yml").read_text())
RUNTIME = [Requirement(line) for line in PYPROJECT["project"]["dependencies"]]
EXTRAS = {
    name: [Requirement(line) for line in lines] for name, lines in PYPROJECT["project"]["optional-dependencies"].items()
}
PINS = re.findall(r"^([a-z][^\\\n]+?) *\\?$", REQUIREMENTS, re.MULTILINE)
PYTHONS = ("3.11", "3.12", "3.13")


def pins(python: str) -> dict[str, Version]:
    """What requirements.txt installs under one version of Python on Linux."""
    found: dict[str, Version] = {}
    for line in PINS:
        requirement = Requirement(line)
        environment = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (only,) = requirement.specifier
            assert only.operator == "==", line
            assert canonicalize_name(requirement.name) not in found, line
            found[canonicalize_name(requirement.name)] = Version(only.version)
    return found


# ── Three files, one environment ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("python", PYTHONS)
def test_everything_the_project_asks_for_is_pinned_within_its_bounds(python: str) -> None:
    pinned = pins(python)
    for requirement in RUNTIME + EXTRAS["dev"]:
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement
    assert (pinned["torch"], pinned["torchvision"]) == (Version("2.14.1"), Version("0.29.1"))


def test_older_torch_that_the_code_runs_on_is_admitted() -> None:
    bounds = {requirement.name: requirement.specifier for requirement in RUNTIME}
    assert bounds["torch"].contains("2.11.0")
    assert bounds["torchvision"].contains("0.26.0")


def test_requirements_name_no_registry_and_say_how_they_were_made() -> None:
    assert not re.search(r"https?:|file:|^-|@", REQUIREMENTS, re.MULTILINE)
    command = re.search(r"^# +(uv pip compile .*)$", REQUIREMENTS, re.MULTILINE)
    assert command
    assert {"--universal", "--extra", "--generate-hashes", "pyproject.toml"} <= set(command[1].split())


def test_every_requirement_has_its_hashes_and_setting_up_asks_for_them(clone: Path) -> None:
    """What a registry hands out under a known name and version is what was tried, or refused."""
    named = re.findall(
        r"^([a-z]\S*)==[^\\\n]+\\((?:\n    --hash=sha256:[0-9a-f]{64} ?\\?)+)$", REQUIREMENTS, re.MULTILINE
    )
    assert len(named) == len(PINS) > 100
    _, calls = make(clone)
    assert any("--require-hashes --requirement requirements.txt" in call for call in calls)


def test_requirements_were_compiled_from_the_present_dependencies() -> None:
    direct = re.findall(
        r"^(\S+)==\S+.*\n(?:    (?:#|--hash).*\n)*?    # (?:via|  ) *autoencoders \(pyproject", REQUIREMENTS, re.M
    )
    asked = {canonicalize_name(requirement.name) for requirement in RUNTIME + EXTRAS["dev"]}
    assert {canonicalize_name(name) for name in direct} == asked


def test_conda_environment_agrees() -> None:
    conda = [Requirement(entry) for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
    asked = {requirement.name: requirement.specifier for requirement in conda}
    assert asked["python"] == Requirement(f"python{PYPROJECT['project']['requires-python']}").specifier
    assert asked["quarto"].contains("1.9.0")
    assert not asked["quarto"].contains("1.8.27")
    assert ENVIRONMENT["channels"] == ["conda-forge"]

    hashed, *named = ENVIRONMENT["dependencies"][-1]["pip"]
    assert hashed == "--requirement requirements.txt"
    assert "pip install --no-deps --editable ." in (PROJECT / "environment.yml").read_text()
    for python in PYTHONS:
        pinned = pins(python)
        versions = {entry.name: entry.specifier for entry in map(Requirement, named)}
        assert {name: f"=={pinned[name]}" for name in versions} == {name: str(spec) for name, spec in versions.items()}


def test_conda_environment_shows_what_the_work_is_done_with() -> None:
    text = (PROJECT / "environment.yml").read_text()
    for name in ("torch", "torchvision", "quarto", "jupyter", "papermill", "matplotlib", "seaborn", "joblib"):
        assert re.search(rf"- {name}\b", text), name
    for name in ("scikit-learn", "scikit-image"):
        assert re.search(rf"- {name}\b", text), name


@pytest.mark.parametrize(("python", "admitted"), [("3.10", False), *((p, True) for p in PYTHONS), ("3.14", False)])
def test_makefile_and_package_admit_the_same_pythons(python: str, admitted: bool) -> None:
    assert Requirement(f"python{PYPROJECT['project']['requires-python']}").specifier.contains(python) == admitted
    makefile = (PROJECT / "Makefile").read_text()
    assert (f"python{python} " in makefile) == admitted
    (test,) = re.findall(r"\(3, \d+\) <= sys\.version_info < \(3, \d+\)", makefile)
    version = tuple(map(int, python.split(".")))
    assert eval(test.replace("sys.version_info", repr(version))) == admitted


# ── The Makefile ─────────────────────────────────────────────────────────────────────────────────────────────────────

FAKE_PYTHON = """#!/bin/sh
# A Python that only notes what it is asked to do.
echo "$(basename "$(dirname "$0")") $* GROUP=$GROUP AE_PROFILE=$AE_PROFILE" >> "$LOG"
case "$*" in
    "-c "*) exit "$TOO_OLD" ;;
    "-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/lint-imports ;;
    "-m pip install"*) exit "${PIP_FAILS:-0}" ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clean clone beside a fake Python 3.11."""
    for file in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(PROJECT / file, tmp_path)
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "python3.11"
    fake.write_text(FAKE_PYTHON)
    fake.chmod(0o755)
    for tool in ("touch", "mkdir", "cp", "basename", "dirname", "echo"):
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def make(clone: Path, *arguments: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """What `make` says, and what the fake Python was asked to do."""
    log = clone / "log"
    log.write_text("")
    variables = {"PATH": str(clone / "bin"), "LOG": str(log), "TOO_OLD": "0"} | environment
    program = str(shutil.which("make"))
    done = subprocess.run([program, *arguments], cwd=clone, env=variables, capture_output=True, text=True)
    return done, log.read_text().splitlines()


def installs(calls: list[str]) -> int:
    return sum("pip install" in call and "--requirement requirements.txt" in call for call in calls)


def test_environment_is_built_once_and_again_only_when_its_description_changed(clone: Path) -> None:
    done, calls = make(clone)
    assert done.returncode == 0, done.stderr
    assert installs(calls) == 1
    assert any("-m venv" in call for call in calls)
    assert "make report" in done.stdout

    assert make(clone, "setup")[1] == []

    os.utime(clone / "requirements.txt", (4e9, 4e9))
    _, calls = make(clone, "setup")
    assert installs(calls) == 1
    assert not any("-m venv" in call for call in calls)


def test_interrupted_installation_is_taken_up_again(clone: Path) -> None:
    done, calls = make(clone, PIP_FAILS="1")
    assert done.returncode != 0
    assert installs(calls) == 1
    assert installs(make(clone)[1]) == 1


def test_old_python_is_said_in_one_line(clone: Path) -> None:
    done, calls = make(clone, "report", TOO_OLD="1")
    assert done.returncode != 0
    assert "Python 3.11, 3.12 or 3.13" in done.stderr.splitlines()[0]
    assert not (clone / ".venv").exists()
    assert installs(calls) == 0


@pytest.mark.parametrize(
    ("target", "call"),
    [
        ("report", "bin pipeline.py report"),
        ("test", "bin -m pytest"),
        ("lint", "bin -m mypy"),
    ],
)
def test_targets_run_in_the_environment(target: str, call: str, clone: Path) -> None:
    done, calls = make(clone, target)
    assert done.returncode == 0, done.stderr
    assert calls[-1].startswith(call)


def test_variables_pass_through(clone: Path) -> None:
    assert make(clone, "report", "GROUP=G07", "PROFILE=smoke")[1][-1].endswith("GROUP=G07 AE_PROFILE=smoke")
    assert make(clone, "report", GROUP="G08", AE_PROFILE="quick")[1][-1].endswith("GROUP=G08 AE_PROFILE=quick")
    assert make(clone, "report")[1][-1].endswith("GROUP= AE_PROFILE=")


def test_clean_keeps_what_took_long_to_make_and_what_others_put_beside_it(clone: Path) -> None:
    kept = {"cache/a", "data/a", ".venv/a", "_book/CNAME", "_studies/CNAME", "submission/letter.docx", "My_Report.pdf"}
    gone = {"build/a", ".quarto/a", "site_libs/a", "G07_Assignment2_Report.pdf", "report/one.html"}
    for name in kept | gone:
        (clone / name).parent.mkdir(exist_ok=True)
        (clone / name).touch()
    for tool in ("rm", "find"):
        (clone / "bin" / tool).symlink_to(str(shutil.which(tool)))
    done, _ = make(clone, "clean")
    assert done.returncode == 0, done.stderr
    assert {name for name in kept | gone if (clone / name).exists()} == kept


def test_ci_runs_what_people_run() -> None:
    script = PROJECT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.search(r"^make .*lint test scenarios$", script.read_text(), re.MULTILINE)
    subprocess.run(["bash", "-n", script], check=True)


# ── What the package asks for ────────────────────────────────────────────────────────────────────────────────────────

SOURCES = [*sorted((PROJECT / "autoencoders").rglob("*.py")), PROJECT / "pipeline.py"]
DISTRIBUTIONS = packages_distributions()
NOTEBOOK_PACKAGES = {"papermill", "jupyter", "nbformat", "nbconvert", "IPython", "ipykernel", "pypandoc", "typst"}


def imported(tree: ast.AST, *, at_start: bool) -> Iterator[str]:
    """The packages that a module imports: all, or only those that importing the module imports as well."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
        elif not at_start or not (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        ):
            yield from imported(node, at_start=at_start)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_imports_are_declared_and_notebook_packages_wait(path: Path) -> None:
    tree = ast.parse(path.read_text())
    foreign = set(imported(tree, at_start=False)) - set(sys.stdlib_module_names) - {"autoencoders"}
    declared = {
        canonicalize_name(item.name) for item in [*RUNTIME, *EXTRAS["cluster"], *EXTRAS["export"], *EXTRAS["remote"]]
    }
    for package in foreign:
        names = {canonicalize_name(name) for name in DISTRIBUTIONS.get(package, [package])}
        assert names & (declared | {"distributed"}), f"{package} is imported and not declared"
    if "reporting" not in str(path):
        assert not set(imported(tree, at_start=True)) & NOTEBOOK_PACKAGES
