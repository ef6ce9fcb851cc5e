"""What each architecture promises: shapes, losses, what a mask hides, and the uses that any model allows."""

from __future__ import annotations

import doctest
import importlib
import math
import re
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autoencoders import models
from autoencoders.errors import InputError
from autoencoders.models import use
from autoencoders.models.base import Shape
from autoencoders.models.blocks import PatchTranspose, Residual
from autoencoders.models.conv import ConvAutoencoder
from autoencoders.models.masked import MaskedAutoencoder
from autoencoders.models.skips import SkipAutoencoder
from autoencoders.models.vit import ViTMaskedAutoencoder
from autoencoders.specs import MCAE, VAE, ConvAE, Custom, SkipAE, ViTMAE
from autoencoders.studies.compact.models import CompactAutoencoder
from autoencoders.studies.compact.plan import CompactAE
from autoencoders.studies.digits.models import DigitAutoencoder
from autoencoders.studies.digits.plan import DigitAE
from autoencoders.studies.transfer.models import SweepAutoencoder
from autoencoders.studies.transfer.plan import SweepAE

SHAPE = (3, 16, 16)
SPECS: dict[str, tuple[type[Any], Any]] = {
    "vector": (ConvAutoencoder, ConvAE(latent=12, width=4)),
    "spatial": (ConvAutoencoder, ConvAE(bottleneck="spatial", latent=5, width=4)),
    "skips": (SkipAutoencoder, SkipAE(latent=5, width=4)),
    "vae": (models.VariationalAutoencoder, VAE(latent=6, width=4)),
    "mcae": (MaskedAutoencoder, MCAE(width=4)),
    "far": (MaskedAutoencoder, MCAE(width=4, far=True)),
    "vit": (ViTMaskedAutoencoder, ViTMAE(dim=16, depth=2, heads=2, ratio=0.5)),
    "digit": (DigitAutoencoder, DigitAE(dropout=0.2, batch_norm=True)),
    "sweep": (SweepAutoencoder, SweepAE(bottleneck=7)),
    "compact": (CompactAutoencoder, CompactAE()),
}
MASKED = ("mcae", "far", "vit")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(name: str, shape: Shape = SHAPE, seed: int = 0, **changes: Any) -> Any:
    model_class, spec = SPECS[name]
    return models.build(model_class, replace(spec, **changes), shape, seed)


