"""The assignment's claims, and those of any plan judged on what its lab has measured."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from itertools import groupby, product
from typing import Any

import numpy as np

from autoencoders import tables
from autoencoders.catalogue import Catalogue
from autoencoders.findings import Findings
from autoencoders.judging import (
    ACCURACY,
    AUROC,
    BITS,
    DECIBELS,
    PURITY,
    Claim,
    Judged,
    Measured,
    Quantity,
    Ranked,
    Scale,
    correct,
    judge,
)
from autoencoders.lab import Lab
from autoencoders.measurements.generation import Interpolation
from autoencoders.measurements.layers import LayerFit
from autoencoders.results import Contender, Results, sigma_label

DRAWS = Scale(
    unit=" % of the draws", margin=0.03, digits=1, percent=True, reason="it is about the chance error of 300 draws"
)
ERROR = Scale(unit=" (MSE)", margin=5e-4, digits=4, reason="it is a hundredth of what the mean image leaves")
GAIN = Scale(
    unit=" % of the error",
    margin=0.001,
    digits=2,
    percent=True,
    reason="a thousandth of an error is less than a hundredth of a decibel",
)
DETAIL = Scale(
    unit=" % of the detail",
    margin=0.02,
    digits=1,
    percent=True,
    reason="so much of it is less than a tenth of a decibel",
)
DETOUR = Scale(
    unit=" times the distance between the ends",
    margin=0.05,
    digits=2,
    reason="less than a twentieth counts as no detour here",
)
SHIFT = Scale(
    unit=" of the latents' spread", margin=0.05, digits=2, reason="so short a way is lost in a cloud of latents"
)
SCALES = {
    "decibels": DECIBELS,
    "accuracies": ACCURACY,
    "purities": PURITY,
    "AUROC": AUROC,
    "shares of draws": DRAWS,
    "squared errors": ERROR,
    "shares of an error": GAIN,
    "lengths of codes": BITS,
    "shares of the fine detail": DETAIL,
    "lengths of paths": DETOUR,
    "shifts of a latent": SHIFT,
}


def margins() -> str:
    """Which differences are too small to matter, and why: `{{< var task.margins >}}`."""
    alike = groupby(SCALES.items(), lambda item: (item[1].text(item[1].margin), item[1].symbol, item[1].reason))
    return "; ".join(
        f"for {tables.in_a_row([name for name, _ in scales])} {margin}{symbol}, since {reason}"
        for (margin, symbol, reason), scales in alike
    )


@functools.lru_cache(maxsize=4)
def judge_all(lab: Lab) -> list[Judged]:
    """Judge the claims of a lab's plan, once however often they are asked for, and correct for their number."""
    plan = lab.catalogues[0]
    if isinstance(plan, Catalogue):
        findings = Findings(lab)
        return correct([judge(claim, findings) for claim in all_claims(findings)])
    results: Results[Any] = Results(lab)
    return correct([judge(claim, results) for claim in plan.claims(results)])


def scope(lab: Lab) -> str:
    """Say how far the text's findings reach, taken together."""
    seeds = len(lab.catalogues)
    if seeds == 1:
        return "in this run"
    if lab.profile.repeated == "headline":
        return f"in this run, with {seeds} seeds of its main models and one of the others"
    return f"over {seeds} seeds"


def all_claims(f: Findings) -> list[Claim]:
    """Every interpretive sentence that the assignment asks for, of the models that this profile trains."""
    return [*_autoencoder(f), *_denoising(f), *_variational(f), *_masked(f), *_features(f), *_detail(f)]


def _autoencoder(f: Findings) -> Iterable[Claim]:
    ae, pca, pixels = f.ae("vector"), f.baseline("pca"), f.baseline("pixels")
    statement = "the autoencoder reconstructs test images better than PCA of the same size"
    yield Claim("ae-pca", "R6", statement, f.psnr(ae), f.psnr(pca), DECIBELS)
    rivals = {"pca": ("PCA's", pca), "pixels": ("raw pixels reduced to the same size", pixels)}
    for key, (name, rival) in rivals.items():
        statement = f"a linear classifier finds more in the AE's latents than in {name}"
        yield Claim(f"ae-probe-{key}", "R6", statement, f.correct(ae), f.correct(rival), ACCURACY)
    statement = "neighbours in the AE's latent space share a class more often than in pixel space"
    yield Claim("ae-purity", "R27", statement, f.purity(ae), f.purity(pixels), PURITY)
    dae, at = f.dae(f.catalogue.sigma), sigma_label(f.catalogue.sigma)
    for key, name, rival in (("ae", "the AE's", ae), ("pca", "PCA's", pca)):
        statement = f"noise of {at} moves the latents of the DAE trained there less far than {name}"
        yield Claim(f"dae-shift-{key}", "R5", statement, f.shift(dae), f.shift(rival), SHIFT, expected="less", at=at)


