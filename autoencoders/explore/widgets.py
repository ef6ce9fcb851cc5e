"""Pages to explore in the chapters: where a chapter links to one as a widget, a script puts the page itself."""

from __future__ import annotations

from autoencoders.explore.pages import FOLDER, asset
from autoencoders.reporting.folder import Folder

FILES = ("widgets.css", "widgets.js")
MARK = 'class="widget'  # of a chapter's link: `[Add noise](../explore/noise.html){.widget}`


def add_widgets(folder: Folder) -> None:
    """Give each page with such a link, whichever renderer made it, the script; it may have it already."""
    for name in FILES:
        folder.put(f"{FOLDER}/{name}", asset(name))
    for path in sorted(path for path in folder.files if path.suffix == ".html"):
        name, text = path.relative_to(folder.path).as_posix(), path.read_text(encoding="utf-8")
        if MARK in text and FILES[1] not in text:
            base = f"{'../' * name.count('/')}{FOLDER}/"
            head = f'<link rel="stylesheet" href="{base}{FILES[0]}">\n<script src="{base}{FILES[1]}" defer></script>\n'
            folder.put(name, text.replace("</head>", f"{head}</head>", 1))
