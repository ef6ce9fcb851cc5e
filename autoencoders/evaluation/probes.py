"""What a frozen embedding knows about the classes: small classifiers fitted to it, chosen on validation data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from autoencoders.evaluation.arrays import Array, as_features, full_precision, gram
from autoencoders.evaluation.pca import fit_leading

# ── What comes out ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Classifier:
    """Affine layers with ReLUs between them, as plain arrays; a linear probe has one layer.

    Standardisation is folded into the first layer, so raw features go in.
    """

    weights: tuple[np.ndarray, ...]  # each [inputs, outputs]
    biases: tuple[np.ndarray, ...]
    labels: np.ndarray  # the class of each output: those that occur in training
    penalty: float  # the regularisation chosen
    validation: float  # accuracy that it was chosen for

    @full_precision()
    def scores(self, samples: Array) -> Tensor:
        """A score [N, K] for each of `labels`."""
        features = as_features(samples)
        layers = zip(self.weights, self.biases, strict=True)
        return _forward(
            features, [tuple(torch.as_tensor(p, device=features.device) for p in layer) for layer in layers]
        )

    def predict(self, samples: Array) -> np.ndarray:
        """The class of each sample."""
        return self.labels[self.scores(samples).argmax(1).cpu().numpy()]


# ── Reduction ────────────────────────────────────────────────────────────────────────────────────────────────────────


def reduce(train: Array, *others: Array, k: int = 128) -> tuple[Tensor, ...]:
    """All of them in the first k principal components of `train`; what has no more than k dimensions stays as it is."""
    samples = (train, *others)
    if as_features(train[:1]).shape[1] <= k:
        return tuple(as_features(part) for part in samples)
    pca = fit_leading(train, k)
    return tuple(pca.embed(part, len(pca.components)) for part in samples)  # fewer than k where images are


# ── Linear probes ────────────────────────────────────────────────────────────────────────────────────────────────────

RIDGE_PENALTIES = tuple(10.0**power for power in range(2, -6, -1))  # per sample, for features of variance one
LOGISTIC_PENALTIES = tuple(10.0**power for power in range(0, -6, -1))


@full_precision()
def fit_ridge(train: Array, train_labels: Array, validation: Array, validation_labels: Array) -> Classifier:
    """Least squares on ±1 targets, one against the rest: one Gram matrix serves every penalty."""
    problem = _Problem.of(train, train_labels, validation, validation_labels)
    features, count = problem.train, len(problem.train)
    targets = 2 * F.one_hot(problem.classes, len(problem.labels)).float() - 1
    products, moments = gram(features) / count, features.T @ (targets - targets.mean(0)) / count

    def candidates() -> Iterator[tuple[float, Layers]]:
        for penalty in RIDGE_PENALTIES:
            factor, failed = torch.linalg.cholesky_ex(
                products + penalty * torch.eye(len(products), device=products.device)
            )
            if not failed:  # a penalty too weak for single precision is no candidate
                yield penalty, [(torch.cholesky_solve(moments, factor), targets.mean(0))]

    return problem.best(candidates(), patience=2)


@full_precision()
def fit_logistic(
    train: Array, train_labels: Array, validation: Array, validation_labels: Array, *, steps: int = 200
) -> Classifier:
    """Multinomial logistic regression by L-BFGS, each penalty starting from the solution of the stronger one."""
    problem = _Problem.of(train, train_labels, validation, validation_labels)
    features, classes = problem.train, problem.classes
    weight = torch.zeros(features.shape[1], len(problem.labels), device=features.device, requires_grad=True)
    bias = torch.zeros(len(problem.labels), device=features.device, requires_grad=True)

    def descend(penalty: float) -> None:
        solver = torch.optim.LBFGS(
            [weight, bias], max_iter=steps, tolerance_grad=1e-5, tolerance_change=1e-8, line_search_fn="strong_wolfe"
        )

        def loss() -> Tensor:
            solver.zero_grad()
            value = F.cross_entropy(features @ weight + bias, classes) + penalty / 2 * weight.square().sum()
            value.backward()
            return value

        solver.step(loss)

    def candidates() -> Iterator[tuple[float, Layers]]:
        for penalty in LOGISTIC_PENALTIES:
            descend(penalty)
            yield penalty, [(weight.detach().clone(), bias.detach().clone())]

    return problem.best(candidates(), patience=2)


# ── A small network ──────────────────────────────────────────────────────────────────────────────────────────────────

MLP_PENALTIES = (1e-2, 1e-4)  # weight decay


@full_precision()
def fit_mlp(
    train: Array,
    train_labels: Array,
    validation: Array,
    validation_labels: Array,
    *,
    hidden: Sequence[int] = (512, 256, 128),
    epochs: int = 20,
    batch: int = 256,
    seed: int = 0,
) -> Classifier:
    """A ReLU network on the features, trained by AdamW; weight decay and epoch are those of the best validation."""
    problem = _Problem.of(train, train_labels, validation, validation_labels)
    sizes = [problem.train.shape[1], *hidden, len(problem.labels)]

    def candidates() -> Iterator[tuple[float, Layers]]:
        for penalty in MLP_PENALTIES:
            generator = torch.Generator().manual_seed(seed)
            layers = _initial_layers(sizes, generator, problem.train.device)
            solver = torch.optim.AdamW([p for layer in layers for p in layer], lr=1e-3, weight_decay=penalty)
            for _ in range(epochs):
                _learn_epoch(problem, layers, solver, batch, generator)
                yield penalty, [(weight.detach().clone(), bias.detach().clone()) for weight, bias in layers]

    return problem.best(candidates())


def _initial_layers(sizes: Sequence[int], generator: torch.Generator, device: torch.device) -> Layers:
    """He's initialisation, drawn on the CPU so that every device starts alike."""
    layers: Layers = []
    for inputs, outputs in pairwise(sizes):
        weight = torch.randn(inputs, outputs, generator=generator) * (2 / inputs) ** 0.5
        layers.append((weight.to(device).requires_grad_(), torch.zeros(outputs, device=device, requires_grad=True)))
    return layers


