"""Findings: the values of the store by contender, over seeds; what they rest on; and what a notebook adds to them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from copied_project import Run
from IPython.core.events import EventManager

from autoencoders import findings, inspection, notebook, references
from autoencoders.catalogue import Catalogue
from autoencoders.claims import judge_all
from autoencoders.errors import InputError
from autoencoders.evaluation.statistics import Estimate, Spread, measured
from autoencoders.findings import Findings
from autoencoders.judging import ACCURACY, DECIBELS, Claim, judge
from autoencoders.lab import Lab
from autoencoders.measurements.layers import LayerFit
from autoencoders.measurements.likelihood import Likelihood
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.notebook import Notebook
from autoencoders.plans import Sweep
from autoencoders.profiles import PROFILES
from autoencoders.results import Contender
from autoencoders.settings import ENVIRONMENT, Settings
from autoencoders.specs import DRAWS, MCAE, Experiment, Gaussian, PatchMask, Training
from autoencoders.store import Artifact

VARIANCE = math.sqrt(0.1)

# ── Several seeds, made by hand ──────────────────────────────────────────────────────────────────────────────────────


class Shelf:
    """In a lab's place: it holds what a test puts there, for seeds 0, 1 and 2."""

    def __init__(self, make: Callable[[Any, Any], Artifact], seeds: tuple[int, ...], profile: str) -> None:
        self.catalogues = [Catalogue(profile=PROFILES[profile], seed=seed) for seed in seeds]
        self.measure = make
        self.bench = SimpleNamespace(measurement=lambda subject, spec: None)


def found(make: Callable[[Any, Any], Artifact], seeds: tuple[int, ...] = (0, 1, 2), profile: str = "quick") -> Findings:
    return Findings(Shelf(make, seeds, profile))  # type: ignore[arg-type]


def row(metric: str, value: float, lo: float, hi: float, region: str = "all") -> dict[str, Any]:
    return {"metric": metric, "region": region, "value": value, "lo": lo, "hi": hi, "n": 100}


def by_seed(subject: Any, spec: Any) -> Artifact:
    """Seed 0 has 10 ± 1, seed 1 has 11 ± 2, seed 2 has 12 ± 1; a baseline has 5 ± 1."""
    middle, half = {0: (10.0, 1.0), 1: (11.0, 2.0), 2: (12.0, 1.0)}.get(getattr(subject, "seed", -1), (5.0, 1.0))
    rows = [row("mse", middle, middle - half, middle + half), row("mse", -middle, 0, 0, "masked")]
    rows.append(row("kl", middle, math.nan, math.nan))
    return Artifact({"all/mse": np.full(4, middle), "examples/output": np.full((9, 3, 2, 2), middle)}, {"rows": rows})


def test_contender_is_a_model_in_all_its_seeds() -> None:
    f = found(by_seed)
    for contender in (f.ae(), f.ae("spatial"), f.dae(0.3), f.vae(), f.mcae(0.5), f.vit(0.75)):
        assert [subject.seed for subject in contender.subjects] == [0, 1, 2]  # type: ignore[union-attr]
        assert len({subject.name for subject in contender.subjects}) == 1
        assert contender.first is contender.subjects[0]
    assert len(f.baseline("pca").subjects) == 1


@pytest.mark.parametrize(
    ("ask", "label", "name"),
    [
        (lambda f: f.ae(), "AE, vector", "ae-vector"),
        (lambda f: f.ae("spatial"), "AE, spatial", "ae-spatial"),
        (lambda f: f.ae(latent=64), "AE, vector, 64", "ae-vector-l64"),
        (lambda f: f.dae(0.3), "DAE σ = 0.3, vector", "dae-vector-0.3"),
        (lambda f: f.dae(VARIANCE, "spatial"), "DAE variance 0.1, spatial", "dae-spatial-var0.1"),
        (lambda f: f.vae(), "VAE", "vae"),
        (lambda f: f.vae(1), "VAE, β = 1", "vae-beta1"),
        (lambda f: f.mcae(0.75), "MCAE 0.75", "mcae-0.75"),
        (lambda f: f.vit(0.75), "ViT 0.75", "vit-0.75"),
        (lambda f: f.baseline("pca"), "PCA, 128", "baseline/pca-128"),
        (lambda f: f.baseline("pca", 64), "PCA, 64", "baseline/pca-64"),
        (lambda f: f.baseline("ppca"), "linear VAE (probabilistic PCA), 128", "baseline/ppca-128"),
        (lambda f: f.baseline("linear-vae"), "linear VAE, β = 1, 128", "baseline/linear-vae-128"),
        (lambda f: f.baseline("input"), "noisy input itself", "baseline/input"),
    ],
)
def test_contender_has_a_label_and_a_name(ask: Callable[[Findings], Contender], label: str, name: str) -> None:
    contender = ask(found(by_seed))
    assert contender.label == label
    assert contender.first.name == name


def test_baselines_have_labels_of_their_own() -> None:
    f = found(by_seed)
    labels = [f.baseline(b.method, b.size, sigma=b.sigma).label for b in f.catalogue.baselines()]
    assert len(set(labels)) == len(labels)
    with pytest.raises(ValueError, match="no baseline is called 'magic'; there are: input, mean, pca"):
        f.baseline("magic")