def _denoising(f: Findings) -> Iterable[Claim]:
    sigma = f.catalogue.sigma
    ae, dae, spatial = f.ae("vector"), f.dae(sigma), f.dae(sigma, "spatial")
    ridge, fixed, known = f.baseline("ridge"), f.baseline("ridge", sigma=sigma), sigma_label(sigma)
    least = min(f.catalogue.profile.sigmas)
    own, level = f.dae(least), sigma_label(least)
    least_noise = ", the least noise," if len(f.catalogue.profile.sigmas) > 1 else ""
    statement = f"at {level}{least_noise} the DAE trained there denoises better than the AE"
    yield Claim("dae-own", "R7", statement, f.psnr(own, least), f.psnr(ae, least), DECIBELS, at=level)
    statement = f"on clean images the AE beats the DAE trained at {level}"
    yield Claim("dae-clean", "R7", statement, f.psnr(ae), f.psnr(own), DECIBELS, at=level)
    for sigma in sorted(f.catalogue.profile.sigmas):
        own, level, key = f.dae(sigma), sigma_label(sigma), f"{1000 * sigma:.0f}"
        if sigma > least:
            statement = f"at {level} the DAE trained there denoises better than the AE"
            yield Claim(f"dae-ae-{key}", "R7", statement, f.psnr(own, sigma), f.psnr(ae, sigma), DECIBELS, at=level)
        statement = f"at {level} the DAE trained there denoises better than the linear map fitted there"
        yield Claim(f"dae-ridge-{key}", "R7", statement, f.psnr(own, sigma), f.psnr(ridge, sigma), DECIBELS, at=level)
    for sigma in f.catalogue.unfamiliar_levels:
        level, key = sigma_label(sigma), f"{1000 * sigma:.0f}"
        statement = f"at {level} the DAE trained at {known} denoises better than the linear map fitted to {level}"
        sides = f.psnr(dae, sigma), f.psnr(ridge, sigma)
        yield Claim(f"dae-unseen-{key}", "R8", statement, *sides, DECIBELS, at=level)
        statement = f"at {level} the DAE trained at {known} denoises better than the linear map fitted at {known}"
        sides = f.psnr(dae, sigma), f.psnr(fixed, sigma)
        yield Claim(f"dae-fixed-{key}", "R8", statement, *sides, DECIBELS, at=level)
        for blind in f.blind_daes():
            statement = f"at {level} the DAE trained on all levels denoises better than the one trained at {known}"
            sides = f.psnr(blind, sigma), f.psnr(dae, sigma)
            yield Claim(f"dae-blind-{key}", "R8", statement, *sides, DECIBELS, at=level)
    statement = f"at {known} the spatial DAE denoises better with skip connections than without"
    skips = f.psnr(f.skips(f.catalogue.sigma), f.catalogue.sigma)
    yield Claim("dae-skips", "R8", statement, skips, f.psnr(spatial, f.catalogue.sigma), DECIBELS, at=known)
    statement = f"at {sigma_label(least)} the spatial DAE with skip connections denoises better than the linear map"
    sides = f.psnr(f.skips(least), least), f.psnr(ridge, least)
    yield Claim("dae-skips-ridge", "R8", statement, *sides, DECIBELS, at=sigma_label(least))
    for method, what in {"tv": "total variation", "nlm": "non-local means", "ridge": "the linear map"}.items():
        statement = f"at {known} the spatial DAE denoises better than {what}"
        sides = f.psnr(spatial, f.catalogue.sigma), f.psnr(f.baseline(method), f.catalogue.sigma)
        yield Claim(f"dae-spatial-{method}", "R8", statement, *sides, DECIBELS, at=known)
    statement = "on clean images a linear classifier does better on the DAE's latents than on the AE's"
    yield Claim("dae-probe-clean", "R12", statement, f.correct(dae), f.correct(ae), ACCURACY, at=known)
    yield from _noisy_latents(f)
    statement = "the AE's error tells images with their tiles out of order from intact ones better than PCA's"
    yield Claim("ae-anomaly", "R12", statement, _strange(f, ae), _strange(f, f.baseline("pca")), AUROC)
    statement = "the AE's error tells images with their tiles out of order from intact ones better than the DAE's"
    yield Claim("ae-dae-anomaly", "R12", statement, _strange(f, ae), _strange(f, dae), AUROC)
    yield from _conditions(f, ae, dae, f.baseline("pca"))


