"""What a run compares: noise levels, mask ratios, latent sizes and so on.

Each is a list whose first value stands for its kind wherever one has to. `params.yml`, flags, the environment and
notebooks hand it in under one name and in one form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from autoencoders.errors import InputError
from autoencoders.profiles import Profile
from autoencoders.specs import VARIANCE

PATCHES = 64  # of an image, hidden by masked models


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One of the lists: what it is for people, and which values it may have."""

    what: str
    values: str  # which it may have, in words
    example: str
    holds: Callable[[Any], object]  # of one value
    same: Callable[[Any], object] = lambda value: value  # values that are equal in this are one
    may_be_none: bool = False
    separator: str = r"[,\s]+"  # of values in a text
    value: Callable[[Any], Any] = lambda value: value  # before it is brought to its type

    @property
    def must_be(self) -> str:
        return f"auto, {'none, ' if self.may_be_none else ''}or {self.values}, such as {self.example}"

    def read(self, given: Any) -> list[Any] | None:
        """The values in a list, a single value or a text; None where there are none but should be."""
        if given == "none" and self.may_be_none:
            return []
        if isinstance(given, str):
            given = [part for part in re.split(self.separator, given.strip("[] ")) if part]
        values = given if isinstance(given, list | tuple) else [given]
        return [self.value(value) for value in values] or None

    def allows(self, values: Sequence[Any]) -> bool:
        return all(map(self.holds, values)) and len({self.same(value) for value in values}) == len(values)


def _triple(text: Any) -> list[str] | None:
    found = re.fullmatch(r"\s*(\S.*?)\s+[-−]\s+(\S.*?)\s+\+\s+(\S.*?)\s*", text)
    return list(found.groups()) if found else None


def thousandths(sigma: float) -> int:
    """What levels are told apart by."""
    return round(1000 * sigma)


_levels = partial(
    Parameter,
    values="distinct levels from 0.001 to 10",
    holds=lambda sigma: 0 < sigma <= 10 and thousandths(sigma) > 0,
    same=thousandths,
)
PARAMETERS = {
    "sigmas": _levels(what="noise levels σ of the denoisers", example="0.3,0.1"),
    "unseen": _levels(what="levels that are only tested on", example="0.2,0.4", may_be_none=True),
    "ratios": Parameter(
        what="mask ratios",
        values=f"distinct numbers between 0 and 1 that hide at least one of {PATCHES} patches and leave two",
        example="0.75,0.3",
        holds=lambda ratio: 0 < ratio < 1 and 1 <= round(PATCHES * ratio) <= PATCHES - 2,
        same=lambda ratio: f"{ratio:g}",
    ),
    "latents": Parameter(
        what="sizes of the vector latent",
        values="distinct whole numbers from 2 to 2048",  # a plane has two dimensions
        example="128,64",
        holds=lambda size: 2 <= size <= 2048,
    ),
    "betas": Parameter(
        what="fixed weights β of the VAEs' KL divergence",
        values="distinct numbers above 0",
        example="1,0.1",
        holds=lambda beta: beta > 0,
        same=lambda beta: f"{beta:g}",
        may_be_none=True,
    ),
    "arithmetic": Parameter(
        what="classes of the latent arithmetic",
        values="distinct sums of three classes",
        example="dog - cat + bird",
        holds=lambda classes: len({*classes}) == 3,
        separator=r"\s*,\s*",
        value=_triple,
    ),
    "seeds": Parameter(
        what="training seeds",
        values="distinct whole numbers from 0",
        example="0,1,2",
        holds=lambda seed: 0 <= seed < 2**63,  # torch's most
    ),
}


def check(given: Mapping[str, Any]) -> None:
    """Refuse lists that contradict each other."""
    trained = {*map(thousandths, given.get("sigmas") or ())}
    if both := [f"{sigma:g}" for sigma in given.get("unseen") or () if thousandths(sigma) in trained]:
        raise InputError(f"unseen {', '.join(both)}: must be levels that sigmas has not")


def applied(profile: Profile, given: Mapping[str, Any]) -> Profile:
    """The profile with these lists in place of its own; unseen levels are those that nothing is trained on.

    Other seeds than the profile's are those of all models; its own, which a report hands to its notebooks, stay those
    of the models that it repeats.
    """
    found = replace(profile, **given)
    if tuple(found.seeds) != profile.seeds:
        found = replace(found, repeated="all")
    sigmas = tuple(map(_exact, found.sigmas))
    trained = {*map(thousandths, (*sigmas, math.sqrt(VARIANCE)))}
    return replace(found, sigmas=sigmas, unseen=tuple(s for s in found.unseen if thousandths(s) not in trained))


def _exact(sigma: float) -> float:
    """The assignment's variance, however many digits of its root are given."""
    return math.sqrt(VARIANCE) if thousandths(sigma) == thousandths(math.sqrt(VARIANCE)) else sigma


def plain(values: Sequence[Any] | None) -> str | list[Any]:
    """Return a list as `params.yml` has it."""
    return "auto" if values is None else [_said(value) for value in values] or "none"


def text(values: Sequence[Any] | None) -> str:
    """Return a list as a flag, the environment or a notebook has it."""
    said = plain(values)
    return said if isinstance(said, str) else ", ".join(map(str, said))


def _said(value: Any) -> Any:
    return "{} - {} + {}".format(*value) if isinstance(value, tuple) else value
