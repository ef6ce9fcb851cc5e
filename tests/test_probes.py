"""Probes against scikit-learn on its digits, and where there is little or nothing to learn from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from sklearn import linear_model, neighbors
from sklearn.datasets import load_digits

from autoencoders.evaluation import probes
from autoencoders.evaluation.neighbours import nearest
from autoencoders.evaluation.probes import Classifier, fit_logistic, fit_mlp, fit_ridge, reduce

Fit = Callable[..., Classifier]
FITS: list[Fit] = [fit_ridge, fit_logistic, lambda *data: fit_mlp(*data, hidden=(64,), epochs=8, batch=32)]


class Digits(NamedTuple):
    train: torch.Tensor
    train_labels: torch.Tensor
    validation: torch.Tensor
    validation_labels: torch.Tensor
    test: torch.Tensor
    test_labels: torch.Tensor

    def fitting(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        return self[:4]


@pytest.fixture(scope="module")
def digits() -> Digits:
    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.data))
    x, y = torch.as_tensor(bunch.data[order]).float(), torch.as_tensor(bunch.target[order])
    return Digits(x[:900], y[:900], x[900:1200], y[900:1200], x[1200:], y[1200:])


def accuracy(predictions: np.ndarray, labels: torch.Tensor) -> float:
    return float((predictions == labels.numpy()).mean())


def standardised(digits: Digits) -> tuple[np.ndarray, np.ndarray]:
    mean, std = digits.train.double().mean(0), digits.train.double().std(0, correction=0)
    std[std == 0] = 1
    return ((digits.train - mean) / std).numpy(), ((digits.test - mean) / std).numpy()


# ── Against the reference ────────────────────────────────────────────────────────────────────────────────────────────


def test_ridge_scores_equal_scikit_learn(digits: Digits) -> None:
    ours = fit_ridge(*digits.fitting())
    train, test = standardised(digits)
    targets = 2 * np.eye(10)[digits.train_labels] - 1
    theirs = linear_model.Ridge(alpha=ours.penalty * len(train)).fit(train, targets).predict(test)
    assert ours.scores(digits.test).numpy() == pytest.approx(theirs, abs=1e-3)
    assert accuracy(ours.predict(digits.test), digits.test_labels) > 0.93


def test_logistic_probabilities_equal_scikit_learn(digits: Digits) -> None:
    ours = fit_logistic(*digits.fitting())
    train, test = standardised(digits)
    theirs = linear_model.LogisticRegression(C=1 / (ours.penalty * len(train)), max_iter=2000, tol=1e-6)
    expected = theirs.fit(train, digits.train_labels).predict_proba(test)
    assert ours.scores(digits.test).softmax(1).numpy() == pytest.approx(expected, abs=0.01)
    assert accuracy(ours.predict(digits.test), digits.test_labels) > 0.94


def test_nearest_equals_scikit_learn(digits: Digits) -> None:
    ours, indices = nearest(digits.test, digits.train, 5, batch=100)
    search = neighbors.NearestNeighbors(n_neighbors=5, algorithm="brute").fit(digits.train)
    assert ours.numpy() == pytest.approx(search.kneighbors(digits.test)[0], rel=1e-3, abs=1e-5)
    assert indices.shape == (len(digits.test), 5)
    with pytest.raises(ValueError, match="from 1 to the 3 samples"):
        nearest(digits.test, digits.train[:3], 4)


def test_mlp_learns_what_no_linear_probe_can() -> None:
    x = torch.rand(3000, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    y = (x[:, 0] * x[:, 1] > 0).long()
    split = (x[:2000], y[:2000], x[2000:2500], y[2000:2500])
    linear, network = fit_ridge(*split), fit_mlp(*split, hidden=(32, 16), epochs=15)
    assert accuracy(linear.predict(x[2500:]), y[2500:]) < 0.7
    assert accuracy(network.predict(x[2500:]), y[2500:]) > 0.93
    assert [w.shape for w in network.weights] == [(2, 32), (32, 16), (16, 2)]


def test_mlp_is_seeded(digits: Digits) -> None:
    first, again, other = (fit_mlp(*digits.fitting(), hidden=(8,), epochs=1, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.scores(digits.test), again.scores(digits.test))
    assert not torch.equal(first.scores(digits.test), other.scores(digits.test))


# ── Choice on validation data ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("fit", "penalties"), [(fit_ridge, "RIDGE_PENALTIES"), (fit_logistic, "LOGISTIC_PENALTIES")])
def test_penalty_is_the_strongest_of_the_best_on_validation_data(
    digits: Digits, monkeypatch: pytest.MonkeyPatch, fit: Fit, penalties: str
) -> None:
    few = (digits.train[:60], digits.train_labels[:60], digits.validation, digits.validation_labels)
    accuracies = {}
    grid = getattr(probes, penalties)
    assert list(grid) == sorted(grid, reverse=True)
    for penalty in grid:
        monkeypatch.setattr(probes, penalties, (penalty,))
        alone = fit(*few)
        accuracies[penalty] = accuracy(alone.predict(digits.validation), digits.validation_labels)
        assert alone.validation == pytest.approx(accuracies[penalty], abs=1 / 150), "raw features, same answers"
    monkeypatch.undo()
    chosen = fit(*few)
    assert chosen.validation == pytest.approx(max(accuracies.values()), abs=1 / 150)
    assert len(set(accuracies.values())) > 1, "else this test can't tell"


# ── Features as they come ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fit", FITS)
def test_probes_ignore_scale_and_offset_of_features(digits: Digits, fit: Fit) -> None:
    plain = fit(*digits.fitting()).predict(digits.test)
    moved = fit(digits.train * 30 + 7, digits.train_labels, digits.validation * 30 + 7, digits.validation_labels)
    assert (moved.predict(digits.test * 30 + 7) == plain).mean() > 0.99


@pytest.mark.parametrize("fit", FITS)
def test_probes_take_classes_that_are_not_counted_from_zero(digits: Digits, fit: Fit) -> None:
    chosen = (digits.train_labels == 3) | (digits.train_labels == 7)
    probe = fit(digits.train[chosen], digits.train_labels[chosen], digits.validation, digits.validation_labels)
    assert probe.labels.tolist() == [3, 7]
    assert set(probe.predict(digits.test)) == {3, 7}
    threes = digits.test[digits.test_labels == 3]
    assert (probe.predict(threes) == 3).mean() > 0.9


@pytest.mark.parametrize("fit", FITS)
def test_probes_of_one_class_always_predict_it(digits: Digits, fit: Fit) -> None:
    probe = fit(digits.train, torch.full((900,), 4), digits.validation, digits.validation_labels)
    assert set(probe.predict(digits.test)) == {4}


@pytest.mark.parametrize("fit", FITS)
def test_probes_of_constant_features_predict_the_most_frequent_class(fit: Fit) -> None:
    labels = torch.tensor([0] * 10 + [1] * 30)
    probe = fit(torch.full((40, 3), 5.0), labels, torch.full((4, 3), 5.0), torch.tensor([1, 1, 1, 0]))
    assert probe.predict(torch.full((6, 3), 5.0)).tolist() == [1] * 6
    assert probe.validation == 0.75


def test_probes_refuse_wrong_arguments(digits: Digits) -> None:
    train, labels, validation, truth = digits.fitting()
    with pytest.raises(ValueError, match="differ in number"):
        fit_ridge(train, labels[:-1], validation, truth)
    with pytest.raises(ValueError, match="differ in number"):
        fit_ridge(train, labels, validation[:-1], truth)
    with pytest.raises(ValueError, match="N > 0"):
        fit_ridge(train, labels, validation[:0], truth[:0])
    with pytest.raises(ValueError, match="NaN"):
        fit_ridge(train * torch.nan, labels, validation, truth)


# ── Reduction ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_reduce_looks_at_training_data_alone(digits: Digits) -> None:
    assert torch.equal(reduce(digits.train, digits.test, k=64)[1], digits.test), "what is small already stays as it is"
    train, test = reduce(digits.train, digits.test, k=10)
    assert train.shape == (900, 10)
    assert test.shape == (len(digits.test), 10)
    assert train.mean(0).numpy() == pytest.approx(0, abs=1e-3)
    alone = reduce(digits.train, digits.test[:1], k=10)[1]
    assert alone.numpy() == pytest.approx(test[:1].numpy(), abs=1e-3)
    centred = digits.train - digits.train.mean(0)
    kept = torch.linalg.svdvals(centred)[:10].square().sum() / centred.square().sum()
    assert float(train.square().sum() / centred.square().sum()) == pytest.approx(float(kept), rel=1e-4)


def test_penalties_end_once_several_since_the_best_were_worse(digits: Digits) -> None:
    problem = probes._Problem.of(*digits.fitting())
    blind = [(torch.zeros(64, 10), torch.zeros(10))]
    sighted = [(problem.train.T @ torch.nn.functional.one_hot(problem.classes, 10).float(), torch.zeros(10))]
    left = iter([(0.0, blind), (1.0, sighted), (2.0, blind), (3.0, sighted), (4.0, blind), (5.0, blind), (6.0, blind)])
    assert problem.best(left, patience=3).penalty == 1.0, "the first of the best"
    assert [penalty for penalty, _ in left] == [6.0]
