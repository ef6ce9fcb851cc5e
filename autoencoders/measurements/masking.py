"""What hidden parts of an image do to the rest, and how far a masked model looks for a way to fill them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoencoders.measurements.common import as_bytes, chosen, resampled, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

    from autoencoders import models
    from autoencoders.data import Dataset

# ── Which parts matter ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Occlusion(Measurement):
    """How much the rest of a reconstruction changes when one patch is hidden, beside the error's gradient.

    Masked models hide it their own way, behind their token; the others see its place in mid-grey.
    """

    images: int = 64
    examples: int = 6
    patch: int = 4

    @property
    def label(self) -> str:
        return f"patches of {self.patch}"

    def measure(self, subject: models.Autoencoder, data: Dataset, device: str) -> Artifact:
        import torch

        from autoencoders import models

        images, _ = chosen(data.test, self.images)
        clean = to_unit_range(images, device)
        lines, columns = clean.shape[2] // self.patch, clean.shape[3] // self.patch
        whole = models.reconstruct(subject, clean)
        changes, errors = [], []
        for place in range(lines * columns):
            grid = torch.zeros(1, 1, lines, columns, dtype=torch.bool, device=device)
            grid.view(-1)[place] = True
            hidden = models.upsample(grid, self.patch)
            rest, output = ~hidden, _without(subject, clean, hidden)
            changes.append(_mean_over(output - whole, rest))
            errors.append(_mean_over(output - clean, rest) - _mean_over(whole - clean, rest))
        change, increase = torch.stack(changes, 1), torch.stack(errors, 1)
        gradient = _gradient(subject, clean, self.patch)
        arrays = {
            "change": change.unflatten(1, (lines, columns)).cpu().numpy(),
            "increase": increase.unflatten(1, (lines, columns)).cpu().numpy(),
            "gradient": gradient.cpu().numpy(),
            "examples/clean": as_bytes(clean[: self.examples]),
        }
        rows = [
            resampled(None, "occlusion_change", change.mean(1).cpu().numpy()),
            resampled(None, "occlusion_error_increase", increase.mean(1).cpu().numpy()),
            resampled(
                None,
                "occlusion_gradient_correlation",
                _correlation(change, gradient.flatten(1)).cpu().numpy(),
            ),
        ]
        return Artifact(arrays, {"rows": rows})


def _without(subject: models.Autoencoder, images: Tensor, hidden: Tensor) -> Tensor:
    from autoencoders import models

    if isinstance(subject, models.Masked):
        return models.reconstruct(subject, images, mask=hidden.expand(len(images), -1, -1, -1))
    return models.reconstruct(subject, images.masked_fill(hidden, 0.5))


def _mean_over(difference: Tensor, region: Tensor) -> Tensor:
    """The mean square of each image's difference within a region that is the same for all."""
    return (difference.square() * region).sum((1, 2, 3)) / (region.sum() * difference.shape[1])


def _gradient(subject: models.Autoencoder, images: Tensor, patch: int) -> Tensor:
    """How strongly each image's error depends on each patch: the norm of its gradient there."""
    import torch

    seen = images.clone().requires_grad_()
    error = (subject(seen) - images).square().mean((1, 2, 3)).sum()
    (slope,) = torch.autograd.grad(error, seen)
    return torch.nn.functional.avg_pool2d(slope.square().sum(1, keepdim=True), patch).sqrt()[:, 0]


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson's, for each image; 0 where one of them is constant."""
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    scale = a.norm(dim=1) * b.norm(dim=1)
    return ((a * b).sum(1) / scale.clamp(min=1e-20)).where(scale > 0, 0.0)


# ── How far a model sees ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Context(Measurement):
    """How far a masked model sees: the error in a hole by distance to its rim, and the share of far content in it.

    Distances are in patches, the larger of the two directions.
    """

    images: int = 1000
    draws: int = 4  # of the patches hidden around a small hole, and of the image that far content comes from
    seed: int = 0

    @property
    def label(self) -> str:
        return "holes"

    def measure(self, subject: models.Masked, data: Dataset, device: str) -> Artifact:
        images, _ = chosen(data.test, self.images)
        clean = to_unit_range(images, device)
        large = models.upsample(_centred_square(subject.grid, subject.grid[0] * 3 // 4).to(device), subject.patch)
        hole, colour = _without(subject, clean, large), _visible_mean(clean, large)
        measured = _by_distance(subject, clean, hole, colour) | _from_afar(self, subject, clean)
        rows = [resampled(None, name, values) for name, values in measured.items()]
        examples = {"clean": clean, "hole": clean.masked_fill(large, 0.5), "output": hole}
        pictures = {f"examples/{name}": as_bytes(part[:8]) for name, part in examples.items()}
        return Artifact(measured | pictures, {"rows": rows})


def _by_distance(subject: models.Masked, clean: Tensor, hole: Tensor, colour: Tensor) -> dict[str, np.ndarray]:
    """Each image's error inside a large hole, ring by ring, beside that of the mean visible colour."""
    square = _centred_square(subject.grid, subject.grid[0] * 3 // 4)
    arrays = {}
    for distance in range(1, subject.grid[0] * 3 // 8 + 1):
        ring = models.upsample(_inside_by(square, distance), subject.patch).to(clean.device)
        arrays[f"hole_mse:{distance}"] = _mean_over(hole - clean, ring).cpu().numpy()
        arrays[f"hole_mse_mean_colour:{distance}"] = _mean_over(colour - clean, ring).cpu().numpy()
    return arrays


def _from_afar(spec: Context, subject: models.Masked, clean: Tensor) -> dict[str, np.ndarray]:
    """How much a hole's filling changes when visible content beyond a radius becomes another image's, as a share of the
    change when all of it does: a scale of its own, as models differ in how much they put into a hole at all.

    Around the hole as many patches are hidden as in training, for a model that meets more of an image than ever before
    says little of what it has learned.
    """
    import torch

    from autoencoders import models

    square = _centred_square(subject.grid, 2).to(clean.device)
    inside = models.upsample(square, subject.patch)
    generator = torch.Generator().manual_seed(spec.seed)
    radii = range(subject.grid[0] // 2 - 1)
    changes = torch.zeros(len(radii), len(clean), device=clean.device)
    for draw in range(spec.draws):
        hidden = models.upsample(_hidden_around(square, subject, len(clean), generator), subject.patch)
        before = models.reconstruct(subject, clean, mask=hidden)
        strangers = clean.roll(draw + 1, dims=0)
        for radius in radii:
            kept = models.upsample(_grown(square, radius), subject.patch)
            after = models.reconstruct(subject, clean.where(kept, strangers), mask=hidden)
            changes[radius] += _mean_over(after - before, inside)
    shares = (changes / changes[0].clamp(min=1e-20)).where(changes[0] > 0, 0.0).cpu().numpy()
    return {f"far_influence:{radius}": shares[radius] for radius in radii}


def _hidden_around(square: Tensor, subject: models.Masked, count: int, generator: torch.Generator) -> Tensor:
    """Random masks at the ratio of the training that hide the square, too."""
    import torch

    order = torch.rand(count, square.numel(), generator=generator).to(square.device).masked_fill(square.flatten(), -1.0)
    first = order.argsort(dim=1)[:, : max(subject.hidden(subject.ratio), int(square.sum()))]
    return order.new_zeros(order.shape, dtype=torch.bool).scatter(1, first, True).view(count, *square.shape[1:])


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
