"""Trained models, images and the tensor library as scripts that a page can load from a disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autoencoders.explore.pages import ASSETS, as_script
from autoencoders.lab import Lab
from autoencoders.measurements.playground import Gallery
from autoencoders.measurements.programs import Program
from autoencoders.specs import Baseline, Experiment
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np

LIBRARY = tuple(f"vendor/tf-{part}.es2017.min.js" for part in ("core", "backend-cpu", "backend-webgl"))
SCRIPTS = (*LIBRARY, "images.js", "tensors.js")
SHARED = {
    name: ASSETS.joinpath(name).read_text(encoding="utf-8")
    for name in ("playground.css", "vendor/LICENSE", "vendor/versions.json")
}
LIMIT = 8_000_000  # bytes that a page may load by itself
REST = 60_000  # of them for its HTML and styles


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


def scripts(lab: Lab, experiments: Iterable[Experiment], *parts: str) -> dict[str, str]:
    """By file name, models that register themselves when they are loaded."""
    return {name(each): _script(each, lab.measure(each, Program()), parts) for each in experiments}


def name(experiment: Experiment) -> str:
    return f"models/{experiment.name}.js"


def _script(experiment: Experiment, program: Artifact, parts: Sequence[str]) -> str:
    lists = {part: listed(program, part) for part in parts}
    return f"(window.models ??= {{}})[{json.dumps(experiment.name)}] = {as_script(lists)};\n"


def listed(program: Artifact, part: str) -> dict[str, Any]:
    import numpy as np

    count = sum(each.startswith(f"{part}/") for each in program.arrays)
    weights = [program.arrays[f"{part}/{i}"] for i in range(count)]
    shapes = [list(weight.shape) for weight in weights]
    return program.meta["parts"][part] | {
        "shapes": shapes,
        "weights": text(np.concatenate([w.ravel() for w in weights])),
    }


def at_once(files: Mapping[str, str], names: Sequence[str], data: Mapping[str, Any], own: Sequence[str]) -> list[str]:
    """The models, of these in the order of their importance, that a page has room for; the others wait to be asked."""
    room = LIMIT - REST - len(as_script(data)) - sum(len(ASSETS.joinpath(script).read_bytes()) for script in own)
    chosen = []
    for each in names:
        if len(files[each]) <= room:
            room -= len(files[each])
            chosen.append(each)
    return chosen


DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"


def text(array: np.ndarray) -> str:
    """An array's bytes, four in five letters: a sixteenth shorter than base64. Zeros fill the last four."""
    import numpy as np

    raw = array.tobytes()
    words = np.frombuffer(raw + bytes(-len(raw) % 4), dtype="<u4").astype(np.int64)
    digits = words[:, None] // 85 ** np.arange(4, -1, -1) % 85
    return np.frombuffer(DIGITS, dtype=np.uint8)[digits].tobytes().decode("ascii")
