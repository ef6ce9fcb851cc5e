"""A pipeline as inline SVG: a column for each kind of node, a row for each subject; every node is a link."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CHARACTER = 6.7  # pixels: a monospaced font of size 11 makes widths predictable
HEIGHT, GAP, CHANNEL = 28, 7, 64  # of a node, between rows, between columns
MARGIN = 4
SHAPES = {  # of the mark at a node's left, so that states differ without colours, too
    "missing": '<circle r="4.2" class="open"/>',
    "unchecked": '<circle r="4.2" class="open"/>',
    "stale": '<path d="M0-5L5 4H-5z"/>',
    "partial": '<circle r="4.2" class="open"/><path d="M0-4.2A4.2 4.2 0 0 1 0 4.2z"/>',
    "corrupt": '<path class="open" d="M-4-4L4 4M4-4L-4 4"/>',
    "failed": '<path d="M-4.5-4.5H4.5V4.5H-4.5z"/>',
}
SOUND = '<circle r="4.2"/>'


@dataclass(frozen=True)
class Node:
    id: str
    column: int
    text: str
    state: str
    link: str
    row: int | None = None  # none: spread evenly over the height

    @property
    def line(self) -> str:
        return f"{self.text} · {self.state}"


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.y + HEIGHT / 2


def placed(nodes: Sequence[Node]) -> dict[str, Box]:
    columns = {c: [node for node in nodes if node.column == c] for c in sorted({node.column for node in nodes})}
    rows = max([node.row + 1 for node in nodes if node.row is not None] + [len(each) for each in columns.values()])
    boxes = {}
    x = float(MARGIN)
    for members in columns.values():
        width = max(len(node.line) for node in members) * CHARACTER + 34
        for position, node in enumerate(members):
            row = (position + 0.5) * rows / len(members) - 0.5 if node.row is None else node.row
            boxes[node.id] = Box(x, MARGIN + row * (HEIGHT + GAP), width)
        x += width + CHANNEL
    return boxes


def drawn(nodes: Sequence[Node], edges: Iterable[tuple[str, str]]) -> str:
    boxes = placed(nodes)
    width = max(box.x + box.width for box in boxes.values()) + MARGIN
    height = max(box.y for box in boxes.values()) + HEIGHT + MARGIN
    columns = {node.id: node.column for node in nodes}
    lines = "".join(_edge(boxes[a], boxes[b], far=columns[b] - columns[a] > 1) for a, b in edges)
    links = "".join(_node(node, boxes[node.id]) for node in nodes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="group" aria-label="From data to the report">'
        f'<g class="edges" aria-hidden="true">{lines}</g>{links}</svg>'
    )


def _edge(a: Box, b: Box, far: bool) -> str:
    """A far one passes behind what is between, and is drawn more faintly."""
    x, y, u, v = a.x + a.width, a.middle, b.x, b.middle
    bend = max(CHANNEL / 2, min(CHANNEL, (u - x) / 2))
    kind = ' class="far"' if far else ""
    return f'<path{kind} d="M{x:.1f} {y:.1f}C{x + bend:.1f} {y:.1f} {u - bend:.1f} {v:.1f} {u:.1f} {v:.1f}"/>'


def _node(node: Node, box: Box) -> str:
    text = f'{html.escape(node.text)}<tspan class="said"> · {node.state}</tspan>'
    mark = SHAPES.get(node.state, SOUND)
    return (
        f'<a href="{html.escape(node.link)}" class="node {node.state}" '
        f'data-id="{html.escape(node.id)}" aria-label="{html.escape(f"{node.line} ({node.id})")}">'
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{HEIGHT}" rx="5"/>'
        f'<g class="mark" transform="translate({box.x + 13:.1f} {box.middle:.1f})">{mark}</g>'
        f'<text x="{box.x + 24:.1f}" y="{box.middle + 4:.1f}">{text}</text></a>'
    )