def trained(name: str, **changes: Any) -> Any:
    """As after a training: no weight is zero, so that everything that may have influence has some."""
    model = make(name, **changes)
    generator = seeded(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    return model.eval()


def pictures(count: int, shape: Shape = SHAPE, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, *shape, generator=seeded(seed))


@pytest.fixture(params=SPECS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


# ── Shapes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 16, 24), (3, 64, 64), (1, 28, 28), (3, 8, 8)])
def test_models_keep_the_shape_of_images(name: str, shape: Shape) -> None:
    if name in ("mcae", "far") and shape == (1, 28, 28):
        shape = (1, 24, 24)  # its cells are of 8×8 pixels
    assert make(name, shape)(pictures(2, shape)).shape == (2, *shape)


@pytest.mark.parametrize(
    ("name", "latent", "features"),
    [
        ("vector", (12,), (8, 4, 4)),
        ("spatial", (5, 4, 4), (5, 4, 4)),
        ("skips", (5 + 3 * 8, 4, 4), (5 + 3 * 8, 4, 4)),  # with the maps that are handed over
        ("vae", (6,), (8, 4, 4)),
        ("mcae", (8, 2, 2), (8, 2, 2)),
        ("far", (8, 2, 2), (8, 2, 2)),
        ("vit", (16, 4, 4), (16, 4, 4)),
        ("digit", (16, 1, 1), (16, 1, 1)),
        ("sweep", (7,), (128, 2, 2)),
        ("compact", (8, 12, 12), (8, 12, 12)),
    ],
)
def test_latents_and_feature_maps_have_their_documented_sizes(
    name: str, latent: tuple[int, ...], features: tuple[int, ...]
) -> None:
    model = make(name)
    assert models.embed(model, pictures(2)).shape == (2, *latent)
    assert models.feature_map(model, pictures(2)).shape == (2, *features)


@pytest.mark.parametrize("name", ["vector", "spatial", "skips", "vae"])
def test_encoders_have_convolutions_and_decoders_transposed_ones(name: str) -> None:
    model = make(name)
    for part, layer in ((model.encoder, nn.Conv2d), (model.decoder, nn.ConvTranspose2d)):
        with_weights = [m for m in part.modules() if "weight" in dict(m.named_parameters(recurse=False))]
        assert len(with_weights) == 5  # the stem or its mirror, and two blocks of two
        assert all(isinstance(m, layer) for m in with_weights)


def test_gradients_reach_every_parameter(name: str) -> None:
    model = trained(name).train()
    model.losses(pictures(4), pictures(4, seed=1), seeded())["loss"].backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(("size", "patch"), [((4, 4), 4), ((1, 1), (8, 6)), ((2, 3), 1)])
def test_patch_transpose_equals_a_transposed_convolution(size: tuple[int, int], patch: int | tuple[int, int]) -> None:
    layer = PatchTranspose(5, 3, patch)
    x = torch.randn(2, 5, *size, generator=seeded())
    expected = F.conv_transpose2d(x, layer.weight, layer.bias, stride=patch)
    assert torch.allclose(layer(x), expected, atol=1e-5)


def test_residual_block_starts_as_the_identity() -> None:
    x = pictures(2, (4, 5, 5))
    assert torch.equal(Residual(4, nn.Conv2d)(x), x)


def test_compact_autoencoder_has_the_size_of_its_study() -> None:
    model = models.build(CompactAutoencoder, CompactAE(), (3, 32, 32), 0)
    assert sum(p.numel() for p in model.parameters()) == 1611


@pytest.mark.parametrize(("dropout", "batch_norm", "count"), [(0.1, True, 7), (0.0, False, 0)])
def test_digit_autoencoder_has_the_layers_of_its_study(dropout: float, batch_norm: bool, count: int) -> None:
    model = make("digit", (1, 28, 28), dropout=dropout, batch_norm=batch_norm)
    convolutions = [m for m in model.encoder if isinstance(m, nn.Conv2d)]
    assert [m.out_channels for m in convolutions] == [128, 64, 32, 16]
    assert all(m.stride == (2, 2) for m in convolutions)
    for layer in (nn.Dropout, nn.BatchNorm2d):
        assert sum(isinstance(m, layer) for m in model.modules()) == count
    assert isinstance(model.decoder[-1], nn.Sigmoid)


def test_vit_has_the_masked_autoencoders_parameter_count() -> None:
    counts = [
        sum(p.numel() for p in models.build(model_class, spec, (3, 32, 32), 0).parameters())
        for model_class, spec in (
            (MaskedAutoencoder, MCAE()),
            (ViTMaskedAutoencoder, ViTMAE()),
        )
    ]
    assert counts[1] == pytest.approx(counts[0], rel=0.1)


# ── Arguments ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("vector", {"latent": 0}, "latent and width must be at least 1"),
        ("vector", {"depth": -1}, "depth can't be negative"),
        ("vector", {"shape": (3, 30, 32)}, "multiples of 4 pixels, not 30×32"),
        ("vector", {"shape": (3, 0, 0)}, "multiples of 4 pixels, not 0×0"),
        ("vae", {"latent": 0}, "latent and width must be at least 1"),
        ("vae", {"beta": -1.0}, "beta can't be negative"),
        ("vae", {"shape": (3, 32, 31)}, "multiples of 4 pixels, not 32×31"),
        ("mcae", {"ratio": 0.01}, "hides none or all"),
        ("mcae", {"ratio": 1.0}, "hides none or all"),
        ("mcae", {"patch": 3}, "multiples of 3 pixels, not 16×16"),
        ("mcae", {"patch": 16, "ratio": 0.5}, "hides none or all"),
        ("mcae", {"patch": 1}, "2, 4 or 8 pixels, not 1"),
        ("mcae", {"patch": 0}, "at least 1 pixel"),
        ("mcae", {"masked_weight": 0.0}, "must be positive"),
        ("mcae", {"shape": (3, 28, 28)}, "multiples of 8 pixels, not 28×28"),
        ("vit", {"ratio": 1.0}, "hides none or all"),
        ("vit", {"dim": 18}, "multiple of 4, not 18"),
        ("vit", {"heads": 3}, "3 heads can't share 16 dimensions"),
        ("vit", {"depth": 0}, "at least one block"),
        ("vit", {"shape": (3, 30, 30)}, "multiples of 4 pixels, not 30×30"),
        ("digit", {"dropout": 1.0}, "dropout must lie in [0, 1), not 1.0"),
        ("sweep", {"bottleneck": 0}, "at least 1 dimension"),
        ("compact", {"channels": 0}, "at least 1 channel"),
        ("compact", {"shape": (3, 4, 4)}, "at least 5×5"),
    ],
)
def test_models_refuse_what_makes_no_sense_in_one_line(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        make(name, **changes)


# ── Losses ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["vector", "spatial", "sweep", "compact"])
def test_loss_of_autoencoders_is_the_error_to_the_clean_image(name: str) -> None:
    model, clean, noisy = trained(name), pictures(4), pictures(4, seed=1)
    terms = model.losses(clean, noisy, seeded())
    assert terms["loss"].item() == pytest.approx((model(noisy) - clean).square().mean().item(), rel=1e-5)
    assert terms["error"] is terms["loss"]


def test_losses_are_finite_and_fp32_in_a_bf16_forward_pass(name: str) -> None:
    model, clean = trained(name), pictures(4)
    exact = model.losses(clean, clean, seeded())
    assert next(iter(exact)) == "loss"
    assert "error" in exact
    with torch.autocast("cpu", torch.bfloat16):
        rough = model.losses(clean, clean, seeded())
    assert all(value.dtype == torch.float32 and value.ndim == 0 and value.isfinite() for value in rough.values())
    assert rough["loss"].item() == pytest.approx(exact["loss"].item(), rel=0.02)


@pytest.fixture
def vae() -> models.VariationalAutoencoder:
    return trained("vae")


def test_vae_terms_are_summed_over_latents_and_over_pixels(vae: models.VariationalAutoencoder) -> None:
    images = pictures(5)
    mean, log_variance = vae.posterior(images)
    posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(dim=1).mean()
    terms = vae.losses(images, images, seeded())
    assert terms["kl"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert terms["reconstruction"].item() == pytest.approx(terms["error"].item() * 3 * 16 * 16, rel=1e-5)


def test_vae_calibrates_its_beta_by_the_batch() -> None:
    """β = 2 · the batch's error, as a constant: the gradient is that of a VAE with this very β."""
    calibrated, images = make("vae"), pictures(3)
    terms = calibrated.losses(images, images, seeded(), kl_weight=0.25)
    beta = 2 * terms["error"].item()
    assert terms["loss"].item() == pytest.approx((terms["reconstruction"] + 0.25 * beta * terms["kl"]).item())
    fixed = make("vae", beta=beta)
    fixed.losses(images, images, seeded(), kl_weight=0.25)["loss"].backward()
    terms["loss"].backward()
    for ours, theirs in zip(calibrated.parameters(), fixed.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-3, atol=1e-4)  # type: ignore[arg-type]


def test_vae_keeps_the_variance_that_finished_weights_decide(vae: models.VariationalAutoencoder) -> None:
    vae.settle(lambda: {"error": 0.0625})
    other = make("vae")
    models.load_weights(other, models.weights(vae))
    assert float(other.variance) == 0.0625  # type: ignore[arg-type]


def test_posterior_comes_in_batches(vae: models.VariationalAutoencoder) -> None:
    mean, log_variance = vae.posterior(pictures(5))
    found = models.posterior(vae, pictures(5), batch=2)
    assert torch.allclose(found[0], mean, atol=1e-6)
    assert torch.allclose(found[1], log_variance, atol=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.5, 4.0])
@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_vae_beta_and_warm_up_weigh_the_kl_alone(beta: float, weight: float) -> None:
    terms = make("vae", beta=beta).losses(pictures(3), pictures(3), seeded(), kl_weight=weight)
    expected = terms["reconstruction"] + weight * beta * terms["kl"]
    assert terms["loss"].item() == pytest.approx(expected.item(), rel=1e-6)


def test_vae_learns_from_samples_of_the_posterior(vae: models.VariationalAutoencoder) -> None:
    """The mean squared error of samples exceeds that of the mean, and shrinks to it with the variance."""
    images = pictures(8)
    draws = [vae.losses(images, images, seeded(s))["error"].item() for s in range(3)]
    assert len(set(draws)) == 3
    assert draws[0] == vae.losses(images, images, seeded(0))["error"].item()
    with torch.no_grad():
        vae.to_posterior.weight[vae.latent :].zero_()
        vae.to_posterior.get_parameter("bias")[vae.latent :].fill_(-12.0)
        certain = vae.losses(images, images, seeded())["error"].item()
        assert certain == pytest.approx(F.mse_loss(vae(images), images).item(), rel=1e-2)


def test_vae_survives_wild_variances(vae: models.VariationalAutoencoder) -> None:
    with torch.no_grad():
        vae.to_posterior.get_parameter("bias")[vae.latent :].fill_(1e6)
    assert vae.losses(pictures(2), pictures(2), seeded())["kl"].isfinite()


def test_vae_embeds_images_as_posterior_means(vae: models.VariationalAutoencoder) -> None:
    images = pictures(3)
    assert torch.allclose(models.embed(vae, images), vae.posterior(images)[0], atol=1e-6)


# ── Masks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


MASKS = [
    ("mcae", {"patch": 2}),
    ("mcae", {"patch": 4, "depth": 2}),
    ("mcae", {"patch": 8}),
    ("far", {}),
    ("vit", {"patch": 4}),
]


@pytest.mark.parametrize(("name", "changes"), MASKS)
def test_hidden_patches_do_not_reach_the_reconstruction(name: str, changes: dict[str, Any]) -> None:
    model, images = trained(name, **changes), pictures(4)
    mask = model.draw_mask(4, seeded())
    hidden = model.in_pixels(mask)
    painted = torch.where(hidden, pictures(4, seed=9), images)
    with torch.no_grad():
        assert torch.equal(model(images, mask), model(painted, mask))
        assert not torch.allclose(model(images), model(painted))


@pytest.mark.parametrize(("name", "changes"), MASKS)
def test_visible_pixels_all_have_influence(name: str, changes: dict[str, Any]) -> None:
    model = trained(name, **changes)
    mask = model.draw_mask(1, seeded())
    images = pictures(1).requires_grad_()
    model(images, mask).square().sum().backward()
    assert images.grad is not None
    influence = images.grad.abs().sum(dim=1, keepdim=True) > 0
    assert torch.equal(influence, ~model.in_pixels(mask))


@pytest.mark.parametrize("patch", [4, 8])
def test_mcae_convolutions_cannot_fill_the_holes(patch: int) -> None:
    model = trained("mcae", patch=patch, depth=2)
    seen: list[torch.Tensor] = []
    for layer in (model.filters, model.head):
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    mask = model.draw_mask(3, seeded())
    assert len(model.tokens) == {4: 2, 8: 3}[patch]
    with torch.no_grad():
        seen.append(model.encode(pictures(3), mask))
    cells = [2, 2, 8][: len(model.tokens)]
    for features, cell in zip(seen, cells, strict=False):
        hidden = models.upsample(mask, patch // cell)[:, 0]
        at_holes = features.movedim(1, -1)[hidden]
        assert len(at_holes.unique(dim=0)) == 1, f"maps of {cell}-pixel cells show something behind the mask"
        assert len(features.movedim(1, -1)[~hidden].unique(dim=0)) > 1


@pytest.mark.parametrize("name", MASKED)
def test_ratio_of_zero_hides_nothing_and_weighs_nothing_up(name: str) -> None:
    model, images = trained(name, ratio=0.0), pictures(4)
    terms = model.losses(images, images, seeded())
    expected = (model(images) - images).square().mean().item()
    assert {k: v.item() for k, v in terms.items()} == pytest.approx({"loss": expected, "error": expected})


def test_far_decoder_reaches_over_the_whole_map() -> None:
    """A cell of the map has influence on its neighbourhood alone, or on every pixel; both kernels fit any map."""
    shape = (3, 32, 48)
    for name, everywhere in (("mcae", False), ("far", True)):
        model = models.build(*SPECS[name], shape, 0)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1)
        latent = torch.rand(1, 8, 4, 6, generator=seeded()).requires_grad_()
        for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
            (gradient,) = torch.autograd.grad(model.decode(latent)[0, 0, corner[0], corner[1]], latent)
            assert bool((gradient.abs().sum(1) > 0).all()) is everywhere


def test_mcae_with_a_far_decoder_starts_as_the_one_without() -> None:
    near, far = make("mcae"), make("far")
    behind = {
        re.sub(r"decoder\.(\d+)", lambda layer: f"decoder.{int(layer[1]) + 1}", name): weight
        for name, weight in near.state_dict().items()
    }
    far.load_state_dict(far.state_dict() | behind)
    assert torch.equal(near(pictures(2)), far(pictures(2)))


def test_skips_hand_over_what_the_bottleneck_loses() -> None:
    """With nothing in the latent, the reconstruction still changes with the image; the spatial AE's does not."""
    for name, hands_over in (("skips", True), ("spatial", False)):
        model = trained(name)
        with torch.no_grad():
            model.to_latent.weight.zero_()
        one, other = model(pictures(1)), model(pictures(1, seed=1))
        assert torch.equal(one, other) is not hands_over


def test_skip_autoencoder_starts_as_the_spatial_one() -> None:
    skips, plain = make("skips"), make("spatial")
    plain.load_state_dict({k: v for k, v in skips.state_dict().items() if not k.startswith("weights.")})
    assert torch.allclose(skips(pictures(2)), plain(pictures(2)), atol=1e-6)


def test_vit_encodes_visible_patches_only() -> None:
    model = trained("vit", ratio=0.75)
    lengths: list[int] = []
    model.blocks.register_forward_pre_hook(lambda _, inputs: lengths.append(inputs[0].shape[1]))
    model(pictures(2), model.draw_mask(2, seeded()))
    model(pictures(2))
    assert lengths == [4, 16]


@pytest.mark.parametrize("name", MASKED)
def test_masked_loss_weighs_the_hidden_region_up(name: str) -> None:
    model, images = trained(name, masked_weight=3.0, ratio=0.25), pictures(4)
    terms = model.losses(images, images, seeded())
    mask = model.draw_mask(4, seeded())
    hidden = model.in_pixels(mask)
    squared = (model(images, mask) - images).square().mean(dim=1, keepdim=True)
    weights = torch.where(hidden, 3.0, 1.0)
    expected = {
        "loss": (weights * squared).sum() / weights.sum(),
        "masked": squared[hidden].mean(),
        "visible": squared[~hidden].mean(),
        "error": squared.mean(),
    }
    assert {k: v.item() for k, v in terms.items()} == pytest.approx({k: v.item() for k, v in expected.items()}, 1e-4)


@pytest.mark.parametrize("name", MASKED)
def test_masks_become_pixels_and_patches_again(name: str) -> None:
    model = trained(name)
    assert (model.draw_mask(3, seeded(), 0.25).sum(dim=(1, 2, 3)) == 4).all()
    pixels = models.draw_masks(model, 3, 0.5, seed=4)
    assert pixels.shape == (3, 1, 16, 16)
    assert (pixels.float().mean(dim=(1, 2, 3)) == 0.5).all()
    assert torch.equal(model.in_pixels(model.in_patches(pixels)), pixels)
    assert torch.equal(pixels, models.draw_masks(model, 3, 0.5, seed=4))
    assert not torch.equal(pixels, models.draw_masks(model, 3, 0.5, seed=5))


def test_reconstruct_refuses_impossible_masks() -> None:
    model, images = trained("mcae"), pictures(2)
    mask = models.draw_masks(model, 2, 0.5, seed=0)
    half_a_patch = torch.zeros_like(mask)
    half_a_patch[:, :, :2] = True
    for bad, message in (
        (half_a_patch, "whole patches of 4 pixels"),
        (mask.float(), "a mask is boolean"),
        (mask[:, :, :8], r"\[N, 1, 16, 16\]"),
        (mask[:1], "2 images need as many masks, not 1"),
    ):
        with pytest.raises(InputError, match=message):
            models.reconstruct(model, images, mask=bad)
    with pytest.raises(InputError, match="ConvAutoencoder hides no patches"):
        models.reconstruct(make("vector"), images, mask=mask)
    with pytest.raises(InputError, match="ConvAutoencoder hides no patches"):
        models.draw_masks(make("vector"), 2, 0.5, seed=0)


def test_vit_needs_equally_many_hidden_patches_in_each_image() -> None:
    model = trained("vit")
    mask = torch.zeros(2, 1, 16, 16, dtype=torch.bool)
    mask[0, :, :4, :4] = True
    with pytest.raises(InputError, match="equally many hidden patches"):
        models.reconstruct(model, pictures(2), mask=mask)


# ── Uses ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_reconstructions_lie_in_the_unit_range(name: str) -> None:
    model = trained(name)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    output = models.reconstruct(model, pictures(4))
    assert output.min() >= 0
    assert output.max() <= 1


def test_uses_do_not_depend_on_the_batch(name: str) -> None:
    model, images = trained(name), pictures(5)
    for function in (models.reconstruct, models.embed, models.feature_map):
        assert torch.allclose(function(model, images, batch=2), function(model, images), atol=1e-5)


def test_uses_take_uint8_images_as_their_floats(name: str) -> None:
    model = trained(name)
    images = torch.randint(0, 256, (3, *SHAPE), generator=seeded(), dtype=torch.uint8)
    for function in (models.reconstruct, models.embed, models.feature_map):
        assert torch.equal(function(model, images), function(model, images.float() / 255))


def test_uses_leave_the_model_as_it_was() -> None:
    model = trained("digit", dropout=0.5).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    images = pictures(3)
    assert torch.equal(models.reconstruct(model, images), models.reconstruct(model, images))
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_embeddings_can_be_learned_from_and_written_to(name: str) -> None:
    embedding = models.embed(trained(name), pictures(2))
    assert not embedding.requires_grad
    embedding += 1
    nn.Linear(embedding[0].numel(), 2)(embedding.flatten(1)).sum().backward()


def test_uses_refuse_images_of_another_shape(name: str) -> None:
    with pytest.raises(InputError, match=r"takes images of \[3, 16, 16\], not \[3, 8, 8\]"):
        models.embed(make(name), pictures(2, (3, 8, 8)))


@pytest.mark.parametrize("spherical", [False, True])
def test_interpolations_begin_and_end_at_the_reconstructions(name: str, spherical: bool) -> None:
    model, a, b = trained(name), pictures(2), pictures(2, seed=1)
    path = models.interpolate(model, a, b, 5, spherical=spherical)
    assert path.shape == (2, 5, *SHAPE)
    assert torch.allclose(path[:, 0], models.reconstruct(model, a), atol=1e-4)
    assert torch.allclose(path[:, -1], models.reconstruct(model, b), atol=1e-4)


def test_slerp_keeps_its_distance_and_speed() -> None:
    start, end = F.normalize(torch.randn(2, 4, 9, generator=seeded()), dim=2)
    path = use._slerp(start[None], end[None], torch.linspace(0, 1, 7).view(7, 1, 1))
    assert torch.allclose(path.norm(dim=2), torch.ones(7, 4), atol=1e-5)
    angles = (path[:-1] * path[1:]).sum(dim=2).clamp(-1, 1).arccos()
    assert torch.allclose(angles, angles[:1].expand_as(angles), atol=1e-3)  # at a constant speed


def test_slerp_between_equal_latents_stays_there() -> None:
    """Their cosine is 1 but for rounding, which must not become an angle."""
    start = torch.randn(2, 500, 30, generator=seeded())[:1]
    path = use._slerp(start, start.clone(), torch.linspace(0, 1, 7).view(7, 1, 1))
    assert torch.allclose(path, start.expand_as(path), atol=1e-6)


def test_interpolations_need_two_ends_and_partners(vae: models.VariationalAutoencoder) -> None:
    with pytest.raises(InputError, match="at least its 2 ends, not 1"):
        models.interpolate(vae, pictures(1), pictures(1), 1)
    with pytest.raises(InputError, match="needs a partner"):
        models.interpolate(vae, pictures(1), pictures(2), 3)


def test_samples_come_from_the_prior(vae: models.VariationalAutoencoder) -> None:
    samples = models.sample(vae, 4, seeded(3), batch=3)
    assert samples.shape == (4, *SHAPE)
    noise = torch.randn(4, 6, generator=seeded(3))
    assert torch.allclose(samples, models.decode(vae, noise), atol=1e-6)
    assert models.sample(vae, 0, seeded()).shape == (0, *SHAPE)


@pytest.mark.parametrize("name", [n for n in SPECS if n != "vae"])
def test_samples_need_a_vae(name: str) -> None:
    with pytest.raises(InputError, match="has no prior"):
        models.sample(make(name), 1, seeded())


# ── Weights ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_first_weights_depend_on_the_seed_alone(name: str) -> None:
    torch.manual_seed(1)
    first = make(name).state_dict()
    torch.manual_seed(2)
    state = torch.get_rng_state()
    second, other = make(name).state_dict(), make(name, seed=1).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_weights_restore_a_model(name: str) -> None:
    model, other = trained(name).train(), make(name, seed=5)
    model(pictures(4))  # batch norm's statistics belong to what has been learned
    arrays = models.weights(model)
    assert all(key.startswith("weights/") for key in arrays)
    models.load_weights(other, {**arrays, "something/else": arrays[next(iter(arrays))]})
    assert torch.equal(models.reconstruct(other, pictures(2)), models.reconstruct(model, pictures(2)))


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_weights_of_another_model_are_refused(change: str) -> None:
    model = make("vector")
    arrays = models.weights(model)
    bias = arrays["weights/to_latent.bias"]
    if change == "missing":
        del arrays["weights/to_latent.bias"]
    else:
        arrays["weights/to_latent.bias" if change == "shape" else "weights/more"] = bias[:-1]
    with pytest.raises(RuntimeError, match="to_latent|more"):
        models.load_weights(model, arrays)


# ── Models of one's own ──────────────────────────────────────────────────────────────────────────────────────────────


class Own(models.Autoencoder):
    """Layers that no other model has."""

    def __init__(self, shape: Shape, *, latent: int = 5):
        super().__init__(shape)
        channels = shape[0]
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten()
        )
        self.to_latent = nn.Linear(64, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, math.prod(shape)), nn.Unflatten(1, shape))

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return self.to_latent(self.encoder(images))

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        return self.decoder(latent)