def test_estimates_are_one_a_seed() -> None:
    f = found(by_seed)
    assert f.estimates(f.ae(), f.reconstruction(), "mse") == [
        Estimate(10, 9, 11, 100),
        Estimate(11, 9, 13, 100),
        Estimate(12, 11, 13, 100),
    ]
    assert [e.value for e in f.estimates(f.ae(), f.reconstruction(), "mse", "masked")] == [-10, -11, -12]


@pytest.mark.parametrize(("metric", "region"), [("ssim", "all"), ("mse", "edge")])
def test_estimates_refuse_an_unknown_metric_or_region(metric: str, region: str) -> None:
    f = found(by_seed)
    with pytest.raises(KeyError, match=f"AE, vector has no {metric} of region {region}; there are: kl, mse"):
        f.estimates(f.ae(), f.reconstruction(), metric, region)


def test_cell_is_a_spread_over_seeds_or_an_interval_over_images() -> None:
    f, one = found(by_seed), found(by_seed, seeds=(1,))
    spec = f.reconstruction()
    assert f.cell(f.ae(), spec, "mse") == Spread(11, 1, 3)
    assert f.cell(f.baseline("mean"), spec, "mse") == Estimate(5, 4, 6, 100)
    assert one.cell(one.ae(), spec, "mse") == Estimate(11, 9, 13, 100)
    assert one.cell(one.ae(), spec, "kl") == 11, "no interval was computed"


def test_interval_holds_the_spread_of_seeds_and_of_images() -> None:
    """Three seeds, 1 apart: SE² = 1 / 3 + the images' (4 / 3 / 1.96)², and t with 2 degrees of freedom is 4.303."""
    f, one = found(by_seed), found(by_seed, seeds=(1,))
    value, low, high, n = f.interval(f.ae(), f.reconstruction(), "mse")
    assert (value, n) == (11, 100)
    assert high - value == pytest.approx(value - low)
    whole = measured(np.array([10.0, 11.0, 12.0]), 4 / 3 / 1.959964, 100)
    assert whole.error == pytest.approx(math.sqrt(1 / 3 + (4 / 3 / 1.96) ** 2), abs=1e-3)
    assert high == pytest.approx(whole.interval()[1])
    value, low, high, n = f.interval(f.ae(), f.reconstruction(), "kl")
    assert high - value == pytest.approx(4.303 * math.sqrt(1 / 3), abs=1e-3), "the images' own error isn't known"
    assert one.interval(one.ae(), one.reconstruction(), "mse") == Estimate(11, 9, 13, 100)
    assert one.interval(one.ae(), one.reconstruction(), "kl") == Estimate(11, 11, 11, 100)
    assert f.value(f.ae(), f.reconstruction(), "mse") == 11


def test_level_table_measures_each_level() -> None:
    def at_level(subject: Any, spec: Reconstruction) -> Artifact:
        assert isinstance(spec.input, Gaussian)
        return Artifact({}, {"rows": [row("psnr_mean", 10 * spec.input.sigma, 0, 9)]})

    table = str(
        found(at_level, seeds=(0,)).level_table([found(at_level, seeds=(0,)).ae()], [0.1, VARIANCE], "psnr_mean")
    )
    assert "σ = 0.1" in table
    assert "variance 0.1" in table
    assert "1.00" in table
    assert "3.16" in table


def test_table_emboldens_what_a_paired_test_puts_ahead() -> None:
    """The AE is ahead of PCA on every image by a little; the VAE is ahead of the AE on half of them."""
    rng = np.random.default_rng(0)
    images, gap = rng.normal(24, 3, 400), rng.normal(0, 1, 400)
    shown = {"ae-vector": images, "baseline/pca-128": images - 0.1, "vae": images + 0.01 * gap}

    def stored(subject: Any, spec: Any) -> Artifact:
        values = shown[subject.name]
        return Artifact({"all/psnr": values}, {"rows": [row("psnr_mean", values.mean(), 0, 50)]})

    f = found(stored, seeds=(0,))
    ae, vae, pca = f.ae(), f.vae(), f.baseline("pca")
    assert f.leader([pca, ae], f.reconstruction(), "psnr_mean") == 1
    assert f.leader([pca, ae, vae], f.reconstruction(), "psnr_mean") is None, "AE and VAE can't be told apart"
    assert f.leader([ae], f.reconstruction(), "psnr_mean") is None
    lines = str(f.table([pca, ae], f.reconstruction(), ["psnr_mean"])).splitlines()
    assert ["**" in line for line in lines] == [False, False, False, True]
    assert "**" not in str(f.table([pca, ae], lambda c: f.reconstruction(), ["psnr_mean"])), "each measured its own way"


def test_arrays_are_of_the_first_seed_and_per_image_values_of_all() -> None:
    f = found(by_seed)
    assert (f.arrays(f.ae(), f.reconstruction())["all/mse"] == 10).all()
    per_image = f.per_image(f.ae(), f.reconstruction(), "all/mse")
    assert per_image.shape == (3, 4)
    assert per_image[:, 0].tolist() == [10, 11, 12]
    assert f.per_image(f.baseline("mean"), f.reconstruction(), "all/mse").shape == (1, 4)
    assert f.examples(f.ae(), f.reconstruction(), count=5).shape == (5, 3, 2, 2)


