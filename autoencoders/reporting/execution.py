"""Executing notebooks with papermill: in parallel processes, and only those whose inputs changed."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

from autoencoders import parameters, reading
from autoencoders.coercion import listed
from autoencoders.errors import InputError, ReportError
from autoencoders.reporting.notebook_files import Cell, NotebookFile
from autoencoders.running import processes
from autoencoders.running.cells import PASSING
from autoencoders.store.files import NO_ROOM

METADATA = "autoencoders"  # where an executed notebook remembers its inputs
KERNEL = "autoencoders-report"
MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)  # commands of IPython
INJECTED = "injected-parameters"  # papermill's tag
TRACEBACK_LINES = 12
LONGEST_SOCKET = 103  # bytes of a path, on macOS; Linux has 107


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One notebook with everything that its figures depend on."""

    source: Path
    target: Path
    parameters: dict[str, Any]
    digest: str
    notice: str = ""  # what each caption must say beside what it says

    @property
    def name(self) -> str:
        return self.source.stem

    @property
    def failed(self) -> Path:
        """Where an attempt that failed is kept."""
        return self.target.with_suffix(".failed.ipynb")

    @property
    def outdated(self) -> bool:
        """Whether its inputs changed since it was executed, or anything in it."""
        try:
            executed = reading.parsed_json(self.target)
            return executed["metadata"][METADATA] != self.seal(executed["cells"])
        except (InputError, KeyError, TypeError):
            return True

    def seal(self, cells: list[Any]) -> dict[str, str]:
        """What an executed notebook with these cells says of itself."""
        return {"inputs": self.digest, "cells": _digest(cells)}


def plan(
    analysis: Path,
    executed: Path,
    *,
    names: Collection[str] | None = None,
    requested: Mapping[str, Mapping[str, Any]],
    common: Mapping[str, Any],
    inputs: Mapping[str, str],
    code: Callable[[str], str] = lambda used: "",
    notices: Mapping[str, str] | None = None,
) -> list[Execution]:
    """A folder's notebooks, or those of such names. ``requested`` are their own parameters, by the notebook's name, and
    must be declared; ``common`` ones reach the notebooks that declare them; ``inputs`` (artifacts, data) all of them;
    ``code`` is a digest of what a notebook's code uses; ``notices`` is what the captions of each say beside what they
    say."""
    found = {path.stem: NotebookFile.read(path) for path in sorted(analysis.glob("*.ipynb"))}
    if unknown := [name for name in requested if name not in found]:
        raise InputError(f"notebooks: none is called {listed(unknown)}; there are: {', '.join(found)}")
    beside = {path.name: hashlib.sha256(reading.content(path)).hexdigest() for path in _data(analysis)}
    executions = []
    for name, notebook in found.items():
        if names is not None and name not in names:
            continue
        values = {k: v for k, v in common.items() if k in notebook.parameters} | _checked(
            notebook, requested.get(name, {})
        )
        sources = [(cell.kind, cell.source, cell.tags) for cell in notebook.cells if INJECTED not in cell.tags]
        notice = (notices or {}).get(name, "")
        used = code(_code(notebook))
        digest = _digest([sources, sorted(values.items()), sorted(inputs.items()), used, notice, beside])
        target = executed / f"{name}.ipynb"
        executions.append(
            Execution(source=notebook.path, target=target, parameters=values, digest=digest, notice=notice)
        )
    return executions


def _data(analysis: Path) -> list[Path]:
    """The files beside the notebooks, which they may read."""
    return [
        path for path in sorted(analysis.iterdir()) if path.suffix in (".yml", ".json", ".csv") and not path.is_dir()
    ]


def _checked(notebook: NotebookFile, values: Mapping[str, Any]) -> dict[str, Any]:
    """Its own parameters in the types that it declares, so that a mistake is reported before a kernel starts."""
    declared = notebook.parameters
    if unknown := [name for name in values if name not in declared]:
        raise InputError(
            f"notebook {notebook.name} has no parameter {listed(unknown)}; there are: {', '.join(declared)}"
        )
    return {
        name: parameters.parsed(value, _type(notebook, name), f"{name} of notebook {notebook.name}")
        for name, value in values.items()
    }


def _type(notebook: NotebookFile, name: str) -> Any:
    annotation = notebook.parameters[name]
    try:
        return eval(annotation, {})
    except Exception as error:
        raise InputError(f"{notebook.path}, the cell of parameters: {name} is no {annotation}: {error}") from None


