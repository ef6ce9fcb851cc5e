"""A disk that is full, or that nothing may be written to: one line, exit code 3, and what is finished stays."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import small_report
from copied_project import Project, Run
from forks import Broken, Fault, Order, Whole, draws, results, store_in, tasks

from autoencoders.store import entries

FULL = "A full disk ends a run with one line and exit code 3: nothing is half-written, and what was finished is kept."
READ = "A cache that can't be written to serves all that it holds."


@contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """For the superuser, and where the system lets it."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.name != "posix" or os.geteuid() or not shutil.which("mount"):
        pytest.skip("only the superuser may mount")
    done = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def assert_all_is_well_but_unfinished(folder: Path, whole: Whole) -> None:
    """All entries are sound and as they must be, and none is hidden anywhere."""
    found = results(folder)
    assert found.items() <= results(whole.folder).items()
    for path in (folder / "work/cache/artifacts").glob("*"):
        entries.check(path)
    states = {store_in(folder).state(task).state for task in tasks([0, 1])}
    assert states <= {"cached", "partial", "missing"}, "a full disk is no failure of a training"


def assert_one_clear_line(stderr: str, number: int) -> None:
    [line] = [line for line in stderr.splitlines() if line.strip()][1:]  # after what was to be done
    assert line.startswith("error: ")
    assert line.endswith(os.strerror(number))
    assert "/cache" in line


@pytest.mark.promise(FULL)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_disk_that_refuses_at_any_moment(
    broken: Broken, whole: Whole, tmp_path: Path, number: int, thorough: bool, tried: Callable[[int], None]
) -> None:
    cases = 16 if thorough else 1
    for case, draw in enumerate(draws(f"refusal {number}", cases)):
        folder = tmp_path / str(case)
        fault = Fault(at=draw.randint(1, whole.changes - 8), error=number)  # the last ones only tidy up
        [refused] = broken(Order(work="sweep", folder=str(folder), fault=fault))
        assert refused.code == 3, refused.stderr
        assert_one_clear_line(refused.stderr, number)
        assert_all_is_well_but_unfinished(folder, whole)
        [resumed] = broken(Order(work="sweep", folder=str(folder)))
        assert resumed.code == 0, resumed.stderr
        assert results(folder) == results(whole.folder)
    tried(cases)


@pytest.mark.promise(FULL)
def test_a_disk_that_refuses_an_entry(broken: Broken, whole: Whole, tmp_path: Path) -> None:
    """Its last file, when the others are written."""
    fault = Fault(at=1, matching=r"^open .*/artifacts/.*record\.json", error=errno.ENOSPC)
    [refused] = broken(Order(work="sweep", folder=str(tmp_path), fault=fault))
    assert refused.code == 3, refused.stderr
    assert_one_clear_line(refused.stderr, errno.ENOSPC)
    assert_all_is_well_but_unfinished(tmp_path, whole)


@pytest.mark.promise(FULL)
def test_a_disk_that_is_full(
    broken: Broken, whole: Whole, tmp_path: Path, thorough: bool, tried: Callable[[int], None]
) -> None:
    """A real one: writing stops in the middle of a file."""
    cases = 12 if thorough else 1
    needed = sum(path.stat().st_size for path in (whole.folder / "work").rglob("*"))
    for case, draw in enumerate(draws("full", cases)):
        folder = tmp_path / str(case)
        with mounted(folder / "work", "-t", "tmpfs", "-o", f"size={draw.randint(8192, needed * 9 // 10)}", "none"):
            [refused] = broken(Order(work="sweep", folder=str(folder)))
            assert refused.code == 3, refused.stderr
            assert_one_clear_line(refused.stderr, errno.ENOSPC)
            assert_all_is_well_but_unfinished(folder, whole)
            subprocess.run(["mount", "-o", "remount,size=64m", str(folder / "work")], check=True)
            [resumed] = broken(Order(work="sweep", folder=str(folder)))
            assert resumed.code == 0, resumed.stderr
            assert results(folder) == results(whole.folder)
    tried(cases)


@pytest.mark.promise(FULL)
def test_a_disk_that_is_full_while_a_report_is_made(
    broken: Broken, tmp_path: Path, thorough: bool, tried: Callable[[int], None]
) -> None:
    cases = 8 if thorough else 1
    for case, draw in enumerate(draws("report", cases)):
        folder = tmp_path / str(case)
        small_report.written(folder / "work")
        fault = Fault(at=draw.randint(1, 80), error=errno.ENOSPC)
        [refused] = broken(Order(work="report", folder=str(folder), fault=fault, more={"limit": 1}))
        assert refused.code == 3, refused.stderr
        *_, line = refused.stderr.splitlines()
        assert line.startswith("error: ")
        assert line.endswith(os.strerror(errno.ENOSPC))
        assert "Traceback" not in refused.stderr
        [made] = broken(Order(work="report", folder=str(folder), more={"limit": 1}))
        assert made.code == 0, made.stderr
        assert not [path for path in folder.rglob("*") if "partial" in path.name or path.suffix == ".new"]
    tried(cases)


@pytest.mark.promise(FULL)
def test_the_command_line_on_a_full_disk(patience: None, project: Project, tmp_path: Path) -> None:
    """With its worker processes, and real trainings."""
    own = project.copy(tmp_path / "code", cache=tmp_path / "cache")
    with mounted(own.cache, "-t", "tmpfs", "-o", "size=600k", "none"):
        done = own("run", "tune-*", "--jobs", "2")
        assert done.returncode == 3, done.stderr
        *_, line = done.stderr.splitlines()
        assert line.startswith("error: cache: ")
        assert line.endswith("No space left on device")
        assert "Traceback" not in done.stderr
        for path in own.cache.glob("artifacts/*"):
            entries.check(path)
        kept = {path.name: path.stat().st_mtime_ns for path in own.cache.glob("artifacts/*")}
        subprocess.run(["mount", "-o", "remount,size=200m", str(own.cache)], check=True)
        done = own("run", "tune-*")
        assert done.returncode == 0, done.stderr
        assert {standing["state"] for standing in own.states("tune-*").values()} == {"cached"}
        assert kept.items() <= {path.name: path.stat().st_mtime_ns for path in own.cache.glob("artifacts/*")}.items()


@pytest.mark.promise(READ)
def test_a_read_only_cache_serves_what_it_holds(broken: Broken, whole: Whole, copy: Path) -> None:
    missing = {"seeds": [0, 1, 2]}
    with mounted(copy / "work", "--bind", "-o", "ro", str(copy / "work")):
        [served] = broken(Order(work="sweep", folder=str(copy)))
        assert served.code == 0, served.stderr
        [refused] = broken(Order(work="sweep", folder=str(copy), more=missing))
        assert refused.code == 3, refused.stderr
        assert_one_clear_line(refused.stderr, errno.EROFS)
        assert results(copy) == results(whole.folder)


@pytest.mark.promise(READ)
def test_the_command_line_on_a_read_only_cache(smoke: Run, tried: Callable[[int], None]) -> None:
    project = smoke.project
    commands = ("run", "status --json", "results --json", "prune")
    said = {command: project(*command.split()) for command in commands}
    with mounted(project.cache, "--bind", "-o", "ro", str(project.cache)):
        for command in commands:
            done = project(*command.split())
            assert done.returncode == 0, done.stderr
            assert (done.stdout, done.stderr) == (said[command].stdout, said[command].stderr)
        refused = project("run", "tune-base", "--seeds", "99")
        assert refused.returncode == 3
        assert refused.stderr.splitlines()[-1].endswith(os.strerror(errno.EROFS))
    tried(len(commands) + 1)
