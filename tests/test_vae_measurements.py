"""Measurements of VAEs in a linear world, where likelihood, rate and samples are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from autoencoders import models
from autoencoders.catalogue import Catalogue
from autoencoders.data import Dataset, Split
from autoencoders.errors import InputError
from autoencoders.evaluation.linear_vae import LinearVAE
from autoencoders.measurements import common
from autoencoders.measurements.generation import JUDGE
from autoencoders.measurements.likelihood import Likelihood, RateDistortion
from autoencoders.measurements.openings import BestSum
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.measurements.samples import RealFeatures, Samples
from autoencoders.profiles import PROFILES
from autoencoders.specs import VAE, Baseline
from autoencoders.store import Artifact, entries

SHAPE = (3, 16, 16)
DIRECTIONS = 12  # in which the world's images vary more than their noise
PPCA, LINEAR = Baseline(method="ppca", size=DIRECTIONS), Baseline(method="linear-vae", size=DIRECTIONS)


def world(count: int, seed: int) -> Split:
    """Grey images of noise that vary in a few smooth directions: the first the most, 300 to 10 times σ² = 0.002."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(
        nn.functional.interpolate(
            torch.randn(DIRECTIONS, 3, 4, 4, generator=torch.Generator().manual_seed(0)), scale_factor=4
        )
        .flatten(1)
        .T
    )[0].T
    spread = torch.linspace(300, 10, DIRECTIONS).mul(0.002).sqrt()
    along = torch.randn(count, DIRECTIONS, generator=generator) * spread
    noise = 0.002**0.5 * torch.randn(count, 768, generator=generator)
    images = (0.5 + along @ basis + noise).reshape(count, *SHAPE)
    return Split((images.clamp(0, 1) * 255).round().to(torch.uint8), torch.arange(count) % 4)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset("linear", world(3000, 1), world(50, 2), world(400, 3), ("a", "b", "c", "d"), "fingerprint")


@pytest.fixture(scope="module")
def optimum(data: Dataset) -> LinearVAE:
    return common.fitted_linear_vae(PPCA, data, "cpu")


class Linear(models.VariationalAutoencoder):
    """A VAE whose encoder and decoder are those of a linear one."""

    def __init__(self, optimum: LinearVAE, beta: float | None = None, variance: float | None = None) -> None:
        nn.Module.__init__(self)
        self.shape, self.beta, self.latent, self.optimum = SHAPE, beta, optimum.active, optimum
        self.one = nn.Parameter(torch.ones(()))
        self.register_buffer("variance", torch.tensor(variance or optimum.variance))

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.optimum.posterior(images)

    def decode(self, latent: Tensor) -> Tensor:
        return self.optimum.decode(latent).reshape(-1, *SHAPE)


def measured(spec: Any, subject: Any, data: Dataset) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    artifact = made(spec, subject, data)
    return artifact.arrays, {row["metric"]: row for row in artifact.meta["rows"]}


def made(spec: Any, subject: Any, data: Dataset) -> Artifact:
    needed = {name: made(other, of, data) for name, (of, other) in spec.needs(subject).items()}
    artifact = spec.measure(subject, data, "cpu", **needed)
    entries.canonical(artifact.meta)  # raises for what isn't JSON
    return artifact


def values(spec: Any, subject: Any, data: Dataset) -> dict[str, float]:
    return {metric: row["value"] for metric, row in measured(spec, subject, data)[1].items()}


# ── Likelihood ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_vae_that_is_linear_is_measured_like_the_closed_form(data: Dataset, optimum: LinearVAE) -> None:
    arrays, rows = measured(Likelihood(), Linear(optimum), data)
    expected, expected_rows = measured(Likelihood(), PPCA, data)
    assert arrays["kl"] == pytest.approx(expected["kl"], rel=1e-4)
    assert arrays["unit_kl"] == pytest.approx(expected["unit_kl"], rel=1e-4)
    assert rows["bits_per_dim"]["value"] == pytest.approx(expected_rows["bits_per_dim"]["value"], abs=1e-3)
    assert rows["active_units"]["value"] == expected_rows["active_units"]["value"] == DIRECTIONS
    assert rows["bits_per_dim"]["n"] == 400


def test_sampled_bound_of_a_linear_vae_is_its_exact_likelihood(data: Dataset, optimum: LinearVAE) -> None:
    arrays, rows = measured(Likelihood(), PPCA, data)
    exact = optimum.bits_per_dimension(common.to_unit_range(common.chosen(data.test, None)[0], "cpu"))
    assert arrays["bits_per_dim_as_trained"] == pytest.approx(exact, abs=1e-6)
    assert rows["bits_per_dim_density"]["value"] == pytest.approx(exact.mean(), abs=2e-3)


