"""How a subject's features of the same images are spread, for comparison with those of other subjects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from autoencoders.measurements.common import Measured, chosen, exactly, features_of, row
from autoencoders.measurements.measurement import Measurement
from autoencoders.store import Artifact

if TYPE_CHECKING:
    from autoencoders.data import Dataset


@dataclass(frozen=True, kw_only=True)
class Embedding(Measurement):
    """Features of some test images along the directions that they vary in most, and over how many they are spread.

    Linear CKA weighs directions by their variance: of two subjects' coordinates it is nearly that of their features.
    """

    features: Literal["latent", "map"] = "latent"
    images: int = 2000
    directions: int = 128

    @property
    def label(self) -> str:
        return f"spread of the {self.features}"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        from autoencoders.evaluation import latent

        images, _ = chosen(data.test, self.images)
        space = features_of(subject, images, self.features, data, device).flatten(1)
        coordinates = latent.project_pca(space, self.directions).coordinates
        dimension = exactly(latent.effective_dimension(space), len(space))
        return Artifact({"coordinates": coordinates}, {"rows": [row(None, "effective_dimension", dimension)]})
