"""What people do by mistake: files that aren't what they should be, odd places, interruptions at any moment."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from properties import for_each
from reporting_sample import code, render, write_book, write_notebook
from waiting import until

from autoencoders import coercion, parameters, reading, settings, startup
from autoencoders.data import files
from autoencoders.errors import InputError, ReportError
from autoencoders.reporting import checks, execution
from autoencoders.reporting.book import Book, embedded
from autoencoders.reporting.notebook_files import NotebookFile
from autoencoders.settings import PROJECT
from autoencoders.store import Artifact, Store, Task, codehash

Tried = Callable[[int], None]
GUARD = 120  # seconds after which something hangs


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """What waits for a pipe or expands a bomb is interrupted, and has failed."""

    def hangs(number: int, frame: Any) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(GUARD)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """What is started here heeds Ctrl-C, even if these tests run in a shell's background, where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def no_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    for twin in settings.ENVIRONMENT.values():
        monkeypatch.delenv(twin, raising=False)


def one_line(action: Callable[[], Any]) -> str:
    """Why it was refused, in one line of reasonable length; nothing if it wasn't."""
    try:
        action()
    except (InputError, ReportError) as error:
        [line] = str(error).splitlines()
        assert len(line) < 1500
        return line
    return ""


# ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

VALUES = "A value of any size and depth is used or refused in one line, at once."
LEVELS = 30
BOMBS = {
    "lists": "a0: &a0 [x, x]\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, LEVELS)),
    "mappings": "a0: &a0 {x: 1}\n"
    + "\n".join(f"a{n}: &a{n} {{p: *a{n - 1}, q: *a{n - 1}, r: *a{n - 1}}}" for n in range(1, LEVELS)),
    "merges": "a0: &a0 {x: 1}\n"
    + "\n".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, LEVELS)),
    "of itself": "a0: &a0 [*a0]",
    "depth": "a0: " + "[" * 5000,
    "length": "a0: [" + "x, " * 400_000 + "]",
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.promise(VALUES)
def test_bombs_in_parameters_are_refused_at_once(tmp_path: Path, bomb: str) -> None:
    path = tmp_path / "params.yml"
    path.write_text(BOMBS[bomb])
    assert str(path) in one_line(lambda: settings.load(path))
    with pytest.raises(InputError, match="^parameter p must be"):
        parameters.parsed(BOMBS[bomb].partition(": ")[2] if bomb == "depth" else BOMBS[bomb], list[float], "p")


