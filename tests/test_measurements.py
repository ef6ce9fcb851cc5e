"""Measurements of models whose behaviour is known, on images whose content is known."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from autoencoders import models
from autoencoders.data import Dataset, Split
from autoencoders.errors import InputError
from autoencoders.evaluation import latent, probes
from autoencoders.evaluation.readers import fit_reader
from autoencoders.measurements import anomaly, common, generation, layers, masking, probing
from autoencoders.measurements.anomaly import Anomaly, Novelty
from autoencoders.measurements.compression import Compression
from autoencoders.measurements.cost import Cost
from autoencoders.measurements.embedding import Embedding
from autoencoders.measurements.frequencies import Frequencies
from autoencoders.measurements.generation import JUDGE, Arithmetic, Interpolation
from autoencoders.measurements.latent import Cloud, Latent
from autoencoders.measurements.layers import LayerFit, LayerProbe
from autoencoders.measurements.masking import Filling, Importance
from autoencoders.measurements.probing import Probe, ProbeFit, Regions
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.specs import Baseline, Disturbance, Gaussian, PatchMask, PixelMask
from autoencoders.store import Artifact, entries

SHAPE = (3, 16, 16)
CPU = "cpu"

# ── Models that do one thing ─────────────────────────────────────────────────────────────────────────────────────────


class PerPixel(models.Autoencoder):
    """Makes of each pixel what a function makes of it; its latent is the image."""

    def __init__(self, function: Callable[[Tensor], Tensor] = lambda image: image) -> None:
        super().__init__(SHAPE)
        self.function, self.one = function, nn.Parameter(torch.ones(()))

    def encode(self, images: Tensor) -> Tensor:
        return images * self.one

    def decode(self, latent: Tensor) -> Tensor:
        return self.function(latent)


class MeanColour(PerPixel):
    """Paints the whole image in its mean colour."""

    def decode(self, latent: Tensor) -> Tensor:
        return latent.mean((2, 3), keepdim=True).expand(latent.shape)


class Coarse(PerPixel):
    """Knows 2×2 colours, 12 numbers in all."""

    def encode(self, images: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(images, 8) * self.one


class Filler(models.Masked):
    """Shows what is visible as it is, and fills each hole with what a rule makes of the visible pixels."""

    def __init__(self, fill: Callable[[Tensor, Tensor], Tensor], patch: int = 2, keep: bool = True) -> None:
        super().__init__(SHAPE, patch, ratio=0.5, masked_weight=1.0)
        self.fill, self.keep, self.one = fill, keep, nn.Parameter(torch.ones(()))

    def encode(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return images * self.one
        hidden = self.in_pixels(mask)
        filled = self.fill(torch.where(hidden, 0.0, images), ~hidden).expand(images.shape)
        return torch.where(hidden, filled, images if self.keep else torch.zeros_like(images)) * self.one

    def decode(self, latent: Tensor) -> Tensor:
        return latent


def black(visible: Tensor, where: Tensor) -> Tensor:
    return torch.zeros(())


def mean_visible(visible: Tensor, where: Tensor) -> Tensor:
    return visible.sum((2, 3), keepdim=True) / where.sum((2, 3), keepdim=True)


def nearby(radius: int) -> Callable[[Tensor, Tensor], Tensor]:
    """The mean of what is visible within so many pixels."""

    def fill(visible: Tensor, where: Tensor) -> Tensor:
        side = 2 * radius + 1
        shown = nn.functional.avg_pool2d(visible, side, 1, radius)
        return shown / nn.functional.avg_pool2d(where.float(), side, 1, radius).clamp(min=1e-6)

    return fill


# ── Images ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Forbidden:
    """Stands for a split that must not be looked at."""

    what: str

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{self.what} images were looked at")

    def __len__(self) -> int:
        raise AssertionError(f"{self.what} images were counted")


CLASSES = ("a", "b", "c", "d")


def patterns() -> Tensor:
    """One image a class, of four parts such that a − b + c = d."""
    base, u, v, w = torch.full(SHAPE, 0.33), torch.zeros(SHAPE), torch.zeros(SHAPE), torch.zeros(SHAPE)
    u[:, ::2] = 0.2  # rows
    v[:, :, ::4], v[:, :, 1::4] = 0.2, 0.2  # columns
    w[0, :8] = 0.2  # the upper half, red
    return torch.stack([base + u + v, base + u, base + w, base + v + w])


def split(seed: int, each: int) -> Split:
    """Sorted by class, as test sets may be."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(4).repeat_interleave(each)
    noise = torch.rand(len(labels), *SHAPE, generator=generator) * 0.03
    return Split(((patterns()[labels] + noise) * 255).to(torch.uint8), labels)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset("patterns", split(0, 40), split(1, 10), split(2, 10), CLASSES, "fingerprint")


def without(data: Dataset, *splits: str) -> Dataset:
    forbidden: dict[str, Any] = {name: Forbidden(name) for name in splits}
    return replace(data, **forbidden)