def test_custom_model_is_built_with_its_options() -> None:
    model = models.build(Own, Custom("somewhere:Own", latent=7), SHAPE, seed=0)
    assert models.embed(model, pictures(2)).shape == (2, 7)
    assert models.feature_map(model, pictures(2)).shape == (2, 7, 1, 1)


def test_outline_names_kernels_strides_and_other_layers_by_their_class() -> None:
    assert models.outline(models.build(Own, Custom("somewhere:Own"), SHAPE, seed=0)) == [
        ("image", SHAPE, "image"),
        ("conv 3×3", (4, 16, 16), "convolution"),
        ("AvgPool2d", (4, 4, 4), "AvgPool2d"),
        ("Flatten", (64,), "Flatten"),
        ("Linear", (5,), "Linear"),
        ("Linear", (768,), "Linear"),
        ("Unflatten", SHAPE, "Unflatten"),
    ]


def test_encoder_maps_are_what_each_layer_makes_of_images() -> None:
    model, images = trained("mcae"), pictures(3)
    maps = models.encoder_maps(model, images)
    assert [tuple(found.shape[1:]) for found in maps] == [(12, 8, 8), (12, 8, 8), (8, 2, 2)]
    torch.testing.assert_close(nn.functional.gelu(maps[-1]), models.feature_map(model, images))
    model = trained("vector")
    torch.testing.assert_close(models.encoder_maps(model, images)[-1], models.feature_map(model, images))
    assert not any(layer._forward_hooks for layer in model.modules()), "nobody watches any longer"