LARGE: list[Any] = [
    16**5000,
    -(10**4000),
    "9" * 5000,
    "x" * 100_000,
    [[["x"] * 50] * 50] * 50,
    {"a": {"b": ["x" * 999] * 99}},
    [10**5000],
]
large = st.recursive(
    st.sampled_from(range(len(LARGE))).map(lambda place: LARGE[place])
    | st.integers()
    | st.text(max_size=20)
    | st.none()
    | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.promise(VALUES)
def test_large_values_are_refused_in_few_words(tmp_path: Path, tried: Tried) -> None:
    """As settings, as a notebook's parameters, and as names of either."""
    notebook = write_notebook(
        tmp_path / "analysis/01-one.ipynb",
        code("n: int = 1\nx: float = 1.0\nwords: list[str] = []", tags=("parameters",)),
    )

    def check(value: Any) -> None:
        for name in settings.RULES:
            one_line(lambda name=name: settings.load(tmp_path / "params.yml", **{name: value}))
        for name in ("n", "x", "words", "seeds"):
            one_line(lambda name=name: planned(notebook.parent, {"01-one": {name: value}}))
        if isinstance(value, str | int | None):
            assert one_line(lambda: planned(notebook.parent, {"01-one": {value: 1}}))
            assert one_line(lambda: planned(notebook.parent, {value: {}}))
        assert len(coercion.shown(value)) <= 301

    tried(for_each(large, check, 1000))


def planned(analysis: Path, requested: dict[Any, Any]) -> list[execution.Execution]:
    return execution.plan(analysis, analysis, requested=requested, common={}, inputs={})


@pytest.mark.parametrize("seeds", [1, "1", [0, 1], "0,1", "[0, 1]", "auto"])
@pytest.mark.promise("Seeds are a number, a list or a text, wherever they are given.")
def test_seeds_are_a_number_a_list_or_a_text(tmp_path: Path, seeds: Any) -> None:
    in_notebook = parameters.checked({"__annotations__": {"seeds": object}, "seeds": seeds}).seeds
    meant = {"1": (1,), "auto": None}.get(str(seeds), (0, 1))
    assert settings.load(tmp_path / "none", seeds=seeds).seeds == meant
    assert settings.load(tmp_path / "none", seeds=in_notebook).seeds == meant


AS_WRITTEN = "A number is what is written: `1:30` is not ninety and `010` not eight, as the first YAML had it."


@pytest.mark.parametrize("seeds", ["1:30", "190:20:30", "1:30.5", "!!int 1:30", "!!float 1:30", "[0, 1:30]"])
@pytest.mark.promise(AS_WRITTEN)
def test_times_are_no_numbers(tmp_path: Path, seeds: str) -> None:
    (tmp_path / "params.yml").write_text(f"seeds: {seeds}")
    assert "must be auto, or distinct whole numbers" in one_line(lambda: settings.load(tmp_path / "params.yml"))
    with pytest.raises(InputError, match="must be"):
        parameters.parsed(seeds, float | list[int], "p")


@pytest.mark.parametrize(("written", "meant"), [("010", 10), ("10", 10), ("0", 0), ("1_0", 10)])
@pytest.mark.promise(AS_WRITTEN)
def test_numbers_are_decimal(tmp_path: Path, written: str, meant: int) -> None:
    (tmp_path / "params.yml").write_text(f"seeds: {written}")
    assert settings.load(tmp_path / "params.yml").seeds == (meant,)
    assert parameters.parsed(written, int, "p") == parameters.parsed(written, float, "p") == meant


@pytest.mark.promise(AS_WRITTEN)
def test_group_of_digits_is_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "params.yml").write_text("group: 007")
    assert settings.load(tmp_path / "params.yml").group == "007"


@pytest.mark.parametrize("options", ["a: [", "date: 2020-99-99", "- a", "5", BOMBS["lists"]])
@pytest.mark.promise(VALUES)
def test_options_of_a_cell_are_read_or_refused(tmp_path: Path, options: str) -> None:
    cell = "\n".join(f"#| {line}" for line in options.splitlines())
    path = write_notebook(tmp_path / "01-one.ipynb", code(f"{cell}\n1"))
    assert "01-one.ipynb: a cell's options are no" in one_line(lambda: NotebookFile.read(path).cell("fig-x"))


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────

FILES = "A file that is none, or isn't what it should be, is ignored or named in one line, wherever it is read."