def _conditions(f: Findings, ae: Contender, dae: Contender, pca: Contender) -> Iterable[Claim]:
    """Other noise, what befalls images beside noise, what they cost in bits, and classes that are new (R12)."""
    known = sigma_label(f.catalogue.sigma)
    for sigma in f.catalogue.unfamiliar_levels[-1:]:
        level, sides = sigma_label(sigma), (f.psnr(dae, sigma), f.psnr(ae, sigma))
        statement = f"at {level}, on which neither was trained, the DAE trained at {known} denoises better than the AE"
        yield Claim("dae-robust", "R12", statement, *sides, DECIBELS, at=level)
    statement = "the AE loses less of an image's fine detail than the DAE"
    yield Claim("ae-dae-detail", "R12", statement, f.lost_detail(ae), f.lost_detail(dae), DETAIL, expected="less")
    for what, spec in f.catalogue.disturbed().items():
        kind = what.kind.replace("salt and pepper", "salt-and-pepper noise")
        statement = f"of images with {kind}, the DAE's outputs are nearer to the clean images than the AE's"
        sides = Measured(dae, spec, "all/psnr"), Measured(ae, spec, "all/psnr")
        id = "dae-disturbed-" + what.kind.replace(" ", "-")
        yield Claim(id, "R12", statement, *sides, DECIBELS, at=kind)
    bits = f.catalogue.compression().budget
    statement = f"in {bits} bits an image, more is left of it by the AE's latents than by PCA's"
    sides = f.in_few_bits(ae), f.in_few_bits(pca)
    yield Claim("ae-bits-pca", "R12", statement, *sides, DECIBELS, at=f"{bits} bits")
    for left_out in f.catalogue.left_out:
        name, own = f.meta(pca, f.catalogue.novelty(left_out))["class"], _novel(f, ae, left_out)
        for key, rival, whose in (("pca", pca, "PCA's"), ("dae", dae, "the DAE's")):
            statement = f"trained without the class {name}, the AE's error tells its images better than {whose}"
            id, other = f"ae-novel-{left_out}-{key}", _novel(f, rival, left_out)
            yield Claim(id, "R12", statement, own, other, AUROC, at=name)
        guessing = Quantity("guessing", np.array(0.5))
        for key, side, whose in (("ae", own, "the AE's"), ("dae", _novel(f, dae, left_out), "the DAE's")):
            statement = f"trained without the class {name}, {whose} error tells its images better than guessing"
            yield Claim(f"{key}-novel-{left_out}-chance", "R12", statement, side, guessing, AUROC, at=name)


def _novel(f: Findings, contender: Contender, left_out: int) -> Ranked:
    spec = f.catalogue.novelty(left_out)
    return Ranked(f.without(contender, left_out), spec, "novel", "familiar", paired=False)


def _noisy_latents(f: Findings) -> Iterable[Claim]:
    """What a classifier finds in latents of noisy images, once it was fitted to such (R11)."""
    ae, vae, pca = f.ae("vector"), f.vae(), f.baseline("pca")
    for sigma in f.catalogue.probe_levels:
        level, key = sigma_label(sigma), f"{1000 * sigma:.0f}"
        own = f.correct(f.dae(sigma), sigma, sigma)
        for rival, name in ((ae, "the AE's"), (pca, "PCA's")):
            statement = f"at {level}, fitted and tested there, a linear classifier does better on the latents of the "
            statement += f"DAE trained there than on {name}"
            id, b = f"dae-probe-{key}-{rival.first.name.rpartition('/')[2]}", f.correct(rival, sigma, sigma)
            yield Claim(id, "R11", statement, own, b, ACCURACY, at=level)
    for sigma, (model, name) in product(f.catalogue.probe_levels[:1], ((ae, "AE"), (vae, "VAE"))):
        statement = f"at {sigma_label(sigma)} a classifier of the {name}'s latents does better for having been fitted "
        statement += "to noisy images"
        noisy = f.correct(model, sigma, sigma, "fitted to noisy")
        clean = f.correct(model, sigma, None, "fitted to clean")
        yield Claim(f"{name.lower()}-fit-noisy", "R11", statement, noisy, clean, ACCURACY, at=sigma_label(sigma))