def measured(
    spec: Any, subject: Any, data: Dataset, **needed: Any
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    """The arrays, and the rows by metric, or by region and metric where there are several regions."""
    artifact = spec.measure(subject, data, CPU, **needed)
    entries.canonical(artifact.meta)  # raises for what isn't JSON
    rows = artifact.meta["rows"]
    assert all(row.keys() == ROW for row in rows)
    several = len({row["region"] for row in rows}) > 1
    return artifact.arrays, {f"{r['region']}/{r['metric']}" if several else r["metric"]: r for r in rows}


ROW = {"split", "input", "region", "metric", "value", "lo", "hi", "n"}

# ── Which images ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_chosen_images_are_in_one_mixed_order(data: Dataset) -> None:
    images, labels = common.chosen(data.test, None)
    assert len(images) == len(labels) == 40
    assert not torch.equal(labels, data.test.labels), "the first few of a sorted set would all be of one class"
    assert torch.equal(labels.sort().values, data.test.labels)
    few, few_labels = common.chosen(data.test, 7)
    assert torch.equal(few, images[:7])
    assert torch.equal(few_labels, labels[:7])
    assert len(common.chosen(data.test, 1000)[0]) == 40
    assert len(common.chosen(data.test, 0)[0]) == 0


def test_all_subjects_are_shown_the_same_images_and_the_same_noise(data: Dataset) -> None:
    """So that their values can be compared in pairs."""
    spec = Reconstruction(input=Gaussian(0.3), images=20)
    subjects = [PerPixel(), MeanColour(), *(Baseline(method=m) for m in ("input", "pca", "ridge", "tv"))]
    arrays = [measured(spec, subject, data)[0] for subject in subjects]
    for name in ("examples/clean", "examples/seen"):
        assert all(np.array_equal(found[name], arrays[0][name]) for found in arrays)
    np.testing.assert_allclose(arrays[0]["all/mse"], arrays[2]["all/mse"], rtol=1e-6, err_msg="they show their input")
    labels = [
        measured(Latent(images=20), subject, data)[0]["labels"] for subject in (PerPixel(), Baseline(method="pixels"))
    ]
    assert np.array_equal(labels[0], labels[1])
    assert np.array_equal(labels[0], common.chosen(data.test, 20)[1])


def test_noise_depends_on_the_seed_alone(data: Dataset) -> None:
    spec = Reconstruction(input=Gaussian(0.3))
    first, again, other = (measured(s, PerPixel(), data)[0]["all/mse"] for s in (spec, spec, replace(spec, seed=1)))
    torch.manual_seed(1)
    assert np.array_equal(first, again)
    assert np.array_equal(first, measured(spec, PerPixel(), data)[0]["all/mse"])
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("split_name", ["test", "validation"])
def test_reconstruction_is_of_the_split_asked_for(data: Dataset, split_name: Any) -> None:
    other = "validation" if split_name == "test" else "test"
    spec = Reconstruction(split=split_name)
    arrays, rows = measured(spec, PerPixel(), without(data, "train", other))
    images = getattr(data, split_name).images
    assert {row["split"] for row in rows.values()} == {split_name}
    assert rows["mse"]["n"] == len(arrays["all/mse"]) == len(images)
    assert all((images == torch.as_tensor(shown)).flatten(1).all(1).any() for shown in arrays["examples/clean"])


# ── Leaks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "spec",
    [
        Reconstruction(input=Gaussian(0.3)),
        Latent(images=20),
        Anomaly(),
        Interpolation(pairs=5),
        Embedding(images=20),
        Frequencies(images=20),
    ],
)
def test_models_are_measured_without_training_or_validation_images(data: Dataset, spec: Any) -> None:
    measured(spec, PerPixel(), without(data, "train", "validation"))


@pytest.mark.parametrize("spec", [Importance(images=5, draws=1), Filling()])
def test_masked_models_are_measured_without_training_or_validation_images(data: Dataset, spec: Any) -> None:
    measured(spec, Filler(mean_visible), without(data, "train", "validation"))


@pytest.mark.parametrize("subject", [PerPixel(), Baseline(method="pixels"), Baseline(method="pca"), JUDGE])
@pytest.mark.parametrize("classifier", ["ridge", "logistic"])
def test_classifiers_are_fitted_without_test_images_and_asked_without_others(
    data: Dataset, subject: Any, classifier: Any
) -> None:
    spec = Probe(fit=ProbeFit(classifier=classifier))
    fit = spec.fit.measure(subject, without(data, "test"), CPU)
    if isinstance(subject, models.Autoencoder):  # baselines are fitted to training images, too
        _, rows = measured(spec, subject, without(data, "train", "validation"), fit=fit)
        assert rows["probe_linear"]["value"] == 1


# ── Reconstruction ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_reconstruction_of_a_perfect_model_has_no_error(data: Dataset) -> None:
    arrays, rows = measured(Reconstruction(), PerPixel(), data)
    assert (arrays["all/mse"] == 0).all()
    assert {m: rows[m]["value"] for m in ("mse", "mae", "psnr_mean", "psnr_pooled", "ssim")} == {
        "mse": 0,
        "mae": 0,
        "psnr_mean": np.inf,
        "psnr_pooled": np.inf,
        "ssim": pytest.approx(1, abs=1e-5),
    }
    assert {(row["input"], row["split"], row["region"], row["n"]) for row in rows.values()} == {
        ("clean", "test", "all", 40)
    }
    for name in ("seen", "output"):
        assert np.array_equal(arrays[f"examples/{name}"], arrays["examples/clean"])


def test_reconstruction_errors_equal_those_by_hand(data: Dataset) -> None:
    arrays, rows = measured(Reconstruction(images=10), PerPixel(lambda image: image * 0 + 0.5), data)
    clean = common.chosen(data.test, 10)[0].numpy() / 255
    np.testing.assert_allclose(arrays["all/mse"], ((clean - 0.5) ** 2).mean((1, 2, 3)), rtol=1e-5)
    assert rows["mse"]["value"] == pytest.approx(((clean - 0.5) ** 2).mean(), rel=1e-5)
    assert rows["psnr_pooled"]["value"] == pytest.approx(-10 * np.log10(((clean - 0.5) ** 2).mean()), rel=1e-5)
    assert rows["mse"]["lo"] < rows["mse"]["value"] < rows["mse"]["hi"]
    assert (arrays["examples/output"] == 128).all()


def test_reconstruction_hides_the_share_of_pixels_asked_for(data: Dataset) -> None:
    arrays, rows = measured(Reconstruction(input=PixelMask(0.25)), Baseline(method="input"), data)
    changed = (arrays["examples/seen"] != arrays["examples/clean"]).any(1)
    assert {int(n) for n in changed.sum((1, 2))} == {64}
    assert {row["input"] for row in rows.values()} == {"mask:0.25"}
    assert {row["region"] for row in rows.values()} == {"all"}


def test_masked_region_is_what_was_hidden_and_nothing_else(data: Dataset) -> None:
    spec = Reconstruction(input=PatchMask(0.25))
    arrays, rows = measured(spec, Filler(black), data)
    hidden = (arrays["examples/seen"] == 128).all(1)
    assert (hidden.mean((1, 2)) == 0.25).all()
    clean = arrays["examples/clean"] / 255
    by_hand = [(image[:, holes] ** 2).mean() for image, holes in zip(clean, hidden, strict=True)]
    np.testing.assert_allclose(arrays["masked/mse"][: len(by_hand)], by_hand, rtol=1e-5)
    np.testing.assert_allclose(arrays["all/mse"], arrays["masked/mse"] / 4, rtol=1e-5)
    assert rows["masked/mse"]["input"] == rows["all/mse"]["input"] == "mask:0.25"
    assert "masked/ssim" not in rows, "a region of holes has no windows"
    other_way = measured(spec, Filler(lambda visible, where: torch.zeros(()), keep=False), data)[0]
    assert (other_way["all/mse"] > other_way["masked/mse"] / 4).all()


def test_only_hidden_pixels_count_in_the_masked_region(data: Dataset) -> None:
    """A model that knows what is hidden, and forgets what is visible."""
    spec = Reconstruction(input=PatchMask(0.5))
    images = common.to_unit_range(common.chosen(data.test, None)[0], CPU)
    arrays, _ = measured(spec, Filler(lambda visible, where: images[: len(visible)], keep=False), data)
    assert (arrays["masked/mse"] == 0).all()
    assert (arrays["all/mse"] > 0.01).all()


