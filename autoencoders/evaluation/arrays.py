"""What all measures share: arrays of any kind as finite fp32 tensors, and matrix products that are fp32 throughout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray | Tensor  # a measure computes wherever its first argument lies


def as_images(values: Array, device: torch.device | None = None) -> Tensor:
    """fp32 images [N, C, H, W]; uint8 is brought to [0, 1], floats are taken as they are."""
    tensor = torch.as_tensor(values, device=device)
    if tensor.ndim != 4:
        raise ValueError(f"images must be [N, C, H, W], not {list(tensor.shape)}")
    return tensor.float() / 255 if tensor.dtype == torch.uint8 else _finite(tensor.float(), "images")


def as_features(values: Array, device: torch.device | None = None) -> Tensor:
    """fp32 features [N, D], whatever the shape of one sample; uint8 is brought to [0, 1]."""
    tensor = torch.as_tensor(values, device=device)
    if tensor.ndim < 2 or len(tensor) == 0:
        raise ValueError(f"features must be [N, ...] with N > 0, not {list(tensor.shape)}")
    scale = 255 if tensor.dtype == torch.uint8 else 1
    return _finite(tensor.float().flatten(1) / scale, "features")


def _finite(tensor: Tensor, what: str) -> Tensor:
    looks_finite = torch.isfinite(tensor.sum())  # several times as fast, and wrong only where a sum overflows
    if not looks_finite and not torch.isfinite(tensor).all():
        raise ValueError(f"{what} hold NaN or infinite values")
    return tensor


def gram(features: Tensor) -> Tensor:
    """`features.T @ features`; on a CPU by NumPy, which sees the symmetry and computes half of it."""
    if features.device.type != "cpu":
        return features.T @ features
    columns = features.numpy()
    return torch.from_numpy(columns.T @ columns)


@contextmanager
def full_precision() -> Iterator[None]:
    """No TF32 or bf16 inside fp32 products, whatever the training chose: variances and distances would drown in it."""
    backends = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)  # type: ignore[attr-defined]
    before = [backend.fp32_precision for backend in backends]
    for backend in backends:
        backend.fp32_precision = "ieee"
    try:
        yield
    finally:
        for backend, precision in zip(backends, before, strict=True):
            backend.fp32_precision = precision
