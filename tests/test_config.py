"""Specs mean one thing however they are written, and the catalogues hold what the assignment asks for."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from autoencoders import compared
from autoencoders.catalogue import Catalogue
from autoencoders.data import CLASSES
from autoencoders.errors import InputError
from autoencoders.measurements.generation import Arithmetic
from autoencoders.measurements.layers import LayerFit, LayerProbe
from autoencoders.measurements.likelihood import Likelihood
from autoencoders.measurements.masking import Filling, Importance
from autoencoders.measurements.probing import Probe, ProbeFit
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.measurements.samples import RealFeatures
from autoencoders.profiles import PROFILES
from autoencoders.specs import (
    DRAWS,
    MCAE,
    VAE,
    Baseline,
    ConvAE,
    Data,
    Disturbance,
    Experiment,
    Gaussian,
    GaussianUpTo,
    Input,
    PatchMask,
    PixelMask,
    SkipAE,
    Spec,
    Subject,
    Training,
    Untrained,
    ViTMAE,
    describe,
    level,
    seed_of,
)
from autoencoders.studies.transfer.plan import SweepAE
from autoencoders.tasks import named

VARIANCE = math.sqrt(0.1)

# ── Specs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Gaussian(1), Gaussian(1.0)),
        (Training(learning_rate=1), Training(learning_rate=1.0)),
        (VAE(beta=4), VAE(beta=4.0)),
        (Arithmetic(classes=["a", "b", "c"]), Arithmetic(classes=("a", "b", "c"))),  # type: ignore[arg-type]
    ],
)
def test_specs_of_one_meaning_are_one(one: Spec, other: Spec) -> None:
    assert one == other
    assert hash(one) == hash(other)
    assert json.dumps(one.to_dict()) == json.dumps(other.to_dict())


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Gaussian("0.1"), "Gaussian.sigma"),  # type: ignore[arg-type]
        (lambda: Gaussian(True), "Gaussian.sigma"),
        (lambda: Gaussian(None), "Gaussian.sigma"),  # type: ignore[arg-type]
        (lambda: Gaussian(0.1, clip=1), "Gaussian.clip"),  # type: ignore[arg-type]
        (lambda: ConvAE(latent=1.5), "ConvAE.latent"),  # type: ignore[arg-type]
        (lambda: ConvAE(latent=True), "ConvAE.latent"),
        (lambda: ConvAE(bottleneck="round"), "ConvAE.bottleneck"),  # type: ignore[arg-type]
        (lambda: Training(epochs=None), "Training.epochs"),  # type: ignore[arg-type]
        (lambda: Data(train="all"), "Data.train"),  # type: ignore[arg-type]
        (lambda: Data(name=None), "Data.name"),  # type: ignore[arg-type]
        (lambda: Experiment(name="x", model=Gaussian(0.1)), "Experiment.model"),  # type: ignore[arg-type]
        (
            lambda: Experiment(name="x", model=VAE(), corruption=PatchMask(0.5)),  # type: ignore[arg-type]
            "Experiment.corruption",
        ),
        (lambda: Arithmetic(classes="abc"), "Arithmetic.classes"),  # type: ignore[arg-type]
        (lambda: Arithmetic(classes=(1, 2, 3)), "Arithmetic.classes"),  # type: ignore[arg-type]
        (lambda: Baseline(method="magic"), "Baseline.method"),  # type: ignore[arg-type]
        (lambda: Untrained(of="vae", model=VAE(), seed=0.5), "Untrained.seed"),  # type: ignore[arg-type]
        (lambda: Reconstruction(split="train"), "Reconstruction.split"),  # type: ignore[arg-type]
    ],
)
def test_spec_errors_name_the_field(make: Callable[[], Spec], field: str) -> None:
    with pytest.raises(TypeError, match=rf"^{re.escape(field)} must be .*, not "):
        make()


def test_specs_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Gaussian(0.1).sigma = 0.2  # type: ignore[misc]


def test_dictionaries_are_json_and_tell_classes_apart() -> None:
    experiment = Experiment(name="x", model=VAE(), corruption=Gaussian(0.3))
    found = json.loads(json.dumps(experiment.to_dict()))
    assert found == experiment.to_dict()
    assert found["type"] == "Experiment"
    assert found["model"]["type"] == "VAE"
    assert found["corruption"] == {"type": "Gaussian", "sigma": 0.3, "clip": True}
    assert PixelMask(0.5).to_dict() != PatchMask(0.5).to_dict()
    assert PixelMask(0.5) != PatchMask(0.5)


@pytest.mark.parametrize(
    ("corruption", "name"),
    [
        (None, "clean"),
        (Gaussian(0.3), "gaussian:0.3"),
        (Gaussian(VARIANCE), "gaussian:var0.1"),
        (Gaussian(0.3, clip=False), "gaussian:0.3:unclipped"),
        (GaussianUpTo(0.5), "gaussian:0-0.5"),
        (Disturbance("salt and pepper", 0.1), "salt and pepper:0.1"),
        (PixelMask(0.5), "mask:0.5"),
        (PatchMask(0.75), "mask:0.75"),
    ],
)
def test_inputs_are_described_by_their_names(corruption: Input, name: str) -> None:
    assert describe(corruption) == name


def test_levels_are_named_as_the_assignment_does() -> None:
    assert [level(sigma) for sigma in (0, 0.1, 0.3, 0.5, VARIANCE)] == ["0", "0.1", "0.3", "0.5", "var0.1"]


def test_planning_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from autoencoders.catalogue import Catalogue\n"
        "from autoencoders.profiles import PROFILES\n"
        "[Catalogue(profile=p).measurements() for p in PROFILES.values()]\n"
        "assert not {'torch', 'numpy', 'autoencoders.data', 'autoencoders.models'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ── Catalogues ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=[(name, data) for name in PROFILES for data in ("cifar10", "photos10")], ids="-".join)
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    profile, dataset = request.param
    return Catalogue(profile=PROFILES[profile], dataset=dataset)


def of(profile: str) -> Catalogue:
    return Catalogue(profile=PROFILES[profile])


def everything(catalogue: Catalogue) -> list[Experiment]:
    return [*catalogue.results(), *catalogue.tuning()]


def names(experiments: list[Experiment]) -> list[str]:
    return [experiment.name for experiment in experiments]


def test_names_are_unique_and_can_be_typed(catalogue: Catalogue) -> None:
    found = names(everything(catalogue)) + [baseline.name for baseline in catalogue.baselines()]
    found += {untrained.name for untrained in catalogue.untrained()}
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-z][a-z0-9./-]*", name) for name in found)


def test_result_names_stand_for_one_spec_each(catalogue: Catalogue) -> None:
    specs = [replace(experiment, name="") for experiment in catalogue.results()]
    assert len(set(specs)) == len(specs), "two names for one training"


def test_seeds_differ_in_nothing_but_their_seed(catalogue: Catalogue) -> None:
    catalogue = replace(catalogue, profile=replace(catalogue.profile, repeated="all"))
    other = replace(catalogue, seed=1)
    assert [replace(e, seed=0) for e in everything(other)] == everything(catalogue)
    assert {e.seed for e in everything(other)} == {1}
    assert [spec for _, spec in other.measurements()] == [spec for _, spec in catalogue.measurements()]
    assert other.baselines() == catalogue.baselines()
    assert other.untrained() == catalogue.untrained()


def test_experiments_share_one_data_set_and_split(catalogue: Catalogue) -> None:
    whole = {replace(e.data, left_out=None) for e in everything(catalogue)}
    assert whole == {Data(name=catalogue.dataset, train=catalogue.profile.train)}


def test_classes_are_left_out_one_at_a_time_of_what_is_compared(catalogue: Catalogue) -> None:
    by_name = {e.name: e for e in catalogue.results()}
    lacking = [e for e in by_name.values() if e.data.left_out is not None]
    assert {e.data.left_out for e in lacking} == {*catalogue.profile.left_out}
    assert len(lacking) == 2 * len(catalogue.profile.left_out), "an AE and a DAE"
    for experiment in lacking:
        whole = by_name[experiment.name.partition("-without-")[0]]
        assert replace(experiment, name=whole.name, data=whole.data) == whole
        assert catalogue.of_model(experiment) == [catalogue.novelty(experiment.data.left_out)]  # type: ignore[arg-type]
        assert catalogue.of_model(experiment)[0] in catalogue.of_baseline(Baseline(method="pca"))


def test_specs_name_models_that_are_there(catalogue: Catalogue) -> None:
    assert all(isinstance(named(experiment.model.implementation), type) for experiment in everything(catalogue))


def test_results_are_all_measured_and_nothing_twice(catalogue: Catalogue) -> None:
    pairs = catalogue.measurements()
    everyone: list[Subject] = [*catalogue.results(), *catalogue.baselines(), *catalogue.untrained()]
    assert {subject for subject, _ in pairs} == set(everyone)
    assert max(Counter(pairs).values()) == 1
    labels = Counter((subject.name, seed_of(subject), type(spec), spec.label) for subject, spec in pairs)
    assert max(labels.values()) == 1, "a label tells a subject's measurements apart"


def test_measurements_need_what_is_measured_too(catalogue: Catalogue) -> None:
    pairs = catalogue.measurements()
    needed = [each for subject, spec in pairs for each in spec.needs(subject).values()]
    assert {type(spec) for _, spec in needed} == {ProbeFit, LayerFit, RealFeatures}
    assert set(needed) <= set(pairs)


def test_tuning_is_compared_on_validation_images_alone(catalogue: Catalogue) -> None:
    """By the error of the training itself, by a code's length, or by a classifier: no test image is shown to them."""
    measured = {subject.name for subject, _ in catalogue.measurements()}
    assert not measured & set(names(catalogue.tuning()))
    for _, spec in catalogue.of_tuning():
        assert isinstance(spec, LayerFit) or (isinstance(spec, Likelihood) and spec.split == "validation")


