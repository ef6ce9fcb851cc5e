"""What study B expects of bottlenecks, of hidden pixels and of frozen features."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from autoencoders.judging import ACCURACY, DECIBELS, Claim, Measured
from autoencoders.results import Contender, Results
from autoencoders.studies.transfer.measurements import Fault, Transfer
from autoencoders.studies.transfer.plan import NETWORKS, TransferStudy

Study = Results[TransferStudy]
CURES: dict[Fault, str] = {
    "faint features": "standardised features instead of ones that hardly vary",
    "large steps": "steps a hundredth as large",
    "sigmoid": "ReLUs instead of sigmoids",
}


def sweep(r: Study, bottleneck: int, split: str = "80/10/10") -> Contender:
    return r.each(f"bottleneck {bottleneck}", lambda study: study.sweep(bottleneck, split))


def masked(r: Study, ratio: float) -> Contender:
    return r.each(f"{ratio:.0%} of the pixels hidden", lambda study: study.masked(ratio))


def own(r: Study) -> Contender:
    return r.each("our own", lambda study: study.own())


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
    name, contender = r.choose(found)
    return name, contender, found[name][1]


def claims(r: Study) -> Iterator[Claim]:
    yield from _bottlenecks(r)
    yield from _masks(r)
    yield from _labels(r)
    yield from _networks(r)


def _bottlenecks(r: Study) -> Iterator[Claim]:
    for size in (r.catalogue.widest, r.catalogue.narrowest):
        statement = f"with {size} numbers the autoencoder gives back more than PCA of the same noisy images"
        pca = Measured(r.baseline("pca", size), r.catalogue.compressed(), "all/psnr", "PCA")
        ours = Measured(sweep(r, size), r.catalogue.denoising(), "all/psnr", "autoencoder")
        yield Claim(f"transfer-pca-{size}", "R33", statement, ours, pca, DECIBELS, at=f"{size} numbers")


def _masks(r: Study) -> Iterator[Claim]:
    study, noise = r.catalogue, sweep(r, r.catalogue.narrowest)
    for ratio in study.budget.masks:
        statement = f"an encoder that learned to fill in {ratio:.0%} of the pixels serves the network better than one "
        statement += "that learned to remove noise"
        sides = correct(masked(r, ratio), study.transfer(), "pixels hidden"), correct(noise, study.transfer(), "noise")
        yield Claim(f"transfer-mask-{ratio:g}", "R34", statement, *sides, ACCURACY, at=f"{100 * ratio:.0f} %")


def _labels(r: Study) -> Iterator[Claim]:
    study, widest = r.catalogue, sweep(r, r.catalogue.widest)
    for few, more in pairwise(study.budget.shares):
        statement = f"{more:.0%} of the labels serve the network better than {few:.0%}"
        a, b = (correct(widest, study.transfer(share=share), f"{share:.0%}") for share in (more, few))
        id, step = f"transfer-share-{100 * more:.0f}", f"from {100 * few:.0f} % to {100 * more:.0f} %"
        yield Claim(id, "R35", statement, a, b, ACCURACY, at=step)


def _networks(r: Study) -> Iterator[Claim]:
    study, whole = r.catalogue, r.catalogue.transfer()
    widest, narrow = sweep(r, study.widest), sweep(r, study.narrowest)
    statement = "the network does better on the frozen features than on raw pixels brought to as many dimensions"
    sides = correct(widest, whole, "features"), correct(r.baseline("pixels"), whole, "pixels")
    yield Claim("transfer-pixels", "R35", statement, *sides, ACCURACY)
    statement = "three hidden layers serve these features better than five"
    sides = correct(widest, whole, "three"), correct(widest, study.transfer(layers=5), "five")
    yield Claim("transfer-depth", "R35", statement, *sides, ACCURACY)
    for fault, cure in CURES.items():
        for layers in NETWORKS:
            statement = f"{cure} raise the accuracy of {layers} hidden layers"
            sound = correct(narrow, study.transfer(layers=layers), "in order")
            faulty = correct(narrow, study.transfer(layers=layers, faults=(fault,)), fault)
            id, where = f"transfer-{fault.split()[0]}-{layers}", f"{fault} with {layers} layers"
            yield Claim(id, "R35", statement, sound, faulty, ACCURACY, at=where)
    name, contender, spec = best(r)
    statement = f"what was chosen on validation images ({name}) serves the network better than the widest bottleneck"
    sides = correct(contender, spec, name), correct(widest, whole, f"bottleneck {study.widest}")
    yield Claim("transfer-own", "R37", statement, *sides, ACCURACY)


def correct(contender: Contender, spec: Transfer, name: str) -> Measured:
    return Measured(contender, spec, "correct", name)