def spoiled(path: Path, how: str) -> None:
    """Put something else in a file's place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    SPOILED[how](path)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(40_000_000_000)


SPOILED: dict[str, Callable[[Path], Any]] = {
    "missing": lambda path: None,
    "pipe": os.mkfifo,
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "dangling": lambda path: path.symlink_to("nowhere"),
    "loop": lambda path: path.symlink_to(path.name),
    "folder": Path.mkdir,
    "sparse": _sparse,
    "empty": Path.touch,
    "Latin-1": lambda path: path.write_bytes(b"caf\xe9: [1]"),
    "NUL": lambda path: path.write_bytes(bytes(100)),
    "null": lambda path: path.write_text("null"),
    "list": lambda path: path.write_text("[1, 2]"),
    "mapping": lambda path: path.write_text('{"a": null, "cells": [{}], "metadata": 3, "book": [], "project": {}}'),
    "cells": lambda path: path.write_text('{"cells": [{"cell_type": "code", "source": 3}]}'),
    "nested": lambda path: path.write_text("[" * 100_000),
    "bomb": lambda path: path.write_text(BOMBS["lists"]),
    "open": lambda path: path.write_text('{"a": ['),
}


def computed(scratch: Path) -> Artifact:
    return Artifact({"a": np.ones(1)}, {})


class Places:
    """Files that are read, and what reads each of them; all in one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        write_book(root)
        shutil.copytree(root / "cache/notebooks", root / "analysis")
        self.store = Store(root / "store", Path(__file__).parents[1] / "faults")
        self.task = Task(
            name="a",
            kind="test",
            spec={},
            roots=("faults.forks:noted",),
            inputs={},
            compute=computed,
        )
        self.store.fetch(self.task)
        self.key = self.store.key(self.task)
        voc = root / "data/VOCdevkit/VOC2007"
        for name in ("ImageSets/Main/trainval.txt", "ImageSets/Main/test.txt", "JPEGImages/1.jpg", "Annotations/1.xml"):
            (voc / name).parent.mkdir(parents=True, exist_ok=True)
            (voc / name).write_text("1")

    def read(self) -> dict[str, Callable[[], Any]]:
        [plan] = planned(self.root / "analysis", {})
        return {
            "params.yml": lambda: settings.load(self.root / "params.yml"),
            "_quarto.yml": lambda: (embedded(self.root), Book.read(self.root)),
            "_variables.yml": lambda: Book.read(self.root),
            "references.bib": lambda: Book.read(self.root),
            "report/one.qmd": lambda: (embedded(self.root), Book.read(self.root)),
            "analysis/01-sample.ipynb": lambda: planned(self.root / "analysis", {}),
            "analysis/more.csv": lambda: planned(self.root / "analysis", {}),
            "cache/notebooks/01-sample.ipynb": lambda: plan.outdated,
            "data/VOCdevkit/VOC2007/ImageSets/Main/test.txt": self._fingerprint,
            "data/VOCdevkit/VOC2007/JPEGImages/1.jpg": self._fingerprint,
            "data/VOCdevkit/VOC2007/JPEGImages/2.jpg": self._fingerprint,
            "memory/fingerprints.json": self._fingerprint,
            "code/module.py": lambda: codehash.package(self.root / "code").code((), "from code.module import x; x"),
            f"store/artifacts/{self.key}/record.json": self._state,
            f"store/artifacts/{self.key}/meta.json": self._state,
            f"store/artifacts/{self.key}/arrays.npz": self._state,
            f"store/failures/{self.key}.json": self._state,
            f"store/checkpoints/{self.key}/progress.json": self._state,
        }

    def _fingerprint(self) -> None:
        root = files.locate("voc2007", self.root / "data")
        assert root
        files.fingerprint("voc2007", root, self.root / "memory")

    def _state(self) -> None:
        """Also where there is no entry, and notes are read."""
        Store(self.root / "store", self.store.package).state(self.task)
        Store(self.root / "store", self.store.package).state(Task(**vars(self.task) | {"spec": {"n": 1}}))
        list(Store(self.root / "store", self.store.package).entries())


@pytest.mark.promise(FILES)
def test_files_that_are_not_what_they_should_be(tmp_path: Path, tried: Tried) -> None:
    whole = Places(tmp_path / "whole")
    assert not [one_line(read) for name, read in whole.read().items() if one_line(read)]
    cases = st.tuples(st.sampled_from(sorted(whole.read())), st.sampled_from(sorted(SPOILED)))

    def check(case: tuple[str, str]) -> None:
        place, how = case
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(whole.root, copy)
        places = Places.__new__(Places)
        places.root, places.task, places.key = copy, whole.task, whole.key
        places.store = Store(copy / "store", whole.store.package)
        read = places.read()[place]
        spoiled(copy / place, how)
        line = one_line(read)
        assert not line or Path(place).name in line

    tried(for_each(cases, check, 1000))


