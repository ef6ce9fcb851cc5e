"""What study C expects of a compact denoiser."""

from __future__ import annotations

from collections.abc import Iterator

from autoencoders.claims import DECIBEL, Claim, Quantity
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.results import Contender, Results
from autoencoders.studies.compact.plan import ON_UNIT_SCALE, Compact


def clean_model(r: Results[Compact]) -> Contender:
    return r.each("compact, trained on clean images", lambda study: study.compact())


def denoiser(r: Results[Compact], scale: str) -> Contender:
    return r.each(f"compact, σ read on {scale}", lambda study: study.compact(ON_UNIT_SCALE[scale]))


def spatial(r: Results[Compact]) -> Contender:
    return r.each("spatial DAE", lambda study: study.spatial())


def claims(r: Results[Compact]) -> list[Claim]:
    return list(_all(r))


def _all(r: Results[Compact]) -> Iterator[Claim]:
    own, other = ON_UNIT_SCALE
    half, whole = (r.catalogue.reconstruction(sigma) for sigma in ON_UNIT_SCALE.values())
    compact, noisy, ridge = denoiser(r, own), r.baseline("input"), r.baseline("ridge")
    yield _closer(
        "compact-input",
        "the compact denoiser's output is closer to the clean image than its input",
        compact,
        noisy,
        half,
    )
    yield _closer("compact-ridge", "the compact denoiser removes more noise than the linear map", compact, ridge, half)
    yield _closer(
        "compact-spatial", "the compact denoiser removes more noise than the spatial one", compact, spatial(r), half
    )
    yield _closer(
        "compact-clean",
        "the compact model denoises better for having been trained on noisy images",
        compact,
        clean_model(r),
        half,
    )
    yield _closer(
        "compact-other-scale",
        f"with σ read on {other} the compact denoiser's output is closer to the clean image than its input",
        denoiser(r, other),
        noisy,
        whole,
    )


def _closer(id: str, statement: str, a: Contender, b: Contender, seen: Reconstruction) -> Claim:
    def measure(r: Results[Compact]) -> tuple[Quantity, Quantity]:
        first, second = (Quantity(c.label, r.per_image(c, seen, "all/psnr")) for c in (a, b))
        return first, second

    return Claim(
        id=id, requirement="R38", statement=statement, expected="greater", margin=DECIBEL, unit=" dB", measure=measure
    )
