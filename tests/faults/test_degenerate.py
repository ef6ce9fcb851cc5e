"""Images, classes, latents and losses that have nothing to tell: the right degenerate answer or a clear refusal."""

from __future__ import annotations

import functools
import json
import math
import random
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from properties import THOROUGH, for_each, told
from small_lab import SmallLab

from autoencoders import claims, data, models, tables, training
from autoencoders.data import Dataset, Split
from autoencoders.errors import InputError, TrainingError
from autoencoders.evaluation import statistics
from autoencoders.evaluation.ranking import measure_auroc
from autoencoders.evaluation.statistics import Estimate
from autoencoders.findings import Contender, Findings
from autoencoders.jsonable import finite
from autoencoders.judging import Claim, Judged, Quantity, Scale, judge
from autoencoders.measurements.anomaly import Anomaly, Novelty
from autoencoders.measurements.compression import Compression
from autoencoders.measurements.cost import Cost
from autoencoders.measurements.embedding import Embedding
from autoencoders.measurements.exhibits import Components, Density, Lessons, Rebuilt
from autoencoders.measurements.frequencies import Frequencies
from autoencoders.measurements.generation import Arithmetic, Interpolation
from autoencoders.measurements.latent import Cloud, Latent
from autoencoders.measurements.layers import LayerFit, LayerProbe
from autoencoders.measurements.likelihood import Likelihood, RateDistortion
from autoencoders.measurements.linear_programs import LinearProgram
from autoencoders.measurements.masking import Filling, Importance
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.openings import BestPair, BestSum
from autoencoders.measurements.playground import Gallery, Landmarks, Smoothing
from autoencoders.measurements.probing import Probe, ProbeFit, Regions
from autoencoders.measurements.programs import Program
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.measurements.samples import RealFeatures, Samples
from autoencoders.measurements.whole_programs import WholeProgram
from autoencoders.specs import (
    MCAE,
    VAE,
    Baseline,
    ConvAE,
    Data,
    Disturbance,
    Experiment,
    Gaussian,
    PatchMask,
    PixelMask,
    Training,
    ViTMAE,
)
from autoencoders.store import Artifact, entries
from autoencoders.studies.digits.measurements import Between, Clusters
from autoencoders.studies.transfer.measurements import Compressed, Inpainting, Transfer
from autoencoders.studies.transfer.plan import FAULTS
from autoencoders.tasks import named

Tried = Callable[[int], None]
SHAPE = (3, 16, 16)
CLASSES = ("a", "b", "c", "d")

# ── Data sets ────────────────────────────────────────────────────────────────────────────────────────────────────────


def noise(count: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, *SHAPE), generator=torch.Generator().manual_seed(count)).to(torch.uint8)


def of(images: Callable[[int], torch.Tensor], labels: Callable[[int], torch.Tensor], *sizes: int) -> Dataset:
    train, validation, test = (Split(images(n), labels(n)) for n in sizes)
    return Dataset("degenerate", train, validation, test, CLASSES, "fingerprint")


def even(count: int) -> torch.Tensor:
    return torch.arange(count) % len(CLASSES)


def same(value: int) -> Callable[[int], torch.Tensor]:
    return lambda count: torch.full((count, *SHAPE), value, dtype=torch.uint8)


def repeated(count: int) -> torch.Tensor:
    return noise(1).repeat(count, 1, 1, 1)


def half_black(count: int) -> torch.Tensor:
    return noise(count) * (torch.arange(count) % 2).to(torch.uint8)[:, None, None, None]


USUAL = (40, 8, 12)
DATASETS = {
    "nothing amiss": of(noise, even, *USUAL),
    "all black": of(same(0), even, *USUAL),
    "all white": of(same(255), even, *USUAL),
    "every other black": of(half_black, even, *USUAL),
    "one image again and again": of(repeated, even, *USUAL),
    "one class": of(noise, lambda n: torch.zeros(n, dtype=torch.int64), *USUAL),
    "two classes": of(noise, lambda n: torch.arange(n) % 2, *USUAL),
    "a class of its own for each": of(noise, torch.arange, 4, 4, 4),
    "one image": of(noise, even, 1, 1, 1),
    "two identical images": of(repeated, even, 2, 2, 2),
    "one test image": of(noise, even, 40, 8, 1),
    "three test images": of(noise, even, 40, 8, 3),
}

# ── Subjects, and what is asked of them ──────────────────────────────────────────────────────────────────────────────