def test_results_are_measured_on_the_test_split(catalogue: Catalogue) -> None:
    found = [spec for _, spec in catalogue.measurements() if isinstance(spec, Reconstruction)]
    assert found
    assert {spec.split for spec in found} == {"test"}
    few = [spec for spec in found if isinstance(spec.input, Disturbance)]
    assert {spec.images for spec in found if spec not in few} == {catalogue.profile.images}
    assert {spec.images for spec in few} == {catalogue.profile.latent_images}


def test_noise_of_evaluation_is_never_that_of_training(catalogue: Catalogue) -> None:
    seeds = {spec.seed for _, spec in catalogue.measurements() if isinstance(spec, Reconstruction | Probe | Likelihood)}
    assert len(seeds) == 1, "all subjects see the same noise"
    assert not seeds & {*range(1000), *catalogue.profile.seeds}


def test_each_run_of_a_sweep_changes_its_setting_alone(catalogue: Catalogue) -> None:
    for sweep in catalogue.sweeps():
        base, *others = sweep.runs
        values = {sweep.value(run) for run in sweep.runs}
        assert len(values) == len(sweep.runs) > 1
        for run in others:
            pairs = [(base.model, run.model), (base.training, run.training)]
            changed = [
                f.name for a, b in pairs for f in dataclasses.fields(a) if getattr(a, f.name) != getattr(b, f.name)
            ]
            assert changed == [sweep.setting], run.name
            assert replace(run, name=base.name, model=base.model, training=base.training) == base


