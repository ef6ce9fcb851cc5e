"""The latent space's structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoencoders.measurements.common import (
    Measured,
    as_bytes,
    chosen,
    corrupted,
    exactly,
    features_of,
    resampled,
    row,
    to_unit_range,
)
from autoencoders.measurements.measurement import Measurement
from autoencoders.specs import NOISE, Corruption, describe
from autoencoders.store import Artifact

if TYPE_CHECKING:
    import numpy as np

    from autoencoders.data import Dataset


@dataclass(frozen=True, kw_only=True)
class Latent(Measurement):
    """The classes in the latent space and what noise does to it, in measures; and the coordinates of its pictures."""

    input: Corruption = NOISE
    images: int = 2000
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return describe(self.input)

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        from autoencoders.evaluation import latent

        images, labels = chosen(data.test, self.images)
        clean = to_unit_range(images, device)
        inputs = {"clean": (None, clean), "noisy": (self.input, corrupted(clean, self.input, self.seed))}
        arrays: dict[str, np.ndarray] = {"labels": labels.numpy()}
        rows, spaces = [], {}
        for name, (what, seen) in inputs.items():
            space = spaces[name] = features_of(subject, seen, "latent", data, device).flatten(1)
            projection = latent.project_pca(space)
            arrays |= {f"{name}/pca": projection.coordinates, f"{name}/explained": projection.explained}
            arrays[f"{name}/purity"] = latent.purities(space, labels)
            rows.append(resampled(what, "purity", arrays[f"{name}/purity"]))
            rows.append(row(what, "silhouette", exactly(latent.silhouette(space, labels), len(space))))
        arrays["clean/tsne"] = latent.project_tsne(spaces["clean"])
        moved = latent.shift(spaces["clean"], spaces["noisy"])
        arrays["shift_sample"] = latent.shifts(spaces["clean"], spaces["noisy"])
        against = {
            "cka": latent.linear_cka(spaces["clean"], spaces["noisy"]),
            "shift_mean": moved.mean,
            "shift_sample": moved.sample,
        }
        rows += [row(self.input, metric, exactly(value, len(images))) for metric, value in against.items()]
        trust = latent.trustworthiness(spaces["clean"], arrays["clean/tsne"])
        rows.append(row(None, "tsne_trustworthiness", exactly(trust, len(images))))
        return Artifact(arrays, {"rows": rows, "classes": list(data.classes)})


@dataclass(frozen=True, kw_only=True)
class Cloud(Measurement):
    """The same images, clean and corrupted, as points to turn by hand, in axes that both share.

    What the pictures are worth is measured, and the images are kept, to be shown beside their points.
    """

    input: Corruption = NOISE
    images: int = 400
    seed: int = 1_000_003

    @property
    def label(self) -> str:
        return f"cloud of clean and {describe(self.input)}"

    def measure(self, subject: Measured, data: Dataset, device: str) -> Artifact:
        import numpy as np
        import torch

        from autoencoders.evaluation import latent

        images, labels = chosen(data.test, self.images)
        clean = to_unit_range(images, device)
        noisy = corrupted(clean, self.input, self.seed)
        before, after = (features_of(subject, seen, "latent", data, device).flatten(1) for seen in (clean, noisy))
        both = torch.cat([before, after])
        pca = latent.project_pca(before, 3)
        pictures = {"pca3": np.concatenate([pca.coordinates, latent.project_along(before, after, 3)])}
        pictures["pca2"] = pictures["pca3"][:, :2]
        pictures |= {f"tsne{dims}": latent.project_tsne(both, dims, coarse=True) for dims in (2, 3)}
        ways = latent.ways(before, after)
        arrays = {"labels": labels.numpy(), "explained": pca.explained}
        arrays |= {"clean/away": ways.away, "noisy/outwards": ways.outwards, "noisy/aside": ways.aside}
        arrays |= {"clean/images": images.numpy(), "noisy/images": as_bytes(noisy)}
        rows = []
        for name, coordinates in pictures.items():
            arrays[f"clean/{name}"], arrays[f"noisy/{name}"] = np.split(coordinates, 2)
            trust = latent.trustworthiness(both, coordinates)
            rows.append(row(self.input, f"{name}_trustworthiness", exactly(trust, len(both))))
        return Artifact(arrays, {"rows": rows, "classes": list(data.classes)})
