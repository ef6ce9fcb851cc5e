"""Latents in few bits: what an autoencoder is worth as a codec.

Each number is rounded to a multiple of a step, and an ideal entropy coder spends on it what its frequency among
training latents says. Steps are chosen so that rounding any of the numbers changes the decoded image by as much: for an
orthonormal decoder, PCA's, that is one step for all, the best choice there is at a high rate (Gersho and Gray 1992).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

NUDGE = 0.1  # in standard deviations of a number, when its influence on the image is measured
MOST = 4096  # multiples, either way


@dataclass(frozen=True)
class Quantiser:
    """Steps around training means, and what each multiple costs."""

    mean: Tensor  # [D]
    step: Tensor  # [D], infinite for a number without influence: it is always the mean
    lowest: int  # the least code that is known
    cost: Tensor  # [D, codes], bits: −log2 of each code's share in training

    def encode(self, latents: Tensor) -> Tensor:
        """Codes [N, D], counted from the lowest; what lies beyond the known ones goes to the nearest end."""
        return _codes(latents, self.mean, self.step).sub(self.lowest).clamp(0, self.cost.shape[1] - 1)

    def decode(self, codes: Tensor) -> Tensor:
        """Latents [N, D]."""
        multiples = codes + self.lowest
        return self.mean + torch.where(multiples == 0, 0.0, multiples * self.step)

    def code_length(self, codes: Tensor) -> np.ndarray:
        """Bits for each sample [N]; each number is coded by itself."""
        return self.cost.gather(1, codes.T).sum(0).cpu().numpy()


def fit_quantiser(latents: Tensor, step: Tensor) -> Quantiser:
    """From training latents [N, D] and the step of each number."""
    mean = latents.mean(0)
    codes = _codes(latents, mean, step)
    lowest = int(codes.min())
    counts = torch.zeros(len(step), int(codes.max()) - lowest + 1, dtype=torch.float64, device=latents.device)
    counts.scatter_add_(1, codes.T - lowest, torch.ones_like(codes.T, dtype=torch.float64))
    counts += 0.5  # so that none is impossible
    return Quantiser(mean, step, lowest, -(counts / counts.sum(1, keepdim=True)).log2())


def influences(decode: Callable[[Tensor], Tensor], latents: Tensor, spread: Tensor) -> Tensor:
    """How far the image moves for each unit of each number [D]: the root of the mean square over these latents."""
    nudges = NUDGE * torch.diag(spread)
    moved = [(decode(one + nudges) - decode(one[None])).flatten(1).square().sum(1) for one in latents]
    return torch.stack(moved).mean(0).sqrt() / (NUDGE * spread).clamp(min=1e-12)


def _codes(latents: Tensor, mean: Tensor, step: Tensor) -> Tensor:
    return ((latents - mean) / step).round().clamp(-MOST, MOST).long()
