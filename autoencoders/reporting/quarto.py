"""Quarto, where it can be had: found, installed into the environment if need be, and run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autoencoders.console import log
from autoencoders.errors import ReportError

MINIMUM = (1, 9)  # the first whose books can be set by Typst
NEEDED = ".".join(map(str, MINIMUM))
WHERE = "https://quarto.org/docs/download has it"
PATIENCE = 240  # seconds for an installation: a download of about 130 MB
FOR_WIDGETS = re.compile(
    r'<script[^>]* src="https://[^"]*/(?:requirejs|jquery)@[^>]*></script>'
    r"|<script[^>]*>define\('jquery'.*?</script>"
)
REMEMBERED = Path("cache/quarto-cli.txt")  # why an installation failed, so that it is tried once


@dataclass(frozen=True)
class Quarto:
    executable: str
    version: str

    @property
    def name(self) -> str:
        return f"Quarto {self.version}"

    @property
    def recent_enough(self) -> bool:
        return tuple(int(part) for part in re.findall(r"\d+", self.version)[:2]) >= MINIMUM

    @property
    def trouble(self) -> str:
        return f"{self.name} is too old, {NEEDED} is needed"


def find() -> Quarto | None:
    """This environment's own before the one on the PATH."""
    beside = str(Path(sys.executable).parent)
    executable = shutil.which("quarto", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if not executable:
        return None
    try:
        done = subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return Quarto(executable, found[0]) if found and done.returncode == 0 else None


def calling() -> Quarto | None:
    """The Quarto in whose pre-render step we are, refused if it is too old: it would look only after all the work."""
    version = Path(os.environ.get("QUARTO_SHARE_PATH", os.devnull), "version")
    if not version.is_file():
        return None
    caller = Quarto("quarto", version.read_text(encoding="utf-8").strip())
    if not caller.recent_enough:
        raise ReportError(f"{caller.trouble}. {WHERE}")
    return caller


def obtain(root: Path, *, insist: bool = False) -> Quarto | None:
    """Quarto, installed into this environment if it isn't there; None where it can't be had, which is said in one
    line and remembered. Whoever insists gets another attempt, and an error."""
    found = find()
    if found and found.recent_enough:
        return found
    trouble = found.trouble if found else "Quarto is not installed"
    memory = root / REMEMBERED
    if insist or not memory.exists():
        log(
            f"{trouble}: installing the quarto-cli package into this environment (once, up to {PATIENCE // 60} minutes)"
        )
        reason = _install(f"quarto-cli>={NEEDED}")
        found = find()
        if not reason and found and found.recent_enough:
            memory.unlink(missing_ok=True)
            return found
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(
            f"{time.strftime('%Y-%m-%d')}: {reason or 'installed, but it does not run'}\n", encoding="utf-8"
        )
    why = memory.read_text(encoding="utf-8").strip()
    if insist:
        raise ReportError(f"{trouble}, and installing it failed: {why}. {WHERE}")
    log(f"{trouble} and can't be had here ({why}): Pandoc and Typst make the report instead")
    return None


def _install(package: str) -> str:
    """What went wrong, or nothing. Without retries: this is a convenience, and a machine without network must go on."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=0"]
    try:
        done = subprocess.run(
            [*command, "--timeout=15", package], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end after {PATIENCE} s"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")] or lines
    return (
        "" if done.returncode == 0 else (errors[-1] if errors else f"pip ended with exit code {done.returncode}")[:200]
    )


def drop_libraries(site: Path) -> None:
    """Quarto loads require.js and jQuery from the network into each page that shows HTML from a notebook, in case it is
    a widget; ours needs neither."""
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        if (kept := FOR_WIDGETS.sub("", page)) != page:
            path.write_text(kept, encoding="utf-8")


def render(quarto: Quarto, root: Path, environment: Mapping[str, str]) -> None:
    """`quarto render`, in whose pre-render step `python` is this Python and the run's settings are in force. It takes
    nothing away before: it would take all."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [quarto.executable, "render", "--no-clean"],
        cwd=root,
        env=os.environ | dict(environment) | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        end = "\n".join(f"    {line}" for line in done.stdout.rstrip().splitlines()[-25:])
        raise ReportError(f"{quarto.name} failed:\n{end}")
