"""What is said to a person beside the results: one line at a time, on stderr."""

from __future__ import annotations

import sys

SCHEMA = 1  # the version of all machine-readable output


def log(line: str) -> None:
    """Print a line where it doesn't mix with results, which go to stdout."""
    print(line, file=sys.stderr)
