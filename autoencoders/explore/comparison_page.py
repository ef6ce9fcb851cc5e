"""Two runs side by side, by the files that `results --json` wrote: what changed, and what differs in them."""

from __future__ import annotations

from autoencoders import comparing, tables
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Head, Page, asset, fill
from autoencoders.lab import Lab

HEAD = Head("comparison", "Two runs", "What changed from one run to another, value by value, and what differs in them.")


def page(lab: Lab, addresses: Addresses) -> Page:
    old, new = lab.settings.compare
    found = comparing.compare(comparing.read(old), comparing.read(new), [lab.store])
    changed = sorted((c for c in found.changes if c.how != "same"), key=lambda change: not change.is_clear)
    names = {"old": old.name, "new": new.name}
    body = fill("comparison.html", **names, found=found, changed=changed, number=tables.number)
    return Page(HEAD, body, {}, (), {"results.css": asset("results.css")})
