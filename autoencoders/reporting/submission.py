"""What is handed in: the PDF, and a zip with the executed notebooks and all that they need. Same inputs, same bytes."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from autoencoders import reading
from autoencoders.errors import ReportError
from autoencoders.reporting import citation, traces
from autoencoders.reporting.book import Book
from autoencoders.reporting.execution import INJECTED, Execution
from autoencoders.reporting.folder import write_if_changed
from autoencoders.settings import Settings, as_yaml

FILES = (
    "CITATION.cff",
    "LICENSE",
    "README.md",
    "Makefile",
    "_quarto.yml",
    "environment.yml",
    "index.qmd",
    "params.yml",
    "pipeline.py",
    "pyproject.toml",
    "references.bib",
    "requirements.txt",
)
FOLDERS = ("autoencoders", "benchmarks", "docs", "report")
GENERATED = ("cache", "_variables.yml", "_quarto.yml.local", "site_libs")  # below the studies' book
LITTER = re.compile(r"report/(.*_files/.*|.*\.html|.*\.pdf|(studies/)?[^/]*\.typ)")  # of a render that failed
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say


def pack(book: Book, executions: list[Execution], settings: Settings) -> tuple[Path, Path]:
    """The PDF and the zip, in `submission/`; the zip's `params.yml` says these settings."""
    if not book.pdf.exists():
        raise ReportError(f"{book.pdf.name} is not made yet: `python pipeline.py report` makes it")
    if outdated := [each.name for each in executions if each.outdated]:
        raise ReportError(
            f"notebooks are not up to date: {', '.join(outdated)}; `python pipeline.py report` executes them"
        )
    group = settings.group
    folder = book.root / "submission"
    stem = f"{group}_Assignment2_Code"
    content = dict(_project(book.root)) | {f"analysis/{e.source.name}": _notebook(e) for e in executions}
    content["params.yml"] = as_yaml(content.get("params.yml", b"").decode(), settings).encode()
    content["README.md"] = content.get("README.md", b"") + f"\n{citation.as_markdown(book)}".encode()
    traces.check(content, book.root, settings)
    made = {
        folder / f"{group}_Assignment2_Report.pdf": book.pdf.read_bytes(),
        folder / f"{stem}.zip": _zipped({f"{stem}/{name}": raw for name, raw in content.items()}),
    }
    for path, raw in made.items():
        write_if_changed(path, raw)  # beside whatever else lies there
    pdf, code = made
    return pdf, code


def _project(root: Path) -> Iterator[tuple[str, bytes]]:
    paths = [root / name for name in FILES if (root / name).exists()]
    paths += [path for path in (root / "analysis").iterdir() if path.is_file()]  # the report's notebooks come executed
    paths += [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    for path in paths:
        name = path.relative_to(root)
        hidden = any(part.startswith((".", "__pycache__", *GENERATED)) for part in name.parts)
        if not hidden and not LITTER.fullmatch(name.as_posix()):
            yield name.as_posix(), reading.content(path)


def _notebook(execution: Execution) -> bytes:
    """The executed notebook with the cells as they were written: what the report adds to captions is not their own."""
    executed = json.loads(execution.target.read_text(encoding="utf-8"))
    written = iter(json.loads(execution.source.read_text(encoding="utf-8"))["cells"])
    for cell in executed["cells"]:
        if INJECTED not in cell["metadata"].get("tags", ()):
            cell["source"] = next(c for c in written if INJECTED not in c["metadata"].get("tags", ()))["source"]
    return (json.dumps(executed, indent=1, ensure_ascii=False) + "\n").encode()


def _zipped(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, raw in sorted(content.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, raw, compresslevel=9)
    return buffer.getvalue()
