"""Sentences bound to numbers: each says what was expected, what was measured, and which verdict follows.

A claim compares two quantities image by image. If the 95 % interval of their difference lies beyond the margin in the
expected direction it is supported; beyond it the other way, contradicted; else undecided. The sentence follows suit.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from autoencoders.catalogue import Catalogue
from autoencoders.evaluation.statistics import Estimate, paired_difference
from autoencoders.findings import Findings
from autoencoders.lab import Lab
from autoencoders.measurements.generation import Arithmetic
from autoencoders.measurements.measurement import Measurement
from autoencoders.results import Contender, Results, sigma_label
from autoencoders.specs import NOISE, VARIANCE
from autoencoders.store import Task
from autoencoders.tasks import named

Verdict = Literal["supported", "contradicted", "undecided"]


@dataclass(frozen=True)
class Quantity:
    """One side of a comparison: its value for each image [seeds, images], or for a reference one number."""

    name: str
    values: np.ndarray

    @property
    def mean(self) -> float:
        return float(self.values.mean())


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An expectation; `statement` is what is expected of `a` and `b`, as a clause that stands after "that"."""

    id: str
    requirement: str
    statement: str
    expected: Literal["greater", "less"]  # a than b
    margin: float  # smaller differences don't matter, however certain
    unit: str
    measure: Callable[[Any], tuple[Quantity, Quantity]]  # of the assignment's findings, or of a study's results
    digits: int | None = 2  # decimals; None: three digits that count
    percent: bool = False


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A claim with what this run says of it."""

    claim: Claim
    a: Quantity
    b: Quantity
    difference: Estimate
    seeds: int
    asked: tuple[Task, ...] = ()  # whose artifacts it rests on

    @property
    def verdict(self) -> Verdict:
        sign = 1 if self.claim.expected == "greater" else -1
        low, high = sorted((sign * self.difference.lo, sign * self.difference.hi))
        if low > self.claim.margin:
            return "supported"
        return "contradicted" if high < -self.claim.margin else "undecided"

    @property
    def sentence(self) -> str:
        """Markdown; it changes with the data."""
        claim = self.claim
        scope = f"over {self.seeds} seeds" if self.seeds > 1 else "in this run"
        opening = {
            "supported": f"{claim.statement[0].upper()}{claim.statement[1:]}",
            "contradicted": f"**Contradicted:** that {claim.statement} was expected; {scope} it is the other way round",
            "undecided": f"**Undecided:** whether {claim.statement} can't be told from this data",
        }[self.verdict]
        a, b, gap, low, high = map(
            self._number, (self.a.mean, self.b.mean, self.difference.value, self.difference.lo, self.difference.hi)
        )
        compared = f"{self.a.name} {a}, {self.b.name} {b}{claim.unit}"
        interval = f"difference {gap}, 95 % interval {low} to {high}, n = {self.difference.n:,}"
        if math.isnan(self.difference.value):
            interval = f"infinite for some images, which have no difference; n = {self.difference.n:,}"
        return f"{opening} ({compared}; {interval}; {self.verdict} {scope})."

    def _number(self, value: float) -> str:
        form = ".3g" if self.claim.digits is None else f".{self.claim.digits}f"
        return f"{100 * value if self.claim.percent else value:{form}}".replace("-", "−").replace("inf", "∞")

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.claim.id,
            "requirement": self.claim.requirement,
            "sentence": self.sentence,
            "expected": self.claim.expected,
            "a": {"name": self.a.name, "value": self.a.mean},
            "b": {"name": self.b.name, "value": self.b.mean},
            "difference": self.difference.value,
            "margin": self.claim.margin,
            "lo": self.difference.lo,
            "hi": self.difference.hi,
            "n": self.difference.n,
            "verdict": self.verdict,
        }


def judge(claim: Claim, results: Results[Any]) -> Judged:
    before = len(results.lab.asked)
    a, b = claim.measure(results)
    return replace(compare(claim, a, b), asked=tuple(results.lab.asked[before:]))


def compare(claim: Claim, a: Quantity, b: Quantity) -> Judged:
    """Paired over the images, and over the seeds where there are several; baselines have none."""
    shared = min(a.values.shape[-1], b.values.shape[-1]) if b.values.ndim else a.values.shape[-1]
    first = np.atleast_2d(a.values)[:, :shared].astype(np.float64)
    second = np.broadcast_to(b.values, (1, shared)) if not b.values.ndim else np.atleast_2d(b.values)[:, :shared]
    a, b = Quantity(a.name, first), Quantity(b.name, np.asarray(second, np.float64))
    undefined = Estimate(math.nan, math.nan, math.nan, shared)  # between infinities, of perfect images for example
    comparable = not (np.isinf(a.values).any() or np.isinf(b.values).any())
    difference = paired_difference(a.values, b.values) if comparable else undefined
    return Judged(claim=claim, a=a, b=b, difference=difference, seeds=len(first))


@functools.lru_cache(maxsize=4)
def judge_all(lab: Lab) -> list[Judged]:
    """The assignment's claims, or those that a study makes in a module of its own; once, however often it is said."""
    if lab.plan_class is Catalogue:
        findings = Findings(lab)
        return [judge(claim, findings) for claim in all_claims(findings)]
    results: Results[Any] = Results(lab)
    made = named(f"{lab.plan_class.__module__.removesuffix('.plan')}.claims:claims")
    return [judge(claim, results) for claim in made(results)]