MODELS = {
    "AE": ConvAE(width=4, latent=8),
    "spatial AE": ConvAE(bottleneck="spatial", width=4, latent=2),
    "VAE": VAE(width=4, latent=8),
    "MCAE": MCAE(width=4),
    "ViT": ViTMAE(dim=16, depth=1, heads=2),
}


def model(spec: Any, *, dead: bool) -> models.Autoencoder:
    """An untrained one; a dead one's weights are zero, so that it puts out one image and has one latent."""
    made = models.build(named(spec.implementation), spec, SHAPE, seed=0)
    if dead:
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.zero_()
    return made


def subjects() -> Iterator[tuple[str, Any, list[Measurement]]]:
    for name, spec in MODELS.items():
        yield name, model(spec, dead=False), list(of_model(name))
        yield f"dead {name}", model(spec, dead=True), list(of_model(name))
    for method in (
        "input",
        "mean",
        "pca",
        "ppca",
        "linear-vae",
        "ridge",
        "tv",
        "nlm",
        "linear-fill",
        "pixels",
        "patches",
    ):
        yield method, Baseline(method=method, size=8), list(of_baseline(method))


NOISY: list[Measurement] = [Reconstruction(), Reconstruction(input=Gaussian(0.3)), Reconstruction(input=PixelMask(0.5))]


def probes(features: Any) -> list[Measurement]:
    kinds: tuple[Any, ...] = ("ridge", "logistic")
    return [Probe(fit=ProbeFit(features=features, classifier=kind, reduced=4), input=Gaussian(0.3)) for kind in kinds]


def layers() -> list[Measurement]:
    kinds: tuple[Any, ...] = ("ridge", "logistic")
    return [LayerProbe(fit=LayerFit(classifier=kind, labels=(2, 1000))) for kind in kinds]


def of_model(name: str) -> Iterator[Measurement]:
    yield from (*NOISY, *layers(), Frequencies(), Embedding(directions=4), Cost(images=3, attempts=1))
    yield Reconstruction(input=Disturbance("blur", 1.0))
    yield Program() if name != "ViT" else WholeProgram()
    if name in ("MCAE", "ViT"):
        yield from (
            Reconstruction(input=PatchMask(0.5)),
            Filling(),
            Importance(draws=1),
            *probes("map"),
            Embedding(features="map"),
            Regions(features="map", grid=5),
        )
        return
    yield from (Anomaly(), *probes("latent"), Latent(), Cloud(), Regions(grid=5))
    yield from (Compression(steps=(1.0, 0.1)), Novelty(left_out=0))
    yield Interpolation(pairs=4)
    yield Arithmetic(classes=("a", "b", "c"), draws=5, judge=ProbeFit(reduced=4))
    yield from (Between(pairs=4), Inpainting(input=PixelMask(0.5)), *of_others())
    if name == "VAE":
        yield from (Likelihood(), Landmarks(), Rebuilt(), BestPair(pairs=10))
        yield BestSum(few=2, candidates=2, draws=5, judge=ProbeFit(reduced=4))
    if name != "spatial AE":
        yield from (Samples(), Density())


def of_others() -> Iterator[Measurement]:
    """What is asked about another data set; here it is the same."""
    yield Clusters(evaluation_data=Data(), input=Gaussian(0.2))
    for faults in ((), *((fault,) for fault in FAULTS)):
        yield Transfer(evaluation_data=Data(), hidden=(8,), reduced=4, epochs=1, faults=faults)


def of_baseline(method: str) -> Iterator[Measurement]:
    if method not in ("linear-fill", "pixels", "patches"):
        yield from NOISY
    if method in ("mean", "linear-fill"):
        yield Filling()
    if method in ("pca", "pixels", "patches"):
        yield from (*probes("latent"), Latent(), Cloud(), Regions(grid=5))
    if method == "input":
        yield from (Gallery(), Lessons())
    if method == "ridge":
        yield LinearProgram()
    if method in ("ppca", "linear-vae"):
        yield from (Likelihood(), RateDistortion(), Samples())
    if method == "patches":
        yield RealFeatures()
    if method == "tv":
        yield Smoothing(images=2)
    if method == "pixels":
        yield from of_others()
    if method == "pca":
        yield Components()
        yield from (Anomaly(), Novelty(left_out=0), Compression(), Compressed(input=Gaussian(0.1), most=10))


