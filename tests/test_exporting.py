"""Trained models for those who have only the files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from copied_project import Run
from PIL import Image

from autoencoders import exporting, models, settings
from autoencoders.errors import InputError
from autoencoders.lab import Lab

NAMES = ("vae", "mcae-0.5", "vit-0.75")  # a vector and two kinds of map; each takes seconds
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def lab(smoke: Run) -> Lab:
    cache = smoke.project.cache
    return Lab(settings.load(profile="smoke", dataset="photos10", device="cpu", cache=str(cache)), looks_only=True)


@pytest.fixture(scope="module")
def exported(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exported")
    return {path.name: path for path in exporting.export(lab, NAMES, folder)}


@pytest.mark.parametrize("name", NAMES)
def test_onnx_files_do_what_the_model_does(name: str, lab: Lab, exported: dict[str, Path]) -> None:
    import onnxruntime

    [experiment] = lab.experiments([name])
    model, data = lab.bench.model(experiment), lab.bench.dataset(experiment.data)
    images = data.test.images[:100].float() / 255
    encoder, decoder = (onnxruntime.InferenceSession(exported[name] / f"{p}.onnx") for p in ("encoder", "decoder"))
    for count in (100, 7):
        latents = encoder.run(None, {"images": images[:count].contiguous().numpy()})[0]
        output = decoder.run(None, {"latents": latents})[0]
        assert np.abs(latents - models.embed(model, images[:count]).numpy()).max() < TOLERANCE
        assert np.abs(output - models.reconstruct(model, images[:count]).numpy()).max() < TOLERANCE


def test_weights_are_those_of_the_model(lab: Lab, exported: dict[str, Path]) -> None:
    from safetensors.torch import load_file

    weights = lab.bench.model(lab.experiments(["vae"])[0]).state_dict()
    found = load_file(exported["vae"] / "model.safetensors")
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], value) for name, value in weights.items())
    modes = {path.name: path.stat().st_mode for path in exported["vae"].iterdir()}
    assert len({*modes.values()}) == 1, f"others may read all or nothing: {modes}"


def test_model_card_has_front_matter_and_results(lab: Lab, exported: dict[str, Path]) -> None:
    text = (exported["vae"] / "README.md").read_text(encoding="utf-8")
    front, body = text.split("---\n")[1], text.split("---\n", 2)[2]
    assert yaml.safe_load(front)["license"] == "mit"
    assert yaml.safe_load(front)["datasets"] == ["photos10"]
    for heading in ("Files", "Data", "Training", "Intended use", "Results", "Limits", "Licence"):
        assert f"\n## {heading}\n" in body
    assert "| psnr_mean | clean | all |" in body
    assert "{" not in body.replace(json.dumps({}), "").split("## Results")[1], "no placeholder is left"


def test_loader_reconstructs_a_picture(exported: dict[str, Path], tmp_path: Path) -> None:
    assert len((exported["vae"] / "load.py").read_text().splitlines()) <= 32
    Image.effect_noise((50, 40), 60).convert("RGB").save(tmp_path / "a.png")
    command = [sys.executable, str(exported["vae"] / "load.py"), str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    subprocess.run(command, check=True, cwd=tmp_path)
    assert Image.open(tmp_path / "b.png").size == (32, 32)


def test_untrained_model_is_not_exported(tmp_path: Path) -> None:
    asked = settings.load(profile="smoke", dataset="photos10", device="cpu", cache=str(tmp_path / "cache"))
    with pytest.raises(InputError, match="not trained yet: vae"):
        exporting.export(Lab(asked, looks_only=True), ["vae"], tmp_path / "models")
    assert not (tmp_path / "models").exists()
