"""What all measurements are."""

from __future__ import annotations

from typing import ClassVar

from autoencoders.specs import Spec


class Measurement(Spec):
    """What is asked of a trained model, or of a baseline."""

    function: ClassVar[str]

    @property
    def label(self) -> str:
        raise NotImplementedError