NAMED = [  # what is spoiled, how, and a word of the line
    ("params.yml", "folder", "folder"),
    ("params.yml", "pipe", "pipe"),
    ("params.yml", "endless", "device"),
    ("params.yml", "dangling", "can't be read"),
    ("_quarto.yml", "missing", "can't be read"),
    ("_quarto.yml", "open", "not valid YAML"),
    ("_quarto.yml", "mapping", "book"),
    ("report/one.qmd", "missing", "aren't there"),
    ("report/one.qmd", "dangling", "aren't there"),
    ("analysis/01-sample.ipynb", "list", "is not a notebook"),
    ("analysis/01-sample.ipynb", "mapping", "is not a notebook"),
    ("analysis/01-sample.ipynb", "cells", "is not a notebook"),
    ("analysis/01-sample.ipynb", "nested", "not valid JSON"),
    ("data/VOCdevkit/VOC2007/JPEGImages/2.jpg", "pipe", "pipe"),
    ("data/VOCdevkit/VOC2007/JPEGImages/2.jpg", "endless", "device"),
    ("data/VOCdevkit/VOC2007/JPEGImages/2.jpg", "dangling", "can't be read"),
    ("data/VOCdevkit/VOC2007/ImageSets/Main/test.txt", "sparse", "too large"),
]


@pytest.mark.parametrize(("place", "how", "said"), NAMED)
@pytest.mark.promise(FILES)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, place: str, how: str, said: str) -> None:
    places = Places(tmp_path)
    read = places.read()[place]
    spoiled(tmp_path / place, how)
    line = one_line(read)
    assert Path(place).name in line
    assert said in line


@pytest.mark.promise(FILES)
def test_file_larger_than_any_of_a_project_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    for size, said in ((reading.MOST_BYTES + 1, f"{path} is too large"), (1000, "")):
        with path.open("wb") as file:
            file.truncate(size)
        assert one_line(lambda: reading.content(path)).startswith(said)


@pytest.mark.promise(FILES)
def test_data_in_any_encoding_may_lie_beside_notebooks(tmp_path: Path) -> None:
    places = Places(tmp_path)
    digests = {planned(tmp_path / "analysis", {})[0].digest}
    for content in (b"caf\xe9", b"caf\xe8"):
        (tmp_path / "analysis/latin.csv").write_bytes(content)
        digests |= {planned(tmp_path / "analysis", {})[0].digest}
    assert len(digests) == 3
    (tmp_path / "analysis/folder.json").mkdir()
    assert planned(places.root / "analysis", {})[0].digest in digests


@pytest.mark.parametrize("source", ["sigmas: list[float = 1", "sigmas: nonsense = 1", "x\0: int = 1", "((" * 300])
@pytest.mark.promise(FILES)
def test_parameters_that_cannot_be_read_name_their_notebook(tmp_path: Path, source: str) -> None:
    write_notebook(tmp_path / "analysis/01-one.ipynb", code(source, tags=("parameters",)))
    line = one_line(lambda: planned(tmp_path / "analysis", {"01-one": {"sigmas": 1}}))
    assert "01-one.ipynb, the cell of parameters: " in line


@pytest.mark.promise(FILES)
def test_parts_of_a_book_are_refused_by_name(tmp_path: Path) -> None:
    write_book(tmp_path)
    path = tmp_path / "_quarto.yml"
    path.write_text(path.read_text().replace("report/one.qmd,", "{part: One, chapters: [report/one.qmd]},"))
    for read in (embedded, Book.read):
        line = one_line(lambda read=read: read(tmp_path))
        assert str(path) in line
        assert "parts" in line


@pytest.mark.promise(FILES)
def test_a_record_without_its_parts_is_damage(tmp_path: Path) -> None:
    from autoencoders.store import entries

    places = Places(tmp_path)
    folder = tmp_path / "store/artifacts" / places.key
    record = entries.read_record(folder)
    for part in ("versions", "spec", "inputs", "manifest", "seconds", "created"):
        (folder / "record.json").write_bytes(entries.sealed({k: v for k, v in record.items() if k != part}))
        assert Store(tmp_path / "store", places.store.package).state(places.task).state == "corrupt"
    assert places.store.fetch(places.task).meta == {}


