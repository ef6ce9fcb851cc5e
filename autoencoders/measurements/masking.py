"""What hidden parts of an image tell about each other, and how well holes are filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoencoders.errors import InputError
from autoencoders.measurements.common import Measured, as_bytes, chosen, resampled, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Baseline
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from autoencoders import models
    from autoencoders.data import Dataset

    Fill = Callable[[Tensor, Tensor], Tensor]  # images and what is hidden of them [N, 1, H, W], to outputs

# ── Which parts matter ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Importance(Measurement):
    """How much larger the error on hidden patches gets when one visible patch more is hidden, as a share of it.

    Masks are drawn at the ratio of the training: a whole image with one patch hidden is none that a model has met.
    """

    images: int = 64
    draws: int = 6
    examples: int = 6
    seed: int = 0

    @property
    def label(self) -> str:
        return "one patch more hidden"

    def measure(self, subject: models.Masked, data: Dataset, device: str) -> Artifact:
        import numpy as np

        from autoencoders.evaluation.importance import patch_importance

        images, _ = chosen(data.test, self.images)
        clean = to_unit_range(images, device)
        found = patch_importance(
            _filled_by(subject, data, device), clean, subject.patch, subject.ratio, draws=self.draws, seed=self.seed
        )
        change, by_distance = (_shares(part, found.error) for part in (found.change, found.by_distance))
        known = [index for index, column in enumerate(by_distance.T) if not np.isnan(column).any()]
        measured = {"importance": np.nanmean(change, (1, 2))}
        measured |= {f"importance:{index + 1}": by_distance[:, index] for index in known}
        rows = [resampled(None, name, values) for name, values in measured.items()]
        shown = np.where(np.isnan(change), measured["importance"][:, None, None], change)  # never drawn visible
        pictures = {"change": shown, "examples/clean": as_bytes(clean[: self.examples])}
        return Artifact(measured | pictures, {"rows": rows})


def _shares(change: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Of each image's error; zero where there is none, which nothing adds to in an image of one colour."""
    import numpy as np

    scale = error.reshape(-1, *[1] * (change.ndim - 1))
    return np.divide(change, scale, out=np.zeros_like(change), where=scale > 0)


# ── How holes are filled ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Filling(Measurement):
    """The error in a large hole by distance to its rim, and that of patches hidden at random.

    Distances are in patches, the larger of the two directions. The masks are the same for every model and baseline,
    and few, since the best linear guess is solved for each.
    """

    images: int = 1000
    ratio: float = 0.75
    masks: int = 8
    patch: int = 4  # of baselines; masked models have their own
    seed: int = 0

    @property
    def label(self) -> str:
        return "holes"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        from autoencoders import models

        images, _ = chosen(data.test, self.images)
        clean = to_unit_range(images, device)
        patch = subject.patch if isinstance(subject, models.Masked) else self.patch
        grid = (clean.shape[2] // patch, clean.shape[3] // patch)
        fill = _filled_by(subject, data, device)
        square = _centred_square(grid, grid[0] * 3 // 4).to(device)
        large = models.upsample(square, patch)
        hole = fill(clean, large.expand(len(clean), -1, -1, -1))
        few = models.upsample(self._drawn(len(clean), grid).to(device), patch)
        measured = _by_distance(hole - clean, square, patch, "hole_mse")
        measured |= _by_distance(_visible_mean(clean, large) - clean, square, patch, "hole_mse_mean_colour")
        measured["hidden_mse"] = _mean_over(fill(clean, few) - clean, few).cpu().numpy()
        rows = [resampled(None, name, values) for name, values in measured.items()]
        examples = {"clean": clean, "hole": clean.masked_fill(large, 0.5), "output": hole}
        pictures = {f"examples/{name}": as_bytes(part[:8]) for name, part in examples.items()}
        return Artifact(measured | pictures, {"rows": rows})

    def _drawn(self, count: int, grid: tuple[int, int]) -> Tensor:
        """A mask for each image [count, 1, *grid], one of a few."""
        import torch

        from autoencoders import corruption

        few = corruption.random_mask(self.masks, grid, self.ratio, torch.Generator().manual_seed(self.seed))
        return few[torch.arange(count) % self.masks]


def _filled_by(subject: Measured, data: Dataset, device: str) -> Fill:
    from autoencoders import models
    from autoencoders.evaluation import baselines, conditional_mean

    if not isinstance(subject, Baseline):
        return lambda images, hidden: models.reconstruct(subject, images, mask=hidden)
    if subject.method == "mean":
        mean = baselines.mean_image(data.train.images)
        return lambda images, hidden: images.where(~hidden, images.new_tensor(mean))
    if subject.method == "linear-fill":
        moments = conditional_mean.fit_pixel_moments(data.train.images.to(device))
        return lambda images, hidden: conditional_mean.fill_linearly(moments, images, hidden)
    raise InputError(f"{subject.name} fills no holes")


def _by_distance(difference: Tensor, square: Tensor, patch: int, name: str) -> dict[str, np.ndarray]:
    """Each image's mean square inside a hole, ring by ring."""
    from autoencoders import models

    depth = square.shape[2] * 3 // 8
    rings = {d: models.upsample(_inside_by(square, d), patch) for d in range(1, depth + 1)}
    return {f"{name}:{d}": _mean_over(difference, ring).cpu().numpy() for d, ring in rings.items()}


def _mean_over(difference: Tensor, region: Tensor) -> Tensor:
    """The mean square of each image's difference within a region [N, 1, H, W], or one for all images."""
    return (difference.square() * region).sum((1, 2, 3)) / (region.sum((1, 2, 3)) * difference.shape[1])


def _centred_square(grid: tuple[int, int], side: int) -> Tensor:
    import torch

    mask = torch.zeros(1, 1, *grid, dtype=torch.bool)
    top, left = (grid[0] - side) // 2, (grid[1] - side) // 2
    mask[..., top : top + side, left : left + side] = True
    return mask


def _grown(mask: Tensor, radius: int) -> Tensor:
    import torch

    return torch.nn.functional.max_pool2d(mask.float(), 2 * radius + 1, stride=1, padding=radius).bool()


def _inside_by(mask: Tensor, distance: int) -> Tensor:
    """The hidden patches whose nearest visible one is exactly so far away."""
    visible = ~mask
    return _grown(visible, distance) & ~_grown(visible, distance - 1)


def _visible_mean(images: Tensor, hidden: Tensor) -> Tensor:
    """Each image's mean visible colour everywhere: what a hole costs without any model."""
    visible = ~hidden
    mean = (images * visible).sum((2, 3), keepdim=True) / visible.sum()
    return mean.expand(images.shape)
