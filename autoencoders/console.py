"""What is said beside the results, and how results are said to programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from autoencoders.jsonable import finite

SCHEMA = 1  # the version of all machine-readable output


def log(line: str) -> None:
    """Print a line for a person where it doesn't mix with results, which go to stdout."""
    print(line, file=sys.stderr)


def print_json(head: Mapping[str, Any], **payload: Any) -> None:
    """Print the one envelope of all machine-readable output; NaN and infinities become null, as JSON knows neither."""
    print(json.dumps(finite({"schema": SCHEMA, **head, **payload}), allow_nan=False, indent=1))