def test_encoder_maps_of_tokens_lie_where_their_patches_lie() -> None:
    model, images = trained("vit"), pictures(3)
    maps = models.encoder_maps(model, images)
    assert [tuple(found.shape[1:]) for found in maps] == [(16, 4, 4)] * 3
    images[:, :, 4:8, 8:12] = 0
    changed = (models.encoder_maps(model, images)[0] != maps[0]).any(1)
    assert changed[:, 1, 2].all()
    assert changed.sum() == 3, "the first layer sees one patch a cell"


def test_outline_draws_blocks_as_one(name: str) -> None:
    kinds = [kind for _, _, kind in models.outline(make(name))]
    assert set(kinds) <= {"image", "convolution", "transposed convolution", "residual block", "transformer block"}
    assert kinds.count("transformer block") == (3 if name == "vit" else 0)


@pytest.mark.parametrize("name", ["autoencoders.models.use", "autoencoders.models.weights", "autoencoders.specs"])
def test_examples_in_docstrings_run(name: str) -> None:
    module = importlib.import_module(name)
    tests = [each for each in doctest.DocTestFinder().find(module) if each.examples]
    runner = doctest.DocTestRunner()
    shared = dict(vars(module))
    for each in sorted(tests, key=lambda test: test.name):  # the module's own comes first, and makes the models
        each.globs = shared
        runner.run(each, clear_globs=False)
    assert (runner.failures, len(tests) > 0) == (0, True)
