"""Trained models in a browser: what the interpreter makes of a program is what torch makes of the model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from autoencoders import models
from autoencoders.explore import noise_page, scripts
from autoencoders.explore.pages import ASSETS
from autoencoders.measurements.programs import Program
from autoencoders.measurements.whole_programs import WholeProgram
from autoencoders.reporting import submission
from autoencoders.settings import PROJECT
from autoencoders.specs import MCAE, VAE, ConvAE, SkipAE, ViTMAE
from autoencoders.store import Artifact
from autoencoders.studies.compact.plan import CompactAE
from autoencoders.studies.transfer.plan import SweepAE
from autoencoders.tasks import named

SHAPE = (3, 32, 32)
ARCHITECTURES: dict[str, Any] = {
    "AE": ConvAE(),
    "spatial AE": ConvAE(bottleneck="spatial", latent=32),
    "VAE": VAE(),
    "MCAE": MCAE(),
    "MCAE of small patches": MCAE(patch=2),
    "MCAE of large patches": MCAE(patch=8, width=8),
    "without blocks": ConvAE(width=8, depth=0),
    "sweep": SweepAE(),
    "compact": CompactAE(),
    "usual layers": "usual layers",
}


class Usual(models.Autoencoder):
    """Of layers that most people know: normalised convolutions, dropout, and a linear bottleneck."""

    def __init__(self, spec: Any, shape: tuple[int, int, int]) -> None:
        super().__init__(shape)
        self.encoder = nn.Sequential(
            *(nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.1)),
            *(nn.Flatten(), nn.Linear(512, 16), nn.Sigmoid(), nn.Linear(16, 8, bias=False)),
        )
        self.first, self.decoder = nn.Linear(8, 16), nn.ConvTranspose2d(16, 3, 32)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return self.encoder(images)

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.first(latent)[:, :, None, None])


def trained(spec: Any, shape: tuple[int, int, int] = SHAPE) -> models.Autoencoder:
    """As if: no weight or bias is zero, and half precision holds each."""
    model_class = Usual if spec == "usual layers" else named(spec.implementation)
    model = models.build(model_class, spec, shape, seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.03 * torch.randn(parameter.shape, generator=generator))
            parameter.copy_(parameter.half())
    return model.eval()


def translated(model: models.Autoencoder) -> Any:
    return Program().measure(model, None, "cpu")  # type: ignore[arg-type]


def given(values: torch.Tensor) -> dict[str, Any]:
    """As the interpreter wants it."""
    last = values.permute(0, 2, 3, 1) if values.ndim == 4 else values
    return {"values": last.float().flatten().tolist(), "shape": list(last.shape)}


def test_program_holds_each_weight_once_and_no_variance() -> None:
    for name in ("AE", "MCAE", "sweep"):
        model = trained(ARCHITECTURES[name])
        held = sum(array.size for array in translated(model).arrays.values())
        assert held == sum(parameter.numel() for parameter in model.parameters()), name
    vae, ae = (sum(a.size for a in translated(trained(ARCHITECTURES[name])).arrays.values()) for name in ("VAE", "AE"))
    assert vae == ae


def test_program_is_half_precision_and_json() -> None:
    made = translated(trained(ARCHITECTURES["MCAE"]))
    assert {array.dtype for array in made.arrays.values()} == {np.dtype(np.float16)}
    json.dumps(made.meta)
    assert made.meta["parts"].keys() == {"forward"}
    assert translated(trained(ARCHITECTURES["AE"])).meta["parts"].keys() == {"encode", "decode"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_program_says_that_half_precision_cant_hold_the_weights(value: float) -> None:
    model = trained(CompactAE())
    with torch.no_grad():
        next(model.parameters())[0] = value
    assert "NaN, or infinite" in unsupported(model)


def unsupported(model: models.Autoencoder) -> str:
    """Why browsers can't run it; it is measured all the same."""
    made = translated(model)
    assert made.arrays == made.meta["parts"] == {}
    assert len(made.meta["unsupported"].splitlines()) == 1
    return made.meta["unsupported"]


