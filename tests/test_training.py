"""The training loop: that it learns, repeats itself exactly, survives interruptions and notices divergence."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from autoencoders import machine, models, training
from autoencoders.data import Split
from autoencoders.errors import InputError, StorageError, TrainingError
from autoencoders.models.base import Shape, Terms
from autoencoders.models.conv import ConvAutoencoder
from autoencoders.models.masked import MaskedAutoencoder
from autoencoders.models.vit import ViTMaskedAutoencoder
from autoencoders.specs import MCAE, VAE, ConvAE, Experiment, Gaussian, Training, ViTMAE
from autoencoders.store import Artifact
from autoencoders.studies.digits.models import DigitAutoencoder
from autoencoders.studies.digits.plan import DigitAE

SHAPE = (3, 16, 16)
MODELS: dict[str, tuple[type[Any], Any]] = {
    "ae": (ConvAutoencoder, ConvAE(latent=8, width=4)),
    "vae": (models.VariationalAutoencoder, VAE(latent=8, width=4)),
    "mcae": (MaskedAutoencoder, MCAE(width=4)),
    "vit": (ViTMaskedAutoencoder, ViTMAE(dim=16, depth=1, heads=2, ratio=0.5)),
    "digit": (DigitAutoencoder, DigitAE(dropout=0.2, batch_norm=True)),
}


def blobs(count: int, seed: int = 0) -> Split:
    """Pictures that a small model can learn: a bright spot of any colour, somewhere."""
    generator = torch.Generator().manual_seed(seed)
    centre, colour = 16 * torch.rand(count, 2, 1, 1, generator=generator), torch.rand(count, 3, generator=generator)
    y, x = torch.arange(16).view(16, 1), torch.arange(16).view(1, 16)
    spot = torch.exp(-((y - centre[:, 0]) ** 2 + (x - centre[:, 1]) ** 2) / 30)
    images = 255 * colour[:, :, None, None] * spot[:, None]
    return Split(images.to(torch.uint8), torch.zeros(count, dtype=torch.int64))


TRAIN, VALIDATION = blobs(50), blobs(12, seed=1)


def experiment(name: str = "ae", *, sigma: float | None = 0.2, seed: int = 0, **recipe: Any) -> Experiment:
    corruption = None if sigma is None else Gaussian(sigma)
    settings = Training(**{"epochs": 2, "batch": 16, **recipe})
    return Experiment(name=name, model=MODELS[name][1], corruption=corruption, training=settings, seed=seed)


def fit(
    spec: Experiment, model_class: Any = None, data: Split = TRAIN, validation: Split = VALIDATION, **more: Any
) -> Artifact:
    return training.train(spec, model_class or MODELS[spec.name][0], data, validation, **more)


def assert_equal_weights(a: Artifact, b: Artifact) -> None:
    assert a.arrays.keys() == b.arrays.keys()
    assert [name for name in a.arrays if not np.array_equal(a.arrays[name], b.arrays[name])] == []


def timeless(artifact: Artifact) -> dict[str, list[float]]:
    return {name: values for name, values in artifact.meta["history"].items() if name != "seconds"}


class Recorder(models.Autoencoder):
    """A model of one weight that remembers what it is handed."""

    def __init__(self, spec: object, shape: Shape):
        super().__init__(shape)
        self.weight = nn.Parameter(torch.ones(2, 2))
        self.clean: list[torch.Tensor] = []
        self.noisy: list[torch.Tensor] = []
        self.kl_weights: list[float] = []
        self.draws: list[float] = []

    def losses(
        self, clean: torch.Tensor, noisy: torch.Tensor, generator: torch.Generator, kl_weight: float = 1.0
    ) -> Terms:
        if self.training:
            self.clean.append(clean)
            self.noisy.append(noisy)
            self.kl_weights.append(kl_weight)
            self.draws.append(torch.rand(1, generator=generator).item() + torch.rand(1).item())
        error = (self.weight.mean() * noisy - clean).square().mean()
        return {"loss": self.spoil(error), "error": error}

    def spoil(self, loss: torch.Tensor) -> torch.Tensor:
        return loss


def recorded(spec: Experiment, data: Split = TRAIN) -> list[Recorder]:
    made: list[Recorder] = []

    def build(*arguments: Any) -> Recorder:
        made.append(Recorder(*arguments))
        return made[-1]

    fit(spec, build, data)
    return made


# ── Learning ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", MODELS)
def test_training_teaches_every_family(name: str) -> None:
    history = fit(experiment(name, sigma=None, epochs=15, batch=4, learning_rate=5e-3)).meta["history"]
    images = VALIDATION.images.float() / 255
    mean_image = (images - (TRAIN.images.float() / 255).mean(dim=0)).square().mean().item()
    assert history["validation/error"][-1] < 0.8 * mean_image
    assert history["train/loss"][-1] < 0.8 * history["train/loss"][0]


def test_training_teaches_a_denoiser_the_clean_image() -> None:
    spec = experiment(sigma=0.3, epochs=15, batch=4, learning_rate=5e-3)
    model = models.build(ConvAutoencoder, spec.model, SHAPE, 0)
    models.load_weights(model, fit(spec).arrays)
    clean = VALIDATION.images.float() / 255
    noisy = (clean + 0.3 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(3))).clamp(0, 1)
    errors = [(images - clean).square().mean().item() for images in (models.reconstruct(model, noisy), noisy)]
    assert errors[0] < 0.5 * errors[1]


def test_artifact_is_the_trained_model() -> None:
    spec = experiment(sigma=None)
    artifact = fit(spec)
    model = models.build(ConvAutoencoder, spec.model, SHAPE, 0)
    models.load_weights(model, artifact.arrays)
    with torch.no_grad():
        error = (model(VALIDATION.images.float() / 255) - VALIDATION.images.float() / 255).square().mean().item()
    assert artifact.meta["validation"] == pytest.approx({"loss": error, "error": error}, rel=1e-5)


# ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def numbered(count: int) -> Split:
    images = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(count, 3, 16, 16)
    return Split(images, torch.zeros(count, dtype=torch.int64))


@pytest.mark.parametrize(("count", "batch", "sizes"), [(50, 16, {12, 13}), (7, 100, {7}), (1, 1, {1}), (6, 3, {3})])
def test_epochs_show_every_image_once_in_their_own_order(count: int, batch: int, sizes: set[int]) -> None:
    [model] = recorded(experiment(sigma=None, epochs=3, batch=batch), numbered(count))
    shown = torch.cat([clean[:, 0, 0, 0] * 255 for clean in model.clean]).round().long().view(3, count)
    assert all(torch.equal(epoch.sort().values, torch.arange(count)) for epoch in shown)
    assert count < 7 or not torch.equal(shown[0], shown[1])
    assert {len(clean) for clean in model.clean} == sizes


def test_steps_show_clean_and_noisy_images_as_floats_and_channels_last() -> None:
    [model] = recorded(experiment(sigma=None, epochs=1))
    assert all(torch.equal(*pair) for pair in zip(model.clean, model.noisy, strict=True))
    images = torch.cat(model.clean)
    assert images.dtype == torch.float32
    assert images.max() * 255 == TRAIN.images.max()
    assert all(clean.is_contiguous(memory_format=torch.channels_last) for clean in model.clean)


def test_steps_have_noise_of_their_own() -> None:
    [model] = recorded(experiment(sigma=0.01, epochs=2), numbered(64))
    noise = [(noisy - clean)[noisy.isfinite()].flatten() for clean, noisy in zip(model.clean, model.noisy, strict=True)]
    assert all(len(part) for part in noise)
    assert len({part.std().item() for part in noise}) == len(noise)
    assert len(set(model.draws)) == len(model.draws)


def test_kl_weight_rises_over_its_share_of_the_steps() -> None:
    [model] = recorded(experiment(epochs=5, batch=10, kl_warmup=0.4), numbered(50))
    assert model.kl_weights == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] + [1.0] * 16)
    assert training.kl_weight(Training(kl_warmup=0.0), 0, 100) == 1


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_learning_rate_rises_to_its_peak_and_falls_to_zero(share: float) -> None:
    recipe = Training(learning_rate=0.2, warmup=share)
    rates = [training.learning_rate(recipe, step, 200) for step in range(200)]
    peak = int(200 * share)
    assert rates[: max(peak, 1)] == sorted(rates[: max(peak, 1)])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert max(rates) == pytest.approx(0.2)
    assert min(rates) > 0
    assert share == 1 or rates[-1] < 0.001


def run(name: str = "ae", **recipe: Any) -> training.Run:
    spec = experiment(name, **recipe)
    return training.Run(spec, MODELS[name][0], TRAIN, VALIDATION, torch.device("cpu"))


def test_denormals_taken_for_zero_change_no_bit_of_a_training() -> None:
    def stepped() -> tuple[training.Run, int]:
        under_way, gradients = run("mcae"), []
        with torch.no_grad():
            under_way.model.filters.bias[::2] -= 12.5  # far from the threshold
        under_way.model.filters.register_full_backward_hook(lambda layer, into, out: gradients.append(out[0].clone()))
        for _ in range(5):
            under_way.advance()
        tiny = sum(int(((each != 0) & (each.abs() < torch.finfo(each.dtype).tiny)).sum()) for each in gradients)
        return under_way, tiny

    as_they_are, tiny = stepped()
    assert tiny > 100
    machine.flush_denormals()
    as_zero, none = stepped()
    assert none == 0
    pairs = zip(as_they_are.model.state_dict().values(), as_zero.model.state_dict().values(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_gradients_are_clipped() -> None:
    under_way = run("vae", clip_norm=0.5)
    under_way.advance()
    norm = torch.stack([p.grad.norm() for p in under_way.model.parameters() if p.grad is not None]).norm()
    assert norm.item() == pytest.approx(0.5, rel=1e-3)
    assert under_way.pending[0][-1] > 0.5


def test_weight_decay_spares_biases_and_tokens_and_what_starts_fitted() -> None:
    for name in MODELS:
        under_way = run(name, weight_decay=0.3)
        decays = {id(p): group["weight_decay"] for group in under_way.optimizer.param_groups for p in group["params"]}
        fitted = {id(parameter) for layer in under_way.model.trunk() for parameter in layer.parameters()}
        for path, parameter in under_way.model.named_parameters():
            free = (
                id(parameter) in fitted
                or path.endswith("bias")
                or "token" in path
                or "norm" in path
                or parameter.ndim == 1
            )
            assert decays[id(parameter)] == (0.0 if free else 0.3), f"{name}: {path}"


def test_layers_that_start_fitted_learn_at_their_share_of_the_rate() -> None:
    under_way = run("ae", trunk_rate=0.25)
    under_way.advance()
    rates = {id(p): group["lr"] for group in under_way.optimizer.param_groups for p in group["params"]}
    fitted = {rates[id(p)] for layer in under_way.model.trunk() for p in layer.parameters()}
    others = {rate for rate in rates.values() if rate not in fitted}
    assert [*fitted] == [0.25 * rate for rate in others]


@pytest.mark.parametrize("name", ["ae", "mcae"])
def test_first_weights_are_computed_once_and_not_when_a_training_is_resumed(
    often: None, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[int] = []
    begin = training.Run.start
    monkeypatch.setattr(training.Run, "start", lambda self: (started.append(self.step), begin(self)))
    spec = experiment(name)
    for _ in range(2):
        fit(spec, checkpoint=tmp_path / "checkpoint")
    assert started == [0]


@pytest.mark.parametrize(("supported", "wanted"), [(True, True), (True, False), (False, True)])
def test_bf16_is_used_where_it_is_wanted_and_native(
    monkeypatch: pytest.MonkeyPatch, supported: bool, wanted: bool
) -> None:
    monkeypatch.setattr(training, "_computes_bf16", lambda device: supported)
    seen: list[torch.dtype] = []
    under_way = run(bf16=wanted)
    under_way.model.to_latent.register_forward_hook(lambda *call: seen.append(call[2].dtype))
    under_way.advance()
    under_way.validate()
    half = torch.bfloat16 if supported and wanted else torch.float32
    assert seen == [half, torch.float32]  # validation is always exact
    assert {p.dtype for p in under_way.model.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("processor", "native", "matrix_unit", "faster"),
    [
        ("AMD EPYC", True, False, True),
        ("AMD EPYC", False, False, False),
        ("Intel Xeon", True, False, False),
        ("Intel Xeon", True, True, True),
    ],
)
def test_bf16_is_used_on_processors_that_are_faster_with_it(
    monkeypatch: pytest.MonkeyPatch, processor: str, native: bool, matrix_unit: bool, faster: bool
) -> None:
    monkeypatch.setattr(training.machine, "processor", lambda device: processor)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: matrix_unit)
    assert training._computes_bf16(torch.device("cpu")) is faster


# ── The same spec, the same weights ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", MODELS)
def test_training_repeats_itself_bit_for_bit(name: str) -> None:
    torch.manual_seed(1)
    first = fit(experiment(name))
    torch.manual_seed(2)
    second = fit(experiment(name))
    assert_equal_weights(first, second)
    assert timeless(first) == timeless(second)


def test_training_differs_with_the_seed_and_with_augmentation() -> None:
    first = fit(experiment())
    for other in (fit(experiment(seed=1)), fit(experiment(augment=True))):
        assert any(not np.array_equal(values, other.arrays[name]) for name, values in first.arrays.items())


def test_training_leaves_the_global_generator_alone_and_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    fit(experiment("digit"))
    assert torch.equal(torch.get_rng_state(), before)
    assert capsys.readouterr() == ("", "")


def test_derived_seeds_depend_on_all_their_parts() -> None:
    seeds = {
        training.derived_seed(*parts) for parts in [(0, "a", 1), (0, "a", 2), (0, "b", 1), (1, "a", 1), (0, "a", 11)]
    }
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)


# ── Validation ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["ae", "vae", "mcae"])
def test_validation_shows_the_same_noise_and_masks_each_time(name: str) -> None:
    history = fit(experiment(name, epochs=3, learning_rate=1e-30, bf16=False)).meta["history"]
    assert len(set(history["validation/error"])) == 1
    assert len(set(history["train/error"])) == len(history["train/error"]) > 3


def test_validation_noise_does_not_depend_on_the_seed() -> None:
    first, second = run(), run(seed=1)
    second.model.load_state_dict(first.model.state_dict())
    assert first.validate() == second.validate()


def test_validation_averages_over_images_not_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = run(sigma=None)
    whole = under_way.validate()["error"]
    monkeypatch.setattr(training, "VALIDATION_BATCH", 5)  # of 12 images
    assert under_way.validate()["error"] == pytest.approx(whole, rel=1e-5)


def test_validation_updates_no_statistics() -> None:
    under_way = run("digit")
    before = {name: value.clone() for name, value in under_way.model.state_dict().items()}
    under_way.validate()
    assert all(torch.equal(value, before[name]) for name, value in under_way.model.state_dict().items())
    assert under_way.model.training


# ── What finished weights decide ─────────────────────────────────────────────────────────────────────────────────────


def test_vae_keeps_the_error_of_training_images_as_its_variance() -> None:
    """Not that of validation images, which are black here."""
    black = Split(torch.zeros_like(VALIDATION.images), VALIDATION.labels)
    found = fit(experiment("vae", sigma=None, epochs=3), validation=black).arrays
    model = models.build(models.VariationalAutoencoder, MODELS["vae"][1], SHAPE, 0)
    models.load_weights(model, found)
    clean = TRAIN.images.float() / 255
    with torch.no_grad():
        draws = [model.losses(clean, clean, torch.Generator().manual_seed(i))["error"].item() for i in range(20)]
    assert float(found["weights/variance"]) == pytest.approx(np.mean(draws), rel=0.02)


def test_settling_spreads_over_the_training_images_and_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Settling(Recorder):
        def settle(self, averages: Any) -> None:
            self.averages = averages()

    monkeypatch.setattr(training, "SETTLING_IMAGES", 20)
    bright = Split(TRAIN.images.clone(), TRAIN.labels)
    bright.images[::3] = 255  # what of 50 images every third is: 17 of them
    under_way = run()
    under_way.train = training._on_device(bright.images, torch.device("cpu"))
    under_way.model = Settling(None, SHAPE)
    with torch.no_grad():
        under_way.model.weight.zero_()
    under_way.settle()
    assert under_way.model.averages == {"loss": pytest.approx(1), "error": pytest.approx(1)}


# ── History ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("ae", {"loss", "error"}),
        ("vae", {"loss", "reconstruction", "kl", "error"}),
        ("mcae", {"loss", "masked", "visible", "error"}),
    ],
)
def test_history_has_each_term_at_each_point(name: str, terms: set[str]) -> None:
    history = fit(experiment(name, epochs=3)).meta["history"]
    kinds = {f"{kind}/{term}" for kind in ("train", "validation") for term in terms}
    assert history.keys() == kinds | {"learning_rate", "seconds", "epoch", "images"}
    assert {len(values) for values in history.values()} == {12}, "no more points than steps"
    assert all(math.isfinite(value) for values in history.values() for value in values)


@pytest.mark.parametrize(("epochs", "points"), [(1, 20), (3, 21), (20, 20), (25, 25)])
def test_curves_have_twenty_points_or_one_an_epoch(epochs: int, points: int) -> None:
    meta = fit(experiment(epochs=epochs, batch=1), Recorder).meta
    where = meta["history"]["epoch"]
    assert len(where) == points
    assert where == sorted(set(where))
    assert {float(epoch) for epoch in range(1, epochs + 1)} <= set(where), "the end of each epoch is one"
    assert max(np.diff([0, *where])) <= epochs / points + 1 / len(TRAIN)
    assert sum(meta["history"]["images"]) == meta["images"]


@pytest.mark.parametrize("learned_from", [len(TRAIN), 8])
def test_points_are_taken_of_a_share_of_the_validation_images(
    monkeypatch: pytest.MonkeyPatch, learned_from: int
) -> None:
    """The finished model is validated on all of them; of few training images, so many at a point would be too many."""
    monkeypatch.setattr(training, "GLANCE_IMAGES", 3)
    few = Split(TRAIN.images[:learned_from], TRAIN.labels[:learned_from])
    done = fit(experiment(sigma=None, epochs=1, learning_rate=1e-30, bf16=False), data=few)
    model, meta = models.build(ConvAutoencoder, MODELS["ae"][1], SHAPE, 0), done.meta
    models.load_weights(model, done.arrays)
    images = VALIDATION.images.float() / 255
    with torch.no_grad():
        errors = (model(images) - images).square().mean((1, 2, 3))
    every = math.ceil(len(images) / min(3, learned_from / 4))
    assert every > 1
    assert meta["history"]["validation/error"][-1] == pytest.approx(errors[::every].mean().item(), rel=1e-3)
    assert meta["validation"]["error"] == pytest.approx(errors.mean().item(), rel=1e-3)


def test_history_terms_are_means_over_the_images_since_the_last_point() -> None:
    [model] = recorded(experiment(epochs=1, learning_rate=1e-30, sigma=0.1))
    history = fit(experiment(epochs=1, learning_rate=1e-30, sigma=0.1), Recorder).meta["history"]
    clean, noisy = torch.cat(model.clean), torch.cat(model.noisy)
    whole = np.average(history["train/error"], weights=history["images"])
    assert whole == pytest.approx((noisy - clean).square().mean().item(), rel=1e-5)
    first = round(history["images"][0])
    assert history["train/error"][0] == pytest.approx((noisy - clean)[:first].square().mean().item(), rel=1e-5)


def test_artifact_meta_is_plain_and_complete() -> None:
    meta = fit(experiment(epochs=3)).meta
    assert json.loads(json.dumps(meta, allow_nan=False)) == meta
    assert meta["images"] == 150
    assert meta["steps"] == 12
    model = models.build(ConvAutoencoder, MODELS["ae"][1], SHAPE, 0)
    assert meta["parameters"] == sum(p.numel() for p in model.parameters())
    assert meta["images_per_second"] == pytest.approx(150 / meta["seconds"])
    assert sum(meta["history"]["seconds"]) == pytest.approx(meta["seconds"], rel=1e-6)
    assert {"torch", "device", "threads", "precision"} <= meta.keys()


def test_progress_is_reported_up_to_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STEPS_BETWEEN_SYNCS", 3)
    told: list[training.Progress] = []
    fit(experiment(epochs=20), report=told.append)  # of four steps each, so that a point ends each of them
    assert [p.step for p in told] == [step for step in range(1, 81) if step % 4 in (3, 0)]
    assert [p.epoch for p in told] == [epoch for epoch in range(1, 21) for _ in range(2)]
    assert {(p.steps, p.epochs) for p in told} == {(80, 20)}
    assert all(math.isfinite(p.loss) and p.images_per_second > 0 for p in told)


# ── Interruptions ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every step."""
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", -1.0)