def _learn_epoch(
    problem: _Problem, layers: Layers, solver: torch.optim.Optimizer, batch: int, generator: torch.Generator
) -> None:
    order = torch.randperm(len(problem.train), generator=generator).to(problem.train.device)
    for rows in order.split(batch):
        solver.zero_grad()
        F.cross_entropy(_forward(problem.train[rows], layers), problem.classes[rows]).backward()
        solver.step()


# ── Shared ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Layers = list[tuple[Tensor, ...]]  # weight and bias


def _forward(features: Tensor, layers: Layers) -> Tensor:
    for depth, (weight, bias) in enumerate(layers):
        features = (features.relu() if depth else features) @ weight + bias
    return features


@dataclass(frozen=True)
class _Problem:
    """Standardised training and validation features, and training classes counted from 0."""

    train: Tensor
    classes: Tensor
    validation: Tensor
    truth: np.ndarray
    labels: np.ndarray
    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, train: Array, train_labels: Array, validation: Array, validation_labels: Array) -> _Problem:
        features = as_features(train)
        held_out = as_features(validation, features.device)
        labels, classes = np.unique(_labels(train_labels), return_inverse=True)
        truth = _labels(validation_labels)
        if len(features) != len(classes) or len(held_out) != len(truth):
            raise ValueError(
                f"features and labels differ in number: {len(features)} and {len(classes)} for training, "
                f"{len(held_out)} and {len(truth)} for validation"
            )
        mean = features.mean(0)
        scale = (features - mean).square().mean(0).sqrt()
        scale = torch.where(scale > 1e-6 * mean.abs().clamp(min=1e-6), scale, 1.0)  # a constant feature stays at zero
        return cls(
            (features - mean) / scale,
            torch.as_tensor(classes, device=features.device),
            (held_out - mean) / scale,
            truth,
            labels,
            mean,
            scale,
        )

    def best(self, candidates: Iterator[tuple[float, Layers]], patience: float = math.inf) -> Classifier:
        """The first candidate of the highest validation accuracy, made to work on raw features.

        Candidates that come in an order are not tried any further once so many since the best were worse than it.
        """
        chosen: tuple[float, float, Layers] | None = None
        worse = 0
        for penalty, layers in candidates:
            predictions = self.labels[_forward(self.validation, layers).argmax(1).cpu().numpy()]
            accuracy = float((predictions == self.truth).mean())
            if chosen is None or accuracy > chosen[0]:
                chosen, worse = (accuracy, penalty, layers), 0
            elif accuracy < chosen[0]:
                worse += 1
            if worse == patience:
                break
        assert chosen is not None
        accuracy, penalty, ((weight, bias), *rest) = chosen
        weight = weight / self.scale[:, None]
        layers = [(weight, bias - self.mean @ weight), *rest]
        return Classifier(
            tuple(weight.cpu().numpy() for weight, _ in layers),
            tuple(bias.cpu().numpy() for _, bias in layers),
            self.labels,
            penalty,
            accuracy,
        )


def _labels(labels: Array) -> np.ndarray:
    return labels.cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