def test_sweeps_start_from_what_the_report_uses_and_cost_the_same(catalogue: Catalogue) -> None:
    used = {(e.model, replace(e.training, epochs=1, augment=False), e.corruption) for e in catalogue.results()}
    for sweep in catalogue.sweeps():
        base = sweep.runs[0]
        assert (base.model, replace(base.training, epochs=1), base.corruption) in used, sweep.model
    assert len({(run.training.epochs, run.training.augment) for run in catalogue.tuning()}) == 1


def test_every_family_is_tuned_where_there_is_time() -> None:
    evening = {(sweep.model, sweep.setting): sweep.by for sweep in of("evening").sweeps()}
    for model in ("AE", "spatial AE", "VAE", "MCAE", "ViT"):
        assert evening[model, "learning_rate"] == "error"
    assert evening["VAE", "beta"] == "bits", "the error of an image is not what a VAE is trained for"
    assert evening["MCAE", "patch"] == evening["MCAE", "masked_weight"] == "probe"
    quick = of("quick")
    [base] = [e for e in quick.results() if e.name == "ae-vector"]
    assert replace(quick.tuning()[0], name=base.name) == base, "the same training serves twice"


def test_every_denoiser_meets_every_level(catalogue: Catalogue) -> None:
    noisy = {describe(Gaussian(sigma)) for sigma in catalogue.levels}
    wanted = [e for e in catalogue.results() if isinstance(e.model, ConvAE) and e.data.left_out is None]
    compared = [b for b in catalogue.baselines() if b.method in ("input", "ridge", "tv", "pca")]
    subjects: list[Subject] = [*wanted, *compared]
    for subject in subjects:
        specs = [spec for s, spec in catalogue.measurements() if s == subject and isinstance(spec, Reconstruction)]
        assert noisy <= {describe(spec.input) for spec in specs}, subject.name


