"""What frozen embeddings know about the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from autoencoders.errors import InputError
from autoencoders.measurements.common import Measured, chosen, corrupted, features_of, resampled, to_unit_range
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import Corruption, Subject, describe
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from autoencoders.data import Dataset
    from autoencoders.evaluation import probes


@dataclass(frozen=True, kw_only=True)
class ProbeFit(Measurement):
    """Linear classifiers fitted to a subject's frozen embeddings of the training images.

    One is fitted at their native size, one after training-set PCA to the size at which subjects are compared. With a
    corruption as input, both are fitted to, and chosen on, corrupted images.
    """

    features: Literal["latent", "map"] = "latent"
    classifier: Literal["ridge", "logistic"] = "ridge"
    samples: int | None = None  # training images that they are fitted to, in a fixed random order; None: all
    reduced: int = 128
    input: Corruption | None = None
    seed: int = 2_000_003  # of their noise: neither the training's nor the evaluation's

    @property
    def label(self) -> str:
        return f"{self.features} {self.classifier}" + (f" fitted to {describe(self.input)}" if self.input else "")

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        from autoencoders.evaluation import pca, probes

        known = chosen(data.train, self.samples)
        held_out = (data.validation.images, data.validation.labels)
        train, validation = (self._embedded(subject, part[0], data, device) for part in (known, held_out))
        fit = probes.fit_ridge if self.classifier == "ridge" else probes.fit_logistic
        native = fit(train, known[1], validation, held_out[1])
        arrays = stored("native", native)
        if min(train.shape) > self.reduced:  # so few images have no more directions than that
            reduction = pca.fit_leading(train, self.reduced)
            small = [reduction.embed(part, self.reduced) for part in (train, validation)]
            arrays |= stored("reduced", fit(small[0], known[1], small[1], held_out[1]))
            arrays |= {"reduction/mean": reduction.mean, "reduction/components": reduction.components}
        return Artifact(arrays, {"size": int(train.shape[1]), "validation": native.validation})

    def _embedded(self, subject: Measured, images: Tensor, data: Dataset, device: str) -> Tensor:
        import torch

        if self.input is None:
            return features_of(subject, images, self.features, data, device)
        parts = [
            corrupted(to_unit_range(part, device), self.input, self.seed + index)
            for index, part in enumerate(images.split(5000))
        ]
        return torch.cat([features_of(subject, part, self.features, data, device) for part in parts])


@dataclass(frozen=True, kw_only=True)
class Probe(Measurement):
    """What such classifiers make of the test images, clean or corrupted."""

    fit: ProbeFit = ProbeFit()
    input: Corruption | None = None
    images: int | None = None
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"{self.fit.label} {describe(self.input)}"

    @property
    def metric(self) -> str:
        """The name of its accuracy: `probe_linear_fit_gaussian:0.3` of a classifier that was fitted to noisy images."""
        name = "probe_linear" if self.fit.features == "latent" else "probe_linear_map"
        return name + (f"_fit_{describe(self.fit.input)}" if self.fit.input else "")

    def needs(self, subject: Subject) -> dict[str, tuple[Subject, Measurement]]:
        return {"fit": (subject, self.fit)}

    def measure(self, subject: Measured, data: Dataset, device: str, fit: Artifact) -> Artifact:
        import numpy as np

        from autoencoders.evaluation import pca

        images, labels = chosen(data.test, self.images)
        seen = corrupted(to_unit_range(images, device), self.input, self.seed)
        features = features_of(subject, seen, self.fit.features, data, device)
        native = self.metric
        reduced = f"{native}_pca{self.fit.reduced}"
        outcomes = {native: restored("native", fit).predict(features) == labels.numpy()}
        if "reduction/mean" in fit.arrays:
            reduction = pca.PCA(fit.arrays["reduction/mean"], fit.arrays["reduction/components"], np.empty(0))
            small = reduction.embed(features, self.fit.reduced)
            outcomes[reduced] = restored("reduced", fit).predict(small) == labels.numpy()
        else:
            outcomes[reduced] = outcomes[native]  # no larger than what it would be reduced to
        arrays = {f"{metric}/correct": correct for metric, correct in outcomes.items()}
        rows = [resampled(self.input, metric, correct) for metric, correct in outcomes.items()]
        return Artifact(arrays, {"rows": rows})


def stored(name: str, classifier: probes.Classifier) -> dict[str, np.ndarray]:
    """A linear classifier has one layer."""
    return {
        f"{name}/weight": classifier.weights[0],
        f"{name}/bias": classifier.biases[0],
        f"{name}/labels": classifier.labels,
    }


def restored(name: str, fit: Artifact) -> probes.Classifier:
    from autoencoders.evaluation import probes

    weight, bias, labels = (fit.arrays[f"{name}/{part}"] for part in ("weight", "bias", "labels"))
    return probes.Classifier((weight,), (bias,), labels, penalty=0.0, validation=0.0)


@dataclass(frozen=True, kw_only=True)
class Regions(Measurement):
    """A linear classifier's regions in the plane that parts the training classes best (linear discriminants).

    Two classes have one discriminant: their plane is a line.
    """

    features: Literal["latent", "map"] = "latent"
    images: int = 1000
    grid: int = 160

    @property
    def label(self) -> str:
        return f"plane of the {self.features}"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        import numpy as np

        from autoencoders.evaluation import probes

        known, known_labels = chosen(data.train, 5 * self.images)
        shown, labels = chosen(data.test, self.images)
        features = [features_of(subject, part, self.features, data, device) for part in (known, shown)]
        train, test = (part.cpu().numpy() for part in probes.reduce(*features))
        kinds = len(known_labels.unique())
        if not 2 <= kinds < len(train):
            raise InputError(
                f"a plane parts at least two classes of several images, not {len(train)} of {kinds} classes"
            )
        whole = _discriminants(train, known_labels, n_components=min(2, kinds - 1))
        points = _in_plane(whole, test)
        flat = _discriminants(_in_plane(whole, train), known_labels)
        low, high = np.percentile(points, [1, 99], axis=0)
        x, y = np.linspace(low, np.where(high > low, high, low + 1), self.grid).T
        mesh = np.stack(np.meshgrid(x, y), -1)
        arrays = {
            "points": points.astype(np.float32),
            "labels": labels.numpy(),
            "x": x,
            "y": y,
            "response": flat.predict(mesh.reshape(-1, 2)).reshape(self.grid, self.grid),
        }
        found = {"plane_accuracy": flat.predict(points), "plane_full_accuracy": whole.predict(test)}
        rows = [resampled(None, metric, classes == labels.numpy()) for metric, classes in found.items()]
        return Artifact(arrays, {"rows": rows, "classes": list(data.classes)})


def _discriminants(features: np.ndarray, labels: Tensor, **options: Any) -> Any:
    """scikit-learn's; for embeddings that are all alike, what the classes' shares alone say."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.dummy import DummyClassifier

    if (features == features[0]).all():
        return DummyClassifier(strategy="prior").fit(features, labels)
    return LinearDiscriminantAnalysis(**options).fit(features, labels)


def _in_plane(fitted: Any, features: np.ndarray) -> np.ndarray:
    """Coordinates [N, 2]; those along directions that the embeddings don't have are zero."""
    import numpy as np

    found = fitted.transform(features) if hasattr(fitted, "transform") else features[:, :0]
    return np.pad(found, ((0, 0), (0, 2 - found.shape[1])))
