"""A trained model as a short list of tensor operations and its weights in half precision, for those without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autoencoders.measurements.measurement import Measurement
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np

    from autoencoders import models
    from autoencoders.data import Dataset


@dataclass(frozen=True, kw_only=True)
class Program(Measurement):
    """Each part of a model that is of use by itself, with the weights that it needs and no others.

    Of a model that browsers can't run, ``meta["unsupported"]`` says in one line why; it has no parts then.
    """

    @property
    def label(self) -> str:
        return "program"

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
        from autoencoders import models
        from autoencoders.measurements.translation import Translation, UnsupportedError, halves

        arrays: dict[str, np.ndarray] = {}
        parts: dict[str, Any] = {}
        try:
            for name in ("forward",) if isinstance(subject, models.Masked) else ("encode", "decode"):
                part = Translation(subject, name)
                arrays |= {f"{name}/{i}": weight for i, weight in enumerate(halves(part.weights))}
                parts[name] = {"inputs": part.inputs, "steps": part.steps}
        except UnsupportedError as error:
            return Artifact({}, {"parts": {}, "unsupported": f"browsers can't run this model: {error.what}"})
        return Artifact(arrays, {"parts": parts})