def test_masks_are_the_same_for_models_of_one_grid(data: Dataset) -> None:
    spec = Reconstruction(input=PatchMask(0.5))
    one, other = (measured(spec, Filler(fill), data)[0]["examples/seen"] for fill in (black, mean_visible))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("subject", [PerPixel(), Baseline(method="pca")])
def test_subjects_without_patches_refuse_patch_masks(data: Dataset, subject: Any) -> None:
    with pytest.raises(AssertionError, match="only masked models hide patches"):
        measured(Reconstruction(input=PatchMask(0.5)), subject, data)


def test_fitted_baselines_beat_the_noisy_input(data: Dataset) -> None:
    spec = Reconstruction(input=Gaussian(0.3))
    values = {
        method: measured(spec, Baseline(method=method, size=8), data)[1]["mse"]["value"]
        for method in ("input", "pca", "ridge", "tv", "nlm")
    }
    assert max(values["pca"], values["ridge"], values["tv"], values["nlm"]) < 0.5 * values["input"]


def test_linear_denoiser_of_one_level_is_best_at_it(data: Dataset) -> None:
    """At other levels than its own it can't beat one that is fitted there."""
    ridge, fixed = Baseline(method="ridge"), Baseline(method="ridge", sigma=0.3)

    def error(subject: Baseline, sigma: float) -> float:
        return float(measured(Reconstruction(input=Gaussian(sigma)), subject, data)[0]["all/mse"].mean())

    assert error(fixed, 0.3) == error(ridge, 0.3)
    assert error(fixed, 0.05) > 1.2 * error(ridge, 0.05)
    with pytest.raises(ValueError, match="fitted to noise"):
        measured(Reconstruction(input=Disturbance("blur", 1.0)), ridge, data)


def test_reconstructions_of_disturbed_images_are_compared_with_the_clean_ones(data: Dataset) -> None:
    """A model that shows its input is as far off as the disturbance moves it: half the deviations from the mean."""
    spec = Reconstruction(input=Disturbance("low contrast", 0.5))
    arrays, rows = measured(spec, PerPixel(), data)
    clean = common.to_unit_range(common.chosen(data.test, None)[0], CPU)
    assert arrays["all/mse"] == pytest.approx(0.25 * clean.var((1, 2, 3), correction=0).numpy(), rel=1e-3)
    assert rows["mse"]["input"] == "low contrast:0.5"


