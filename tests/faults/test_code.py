"""The code that ran is the code of the key: whatever is edited meanwhile, and whatever bytecode lies about."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autoencoders.settings import PROJECT

SAME = "A result is kept under a key only if the code that the key names is the code that ran, edits meanwhile or not."

# In a process of its own: what is computed needs a module that is imported late; `moment` says when that is edited.
COMPUTE = """
import sys
from pathlib import Path
from autoencoders.store import Artifact, Store, Task
from autoencoders.errors import InputError

moment, late = sys.argv[1], Path("autoencoders/late.py")
original = late.read_text()

def edit(when):
    if when == moment:
        late.write_text("VALUE = 2\\n")

def undo(when):
    if when == moment:
        late.write_text(original)

def value():
    from autoencoders import late
    return late.VALUE

def needed(scratch):
    edit("inside what it needs")
    value() if moment == "inside what it needs" else None
    undo("inside what it needs")
    edit("inside what it needs, and left")
    return Artifact({}, {})

def computed(scratch, other):
    edit("inside")
    found = value()
    undo("inside")
    edit("once it is imported")
    return Artifact({}, {"value": found})

edit("before the store")
if moment == "before the store":
    value()
undo("before the store")
store = Store(Path("cache"))
inner = Task(name="inner", kind="x", spec={}, roots=("autoencoders.jsonable:flattened",), inputs={}, compute=needed)
outer = Task(
    name="outer", kind="x", spec={}, roots=("autoencoders.late:VALUE",), inputs={"other": inner}, compute=computed
)
known = store.key(outer)
try:
    print(store.fetch(outer).meta["value"], known == store.key(outer))
except InputError as error:
    print("refused:", error)
late.write_text(original)
print(store.contains(outer))
"""


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the package with a module more."""
    shutil.copytree(PROJECT / "autoencoders", tmp_path / "autoencoders", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "autoencoders/late.py").write_text("VALUE = 1\n")
    return tmp_path


def said(folder: Path, script: str, *arguments: str) -> list[str]:
    """What a new process says there; it keeps its bytecode, as people's do."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.promise(SAME)
@pytest.mark.parametrize(
    "moment", ["before the store", "inside what it needs", "inside what it needs, and left", "inside"]
)
def test_what_edited_code_computed_is_never_kept_under_the_key_of_the_unedited(copied: Path, moment: str) -> None:
    refused, kept = said(copied, COMPUTE, moment)
    assert refused == "refused: the code that outer reaches was edited while this ran: start again"
    assert kept == "False"
    assert said(copied, COMPUTE, "never") == ["1 True", "True"]


@pytest.mark.promise(SAME)
def test_edit_of_what_is_imported_already_costs_no_result(copied: Path) -> None:
    """What ran is what the key says."""
    assert said(copied, COMPUTE, "once it is imported") == ["1 False", "True"]


SHOW = "from autoencoders import late; print(late.VALUE, late.__spec__.cached)"


@pytest.mark.promise(SAME)
def test_bytecode_never_outlives_its_source(copied: Path) -> None:
    """Archives carry the times of their making: two versions of a file may agree in time and size."""
    late = copied / "autoencoders/late.py"
    for number in (1, 2, 1, 3):
        late.write_text(f"VALUE = {number}\n")
        os.utime(late, (315_532_800, 315_532_800))
        assert said(copied, SHOW)[0].split()[0] == str(number)


@pytest.mark.promise(SAME)
def test_bytecode_that_others_compiled_is_not_trusted(copied: Path) -> None:
    late = copied / "autoencoders/late.py"
    os.utime(late, (315_532_800, 315_532_800))
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(late)], check=True)
    late.write_text("VALUE = 2\n")
    os.utime(late, (315_532_800, 315_532_800))
    assert said(copied, SHOW)[0].split()[0] == "2"


@pytest.mark.promise(SAME)
def test_bytecode_is_used_where_it_is_of_this_source(copied: Path) -> None:
    """However often the file is written anew: start-up takes no longer than without the check."""
    [first] = said(copied, SHOW)
    cached = Path(first.split()[1])
    before = cached.stat().st_mtime_ns, cached.stat().st_ino
    (copied / "autoencoders/late.py").write_text("VALUE = 1\n")
    assert said(copied, SHOW) == [first]
    assert (cached.stat().st_mtime_ns, cached.stat().st_ino) == before