# ── How quantities are read ──────────────────────────────────────────────────────────────────────────────────────────


def _psnr(f: Findings, contender: Contender, sigma: float | None = None) -> Quantity:
    spec = f.reconstruction() if sigma is None else f.noisy(sigma)
    return Quantity(contender.label, f.per_image(contender, spec, "all/psnr"))


def _probe(
    f: Findings, contender: Contender, features: Literal["latent", "map"], sigma: float | None = None
) -> Quantity:
    metric = "probe_linear_pca128" if features == "latent" else "probe_linear_map_pca128"
    return Quantity(contender.label, f.per_image(contender, f.probe(features, sigma), f"{metric}/correct"))


def _both(f: Findings, a: Contender, b: Contender, spec: Measurement, name: str) -> tuple[Quantity, Quantity]:
    first, second = (Quantity(c.label, _by_image(f.per_image(c, spec, name))) for c in (a, b))
    return first, second


def _by_image(values: np.ndarray) -> np.ndarray:
    """One number an image: of maps, their mean."""
    return values.reshape(*values.shape[:2], -1).mean(2)


# ── The claims ───────────────────────────────────────────────────────────────────────────────────────────────────────

DECIBEL, ACCURACY, SHARE = 0.1, 0.005, 0.01  # margins: less is of no consequence


def all_claims(f: Findings) -> list[Claim]:
    """Every interpretive sentence that the assignment asks for, of the models that this profile trains."""
    return [*_autoencoder(f), *_denoising(f), *_variational(f), *_masked(f)]


def _fidelity(
    id: str, requirement: str, statement: str, a: Contender, b: Contender, sigma: float | None = None
) -> Claim:
    return Claim(
        id=id,
        requirement=requirement,
        statement=statement,
        expected="greater",
        margin=DECIBEL,
        unit=" dB",
        measure=lambda f: (_psnr(f, a, sigma), _psnr(f, b, sigma)),
    )


def _transfer(
    id: str,
    requirement: str,
    statement: str,
    a: tuple[Contender, Literal["latent", "map"]],
    b: tuple[Contender, Literal["latent", "map"]],
    sigma: float | None = None,
) -> Claim:
    return Claim(
        id=id,
        requirement=requirement,
        statement=statement,
        expected="greater",
        margin=ACCURACY,
        unit=" % of the test images",
        digits=1,
        percent=True,
        measure=lambda f: (_probe(f, *a, sigma), _probe(f, *b, sigma)),
    )


def _neighbours(id: str, requirement: str, statement: str, a: Contender, b: Contender) -> Claim:
    return Claim(
        id=id,
        requirement=requirement,
        statement=statement,
        expected="greater",
        margin=ACCURACY,
        unit=" % of neighbours",
        digits=1,
        percent=True,
        measure=lambda f: _both(f, a, b, f.catalogue.latent(), "clean/purity"),
    )


