"""What study A expects of coloured digits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autoencoders.judging import DECIBELS, PURITY, Claim, Measured, Quantity
from autoencoders.results import Contender, Results
from autoencoders.studies.digits.plan import Digits

REPORTED = Quantity("reported elsewhere", np.array(10.27))  # dB, of the AE, at a noise level that the source leaves out


def contender(r: Results[Digits], label: str) -> Contender:
    return r.each(label, lambda study: study.model(label))


def claims(r: Results[Digits]) -> Iterator[Claim]:
    yield from _denoising(r)
    yield from _clusters(r)


def _denoising(r: Results[Digits]) -> Iterator[Claim]:
    def snr(model: Contender) -> Measured:
        return Measured(model, r.catalogue.denoising(), "all/snr")

    ae, *others = (contender(r, label) for label in r.catalogue.budget.models)
    for model, key in ((ae, "ae"), *((c, "batchnorm") for c in others if c.label == "AE + BatchNorm")):
        for rival, statement, b in (
            ("ridge", f"the {model.label} removes more noise than the linear map", snr(r.baseline("ridge"))),
            (
                "reported",
                f"the {model.label}'s SNR is above the one reported elsewhere, whose noise is unknown",
                REPORTED,
            ),
        ):
            yield Claim(f"digits-{key}-{rival}", "R28", statement, snr(model), b, DECIBELS, at=model.label)
    for other in others:
        id = "digits-ae-" + other.label.lower().replace(" + ", "-").removeprefix("ae-")
        statement = f"the AE removes more noise than the {other.label}"
        yield Claim(id, "R28", statement, snr(ae), snr(other), DECIBELS, at=other.label)


def _clusters(r: Results[Digits]) -> Iterator[Claim]:
    """Of the same digits in the same order, whatever their colours."""

    def purity(model: Contender, name: str, *, of: str = "class", leaking: bool = False) -> Measured:
        return Measured(model, r.catalogue.clusters(leaking=leaking), f"purity/{of}", name)

    ae, pixels = contender(r, "AE"), r.baseline("pixels")
    telling = "colour gives the class away"
    for id, statement, a, b in (
        (
            "digits-hue",
            "with random colours, neighbours in the AE's latent space share a colour more often than a class",
            purity(ae, "colour", of="hue"),
            purity(ae, "class"),
        ),
        (
            "digits-pixels",
            "with random colours, neighbours share a class more often in the AE's latent space than among noisy pixels",
            purity(ae, "AE"),
            purity(pixels, "pixels"),
        ),
        (
            "digits-pixels-leak",
            f"where the {telling}, noisy pixels alone have neighbours of one class as often as random colours allow "
            "the AE",
            purity(pixels, f"pixels, {telling}", leaking=True),
            purity(ae, "AE, random colours"),
        ),
    ):
        yield Claim(id, "R30", statement, a, b, PURITY)