class Made(models.Autoencoder):
    """Of whatever layers or functions."""

    def __init__(self, encoder: Any, decoder: Any) -> None:
        super().__init__(SHAPE)
        self.encoder, self.decoder, self.scale = encoder, decoder, torch.nn.Parameter(torch.ones(()))

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return self.encoder(images)

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        return self.decoder(latent)


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (torch.sin, "'sin'"),
        (nn.Conv2d(3, 3, 3, dilation=2), "dilation"),
        (nn.MaxPool2d(2), "'MaxPool2d'"),
        (nn.Linear(32, 8), "anything but vectors"),
        (lambda images: images * 2 if images.sum() > 0 else images, "depends on its input"),
        (lambda images: nn.functional.gelu(images, approximate="tanh"), "gelu"),
    ],
)
def test_program_names_what_a_browser_cant_run(layer: Any, named: str) -> None:
    assert named in unsupported(Made(layer, nn.Identity()))
    assert named in unsupported(Made(nn.Identity(), layer))


def test_tensor_library_is_the_one_in_its_manifest() -> None:
    manifest = json.loads(ASSETS.joinpath("vendor/versions.json").read_text(encoding="utf-8"))
    assert {f"vendor/{name}" for name in manifest["files"]} == {*scripts.LIBRARY, scripts.WASM}
    for name, digest in manifest["files"].items():
        raw = ASSETS.joinpath("vendor", name).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == digest, name
        assert manifest["version"].encode() in raw or name.endswith(".wasm")
    assert "Apache License" in scripts.shared()["vendor/LICENSE"]


def test_tensor_library_is_handed_in_with_the_code() -> None:
    handed_in = {name for name, _ in submission._project(PROJECT)}
    assert {f"autoencoders/explore/assets/{name}" for name in (*scripts.LIBRARY, scripts.WASM)} <= handed_in


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Any]:
    """With the interpreter and nothing else."""
    page = browser.new_page()
    for name in ("explore.js", *scripts.SCRIPTS):
        page.add_script_tag(content=ASSETS.joinpath(name).read_text(encoding="utf-8"))
    page.add_script_tag(content=scripts.shared()[f"{scripts.WASM}.js"])
    page.evaluate("() => { loadScript = async () => {}; return startLibrary(); }")
    yield page
    page.close()


RUN = """async ([part, inputs]) => {
  const made = await new Program(part).run(...inputs);
  return [[...made.values], made.shape];
}"""


def run(tab: Any, model: models.Autoencoder, part: str, *inputs: torch.Tensor) -> torch.Tensor:
    """What the browser makes of it, as torch has it."""
    values, shape = tab.evaluate(RUN, [scripts.listed(translated(model), part), list(map(given, inputs))])
    made = torch.tensor(values).reshape(shape)
    return made.permute(0, 3, 1, 2) if made.ndim == 4 else made


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_browser_and_torch_agree(tab: Any, name: str) -> None:
    model = trained(ARCHITECTURES[name])
    images = torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(2))
    if isinstance(model, models.Masked):
        for ratio in (0.0, 0.5):
            mask = models.draw_masks(model, 2, ratio, seed=3)
            found = run(tab, model, "forward", images, model.in_patches(mask))
            assert_equal(found, models.reconstruct(model, images, mask=mask))
        return
    latents = models.embed(model, images)
    assert_equal(run(tab, model, "encode", images), latents)
    assert_equal(run(tab, model, "decode", latents), models.decode(model, latents))


def assert_equal(found: torch.Tensor, wanted: torch.Tensor) -> None:
    assert wanted.std() > 0.005, "or else there is nothing to be seen"
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-3)


