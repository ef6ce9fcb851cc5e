"""The whole pipeline as it stood when the page was made: from data by trainings and measurements to the report."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from autoencoders import inspection
from autoencoders.explore.addresses import FROM_HERE, Addresses
from autoencoders.explore.layout import Node, drawn
from autoencoders.explore.pages import ASSETS, Head, Page
from autoencoders.inspection import Standing
from autoencoders.lab import Lab
from autoencoders.reporting.book import embedded
from autoencoders.settings import PROJECT
from autoencoders.store import State

HEAD = Head(
    "pipeline",
    "Pipeline",
    "What was computed from what, and the state of each part; each leads to its results and notebook cells.",
)
WORST_FIRST = ("failed", "corrupt", "partial", "stale", "missing")  # then whatever is as it should be
STATES = {
    "cached": "computed, and up to date",
    "executed": "notebooks whose figures show what is cached now",
    "found": "data that is there",
    "rendered": "this report",
    "missing": "not computed",
    "unchecked": "notebooks that don't tell what their figures rest on",
    "stale": "computed by other code, from other data or with other parameters than now",
    "partial": "begun",
    "corrupt": "damaged on disk: made again when it is next needed",
    "failed": "ended with an error",
}


def page(lab: Lab, addresses: Addresses) -> Page:
    pipeline = Pipeline.of(lab, addresses, sorted(embedded(PROJECT)))
    body = "".join(
        (
            '<link rel="stylesheet" href="pipeline.css">',
            _legend(pipeline.nodes),
            '<div class="graph" tabindex="0" role="region" aria-label="The graph">',
            drawn(pipeline.nodes, pipeline.edges),
            "</div>",
            '<p class="hint">Point at a part, or go to it by the Tab key, to see what it comes from and what it leads '
            "to; a click or Enter opens it.</p>",
            "<h2>The same as a list</h2>",
            *pipeline.listed(lab, addresses),
        )
    )
    style = ASSETS.joinpath("pipeline.css").read_text(encoding="utf-8")
    data = {"edges": pipeline.edges}
    return Page(HEAD, body=body, data=data, scripts=("pipeline.js",), files={"pipeline.css": style})


@dataclass
class Pipeline:
    """Seeds of an experiment share a node, and so do the measurements of a subject."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[tuple[str, str]] = field(default_factory=list)
    trainings: dict[str, list[Standing]] = field(default_factory=dict)  # by experiment
    measurements: dict[str, list[Standing]] = field(default_factory=dict)  # by subject

    @classmethod
    def of(cls, lab: Lab, addresses: Addresses, notebooks: Sequence[str]) -> Pipeline:
        found = cls()
        planned, measured = inspection.standings(lab, None)
        for standing in planned:
            found.trainings.setdefault(standing.name, []).append(standing)
        for (subject, _), standing in zip(lab.measurements(), measured, strict=True):
            found.measurements.setdefault(subject.name, []).append(standing)
        found._add_computed(lab)
        found._add_notebooks(addresses, notebooks)
        return found

    def _add_computed(self, lab: Lab) -> None:
        for source in lab.bench.sources:
            self.nodes.append(Node(f"data {source.name}", 0, source.name, "found", "results.html"))
        from_data = {e.name: f"data {e.data.name}" for e in lab.experiments()}
        for row, name in enumerate(dict.fromkeys([*self.trainings, *self.measurements])):
            above = from_data.get(name, f"data {lab.bench.fitted_to.name}")
            if standings := self.trainings.get(name):
                seeds = f" ×{len(standings)}" if len(standings) > 1 else ""
                self.nodes.append(
                    Node(f"training {name}", 1, f"{name}{seeds}", _state(standings), _artifact(standings), row)
                )
                self.edges.append((above, f"training {name}"))
                above = f"training {name}"
            if standings := self.measurements.get(name):
                told = name if name not in self.trainings else ""
                text = f"{told} {len(standings)} measured".strip()
                link = _results({"experiment": name, "sort": "kind"})
                self.nodes.append(Node(f"measurements {name}", 2, text, _state(standings), link, row))
                self.edges.append((above, f"measurements {name}"))

    def _add_notebooks(self, addresses: Addresses, names: Sequence[str]) -> None:
        """A measurement's node stands for its model, too, where a notebook asks for both."""
        holders = self._holders()
        for name in names:
            cells = addresses.sources.get(name)
            keys = dict.fromkeys(key for asked in (cells or {}).values() for key in asked)
            if name not in addresses.pages:
                state = "missing"
            elif cells is None:
                state = "unchecked"
            else:
                state = "executed" if self._sound.issuperset(keys) else "stale"
            node = Node(f"notebook {name}", 3, name, state, addresses.pages.get(name, f"{FROM_HERE}index.html"))
            self.nodes.append(node)
            asked_for = dict.fromkeys(holder for key in keys for holder in holders.get(key, ()))
            for kind, subject in asked_for:
                if kind == "measurements" or ("measurements", subject) not in asked_for:
                    self.edges.append((f"{kind} {subject}", node.id))
            self.edges.append((node.id, "report"))
        self.nodes.append(Node("report", 4, "report", "rendered", f"{FROM_HERE}index.html"))

    def _holders(self) -> dict[str, list[tuple[str, str]]]:
        """The nodes of each artifact: several, where experiments have one spec and so one training."""
        found: dict[str, list[tuple[str, str]]] = {}
        for kind, groups in (("training", self.trainings), ("measurements", self.measurements)):
            for name, standings in groups.items():
                for standing in standings:
                    found.setdefault(standing.key, []).append((kind, name))
        return found

    @property
    def _sound(self) -> set[str]:
        groups = [*self.trainings.values(), *self.measurements.values()]
        return {standing.key for group in groups for standing in group if standing.state.state == "cached"}

    # ── The graph in words ───────────────────────────────────────────────────────────────────────────────────────────

    def listed(self, lab: Lab, addresses: Addresses) -> Iterator[str]:
        used = addresses.cells_by_key()
        links = {node.id: node for node in self.nodes}
        yield '<ul class="twin">'
        yield "<li>Data<ul>"
        for source in lab.bench.sources:
            yield f"<li>{_name(source.name)}, fingerprint <code>{html.escape(source.fingerprint)}</code></li>"
        yield "</ul></li>"
        for title, groups in (("Trainings", self.trainings), ("Measurements", self.measurements)):
            yield f"<li>{title}<ul>"
            for name, standings in groups.items():
                items = "".join(_item(standing, used, addresses) for standing in standings)
                told = f"{_name(name)}: {_counted(standings)}, {_badge(_state(standings))}"
                folded = f"<li><details><summary>{told}</summary><ul>{items}</ul></details></li>"
                yield folded if len(standings) > 1 else items
            yield "</ul></li>"
        yield "<li>Notebooks<ul>"
        for node in (node for node in self.nodes if node.column == 3):
            cells = addresses.sources.get(node.text, {})
            yield f"<li><details><summary>{_name(node.text)}: {_badge(node.state)}</summary>"
            yield f"<p>{_link(node.link, 'The whole notebook')}. Its figures and tables:</p><ul>"
            yield from (f"<li>{_cell(label, addresses)}: {_counted(keys)}</li>" for label, keys in cells.items())
            yield "</ul></details></li>"
        yield f"</ul></li><li>{_link(links['report'].link, 'Report')}: {_badge('rendered')}</li></ul>"


