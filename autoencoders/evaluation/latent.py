"""The structure of a latent space in measures, and in coordinates for the pictures that go with them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autoencoders.evaluation.arrays import Array, as_features, full_precision
from autoencoders.evaluation.neighbours import nearest
from autoencoders.evaluation.pca import fit_leading

# ── Classes and neighbourhoods ───────────────────────────────────────────────────────────────────────────────────────


def trustworthiness(latents: Array, coordinates: Array, k: int = 15) -> float:
    """How far a picture's neighbours are neighbours in the latent space too: 1 if all are, about 0.5 by chance.

    Latents that are all alike have no neighbours to lose: 1.
    """
    from sklearn.manifold import trustworthiness as measure

    space, picture = as_features(latents), as_features(coordinates)
    if len(space) < 4 or _constant(space):
        return 1.0
    return float(measure(space.cpu().numpy(), picture.cpu().numpy(), n_neighbors=min(k, (len(space) - 1) // 2)))


def purities(latents: Array, labels: Array, k: int = 15) -> np.ndarray:
    """For each sample the share of its k nearest others that have its class; latents all alike are at chance."""
    space = as_features(latents)
    classes = torch.as_tensor(labels, device=space.device)
    if len(space) < 2 or _constant(space):
        return np.full(len(space), chance_purity(labels))
    k = min(k, len(space) - 1)
    _, indices = nearest(space, space, k + 1)
    others = indices != torch.arange(len(space), device=space.device)[:, None]
    others[others.all(1), -1] = False  # among more than k twins one may not find oneself: drop the farthest instead
    found = indices[others].reshape(len(space), k)
    return (classes[found] == classes[:, None]).double().mean(1).cpu().numpy()


def chance_purity(labels: Array) -> float:
    """The purity that neighbours drawn at random would have; 1 for a single sample."""
    counts = torch.as_tensor(labels).unique(return_counts=True)[1].double()
    total = counts.sum()
    return float((counts * (counts - 1)).sum() / (total * (total - 1))) if total > 1 else 1.0


def silhouette(latents: Array, labels: Array, samples: int = 2000, seed: int = 0) -> float:
    """Mean silhouette of the classes over at most so many samples, from -1 to 1; 0 where there is but one class."""
    from sklearn.metrics import silhouette_score

    space = as_features(latents).cpu().numpy()
    classes = torch.as_tensor(labels).cpu().numpy()
    rows = np.random.default_rng(seed).permutation(len(space))[:samples]
    if not 1 < len(np.unique(classes[rows])) < len(rows):
        return 0.0
    return float(silhouette_score(space[rows], classes[rows]))


def _constant(space: Tensor) -> bool:
    return bool((space == space[0]).all())


# ── Clean against noisy ──────────────────────────────────────────────────────────────────────────────────────────────


@full_precision()
def linear_cka(a: Array, b: Array) -> float:
    """Linear centred kernel alignment of two embeddings of the same samples: 1 if they agree up to rotation and scale.

    0 where either doesn't vary: nothing is shared then.
    """
    first, second = as_features(a).double(), as_features(b).double()
    if len(first) != len(second):
        raise ValueError(f"CKA needs the same samples twice, not {len(first)} and {len(second)}")
    first, second = first - first.mean(0), second - second.mean(0)
    own = (first.T @ first).norm() * (second.T @ second).norm()
    return float((first.T @ second).square().sum() / own) if own > 0 else 0.0


@dataclass(frozen=True)
class Shift:
    """How far noise moves latents, in units of the clean latents' spread (their RMS distance from their mean)."""

    mean: float  # of the cloud's centre
    sample: float  # of a sample, on average


def shift(clean: Array, noisy: Array) -> Shift:
    """The shift from clean to noisy latents of the same images; infinite if latents without spread move at all."""
    before, after = as_features(clean).double(), as_features(noisy).double()
    ways = shifts(before, after)
    centre = float((after.mean(0) - before.mean(0)).norm())
    return Shift(mean=_ratio(centre, _spread(before), 0.0), sample=float(ways.mean()))