def test_total_variation_is_measured_on_its_share_of_the_images(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoencoders.measurements.reconstruction.SLOW_IMAGES", 6)
    arrays, rows = measured(Reconstruction(input=Gaussian(0.1)), Baseline(method="tv"), data)
    assert rows["mse"]["n"] == len(arrays["all/mse"]) == 6
    whole = measured(Reconstruction(input=Gaussian(0.1)), Baseline(method="input"), data)[0]
    assert np.array_equal(arrays["examples/clean"][:6], whole["examples/clean"][:6])


def test_examples_are_as_many_as_asked_for(data: Dataset) -> None:
    arrays, _ = measured(Reconstruction(examples=3), PerPixel(), data)
    assert {len(arrays[f"examples/{n}"]) for n in ("clean", "seen", "output")} == {3}
    assert {arrays[f"examples/{n}"].dtype for n in ("clean", "seen", "output")} == {np.dtype(np.uint8)}


# ── Probes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_classifier_judges_clean_and_noisy_images(data: Dataset) -> None:
    fit = ProbeFit().measure(PerPixel(), data, CPU)
    clean, noisy = (measured(Probe(input=seen), PerPixel(), data, fit=fit) for seen in (None, Gaussian(0.9)))
    assert clean[1]["probe_linear"]["value"] == 1
    assert noisy[1]["probe_linear"]["value"] < 1
    assert noisy[1]["probe_linear"]["input"] == "gaussian:0.9"
    assert clean[0]["probe_linear/correct"].shape == (40,)


class Mirrored(PerPixel):
    """Latents of noisy images lie on the other side of the origin: all is there, but where no clean one was."""

    def encode(self, images: Tensor) -> Tensor:
        noisy = images.diff(dim=3).abs().mean((1, 2, 3), keepdim=True) > 0.25
        return torch.where(noisy, -images, images) * self.one


def test_classifier_fitted_to_noisy_latents_finds_what_noise_only_moves(data: Dataset) -> None:
    noise, found = Gaussian(0.5), {}
    for fitted in (None, noise):
        spec = ProbeFit(input=fitted)
        fit = spec.measure(Mirrored(), without(data, "test"), CPU)
        for seen in (None, noise):
            probe = Probe(fit=spec, input=seen)
            found[fitted, seen] = measured(probe, Mirrored(), data, fit=fit)[1][probe.metric]["value"]
    assert found[None, None] == 1
    assert found[noise, noise] > 0.9
    assert found[None, noise] < 0.5
    assert found[noise, None] < 0.5
    assert Probe(fit=ProbeFit(input=noise)).metric == "probe_linear_fit_gaussian:0.5"


def test_probes_pair_with_the_images(data: Dataset) -> None:
    fit = ProbeFit().measure(PerPixel(), data, CPU)
    arrays, _ = measured(Probe(input=Gaussian(0.9), images=15), PerPixel(), data, fit=fit)
    images, labels = common.chosen(data.test, 15)
    seen = common.corrupted(common.to_unit_range(images, CPU), Gaussian(0.9), Probe().seed)
    expected = probing.restored("native", fit).predict(seen.flatten(1)) == labels.numpy()
    assert np.array_equal(arrays["probe_linear/correct"], expected)


def test_large_embeddings_are_also_compared_reduced(data: Dataset) -> None:
    spec = Probe(fit=ProbeFit(reduced=8))
    fit = spec.fit.measure(PerPixel(), data, CPU)
    assert fit.arrays["native/weight"].shape[0] == 768 == fit.meta["size"]
    assert fit.arrays["reduced/weight"].shape[0] == 8
    arrays, rows = measured(spec, PerPixel(), data, fit=fit)
    assert rows.keys() == {"probe_linear", "probe_linear_pca8"}
    images, labels = common.chosen(data.test, None)
    train, test = probes.reduce(data.train.images, images, k=8)
    validation = probes.reduce(data.train.images, data.validation.images, k=8)[1]
    own = probes.fit_ridge(train, data.train.labels, validation, data.validation.labels)
    assert np.mean((own.predict(test) == labels.numpy()) == arrays["probe_linear_pca8/correct"]) > 0.97


def test_small_embeddings_are_compared_as_they_are(data: Dataset) -> None:
    spec = Probe(fit=ProbeFit(reduced=768))
    fit = spec.fit.measure(PerPixel(), data, CPU)
    assert not any(name.startswith("reduced") for name in fit.arrays)
    arrays, rows = measured(spec, PerPixel(), data, fit=fit)
    assert rows.keys() == {"probe_linear", "probe_linear_pca768"}
    assert np.array_equal(arrays["probe_linear/correct"], arrays["probe_linear_pca768/correct"])


def test_maps_have_a_metric_of_their_own_and_are_averaged_to_a_size(data: Dataset) -> None:
    class Wide(PerPixel):
        def feature_map(self, images: Tensor) -> Tensor:
            return images.repeat(1, 10, 1, 1)  # 30·16·16 values, more than a probe takes

    features = common.features_of(Wide(), data.test.images, "map", data, CPU)
    assert features.shape == (40, 30 * 8 * 8)
    means = nn.functional.avg_pool2d(data.test.images.float() / 255, 2)
    torch.testing.assert_close(features.unflatten(1, (30, 8, 8))[:, :3], means)
    spec = Probe(fit=ProbeFit(features="map"))
    fit = spec.fit.measure(PerPixel(), data, CPU)
    assert measured(spec, PerPixel(), data, fit=fit)[1].keys() == {
        "probe_linear_map",
        "probe_linear_map_pca128",
    }


class Sieve(models.Autoencoder):
    """Its first layer passes on what its last one loses."""

    def __init__(self) -> None:
        super().__init__(SHAPE)
        self.first, self.last = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 2, 1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
        with torch.no_grad():
            self.first.weight.copy_(torch.eye(3)[:, :, None, None])

    def encode(self, images: Tensor) -> Tensor:
        return self.last(self.first(images))


def test_layers_are_chosen_on_validation_images(data: Dataset) -> None:
    fit = LayerFit().measure(Sieve(), without(data, "test"), CPU)
    assert fit.meta["span"] == "first"
    assert fit.meta["by_span"]["first"] > fit.meta["by_span"]["last"] == 0.25
    assert fit.meta["validation"] == fit.meta["by_span"]["first"]
    assert (fit.meta["grid"], fit.meta["size"]) == (4, 2 * 3 * 16)
    lazy = replace(data, validation=Split(data.validation.images, data.validation.labels.flip(0)))
    assert LayerFit().measure(Sieve(), lazy, CPU).meta["by_span"]["first"] < 0.25, "its images have other labels"


def test_layers_are_read_as_in_training_and_pair_with_the_images(data: Dataset) -> None:
    spec = LayerProbe(fit=LayerFit(labels=(20, 1000)))
    fit = spec.fit.measure(Sieve(), data, CPU)
    arrays, rows = measured(spec, Sieve(), without(data, "train", "validation"), fit=fit)
    assert rows.keys() == {"probe_linear_layers", "probe_linear_layers:20"}, "there are no 1000 labels"
    images, labels = common.chosen(data.test, None)
    assert np.array_equal(arrays["labels"], labels)
    reader = fit_reader([common.to_unit_range(common.chosen(data.train, layers.STANDARDISED)[0], CPU)], 4)
    features = reader.read([common.to_unit_range(images, CPU)])
    expected = probing.restored("all", fit).predict(features) == labels.numpy()
    assert np.array_equal(arrays["probe_linear_layers/correct"], expected)
    assert rows["probe_linear_layers"]["value"] == expected.mean() > 0.5


def test_few_labels_are_the_first_ones(data: Dataset) -> None:
    """With the others wrong, the classifier that was fitted to few is as good as before."""
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))
    wrong = data.train.labels.clone()
    wrong[order[20:]] = 0
    spec = LayerFit(labels=(20,))
    found = [spec.measure(Sieve(), d, CPU) for d in (data, replace(data, train=Split(data.train.images, wrong)))]
    assert np.array_equal(*(fit.arrays["20/weight"] for fit in found))
    assert not np.array_equal(*(fit.arrays["all/weight"] for fit in found))


def test_pixels_are_read_as_a_layer_and_other_baselines_have_none(data: Dataset) -> None:
    pixels = LayerFit().measure(Baseline(method="pixels"), without(data, "test"), CPU)
    first = LayerFit().measure(Sieve(), data, CPU)
    np.testing.assert_allclose(pixels.arrays["all/weight"], first.arrays["all/weight"], rtol=1e-3, atol=1e-5)
    with pytest.raises(ValueError, match="baseline/patches has no layers"):
        LayerFit().measure(Baseline(method="patches"), data, CPU)


@pytest.mark.parametrize(
    ("shapes", "grid"),
    [([(32, 16, 16)], 4), ([(256, 4, 4)], 1), ([(64, 8, 8)], 2), ([(900, 8, 8)], 1), ([(3, 2, 2), (5,)], 4)],
)
def test_grid_is_the_finest_that_leaves_few_numbers(shapes: list[tuple[int, ...]], grid: int) -> None:
    assert layers._grid([torch.zeros(1, *shape) for shape in shapes]) == grid


def test_embeddings_of_one_geometry_are_alike(data: Dataset) -> None:
    turned = torch.linalg.qr(torch.randn(768, 768, generator=torch.Generator().manual_seed(0))).Q
    subjects = [PerPixel(), changed(lambda f: 3 * f @ turned), Coarse()]
    found = [measured(Embedding(directions=30), subject, without(data, "train")) for subject in subjects]
    one, same, coarse = (arrays["coordinates"] for arrays, _ in found)
    assert one.shape == same.shape == coarse.shape == (40, 30)
    assert not coarse[:, 12:].any(), "it has no more directions"
    assert latent.linear_cka(one, same) == pytest.approx(1, abs=1e-3)
    images = common.chosen(data.test, None)[0].float()
    whole = latent.linear_cka(images, common.features_of(Coarse(), images / 255, "latent", data, CPU))
    assert latent.linear_cka(one, coarse) == pytest.approx(whole, abs=0.01), "weak directions count little"
    dimensions = [rows["effective_dimension"]["value"] for _, rows in found]
    assert dimensions[0] == pytest.approx(dimensions[1], rel=1e-3)
    assert dimensions[0] == pytest.approx(latent.effective_dimension(images), rel=1e-3)