def test_probes_see_clean_and_noisy_images(catalogue: Catalogue) -> None:
    for subject, fit in catalogue.measurements():
        if isinstance(fit, ProbeFit):
            asked = {
                p.input for s, p in catalogue.measurements() if s == subject and isinstance(p, Probe) and p.fit == fit
            }
            if fit.input is None:
                assert asked >= ({None, catalogue.noise} if fit.features == "latent" else {None})
            else:
                assert asked == {None, fit.input}


def test_four_way_probe_is_of_what_is_compared(catalogue: Catalogue) -> None:
    """At each level the AE, the DAE trained there, the VAE and PCA, in all four combinations of fit and test."""
    for sigma in catalogue.probe_levels:
        dae = catalogue.ae(sigma=sigma)
        for name in (catalogue.ae().name, dae.name, catalogue.vae().name, "baseline/pca-128"):
            found = {(p.fit.input, p.input) for s, p in catalogue.measurements() if s.name == name and type(p) is Probe}
            assert found >= {(fit, seen) for fit in (None, Gaussian(sigma)) for seen in (None, Gaussian(sigma))}


def test_masked_models_are_asked_for_their_holes_at_their_own_ratio(catalogue: Catalogue) -> None:
    masked = [e for e in catalogue.results() if isinstance(e.model, MCAE | ViTMAE) and e.model.ratio > 0]
    assert masked
    for experiment in masked:
        specs = [spec for s, spec in catalogue.measurements() if s == experiment]
        assert any(isinstance(s, Reconstruction) and s.input == PatchMask(experiment.model.ratio) for s in specs)  # type: ignore[union-attr]
        assert any(isinstance(s, Reconstruction) and s.input is None for s in specs)
        assert {type(s) for s in specs} >= {Filling, Importance}
        assert experiment.model.patch == Filling.patch, "baselines fill the same patches"  # type: ignore[union-attr]


def test_masking_is_all_that_its_control_lacks(catalogue: Catalogue) -> None:
    by_name = {e.name: e for e in catalogue.results()}
    unmasked, masked = by_name["mcae-0"], by_name["mcae-0.5"]
    assert replace(masked, name="mcae-0", model=replace(masked.model, ratio=0)) == unmasked  # type: ignore[type-var]


