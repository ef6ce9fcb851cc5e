"""Property-based testing as this suite does it: the same examples for the same code, as many as there is time for."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoencoders.errors import InputError

# What means something to a shell, to YAML, Markdown, Quarto, Typst, HTML, XML, JSON, a terminal or a file system
TROUBLE = (
    *"\"'\\`#$*_~^|<>[]{}()@&;:!?%=+-,./ \0\n\r\t\x1b\x7f\x85\u2028\u202e\u200d\ufeff",
    *("../", "..\\", "/etc/passwd", "C:\\", "~root", "$(id)", "`id`", "; id", "&& id", "--help", "${group}", "%PATH%"),
    *("{{< include /params.yml >}}", "{{< var group >}}", ">}}", "<script>alert(1)</script>", "</dd>", '" onload="x'),
    *(
        "&lt;b&gt;",
        "&#60;",
        "]]>",
        "<!--",
        "-->",
        "\n---\n",
        ": ",
        "- ",
        "1. ",
        "# ",
        "> ",
        "| a |",
        "![a](b)",
        "[a](b)",
    ),
    *("@fig-x", "[^1]", "$x$", "#let x = 1", '")', "\\u{41}", "\\n", "null", "no", "007", "1e3", "0x1F", "2020-99-99"),
    *("!!python/object/apply:os.system [id]", "&a [*a]", "__import__('os')", "%%{init: {}}%%", '"];', "<br>"),
    *("é", "Žofie", "李", "שלום", "مرحبا", "🦆", "👩\u200d🔬", "ﬁ", "İ"),
)
THOROUGH = os.environ.get("FAULTS") == "thorough"
hostile = st.lists(st.sampled_from(TROUBLE) | st.text(max_size=5), max_size=7).map("".join)


def for_each(values: st.SearchStrategy[Any], check: Callable[[Any], None], cases: int) -> int:
    """Checks so many values (a twenty-fifth of them in `make test`), and tells how many there were."""
    seen = 0

    @settings(
        max_examples=cases if THOROUGH else max(20, cases // 25),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(values)
    def each(value: Any) -> None:
        nonlocal seen
        seen += 1
        check(value)

    each()
    return seen


def told(action: Callable[[], Any], kind: type[Exception] = InputError) -> tuple[Any, str]:
    """What comes of it; or nothing, and the one line that says why."""
    try:
        return action(), ""
    except kind as error:
        [line] = str(error).splitlines()
        return None, line