def test_detail_is_kept_by_a_copy_and_lost_by_the_mean_image(data: Dataset) -> None:
    spec = Frequencies(images=20)
    arrays, rows = measured(spec, PerPixel(), without(data, "train", "validation"))
    assert rows["lost_detail"]["value"] == arrays["error"].max() == 0 < arrays["signal"].max()
    arrays, rows = measured(spec, Baseline(method="mean"), without(data, "validation"))
    assert rows["lost_detail"]["value"] == pytest.approx(1, rel=0.2)
    assert arrays["frequency"].shape == arrays["error"].shape == arrays["signal"].shape
    assert rows["lost_detail"]["n"] == len(arrays["lost_detail"]) == 20


@pytest.mark.parametrize("method", ["pixels", "pca", "patches"])
def test_features_of_baselines_are_the_same_for_bytes_and_floats(data: Dataset, method: Any) -> None:
    found = [
        common.features_of(Baseline(method=method, size=5), images, "latent", data, CPU)
        for images in (data.test.images, common.to_unit_range(data.test.images, CPU))
    ]
    torch.testing.assert_close(*found)
    assert len(found[0]) == 40
    assert found[0].ndim == 2


def test_regions_of_classes_that_a_plane_parts(data: Dataset) -> None:
    spec = Regions(images=12, grid=60)
    arrays, rows = measured(spec, Coarse(), without(data, "validation"))
    assert rows["plane_accuracy"]["value"] == rows["plane_full_accuracy"]["value"] == 1
    assert rows["plane_accuracy"]["n"] == 12
    assert arrays["points"].shape == (12, 2)
    assert arrays["response"].shape == (60, 60)
    assert np.array_equal(arrays["labels"], common.chosen(data.test, 12)[1])
    assert (np.diff(arrays["x"]) > 0).all()
    assert (np.diff(arrays["y"]) > 0).all()
    for point, label in zip(arrays["points"], arrays["labels"], strict=True):  # rows are y, columns are x
        column, line = np.abs(arrays["x"] - point[0]).argmin(), np.abs(arrays["y"] - point[1]).argmin()
        assert arrays["response"][line, column] == label


def test_collapsed_embedding_knows_the_classes_shares_alone(data: Dataset) -> None:
    uneven = replace(data, train=Split(data.train.images[20:], data.train.labels[20:]))  # the first class is the rarest
    arrays, rows = measured(Regions(grid=5), changed(lambda features: features * 0), uneven)
    assert rows["plane_accuracy"]["value"] == rows["plane_full_accuracy"]["value"] == 0.25
    assert (arrays["points"] == 0).all()
    assert len(np.unique(arrays["response"])) == 1
    assert (np.diff(arrays["x"]) > 0).all()


def test_embedding_of_one_direction_has_a_plane_too(data: Dataset) -> None:
    arrays, rows = measured(Regions(grid=5), changed(lambda f: f[:, :1].expand(-1, 9)), data)
    assert (arrays["points"][:, 1] == 0).all()
    assert (arrays["points"][:, 0] != 0).any()
    assert rows["plane_accuracy"]["value"] <= 1


def test_two_classes_are_parted_along_a_line(data: Dataset) -> None:
    parts = {name: getattr(data, name) for name in ("train", "test")}
    two = replace(data, **{name: Split(part.images, part.labels % 2) for name, part in parts.items()})
    arrays, _ = measured(Regions(grid=5), PerPixel(), two)
    assert (arrays["points"][:, 1] == 0).all()
    assert {*np.unique(arrays["response"])} <= {0, 1}


def changed(change: Callable[[Tensor], Tensor]) -> PerPixel:
    """A model whose embeddings are changed on their way."""

    class Changed(PerPixel):
        def encode(self, images: Tensor) -> Tensor:
            return change(images.flatten(1)) * self.one

    return Changed()


@pytest.mark.parametrize(("few", "told"), [([0, 40], "2 of 2 classes"), (range(40), "40 of 1 classes")])
def test_too_few_classes_for_a_plane_are_told(data: Dataset, few: Any, told: str) -> None:
    some = replace(data, train=Split(data.train.images[[*few]], data.train.labels[[*few]]))
    with pytest.raises(InputError, match=f"at least two classes of several images, not {told}"):
        Regions().measure(PerPixel(), some, CPU)


# ── Latents ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_structure_of_classes_that_lie_apart(data: Dataset) -> None:
    _, rows = measured(Latent(input=Gaussian(0), images=24), PerPixel(), data)
    assert rows["cka"]["value"] == pytest.approx(1)
    assert rows["shift_mean"]["value"] == rows["shift_sample"]["value"] == 0
    assert rows["tsne_trustworthiness"]["value"] > 0.5


def test_noise_moves_latents(data: Dataset) -> None:
    artifact = Latent(images=24).measure(PerPixel(), data, CPU)
    rows = {(row["input"], row["metric"]): row["value"] for row in artifact.meta["rows"]}
    assert rows["clean", "silhouette"] > rows["gaussian:0.3", "silhouette"]
    assert rows["gaussian:0.3", "cka"] < 1
    assert rows["gaussian:0.3", "shift_sample"] > rows["gaussian:0.3", "shift_mean"] > 0
    assert artifact.arrays["shift_sample"].shape == (24,)
    assert artifact.arrays["shift_sample"].mean() == pytest.approx(rows["gaussian:0.3", "shift_sample"])
    assert artifact.meta["classes"] == list(CLASSES)
    assert artifact.arrays["clean/tsne"].shape == (24, 2)


def test_cloud_lies_in_axes_that_both_kinds_of_input_share(data: Dataset) -> None:
    still = Cloud(input=Gaussian(0), images=24).measure(PerPixel(), data, CPU).arrays
    artifact = Cloud(images=24).measure(PerPixel(), data, CPU)
    moved, rows = artifact.arrays, {row["metric"]: row["value"] for row in artifact.meta["rows"]}
    for view, dims in (("pca2", 2), ("pca3", 3), ("tsne2", 2), ("tsne3", 3)):
        assert moved[f"clean/{view}"].shape == moved[f"noisy/{view}"].shape == (24, dims)
        assert 0 < rows[f"{view}_trustworthiness"] <= 1
    assert np.allclose(still["clean/pca3"], still["noisy/pca3"], atol=1e-5), "what doesn't change doesn't move"
    assert np.allclose(still["clean/pca3"], moved["clean/pca3"]), "the axes are those of the clean latents"
    assert not np.allclose(moved["clean/pca3"], moved["noisy/pca3"], atol=1e-2)
    assert np.array_equal(moved["clean/pca2"], moved["clean/pca3"][:, :2])
    assert np.allclose(still["noisy/outwards"], still["clean/away"])
    assert np.allclose(still["noisy/aside"], 0, atol=1e-6)
    assert moved["noisy/aside"].min() > 0
    chosen, labels = common.chosen(data.test, 24)
    assert np.array_equal(moved["clean/images"], chosen.numpy())
    assert np.array_equal(moved["labels"], labels.numpy())
    assert (moved["noisy/images"] != moved["clean/images"]).mean() > 0.5


