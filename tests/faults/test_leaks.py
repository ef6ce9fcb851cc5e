"""Statistics that one can trust: what is fitted and chosen never meets what it is judged by, in images and in noise."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from properties import for_each
from small_lab import HELD_OUT, PROFILE, SHAPE, TRAIN, SmallLab, pictures

from autoencoders import corruption, models
from autoencoders.data import Split
from autoencoders.evaluation import baselines, latent, metrics, patches, pca, probes, quantisation, readers, spectrum
from autoencoders.findings import Findings
from autoencoders.lab import Lab
from autoencoders.measurements import probing
from autoencoders.measurements.layers import LayerFit
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.probing import ProbeFit, Regions
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.settings import PROJECT
from autoencoders.specs import Baseline, Corruption, Data, Experiment, Gaussian, PatchMask, PixelMask
from autoencoders.training import derived_seed

Tried = Callable[[int], None]
Learned = dict[str, Any]


@pytest.fixture
def small_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SmallLab:
    return SmallLab(monkeypatch, tmp_path)


# ── Images ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Parts = Callable[[Any], list[Any]]
FITTED: dict[tuple[Any, str], Parts] = {  # what baselines and measurements fit to images, by the function that does it
    (pca, "fit_pca"): lambda fit: [fit.mean, fit.components, fit.variances],
    (pca, "fit_leading"): lambda fit: [fit.mean, fit.components, fit.variances],
    (probes, "fit_leading"): lambda fit: [fit.mean, fit.components, fit.variances],
    (readers, "fit_reader"): lambda fit: [*fit.means, *fit.scales],
    (patches, "fit_patches"): lambda fit: [fit.filters, fit.offset],
    (baselines, "mean_image"): lambda fit: [fit],
    (baselines, "along"): lambda fit: [fit.mean, fit.basis, fit.coordinates],
    (baselines, "fit_linear_denoiser"): lambda fit: [fit.seen, fit.clean, fit.weight, fit.penalty],
    (baselines, "choose_weight"): lambda fit: [fit],
    (baselines, "choose_similarity"): lambda fit: [fit],
    (quantisation, "fit_quantiser"): lambda fit: [fit.mean, fit.step, fit.cost],
    (probing, "_discriminants"): lambda fit: [fit.coef_, fit.intercept_],
}


def everything_learned(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Learned:
    """Weights, histories, classifiers, every fit of a baseline, and whatever is chosen: by what it is called."""
    found: Learned = {}
    for experiment in lab.experiments():
        artifact = lab.train(experiment)
        found |= {f"{experiment.name} {name}": array for name, array in artifact.arrays.items()}
        history = {name: values for name, values in artifact.meta["history"].items() if name != "seconds"}
        found |= {f"{experiment.name} {name}": np.array(values) for name, values in history.items()}
    assert latent.fit_leading, "imported before: it draws maps of test images, which teach nobody anything"
    assert spectrum.mean_image, "so is this: it tells what test images have beyond their mean"
    with monkeypatch.context() as watched:
        for (module, name), parts in FITTED.items():
            watched.setattr(module, name, _watching(getattr(module, name), name, parts, found))
        for subject, spec in lab.measurements():
            if isinstance(spec, ProbeFit | LayerFit | Regions) or isinstance(subject, Baseline):
                artifact = lab.measure(subject, spec)
                if isinstance(spec, ProbeFit | LayerFit):
                    arrays = artifact.arrays | {"validation": np.array(artifact.meta["validation"])}
                    arrays = {
                        name: a for name, a in arrays.items() if not re.match(r"layer\d", name)
                    }  # of those chosen
                    found |= {f"{subject.name} {spec.label} {name}": array for name, array in arrays.items()}
    findings = Findings(lab)
    found["the best MCAE"] = np.array(findings.best_mcae().label)
    found["the sweep"] = np.array([error for _, runs, _ in findings.tuned() for _, error in runs])
    return found


def _watching(function: Callable[..., Any], name: str, parts: Parts, found: Learned) -> Any:
    def watched(*arguments: Any, **options: Any) -> Any:
        fit = function(*arguments, **options)
        number = sum(key.startswith(f"{name} ") for key in found)
        found[f"{name} {number}"] = np.concatenate([np.asarray(part, np.float64).ravel() for part in parts(fit)])
        return fit

    return watched


def differing(one: Learned, other: Learned) -> set[str]:
    assert one.keys() == other.keys()
    return {name for name in one if not np.array_equal(one[name], other[name])}


NO_LEAK = "Nothing that is trained, fitted, tuned or chosen depends on a test image or its label."


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learned]:
    """From the usual images."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        lab = SmallLab(monkeypatch, tmp_path_factory.mktemp("usual"))()
        found = everything_learned(lab, monkeypatch)
        assert {name.split()[0] for name in found} >= {name for _, name in FITTED}, "all that is fitted was looked at"
        yield found


