"""What to do with a model, in fp32, a batch at a time; images are floats in [0, 1] or uint8.

>>> from autoencoders import models
>>> from autoencoders.specs import MCAE, VAE
>>> from autoencoders.models.masked import MaskedAutoencoder
>>> model = models.build(models.VariationalAutoencoder, VAE(latent=8, width=4), (3, 16, 16), seed=0)
>>> masked = models.build(MaskedAutoencoder, MCAE(width=4), (3, 16, 16), seed=0)
>>> images = torch.rand(4, 3, 16, 16)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from autoencoders.errors import InputError
from autoencoders.models.base import Autoencoder, require
from autoencoders.models.masked import Masked
from autoencoders.models.vae import VariationalAutoencoder

BATCH = 100  # a transformer's activations for more of them outgrow a CPU's caches


def reconstruct(model: Autoencoder, images: Tensor, *, mask: Tensor | None = None, batch: int = BATCH) -> Tensor:
    """Reconstruct images, within [0, 1]; masked models take a mask in pixels, [N, 1, H, W].

    >>> models.reconstruct(model, images).shape
    torch.Size([4, 3, 16, 16])
    """
    if mask is None:
        return _batched(model, lambda part: model(_as_images(model, part)), images, batch).clamp(0, 1)
    hidden = _masked(model).in_patches(mask)
    require(len(hidden) == len(images), f"{len(images)} images need as many masks, not {len(hidden)}")
    return _batched(model, lambda part, gaps: model(_as_images(model, part), gaps), images, batch, hidden).clamp(0, 1)


def draw_masks(model: Autoencoder, count: int, ratio: float, seed: int) -> Tensor:
    """Draw random masks in pixels [count, 1, H, W], true where hidden, of patches that the model can hide.

    >>> mask = models.draw_masks(masked, 4, ratio=0.5, seed=0)
    >>> models.reconstruct(masked, images, mask=mask).shape
    torch.Size([4, 3, 16, 16])
    """
    masked = _masked(model)
    return masked.in_pixels(masked.draw_mask(count, torch.Generator().manual_seed(seed), ratio))


def _masked(model: Autoencoder) -> Masked:
    require(isinstance(model, Masked), f"{type(model).__name__} hides no patches: it takes no mask")
    return cast(Masked, model)


def embed(model: Autoencoder, images: Tensor, *, batch: int = BATCH) -> Tensor:
    """Encode images as latents [N, …], vectors or maps; a VAE's are its posterior means; nothing is hidden.

    >>> models.embed(model, images).shape
    torch.Size([4, 8])
    """
    return _batched(model, lambda part: model.encode(_as_images(model, part)), images, batch)


def feature_map(model: Autoencoder, images: Tensor, *, batch: int = BATCH) -> Tensor:
    """Encode images as the encoder's last spatial map [N, C, h, w]; nothing is hidden.

    >>> models.feature_map(model, images).shape
    torch.Size([4, 8, 4, 4])
    """
    return _batched(model, lambda part: model.feature_map(_as_images(model, part)), images, batch)


def posterior(model: VariationalAutoencoder, images: Tensor, *, batch: int = BATCH) -> tuple[Tensor, Tensor]:
    """Encode images as the mean and the log-variance [N, D] of a VAE's posterior.

    >>> [part.shape for part in models.posterior(model, images)]
    [torch.Size([4, 8]), torch.Size([4, 8])]
    """
    both = _batched(model, lambda part: torch.cat(model.posterior(_as_images(model, part)), 1), images, batch)
    mean, log_variance = both.chunk(2, dim=1)
    return mean, log_variance


def decode(model: Autoencoder, latents: Tensor, *, batch: int = BATCH, clipped: bool = True) -> Tensor:
    """Decode latents to images, within [0, 1], or as the likelihood sees them.

    >>> models.decode(model, models.embed(model, images)).shape
    torch.Size([4, 3, 16, 16])
    """
    made = _batched(model, model.decode, latents, batch)
    return made.clamp(0, 1) if clipped else made


def interpolate(model: Autoencoder, a: Tensor, b: Tensor, steps: int, *, spherical: bool = False) -> Tensor:
    """Make images [N, steps, C, H, W] on the way from each image of ``a`` to its partner in ``b``, both included.

    >>> models.interpolate(model, images[:2], images[2:], steps=5, spherical=True).shape
    torch.Size([2, 5, 3, 16, 16])
    """
    if steps < 2:
        raise InputError(f"an interpolation has at least its 2 ends, not {steps} steps")
    if a.shape != b.shape:
        raise InputError(f"each image needs a partner: {list(a.shape)} and {list(b.shape)} differ")
    start, end = embed(model, a), embed(model, b)
    between = _slerp if spherical else torch.lerp
    shares = torch.linspace(0, 1, steps, device=start.device).view(steps, *[1] * start.ndim)
    path = between(start[None], end[None], shares).transpose(0, 1)
    return decode(model, path.flatten(0, 1)).unflatten(0, (len(a), steps))


def _slerp(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """Interpolate along the arc between two directions; along the straight line where they are parallel."""
    dims = tuple(range(2, start.ndim))
    lengths = [torch.linalg.vector_norm(v, dim=dims, keepdim=True).clamp_min(1e-12) for v in (start, end)]
    cosine = (start / lengths[0] * (end / lengths[1])).sum(dim=dims, keepdim=True).clamp(-1, 1)
    angle = cosine.arccos()
    arc = (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin()
    return torch.where(angle.sin() > 1e-3, arc, torch.lerp(start, end, share))  # the cosine of less is rounding


def sample(model: Autoencoder, count: int, generator: torch.Generator, *, batch: int = BATCH) -> Tensor:
    """Decode samples from a VAE's prior.

    >>> models.sample(model, 6, torch.Generator().manual_seed(0)).shape
    torch.Size([6, 3, 16, 16])
    """
    if not isinstance(model, VariationalAutoencoder):
        raise InputError(f"{type(model).__name__} has no prior to sample from")
    noise = torch.randn(count, model.latent, generator=generator, device=generator.device)
    return decode(model, noise, batch=batch)


def _as_images(model: Autoencoder, images: Tensor) -> Tensor:
    if images.shape[1:] != model.shape:
        raise InputError(f"the model takes images of {list(model.shape)}, not {list(images.shape[1:])}")
    scaled = images.float() / 255 if images.dtype == torch.uint8 else images.float()
    return scaled.contiguous(memory_format=torch.channels_last)


def _batched(model: Autoencoder, function: Callable[..., Tensor], values: Tensor, batch: int, *more: Tensor) -> Tensor:
    """Apply a function of a model in batches, without gradients or dropout; results lie where the values lay."""
    device = next(model.parameters()).device
    with torch.no_grad(), _evaluating(model):
        parts = zip(*(tensor.split(batch) for tensor in (values, *more)), strict=True)
        return torch.cat([function(*(t.to(device) for t in part)).float().to(values.device) for part in parts])


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Switch dropout off and batch norm to its running statistics, for a while."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