def shifts(clean: Array, noisy: Array) -> np.ndarray:
    """How far each sample [N] moves, in the same units."""
    before, after = as_features(clean).double(), as_features(noisy).double()
    if before.shape != after.shape:
        raise ValueError(f"a shift needs the same samples twice: {list(before.shape)} and {list(after.shape)}")
    spread = _spread(before)
    return np.array([_ratio(way, spread, 0.0) for way in (after - before).norm(dim=1).tolist()])


def _spread(latents: Tensor) -> float:
    return float((latents - latents.mean(0)).square().sum(1).mean().sqrt())


@dataclass(frozen=True)
class Ways:
    """Where noise carries each sample [N], seen from the clean latents' centre, in all dimensions, in their spread.

    Centre, clean and noisy latent lie in one plane, so three lengths say all of a way but the direction of that plane.
    """

    away: np.ndarray  # of the clean latent from the centre
    outwards: np.ndarray  # how far from the centre the noisy latent lies in the direction of the clean one
    aside: np.ndarray  # of the noisy latent from the line through the centre and the clean one


def ways(clean: Array, noisy: Array) -> Ways:
    """Latents without spread are measured as they are."""
    before, after = as_features(clean).double(), as_features(noisy).double()
    centre = before.mean(0)
    before, after = before - centre, after - centre
    unit = _spread(before) or 1.0
    away = before.norm(dim=1)
    direction = before / torch.where(away > 0, away, 1.0)[:, None]
    outwards = (after * direction).sum(1)
    aside = (after - outwards[:, None] * direction).norm(dim=1)
    return Ways(*((part / unit).cpu().numpy() for part in (away, outwards, aside)))


def _ratio(part: float, whole: float, neither: float) -> float:
    """part / whole, which is `neither` for 0 / 0 and infinite for anything else / 0."""
    if whole == 0:
        return neither if part == 0 else float("inf")
    return part / whole


# ── Posterior ────────────────────────────────────────────────────────────────────────────────────────────────────────

ACTIVE = 0.01  # Burda et al. 2016


def active_units(mu: Array) -> np.ndarray:
    """Which latent units [D] are active: their posterior mean varies by more than 0.01 over the samples."""
    return (as_features(mu).double().var(0, correction=0) > ACTIVE).cpu().numpy()


def kl_per_dimension(mu: Array, logvar: Array) -> np.ndarray:
    """What each unit [D] costs: its KL divergence from the standard normal in nats, averaged over the samples."""
    mean = as_features(mu).double()
    log_variance = as_features(logvar, mean.device).double()
    return (0.5 * (mean.square() + log_variance.exp() - log_variance - 1)).mean(0).cpu().numpy()


def units_that_carry(kl: Array, share: float) -> int:
    """How few of the units [D] carry such a share of the KL divergence; 0 where there is none."""
    falling = torch.as_tensor(kl).double().sort(descending=True).values
    reached = falling.cumsum(0) >= share * falling.sum()
    return int((~reached).sum()) + 1 if falling.sum() > 0 else 0


# ── Dimension ────────────────────────────────────────────────────────────────────────────────────────────────────────


@full_precision()
def effective_dimension(latents: Array) -> float:
    """(Σλ)² / Σλ² of the latents' [N, ...] variances λ: how many dimensions would spread as much, if evenly.

    The sums are the traces of the covariance and of its square. Where nothing varies, it is 0.
    """
    space = as_features(latents).double()
    centred = space - space.mean(0)
    small = centred.T @ centred if centred.shape[1] <= len(centred) else centred @ centred.T  # of the same spectrum
    return _ratio(float(small.trace().square()), float(small.square().sum()), 0.0)