def test_random_weights_stand_beside_the_models_that_were_trained(catalogue: Catalogue) -> None:
    trained = {e.name: e for e in catalogue.results()}
    drawn = catalogue.untrained()
    assert {each.of for each in drawn} == {"ae-vector", "mcae-0"}
    assert all(each.model == trained[each.of].model for each in drawn)
    assert Counter(each.seed for each in drawn) == dict.fromkeys(DRAWS, 2)
    assert len(DRAWS) >= 3


def test_later_seeds_of_an_evening_repeat_the_headline_models() -> None:
    first, later = (Catalogue(profile=PROFILES["evening"], dataset="cifar10", seed=seed) for seed in (0, 1))
    repeated = {"ae-vector", "dae-vector-0.3", "dae-spatial-0.3", "vae", "mcae-0.75", "mcae-0"}
    assert {e.name for e in later.results()} == repeated < {e.name for e in first.results()}
    assert {e.seed for e in later.results()} == {1}


@pytest.mark.parametrize("name", PROFILES)
def test_lists_of_a_profile_applied_to_it_change_nothing(name: str) -> None:
    """A report hands the lists in force to its notebooks, which must mean the same run."""
    profile = PROFILES[name]
    own = {each: getattr(profile, each) for each in compared.PARAMETERS if getattr(profile, each) is not None}
    assert compared.applied(profile, own) == compared.applied(profile, {})


def test_other_seeds_are_those_of_all_models() -> None:
    assert compared.applied(PROFILES["evening"], {"seeds": (0, 5)}).repeated == "all"


@pytest.mark.parametrize("seeds", [1, 3, 5, 7])
def test_each_seed_has_random_weights_beside_it(seeds: int) -> None:
    drawn = [each for each in given(seeds=tuple(range(seeds))).untrained() if each.of == "ae-vector"]
    assert [each.seed for each in drawn] == [*range(max(len(DRAWS), seeds))]


def test_encoders_are_read_by_one_rule(catalogue: Catalogue) -> None:
    pairs = catalogue.measurements()
    assert {spec for _, spec in pairs if isinstance(spec, LayerProbe)} == {catalogue.layer_probe()}
    read = {subject.name for subject, spec in pairs if spec == catalogue.layer_probe()}
    masked = {e.name for e in catalogue.results() if isinstance(e.model, MCAE | ViTMAE)}
    assert read >= masked | {"ae-vector", "dae-vector-0.3", "vae", "random/ae-vector", "random/mcae-0"}
    maps = {s.name for s, spec in pairs if isinstance(spec, Probe) and spec.fit.features == "map"}
    assert maps == read - {"baseline/pixels"}, "one table shows both"


def test_control_sees_as_many_images(catalogue: Catalogue) -> None:
    epochs = {type(e.model): e.training.epochs for e in catalogue.results()}
    assert epochs[MCAE] == epochs[ViTMAE]


# ── What issue and assignment ask for ────────────────────────────────────────────────────────────────────────────────


def test_quick_answers_everything_with_one_seed() -> None:
    quick = of("quick")
    assert quick.profile.seeds == (0,)
    assert quick.profile.train is quick.profile.images is None, "all images"
    assert set(names(quick.results())) == {
        "ae-vector",
        *(f"dae-vector-{sigma}" for sigma in ("0.1", "0.3", "0.5", "var0.1")),
        "ae-spatial",
        "dae-spatial-0.3",
        *("dae-skips-0.1", "dae-skips-0.3"),
        *("vae", "vae-beta1"),
        *(f"mcae-{ratio}" for ratio in ("0", "0.1", "0.3", "0.5", "0.75")),
        "vit-0.75",
    }
    assert len(quick.tuning()) == 3, "learning rates"