# ── Places ───────────────────────────────────────────────────────────────────────────────────────────────────────────

PLACES = "A project lies in any folder, and temporary files anywhere."
ODD = "100% 'Übung' %20 \"x\" #1 & {a} [b] <c>"


@pytest.mark.parametrize("name", ["My Project", ODD])
@pytest.mark.promise(PLACES)
def test_a_report_is_made_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    book = write_book(tmp_path / name)
    render(book)
    checks.check(book)


@pytest.mark.parametrize(("folder", "notebook"), [("x" * 100, "01-one"), (ODD, "n" * 200)])
@pytest.mark.promise(PLACES)
def test_notebooks_are_executed_wherever_temporary_files_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, notebook: str
) -> None:
    temporary = tmp_path / folder
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    write_notebook(temporary / f"analysis/{notebook}.ipynb", code("print(1)"))
    [plan] = execution.plan(temporary / "analysis", temporary / "out", requested={}, common={}, inputs={})
    execution.execute([plan], folder=temporary, environment={}, jobs=1, report=lambda line: None)
    assert not plan.outdated
    assert not list(temporary.glob("kernel-*"))


@pytest.mark.parametrize("setting", ["cache", "data_dir"])
@pytest.mark.promise(PLACES)
def test_a_folder_that_cannot_be_is_refused(tmp_path: Path, setting: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / ("x" * 256), "/" + "x/" * 3000, tmp_path / "loop/x"):
        assert one_line(lambda path=path: settings.load(tmp_path / "none", **{setting: path})).startswith(setting)


# ── Interruptions ────────────────────────────────────────────────────────────────────────────────────────────────────

INTERRUPTED = "An interruption is answered at once in one line, with exit code 130, and leaves nothing behind."


class Script:
    """Python code in a process group of its own, as a terminal starts a command."""

    def __init__(self, folder: Path, source: str, *arguments: str, **environment: str) -> None:
        script = folder / "script.py"
        script.write_text(textwrap.dedent(source))
        known = {"PYTHONPATH": str(PROJECT), "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | known | environment,
            start_new_session=True,
        )

    def interrupt(self, number: int = signal.SIGINT, *, group: bool = True) -> None:
        (os.killpg if group else os.kill)(self.process.pid, number)

    def ended(self) -> tuple[int, str]:
        _, stderr = self.process.communicate(timeout=GUARD)
        return self.process.returncode, stderr


def catches(process: int, number: int) -> bool:
    [mask] = re.findall(r"^SigCgt:\s*(\w+)", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    return bool(int(mask, 16) >> number - 1 & 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0, 0.02, 0.1])
@pytest.mark.promise(INTERRUPTED)
def test_an_interruption_while_a_command_starts(tmp_path: Path, number: int, delay: float) -> None:
    """From its first line on, before which Python itself starts."""
    process = subprocess.Popen(
        [sys.executable, "pipeline.py", "prune", "--cache", str(tmp_path)],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: catches(process.pid, signal.SIGTERM))
    time.sleep(delay)
    process.send_signal(number)
    assert process.communicate(timeout=GUARD)[1].endswith(f"{startup.LINE}\n")
    assert process.returncode == startup.INTERRUPTED


TIDYING = """
    import sys, threading, typer
    from autoencoders import commandline, startup
    startup.PATIENCE = float(sys.argv[1])
    def action():
        try:
            print("begun", flush=True)
            threading.Event().wait()
        finally:
            threading.Event().wait()
    startup.begin()
    try:
        commandline.with_exit_code(action)
    except typer.Exit as error:
        sys.exit(error.exit_code)
"""


