"""What study B expects of bottlenecks, of hidden pixels and of frozen features."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import numpy as np

from autoencoders.claims import ACCURACY, DECIBEL, Claim, Quantity
from autoencoders.measurements.measurement import Measurement
from autoencoders.results import Contender, Results
from autoencoders.studies.transfer.measurements import Fault, Transfer
from autoencoders.studies.transfer.plan import NETWORKS, TransferStudy

Study = Results[TransferStudy]
OWN = "our own"


def sweep(r: Study, bottleneck: int, split: str = "80/10/10") -> Contender:
    return r.each(f"bottleneck {bottleneck}", lambda study: study.sweep(bottleneck, split))


def masked(r: Study, ratio: float) -> Contender:
    return r.each(f"{ratio:.0%} of the pixels hidden", lambda study: study.masked(ratio))


def own(r: Study) -> Contender:
    return r.each(OWN, lambda study: study.own())


def candidates(r: Study) -> dict[str, tuple[Contender, Transfer]]:
    """What may serve as an architecture of one's own: other layers of the widest encoder, and another encoder."""
    study, widest = r.catalogue, sweep(r, r.catalogue.widest)
    return {
        "the map before the bottleneck": (widest, study.transfer("map")),
        "residual encoder, bottleneck": (own(r), study.transfer()),
        "residual encoder, map": (own(r), study.transfer("map")),
    }


def best(r: Study) -> tuple[str, Contender, Transfer]:
    """The candidate with the highest accuracy on validation images."""
    found = candidates(r)

    def accuracy(name: str) -> float:
        contender, spec = found[name]
        return float(np.mean([artifact.meta["validation"] for artifact in r.artifacts(contender, spec)]))

    name = max(found, key=accuracy)
    return name, *found[name]


def claims(r: Study) -> list[Claim]:
    return [*_bottlenecks(r), *_masks(r), *_transfers(r)]


def _bottlenecks(r: Study) -> Iterator[Claim]:
    denoising = r.catalogue.denoising()
    for wide, narrow in pairwise(r.catalogue.budget.bottlenecks):
        yield _claim(
            f"transfer-bottleneck-{narrow}",
            "R33",
            f"the error falls as the bottleneck widens from {narrow} to {wide}",
            (f"{wide}", sweep(r, wide), denoising, "all/psnr"),
            (f"{narrow}", sweep(r, narrow), denoising, "all/psnr"),
        )
    for size in (r.catalogue.widest, r.catalogue.narrowest):
        yield _claim(
            f"transfer-pca-{size}",
            "R33",
            f"with {size} numbers the autoencoder gives back more than PCA of the same noisy images",
            ("autoencoder", sweep(r, size), denoising, "all/psnr"),
            ("PCA", r.baseline("pca", size), r.catalogue.compressed(), "all/psnr"),
        )


def _masks(r: Study) -> Iterator[Claim]:
    for few, many in pairwise(r.catalogue.budget.masks):
        yield _claim(
            f"transfer-mask-{many:g}",
            "R34",
            f"the output is closer to the image where {few:.0%} of the pixels are hidden than where {many:.0%} are",
            (f"{few:.0%}", masked(r, few), r.catalogue.inpainting(few), "all/psnr"),
            (f"{many:.0%}", masked(r, many), r.catalogue.inpainting(many), "all/psnr"),
        )


def _transfers(r: Study) -> Iterator[Claim]:
    study = r.catalogue
    widest, narrow = sweep(r, study.widest), sweep(r, study.narrowest)
    whole = study.transfer()
    for few, more in pairwise(study.budget.shares):
        yield _correct(
            f"transfer-share-{100 * more:.0f}",
            "R35",
            f"{more:.0%} of the labels serve the network better than {few:.0%}",
            (f"{more:.0%}", widest, study.transfer(share=more)),
            (f"{few:.0%}", widest, study.transfer(share=few)),
        )
    yield _correct(
        "transfer-pixels",
        "R35",
        "the network does better on the frozen features than on raw pixels brought to as many dimensions",
        ("features", widest, whole),
        ("pixels", r.baseline("pixels"), whole),
    )
    yield _correct(
        "transfer-depth",
        "R35",
        "three hidden layers serve these features better than five",
        ("three", widest, whole),
        ("five", widest, study.transfer(layers=5)),
    )
    cures: dict[Fault, str] = {
        "faint features": "standardised features instead of ones that hardly vary",
        "large steps": "steps a hundredth as large",
        "sigmoid": "ReLUs instead of sigmoids",
    }
    for fault, what in cures.items():
        for layers in NETWORKS:
            yield _correct(
                f"transfer-{fault.split()[0]}-{layers}",
                "R35",
                f"{what} raise the accuracy of {layers} hidden layers",
                ("in order", narrow, study.transfer(layers=layers)),
                (fault, narrow, study.transfer(layers=layers, faults=(fault,))),
            )
    name, contender, spec = best(r)
    yield _correct(
        "transfer-own",
        "R37",
        f"what was chosen on validation images ({name}) serves the network better than the widest bottleneck",
        (name, contender, spec),
        (f"bottleneck {study.widest}", widest, whole),
    )


Part = tuple[str, Contender, Measurement, str]


def _correct(
    id: str, requirement: str, statement: str, a: tuple[str, Contender, Transfer], b: tuple[str, Contender, Transfer]
) -> Claim:
    return _claim(id, requirement, statement, (*a, "correct"), (*b, "correct"), "accuracy")


def _claim(
    id: str, requirement: str, statement: str, a: Part, b: Part, what: Literal["psnr", "accuracy"] = "psnr"
) -> Claim:
    def measure(r: Study) -> tuple[Quantity, Quantity]:
        first, second = (Quantity(name, r.per_image(c, spec, key).astype(float)) for name, c, spec, key in (a, b))
        return first, second

    accuracy = what == "accuracy"
    return Claim(
        id=id,
        requirement=requirement,
        statement=statement,
        expected="greater",
        margin=ACCURACY if accuracy else DECIBEL,
        unit=" % of the test images" if accuracy else " dB",
        digits=1 if accuracy else 2,
        percent=accuracy,
        measure=measure,
    )