def test_variance_of_training_images_is_the_one_that_calibration_finds(data: Dataset, optimum: LinearVAE) -> None:
    """At the optimum, images decoded from samples of the posteriors miss by the decoder's variance."""
    assert values(Likelihood(), PPCA, data)["decoder_variance"] == pytest.approx(optimum.variance, rel=5e-3)


def test_fixed_beta_is_paid_for_in_bits(data: Dataset, optimum: LinearVAE) -> None:
    """With σ² = ½ each number takes ½ log₂(2π · ½) bits and 8 at least; with σ² set afterwards, far fewer."""
    tied = values(Likelihood(), LINEAR, data)
    assert tied["bits_per_dim_as_trained"] > 8 + 0.5 * np.log2(np.pi)
    assert tied["bits_per_dim_density"] < tied["bits_per_dim_as_trained"] - 1
    assert values(Likelihood(), PPCA, data)["bits_per_dim"] < tied["bits_per_dim"]
    same = Linear(common.fitted_linear_vae(LINEAR, data, "cpu"), beta=1.0, variance=tied["decoder_variance"])
    for metric, value in values(Likelihood(), same, data).items():
        assert value == pytest.approx(tied[metric], rel=2e-3), metric


def test_stored_variance_is_the_one_that_bits_are_counted_with(data: Dataset, optimum: LinearVAE) -> None:
    right, wrong = (values(Likelihood(), Linear(optimum, variance=f * optimum.variance), data) for f in (1, 2))
    expected = 0.5 * (np.log2(2) - 0.5 / np.log(2))  # of a Gaussian of twice the variance: ½ (log₂ 2 − (1 − ½) / ln 2)
    assert wrong["bits_per_dim_density"] - right["bits_per_dim_density"] == pytest.approx(expected, rel=0.05)
    assert wrong["decoder_variance"] == pytest.approx(2 * optimum.variance)


def vae_of_nothing() -> models.VariationalAutoencoder:
    """Its posterior is the prior, whatever it sees."""
    model = models.build(models.VariationalAutoencoder, VAE(latent=6, width=4, depth=0), SHAPE, 0)
    for parameter in model.to_posterior.parameters():
        nn.init.zeros_(parameter)
    return model


def test_collapsed_posterior_carries_nothing(data: Dataset) -> None:
    found = values(Likelihood(), vae_of_nothing(), data)
    assert [found[m] for m in ("active_units", "active_kl", "kl", "carrying_units")] == [0, 0, 0, 0]


def test_unit_that_moves_is_active_and_one_that_stands_off_is_not(data: Dataset) -> None:
    model = vae_of_nothing()
    bias = model.to_posterior.bias
    assert bias is not None
    with torch.no_grad():
        bias[1] = 2.0  # always: it costs 2²/2 nats and tells nothing
        model.to_posterior.weight[4] = 1.0
    arrays, rows = measured(Likelihood(), model, data)
    assert arrays["active"].tolist() == [False, False, False, False, True, False]
    assert arrays["unit_kl"][1] == pytest.approx(2)
    assert (arrays["unit_kl"][[0, 2, 3, 5]] == 0).all()
    assert rows["active_units"]["value"] == 1
    assert rows["active_kl"]["value"] == pytest.approx(arrays["unit_kl"][4])
    assert rows["kl"]["value"] == pytest.approx(arrays["unit_kl"].sum(), rel=1e-5)
    assert arrays["kl"].mean() == pytest.approx(arrays["unit_kl"].sum(), rel=1e-5)


# ── Rate and distortion ──────────────────────────────────────────────────────────────────────────────────────────────


def test_curve_trades_rate_for_distortion(data: Dataset) -> None:
    arrays, rows = measured(RateDistortion(betas=(4.0, 1.0, 0.25, 0.02)), PPCA, data)
    assert (np.diff(arrays["kl"]) > 0).all(), "the smaller β, the more nats"
    assert (np.diff(arrays["psnr_pooled"]) > 0).all(), "and the less is lost"
    for metric in ("kl", "psnr_pooled"):
        assert [rows[f"{metric}:{beta:g}"]["value"] for beta in arrays["beta"]] == arrays[metric].tolist()


def test_curve_passes_through_the_baseline_at_beta_one(data: Dataset) -> None:
    curve, tied = values(RateDistortion(), PPCA, data), values(Likelihood(), LINEAR, data)
    assert curve["kl:1"] == pytest.approx(tied["kl"], rel=1e-5)
    assert curve["active_units:1"] == tied["active_units"]
    reconstruction = values(Reconstruction(), LINEAR, data)
    for metric in ("psnr_mean", "psnr_pooled"):
        assert curve[f"{metric}:1"] == pytest.approx(reconstruction[metric], rel=1e-5)