# ── Interpolation and arithmetic ─────────────────────────────────────────────────────────────────────────────────────


def test_interpolation_between_images_themselves_is_a_cross_fade(data: Dataset) -> None:
    spec = Interpolation(pairs=8, steps=5)
    arrays, rows = measured(spec, PerPixel(), data)
    assert rows["detour_linear"]["value"] == pytest.approx(1, abs=1e-4)
    assert rows["jump_linear"]["value"] == pytest.approx(1, abs=1e-3)
    assert rows["detour_linear"]["n"] == 8
    path, ends = arrays["examples/linear"], arrays["examples/ends"]
    assert path.shape == (6, 5, *SHAPE)
    assert np.array_equal(path[:, 0], ends[:, 0])
    assert np.array_equal(path[:, -1], ends[:, 1])
    middle = (ends[:, 0].astype(int) + ends[:, 1]) / 2
    assert np.abs(path[:, 2] - middle).max() <= 1


def test_interpolation_along_the_arc_is_a_detour_for_images_themselves(data: Dataset) -> None:
    rows = measured(Interpolation(pairs=8), PerPixel(), data)[1]
    assert rows["detour_spherical"]["value"] > rows["detour_linear"]["value"]


def test_interpolation_needs_two_images(data: Dataset) -> None:
    def of(count: int) -> Dataset:
        return replace(data, test=Split(data.test.images[:count], data.test.labels[:count]))

    rows = measured(Interpolation(), PerPixel(), of(5))[1]
    assert rows["detour_linear"]["n"] == 2, "of an odd number, one has no partner"
    with pytest.raises(InputError, match="1 test images are too few"):
        measured(Interpolation(), PerPixel(), of(1))


def test_interpolation_tells_a_model_that_jumps(data: Dataset) -> None:
    model = PerPixel(lambda image: (image.mean((1, 2, 3), keepdim=True) > 0.48).float().expand(image.shape))
    arrays = measured(Interpolation(pairs=20, steps=9), model, data)[0]
    assert set(arrays["linear/jump"].round(3)) == {1, 8}, "all of the way in one of eight steps, or standing still"


@pytest.fixture(scope="module")
def judge(data: Dataset) -> Artifact:
    return ProbeFit().measure(JUDGE, data, CPU)


def test_arithmetic_with_latents_made_by_hand(data: Dataset, judge: Artifact) -> None:
    """a − b + c is d by construction."""
    spec = Arithmetic(classes=("a", "b", "c"), draws=30, examples=4)
    artifact = spec.measure(PerPixel(), without(data, "test"), CPU, judge)
    rows = {row["metric"]: row for row in artifact.meta["rows"]}
    assert artifact.meta["mean_judged_as"] == {"judge": "d", "neighbours": "d"}
    assert [rows[f"arithmetic_judged_{name}"]["value"] for name in "abc"] == [0, 0, 0]
    assert rows["arithmetic_judged_a"]["n"] == 30
    assert rows["arithmetic_reference_c"]["value"] == 1
    assert rows["arithmetic_neighbours_share"]["value"] > 0.6
    assert {row["input"] for row in rows.values()} == {"a-b+c"}
    assert {row["split"] for row in rows.values()} == {"validation"}, "that is where these images come from"
    mean = artifact.arrays["examples/mean"][0] / 255
    np.testing.assert_allclose(mean, patterns()[3].numpy() + 0.015, atol=0.03)
    results = artifact.arrays["examples/result"].astype(int)
    parts = [artifact.arrays[f"examples/{name}"].astype(int) for name in "abc"]
    assert np.abs(results - (parts[0] - parts[1] + parts[2]).clip(0, 255)).max() <= 1


def test_arithmetic_is_compared_with_other_classes(data: Dataset, judge: Artifact) -> None:
    """b − b + c is c; b − b + another class isn't. A model that always shows c owes nothing to the sum."""
    spec = Arithmetic(classes=("b", "b", "c"), draws=30, examples=4)
    own = spec.measure(PerPixel(), data, CPU, judge)
    assert own.arrays["judged_c"].all()
    assert not own.arrays["control_c"].any()
    assert own.arrays["shares/result"].tolist() == own.arrays["shares/plain"].tolist() == [0, 0, 1, 0]
    assert own.arrays["shares/control"].sum() == pytest.approx(1)
    assert not own.meta["void"]
    third = common.to_unit_range(data.train.images[data.train.labels == 2][:1], CPU)
    always = spec.measure(PerPixel(lambda image: third.expand(image.shape)), data, CPU, judge)
    assert always.arrays["judged_c"].all()
    assert always.arrays["control_c"].all()


def test_arithmetic_is_void_where_the_judge_recognises_nothing(data: Dataset, judge: Artifact) -> None:
    first = patterns()[0] + 0.015
    model = PerPixel(lambda image: first.expand(image.shape))
    assert Arithmetic(classes=("b", "a", "c"), draws=30).measure(model, data, CPU, judge).meta["void"]
    assert not Arithmetic(classes=("b", "c", "a"), draws=30).measure(model, data, CPU, judge).meta["void"]


def test_nearest_image_is_none_of_those_added() -> None:
    latents = torch.tensor([[0.0], [1.0], [2.0], [3.0], [10.0]])
    found = generation._nearest_others(torch.tensor([[1.1], [9.0]]), latents, torch.tensor([[1, 2, 0], [0, 1, 2]]))
    assert found.tolist() == [3, 4]


def test_draws_are_of_their_class_and_with_replacement() -> None:
    labels = torch.tensor([0, 1, 0, 2, 1])
    found = generation._drawn(labels == 1, 50, torch.Generator().manual_seed(0))
    assert set(found.tolist()) == {1, 4}
    assert len(found) == 50


def test_arithmetic_names_classes_without_images(data: Dataset, judge: Artifact) -> None:
    some = replace(data, validation=Split(data.validation.images[:10], data.validation.labels[:10]))
    with pytest.raises(InputError, match="^no validation image shows b, c:"):
        Arithmetic(classes=("a", "b", "c")).measure(PerPixel(), some, CPU, judge)


def test_arithmetic_names_unknown_classes(data: Dataset, judge: Artifact) -> None:
    with pytest.raises(InputError, match="^no class is called dog, cat, bird; there are: a, b, c, d$"):
        Arithmetic().measure(PerPixel(), data, CPU, judge)


