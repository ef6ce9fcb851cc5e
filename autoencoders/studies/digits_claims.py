"""What study A expects of coloured digits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autoencoders.claims import ACCURACY, DECIBEL, Claim, Quantity
from autoencoders.config import Clusters
from autoencoders.results import Contender, Results
from autoencoders.studies.digits import LEAKING, MODELS, Digits

REPORTED = 10.27  # dB, of the AE, at a noise level that the source doesn't state


def claims(r: Results[Digits]) -> list[Claim]:
    return [*_denoising(r), *_clusters(r)]


def contender(r: Results[Digits], label: str) -> Contender:
    return r.each(label, lambda study: study.model(label))


def _snr(r: Results[Digits], c: Contender) -> Quantity:
    return Quantity(c.label, r.per_image(c, r.catalogue.denoising(), "all/snr"))


def _denoising(r: Results[Digits]) -> Iterator[Claim]:
    ae, *others = (contender(r, label) for label in MODELS)
    rivals = {
        "input": ("the AE's output has a higher SNR than its noisy input", r.baseline("input")),
        "ridge": ("the AE removes more noise than the linear map", r.baseline("ridge")),
    }
    names = ("dropout", "batchnorm", "vae")
    rivals |= {n: (f"the AE removes more noise than the {c.label}", c) for n, c in zip(names, others, strict=True)}
    for name, (statement, rival) in rivals.items():
        yield _decibels(f"digits-{name}", statement, ae, rival)
    yield _decibels("digits-reported", "the AE's SNR is above the one reported elsewhere, whose noise is unknown", ae)


def _decibels(id: str, statement: str, ae: Contender, rival: Contender | None = None) -> Claim:
    def measure(r: Results[Digits]) -> tuple[Quantity, Quantity]:
        return _snr(r, ae), _snr(r, rival) if rival else Quantity("reported elsewhere", np.array(REPORTED))

    return Claim(
        id=id, requirement="R28", statement=statement, expected="greater", margin=DECIBEL, unit=" dB", measure=measure
    )


def _clusters(r: Results[Digits]) -> Iterator[Claim]:
    study, pixels = r.catalogue, r.baseline("pixels")
    ae, leaking = contender(r, "AE"), contender(r, LEAKING)
    plain, told = study.clusters(), study.clusters(leaking=True)
    yield _sharing(
        "digits-leak",
        "neighbours in the AE's latent space share a class more often where the colour gives the class away",
        ("colour gives the class away", leaking, told, "class"),
        ("random colours", ae, plain, "class"),
    )
    yield _sharing(
        "digits-hue",
        "with random colours, neighbours in the AE's latent space share a colour more often than a class",
        ("colour", ae, plain, "hue"),
        ("class", ae, plain, "class"),
    )
    yield _sharing(
        "digits-pixels",
        "with random colours, neighbours share a class more often in the AE's latent space than among noisy pixels",
        ("AE", ae, plain, "class"),
        ("pixels", pixels, plain, "class"),
    )
    yield _sharing(
        "digits-pixels-leak",
        "where the colour gives the class away, noisy pixels alone have neighbours of one class as often as random "
        "colours allow the AE",
        ("pixels, colour gives the class away", pixels, told, "class"),
        ("AE, random colours", ae, plain, "class"),
    )


def _sharing(
    id: str, statement: str, a: tuple[str, Contender, Clusters, str], b: tuple[str, Contender, Clusters, str]
) -> Claim:
    """Of the same digits in the same order, whatever their colours."""

    def measure(r: Results[Digits]) -> tuple[Quantity, Quantity]:
        first, second = (Quantity(name, r.per_image(c, spec, f"purity/{kind}")) for name, c, spec, kind in (a, b))
        return first, second

    return Claim(
        id=id,
        requirement="R30",
        statement=statement,
        expected="greater",
        margin=ACCURACY,
        unit=" % of neighbours",
        digits=1,
        percent=True,
        measure=measure,
    )
