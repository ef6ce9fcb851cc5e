"""The whole pipeline as it stood when the page was made: from data by trainings and measurements to the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from autoencoders import inspection
from autoencoders.explore.addresses import FROM_HERE, Addresses
from autoencoders.explore.pages import Head, Page, asset, fill
from autoencoders.inspection import Standing
from autoencoders.lab import Lab
from autoencoders.reporting import graph
from autoencoders.reporting.book import embedded
from autoencoders.reporting.graph import Node
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
    "unchecked": "notebooks that don't say what their figures rest on",
    "stale": "computed by other code, from other data or with other parameters than now",
    "partial": "begun",
    "corrupt": "damaged on disk: made again when it is next needed",
    "failed": "ended with an error",
}


def page(lab: Lab, addresses: Addresses) -> Page:
    pipeline = Pipeline.of(lab, addresses, sorted(embedded(PROJECT)))
    counts = Counter(node.state for node in pipeline.nodes)
    used = addresses.cells_by_key()
    body = fill(
        "pipeline.html",
        legend=[(state, meaning, counts[state]) for state, meaning in STATES.items() if counts[state]],
        graph=graph.drawn(pipeline.nodes, pipeline.edges),
        sources=lab.bench.sources,
        tasks={
            title: [(name, _state(found), [_part(each, used) for each in found]) for name, found in groups.items()]
            for title, groups in {"Trainings": pipeline.trainings, "Measurements": pipeline.measurements}.items()
        },
        notebooks=[(node, addresses.sources.get(node.text, {})) for node in pipeline.nodes if node.column == 3],
        cells=addresses.cells(),
        report=f"{FROM_HERE}index.html",
    )
    return Page(HEAD, body, {"edges": pipeline.edges}, ("pipeline.js",), {"pipeline.css": asset("pipeline.css")})


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
        for place, row in enumerate(graph.rows(lab)):
            above = f"data {row.data}"
            if standings := self.trainings.get(row.name):
                node = Node(f"training {row.name}", 1, row.training, _state(standings), _artifact(standings), place)
                self.nodes.append(node)
                self.edges.append((above, node.id))
                above = node.id
            if standings := self.measurements.get(row.name):
                link = _results({"experiment": row.name, "sort": "kind"})
                node = Node(f"measurements {row.name}", 2, row.measured, _state(standings), link, place)
                self.nodes.append(node)
                self.edges.append((above, node.id))

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


def _part(standing: Standing, used: Mapping[str, list[str]]) -> dict[str, Any]:
    """An artifact as an item of the list."""
    return {
        "name": standing.name + ("" if standing.seed is None else f", seed {standing.seed}"),
        "link": _artifact([standing]) if standing.state.state == "cached" else None,
        "state": standing.state.state,
        "why": why_of(standing.state),
        "cells": used.get(standing.key, ()),
    }


def why_of(state: State) -> str:
    """What a stranger may know: an error's message could name this machine's folders, so its kind must do."""
    if state.state == "cached":
        return ""
    if state.message:
        return f" ({state.message.partition(':')[0]})"
    if state.state == "partial" and state.epoch is not None:
        return f" (epoch {state.epoch} of {state.epochs})"
    reasons = [f"{reason.kind} {reason.what}" for reason in state.reasons]
    more = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return f" ({', '.join(reasons[:3])}{more})" if reasons else ""


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
