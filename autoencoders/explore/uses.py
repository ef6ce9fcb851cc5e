"""Which figures, tables and claims rest on which artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autoencoders import claims
from autoencoders.explore.addresses import Addresses
from autoencoders.lab import Lab


@dataclass(frozen=True)
class Uses:
    figures: dict[str, list[str]]  # labels by key
    claims: dict[str, list[str]]  # ids by key
    verdicts: dict[str, dict[str, Any]]  # of the claims, by id
    judged: bool

    @classmethod
    def of(cls, lab: Lab, addresses: Addresses, complete: bool) -> Uses:
        """Claims are judged where everything is there to judge them by: nothing is computed for these pages."""
        judged = claims.judge_all(lab) if complete else []
        by_key: dict[str, list[str]] = {}
        for each in judged:
            for key in dict.fromkeys(map(lab.store.key, each.asked)):
                by_key.setdefault(key, []).append(each.claim.id)
        verdicts = {
            each.claim.id: {
                "requirement": each.claim.requirement,
                "sentence": each.sentence,
                "verdict": each.verdict_corrected,
            }
            for each in judged
        }
        return cls(addresses.cells_by_key(), by_key, verdicts, complete)

    def figures_at(self, addresses: Addresses) -> dict[str, dict[str, str | None]]:
        """Of all that rests on something: what the report calls it, and where it and the cell that made it are."""
        return {
            label: {
                "caption": addresses.captions.get(label),
                "report": addresses.chapters.get(label),
                "notebook": addresses.notebooks.get(label),
            }
            for label in sorted({label for labels in self.figures.values() for label in labels})
        }