# ── Anomalies ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_shuffling_moves_whole_tiles_and_nothing_else() -> None:
    images = torch.rand(5, *SHAPE, generator=torch.Generator().manual_seed(0))
    before = images.clone()
    moved = anomaly._shuffled(images, seed=0)
    side = 16 // anomaly.TILES

    def tiles(image: Tensor) -> list[bytes]:
        parts = [part for line in image.split(side, 1) for part in line.split(side, 2)]
        return [part.contiguous().numpy().tobytes() for part in parts]

    assert moved.shape == images.shape
    orders = []
    for image, other in zip(images, moved, strict=True):
        assert sorted(tiles(image)) == sorted(tiles(other))
        orders.append(tuple(tiles(image).index(tile) for tile in tiles(other)))
    assert len(set(orders)) == 5, "each image has its own order"
    assert list(range(anomaly.TILES**2)) not in map(list, orders)
    assert torch.equal(images, before)
    assert torch.equal(moved, anomaly._shuffled(images, seed=0))
    assert not torch.equal(moved, anomaly._shuffled(images, seed=1))


def test_anomaly_of_a_perfect_model_is_at_chance(data: Dataset) -> None:
    arrays, rows = measured(Anomaly(), PerPixel(), data)
    assert rows["auroc_shuffled"]["value"] == rows["auroc_negative"]["value"] == 0.5
    assert arrays.keys() == {"familiar", "shuffled", "negative"}
    assert len(arrays["familiar"]) == 40
    assert rows["auroc_shuffled"]["n"] == 40, "pairs"


