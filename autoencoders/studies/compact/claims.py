"""What study C expects of a compact denoiser."""

from __future__ import annotations

from collections.abc import Iterator

from autoencoders.judging import DECIBELS, Claim, Measured
from autoencoders.results import Contender, Results
from autoencoders.studies.compact.plan import ON_UNIT_SCALE, Compact


def clean_model(r: Results[Compact]) -> Contender:
    return r.each("compact, trained on clean images", lambda study: study.compact())


def denoiser(r: Results[Compact], scale: str) -> Contender:
    return r.each(f"compact, σ read on {scale}", lambda study: study.compact(ON_UNIT_SCALE[scale]))


def spatial(r: Results[Compact]) -> Contender:
    return r.each("spatial DAE", lambda study: study.spatial())


def claims(r: Results[Compact]) -> Iterator[Claim]:
    own, other = ON_UNIT_SCALE
    half, whole = (r.catalogue.reconstruction(sigma) for sigma in ON_UNIT_SCALE.values())
    compact, ridge = denoiser(r, own), r.baseline("ridge")
    linear = "denoiser removes more noise than the linear map"
    trained = "the compact model denoises better for having been trained on noisy images"
    for id, statement, a, b, seen in (
        ("compact-ridge", f"the compact {linear}", compact, ridge, half),
        ("compact-spatial", "the compact denoiser removes more noise than the spatial one", compact, spatial(r), half),
        ("compact-clean", trained, compact, clean_model(r), half),
        ("compact-other-scale", f"with σ read on {other} the compact {linear}", denoiser(r, other), ridge, whole),
    ):
        yield Claim(id, "R38", statement, Measured(a, seen, "all/psnr"), Measured(b, seen, "all/psnr"), DECIBELS)