def test_full_holds_the_whole_assignment_with_three_seeds() -> None:
    full = of("full")
    assert len(full.profile.seeds) >= 3
    assert set(names(full.results())) >= {
        *(f"ae-{bottleneck}" for bottleneck in ("vector", "spatial")),
        *(f"dae-{b}-{sigma}" for b in ("vector", "spatial") for sigma in ("0.1", "0.3", "0.5", "var0.1")),
        "vae",
        *(f"mcae-{ratio:g}" for ratio in full.ratios),
        *("vit-0.75", "vit-0.3"),
    }
    betas = {e.model.beta for e in full.results() if isinstance(e.model, VAE)}
    assert None in betas, "calibrated"
    assert len(betas) >= 5, "and four points of a curve"
    assert not full.profile.stand_in


def test_smoke_is_small_but_of_every_kind() -> None:
    smoke, evening = of("smoke"), of("evening")
    assert set(names(smoke.results())) <= set(names(evening.results()))
    assert {type(s) for _, s in smoke.measurements()} == {type(s) for _, s in evening.measurements()}
    assert max(smoke.profile.epochs.values()) == 1
    assert (smoke.profile.train or 10**9) <= 1000


def test_denoiser_is_the_autoencoder_trained_on_noise(catalogue: Catalogue) -> None:
    by_name = {e.name: e for e in catalogue.results()}
    for name, experiment in by_name.items():
        if isinstance(experiment.model, ConvAE) and experiment.corruption and experiment.data.left_out is None:
            plain = by_name[f"ae-{name.split('-')[1]}"]
            assert replace(experiment, name=plain.name, corruption=None) == plain
            if isinstance(experiment.corruption, Gaussian):
                assert experiment.corruption.clip
                assert name.endswith(level(experiment.corruption.sigma))
            else:
                assert experiment.corruption == GaussianUpTo(max(catalogue.trained_levels))


def test_skips_are_all_that_a_ceiling_has_more_than_the_spatial_denoiser(catalogue: Catalogue) -> None:
    """One stands beside it, and one at the least noise, where a linear map is the strongest rival."""
    by_name = {e.name: e for e in catalogue.results()}
    skips = {e.corruption: e for e in by_name.values() if isinstance(e.model, SkipAE)}
    assert {Gaussian(min(catalogue.profile.sigmas)), catalogue.noise} <= skips.keys()
    spatial, ceiling = by_name[f"dae-spatial-{level(catalogue.sigma)}"], skips[catalogue.noise]
    assert ceiling.training == spatial.training
    for name in ("latent", "width", "depth"):
        assert getattr(ceiling.model, name) == getattr(spatial.model, name)


def test_assignments_arithmetic_comes_first() -> None:
    quick = of("quick")
    assert quick.triples[0] == ("dog", "cat", "bird")
    for catalogue in (quick, replace(quick, dataset="photos10")):
        assert len(catalogue.triples) >= 3
        assert {*chain(*catalogue.triples)} <= {*CLASSES[catalogue.dataset]}
        assert [spec.classes for spec in catalogue.arithmetics()] == list(catalogue.triples)
    assert Catalogue(profile=PROFILES["quick"], dataset="mnist").arithmetics() == []


def test_variance_of_the_assignment_is_a_level_of_every_profile(catalogue: Catalogue) -> None:
    assert any(math.isclose(sigma**2, 0.1) for sigma in catalogue.levels)
    assert list(catalogue.levels) == sorted(set(catalogue.levels))


def test_sizes_of_pca_match_those_of_the_models_beside_it(catalogue: Catalogue) -> None:
    models = [e.model for e in catalogue.results() if isinstance(e.model, ConvAE) and e.model.bottleneck == "vector"]
    assert {m.latent for m in models} <= {b.size for b in catalogue.baselines() if b.method == "pca"}


# ── What a run compares ──────────────────────────────────────────────────────────────────────────────────────────────