def inverted(count: int, seed: int) -> Split:
    """Other images, whose classes aren't theirs."""
    shown = pictures(count, seed)
    return Split(255 - shown.images, shown.labels.flip(0))


@pytest.mark.promise(NO_LEAK)
def test_other_test_images_change_nothing_that_is_learned(
    learned: Learned, small_lab: SmallLab, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    lab = small_lab(test=inverted(40, 77))
    assert differing(learned, everything_learned(lab, monkeypatch)) == set()
    assert {row["n"] for row in lab.measure(Baseline(method="mean"), Reconstruction()).meta["rows"]} == {40}
    tried(len(learned))


@pytest.mark.promise("Weights depend on training images alone: validation images only choose among what was trained.")
def test_other_validation_images_change_choices_and_no_weights(
    learned: Learned, small_lab: SmallLab, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    lab = small_lab(validation=inverted(HELD_OUT, 78))
    changed = differing(learned, everything_learned(lab, monkeypatch))
    assert not [name for name in changed if " weights/" in name or " train/" in name]
    assert not [name for name in changed if name.startswith(("fit_pca", "fit_patches", "mean_image", "_discriminants"))]
    assert {name for name in learned if " validation/error" in name} <= changed, "they were other images"
    assert "the sweep" in changed
    tried(len(learned))


@pytest.mark.promise(NO_LEAK)
def test_other_training_images_change_all_that_is_learned(
    learned: Learned, small_lab: SmallLab, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    """What these tests look at does depend on images: they would notice."""
    changed = differing(learned, everything_learned(small_lab(train=pictures(TRAIN, 79)), monkeypatch))
    choices = r"the best MCAE|choose_(weight|similarity) \d|.* (learning_rate|epoch|images|ridge validation)|.*/labels"
    unused = r"mcae-0 weights/tokens\.\d"  # it hides nothing
    assert not [name for name in learned if name not in changed and not re.fullmatch(f"{choices}|{unused}", name)]
    tried(len(learned))


# ── Noise ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Draws:
    """The noise of each image, and the seeds that noise and masks were drawn with, by what they were drawn for."""

    phase: str = ""
    noise: dict[str, list[bytes]] = field(default_factory=dict)
    seeds: dict[str, set[int]] = field(default_factory=dict)

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        before, self.phase = self.phase, phase
        yield
        self.phase = before

    def add(self, generator: torch.Generator, images: torch.Tensor | None = None) -> None:
        self.seeds.setdefault(self.phase, set()).add(generator.initial_seed())
        for image in images if images is not None else ():
            digest = hashlib.blake2b(image.numpy().tobytes(), digest_size=16).digest()
            self.noise.setdefault(self.phase, []).append(digest)


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> Draws:
    found = Draws()
    randn, random_mask, fit = torch.randn, corruption.random_mask, baselines.fit_linear_denoiser

    def noise(*size: Any, generator: torch.Generator | None = None, **options: Any) -> torch.Tensor:
        made = randn(*size, generator=generator, **options)
        if generator is not None and made.ndim == 4:
            found.add(generator, made)
        return made

    def mask(count: int, grid: tuple[int, int], ratio: float, generator: torch.Generator) -> torch.Tensor:
        found.add(generator)
        return random_mask(count, grid, ratio, generator)

    def denoiser(*arguments: Any, **options: Any) -> Any:
        with found.during("training"):
            return fit(*arguments, **options)

    monkeypatch.setattr(torch, "randn", noise)
    monkeypatch.setattr(corruption, "random_mask", mask)
    monkeypatch.setattr(baselines, "fit_linear_denoiser", denoiser)
    return found


OTHER_NOISE = "The noise and the masks of the evaluation are never those of a training."


@pytest.mark.promise(OTHER_NOISE)
def test_no_noise_of_a_training_is_met_again(small_lab: SmallLab, draws: Draws, tried: Tried) -> None:
    """Neither by the models nor by the linear denoiser."""
    lab = small_lab(replace(PROFILE, epochs=dict.fromkeys(PROFILE.epochs, 4)))
    denoisers = [e for e in lab.experiments() if e.corruption is not None]
    masked = lab.experiments(["mcae-0.5", "vit-*"])
    for experiment in (*denoisers, *masked):
        with draws.during("training"):
            lab.train(experiment)
        for spec in _noisy(lab, experiment):
            with draws.during("classifiers" if isinstance(spec, ProbeFit) else "evaluation"):
                lab.measure(experiment, spec)
    for method in ("input", "ridge", "tv", "pca", "pixels"):
        for spec in _noisy(lab, Baseline(method=method)):  # type: ignore[arg-type]
            with draws.during("classifiers" if isinstance(spec, ProbeFit) else "evaluation"):
                lab.measure(Baseline(method=method), spec)  # type: ignore[arg-type]
    for one, other in combinations(("training", "classifiers", "evaluation"), 2):
        assert not draws.seeds[one] & draws.seeds[other]
        assert not {*draws.noise[one]} & {*draws.noise[other]}
    assert len(draws.noise["training"]) > 500
    assert len({*draws.noise["evaluation"]}) < len(draws.noise["evaluation"]) / 5, "all are shown the same noise"
    tried(len(draws.noise["training"]) + len(draws.noise["evaluation"]))


def _noisy(lab: Lab, subject: Any) -> list[Any]:
    planned = [spec for found, spec in lab.measurements() if found == subject]
    return [spec for spec in planned if getattr(spec, "input", None) is not None]


@pytest.mark.promise("A training never shows an image the same noise twice.")
def test_noise_is_new_in_each_epoch(small_lab: SmallLab, draws: Draws, tried: Tried) -> None:
    lab = small_lab(replace(PROFILE, epochs=dict.fromkeys(PROFILE.epochs, 6)))
    [experiment] = lab.experiments(["dae-vector-0.3"])
    with draws.during("training"):
        lab.train(experiment)
    found = draws.noise["training"]
    again = [noise for noise, times in Counter(found).items() if times > 1]
    assert len(again) == HELD_OUT, "only what validates is the same each time"
    assert len({*found}) == TRAIN + 6 * TRAIN + HELD_OUT, "the first weights are fitted to noise of their own"
    tried(len(found))


@pytest.mark.promise(OTHER_NOISE)
def test_no_seed_of_an_evaluation_is_one_of_a_training(thorough: bool, tried: Tried) -> None:
    asked = {f.default for kind in Measurement.__subclasses__() for f in fields(kind) if f.name == "seed"}  # type: ignore[arg-type]
    evaluation = {seed + more for seed in asked for more in range(10)}  # total variation and probes use the next ones
    assert len(asked) == 3
    seeds, steps = (20, 50_000) if thorough else (4, 2_000)
    drawn = {derived_seed(seed, "corruption", step) for seed in range(seeds) for step in range(steps)}
    assert len(drawn) == seeds * steps, "no two steps of any trainings share their noise"
    assert not drawn & evaluation
    assert derived_seed("validation") not in drawn | evaluation
    tried(len(drawn))


# ── Metrics ──────────────────────────────────────────────────────────────────────────────────────────────────────────

AS_THEY_ARE = "A metric is of the values themselves: nothing is clipped or rescaled but what the report says."


@pytest.mark.promise(AS_THEY_ARE)
def test_metrics_follow_their_formulas_outside_the_unit_interval(tried: Tried) -> None:
    target = torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(0))

    def check(case: tuple[float, float]) -> None:
        shift, scale = case
        output = target * scale + shift
        found = metrics.compare(target, output)
        error = (output.double() - target.double()).numpy()
        mse = np.square(error).mean((1, 2, 3))
        np.testing.assert_allclose(found["mse"], mse, rtol=1e-4, atol=1e-9)
        np.testing.assert_allclose(found["mae"], np.abs(error).mean((1, 2, 3)), rtol=1e-4, atol=1e-6)
        if mse.min() > 1e-6:
            np.testing.assert_allclose(found["psnr"], -10 * np.log10(mse), atol=1e-2)
            signal = np.square(target.double().numpy()).mean((1, 2, 3))
            np.testing.assert_allclose(found["snr"], 10 * np.log10(signal / mse), atol=1e-2)
        if shift > 1.01 and scale >= 0:
            assert (found["mse"] > metrics.compare(target, output.clamp(0, 1))["mse"]).all()

    tried(for_each(st.tuples(st.floats(-3, 3, width=32), st.floats(-2, 2, width=32)), check, 400))


@pytest.mark.promise(AS_THEY_ARE)
def test_ssim_is_not_of_rescaled_images() -> None:
    """Neither range nor mean is adjusted: half the contrast, or a little more light, is another image."""
    target = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for output in (target * 0.5, target + 0.2, target * 1.5 - 0.1):
        assert (metrics.compare(target, output)["ssim"] < 0.99).all()


class Bright(models.Autoencoder):
    """Puts out what no image holds."""

    def __init__(self) -> None:
        super().__init__(SHAPE)
        self.one = torch.nn.Parameter(torch.ones(()))

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return images * self.one

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        return latent + 0.5


@pytest.mark.promise(AS_THEY_ARE)
def test_outputs_are_brought_into_the_unit_interval_and_the_report_says_so(small_lab: SmallLab) -> None:
    dataset = small_lab().bench.dataset(Data(name="photos10"))
    found = Reconstruction().measure(Bright(), dataset, "cpu").arrays["all/mse"]
    clean = dataset.test.images.double() / 255
    by_hand = ((clean + 0.5).clamp(0, 1) - clean).square().mean((1, 2, 3)).numpy()
    np.testing.assert_allclose(sorted(found), sorted(by_hand), rtol=1e-4)
    chapter = (PROJECT / "report/02-data-and-method.qmd").read_text(encoding="utf-8")
    assert "Outputs are clipped to $[0, 1]$ first" in chapter.partition("## Measures")[2].partition("##")[0]


@pytest.mark.promise(AS_THEY_ARE)
@pytest.mark.parametrize("seen", [Gaussian(0.4), Gaussian(0.4, clip=False), PixelMask(0.5)])
def test_inputs_are_judged_as_they_were_shown_and_say_whether_they_are_clipped(
    small_lab: SmallLab, seen: Corruption
) -> None:
    lab = small_lab()
    artifact = lab.measure(Baseline(method="input"), Reconstruction(input=seen))
    clean = torch.as_tensor(artifact.arrays["examples/clean"]).float() / 255
    shown = corruption.corrupt(clean, seen, torch.Generator().manual_seed(Reconstruction.seed))
    by_hand = (shown - clean).square().mean((1, 2, 3)).numpy()
    np.testing.assert_allclose(artifact.arrays["all/mse"], by_hand, rtol=1e-4)
    outside = bool(((shown < 0) | (shown > 1)).any())
    [name] = {row["input"] for row in artifact.meta["rows"]}
    assert name.endswith(":unclipped") == outside
    assert (math.isclose(float(artifact.arrays["all/mse"].mean()), 0.16, rel_tol=0.05)) == outside


@pytest.mark.promise(AS_THEY_ARE)
def test_hidden_region_is_as_it_was_hidden(small_lab: SmallLab) -> None:
    """Of the region alone: neither more nor less of the image counts."""
    lab = small_lab()
    [experiment] = lab.experiments(["mcae-0.5"])
    assert isinstance(experiment, Experiment)
    artifact = lab.measure(experiment, Reconstruction(input=PatchMask(0.5)))
    hidden = (artifact.arrays["examples/seen"] == 128).all(1)
    assert (hidden.mean((1, 2)) == 0.5).all()
    error = artifact.arrays["examples/output"] / 255 - artifact.arrays["examples/clean"] / 255
    by_hand = [np.square(e[:, h]).mean() for e, h in zip(error, hidden, strict=True)]
    np.testing.assert_allclose(artifact.arrays["masked/mse"][: len(by_hand)], by_hand, atol=1e-4)
