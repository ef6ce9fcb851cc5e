"""What is measured of a model or a baseline: one function for each kind of measurement, each giving one artifact.

``subject`` is a trained model or a `Baseline`. An artifact's ``rows`` are the figures that tables and `results` show.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoencoders import config, corruption, models
from autoencoders.data import Dataset, Split
from autoencoders.evaluation import baselines, latent, metrics, pca, probes
from autoencoders.evaluation.statistics import Estimate, bootstrap
from autoencoders.store import Artifact

Subject = models.Autoencoder | config.Baseline

# ── Shared ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _row(what: config.Input, metric: str, figure: Estimate, region: str = "all", split: str = "test") -> dict[str, Any]:
    head = {"split": split, "input": config.describe(what), "region": region, "metric": metric}
    return head | figure._asdict()


def _exactly(value: float, n: int) -> Estimate:
    """A figure of the whole sample, for which no interval is computed."""
    return Estimate(value, float("nan"), float("nan"), n)


def _chosen(split: Split, count: int | None) -> tuple[Tensor, Tensor]:
    """So many images and labels in one fixed random order: test sets may come sorted by class."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))[:count]
    return split.images[order], split.labels[order]


def _unit(images: Tensor, device: str) -> Tensor:
    return images.to(device).float() / 255


def _corrupted(images: Tensor, what: config.Corruption | None, seed: int) -> Tensor:
    return corruption.corrupt(images, what, torch.Generator(images.device).manual_seed(seed))


def _bytes(images: Tensor) -> np.ndarray:
    return images.clamp(0, 1).mul(255).round().to(torch.uint8).cpu().numpy()


# ── Reconstruction ───────────────────────────────────────────────────────────────────────────────────────────────────


def reconstruction(spec: config.Reconstruction, subject: Subject, data: Dataset, device: str) -> Artifact:
    """How far each output is from the clean image, over all of it and over the part that was hidden."""
    images, _ = _chosen(data.test if spec.split == "test" else data.validation, spec.images)
    clean = _unit(images, device)
    regions: dict[str, Tensor | None] = {"all": None}
    seen = clean
    if isinstance(spec.input, config.PatchMask):
        mask = subject.draw_mask(len(clean), torch.Generator(device).manual_seed(spec.seed), spec.input.ratio)
        regions["masked"] = subject.in_pixels(mask)
        output = models.reconstruct(subject, clean, mask=mask)
    else:
        seen = _corrupted(clean, spec.input, spec.seed)
        output = _output(subject, seen, spec, data, device)
    arrays, rows = {}, []
    for region, mask in regions.items():
        per_image = metrics.compare(clean[: len(output)], output, mask)
        arrays |= {f"{region}/{metric}": values.astype(np.float32) for metric, values in per_image.items()}
        figures = metrics.summarise(per_image)
        rows += [_row(spec.input, metric, figure, region, spec.split) for metric, figure in figures.items()]
    arrays |= {f"examples/{name}": _bytes(part[: spec.examples]) for name, part in
               {"clean": clean, "seen": _shown(seen, regions.get("masked")), "output": output}.items()}
    return Artifact(arrays, {"rows": rows})


def _shown(seen: Tensor, hidden: Tensor | None) -> Tensor:
    """What a person is shown as the input: hidden patches in mid-grey."""
    return seen if hidden is None else torch.where(hidden, 0.5, seen)


def _output(subject: Subject, seen: Tensor, spec: config.Reconstruction, data: Dataset, device: str) -> Tensor:
    if not isinstance(subject, config.Baseline):
        return models.reconstruct(subject, seen)
    match subject.method:
        case "input":
            return seen
        case "mean":
            return torch.as_tensor(baselines.mean_image(data.train.images), device=device).expand(seen.shape)
        case "pca":
            fitted = pca.fit_pca(data.train.images.to(device), subject.size)
            return fitted.reconstruct(seen, subject.size).clamp(0, 1)
        case "ridge":
            return _ridge(seen, spec, data, device)
        case "tv":
            return _total_variation(seen, spec, data, device)
    raise ValueError(f"{subject.name} reconstructs nothing")


def _ridge(seen: Tensor, spec: config.Reconstruction, data: Dataset, device: str) -> Tensor:
    train, validation = data.train.images.to(device), data.validation.images.to(device)
    fitted = baselines.fit_linear_denoiser(
        train, validation, lambda images, generator: corruption.corrupt(images, spec.input, generator)
    )
    return fitted.denoise(seen)


def _total_variation(seen: Tensor, spec: config.Reconstruction, data: Dataset, device: str) -> Tensor:
    """On the first 1,000 images, for it takes its time; its weight is chosen on validation images."""
    clean = _unit(_chosen(data.validation, config.TV_VALIDATION)[0], device)
    weight = baselines.choose_weight(_corrupted(clean, spec.input, spec.seed + 1), clean)
    return torch.as_tensor(baselines.total_variation(seen[: config.TV_IMAGES], weight), device=device)


# ── Probes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def probe_fit(spec: config.ProbeFit, subject: Subject, data: Dataset, device: str) -> Artifact:
    """Linear classifiers on frozen embeddings: at native size, and after training-set PCA to the size compared at."""
    train, validation = (_features(subject, split.images, spec.features, data, device) for split in (data.train, data.validation))
    labels = (data.train.labels, data.validation.labels)
    fit = probes.fit_ridge if spec.classifier == "ridge" else probes.fit_logistic
    native = fit(train, labels[0], validation, labels[1])
    arrays = _stored("native", native)
    if train.flatten(1).shape[1] > spec.reduced:
        reduction = pca.fit_pca(train, spec.reduced)
        small = [reduction.embed(part, spec.reduced) for part in (train, validation)]
        arrays |= _stored("reduced", fit(small[0], labels[0], small[1], labels[1]))
        arrays |= {"reduction/mean": reduction.mean, "reduction/components": reduction.components}
    return Artifact(arrays, {"size": int(train.flatten(1).shape[1]), "validation": native.validation})