def _strange(f: Findings, contender: Contender) -> Ranked:
    return Ranked(contender, f.catalogue.anomaly(), "shuffled", "familiar")


def _variational(f: Findings) -> Iterable[Claim]:
    vae, ae, pca = f.vae(), f.ae("vector"), f.baseline("pca")
    statement = "the AE reconstructs unseen images better than the VAE of the same latent size"
    yield Claim("vae-ae", "R16", statement, f.psnr(ae), f.psnr(vae), DECIBELS)
    statement = "the VAE reconstructs unseen images better than PCA of the same size"
    yield Claim("vae-pca", "R15", statement, f.psnr(vae), f.psnr(pca), DECIBELS)
    linear, *tied = f.linear_vaes()
    statement = "a code for unseen images by the VAE is shorter than one by probabilistic PCA of the same size"
    own, rival = (Measured(c, f.catalogue.likelihood(), "bits_per_dim") for c in (vae, linear))
    yield Claim("vae-bits", "R15", statement, own, rival, BITS, expected="less")
    for optimum in tied:
        statement = "at β = 1 the VAE reconstructs unseen images better than the linear VAE at its optimum"
        yield Claim("vae-linear", "R16", statement, f.psnr(f.vae(1)), f.psnr(optimum), DECIBELS)
    statement = "neighbours in the VAE's latent space share a class more often than in the AE's"
    yield Claim("vae-purity", "R18", statement, f.purity(vae), f.purity(ae), PURITY)
    for key, way, at in (("line", "linear", "the straight line"), ("arc", "spherical", "the arc")):
        statement = f"on {at} between two latents, the VAE's images take a longer way than a cross-fade"
        sides = Measured(vae, Interpolation(), f"{way}/detour"), Quantity("a cross-fade", np.array(1.0))
        yield Claim(f"vae-detour-{key}", "R13", statement, *sides, DETOUR, at=at)
    for spec in f.catalogue.arithmetics():
        a, b, c = spec.classes
        statement = f"the judge sees {c} in {a} − {b} + {c} more often than in {a} − {b} + images of other classes"
        wanted, control = Measured(vae, spec, "judged_c", f"with {c}"), Measured(vae, spec, "control_c", "with others")
        void = f"it doesn't recognise plain reconstructions of {c}" if f.meta(vae, spec)["void"] else ""
        id, triple = re.sub(r"\W+", "-", f"arithmetic-{a}-{b}-{c}"), f"{a} − {b} + {c}"
        yield Claim(id, "R14", statement, wanted, control, DRAWS, void=void, at=triple)


def _masked(f: Findings) -> Iterable[Claim]:
    ratio = f.catalogue.ratio
    high, vit = f.mcae(ratio), f.vit(ratio)
    statement = f"the {high.label} fills in what is hidden better than the {vit.label}"
    filled, rival_filled = (Measured(c, f.masked(ratio), "masked/psnr") for c in (high, vit))
    yield Claim("mcae-vit", "R19", statement, filled, rival_filled, DECIBELS)
    yield from _holes(f, high, vit)


