"""Trained models, images and the tensor library as scripts that a page can load from a disk."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoencoders.explore.pages import ASSETS, Head, Page, as_script, asset, fill
from autoencoders.lab import Lab
from autoencoders.measurements.playground import Gallery
from autoencoders.measurements.whole_programs import program_of
from autoencoders.specs import Baseline, Experiment
from autoencoders.store import Artifact

LIBRARY = tuple(f"vendor/tf-{part}.es2017.min.js" for part in ("core", "backend-wasm"))
SCRIPTS = (*LIBRARY, "images.js", "tensors.js")
WASM = "vendor/tfjs-backend-wasm-simd.wasm"
LETTERS = np.frombuffer(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~", np.uint8
)  # as in tensors.js
PLACES = 85 ** np.arange(4, -1, -1, dtype=np.uint32)
LIMIT = 3_000_000  # bytes that a page may load by itself
REST = 60_000  # of them for its HTML and styles
LARGE = 1024  # a weight of so many numbers is rounded to eight bits


@dataclass(frozen=True)
class BrowserModels:
    """Models for a page: scripts that register themselves when they are loaded, and why others have none."""

    scripts: dict[str, str]  # by experiment
    unsupported: dict[str, str]  # by experiment: one line
    parts: tuple[str, ...]

    @classmethod
    def of(cls, lab: Lab, experiments: Iterable[Experiment], *parts: str) -> BrowserModels:
        programs = {each.name: lab.measure(each, program_of(each)) for each in experiments}
        unsupported = {name: why for name, each in programs.items() if (why := each.meta.get("unsupported"))}
        scripts = {
            name: _script(file_of(name, *parts), each, parts)
            for name, each in programs.items()
            if name not in unsupported
        }
        return cls(scripts, unsupported, parts)

    def page(self, head: Head, template: str, data: Mapping[str, Any], scripts: Sequence[str]) -> Page:
        """The page, or what is left of it if no model can run."""
        body = fill(template, unsupported=self.unsupported, runs=bool(self.scripts))
        files = {f"models/{file_of(name, *self.parts)}.js": script for name, script in self.scripts.items()}
        return Page(head, body, data, scripts if files else (), files | shared())


@functools.cache
def shared() -> dict[str, str]:
    """What all pages with models load beside their scripts; the library's WebAssembly is in a script, too."""
    files = {name: asset(name) for name in ("playground.css", "vendor/LICENSE", "vendor/versions.json")}
    raw = ASSETS.joinpath(WASM).read_bytes()
    return files | {f"{WASM}.js": f"window.wasm = {as_script({'size': len(raw), 'text': encoded(raw)})};\n"}


def file_of(name: str, *parts: str) -> str:
    """What a model is called where a page loads it; a decoder alone is a file of its own."""
    return f"{name}-decoder" if parts == ("decode",) else name


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
    lists = {part: listed(program, part, rounded=True) for part in parts if part in program.meta["parts"]}
    return f"(window.models ??= {{}})[{json.dumps(name)}] = {as_script(lists)};\n"


def listed(program: Artifact, part: str, *, rounded: bool = False) -> dict[str, Any]:
    """A part of a program as the browser's interpreter takes it; large weights may be rounded to eight bits."""
    count = sum(each.startswith(f"{part}/") for each in program.arrays)
    weights = [program.arrays[f"{part}/{i}"] for i in range(count)]
    coarse = [rounded and weight.ndim > 1 and weight.size >= LARGE for weight in weights]
    fine, eighths = [], []
    for weight, is_coarse in zip(weights, coarse, strict=True):
        if is_coarse:
            whole, most = in_eight_bits(weight)
            eighths.append(whole.ravel())
            fine.append(most)
        else:
            fine.append(weight.ravel())
    return program.meta["parts"][part] | {
        "shapes": [list(weight.shape) for weight in weights],
        "coarse": coarse,
        "halves": text(np.concatenate(fine)),
        "eighths": text(np.concatenate(eighths)) if eighths else "",
    }


def in_eight_bits(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers to 127 for each column (the last axis), and in half precision the value that 127 stands for."""
    flat = weight.astype(np.float32).reshape(-1, weight.shape[-1])
    most = np.abs(flat).max(0).astype(np.float16)
    scaled = flat * 127 / np.where(most > 0, most, 1).astype(np.float32)
    return np.clip(np.rint(scaled), -127, 127).astype(np.int8).reshape(weight.shape), most


def linear(program: Artifact, shape: Sequence[int]) -> dict[str, Any]:
    """A linear denoiser for a page: its basis by pixels, in eight bits."""
    height, width, channels = shape
    parts = program.arrays
    by_pixel = (
        parts["basis"].reshape(-1, channels, height, width).transpose(2, 3, 1, 0).reshape(-1, len(parts["basis"]))
    )
    basis, most = in_eight_bits(by_pixel)
    return {
        "sigmas": program.meta["sigmas"],
        "directions": basis.shape[1],
        "mean": text(parts["mean"].reshape(channels, height, width).transpose(1, 2, 0)),
        "basis": text(basis),
        "most": text(most),
        "seen": text(parts["seen"]),
        "weights": text(parts["weights"]),
    }


def at_once(scripts: Mapping[str, str], names: Sequence[str], data: Mapping[str, Any], own: Sequence[str]) -> list[str]:
    """The models, of these in the order of their importance, that a page has room for; the others wait to be asked."""
    room = LIMIT - REST - len(as_script(data)) - sum(len(asset(script)) for script in own) - len(shared()[f"{WASM}.js"])
    chosen = []
    for each in names:
        if len(scripts[each]) <= room:
            room -= len(scripts[each])
            chosen.append(each)
    return chosen


def text(array: np.ndarray) -> str:
    return encoded(array.tobytes())


def encoded(raw: bytes) -> str:
    """Write bytes in base 85, a sixteenth shorter than base64. Zeros fill the last four.

    All at once: the standard library's own takes seconds for the models of one report.
    """
    words = np.frombuffer(raw + bytes(-len(raw) % 4), dtype="<u4")
    return LETTERS[words[:, None] // PLACES % 85].tobytes().decode("ascii")