@pytest.mark.parametrize("spec", [SkipAE(width=8), ViTMAE(dim=24, depth=2)], ids=["skips", "ViT"])
def test_browser_and_torch_agree_on_whole_programs(tab: Any, spec: Any) -> None:
    model = trained(spec)
    images = torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(2))
    program = scripts.listed(WholeProgram().measure(model, None, "cpu"), "forward")  # type: ignore[arg-type]
    masks = [models.draw_masks(model, 2, ratio, seed=3) for ratio in (0.0, 0.75)] if program["inputs"] > 1 else [None]
    for mask in masks:
        inputs = [images, *([] if mask is None else [model.in_patches(mask)])]  # type: ignore[operator]
        values, shape = tab.evaluate(RUN, [program, list(map(given, inputs))])
        found = torch.tensor(values).reshape(shape).permute(0, 3, 1, 2)
        assert_equal(found, models.reconstruct(model, images, mask=mask))


def test_large_weights_come_in_eight_bits(tab: Any) -> None:
    generator = np.random.default_rng(0)
    weight = (generator.normal(size=(3, 3, 16, 32)) * np.logspace(-4, 1, 32)).astype(np.float16)
    weight[..., 5] = 0
    program = Artifact(
        {"forward/0": weight, "forward/1": weight[0, 0, 0]}, {"parts": {"forward": {"inputs": 1, "steps": []}}}
    )
    part = scripts.listed(program, "forward", rounded=True)
    assert part["coarse"] == [True, False]
    ask = "part => new Program(part).weights.map(weight => [...weight.dataSync()])"
    coarse, fine = (np.array(each) for each in tab.evaluate(ask, part))
    np.testing.assert_array_equal(fine, weight[0, 0, 0].astype(float))
    most = np.abs(weight.astype(float)).max((0, 1, 2))
    assert (np.abs(coarse.reshape(weight.shape) - weight) <= most / 254 * 1.01).all()


def test_browser_and_torch_agree_on_oblong_images(tab: Any) -> None:
    for spec in (ConvAE(width=4, latent=8), MCAE(width=4)):
        model = trained(spec, (1, 16, 24))
        images = torch.rand(1, 1, 16, 24)
        if isinstance(model, models.Masked):
            found = run(tab, model, "forward", images, torch.zeros(1, 1, *model.grid))
        else:
            found = run(tab, model, "decode", run(tab, model, "encode", images))
        assert_equal(found, models.reconstruct(model, images))


def test_text_holds_numbers_exactly(tab: Any) -> None:
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)]
    read = tab.evaluate("text => [...halves(text)]", scripts.text(finite))
    np.testing.assert_array_equal(np.array(read, dtype=np.float64), finite.astype(np.float64))
    raw = np.random.default_rng(0).integers(0, 256, 1001, dtype=np.uint8)
    assert tab.evaluate("text => [...new Uint8Array(bytes(text))]", scripts.text(raw))[:1001] == raw.tolist()


def test_model_that_cannot_run_is_listed_with_its_reason() -> None:
    """And the page doesn't load it."""
    known = translated(trained(CompactAE()))
    programs = {"plain": known, "odd": Artifact({}, {"parts": {}, "unsupported": "browsers have no 'sin' <b>"})}
    lab: Any = SimpleNamespace(measure=lambda subject, spec: programs[subject.name])
    subjects: list[Any] = [SimpleNamespace(name=name, model=None) for name in programs]
    for asked, runs in ((subjects, True), (subjects[1:], False)):
        page = scripts.BrowserModels.of(lab, asked, "encode", "decode").page(
            noise_page.HEAD, "noise.html", {}, ("a.js",)
        )
        assert "The model odd can't run in a browser: browsers have no &#39;sin&#39; &lt;b&gt;" in page.body
        assert ('id="playground"' in page.body, bool(page.scripts)) == (runs, runs)
        assert [name for name in page.files if name.startswith("models/")] == ["models/plain.js"] * runs


def test_models_without_room_are_not_loaded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"large": "x" * 1_250_000, "small": "x" * 200_000, "second": "x" * 1_250_000}
    assert scripts.at_once(files, ["large", "second", "small"], {}, scripts.LIBRARY) == ["large", "small"]
    assert scripts.at_once(files, ["small"], {"data": "x" * 2_000_000}, scripts.LIBRARY) == []