def measured(spec: Measurement, subject: Any, dataset: Dataset) -> Artifact:
    needed: dict[str, Any] = {name: measured(other, of, dataset) for name, (of, other) in spec.needs(subject).items()}
    if spec.evaluation_data:
        needed["evaluation_data"] = dataset
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # numpy's word for NaN
        return spec.measure(subject, dataset, "cpu", **needed)


# ── The matrix ───────────────────────────────────────────────────────────────────────────────────────────────────────

NEVER_NAN = "Whatever the images, classes and latents are, a measurement gives its degenerate value or says what lacks."
INFINITE = (
    "psnr",
    "psnr_in_budget",
    "psnr_mean",
    "psnr_pooled",
    "snr",
    "shift_mean",
    "shift_sample",
)  # by definition, where nothing differs
REFUSALS = "at least (two classes|two training images)|no validation image shows|test images are too few"
REFUSALS += "|aren't of the class|test images of the class"


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.promise(NEVER_NAN)
def test_every_measurement_of_every_subject(name: str, thorough: bool, tried: Tried) -> None:
    cases = [(label, subject, spec) for label, subject, specs in subjects() for spec in specs]
    chosen = cases if thorough else random.Random(name).sample(cases, 10)
    for label, subject, spec in chosen:
        where = f"{label}, {type(spec).__name__} {spec.label}"
        artifact, refusal = told(functools.partial(measured, spec, subject, DATASETS[name]))
        if refusal:
            assert name != "nothing amiss", where
            assert re.search(REFUSALS, refusal), f"{where}: {refusal}"
        else:
            assert_sound(artifact, where)
    tried(len(chosen))


def assert_sound(artifact: Artifact, where: str) -> None:
    for array, values in artifact.arrays.items():
        assert not (values.dtype.kind == "f" and np.isnan(values).any()), f"{where}: NaN in {array}"
    entries.canonical(artifact.meta)
    for row in artifact.meta.get("rows", []):
        assert not math.isnan(row["value"]), f"{where}: {row}"
        assert math.isfinite(row["value"]) or row["metric"].partition(":")[0] in INFINITE, f"{where}: {row}"
        assert math.isnan(row["lo"]) == math.isnan(row["hi"]), f"{where}: {row}"
        assert not row["lo"] > row["value"], f"{where}: {row}"
        assert not row["value"] > row["hi"], f"{where}: {row}"
        assert_printable(Estimate(*(row[part] for part in Estimate._fields)))


def assert_printable(estimate: Estimate) -> None:
    """A table prints a number, an infinity or a dash; JSON has numbers and null."""
    printed = str(tables.markdown([{"value": estimate}, {"value": estimate.value}], ["value"]))
    assert "nan" not in printed
    assert "inf" not in printed
    json.dumps(finite(estimate._asdict()), allow_nan=False)


@pytest.mark.promise(NEVER_NAN)
def test_what_is_asked_of_usual_images_is_all_answered() -> None:
    """The matrix would be blind if everything were refused."""
    wanted = {type(spec) for _, _, specs in subjects() for spec in specs} | {ProbeFit, LayerFit}
    assert wanted == set(Measurement.__subclasses__())
    for spec in (Regions(grid=5), Interpolation(pairs=4), Arithmetic(classes=("a", "b", "c"), draws=5)):
        assert_sound(measured(spec, model(MODELS["AE"], dead=True), DATASETS["nothing amiss"]), spec.label)


@pytest.mark.promise(NEVER_NAN)
def test_what_a_broken_model_puts_out_is_refused(thorough: bool, tried: Tried) -> None:
    """Weights that are NaN or infinite, by whatever means: no measurement makes a figure of them."""
    cases = [
        (value, name, asked)
        for value in (math.nan, math.inf)
        for name in MODELS
        for asked in of_model(name)
        if not isinstance(asked, Cost)  # which is the same whatever the weights are
    ]
    chosen = cases if thorough else random.Random(0).sample(cases, 20)
    for value, name, asked in chosen:
        broken = model(MODELS[name], dead=False)
        with torch.no_grad():
            for parameter in broken.parameters():
                parameter.fill_(value)
        if isinstance(asked, Program | WholeProgram):  # which says in a line why no browser gets the model
            made = measured(asked, broken, DATASETS["nothing amiss"])
            assert (made.arrays, made.meta["parts"]) == ({}, {})
            assert "NaN" in made.meta["unsupported"]
            continue
        with pytest.raises(ValueError, match="NaN|infinite"):
            measured(asked, broken, DATASETS["nothing amiss"])
    tried(len(chosen))


