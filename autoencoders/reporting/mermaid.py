"""Mermaid flowcharts as SVG, without a browser: the part of the language that a dependency graph needs."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from dataclasses import dataclass, field

from autoencoders.errors import ReportError

FONT, LINE, CHARACTER = 11, 14, 6.7  # sizes in pixels; a monospaced font makes widths predictable
PADDING, GAP, CHANNEL = 7, 8, 56  # within a node, between nodes of a rank, between ranks

_NODE = re.compile(
    r"\s*([A-Za-z_]\w*(?:[.-]\w+)*)\s*"
    r"(?:(\[\(|\(\[|\(\(|\[|\(|\{)\s*(?:\"([^\"]*)\"|(.*?))\s*(\)\]|\]\)|\)\)|\]|\)|\}))?\s*"
)
_ARROW = re.compile(r"\s*(?:-->|---|-\.->|==>)\s*(?:\|(.*?)\|)?\s*")
_IGNORED = ("%%", "classDef", "class ", "style ", "linkStyle", "click ", "subgraph", "end", "direction ")


@dataclass
class Graph:
    down: bool = False
    nodes: dict[str, str] = field(default_factory=dict)  # id -> text
    round: set[str] = field(default_factory=set)
    edges: list[tuple[str, str]] = field(default_factory=list)


def parse(source: str) -> Graph:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    head = re.fullmatch(r"(?:flowchart|graph)\s+(LR|RL|TD|TB|BT);?", lines[0]) if lines else None
    if not head:
        raise ReportError("only Mermaid flowcharts can be drawn without Quarto")
    graph = Graph(down=head[1] in ("TD", "TB", "BT"))
    for line in lines[1:]:
        if not line.startswith(_IGNORED):
            _parse_chain(graph, line.rstrip(";"))
    return graph


def _parse_chain(graph: Graph, line: str) -> None:
    """`a --> b & c --> d`: everything on an arrow's left leads to everything on its right."""
    position = 0
    before: list[str] = []
    while position < len(line):
        group = []
        while match := _NODE.match(line, position):
            identifier, bracket, label = match[1], match[2], match[4] if match[3] is None else match[3]
            graph.nodes[identifier] = label if label is not None else graph.nodes.get(identifier, identifier)
            graph.round |= {identifier} if bracket and "(" in bracket else set()
            group.append(identifier)
            position = match.end()
            if not line.startswith("&", position):
                break
            position += 1
        graph.edges += [(a, b) for a in before for b in group]
        arrow = _ARROW.match(line, position)
        if not group or (position < len(line) and not arrow):
            raise ReportError(f"Mermaid's line {line!r} can't be drawn without Quarto")
        position, before = (arrow.end() if arrow else position), group


# ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def as_svg(source: str) -> str:
    graph = parse(source)
    lines = {n: re.split(r"<br\s*/?>|\\n", text) for n, text in graph.nodes.items()}
    sizes = {
        n: (max(map(len, ls)) * CHARACTER + 2 * PADDING, float(len(ls) * LINE + PADDING)) for n, ls in lines.items()
    }
    ranks = _ordered(graph)
    boxes = _placed(ranks, sizes, graph.down)
    width = max(x + w for x, _, w, _ in boxes.values()) + 1
    height = max(y + h for _, y, _, h in boxes.values()) + 1
    parts = [_edge(boxes[a], boxes[b], graph.down) for a, b in graph.edges]
    parts += [_box(boxes[n], lines[n], n in graph.round) for n in graph.nodes]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="-1 -1 {width + 1:.0f} {height + 1:.0f}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" '
        f'font-size="{FONT}">\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _ordered(graph: Graph) -> list[list[str]]:
    """Nodes by rank (the longest way from a source), each rank in the order of its predecessors."""
    rank = dict.fromkeys(graph.nodes, 0)
    for _ in graph.nodes:  # settles after as many rounds as the longest path has edges
        changed = [(a, b) for a, b in graph.edges if a != b and rank[b] <= rank[a] < len(graph.nodes)]
        for a, b in changed:
            rank[b] = rank[a] + 1
        if not changed:
            break
    ranks = defaultdict(list)
    for node in graph.nodes:
        ranks[rank[node]].append(node)
    ordered = [ranks[r] for r in sorted(ranks)]
    before: dict[str, list[str]] = defaultdict(list)
    for a, b in graph.edges:
        before[b].append(a)
    place = {n: i for i, n in enumerate(ordered[0])}
    for members in ordered[1:]:
        members.sort(key=lambda n: sum(place.get(p, 0) for p in before[n]) / max(1, len(before[n])))
        place |= {n: i for i, n in enumerate(members)}
    return ordered


Box = tuple[float, float, float, float]


def _placed(ranks: list[list[str]], sizes: dict[str, tuple[float, float]], down: bool) -> dict[str, Box]:
    """Ranks one after the other, each centred across the direction of flow."""
    along, across = (1, 0) if down else (0, 1)
    spans = [sum(sizes[n][across] + GAP for n in members) - GAP for members in ranks]
    boxes: dict[str, Box] = {}
    start = 0.0
    for members, span in zip(ranks, spans, strict=True):
        depth = max(sizes[n][along] for n in members)
        position = (max(spans) - span) / 2
        for n in members:
            width, height = sizes[n]
            boxes[n] = (position, start, width, depth) if down else (start, position, depth, height)
            position += sizes[n][across] + GAP
        start += depth + CHANNEL
    return boxes


def _edge(a: Box, b: Box, down: bool) -> str:
    if down:
        x, y, u, v = a[0] + a[2] / 2, a[1] + a[3], b[0] + b[2] / 2, b[1]
        bend = f"{x:.1f},{(y + v) / 2:.1f} {u:.1f},{(y + v) / 2:.1f}"
    else:
        x, y, u, v = a[0] + a[2], a[1] + a[3] / 2, b[0], b[1] + b[3] / 2
        bend = f"{(x + u) / 2:.1f},{y:.1f} {(x + u) / 2:.1f},{v:.1f}"
    return f'<path d="M{x:.1f},{y:.1f} C{bend} {u:.1f},{v:.1f}" fill="none" stroke="#8a94a3" stroke-width="0.8"/>'


def _box(box: Box, lines: list[str], rounded: bool) -> str:
    x, y, width, height = box
    middle = y + height / 2 - (len(lines) - 1) * LINE / 2 + FONT * 0.36
    rows = "".join(
        f'<text x="{x + width / 2:.1f}" y="{middle + i * LINE:.1f}" text-anchor="middle" fill="#1c2733">'
        f"{html.escape(html.unescape(line))}</text>"
        for i, line in enumerate(lines)
    )
    radius = 8 if rounded else 2
    rect = f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius}"'
    return f'{rect} fill="#f3f6fa" stroke="#5b6b80" stroke-width="0.8"/>{rows}'