def test_calibrated_linear_vae_reconstructs_nearly_like_pca(data: Dataset) -> None:
    """Shrinking each direction by 1 − σ²/λ costs σ⁴/λ of it, next to what lies outside of all directions."""
    pca, ppca = (values(Reconstruction(), Baseline(method=m, size=DIRECTIONS), data)["mse"] for m in ("pca", "ppca"))
    assert pca < ppca < 1.01 * pca


# ── Samples ──────────────────────────────────────────────────────────────────────────────────────────────────────────

REAL = RealFeatures(images=200, components=8)
SAMPLES = Samples(real=REAL, fitted=2000)


class Code(models.Autoencoder):
    """The linear VAE's means without its prior, moved and stretched: no normal latents."""

    def __init__(self, optimum: LinearVAE) -> None:
        super().__init__(SHAPE)
        self.optimum, self.one = optimum, nn.Parameter(torch.ones(()))

    def encode(self, images: Tensor) -> Tensor:
        return 5 * self.optimum.encode(images) + 3

    def decode(self, latent: Tensor) -> Tensor:
        return self.optimum.decode((latent - 3) / 5).reshape(-1, *SHAPE)


def test_samples_of_the_worlds_own_model_are_nearest_to_its_images(data: Dataset, optimum: LinearVAE) -> None:
    """What no decoder's mean has is the noise: it moves all samples from real images, and PPCA's as far as any."""
    found = values(SAMPLES, Linear(optimum), data)
    prior = values(SAMPLES, PPCA, data)["frechet_prior"]
    assert found["frechet_prior"] == pytest.approx(prior, rel=0.2)
    assert found["frechet_mixture"] == pytest.approx(prior, rel=0.2), "its latents are normal: a mixture finds no more"
    assert values(SAMPLES, Code(optimum), data)["frechet_mixture"] == pytest.approx(prior, rel=0.2)
    assert prior < 0.5 * values(SAMPLES, vae_of_nothing(), data)["frechet_prior"]


def test_mixture_finds_latents_that_a_prior_misses(data: Dataset, optimum: LinearVAE) -> None:
    class Moved(Linear):
        def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
            mean, log_variance = super().posterior(images)
            return mean + 4, log_variance

        def decode(self, latent: Tensor) -> Tensor:
            return super().decode(latent - 4)

    found = values(SAMPLES, Moved(optimum), data)
    assert found["frechet_mixture"] < 0.5 * found["frechet_prior"]
    assert found["frechet_mixture"] == pytest.approx(values(SAMPLES, PPCA, data)["frechet_prior"], rel=0.2)


def test_real_images_are_nearer_than_samples(data: Dataset) -> None:
    arrays, rows = measured(REAL, JUDGE, data)
    assert arrays["features"].shape == (200, 8)
    assert rows["frechet_real"]["n"] == 200
    assert 0 < rows["frechet_real"]["value"] < 0.2 * values(SAMPLES, PPCA, data)["frechet_prior"]


def test_samples_are_as_many_as_real_images_and_the_same_each_time(data: Dataset, optimum: LinearVAE) -> None:
    arrays, rows = measured(SAMPLES, Linear(optimum), data)
    again, _ = measured(SAMPLES, Linear(optimum), data)
    assert set(arrays) == {"samples/prior", "samples/mixture"}
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    assert arrays["samples/prior"].shape == (32, *SHAPE)
    assert {row["n"] for row in rows.values()} == {200}
    other, _ = measured(replace(SAMPLES, seed=1), Linear(optimum), data)
    assert not np.array_equal(other["samples/prior"], arrays["samples/prior"])


def test_a_density_needs_two_images(data: Dataset, optimum: LinearVAE) -> None:
    single = replace(data, train=Split(data.train.images[:1], data.train.labels[:1]))
    real = made(REAL, JUDGE, data)
    with pytest.raises(InputError, match="at least two training images"):
        SAMPLES.measure(Code(optimum), single, "cpu", real=real)


def test_best_sum_of_many_classes_is_sought_among_those_shown_most(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Any] = []
    monkeypatch.setattr(BestSum, "measure", lambda self, subject, data, *_: tried.append(data.validation.labels))
    for dataset, kinds in (("cifar100", 10), ("cifar10", 30)):
        labels = torch.cat([torch.arange(30), torch.arange(20, 30)])
        shown = replace(data, validation=Split(torch.zeros(40, *SHAPE, dtype=torch.uint8), labels))
        spec = Catalogue(profile=PROFILES["smoke"], dataset=dataset).best_sum()
        spec.measure(None, shown, "cpu", None)  # type: ignore[arg-type]
        assert tried.pop().unique().tolist() == list(range(30))[-kinds:]
