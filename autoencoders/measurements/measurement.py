"""What all measurements are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from autoencoders.specs import Data, Spec, Subject

if TYPE_CHECKING:
    from autoencoders.data import Dataset
    from autoencoders.store import Artifact


class Measurement(Spec, ABC):
    """Something to find out about a trained model or a baseline: what exactly, and how.

    Importing its module brings no torch; what ``measure`` needs is imported inside it.
    """

    evaluation_data: Data | None = None  # the images that it looks at, if not those of the subject's own data set

    @property
    @abstractmethod
    def label(self) -> str:
        """What tells it from the same subject's other measurements of its class."""

    def needs(self, subject: Subject) -> dict[str, tuple[Subject, Measurement]]:
        """The measurements that it builds on; ``measure`` is handed their artifacts under these names."""
        return {}

    @abstractmethod
    def measure(self, subject: Any, data: Dataset, device: str, *args: Any, **needed: Any) -> Artifact:
        """Measure a model, or a `Baseline`; the artifact's ``rows`` are the values that tables and `results` show."""