def interrupt(spec: Experiment, path: Path, step: int, data: Split = TRAIN) -> None:
    """Trains until the step before this one is saved, and this one is lost."""

    def report(progress: training.Progress) -> None:
        if progress.step == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(spec, data=data, checkpoint=path, report=report)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("step", [2, 5, 8])
def test_resumed_training_equals_the_uninterrupted_one(often: None, tmp_path: Path, name: str, step: int) -> None:
    whole = fit(experiment(name))
    interrupt(experiment(name), tmp_path / "checkpoint", step)
    steps: list[int] = []
    resumed = fit(
        experiment(name), checkpoint=tmp_path / "checkpoint", report=lambda progress: steps.append(progress.step)
    )
    assert steps == list(range(step, 9))
    assert_equal_weights(whole, resumed)
    assert timeless(whole) == timeless(resumed)
    assert resumed.meta["images"] == whole.meta["images"]


def test_snapshots_and_augmentation_survive_an_interruption(often: None, tmp_path: Path) -> None:
    wanted = experiment(epochs=3, snapshots=2, augment=True)
    whole = fit(wanted)
    snapshots = {name for name in whole.arrays if name.startswith("snapshots/")}
    assert snapshots == {f"snapshots/{name}" for name in ("clean", "seen", "2", "3")}
    assert not np.array_equal(whole.arrays["snapshots/2"], whole.arrays["snapshots/3"])
    interrupt(wanted, tmp_path / "checkpoint", 11)
    assert_equal_weights(whole, fit(wanted, checkpoint=tmp_path / "checkpoint"))