def _code(notebook: NotebookFile) -> str:
    """The Python of its cells; a cell in another language, or with a mistake that its kernel will tell of, has none."""
    cells = (MAGIC.sub("", cell.source) for cell in notebook.cells if cell.kind == "code")
    return "\n".join(cell for cell in cells if _is_python(cell))


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def execute(
    executions: list[Execution],
    *,
    folder: Path,
    environment: Mapping[str, str],
    jobs: int,
    report: Callable[[str], None],
) -> None:
    """Run the notebooks side by side in ``folder``; all of them are tried, then what failed is raised as one error."""
    if not executions:
        return
    jobs = max(1, min(jobs, len(executions)))
    threads = str(max(1, (os.cpu_count() or 1) // jobs))  # kernels side by side must not each take all cores
    failures = []
    surroundings = {"OMP_NUM_THREADS": threads} | dict(environment)
    with _kernel() as scratch, _pool(jobs) as pool:
        with processes.shielded():
            running = {
                pool.submit(_execute, each, folder, surroundings, scratch, scratch / str(number)): each
                for number, each in enumerate(executions)
            }
        for future in as_completed(running):
            seconds, failure = future.result()
            failures += [failure] if failure else []
            report(f"notebook {running[future].name}: {'failed' if failure else 'executed'} in {seconds:.0f} s")
    if failures:
        raise ReportError("\n".join(failures))


def forget_failures(executions: Iterable[Execution]) -> None:
    """Drop what attempts left that failed before the notebook was mended, be it by undoing an edit."""
    for each in executions:
        if not each.outdated:
            each.failed.unlink(missing_ok=True)


@contextmanager
def _pool(jobs: int) -> Iterator[Executor]:
    """Processes that end with this one, or when it is interrupted, and their kernels with them."""
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, context, processes.exit_with_parent, (os.getpid(),)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.kill(active_children())
            raise


@contextmanager
def _kernel() -> Iterator[Path]:
    """A folder for Jupyter in which `KERNEL` is this very Python: one that someone registered for all environments
    would otherwise come first. It also holds sockets, whose paths can't be long."""
    short = len(os.fsencode(tempfile.gettempdir())) <= LONGEST_SOCKET - 40
    with tempfile.TemporaryDirectory(prefix="kernel-", dir=None if short or os.name != "posix" else "/tmp") as folder:
        spec = Path(folder) / "kernels" / KERNEL / "kernel.json"
        spec.parent.mkdir(parents=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]
        spec.write_text(json.dumps({"argv": command, "display_name": KERNEL, "language": "python"}))
        yield Path(folder)


def _execute(
    execution: Execution, folder: Path, environment: Mapping[str, str], scratch: Path, socket: Path
) -> tuple[float, str | None]:
    """In a process of its own: the seconds it took, and what went wrong."""
    os.environ.update(environment)
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(scratch), os.environ.get("JUPYTER_PATH")]))
    os.environ["IPYTHONDIR"] = str(scratch / "ipython")  # a person's own start-up files take no part
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError

    started = time.monotonic()
    execution.target.parent.mkdir(parents=True, exist_ok=True)
    partial = execution.target.with_suffix(".partial.ipynb")  # one killed here is in the next one's way, and goes
    try:
        papermill.execute_notebook(
            _fresh(nbformat.read(execution.source, as_version=4)),
            _literal(partial),
            execution.parameters,
            kernel_name=KERNEL,
            config=_transport(socket),
            language="python",
            cwd=str(folder),
            progress_bar=False,
        )
        notebook = _finished(nbformat.read(partial, as_version=4), execution)
        nbformat.write(notebook, partial)
        os.replace(partial, execution.target)
    except PapermillExecutionError as error:
        os.replace(partial, execution.failed)
        return time.monotonic() - started, _explained(execution, error)
    except Exception as error:  # a kernel that doesn't start, a file that is no notebook
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        cause = " ".join(str(error).split())[:300]
        return time.monotonic() - started, f"{execution.source} can't be executed: {type(error).__name__}: {cause}"
    finally:
        partial.unlink(missing_ok=True)
    return time.monotonic() - started, None


def _literal(path: Path) -> str:
    """For papermill, which fills parameters into paths."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _transport(socket: Path) -> Any:
    """Sockets in the file system: kernels that start at once would now and then choose the same TCP port. Jupyter would
    put its file beside other temporary ones, and leave it there where it is killed."""
    from traitlets.config import Config

    sockets = {"transport": "ipc", "ip": str(socket)} if os.name == "posix" else {}
    return Config({"KernelManager": {"connection_file": f"{socket}.json", **sockets}})


def _fresh(notebook: Any) -> Any:
    """Without the parameters of an earlier execution, which a submitted notebook still shows."""
    notebook.cells = [cell for cell in notebook.cells if INJECTED not in cell.metadata.get("tags", ())]
    return notebook


def _finished(notebook: Any, execution: Execution) -> Any:
    """Without what differs from run to run or names this machine; with the notice in captions, and sealed."""
    import nbformat

    notebook.metadata.pop("papermill", None)
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if not PASSING.items() <= output.get("metadata", {}).items()
            ]
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        cell["id"] = f"cell-{number}"
        if execution.notice and cell.cell_type == "code":
            cell.source = with_notice(Cell("code", cell.source), execution.notice)
    written = json.loads(nbformat.writes(notebook))  # as the file will hold it
    notebook.metadata[METADATA] = execution.seal(written["cells"])
    return notebook


def with_notice(cell: Cell, notice: str) -> str:
    """The cell's source, its captions saying also ``notice``."""
    captions = {name: f"{cell.options[name]} {notice}" for name in ("fig-cap", "tbl-cap") if name in cell.options}
    if not captions:
        return cell.source
    options = cell.options | captions
    lines = [f"#| {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in options.items()]  # JSON is YAML
    return "\n".join([*lines, cell.code])


def _explained(execution: Execution, error: Any) -> str:
    """The notebook, the cell, and the end of the traceback."""
    cell = Cell("code", error.source)
    where = f"cell {cell.label}" if cell.label else f"cell {error.cell_index + 1}"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback)).rstrip().splitlines()
    return "\n".join(
        [
            f"{execution.source.parent.name}/{execution.source.name}, {where}: {error.ename}: {error.evalue}",
            *(f"    {line}" for line in plain[-TRACEBACK_LINES:]),
            f"    what it made until there: {execution.failed}",
        ]
    )