# ── Paths and arithmetic ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Smoothness:
    """How directly and how evenly a decoded path leads from its first to its last image; a cross-fade has 1 and 1."""

    detour: float  # length of the path / distance of its ends
    jump: float  # longest step / mean step


def smoothness(path: Array) -> Smoothness:
    """Smoothness of decoded images [steps, ...] in pixel space; a path that stands still is smooth: 1 and 1."""
    points = as_features(path).double()
    if len(points) < 2:
        raise ValueError("a path has at least two points")
    strides = (points[1:] - points[:-1]).norm(dim=1)
    length = float(strides.sum())
    return Smoothness(
        detour=_ratio(length, float((points[-1] - points[0]).norm()), 1.0),
        jump=_ratio(float(strides.max()), float(strides.mean()), 1.0),
    )


def arithmetic(latents: Array, labels: Array, a: int, b: int, c: int) -> Tensor:
    """The mean latent of class a, minus that of b, plus that of c, in the latents' own shape."""
    space = torch.as_tensor(latents).float()
    classes = torch.as_tensor(labels, device=space.device)
    missing = [wanted for wanted in (a, b, c) if not (classes == wanted).any()]
    if missing:
        raise ValueError(f"no latents of class {missing[0]}")
    first, second, third = (space[classes == wanted].mean(0) for wanted in (a, b, c))
    return first - second + third


def nearest_class(latents: Array, labels: Array, query: Array, k: int = 15) -> tuple[int, float]:
    """The class that most of the k nearest latents of one query have (of several, the nearest's), and its share."""
    known = torch.as_tensor(labels).cpu()
    _, found = nearest(torch.as_tensor(query)[None], latents, min(k, len(known)))
    winner, votes = Counter(known[found[0].cpu()].tolist()).most_common(1)[0]
    return int(winner), votes / found.shape[1]


# ── Coordinates ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Projection:
    """Coordinates [N, dims] and the share of the variance that each keeps."""

    coordinates: np.ndarray
    explained: np.ndarray


def project_pca(latents: Array, dims: int = 2) -> Projection:
    """The first principal components; dimensions that the latents don't have are zero and explain nothing."""
    space = as_features(latents)
    kept = min(dims, *space.shape)
    pca = fit_leading(space, kept)
    coordinates = np.zeros((len(space), dims), np.float32)
    coordinates[:, :kept] = pca.embed(space, kept).cpu().numpy()
    explained = np.zeros(dims, np.float32)
    total = float(space.var(0, correction=0).sum())
    explained[:kept] = pca.variances[:kept] / total if total > 0 else 0.0
    return Projection(coordinates, explained)


def project_along(latents: Array, others: Array, dims: int = 2) -> np.ndarray:
    """Other latents in the axes that `project_pca` finds for these: what lies between the two means something."""
    space = as_features(latents)
    kept = min(dims, *space.shape)
    coordinates = np.zeros((len(others), dims), np.float32)
    coordinates[:, :kept] = fit_leading(space, kept).embed(others, kept).cpu().numpy()
    return coordinates


def project_tsne(
    latents: Array, dims: int = 2, seed: int = 0, perplexity: float = 30.0, *, coarse: bool = False
) -> np.ndarray:
    """t-SNE coordinates [N, dims] starting from PCA's; latents that are all alike fall on one point.

    A coarse one costs about a third: half the steps, and far points are taken together sooner.
    """
    from sklearn.manifold import TSNE

    space = as_features(latents)
    if len(space) < 4 or _constant(space):
        return np.zeros((len(space), dims), np.float32)
    start = project_pca(space, dims).coordinates
    tsne = TSNE(
        n_components=dims,
        init=start / start[:, 0].std() * 1e-4,  # what init="pca" does, but for latents of fewer dimensions too
        perplexity=min(perplexity, (len(space) - 1) / 3),
        random_state=seed,
        n_jobs=-1,
        **({"max_iter": 500, "angle": 1.0} if coarse else {}),
    )
    return tsne.fit_transform(space.cpu().numpy())