def test_table_has_a_row_a_contender_and_may_measure_each_differently() -> None:
    asked = []

    def remember(subject: Any, spec: Any) -> Artifact:
        asked.append((subject.name, spec.input))
        return by_seed(subject, spec)

    f = found(remember)
    table = str(
        f.table(
            [f.mcae(0.5), f.baseline("mean")], lambda c: f.masked(0.5) if "MCAE" in c.label else f.noisy(0.1), ["mse"]
        )
    )
    assert {spec for name, spec in asked if name == "mcae-0.5"} == {PatchMask(0.5)}
    assert {spec for name, spec in asked if name == "baseline/mean"} == {Gaussian(0.1)}
    assert len(table.splitlines()) == 4
    assert "MCAE 0.5" in table
    assert "± 1000.00 (3)" in table


def test_best_mcae_is_chosen_on_validation_images() -> None:
    def accuracy(subject: Experiment, spec: Any) -> Artifact:
        """On validation images 0.3 is best by its mean over the seeds; what test images say is the opposite."""
        assert isinstance(subject.model, MCAE)
        lucky = subject.model.ratio == 0.75 and subject.seed == 0
        value = 0.9 if lucky else {0.1: 0.4, 0.3: 0.6, 0.5: 0.5, 0.75: 0.3}[subject.model.ratio]
        return Artifact({}, {"validation": value, "rows": [row("probe_linear_layers", -value, 0, 0)]})

    f = found(accuracy)
    best = f.best_mcae()
    assert best.label == "MCAE 0.3"
    candidates = {(e, f.catalogue.layer_probe().fit) for ratio in f.catalogue.ratios for e in f.mcae(ratio).subjects}
    assert set(best.chosen_by) == candidates, "by what it is compared by; the control isn't one of them"


def test_random_weights_are_a_contender_in_all_draws() -> None:
    f = found(by_seed, seeds=(0,))
    for trained, label in ((f.ae(), "AE, vector, random weights"), (f.mcae(0), "MCAE, random weights")):
        contender = f.untrained(trained)
        assert contender.label == label
        assert [subject.seed for subject in contender.subjects] == [*DRAWS]  # type: ignore[union-attr]
        assert {subject.model for subject in contender.subjects} == {trained.first.model}  # type: ignore[union-attr]
    with pytest.raises(InputError, match="VAE is not measured with random weights"):
        f.untrained(f.vae())


def test_training_is_compared_with_draws_of_random_weights() -> None:
    """One training with all draws, whose spread counts as that of seeds does; each of several trainings with one."""
    images = (np.arange(2000) + 0.5) / 2000

    def accuracies(gains: tuple[float, ...]) -> Callable[[Any, Any], Artifact]:
        def make(subject: Any, spec: Any) -> Artifact:
            share = 0.6 if isinstance(subject, Experiment) else 0.6 - gains[subject.seed]
            return Artifact({"probe_linear_layers/correct": images < share}, {"rows": []})

        return make

    verdicts = []
    for gains in ((0.05,) * len(DRAWS), (0.0, 0.0, 0.05, 0.1, 0.1)):
        f = found(accuracies(gains), seeds=(0,))
        sides = f.layers(f.mcae(0.5)), f.layers(f.untrained(f.mcae(0)))
        claim = Claim("training-adds", "R20", "training adds", *sides, ACCURACY, seeds="draws")
        judged = judge(claim, f)
        assert judged.difference.value == pytest.approx(0.05)
        assert judged.scope == "over 5 draws"
        assert judged.difference.seeds == len(DRAWS)
        verdicts.append(judged.verdict)
    assert verdicts == ["supported", "undecided"]
    f = found(accuracies((0.0, 0.1, 9.0)), seeds=(3, 5))
    several = judge(replace(claim, a=f.layers(f.mcae(0.5)), b=f.layers(f.untrained(f.mcae(0))), seeds="seeds"), f)
    assert several.difference.value == pytest.approx(0.05), "each of two trainings beside a draw"
    assert several.scope == "over 2 seeds"


@pytest.mark.parametrize(("rival", "scope"), [("dae", "in this run"), ("pca", "over 3 seeds"), ("vae", "over 3 seeds")])
def test_verdict_reaches_as_far_as_the_seeds_that_both_have(rival: str, scope: str) -> None:
    def of_seed(subject: Any, spec: Any) -> Artifact:
        return Artifact({"all/psnr": np.arange(20.0) + getattr(subject, "seed", 0)}, {"rows": []})

    f = found(of_seed, profile="evening")
    rivals = {"dae": f.dae(0.1), "pca": f.baseline("pca"), "vae": f.vae()}
    assert judge(Claim("some", "R7", "some", f.psnr(f.ae()), f.psnr(rivals[rival]), DECIBELS), f).scope == scope


def test_similarities_are_of_every_pair_of_embeddings() -> None:
    turned = np.random.default_rng(0).normal(size=(50, 3))
    spaces = {"ae-vector": turned, "vae": 2 * turned[:, ::-1], "mcae-0.5": turned[:, :1] * 1.0}
    f = found(lambda subject, spec: Artifact({"coordinates": spaces[subject.name]}, {"rows": []}), seeds=(0,))
    cka = f.similarities({"a": (f.ae(), "latent"), "b": (f.vae(), "latent"), "c": (f.mcae(0.5), "map")})
    assert cka.shape == (3, 3)
    assert np.diag(cka) == pytest.approx(np.ones(3))
    assert cka[0, 1] == cka[1, 0] == pytest.approx(1), "turned and enlarged"
    assert cka[0, 2] == pytest.approx(cka[1, 2])
    assert 0 < cka[0, 2] < 0.9


