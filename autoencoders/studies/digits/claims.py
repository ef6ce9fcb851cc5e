"""What study A expects of coloured digits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autoencoders.claims import ACCURACY, DECIBEL, Claim, Quantity
from autoencoders.results import Contender, Results
from autoencoders.studies.digits.measurements import Clusters
from autoencoders.studies.digits.plan import LEAKING, Digits

REPORTED = 10.27  # dB, of the AE, at a noise level that the source doesn't state


def claims(r: Results[Digits]) -> list[Claim]:
    return [*_denoising(r), *_clusters(r)]


def contender(r: Results[Digits], label: str) -> Contender:
    return r.each(label, lambda study: study.model(label))


def _snr(r: Results[Digits], c: Contender) -> Quantity:
    return Quantity(c.label, r.per_image(c, r.catalogue.denoising(), "all/snr"))


def _denoising(r: Results[Digits]) -> Iterator[Claim]:
    ae, *others = (contender(r, label) for label in r.catalogue.budget.models)
    for model, key in ((ae, "ae"), *((c, "batchnorm") for c in others if c.label == "AE + BatchNorm")):
        yield _decibels(
            f"digits-{key}-input", f"the {model.label}'s output is cleaner than its input", model, r.baseline("input")
        )
        yield _decibels(
            f"digits-{key}-ridge",
            f"the {model.label} removes more noise than the linear map",
            model,
            r.baseline("ridge"),
        )
        yield _decibels(
            f"digits-{key}-reported",
            f"the {model.label}'s SNR is above the one reported elsewhere, whose noise is unknown",
            model,
        )
    for other in others:
        key = other.label.lower().replace(" + ", "-").removeprefix("ae-")
        yield _decibels(f"digits-ae-{key}", f"the AE removes more noise than the {other.label}", ae, other)


def _decibels(id: str, statement: str, model: Contender, rival: Contender | None = None) -> Claim:
    def measure(r: Results[Digits]) -> tuple[Quantity, Quantity]:
        return _snr(r, model), _snr(r, rival) if rival else Quantity("reported elsewhere", np.array(REPORTED))

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
