"""Which details a reconstruction loses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoencoders.measurements.common import Measured, chosen, resampled, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.reconstruction import shown_and_made
from autoencoders.store import Artifact

if TYPE_CHECKING:
    from autoencoders.data import Dataset


@dataclass(frozen=True, kw_only=True)
class Frequencies(Measurement):
    """The error of reconstructed clean images by spatial frequency, beside what the images have there."""

    images: int = 2000
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return "error by frequency"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        from autoencoders.evaluation import spectrum

        clean = to_unit_range(chosen(data.test, self.images)[0], device)
        _, _, output = shown_and_made(subject, clean, None, self.seed, data, device)
        found = spectrum.error_by_frequency(clean, output)
        lost = spectrum.lost_detail(clean, output)
        arrays = {"frequency": found.frequency, "ratio": found.ratio, "lost_detail": lost}
        return Artifact(arrays, {"rows": [resampled(None, "lost_detail", lost)]})