def test_accuracy_by_class_is_that_of_its_images() -> None:
    arrays = {"labels": np.array([0, 0, 1, 1, 1]), "probe_linear_layers/correct": np.array([1, 0, 1, 1, 0], bool)}
    f = found(lambda subject, spec: Artifact(arrays, {"rows": [], "classes": ["a", "b", "none"]}))
    accuracies = f.by_class([f.ae(), f.vae()])
    assert accuracies[:, :2] == pytest.approx(np.array([[1 / 2, 2 / 3]] * 2))
    assert np.isnan(accuracies[:, 2]).all(), "no image has it"


def test_table_of_many_classes_shows_the_hardest_and_the_easiest() -> None:
    labels = np.arange(300) % 30
    arrays = {"labels": labels, "probe_linear_layers/correct": np.arange(300) // 30 < labels / 3}
    f = found(lambda subject, spec: Artifact(arrays, {"rows": [], "classes": [f"k{kind}" for kind in range(31)]}))
    heading = str(f.class_table([f.ae(), f.vae()])).splitlines()[0]
    assert re.findall(r"k\d+", heading) == [f"k{kind}" for kind in (*range(6), *range(24, 30))]


def test_matrix_of_many_classes_has_those_seen_most_often_and_the_rest_as_one() -> None:
    seen = np.zeros(30)
    seen[[5, 29]], seen[7:17] = 0.2, 0.05
    seen[0] = 0.1
    arrays = dict.fromkeys(("shares/result", "shares/control", "shares/plain"), seen)
    f = found(lambda subject, spec: Artifact(arrays, {"rows": [], "classes": [f"k{kind}" for kind in range(30)]}))
    shares, classes = f.judged(f.vae(), f.catalogue.arithmetics()[:1])
    assert len(classes) == 13
    assert classes[:2] == ["k0", "k5"]
    assert classes[-2:] == ["k29", "18 others"]
    assert all(table.sum() == pytest.approx(100) for table in shares.values())


# ── What results rest on ─────────────────────────────────────────────────────────────────────────────────────────────


def chosen(subject: Any, spec: Any) -> Artifact:
    return Artifact({"all/psnr": np.arange(5.0)}, by_seed(subject, spec).meta | {"validation": 0.5})


def test_recording_lists_what_was_asked_for_once() -> None:
    f = found(by_seed, seeds=(0, 1))
    f.value(f.vae(), f.reconstruction(), "mse")
    f.cell(f.vae(), f.reconstruction(), "kl")
    assert list(f.recording.asked) == [(experiment, f.reconstruction()) for experiment in f.vae().subjects]


def test_recorded_results_leave_the_other_recording_alone() -> None:
    f = found(by_seed)
    other = f.recorded()
    other.value(f.ae(), f.reconstruction(), "mse")
    assert len(other.recording.asked) == 3
    assert not f.recording.asked


def test_recording_names_what_had_chosen_a_contender() -> None:
    """Chosen before, used later: whoever reads a value of the chosen model learns which measurements chose it."""
    f = found(chosen, seeds=(0,))
    best = f.best_mcae()
    assert best.chosen_by
    later = f.recorded()
    later.per_image(best, f.reconstruction(), "all/psnr")
    assert set(later.recording.asked) == {*best.chosen_by, (best.first, f.reconstruction())}


def test_distances_are_read_from_the_metrics() -> None:
    metrics = ["hole_mse:1", "hole_mse:2", "hole_mse_mean_colour:1", "hidden_mse", "importance:1"]
    f = found(lambda subject, spec: Artifact({}, {"rows": [row(m, 1, 1, 1) for m in metrics]}))
    assert f.distances(f.mcae(0.5), f.catalogue.filling(), "hole_mse") == [1, 2]
    assert f.distances(f.mcae(0.5), f.catalogue.filling(), "hidden_mse") == [], "it has none"
    assert f.distances(f.mcae(0.5), f.catalogue.filling(), "nothing") == []


def test_frechet_table_has_a_column_for_each_origin_of_latents() -> None:
    def distances(subject: Any, spec: Any) -> Artifact:
        ways = {"vae": {"prior": 2.5, "mixture": 1.5}, "ae-vector": {"mixture": 3.5}}.get(subject.name, {"real": 0.01})
        return Artifact({}, {"rows": [row(f"frechet_{way}", value, math.nan, math.nan) for way, value in ways.items()]})

    f = found(distances, seeds=(0,))
    heading, _, vae, ae, real = str(f.frechet_table([f.vae(), f.ae()])).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (heading, vae, ae, real)]
    assert cells[0] == ["model", "from the prior", "from a mixture", "real"]
    assert cells[1] == ["VAE", "2.50", "1.50", "–"]
    assert cells[2] == ["AE, vector", "–", "3.50", "–"]
    assert cells[3] == ["other test images", "–", "–", "0.01"]


def test_vaes_begin_with_the_calibrated_one() -> None:
    f = found(by_seed)
    assert [c.label for c in f.vaes()] == ["VAE", *(f"VAE, β = {b:g}" for b in f.catalogue.betas)]


def test_linear_vae_of_a_fixed_beta_stands_beside_the_vae_of_that_beta() -> None:
    f = found(by_seed)
    assert [c.label for c in f.linear_vaes()] == ["linear VAE (probabilistic PCA), 128", "linear VAE, β = 1, 128"]
    assert [c.label for c in f.fixed_vaes()] == ["VAE, β = 1"]
    f.catalogue = replace(f.catalogue, profile=replace(f.catalogue.profile, betas=(0.5, 2.0)))
    assert [c.label for c in f.linear_vaes()] == ["linear VAE (probabilistic PCA), 128"]
    assert [c.label for c in f.fixed_vaes()] == ["VAE, β = 0.5"]