def probe(spec: config.Probe, subject: Subject, data: Dataset, device: str, fit: Artifact) -> Artifact:
    """What the fitted classifiers make of the test images."""
    images, labels = _chosen(data.test, spec.images)
    seen = _corrupted(_unit(images, device), spec.input, spec.seed)
    features = _features(subject, seen, spec.fit.features, data, device)
    prefix = "probe_linear" if spec.fit.features == "latent" else "probe_linear_map"
    outcomes = {prefix: probes.judge(_restored("native", fit).predict(features), labels)}
    if "reduction/mean" in fit.arrays:
        reduction = pca.PCA(fit.arrays["reduction/mean"], fit.arrays["reduction/components"], np.empty(0))
        small = reduction.embed(features, spec.fit.reduced)
        outcomes[f"{prefix}_pca{spec.fit.reduced}"] = probes.judge(_restored("reduced", fit).predict(small), labels)
    else:
        outcomes[f"{prefix}_pca{spec.fit.reduced}"] = outcomes[prefix]  # no larger than what it would be reduced to
    arrays = {f"{metric}/correct": outcome.correct for metric, outcome in outcomes.items()}
    rows = [_row(spec.input, metric, bootstrap(outcome.correct)) for metric, outcome in outcomes.items()]
    return Artifact(arrays, {"rows": rows})


def _features(subject: Subject, images: Tensor, features: str, data: Dataset, device: str) -> Tensor:
    """Embeddings [N, …] of uint8 or float images."""
    if not isinstance(subject, config.Baseline):
        embed = models.embed if features == "latent" else models.feature_map
        return embed(subject, images).to(device)
    scaled = _unit(images, device) if images.dtype == torch.uint8 else images
    if subject.method == "pca":
        return pca.fit_pca(data.train.images.to(device), subject.size).embed(scaled, subject.size)
    return scaled.flatten(1)


def _stored(name: str, classifier: probes.Classifier) -> dict[str, np.ndarray]:
    """A linear classifier has one layer."""
    return {f"{name}/weight": classifier.weights[0], f"{name}/bias": classifier.biases[0], f"{name}/labels": classifier.labels}


def _restored(name: str, fit: Artifact) -> probes.Classifier:
    weight, bias, labels = (fit.arrays[f"{name}/{part}"] for part in ("weight", "bias", "labels"))
    return probes.Classifier((weight,), (bias,), labels, penalty=0.0, validation=0.0)


# ── Latent space ─────────────────────────────────────────────────────────────────────────────────────────────────────


def latent_structure(spec: config.Latent, subject: Subject, data: Dataset, device: str) -> Artifact:
    """The classes in the latent space and what noise does to it, in measures; and the coordinates of its pictures."""
    images, labels = _chosen(data.test, spec.images)
    clean = _unit(images, device)
    inputs = {"clean": (None, clean), "noisy": (spec.input, _corrupted(clean, spec.input, spec.seed))}
    arrays: dict[str, np.ndarray] = {"labels": labels.numpy()}
    rows, spaces = [], {}
    for name, (what, seen) in inputs.items():
        space = spaces[name] = _features(subject, seen, "latent", data, device).flatten(1)
        projection = latent.project_pca(space)
        arrays |= {f"{name}/pca": projection.coordinates, f"{name}/explained": projection.explained}
        rows += [_row(what, metric, _exactly(value, len(space))) for metric, value in _structure(space, labels).items()]
    arrays["clean/tsne"] = latent.project_tsne(spaces["clean"])
    half = len(images) // 2  # as many points in this picture as in the other
    arrays["joint/tsne"] = latent.project_tsne(torch.cat([spaces["clean"][:half], spaces["noisy"][:half]]))
    moved = latent.shift(spaces["clean"], spaces["noisy"])
    against = {
        "cka": latent.linear_cka(spaces["clean"], spaces["noisy"]),
        "shift_mean": moved.mean,
        "shift_sample": moved.sample,
    }
    rows += [_row(spec.input, metric, _exactly(value, len(images))) for metric, value in against.items()]
    trust = latent.trustworthiness(spaces["clean"], arrays["clean/tsne"])
    rows.append(_row(None, "tsne_trustworthiness", _exactly(trust, len(images))))
    return Artifact(arrays, {"rows": rows})


def _structure(space: Tensor, labels: Tensor) -> dict[str, float]:
    return {"purity": latent.purity(space, labels), "silhouette": latent.silhouette(space, labels)}


def posterior(spec: config.Posterior, subject: Subject, data: Dataset, device: str) -> Artifact:
    """Which of a VAE's units are active, what each costs, and what its prior decodes to."""
    images, _ = _chosen(data.test, spec.images)
    with torch.no_grad():
        parts = [subject.posterior(_unit(part, device)) for part in images.split(500)]
    mu, logvar = (torch.cat(half) for half in zip(*parts, strict=True))
    active = latent.active_units(mu)
    kl = latent.kl_per_dimension(mu, logvar)
    samples = models.sample(subject, spec.samples, torch.Generator(device).manual_seed(spec.seed))
    rows = [
        _row(None, "active_units", _exactly(float(active.sum()), len(images))),
        _row(None, "active_share", _exactly(float(active.mean()), len(images))),
        _row(None, "kl", _exactly(float(kl.sum()), len(images))),
    ]
    return Artifact({"active": active, "kl": kl, "samples": _bytes(samples)}, {"rows": rows})
