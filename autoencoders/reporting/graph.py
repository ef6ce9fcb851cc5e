"""A pipeline as SVG: a column for each kind of node, a row for each subject."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from autoencoders.lab import Lab
from autoencoders.reporting.templates import fill

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
    state: str = ""
    link: str = ""
    row: int | None = None  # none: spread evenly over the height

    @property
    def line(self) -> str:
        return f"{self.text} · {self.state}" if self.state else self.text


@dataclass(frozen=True)
class Row:
    """A subject, with how often it is trained and measured."""

    name: str
    data: str
    trainings: int
    measurements: int

    @property
    def training(self) -> str:
        return f"{self.name} ×{self.trainings}" if self.trainings > 1 else self.name

    @property
    def measured(self) -> str:
        """What its measurements are called: beside the training's node the name would be said twice."""
        count = f"{self.measurements} measured"
        return count if self.trainings else f"{self.name} {count}"


def rows(lab: Lab) -> list[Row]:
    """Everything that a run trains or measures; seeds share a row."""
    trainings = Counter(e.name for e in lab.experiments())
    measurements = Counter(subject.name for subject, _ in lab.measurements())
    data = {e.name: e.data.name for e in lab.experiments()}
    names = dict.fromkeys([*trainings, *measurements])
    return [Row(n, data.get(n, lab.bench.fitted_to.name), trainings[n], measurements[n]) for n in names]


def overview(labs: Sequence[Lab], notebooks: Iterable[str]) -> str:
    """The whole pipeline as a picture."""
    return drawn(*pipeline(labs, notebooks), printed=True)


def mermaid(labs: Sequence[Lab], notebooks: Iterable[str]) -> str:
    """The same as text that other programs draw."""
    nodes, edges = pipeline(labs, notebooks)
    names = {node.id: re.sub(r"\W", "_", node.id) for node in nodes}
    boxes = [f'  {names[node.id]}["{node.text}"]' for node in nodes]
    return "\n".join(["flowchart LR", *boxes, *(f"  {names[a]} --> {names[b]}" for a, b in dict.fromkeys(edges))])


def pipeline(labs: Sequence[Lab], notebooks: Iterable[str]) -> tuple[list[Node], list[tuple[str, str]]]:
    """Nodes and edges from data by trainings and measurements to notebooks and the report."""
    nodes = [Node(name, 0, name) for name in dict.fromkeys(s.name for lab in labs for s in lab.bench.sources)]
    nodes += [Node("artifacts", 3, "artifacts"), Node("report", 5, "report: PDF and site")]
    edges: list[tuple[str, str]] = []
    for place, row in enumerate(row for lab in labs for row in rows(lab)):
        parts = []
        if row.trainings:
            parts.append(Node(f"training {place}", 1, row.training, row=place))
        if row.measurements:
            parts.append(Node(f"measurements {place}", 2, row.measured, row=place))
        nodes += parts
        edges += pairwise([row.data, *(node.id for node in parts), "artifacts"])
    for name in notebooks:
        nodes.append(Node(f"notebook {name}", 4, name))
        edges += pairwise(["artifacts", f"notebook {name}", "report"])
    return nodes, edges


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


def drawn(nodes: Sequence[Node], edges: Iterable[tuple[str, str]], printed: bool = False) -> str:
    """SVG; what is printed brings its own style."""
    boxes = placed(nodes)
    columns = {node.id: node.column for node in nodes}
    return fill(
        "autoencoders.reporting",
        "graph.svg",
        nodes=[(node, boxes[node.id], SHAPES.get(node.state, SOUND)) for node in nodes],
        edges=[(_curve(boxes[a], boxes[b]), columns[b] - columns[a] > 1) for a, b in edges],
        width=round(max(box.x + box.width for box in boxes.values()) + MARGIN),
        height=round(max(box.y for box in boxes.values()) + HEIGHT + MARGIN),
        node_height=HEIGHT,
        printed=printed,
    )


def _curve(a: Box, b: Box) -> str:
    x, y, u, v = a.x + a.width, a.middle, b.x, b.middle
    bend = max(CHANNEL / 2, min(CHANNEL, (u - x) / 2))
    return f"M{x:.1f} {y:.1f}C{x + bend:.1f} {y:.1f} {u - bend:.1f} {v:.1f} {u:.1f} {v:.1f}"
