"""What a reader sees of a figure, a table or a reference where the text refers to it: by either renderer's pages."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable
from html import escape
from html.parser import HTMLParser

TARGET = re.compile(r"(?:fig|tbl|ref)-[\w-]+")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LEFT_OUT = {"script", "button", "style", "iframe"}  # with what is inside
ADDRESSES = {"src", "href", "srcset"}
LONGEST = 30_000  # characters: who refers to a table of more than that means the page


def script_of(pages: Iterable[tuple[str, str]]) -> str:
    """A script with the HTML of whatever can be referred to, by label; ``pages`` are addresses and their HTML."""
    found: dict[str, str] = {}
    for address, text in pages:
        finder = _Finder(address)
        finder.feed(text)
        found = {label: "".join(parts) for label, parts in finder.found.items()} | found
    short = {label: markup for label, markup in found.items() if len(markup) <= LONGEST}
    content = json.dumps(short, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f"window.previewed = {content};\n"


class _Finder(HTMLParser):
    """Collects labelled elements whole, without their ids; what they load is addressed from the site's root."""

    def __init__(self, address: str) -> None:
        super().__init__(convert_charrefs=False)
        self.folder = posixpath.dirname(address)
        self.found: dict[str, list[str]] = {}
        self.parts: list[str] | None = None  # of the element that is being collected
        self.depth = self.ignored = 0  # of open elements in it; of those that are left out

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        label = dict(attrs).get("id") or ""
        if self.parts is None and TARGET.fullmatch(label) and label not in self.found:
            self.parts = self.found[label] = []
            self.depth = self.ignored = 0
        if self.parts is None:
            return
        self.depth += tag not in VOID
        if self.ignored or tag in LEFT_OUT:
            self.ignored += tag not in VOID
        else:
            self.parts.append(f"<{tag}{''.join(map(self._attribute, attrs))}>")

    def _attribute(self, attribute: tuple[str, str | None]) -> str:
        name, value = attribute
        if name in ("id", "tabindex") or name.startswith("on"):
            return ""
        if name in ADDRESSES and value and not re.match(r"\w+:|#|/", value):
            value = posixpath.normpath(posixpath.join(self.folder, value))
        return f' {name}="{escape(value or "")}"'

    def handle_endtag(self, tag: str) -> None:
        if self.parts is None or tag in VOID:
            return
        self.depth -= 1
        if self.ignored:
            self.ignored -= 1
        else:
            self.parts.append(f"</{tag}>")
        if self.depth <= 0:
            self.parts = None

    def handle_data(self, data: str) -> None:
        if self.parts is not None and not self.ignored:
            self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")