def _autoencoder(f: Findings) -> Iterable[Claim]:
    ae, spatial = f.ae("vector"), f.ae("spatial")
    pca, pixels, mean = f.baseline("pca"), f.baseline("pixels"), f.baseline("mean")
    yield _fidelity("ae-mean", "R6", "the autoencoder keeps more of a test image than the mean image does", ae, mean)
    yield _fidelity(
        "ae-pca", "R6", "the autoencoder reconstructs test images better than PCA of the same size", ae, pca
    )
    yield _fidelity(
        "ae-spatial", "R6", "the spatial bottleneck, which is larger, keeps more than the vector", spatial, ae
    )
    yield _transfer(
        "ae-probe-pca",
        "R6",
        "a linear classifier finds more in the AE's latents than in PCA's",
        (ae, "latent"),
        (pca, "latent"),
    )
    yield _transfer(
        "ae-probe-pixels",
        "R6",
        "a linear classifier finds more in the AE's latents than in raw pixels reduced to the same size",
        (ae, "latent"),
        (pixels, "latent"),
    )
    yield _neighbours(
        "ae-purity",
        "R27",
        "neighbours in the AE's latent space share a class more often than in pixel space",
        ae,
        pixels,
    )


def _denoising(f: Findings) -> Iterable[Claim]:
    ae, levels = f.ae("vector"), (*f.catalogue.profile.sigmas, math.sqrt(VARIANCE))
    for sigma in levels:
        dae, level = f.dae(sigma), sigma_label(sigma)
        name = f"{1000 * sigma:.0f}"
        yield _fidelity(
            f"dae-own-{name}", "R7", f"at {level} the DAE trained there denoises better than the AE", dae, ae, sigma
        )
        yield _fidelity(f"dae-clean-{name}", "R7", f"on clean images the AE beats the DAE trained at {level}", ae, dae)
    dae, noisy = f.dae(NOISE.sigma), f.baseline("input")
    for sigma in (*f.catalogue.profile.unseen, math.sqrt(VARIANCE)):
        yield _fidelity(
            f"dae-unseen-{1000 * sigma:.0f}",
            "R8",
            f"at {sigma_label(sigma)}, unseen by it, the DAE trained at {sigma_label(NOISE.sigma)} improves its input",
            dae,
            noisy,
            sigma,
        )
    spatial = f.dae(NOISE.sigma, "spatial")
    for method, what in {"tv": "total variation", "ridge": "the linear map"}.items():
        yield _fidelity(
            f"dae-spatial-{method}",
            "R8",
            f"at {sigma_label(NOISE.sigma)} the spatial DAE denoises better than {what}",
            spatial,
            f.baseline(method),
            NOISE.sigma,
        )
    yield _transfer(
        "dae-probe-noisy",
        "R11",
        "on noisy images a linear classifier does better on the DAE's latents than on the AE's",
        (dae, "latent"),
        (ae, "latent"),
        NOISE.sigma,
    )
    yield _transfer(
        "dae-probe-clean",
        "R12",
        "on clean images a linear classifier does better on the DAE's latents than on the AE's",
        (dae, "latent"),
        (ae, "latent"),
    )
    yield Claim(
        id="ae-anomaly",
        requirement="R12",
        statement="images with their tiles out of order have a larger reconstruction error than intact ones",
        expected="greater",
        margin=0.0,
        unit=" (MSE)",
        digits=None,
        measure=lambda f: (
            Quantity("shuffled", f.per_image(ae, f.anomaly(), "shuffled")),
            Quantity("intact", f.per_image(ae, f.anomaly(), "familiar")),
        ),
    )