def test_baselines_have_the_size_at_which_latents_are_compared() -> None:
    f = found(by_seed)
    f.catalogue = replace(f.catalogue, profile=replace(f.catalogue.profile, latents=(24, 40)))
    assert [c.label for c in f.sizes()] == ["AE, vector, 40", "PCA, 40"]
    assert {f.baseline(method) for method in ("pca", "ppca", "pixels")} <= {
        f.baseline("pca", 24),
        f.baseline("ppca", 24),
        f.baseline("pixels", 128),
    }
    assert f.reduced(f.probe("latent", 0.3)) == "probe_linear_pca24"


# ── Tuning ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Tuned(Shelf):
    """In a lab's place, where validation images like small steps, short codes and large patches."""

    def __init__(self, profile: str, rate: float = 0.0015, beta: float | None = None, patch: int = 8) -> None:
        super().__init__(self._measured, (0,), profile)
        self.rate, self.beta, self.patch = rate, beta, patch

    def train(self, run: Experiment) -> Artifact:
        error = 0.01 + abs(run.training.learning_rate - self.rate)
        return Artifact({}, {"validation": {"error": error}})

    def _measured(self, run: Any, spec: Any) -> Artifact:
        if isinstance(spec, Likelihood):
            assert spec.split == "validation"
            value = 6.0 if run.model.beta == self.beta else 7.0
            return Artifact({}, {"rows": [row("bits_per_dim", value, value, value)]})
        assert isinstance(spec, LayerFit)
        return Artifact({}, {"validation": 0.5 + 0.1 * (run.model.patch == self.patch) + 0.2 * run.model.masked_weight})


def tuned(*args: Any, **changes: Any) -> Findings:
    return Findings(Tuned(*args, **changes))  # type: ignore[arg-type]


def test_each_sweep_is_decided_by_its_own_criterion() -> None:
    chosen = {(s.model, s.setting): run and s.value(run) for s, _, run in tuned("evening").tuned()}
    assert chosen == {
        **dict.fromkeys(((model, "learning_rate") for model in ("AE", "spatial AE", "VAE", "MCAE", "ViT")), 0.0015),
        **dict.fromkeys([("AE", "latent"), ("AE", "width")]),  # no contests
        ("VAE", "beta"): None,
        ("MCAE", "patch"): 8,
        ("MCAE", "masked_weight"): 10.0,
    }
    assert {(s.setting): run and s.value(run) for s, _, run in tuned("evening", beta=0.1).tuned()}["beta"] == 0.1


def test_sweeps_say_whether_their_choice_is_the_one_in_use() -> None:
    rate = Training().learning_rate
    assert tuned("smoke", rate).tuning_kept().startswith("In each contest, the setting in use is the one")
    said = tuned("smoke", 2 * rate).tuning_kept()
    assert said.endswith(f"for: AE, learning rate ({2 * rate:g} in place of {rate:g}).")
    lines = str(tuned("smoke", 2 * rate).sweep_table()).splitlines()
    contest = [line for line in lines if "learning rate" in line]
    assert [line.count("✓") for line in contest] == [1, 0, 1], "in use, neither, chosen"
    assert all(line.rstrip(" |").endswith("–") for line in lines if "latent" in line), "a trade, no contest"