# ── Training ─────────────────────────────────────────────────────────────────────────────────────────────────────────

DIVERGES = "A training that diverges is an error, and leaves no artifact."


def train(model: Any, dataset: Dataset, **recipe: Any) -> Artifact:
    experiment = Experiment(name="short", model=model, training=Training(**{"epochs": 1, "batch": 8} | recipe))
    return training.train(experiment, named(model.implementation), dataset.train, dataset.validation)


@pytest.mark.promise(DIVERGES)
def test_learning_rates_beyond_all_reason(thorough: bool, tried: Tried) -> None:
    """Either it still ends in finite weights and errors, or it is told; the last step is no exception."""
    cases = diverged = 0
    for spec in MODELS.values():
        for rate in (1e1, 1e3, 1e10, 1e20, 1e30, 1e38) if thorough else (1e10, 1e38):
            for batch in (40, 20, 8) if thorough else (40, 20):
                cases += 1
                recipe = {"learning_rate": rate, "warmup": 0.0, "batch": batch}
                made, error = told(functools.partial(train, spec, DATASETS["nothing amiss"], **recipe), TrainingError)
                if error:
                    diverged += 1
                    assert error.startswith("short diverged: ")
                else:
                    assert_finite(made)
    assert diverged > cases / 2
    tried(cases)


def assert_finite(trained: Artifact) -> None:
    assert all(np.isfinite(array).all() for array in trained.arrays.values())
    assert all(math.isfinite(value) for values in trained.meta["history"].values() for value in values)


@pytest.mark.promise(NEVER_NAN)
def test_training_on_anything_that_has_an_image(thorough: bool, tried: Tried) -> None:
    cases = [(spec, name) for spec in MODELS.values() for name in DATASETS]
    chosen = cases if thorough else random.Random(0).sample(cases, 12)
    for spec, name in chosen:
        assert_finite(train(spec, DATASETS[name]))
    tried(len(chosen))


@pytest.mark.promise(NEVER_NAN)
def test_a_data_set_too_small_to_validate_on_is_refused(tried: Tried) -> None:
    for count in range(5):
        raw = data.Raw(Split(noise(count), even(count)), Split(noise(1), even(1)), CLASSES)
        with pytest.raises(InputError, match=f"has {count} images: too few to train on some and to validate on others"):
            data.split(raw, Data())
    tried(5)


# ── Figures over images and seeds ────────────────────────────────────────────────────────────────────────────────────

STATISTICS = "A figure with its interval is never NaN: values that have no mean or no difference are refused."
numbers = st.floats(width=32) | st.sampled_from((0.0, 0.1, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-30, 1e30))
rows_of_numbers = st.lists(numbers, max_size=6) | st.tuples(numbers, st.integers(1, 60)).map(lambda c: [c[0]] * c[1])


@pytest.mark.promise(STATISTICS)
def test_bootstrap_of_anything(tried: Tried) -> None:
    def check(values: list[float]) -> None:
        estimate, refusal = told(lambda: statistics.bootstrap(np.array(values)), ValueError)
        if refusal:
            assert not values or not all(map(math.isfinite, values)), refusal
            return
        assert not any(map(math.isnan, estimate))
        assert estimate.lo <= estimate.value <= estimate.hi or len(set(values)) > 1
        assert estimate.n == len(values)
        assert_printable(estimate)

    tried(for_each(rows_of_numbers, check, 600))


@pytest.mark.promise(STATISTICS)
def test_differences_and_spreads_of_anything(tried: Tried) -> None:
    def check(pairs: list[tuple[float, float]]) -> None:
        a, b = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
        finite = bool(pairs) and np.isfinite(a).all() and np.isfinite(b).all()

        def differ() -> Estimate:
            return statistics.measure_difference(a, b).estimate()

        for figure in (differ, lambda: measure_auroc((a, b), paired=True).estimate()):
            if not finite:
                with pytest.raises(ValueError, match="NaN|undefined|finite|some"):
                    figure()
            else:
                estimate = figure()
                assert not any(map(math.isnan, estimate))
                assert_printable(estimate)
        spread, refusal = told(lambda: statistics.spread(a), ValueError)
        if refusal:
            assert not len(a) or np.isnan(a).any() or {math.inf, -math.inf} <= {*a}
        else:
            assert not math.isnan(spread.mean)
            assert spread.std is None or math.isfinite(spread.std)
            assert "nan" not in str(tables.markdown([{"mse": spread}], ["mse"]))

    tried(for_each(st.lists(st.tuples(numbers, numbers), max_size=6), check, 400))