def _features(f: Findings) -> Iterable[Claim]:
    """What training and masking add to an encoder's layers, all of them read alike (R20)."""
    best, unmasked, ae = f.best_mcae(), f.mcae(0), f.ae("vector")
    vit, untrained = f.vit(f.catalogue.ratio), f.untrained(unmasked)
    rivals = {
        "training-adds": ("those of the same encoder with random weights", f.layers(untrained)),
        "masking-adds": ("those of an MCAE trained with nothing hidden", f.layers(unmasked)),
        "mcae-probe-ae": ("the AE's", f.layers(ae)),
        "mcae-probe-vae": ("the VAE's", f.layers(f.vae())),
        "mcae-probe-vit": ("the ViT control's", f.layers(vit)),
        "mcae-probe-pixels": ("raw pixels", f.native(f.baseline("pixels"))),
        "mcae-probe-patches": ("features of random patches", f.native(f.baseline("patches"))),
    }
    for id, (name, rival) in rivals.items():
        statement = (
            f"a linear classifier finds more in the layers of the MCAE chosen on validation images than in {name}"
        )
        seeds = _draws_or_seeds(best) if id == "training-adds" else "seeds"
        yield Claim(id, "R20", statement, f.layers(best), rival, ACCURACY, seeds=seeds)
    few = min(LayerFit.labels)
    if few in f.label_counts(best):  # very small data sets have fewer images
        statement = f"with {few} labels, too, it finds more in the layers of the trained MCAE than in random weights"
        sides = f.layers(best, few), f.layers(untrained, few)
        seeds = _draws_or_seeds(best)
        yield Claim("training-adds-few", "R20", statement, *sides, ACCURACY, at=f"{few} labels", seeds=seeds)
    statement = "a linear classifier finds more in the AE's layers than in the same with random weights"
    sides = f.layers(ae), f.layers(f.untrained(ae))
    yield Claim("ae-training-adds", "R6", statement, *sides, ACCURACY, seeds=_draws_or_seeds(ae))


def _draws_or_seeds(trained: Contender) -> str:
    """What the seeds of a comparison with random weights are."""
    return "seeds" if len(trained.subjects) > 1 else "draws of random weights"


def _detail(f: Findings) -> Iterable[Claim]:
    ae = f.ae("vector")
    for key, rival, name in (("pca", f.baseline("pca"), "PCA of the same size"), ("vae", f.vae(), "the VAE")):
        statement = f"the AE loses less of an image's fine detail than {name}"
        sides = f.lost_detail(ae), f.lost_detail(rival)
        yield Claim(f"ae-detail-{key}", "R12", statement, *sides, DETAIL, expected="less")


def _holes(f: Findings, mcae: Contender, vit: Contender) -> Iterable[Claim]:
    """What tells a masked model about hidden patches (R22), and how far it looks (R23)."""
    filling, importance = f.catalogue.filling(), f.catalogue.importance()
    linear, mean = f.baseline("linear-fill"), f.baseline("mean")
    middle = f"hole_mse:{f.distances(vit, filling, 'hole_mse')[-1]}"
    statement = f"the {mcae.label} guesses patches hidden at random better than the linear conditional mean"
    sides = Measured(mcae, filling, "hidden_mse"), Measured(linear, filling, "hidden_mse")
    yield Claim("mcae-linear", "R19", statement, *sides, ERROR, expected="less")
    reach = {*f.distances(vit, importance, "importance")} & {*f.distances(mcae, importance, "importance")}
    for key, distance, where in (("next", 1, "next to"), ("far", 3, "three patches from")):
        if distance not in reach:
            continue  # small images have few patches so far apart
        requirement = "R22" if key == "next" else "R23"
        statement = f"a visible patch {where} hidden ones tells the {vit.label} more about them than the {mcae.label}"
        metric = f"importance:{distance}"
        sides = Measured(vit, importance, metric), Measured(mcae, importance, metric)
        yield Claim(f"vit-{key}", requirement, statement, *sides, GAIN)
    few, *more = f.catalogue.ratios
    if more:
        most, least = f.mcae(more[-1]), f.mcae(few)
        statement = f"one visible patch counts for more with the {most.label} than with the {least.label}"
        sides = Measured(most, importance, "importance"), Measured(least, importance, "importance")
        yield Claim("mcae-importance", "R22", statement, *sides, GAIN)
    pairs = [("vit-hole", vit, mcae), ("mcae-hole-mean", mcae, mean)]
    pairs += [("mcae-hole-linear", mcae, linear), ("vit-hole-linear", vit, linear)]
    pairs += [("mcae-far-hole", far, mcae) for far in f.far_mcaes()]
    for id, a, b in pairs:
        statement = f"in the middle of a large hole the error of the {a.label} is smaller than that of the {b.label}"
        sides = Measured(a, filling, middle), Measured(b, filling, middle)
        yield Claim(id, "R23", statement, *sides, ERROR, expected="less")
