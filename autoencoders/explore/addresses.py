"""Where on the rendered site each figure and table is, whichever renderer put it there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LABEL = re.compile(r'\bid="((?:fig|tbl)-[\w-]+)"')
FROM_HERE = "../"  # these pages lie in a folder of their own


@dataclass(frozen=True)
class Addresses:
    """By label, as links from one of these pages."""

    chapters: dict[str, str]  # where the report shows it
    notebooks: dict[str, str]  # the cell that made it

    @classmethod
    def of(cls, site: Path) -> Addresses:
        found = cls({}, {})
        for path in sorted(site.rglob("*.html")):
            inside = path.relative_to(site)
            if inside.parts[0] == "explore":
                continue
            holders = found.notebooks if "notebooks" in inside.parts else found.chapters
            for label in LABEL.findall(path.read_text(encoding="utf-8")):
                holders.setdefault(label, f"{FROM_HERE}{inside.as_posix()}#{label}")
        return found
