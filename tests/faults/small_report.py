"""A small report that is made as the true one is: executed, written, rendered, checked and packed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from reporting_sample import PARAMETERS, SVG, TABLE, VALUES, code, figure, markdown, table, write_book, write_notebook

SHOWN = f"""\
from IPython.display import SVG, Markdown

svg = {SVG!r}
rows = {TABLE!r} + f"\\n| limit | {{limit}} |"
"""


def written(folder: Path) -> None:
    """The chapters and a notebook that shows what they embed; nothing is made of them yet."""
    write_book(folder)
    for made in ("cache/notebooks/01-sample.ipynb", "_variables.yml"):
        (folder / made).unlink()
    (folder / "params.yml").write_text("group: G00\n", encoding="utf-8")
    write_notebook(
        folder / "analysis/01-sample.ipynb",
        markdown("# The sample\n\nWhat it does."),
        code(PARAMETERS, tags=("parameters",)),
        code(SHOWN),
        showing(figure("fig-curve"), "SVG(svg)"),
        showing(table("tbl-errors"), "Markdown(rows)"),
        showing(figure("fig-again"), "SVG(svg)"),
    )


def showing(cell: dict[str, Any], expression: str) -> dict[str, Any]:
    return cell | {"source": cell["source"].replace("show()", expression), "outputs": [], "execution_count": None}


def made(folder: Path, limit: int, *, in_this_process: bool, group: str = "G07") -> tuple[Path, ...]:
    """What `pipeline.py report` does when all is trained and measured. A limit changes the notebook and the values."""
    from autoencoders.profiles import PROFILES
    from autoencoders.reporting import execution, making
    from autoencoders.settings import Settings

    making.PROJECT = folder
    if in_this_process:
        execution._pool = ThreadPoolExecutor  # type: ignore[assignment,misc]
    lab: Any = SimpleNamespace(
        settings=Settings(group=group, notebooks={"01-sample": {"limit": limit}}),
        profile=PROFILES["smoke"],
        dataset="photos10",
        choices=[],
        catalogues=[],
        bench=SimpleNamespace(sources=(), carry_out=str),
        jobs=lambda tasks: 1,
        store=SimpleNamespace(key=str, looked_at_once=nullcontext),
        plan=list,
        experiments=list,
        measurements=lambda names=None: [],
    )
    values = VALUES | {"error": f"0.{limit}", "group": group, "claims": ""}
    return making.hand_in(making.Manuscript(root=folder, labs=(lab,), facts=lambda: values), "pandoc")


def content(folder: Path) -> dict[str, bytes]:
    """All that lies in its folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
