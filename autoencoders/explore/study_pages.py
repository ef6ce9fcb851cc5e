"""The pages to explore of the studies' book: their denoisers, and a denoiser of digits to train."""

from __future__ import annotations

from collections.abc import Mapping

from autoencoders.explore import noise_page, train_page
from autoencoders.explore.pages import Head, Page
from autoencoders.lab import Lab
from autoencoders.studies.compact.plan import ON_UNIT_SCALE, Compact
from autoencoders.studies.digits.plan import NOISE, Digits

DIGITS = Head(
    "digits",
    "Noise on digits",
    "Drag the noise up and see what each denoiser makes of the same coloured digit.",
    noise_page.PROMPTS,
)
TRAIN = Head(
    "train",
    "Train one on digits",
    "Watch a small denoiser learn on a few hundred coloured digits, in this browser.",
    train_page.PROMPTS,
)
COMPACT = Head(
    "compact",
    "A compact denoiser",
    "Drag the noise up and see how far some sixteen hundred parameters go.",
    noise_page.PROMPTS,
)
HEADS = (DIGITS, TRAIN, COMPACT)


def pages(labs: Mapping[str, Lab]) -> list[Page]:
    """By the studies' names, their labs."""
    digits, compact = labs[Digits.name].catalogues[0], labs[Compact.name].catalogues[0]
    assert isinstance(digits, Digits)
    assert isinstance(compact, Compact)
    sigma = ON_UNIT_SCALE["[−1, 1]"]
    few = {compact.compact(): "Compact AE, clean images"}
    few |= {compact.compact(each): f"Compact, σ = {each:g}" for each in ON_UNIT_SCALE.values()}
    return [
        noise_page.page_of(
            labs[Digits.name], DIGITS, {digits.model(name): name for name in digits.budget.models}, NOISE.sigma
        ),
        train_page.page_of(labs[Digits.name], TRAIN, NOISE.sigma),
        noise_page.page_of(labs[Compact.name], COMPACT, few | {compact.spatial(): f"Spatial, σ = {sigma:g}"}, sigma),
    ]