def given(**lists: Any) -> Catalogue:
    """The quick profile's plan, with these lists in place of its own."""
    return Catalogue(profile=compared.applied(PROFILES["quick"], lists))


def test_first_values_stand_for_their_kind() -> None:
    plan = given(sigmas=(0.2, 0.4, 0.1), ratios=(0.6, 0.2, 0.8), latents=(24, 40), betas=(2.0, 0.5))
    assert (plan.sigma, plan.ratio, plan.size) == (0.2, 0.6, 24)
    assert (plan.probe_levels, plan.spatial_levels, plan.vit_ratios) == ((0.2, 0.4), (0.2,), (0.6,))
    assert (plan.latent().input, plan.cloud().input) == (plan.noise,) * 2
    assert plan.filling().ratio == 0.6
    assert plan.probe("latent").fit.reduced == 24


def test_tables_have_values_in_their_order() -> None:
    plan = given(sigmas=(0.4, 0.1), unseen=(0.3, 0.2), ratios=(0.6, 0.2, 0.8), latents=(40, 64, 24), betas=(2.0, 0.5))
    assert plan.levels == (0.1, 0.2, 0.3, VARIANCE, 0.4)
    assert (plan.ratios, plan.other_sizes, plan.betas) == ((0.2, 0.6, 0.8), (24, 64), (0.5, 2.0))
    assert set(names(plan.results())) == {
        *("ae-vector-l40", "ae-vector-l24", "ae-vector-l64", "ae-spatial"),
        *(f"dae-vector-{level}-l40" for level in ("0.1", "0.4", "var0.1")),
        *("dae-spatial-0.4", "dae-skips-0.1", "dae-skips-0.4"),
        *("vae-l40", "vae-beta0.5-l40", "vae-beta2-l40"),
        *("mcae-0", "mcae-0.2", "mcae-0.6", "mcae-0.8", "vit-0.6"),
    }


@pytest.mark.parametrize(
    "lists", [{"sigmas": (0.2,)}, {"unseen": ()}, {"ratios": (0.4,)}, {"latents": (2,)}, {"betas": ()}]
)
def test_plan_of_few_values_is_whole(lists: dict[str, Any]) -> None:
    plan = given(**lists)
    subjects = [*plan.results(), *plan.tuning()]
    assert len({e.name for e in subjects}) == len(subjects) == len(set(subjects))
    asked = {spec.input for _, spec in plan.measurements() if isinstance(spec, Reconstruction)}
    assert asked == {None, *map(Gaussian, plan.levels), *map(PatchMask, plan.ratios), *plan.disturbed()}


@pytest.mark.parametrize("sigma", [0.316, 0.3162, math.sqrt(0.1)])
def test_root_of_the_variance_is_the_variance(sigma: float) -> None:
    plan = given(sigmas=(sigma,), unseen=(sigma, 0.2))
    assert plan.trained_levels == (VARIANCE,)
    assert plan.unfamiliar_levels == (0.2,)


def test_levels_that_are_trained_on_are_not_unseen() -> None:
    assert given(sigmas=(0.2,)).profile.unseen == ()
    assert given(sigmas=(0.3,)).profile.unseen == (0.2,)


def test_classes_of_the_arithmetic_are_classes_of_the_data() -> None:
    plan = given(arithmetic=(("ship", "dog", "frog"),))
    plan.check_classes(CLASSES["cifar10"])
    assert plan.triples == (("ship", "dog", "frog"),)
    with pytest.raises(InputError, match="^arithmetic: cifar10 has no class mouse, cow; it has airplane"):
        given(arithmetic=(("dog", "mouse", "cow"),)).check_classes(CLASSES["cifar10"])


def test_models_of_the_studies_are_specs_too() -> None:
    assert Experiment(name="sweep", model=SweepAE(bottleneck=8)).to_dict()["model"]["bottleneck"] == 8
