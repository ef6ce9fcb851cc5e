"""Trained models, images and the tensor library as scripts that a page can load from a disk."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoencoders.explore.pages import Head, Page, as_script, asset, fill
from autoencoders.lab import Lab
from autoencoders.measurements.playground import Gallery
from autoencoders.measurements.programs import Program
from autoencoders.specs import Baseline, Experiment
from autoencoders.store import Artifact

LIBRARY = tuple(f"vendor/tf-{part}.es2017.min.js" for part in ("core", "backend-cpu", "backend-webgl"))
SCRIPTS = (*LIBRARY, "images.js", "tensors.js")
SHARED = {name: asset(name) for name in ("playground.css", "vendor/LICENSE", "vendor/versions.json")}
LIMIT = 8_000_000  # bytes that a page may load by itself
REST = 60_000  # of them for its HTML and styles


@dataclass(frozen=True)
class BrowserModels:
    """Models for a page: scripts that register themselves when they are loaded, and why others have none."""

    scripts: dict[str, str]  # by experiment
    unsupported: dict[str, str]  # by experiment: one line

    @classmethod
    def of(cls, lab: Lab, experiments: Iterable[Experiment], *parts: str) -> BrowserModels:
        programs = {each.name: lab.measure(each, Program()) for each in experiments}
        unsupported = {name: why for name, each in programs.items() if (why := each.meta.get("unsupported"))}
        scripts = {name: _script(name, each, parts) for name, each in programs.items() if name not in unsupported}
        return cls(scripts, unsupported)

    def page(self, head: Head, template: str, data: Mapping[str, Any], scripts: Sequence[str]) -> Page:
        """The page, or what is left of it if no model can run."""
        body = fill(template, unsupported=self.unsupported, runs=bool(self.scripts))
        files = {f"models/{name}.js": script for name, script in self.scripts.items()}
        return Page(head, body, data, scripts if files else (), files | SHARED)


def gallery(lab: Lab) -> dict[str, Any]:
    """The test images that pages show."""
    found = lab.measure(Baseline(method="input"), Gallery())
    images = found.arrays["images"].transpose(0, 2, 3, 1)
    return {
        "shape": list(images.shape),
        "pixels": text(images),
        "labels": found.arrays["labels"].tolist(),
        "classes": found.meta["classes"],
    }


def _script(name: str, program: Artifact, parts: Sequence[str]) -> str:
    lists = {part: listed(program, part) for part in parts}
    return f"(window.models ??= {{}})[{json.dumps(name)}] = {as_script(lists)};\n"


def listed(program: Artifact, part: str) -> dict[str, Any]:
    count = sum(each.startswith(f"{part}/") for each in program.arrays)
    weights = [program.arrays[f"{part}/{i}"] for i in range(count)]
    shapes = [list(weight.shape) for weight in weights]
    return program.meta["parts"][part] | {
        "shapes": shapes,
        "weights": text(np.concatenate([w.ravel() for w in weights])),
    }


def at_once(scripts: Mapping[str, str], names: Sequence[str], data: Mapping[str, Any], own: Sequence[str]) -> list[str]:
    """The models, of these in the order of their importance, that a page has room for; the others wait to be asked."""
    room = LIMIT - REST - len(as_script(data)) - sum(len(asset(script)) for script in own)
    chosen = []
    for each in names:
        if len(scripts[each]) <= room:
            room -= len(scripts[each])
            chosen.append(each)
    return chosen


def text(array: np.ndarray) -> str:
    """Write an array's bytes in base 85, a sixteenth shorter than base64. Zeros fill the last four."""
    raw = array.tobytes()
    words = np.frombuffer(raw + bytes(-len(raw) % 4), dtype="<u4")
    return base64.b85encode(words.astype(">u4").tobytes()).decode("ascii")  # which takes the highest byte first