def test_snapshots_change_nothing_else() -> None:
    plain, seen = fit(experiment()), fit(experiment(snapshots=1))
    assert all(np.array_equal(values, seen.arrays[name]) for name, values in plain.arrays.items())


def test_finished_training_is_not_repeated(often: None, tmp_path: Path) -> None:
    first = fit(experiment(), checkpoint=tmp_path / "checkpoint")
    steps: list[int] = []
    second = fit(experiment(), checkpoint=tmp_path / "checkpoint", report=lambda progress: steps.append(progress.step))
    assert steps == []
    assert_equal_weights(first, second)


DAMAGE = {
    "truncated": lambda content: content[: len(content) // 2],
    "flipped": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "empty": lambda content: b"",
    "nonsense": lambda content: b"x" * 1000,
}


@pytest.mark.parametrize("damage", [*DAMAGE, "folder"])
def test_checkpoint_that_is_damaged_is_ignored(often: None, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "checkpoint"
    interrupt(experiment(), path, 5)
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    else:
        path.write_bytes(DAMAGE[damage](content))
    under_way = run()
    under_way.resume(path)
    assert under_way.step == 0


CHECKPOINTS = {  # of another training, and of the same one
    "seed": (experiment(seed=1), TRAIN, 0),
    "recipe": (experiment(learning_rate=1e-4), TRAIN, 0),
    "corruption": (experiment(sigma=0.3), TRAIN, 0),
    "width": (replace(experiment(), model=ConvAE(latent=8, width=8)), TRAIN, 0),
    "model": (replace(experiment("vae"), name="ae"), TRAIN, 0),
    "images": (experiment(), blobs(50, seed=7), 0),
    "name": (replace(experiment(), name="other"), TRAIN, 4),
}


@pytest.mark.parametrize("change", CHECKPOINTS)
def test_checkpoint_of_another_training_is_ignored(often: None, tmp_path: Path, change: str) -> None:
    interrupt(experiment(), tmp_path / "checkpoint", 5)
    spec, images, step = CHECKPOINTS[change]
    model_class = models.VariationalAutoencoder if change == "model" else ConvAutoencoder
    other = training.Run(spec, model_class, images, VALIDATION, torch.device("cpu"))
    other.resume(tmp_path / "checkpoint")
    assert other.step == step
    assert (other.seconds > 0) == (step > 0), "time spent before counts"


@pytest.mark.parametrize("change", ["device", "precision", "processor"])
def test_checkpoint_of_another_device_type_or_precision_is_ignored_and_of_another_cpu_resumed(
    often: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """What went before would be of other rounding; a CPU of another name differs in the last bits at most."""
    monkeypatch.setattr(training, "_computes_bf16", lambda device: False)
    monkeypatch.setattr(training.machine, "processor", lambda device: "CPU A")
    interrupt(experiment(bf16=True), tmp_path / "checkpoint", 5)
    other = training.Run(experiment(bf16=True), ConvAutoencoder, TRAIN, VALIDATION, torch.device("cpu"))
    if change == "device":
        other.device = torch.device("meta")
    elif change == "precision":
        other.bf16 = True
    else:
        monkeypatch.setattr(training.machine, "processor", lambda device: "CPU B")
    other.resume(tmp_path / "checkpoint")
    other.note_processor()
    assert (other.step > 0) == (change == "processor")
    assert other.processors == {"processor": ["CPU A", "CPU B"]}.get(change, ["CPU A"])


def test_history_of_devices_stands_in_the_artifact(
    often: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.machine, "processor", lambda device: "CPU A")
    assert fit(experiment()).meta["device"] == "CPU A"
    interrupt(experiment(), tmp_path / "checkpoint", 5)
    monkeypatch.setattr(training.machine, "processor", lambda device: "CPU B")
    assert fit(experiment(), checkpoint=tmp_path / "checkpoint").meta["device"] == "CPU A, then CPU B"


def test_checkpoints_are_written_whole_or_not_at_all(
    often: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "checkpoint"
    interrupt(experiment(), path, 5)
    assert list(path.parent.iterdir()) == [path]
    before = path.read_bytes()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="can't write the checkpoint .*: No space left on device"):
        fit(experiment(), checkpoint=path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


# ── Divergence ───────────────────────────────────────────────────────────────────────────────────────────────────────


def spoiled(at: int, value: float) -> type[Recorder]:
    """A model whose loss takes that value at that step, counted from 1."""

    class Spoiled(Recorder):
        def spoil(self, loss: torch.Tensor) -> torch.Tensor:
            return loss * value if len(self.clean) == at and self.training else loss

    return Spoiled


@pytest.mark.parametrize("value", [math.nan, -math.inf])
@pytest.mark.parametrize("step", [1, 40, 50])
def test_divergence_names_the_experiment_and_its_first_bad_step(value: float, step: int) -> None:
    with pytest.raises(TrainingError) as failure:
        fit(experiment(batch=2), spoiled(step, value))
    epoch = 1 if step <= 25 else 2
    assert f"ae diverged: the loss or its gradient is not finite at step {step} of 50 (epoch {epoch})" in str(
        failure.value
    )


def test_divergence_of_the_gradient_is_noticed() -> None:
    class Steep(Recorder):
        def spoil(self, loss: torch.Tensor) -> torch.Tensor:
            return loss + (self.weight - self.weight).sum().abs().sqrt() if len(self.clean) == 2 else loss

    with pytest.raises(TrainingError, match="at step 2 of"):
        fit(experiment(), Steep)


def test_divergence_in_the_last_step_is_noticed_by_validation() -> None:
    """No later step computes a loss with its weights; the validation does."""
    with pytest.raises(TrainingError, match="ae diverged: its validation loss is not finite; a lower learning rate"):
        fit(experiment(learning_rate=1e30, warmup=0.0, epochs=1, batch=len(TRAIN)))


def test_divergence_is_never_saved(often: None, tmp_path: Path) -> None:
    with pytest.raises(TrainingError):
        fit(experiment(), spoiled(4, math.nan), checkpoint=tmp_path / "checkpoint")
    spec = experiment()
    under_way = training.Run(spec, Recorder, TRAIN, VALIDATION, torch.device("cpu"))
    under_way.resume(tmp_path / "checkpoint")
    assert under_way.step == 3


# ── Arguments ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"epochs": 0}, "at least 1 epoch"),
        ({"batch": 0}, "1 image in a batch"),
        ({"learning_rate": 0.0}, "learning rate must be positive, not 0.0"),
        ({"learning_rate": math.nan}, "learning rate must be positive, not nan"),
        ({"weight_decay": -1.0}, "weight decay can't be negative"),
        ({"warmup": 1.5}, r"in \[0, 1\]"),
        ({"kl_warmup": -0.1}, r"in \[0, 1\]"),
        ({"clip_norm": 0.0}, "must be positive"),
    ],
)
def test_training_refuses_impossible_recipes(recipe: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit(experiment(**recipe))


def test_training_refuses_data_it_cannot_use() -> None:
    nothing = Split(TRAIN.images[:0], TRAIN.labels[:0])
    smaller = Split(VALIDATION.images[:, :, :8, :8], VALIDATION.labels)
    floats = Split(TRAIN.images.float(), TRAIN.labels)
    for data, validation, message in (
        (nothing, VALIDATION, "at least 1 image"),
        (TRAIN, nothing, "at least 1 image"),
        (TRAIN, smaller, "differ in shape"),
        (floats, VALIDATION, "must be uint8"),
    ):
        with pytest.raises(InputError, match=message):
            fit(experiment(), data=data, validation=validation)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_gpu_learns_what_a_cpu_learns() -> None:
    """From the same weights and the same order of images, in fp32: only the rounding differs."""
    images = torch.randint(0, 256, (512, 3, 32, 32), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    part = Split(images, torch.zeros(512, dtype=torch.int64))
    recipe = Training(epochs=2, bf16=False)
    experiment = Experiment(name="both", model=ConvAE(width=8), training=recipe)

    def errors(device: str) -> list[float]:
        done = training.train(experiment, ConvAutoencoder, part, part, device=device)
        return done.meta["history"]["validation/error"]

    assert errors("cuda") == pytest.approx(errors("cpu"), rel=0.01)