def _variational(f: Findings) -> Iterable[Claim]:
    vae, ae, mean = f.vae(), f.ae("vector"), f.baseline("mean")
    yield _fidelity(
        "vae-ae", "R16", "the AE reconstructs unseen images better than the VAE of the same latent size", ae, vae
    )
    yield _fidelity("vae-mean", "R15", "the VAE hasn't collapsed to the mean image", vae, mean)
    yield Claim(
        id="vae-active",
        requirement="R18",
        statement="at least a tenth of the VAE's latent units are active",
        expected="greater",
        margin=0.0,
        unit=" % of the units",
        digits=0,
        percent=True,
        measure=lambda f: (
            Quantity("active", f.per_image(vae, f.posterior(), "active").astype(float)),
            Quantity("threshold", np.array(0.1)),
        ),
    )
    yield _neighbours(
        "vae-purity", "R18", "neighbours in the VAE's latent space share a class more often than in the AE's", vae, ae
    )
    for spec in f.arithmetics():
        a, b, c = spec.classes
        yield Claim(
            id="arithmetic-" + "-".join(spec.classes),
            requirement="R14",
            statement=f"the judge sees {c} in {a} − {b} + {c} more often than {a}",
            expected="greater",
            margin=ACCURACY,
            unit=" % of the draws",
            digits=1,
            percent=True,
            measure=functools.partial(_judged_shares, vae=vae, spec=spec),
        )


def _judged_shares(f: Findings, *, vae: Contender, spec: Arithmetic) -> tuple[Quantity, Quantity]:
    a, _, c = spec.classes
    return (
        Quantity(c, f.per_image(vae, spec, "judged_c").astype(float)),
        Quantity(a, f.per_image(vae, spec, "judged_a").astype(float)),
    )


def _masked(f: Findings) -> Iterable[Claim]:
    ratios = f.catalogue.ratios
    low, high = f.mcae(ratios[0]), f.mcae(ratios[-1])
    vit, vae, ae, pixels = f.vit(f.catalogue.profile.vit_ratios[-1]), f.vae(), f.ae("vector"), f.baseline("pixels")
    best = f.best_mcae()
    yield _fidelity(
        "mcae-vae", "R19", f"unmasked images come out of the {low.label} better than out of the VAE", low, vae
    )
    yield _fidelity(
        "mcae-ratio", "R19", f"the {low.label} reconstructs unmasked images better than the {high.label}", low, high
    )
    rivals = {"pixels": (pixels, "latent"), "ae": (ae, "map"), "vae": (vae, "map"), "vit": (vit, "map")}
    names = {"pixels": "raw pixels", "ae": "the AE's map", "vae": "the VAE's map", "vit": "the ViT control's"}
    for key, rival in rivals.items():
        yield _transfer(
            f"mcae-probe-{key}",
            "R20",
            f"a linear classifier does better on the map of the MCAE chosen on validation images than on {names[key]}",
            (best, "map"),
            rival,  # type: ignore[arg-type]
        )
    yield Claim(
        id="mcae-occlusion",
        requirement="R22",
        statement=f"hiding a patch changes more of the rest in the {high.label}'s output than in the {low.label}'s",
        expected="greater",
        margin=0.0,
        unit=" (mean squared change)",
        digits=None,
        measure=lambda f: _both(f, high, low, f.catalogue.occlusion(), "change"),
    )
    farthest = f.distances(vit, f.context(), "hole_mse")[-1]
    yield Claim(
        id="vit-hole",
        requirement="R23",
        statement=f"in the middle of a large hole the ViT's error is smaller than that of the {high.label}",
        expected="less",
        margin=0.0,
        unit=" (MSE)",
        digits=None,
        measure=lambda f: _both(f, vit, high, f.context(), f"hole_mse:{farthest}"),
    )
    yield Claim(
        id="vit-far",
        requirement="R23",
        statement="content more than two patches away makes up a larger share of what fills a hole in the "
        f"{vit.label} than in the {high.label}",
        expected="greater",
        margin=SHARE,
        unit=" % of the change",
        digits=1,
        percent=True,
        measure=lambda f: _both(f, vit, high, f.context(), "far_influence:2"),
    )


# ── For the report ───────────────────────────────────────────────────────────────────────────────────────────────────


def by_requirement(judged: Iterable[Judged]) -> dict[str, str]:
    """All sentences that answer a requirement, a line each: `{{< var claims.r07 >}}`. Variables know no lists."""
    paragraphs: dict[str, list[str]] = {}
    for each in judged:
        paragraphs.setdefault(f"r{int(each.claim.requirement[1:]):02d}", []).append(each.sentence)
    return {requirement: "\\\n".join(f"• {s}" for s in sentences) for requirement, sentences in paragraphs.items()}