@pytest.mark.parametrize(("patience", "times"), [("1e6", 2), ("1e6", 5), ("0.01", 1)])
@pytest.mark.promise(INTERRUPTED)
def test_a_second_interruption_or_time_ends_what_does_not_end(tmp_path: Path, patience: str, times: int) -> None:
    script = Script(tmp_path, TIDYING, patience)
    assert script.process.stdout
    assert script.process.stderr
    script.process.stdout.readline()
    script.interrupt()
    assert script.process.stderr.readline() == f"{startup.LINE}\n"
    for _ in range(times - 1):
        if script.process.poll() is None:
            script.interrupt()
    assert script.ended() == (startup.INTERRUPTED, "")


EXECUTING = """
    import sys, typer
    from pathlib import Path
    from autoencoders import commandline, startup
    from autoencoders.reporting import execution

    if __name__ == "__main__":
        startup.begin()
        startup.PATIENCE = 60.0
        root = Path(sys.argv[1])
        plans = execution.plan(root / "analysis", root / "out", requested={}, common={}, inputs={})
        try:
            commandline.with_exit_code(
                lambda: execution.execute(plans, folder=root, environment={}, jobs=1, report=print)
            )
        except typer.Exit as error:
            sys.exit(error.exit_code)
"""


@pytest.mark.parametrize(("number", "group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
@pytest.mark.promise(INTERRUPTED)
def test_an_interruption_ends_notebooks_with_their_kernels(tmp_path: Path, number: int, group: bool) -> None:
    """Those that wait are never begun."""
    for name in ("01-one", "02-two", "03-three"):
        source = "import os, time\nfrom pathlib import Path\nPath(f'begun-{os.getpid()}').touch()\ntime.sleep(1e6)"
        write_notebook(tmp_path / f"analysis/{name}.ipynb", code(source))
    script = Script(tmp_path, EXECUTING, str(tmp_path))
    until(lambda: list(tmp_path.glob("begun-*")))
    script.interrupt(number, group=group)
    assert script.ended() == (startup.INTERRUPTED, f"{startup.LINE}\n")
    [begun] = tmp_path.glob("begun-*")
    until(lambda: not Path("/proc", begun.name.removeprefix("begun-")).exists())
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(("kernel-", "tmp"))]


@pytest.mark.promise(INTERRUPTED)
def test_a_command_that_ignores_interruptions_goes_on_ignoring_them() -> None:
    """As `nohup` and a shell's background jobs have it."""
    source = "import signal; signal.signal(2, signal.SIG_IGN); from autoencoders import startup; startup.begin(); "
    done = subprocess.run(
        [sys.executable, "-c", source + "signal.raise_signal(2); print('on')"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "on\n")


# ── Consoles and environments ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.promise("A console that can't write a character gets another in its place.")
def test_any_console_is_written_to(encoding: str) -> None:
    source = (
        "import sys; from autoencoders import startup; startup.begin(); print('−σ', '−', file=sys.stderr); print('−σ')"
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        cwd=PROJECT,
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )
    assert (done.returncode, done.stdout) == (0, b"??\n")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The command line with nothing else."""
    (tmp_path / "autoencoders").mkdir()
    shutil.copy(PROJECT / "pipeline.py", tmp_path)
    for name in ("__init__.py", "importing.py", "startup.py"):
        shutil.copy(PROJECT / "autoencoders" / name, tmp_path / "autoencoders")
    return tmp_path


ENVIRONMENT = "Without its environment a command finds it, or says in one line what to type."


@pytest.mark.promise(ENVIRONMENT)
def test_a_missing_environment_is_told(bare: Path) -> None:
    done = subprocess.run([sys.executable, "-S", "pipeline.py", "status"], cwd=bare, capture_output=True, text=True)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert re.search(r"lacks .*typer.*`make setup`.*activate", line)


@pytest.mark.promise(ENVIRONMENT)
def test_the_environment_that_is_there_is_used(bare: Path) -> None:
    python = bare / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "found $*"\n')
    python.chmod(0o755)
    command = [sys.executable, "-S", str(bare / "pipeline.py"), "status", "--group", "G07"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"found {bare}/pipeline.py status --group G07\n")