def _item(standing: Standing, used: Mapping[str, list[str]], addresses: Addresses) -> str:
    name = standing.name + ("" if standing.seed is None else f", seed {standing.seed}")
    shown = _link(_artifact([standing]), name) if standing.state.state == "cached" else _name(name)
    why = html.escape(why_of(standing.state))
    cells = ", ".join(_cell(label, addresses) for label in used.get(standing.key, ()))
    return f"<li>{shown}: {_badge(standing.state.state)}{why}{f'; shown by {cells}' if cells else ''}</li>"


def why_of(state: State) -> str:
    """What a stranger may know: an error's message could name this machine's folders, so its kind must do."""
    if state.state == "cached":
        return ""
    if state.message:
        return f" ({state.message.partition(':')[0]})"
    if state.state == "partial" and state.epoch is not None:
        return f" (epoch {state.epoch} of {state.epochs})"
    told = [f"{reason.kind} {reason.what}" for reason in state.reasons]
    more = f" and {len(told) - 3} more" if len(told) > 3 else ""
    return f" ({', '.join(told[:3])}{more})" if told else ""


def _state(standings: Iterable[Standing]) -> str:
    """The worst that one of them is in."""
    found = {standing.state.state for standing in standings}
    return next((state for state in WORST_FIRST if state in found), "cached")


def _artifact(standings: Sequence[Standing]) -> str:
    """Straight to the only one; else to all of that name."""
    first = standings[0]
    if len(standings) == 1 and first.state.state == "cached":
        return _results({"artifact": first.key})
    return _results({"experiment": first.name})


def _results(view: Mapping[str, str]) -> str:
    return f"results.html#{urlencode(view)}"


def _cell(label: str, addresses: Addresses) -> str:
    address = addresses.notebooks.get(label) or addresses.chapters.get(label)
    return _link(address, label) if address else _name(label)


def _counted(artifacts: Sequence[object]) -> str:
    return f"{len(artifacts)} {'artifact' if len(artifacts) == 1 else 'artifacts'}"


def _link(address: str, text: str) -> str:
    return f'<a href="{html.escape(address)}">{html.escape(text)}</a>'


def _name(text: str) -> str:
    return html.escape(text)


def _badge(state: str) -> str:
    return f'<span class="state {state}">{state}</span>'


def _legend(nodes: Iterable[Node]) -> str:
    """The states that parts are in, with what they mean."""
    counts = Counter(node.state for node in nodes)
    items = (f"<li>{_badge(state)} {STATES[state]}: {counts[state]}</li>" for state in STATES if counts[state])
    return f'<ul class="legend" aria-label="States">{"".join(items)}</ul>'