@pytest.mark.parametrize(
    ("spatial", "said", "answer"),
    [
        (0.0103, "2.0 % below with the vector and 3.0 % above with the spatial bottleneck", "So no gap has opened"),
        (0.0110, "2.0 % below with the vector and 10.0 % above with the spatial", "a gap has opened with the spatial"),
    ],
)
def test_overfitting_is_a_gap_wider_than_epochs_differ(
    spatial: float, said: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = {"ae-vector": 0.0098, "ae-spatial": spatial}

    def trained(self: Findings, contender: Contender) -> Artifact:
        validation = [0.5, last[contender.first.name]]  # type: ignore[union-attr]
        return Artifact({}, {"history": {"train/error": [0.02, 0.01], "validation/error": validation}})

    monkeypatch.setattr(Findings, "training", trained)
    found_out = found(by_seed).overfitting()
    assert said in found_out
    assert answer in found_out


@pytest.mark.parametrize(
    ("prior", "mixture", "answer"),
    [
        (14.0, 12.0, "doesn't bring samples nearer"),
        (12.0, 14.0, "brings samples nearer"),
        (12.0, 12.5, "no clear difference"),
    ],
)
def test_samples_are_compared_where_their_intervals_part(prior: float, mixture: float, answer: str) -> None:
    def distances(subject: Any, spec: Any) -> Artifact:
        shown = {"prior": prior, "mixture": mixture, "real": 0.1}
        return Artifact({}, {"rows": [row(f"frechet_{name}", v, v - 0.5, v + 0.5) for name, v in shown.items()]})

    assert answer in found(distances, seeds=(0,)).samples_drawn()


@pytest.mark.parametrize(
    ("by", "value", "in_use", "better"),
    [
        ("error", 0.00437, 0.0044, False),
        ("error", 0.0042, 0.0044, True),
        ("bits", 6.295, 6.3, False),
        ("bits", 6.28, 6.3, True),
        ("probe", 0.604, 0.6, False),
        ("probe", 0.61, 0.6, True),
    ],
)
def test_setting_in_use_gives_way_to_a_lead_that_matters(by: Any, value: float, in_use: float, better: bool) -> None:
    sweep = Sweep(model="AE", setting="learning_rate", runs=(), by=by)
    assert findings._is_better(sweep, value, in_use) is better
    assert not findings._is_better(sweep, in_use, in_use)


# ── A filled store ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def lab(smoke: Run) -> Iterator[Lab]:
    settings = Settings(profile="smoke", dataset="photos10", device="cpu", cache=smoke.project.cache)
    lab = Lab(settings, looks_only=True)
    assert all(lab.store.contains(task) for task in lab.plan()), "the sources were edited since the run began"
    before = {path.name for path in (smoke.project.cache / "artifacts").iterdir()}
    yield lab
    assert {path.name for path in (smoke.project.cache / "artifacts").iterdir()} == before, "something was made again"


@pytest.fixture(scope="module")
def f(lab: Lab) -> Findings:
    return Findings(lab)


def test_findings_agree_with_the_rows_of_results(lab: Lab, f: Findings) -> None:
    for contender in (f.ae(), f.dae(0.3), f.vae(), f.baseline("pca"), f.baseline("ridge")):
        spec = f.noisy(0.3)
        [expected] = [r for r in lab.rows_of(contender.first, spec) if r["metric"] == "psnr_mean"]
        estimate = f.cell(contender, spec, "psnr_mean")
        assert isinstance(estimate, Estimate)
        assert estimate._asdict() == {k: expected[k] for k in ("value", "lo", "hi", "n")}
        per_image = f.per_image(contender, spec, "all/psnr")
        assert per_image.shape == (1, 128)
        assert per_image.mean() == pytest.approx(estimate.value, rel=1e-4)


def test_examples_are_the_same_images_for_all_contenders(f: Findings) -> None:
    contenders = [
        f.ae(),
        f.ae("spatial"),
        f.dae(0.1),
        f.vae(),
        f.baseline("pca"),
        f.baseline("tv"),
        f.baseline("input"),
    ]
    for name in ("clean", "seen"):
        pictures = [f.examples(contender, f.noisy(0.3), name) for contender in contenders]
        assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
    masked = [f.examples(contender, f.masked(0.75), "seen") for contender in (f.mcae(0.75), f.vit(0.75))]
    assert np.array_equal(*masked)  # type: ignore[arg-type]


def test_curves_and_cost_come_from_the_training(f: Findings) -> None:
    curves = f.curves([f.ae(), f.vae()])
    assert curves.keys() == {"AE, vector", "VAE"}
    for parts in curves.values():
        assert len({len(line) for line in parts.values()}) == 1
        assert parts["epoch"][-1] == PROFILES["smoke"].epochs["vector"]
        assert all(0 < error < 1 for part in ("train", "validation") for error in parts[part])
    assert f.curves([f.vae()], "kl")["VAE"]["train"][0] >= 0
    cost = f.cost(f.ae())
    assert cost["images"] == 512
    assert min(cost.values()) > 0
    assert cost["training"] > 2 * cost["operations"] * cost["images"], "back as well"
    with pytest.raises(AssertionError, match="isn't trained"):
        f.training(f.baseline("pca"))


def test_sweep_is_compared_on_validation_images(f: Findings) -> None:
    for sweep, found, chosen in f.tuned():
        for run, error in found:
            assert error == f.training(Contender("run", (run,))).meta["validation"]["error"]
        in_use, least = found[0], min(found, key=lambda each: each[1])
        leads = 10 * math.log10(in_use[1] / least[1]) > 0.1
        assert chosen == ((least if leads else in_use)[0] if sweep.by else None)


def test_trainings_are_listed_with_their_cost(lab: Lab, f: Findings) -> None:
    rows = f.trainings()
    assert [row["experiment"] for row in rows] == [e.name for e in lab.experiments()]
    assert all(row["parameters"] > 0 and row["seconds"] > 0 for row in rows)


def test_architecture_goes_from_input_to_output(f: Findings) -> None:
    layers = f.architecture(f.ae())
    assert layers[0][1] == layers[-1][1] == (3, 32, 32)
    assert layers[1][0] == "conv 8×8, stride 4"
    with pytest.raises(AssertionError, match="has no layers"):
        f.architecture(f.baseline("pca"))


def test_claims_rest_on_what_chose_their_model(lab: Lab, f: Findings) -> None:
    """The masked autoencoder of R20 is chosen by every candidate's classifier; other claims don't rest on those."""
    judged = {each.claim.id: {task.name for task in each.asked} for each in judge_all(lab)}
    fit = f.catalogue.layer_probe().fit
    fits = {lab.bench.measurement(f.mcae(ratio).first, fit).name for ratio in f.catalogue.ratios}
    assert fits < judged["mcae-probe-ae"]
    assert fits < judged["mcae-probe-vit"], "each claim has a list of its own"
    assert not fits & judged["mcae-vit"]
    assert judged["ae-pca"] == {
        lab.bench.measurement(contender.first, f.reconstruction()).name for contender in (f.ae(), f.baseline("pca"))
    }


def test_others_are_models_that_only_the_catalogue_names(
    lab: Lab, f: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f.others() == []
    results = Catalogue.results
    deeper = replace(f.ae().first, name="ae-deeper")  # type: ignore[type-var]
    monkeypatch.setattr(Catalogue, "results", lambda catalogue: [*results(catalogue), deeper])
    assert [(c.label, c.subjects) for c in f.others()] == [("ae-deeper", (deeper,))]
    assert f.others(f.catalogue.latent()) == f.others()
    assert f.others(f.masked(0.5)) == [], "nobody hides patches of it"
    with pytest.raises(InputError, match="no model is called 'ae-wider'; there are: ae-vector"):
        f.contender("ae-wider")


def test_reported_values_stand_beside_this_run(f: Findings) -> None:
    lines = str(f.reported_elsewhere()).splitlines()
    ours = f"{f.value(f.ae(), f.reconstruction(), 'psnr_mean'):.2f} dB"
    assert any(ours in line for line in lines)
    elsewhere = [line for line in lines if "study" in line.split("|")[1]]
    assert elsewhere
    assert all("in the studies' book" in line for line in elsewhere), "where they stand beside the same task"


def reference_of(lab: Lab, **changes: Any) -> str:
    """What `results --json` would print of this run on a better machine."""
    rows = [row | {"value": row["value"] + 1} for row in inspection.rows(lab, ["ae-vector"])]
    content = {"profile": "full", "dataset": lab.dataset, "trainings": [{"device": "Some GPU"}], "rows": rows}
    return json.dumps(content | changes)


def test_reference_runs_stand_beside_this_run(
    lab: Lab, f: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "FOLDER", tmp_path)
    (tmp_path / "reference-gpu.json").write_text(reference_of(lab))
    (tmp_path / "reference-other.json").write_text(reference_of(lab, dataset="digits"))
    heading, _, *lines = str(f.beside_references()).splitlines()
    assert [cell.strip() for cell in heading.strip("|").split("|")] == ["value", "this run", "full, Some GPU"]
    here = f.value(f.ae(), f.reconstruction(), "psnr_pooled")
    [ae] = [line for line in lines if "AE, 128" in line]
    assert f"| {here:.2f} " in ae
    assert f"| {here + 1:.2f} " in ae
    assert all(line.rstrip(" |").endswith("–") for line in lines if line != ae), "the reference trained nothing else"
    assert not any("AE, 64" in line for line in lines), "nobody trained that"


def test_recipes_that_were_tried_are_told_with_those_that_were_kept(
    f: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "FOLDER", tmp_path)
    assert "–" in str(f.recipes()), "nothing was kept here"
    tried = {"family": "AE", "change": "a wider stem", "images": 100, "measure": "PSNR", "value": 21.239, "trial": None}
    rows = [tried | {"kept": kept, "seconds": seconds} for kept, seconds in ((True, 3.2), (False, None))]
    (tmp_path / "recipes.json").write_text(json.dumps({"rows": rows}))
    kept, dropped = str(f.recipes()).splitlines()[2:4]
    assert [cell.strip() for cell in kept.strip("|").split("|")] == [
        "AE",
        "a wider stem",
        "100",
        "PSNR",
        "21.24",
        "3",
        "yes",
    ]
    assert [cell.strip() for cell in dropped.strip("|").split("|")][-2:] == ["–", "no"]


def test_time_to_quality_says_what_was_reached_and_what_was_waited_for_in_vain(
    f: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "FOLDER", tmp_path)
    assert "–" in str(f.time_to_quality()), "nothing was kept here"
    found = {"goal": "PCA + 0.3 dB", "value": 23.456, "machine": {"device": "Some CPU", "cores": 2}}
    found |= {"ours": {"reached": True, "seconds": 2.0}}
    found |= {"plain": {"reached": True, "seconds": 9.0, "times": 4.5}}
    found |= {"tutorial": {"reached": False, "seconds": 20.5, "times": 10.2}}
    (tmp_path / "results-cpu.json").write_text(json.dumps({"quality-ae": found}))
    (line,) = str(f.time_to_quality()).splitlines()[2:3]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "ae",
        "PCA + 0.3 dB",
        "23.456",
        "2.0 s",
        "9.0 s (4.5×)",
        r"\> 20.5 s (\> 10.2×)",
        "Some CPU, 2 cores",
    ]
    assert "PCA + 0.3 dB" not in str(f.other_speeds()), "it has a table of its own"
    assert "–" in str(f.training_speeds()), "nobody measured that here"


# ── Notebooks ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def no_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    for twin in ENVIRONMENT.values():
        monkeypatch.delenv(twin, raising=False)


CELL: dict[str, Any] = {
    "__annotations__": {"profile": str, "dataset": str, "seeds": str, "sigma": float, "sigmas": object}
}


@pytest.mark.parametrize("given", [[0.2, 0.1], "[0.2, 0.1]", "0.2, 0.1"])
def test_notebook_begins_with_its_parameters(no_twins: None, given: Any) -> None:
    nb = notebook.begin(
        CELL | {"profile": "smoke", "dataset": "photos10", "seeds": "4,5", "sigma": "0.2", "sigmas": given}
    )
    assert nb.p.sigma == 0.2
    assert nb.catalogue.profile.sigmas == (0.2, 0.1)
    assert (nb.lab.profile.name, nb.lab.dataset) == ("smoke", "photos10")
    assert [c.seed for c in nb.lab.catalogues] == [4, 5]
    assert nb.catalogue is nb.lab.catalogues[0]


def test_notebook_takes_auto_from_the_environment(no_twins: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AE_PROFILE", "smoke")
    monkeypatch.setenv("AE_DATASET", "photos10")
    cell = CELL | {"profile": "auto", "dataset": "auto", "seeds": "auto", "sigma": 0.2, "sigmas": "auto"}
    assert notebook.begin(cell).lab.profile.name == "smoke"
    assert notebook.begin(cell | {"profile": "quick"}).lab.profile.name == "quick"


@pytest.mark.parametrize(
    "wrong",
    [
        {"profile": "fast"},
        {"dataset": "cifar11"},
        {"seeds": "1,1"},
        {"sigmas": [0.3, 0.3]},
        {"sigma": "loud"},
        {"In": ["# Parameters\nlevels = [1]"]},
    ],
)
def test_notebook_refuses_wrong_parameters(no_twins: None, wrong: dict[str, Any]) -> None:
    cell = CELL | {"profile": "smoke", "dataset": "photos10", "seeds": "auto", "sigma": 0.2, "sigmas": "auto"}
    with pytest.raises(InputError):
        notebook.begin(cell | wrong)


def cell_with(source: str) -> Any:
    """What IPython hands over after a cell."""
    return SimpleNamespace(info=SimpleNamespace(raw_cell=source))


def test_notebook_begun_again_is_the_only_one_told_of_cells() -> None:
    lab: Any = SimpleNamespace(catalogues=[None], bench=None)
    events = EventManager(None, {"pre_run_cell": None, "post_run_cell": None})
    first, second = Notebook(lab, SimpleNamespace()), Notebook(lab, SimpleNamespace())
    others: list[Any] = []
    events.register("post_run_cell", others.append)
    for nb in (first, second):
        notebook._follow_cells(events, nb)
    events.trigger("pre_run_cell", None)
    events.trigger("post_run_cell", cell_with("#| label: fig-a"))
    assert (first._sources, second._sources) == ({}, {"fig-a": {}})
    assert len(others) == 1, "what isn't ours stays registered"


def test_notebook_names_what_each_cell_rests_on(lab: Lab) -> None:
    """IPython says when a cell begins and ends; here the test does."""
    nb = Notebook(lab, SimpleNamespace())
    nb.value(nb.vae(), nb.reconstruction(), "mse")
    nb.begin_cell(None)
    nb.value(nb.ae(), nb.reconstruction(), "mse")
    nb.value(nb.ae(), nb.reconstruction(), "mae")
    nb.end_cell(cell_with("#| label: fig-r01-ae\n#| fig-cap: A figure.\nnb.value(…)"))
    nb.begin_cell(None)
    nb.end_cell(cell_with("nb.value(…)  # a cell without a label"))
    text, metadata = nb.sources()._repr_markdown_()
    assert "fig-r01-ae" in text
    assert "ae-vector" in text
    [experiment] = nb.ae().subjects
    key = lab.store.key(lab.bench.measurement(experiment, nb.reconstruction()))
    assert metadata == {"sources": {"fig-r01-ae": [key]}}


# ── Pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_traversals_set_one_unit_of_an_image_s_latent(f: Findings) -> None:
    vae = f.vae()
    (image,) = f.examples(vae, f.reconstruction(), "clean", 1)
    made = f.traversals(vae, image, [0, 3], [-1.0, 0.0, 1.0])
    assert (made.shape, made.dtype) == ((2, 3, *image.shape), np.uint8)
    assert (made[0, 0] != made[0, 2]).any()
    assert (made[0, 0] != made[1, 0]).any()


def test_ways_of_latents_are_as_long_as_in_all_dimensions(f: Findings) -> None:
    before, after = f.moved(f.ae())
    cloud = f.arrays(f.ae(), f.catalogue.cloud())
    np.testing.assert_allclose(np.linalg.norm(before, axis=1), cloud["clean/away"])
    length = np.hypot(cloud["noisy/outwards"] - cloud["clean/away"], cloud["noisy/aside"])
    np.testing.assert_allclose(np.linalg.norm(after - before, axis=1), length)
    plane = cloud["clean/pca2"]
    assert before[:, 0] * plane[:, 1] == pytest.approx(before[:, 1] * plane[:, 0], abs=1e-6), "the plane's directions"


def test_curves_are_in_the_unit_asked_for(f: Findings) -> None:
    (plain,), (thousandths,) = (f.curves([f.ae()], unit=unit).values() for unit in (1.0, 1e-3))
    assert thousandths["validation"] == pytest.approx([1000 * error for error in plain["validation"]])
    assert thousandths["epoch"] == plain["epoch"]


def test_nearest_images_follow_their_query(f: Findings) -> None:
    rows = f.nearest({"pixels": (f.baseline("pixels"), "latent"), "AE": (f.ae(), "latent")}, queries=2, count=3)
    pictures = f.arrays(f.ae(), f.catalogue.cloud())["clean/images"]
    for found in rows.values():
        assert len(found) == 2 * (1 + 3)
        assert (found[[0, 4]] == pictures[:2]).all()


def test_classes_told_apart_are_those_that_lie_in_their_own_regions(
    monkeypatch: pytest.MonkeyPatch, f: Findings
) -> None:
    axis = np.arange(4.0)
    plane = {"x": axis, "y": axis, "response": np.repeat(axis.astype(int)[None], 4, axis=0)}
    plane |= {"points": np.array([(0, 0), (1, 2), (0, 1), (3, 3)]), "labels": np.array([0, 1, 2, 3])}
    monkeypatch.setattr(f, "arrays", lambda contender, spec: plane)
    assert f.told_apart([(f.ae(), f.catalogue.regions("latent"))]) == [0, 1, 3]
