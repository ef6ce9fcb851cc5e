"""What a model costs, apart from what else the machine is doing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoencoders.measurements.common import chosen, exactly, row, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.store import Artifact

if TYPE_CHECKING:
    from torch import Tensor

    from autoencoders import models
    from autoencoders.data import Dataset


@dataclass(frozen=True, kw_only=True)
class Cost(Measurement):
    """Floating-point operations for an image, in use and in a step of the training; and the seconds of use.

    Operations are those of matrix products and convolutions, a multiplication and an addition being two. The seconds
    are those of the processor, which waiting for other work doesn't add to, or those that pass on a GPU; and the least
    of several attempts: what slows some of them down isn't the model.
    """

    images: int = 100
    attempts: int = 20

    @property
    def label(self) -> str:
        return "cost"

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
        import torch

        from autoencoders import models

        clean = to_unit_range(chosen(data.test, self.images)[0], device)
        generator = torch.Generator(device).manual_seed(0)
        used = _operations(lambda: models.reconstruct(subject, clean))
        step = _operations(lambda: subject.losses(clean, clean, generator)["loss"].backward())
        subject.zero_grad()
        clock = time.process_time if device == "cpu" else time.perf_counter
        least = min(self._seconds(subject, clean, clock) for _ in range(self.attempts))
        found = {"operations": used / len(clean), "operations_of_a_step": step / len(clean)}
        rows = [row(None, name, exactly(value, len(clean))) for name, value in found.items()]
        return Artifact({}, {"rows": rows, "seconds": least / len(clean)})

    def _seconds(self, subject: models.Autoencoder, clean: Tensor, clock: Callable[[], float]) -> float:
        from autoencoders import models

        started = clock()
        models.reconstruct(subject, clean).cpu()  # waits for a GPU
        return clock() - started


def _operations(function: Callable[[], object]) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()