@pytest.mark.promise(
    "A claim about anything has a verdict and a sentence without NaN; what can't be told is undecided."
)
def test_claims_about_anything(tried: Tried) -> None:
    numbers = st.floats(-1e6, 1e6) | st.sampled_from((0.0, 0.1, math.inf))

    def check(case: tuple[list[tuple[float, float]], bool, bool, int | None]) -> None:
        pairs, less, percent, digits = case
        a, b = (Quantity(name, np.array([p[i] for p in pairs])[None]) for i, name in enumerate("ab"))
        scale = Scale(unit="", margin=0.1, reason="so", digits=digits, percent=percent)
        claim = Claim("a-b", "R1", "a exceeds b", a, b, scale, expected="less" if less else "greater")
        judged = Judged.of(claim, a, b)
        assert not any(word in judged.sentence for word in ("nan", "inf "))
        found = json.loads(json.dumps(finite(judged.as_json()), allow_nan=False))
        if len(pairs) == 1 or not np.isfinite([*a.values, *b.values]).all():
            assert found["verdict"] == "undecided"
        if found["difference"] is None:
            assert "infinite for some images" in judged.sentence

    lists = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5)
    tried(for_each(st.tuples(lists, st.booleans(), st.booleans(), st.sampled_from((None, 0, 2))), check, 500))


@pytest.mark.promise("A table prints a number, an infinity or a dash for whatever it is given, and bolds no dash.")
def test_tables_of_anything(tried: Tried) -> None:
    cells = st.none() | numbers | st.builds(Estimate, numbers, numbers, numbers, st.integers(0, 9))
    columns = st.sampled_from((*tables.METRICS, "other"))

    def check(case: tuple[str, list[Any]]) -> None:
        metric, values = case
        printed = str(tables.markdown([{metric: value} for value in values], [metric]))
        assert "nan" not in printed
        assert "inf" not in printed
        assert f"**{tables.MISSING}**" not in printed
        assert len(printed.splitlines()) == 2 + len(values)

    tried(for_each(st.tuples(columns, st.lists(cells, min_size=1, max_size=5)), check, 1000))


# ── All together ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["black", "alike", "of one class"] if THOROUGH else ["black"])
@pytest.mark.promise(NEVER_NAN)
def test_tables_and_claims_of_a_whole_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, thorough: bool, tried: Tried
) -> None:
    """Everything that a report asks, of images that are all black, all alike or all of one class."""

    def changed(split: Split) -> Split:
        if name == "of one class":
            return Split(split.images, split.labels * 0)
        return Split(split.images * 0 if name == "black" else split.images[:1].expand_as(split.images), split.labels)

    make = SmallLab(monkeypatch, tmp_path)
    usual = make().bench.dataset(Data(name="photos10"))
    lab = make(**{part: changed(getattr(usual, part)) for part in ("train", "validation", "test")})
    findings = Findings(lab)
    found, refused = told(lambda: claims.all_claims(findings))  # some of which look at an arithmetic's yardstick
    asked: list[Callable[[], Any]] = [functools.partial(_judged, claim, findings) for claim in found or ()]
    asked += [functools.partial(lab.measure, *pair) for pair in lab.measurements() if thorough]
    asked += [functools.partial(_printed, findings, contender) for contender in _contenders(findings)]
    asked += [findings.sweep_table, lambda: findings.beside_references()]
    refusals = {refusal for refusal in (refused, *(told(ask)[1] for ask in asked)) if refusal}
    assert all(name == "of one class" and re.search(REFUSALS, line) for line in refusals), refusals
    tried(len(asked))


def _contenders(findings: Findings) -> list[Contender]:
    return [findings.ae(), findings.vae(), findings.mcae(0.5), *map(findings.baseline, ("mean", "pca", "ridge", "tv"))]


def _printed(findings: Findings, contender: Contender) -> None:
    metrics = ["mse", "mae", "psnr_mean", "psnr_pooled", "ssim", "snr"]
    printed = str(findings.table([contender], findings.reconstruction(), metrics))
    assert "nan" not in printed
    assert tables.MISSING not in printed


def _judged(claim: Claim, findings: Findings) -> None:
    judged = judge(claim, findings)
    assert "nan" not in judged.sentence
    json.dumps(finite(judged.as_json()), allow_nan=False)