def test_anomaly_of_a_model_of_dark_images_notices_negatives(data: Dataset) -> None:
    dark = replace(data, test=Split(data.test.images // 4, data.test.labels))
    rows = measured(Anomaly(), PerPixel(lambda image: image.clamp(max=0.3)), dark)[1]
    assert rows["auroc_negative"]["value"] == 1
    assert rows["auroc_shuffled"]["value"] == 0.5, "no pixel is brighter for being elsewhere"


def test_anomaly_does_not_take_contrast_for_strangeness(data: Dataset) -> None:
    """A model that paints the mean colour loses all of each image's variance, whatever there is of it."""
    faint = replace(data, test=Split(data.test.images // 3, data.test.labels))
    for images in (data, faint):
        arrays, _ = measured(Anomaly(), MeanColour(), images)
        pixels = common.to_unit_range(common.chosen(images.test, None)[0], CPU)
        expected = (pixels - pixels.mean((2, 3), keepdim=True)).square().mean((1, 2, 3))
        assert arrays["familiar"] == pytest.approx((expected / pixels.var((1, 2, 3), correction=0)).numpy(), rel=1e-3)


def test_class_that_was_left_out_is_told_by_what_a_model_cannot_show(data: Dataset) -> None:
    """Three patterns have two principal components; a fourth one lies elsewhere."""

    def chequered(part: Split) -> Split:
        squares = (torch.arange(16)[:, None] + torch.arange(16)) // 4 % 2 * 200
        return Split(part.images.where((part.labels != 3)[:, None, None, None], squares.byte()), part.labels)

    other = replace(data, train=chequered(data.train), test=chequered(data.test))
    spec = Novelty(left_out=3)
    arrays, rows = measured(spec, Baseline(method="pca", size=2), other)
    assert rows["auroc_novel"]["value"] == 1.0
    assert (len(arrays["novel"]), len(arrays["familiar"])) == (10, 30)
    assert measured(spec, PerPixel(), other)[1]["auroc_novel"]["value"] == 0.5, "it shows everything as it is"


# ── Cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class OneLayer(models.Autoencoder):
    """A convolution of 3×3 pixels from 3 channels to 5, and one back."""

    def __init__(self) -> None:
        super().__init__(SHAPE)
        self.there, self.back = nn.Conv2d(3, 5, 3, padding=1), nn.Conv2d(5, 3, 3, padding=1)

    def encode(self, images: Tensor) -> Tensor:
        return self.there(images)

    def decode(self, latent: Tensor) -> Tensor:
        return self.back(latent)


def test_operations_are_those_of_the_layers(data: Dataset) -> None:
    """Each weight is multiplied and added once a pixel; back, once for the input (not of the first) and once for it."""
    layer = 2 * 3 * 5 * 9 * 16 * 16
    artifact = Cost(images=7, attempts=2).measure(OneLayer(), data, CPU)
    found = {row["metric"]: row["value"] for row in artifact.meta["rows"]}
    assert found == {"operations": 2 * layer, "operations_of_a_step": (2 + 1 + 2) * layer}
    assert artifact.meta["seconds"] > 0


# ── Compression ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_fine_steps_give_what_the_latents_give_and_coarse_ones_the_mean(data: Dataset) -> None:
    pca = Baseline(method="pca", size=8)
    fine, coarse = (replace(Compression(), steps=(step,)) for step in (1e-3, 1e6))
    exact = measured(Reconstruction(), pca, data)[0]["all/psnr"]
    assert measured(fine, pca, data)[0]["psnr_in_budget"] == pytest.approx(exact, rel=1e-3)
    arrays, _ = measured(coarse, pca, data)
    assert arrays["bits:1e+06"].max() < 0.1
    assert arrays["psnr:1e+06"] == pytest.approx(
        measured(Reconstruction(), Baseline(method="mean"), data)[0]["all/psnr"], rel=1e-3
    )


def test_budget_lies_between_the_steps_whose_rates_are_around_it(data: Dataset) -> None:
    pixels = torch.randint(256, (200, *SHAPE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    noise = replace(data, train=Split(pixels[:150], torch.zeros(150)), test=Split(pixels[150:], torch.zeros(50)))
    pca, spec = Baseline(method="pca", size=8), Compression(steps=(1.0, 0.5, 0.25, 0.1))
    arrays, rows = measured(spec, pca, noise)
    rates, quality = ([rows[f"{what}:{step:g}"]["value"] for step in spec.steps] for what in ("bits", "psnr"))
    assert rates == sorted(rates)
    assert quality == sorted(quality)
    for index, (low, high) in enumerate(itertools.pairwise(rates)):
        found = measured(replace(spec, budget=round((low + high) / 2)), pca, noise)[1]["psnr_in_budget"]["value"]
        assert quality[index] < found < quality[index + 1]
    poor, rich = (measured(replace(spec, budget=b), pca, noise)[0]["psnr_in_budget"] for b in (0, 10**6))
    assert poor == pytest.approx(arrays["psnr:1"], rel=1e-5)
    assert rich == pytest.approx(arrays["psnr:0.1"], rel=1e-5)


def test_scale_of_latents_is_none_of_a_codes_business(data: Dataset) -> None:
    """A decoder that undoes what its encoder scales: the same bits for the same images."""

    class Scaled(PerPixel):
        def encode(self, images: Tensor) -> Tensor:
            return super().encode(images) * 50 + 3

        def decode(self, latent: Tensor) -> Tensor:
            return (latent - 3) / 50

    plain, scaled = (measured(Compression(), model, data)[1] for model in (PerPixel(), Scaled()))
    for name, row in plain.items():
        assert scaled[name]["value"] == pytest.approx(row["value"], rel=2e-3), name


# ── Importance ───────────────────────────────────────────────────────────────────────────────────────────────────────


def importance(model: models.Masked, data: Dataset) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    arrays, rows = measured(Importance(images=6, draws=2), model, data)
    return arrays, {name: row["value"] for name, row in rows.items()}


def test_importance_reaches_as_far_as_the_model_looks(data: Dataset) -> None:
    """Two pixels are one patch here."""
    arrays, found = importance(Filler(nearby(2)), data)
    assert found["importance:1"] != 0
    assert found["importance:2"] == found["importance:3"] == 0
    assert arrays["change"].shape == (6, 8, 8)
    assert np.isfinite(arrays["change"]).all()
    assert importance(Filler(mean_visible), data)[1]["importance:3"] != 0


def test_importance_is_a_share_of_the_error(data: Dataset) -> None:
    """Hidden patches in black but for what a bright visible patch gives away: half the contrast, a quarter of it."""
    assert set(importance(Filler(black), data)[1].values()) == {0}
    bright = replace(data, test=Split(torch.full_like(data.test.images, 255), data.test.labels))

    def share(visible: Tensor, where: Tensor) -> Tensor:  # what is visible of 64 patches, in pixels
        return where.float().mean((1, 2, 3), keepdim=True)

    found = importance(Filler(share), bright)[1]
    before, after = (32 / 64) ** 2, (33 / 64) ** 2  # half of the patches are hidden, and one more
    assert found["importance"] == pytest.approx((after - before) / before, rel=1e-3)
    assert found["importance:1"] == pytest.approx(found["importance"], rel=1e-3)


# ── Filling ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_errors_in_a_hole_by_hand(data: Dataset) -> None:
    """Distance 1 is the hole's rim: on a grid of 8×8 the hole has 6×6 patches, so its middle lies 3 deep."""
    arrays, rows = measured(Filling(images=12), Filler(black), data)
    images = common.chosen(data.test, 12)[0].numpy() / 255
    for distance in (1, 2, 3):
        outer, inner = 2 * distance, 2 * distance + 2
        ring = np.zeros((16, 16), bool)
        ring[outer:-outer, outer:-outer] = True
        ring[inner:-inner, inner:-inner] = False
        np.testing.assert_allclose(arrays[f"hole_mse:{distance}"], (images[:, :, ring] ** 2).mean((1, 2)), rtol=1e-4)
    assert "hole_mse:4" not in rows
    assert (arrays["examples/hole"][:, :, 2:-2, 2:-2] == 128).all()
    assert np.array_equal(arrays["examples/hole"][:, :, :2], arrays["examples/clean"][:, :, :2])


def test_mean_colour_is_what_a_hole_costs_without_a_model(data: Dataset) -> None:
    rows = measured(Filling(images=12), Filler(mean_visible), data)[1]
    for distance in (1, 2, 3):
        assert rows[f"hole_mse:{distance}"]["value"] == pytest.approx(
            rows[f"hole_mse_mean_colour:{distance}"]["value"], rel=1e-4
        )


def test_models_and_baselines_fill_the_same_patches(data: Dataset) -> None:
    """Of white images each fill leaves its own error where patches are hidden, and none elsewhere."""
    white = replace(data, test=Split(torch.full_like(data.test.images, 255), data.test.labels))
    spec = Filling(images=12, patch=2, masks=3)
    mean = data.train.images.float().mean(0).numpy() / 255
    arrays, _ = measured(spec, Baseline(method="mean"), white)
    hidden = spec._drawn(12, (8, 8)).repeat_interleave(2, 2).repeat_interleave(2, 3).numpy()
    assert hidden.reshape(12, -1).mean(1).tolist() == [0.75] * 12
    assert len(np.unique(hidden, axis=0)) == 3
    expected = [((1 - mean)[:, mask[0]] ** 2).mean() for mask in hidden]
    np.testing.assert_allclose(arrays["hidden_mse"], expected, rtol=1e-4)
    model, _ = measured(spec, Filler(lambda visible, where: torch.tensor(mean)), white)
    for name in ("hidden_mse", "hole_mse:1", "hole_mse:3"):
        np.testing.assert_allclose(model[name], arrays[name], rtol=1e-4)


def test_linear_fill_uses_what_pixels_say_of_each_other(data: Dataset) -> None:
    """Images of one colour, of any lightness: the mean image can't know it, a linear guess has it from one pixel."""
    plain = torch.arange(40, dtype=torch.uint8).mul(6).reshape(-1, 1, 1, 1).expand(-1, *SHAPE).contiguous()
    split = Split(plain, data.test.labels[:40])
    flat = replace(data, train=split, test=split)
    linear, mean = (
        measured(Filling(), Baseline(method=method), without(flat, "validation"))[1]  # type: ignore[arg-type]
        for method in ("linear-fill", "mean")
    )
    assert mean["hidden_mse"]["value"] > 0.05
    assert linear["hidden_mse"]["value"] < 1e-4
    assert linear["hole_mse:1"]["value"] < 1e-4
    with pytest.raises(InputError, match="baseline/pixels fills no holes"):
        measured(Filling(), Baseline(method="pixels"), data)


@pytest.mark.parametrize("grid", [(8, 8), (4, 4), (16, 16)])
def test_rings_part_a_hole(grid: tuple[int, int]) -> None:
    hole = masking._centred_square(grid, grid[0] * 3 // 4)
    rings = [masking._inside_by(hole, distance) for distance in range(1, grid[0])]
    assert torch.equal(torch.stack(rings).sum(0), hole.long())


# ── Odds and ends ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bytes_of_images() -> None:
    images = torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0, 0.1]).reshape(1, 1, 2, 3)
    assert common.as_bytes(images).tolist() == [[[[0, 0, 128], [255, 255, 26]]]]


def test_row_without_an_interval_has_nan_bounds() -> None:
    found = common.row(None, "kl", common.exactly(3.0, 40))
    assert np.isnan([found.pop("lo"), found.pop("hi")]).all()
    assert found == {"split": "test", "input": "clean", "region": "all", "metric": "kl", "value": 3.0, "n": 40}
