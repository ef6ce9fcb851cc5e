"""Trained models for people who have neither this project nor its cache: weights, ONNX, a model card."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoencoders.console import log
from autoencoders.data import is_folder
from autoencoders.errors import InputError
from autoencoders.lab import Lab
from autoencoders.specs import VAE, Experiment
from autoencoders.store.files import appearing, write

if TYPE_CHECKING:
    from torch import Tensor, nn

    from autoencoders import models

NEEDED = ("safetensors", "onnx", "onnxscript")  # the extra `export`
TAKEN = {  # what the two parts of a model take and give, for people
    "encoder": "images [N, {channels}, {height}, {width}] in [0, 1], as 32-bit floats, to latents {latent}",
    "decoder": "latents {latent} to images [N, {channels}, {height}, {width}] in [0, 1]",
}


def export(lab: Lab, names: Iterable[str], folder: Path) -> list[Path]:
    """Write a folder for each trained model of these names; return where they are."""
    _check_packages()
    experiments = lab.experiments(names)
    if untrained := [e.name for e in experiments if not lab.store.contains(lab.bench.training(e))]:
        raise InputError(f"not trained yet: {', '.join(untrained)}; `python pipeline.py run` with these names does it")
    several = len({e.seed for e in experiments}) > 1
    made = []
    for experiment in experiments:
        target = folder / (f"{experiment.name}-seed{experiment.seed}" if several else experiment.name)
        _write(lab, experiment, target)
        log(f"{experiment.name}, seed {experiment.seed}: {target}")
        made.append(target)
    return made


def _check_packages() -> None:
    from importlib.util import find_spec

    if lacking := [name for name in NEEDED if find_spec(name) is None]:
        raise InputError(f"to export models, {', '.join(lacking)} must be installed: pip install '.[export]'")


def _write(lab: Lab, experiment: Experiment, target: Path) -> None:
    from safetensors.torch import save

    model = lab.bench.model(experiment).cpu()
    target.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous().clone() for name, value in model.state_dict().items()}
    write(target / "model.safetensors", save(weights, metadata={"format": "pt"}))
    latent = _write_parts(model, target)
    facts = _facts(lab, experiment, model, latent)
    write(target / "config.json", json.dumps(facts, indent=1) + "\n")
    write(target / "README.md", card(facts, _rows(lab, experiment)))
    write(target / "load.py", resources.files("autoencoders").joinpath("assets", "load.py").read_bytes())


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_parts(model: models.Autoencoder, target: Path) -> list[int]:
    """Encoder and decoder, each for any number of images; return the shape of one latent."""
    import torch

    images = torch.rand(2, *model.shape)
    with torch.no_grad():
        latents = model.encode(images)
    for name, example in (("encoder", images), ("decoder", latents)):
        part = _part(model, name).eval()
        with appearing(target / f"{name}.onnx") as unfinished:
            torch.onnx.export(
                part,
                (example,),
                unfinished,
                input_names=["images" if name == "encoder" else "latents"],
                output_names=["latents" if name == "encoder" else "images"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    return list(latents.shape[1:])


def _part(model: models.Autoencoder, name: str) -> nn.Module:
    import torch

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Tensor) -> Tensor:
            return self.model.encode(x)

    class Decoder(Encoder):
        def forward(self, x: Tensor) -> Tensor:
            return self.model.decode(x).clamp(0, 1)

    return Encoder() if name == "encoder" else Decoder()


# ── The model card ───────────────────────────────────────────────────────────────────────────────────────────────────


def _facts(lab: Lab, experiment: Experiment, model: models.Autoencoder, latent: list[int]) -> dict[str, Any]:
    """All that is said of a model, as plain values."""
    task = lab.bench.training(experiment)
    record, meta = lab.store.provenance(task), lab.store.fetch(task).meta
    images = lab.bench.dataset(experiment.data)
    return {
        "name": experiment.name,
        "architecture": experiment.model.architecture,
        "key": record["key"],
        "seed": experiment.seed,
        "spec": record["spec"],
        "shape": list(model.shape),
        "latent": latent,
        "dataset": experiment.data.name,
        "classes": list(images.classes),
        "images": {"training": len(images.train), "validation": len(images.validation), "test": len(images.test)},
        "variational": isinstance(experiment.model, VAE),
        "profile": lab.profile.name,
        "created": record["created"],
        **{name: meta[name] for name in ("parameters", "device", "precision", "seconds") if name in meta},
        "versions": record["versions"],
    }


def _rows(lab: Lab, experiment: Experiment) -> list[dict[str, Any]]:
    """What the cache holds of it, measured on test images."""
    rows = [row for subject, spec in lab.measurements([experiment.name]) for row in lab.rows_of(subject, spec)]
    return [row for row in rows if row["seed"] == experiment.seed and row["split"] == "test"]


def card(facts: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> str:
    """A model card, with the front matter that Hugging Face reads."""
    front: dict[str, Any] = {
        "license": "mit",
        "library_name": "onnx",
        "tags": ["autoencoder", facts["architecture"].lower(), "image-feature-extraction"],
        "metrics": ["mse", "psnr", "ssim"],
    }
    if not is_folder(facts["dataset"]):
        front["datasets"] = [facts["dataset"]]
    text = resources.files("autoencoders").joinpath("assets", "card.md").read_text("utf-8")
    channels, height, width = facts["shape"]
    latent = f"[N, {', '.join(map(str, facts['latent']))}]"
    sizes = {"channels": channels, "height": height, "width": width, "latent": latent}
    training = facts["spec"]["training"]
    values = {
        "front": "\n".join(f"{name}: {json.dumps(value)}" for name, value in front.items()),
        "name": facts["name"],
        "architecture": facts["architecture"],
        "parameters": f"{facts.get('parameters', 0):,}",
        "parts": "\n".join(f"- `{name}.onnx`: {said.format(**sizes)}" for name, said in TAKEN.items()),
        "dataset": facts["dataset"],
        "images": ", ".join(f"{number:,} for {what}" for what, number in facts["images"].items()),
        "classes": f"{len(facts['classes'])} classes",
        "training": ", ".join(f"{name} {value}" for name, value in training.items() if name != "type"),
        "corruption": _in_words(facts["spec"].get("corruption")),
        "results": _table(rows),
        "key": facts["key"],
        "seed": str(facts["seed"]),
        "created": facts["created"],
        "profile": facts["profile"],
    }
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], text)


def _in_words(corruption: Mapping[str, Any] | None) -> str:
    if not corruption:
        return "none"
    said = ", ".join(f"{name} {value}" for name, value in corruption.items() if name != "type")
    return f"{corruption['type']} ({said})"


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    lines = ["| measured | input | region | value | 95 % interval | images |", "|---|---|---|--:|---|--:|"]
    for row in rows:
        interval = "" if math.isnan(row["lo"]) else f"{row['lo']:.4g} to {row['hi']:.4g}"
        lines.append(
            f"| {row['metric']} | {row['input']} | {row['region']} | {row['value']:.4g} | {interval} | {row['n']} |"
        )
    return "\n".join(lines) if len(lines) > 2 else "Nothing is measured yet."
