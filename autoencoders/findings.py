"""The assignment's results: its contenders, its measurements at this run's size, and its tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from autoencoders import references, tables
from autoencoders.catalogue import Catalogue
from autoencoders.errors import InputError
from autoencoders.evaluation.statistics import Estimate, Spread
from autoencoders.judging import Measured
from autoencoders.measurements.generation import Arithmetic
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.probing import Probe
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.results import Contender, Results, reported, sigma_label, summary
from autoencoders.specs import NOISE, Gaussian, Input, PatchMask, describe

Bottleneck = Literal["vector", "spatial"]


class Findings(Results[Catalogue]):
    """The assignment's contenders, measurements and tables."""

    # ── Contenders ───────────────────────────────────────────────────────────────────────────────────────────────────

    def ae(self, bottleneck: Bottleneck = "vector", latent: int | None = None) -> Contender:
        label = f"AE, {bottleneck}" + (f", {latent}" if latent else "")
        return self.each(label, lambda c: c.ae(bottleneck, latent))

    def dae(self, sigma: float, bottleneck: Bottleneck = "vector") -> Contender:
        return self.each(f"DAE {sigma_label(sigma)}, {bottleneck}", lambda c: c.ae(bottleneck, sigma=sigma))

    def vae(self, beta: float | None = None) -> Contender:
        return self.each("VAE" if beta is None else f"VAE, β = {beta:g}", lambda c: c.vae(beta))

    def vaes(self) -> list[Contender]:
        """List the calibrated VAE, and those of each fixed β."""
        return [self.vae(beta) for beta in (None, *self.catalogue.profile.betas)]

    def mcae(self, ratio: float) -> Contender:
        return self.each(f"MCAE {ratio:g}", lambda c: c.mcae(ratio))

    def untrained(self, trained: Contender, count: int | None = None) -> Contender:
        """The same model with random weights, in all its draws or the first so many."""
        draws = tuple(each for each in self.catalogue.untrained() if each.of == trained.first.name)[:count]
        label = "MCAE" if trained == self.mcae(0) else trained.label
        if not draws:
            raise InputError(f"{trained.label} is not measured with random weights")
        return Contender(f"{label}, random weights", draws)

    def vit(self, ratio: float) -> Contender:
        return self.each(f"ViT {ratio:g}", lambda c: c.vit(ratio))

    def best_mcae(self) -> Contender:
        """Choose the masked autoencoder whose layers serve a linear classifier best, by validation images."""
        fit = self.catalogue.layer_probe().fit
        return self.choose({ratio: (self.mcae(ratio), fit) for ratio in self.catalogue.ratios})[1]

    def contender(self, name: str) -> Contender:
        """Find a model by its name in the catalogue, in all its seeds."""
        seeds = tuple(e for catalogue in self.lab.catalogues for e in catalogue.results() if e.name == name)
        if not seeds:
            raise InputError(f"no model is called {name!r}; there are: {', '.join(self._names())}")
        return Contender(name, seeds)

    def others(self, spec: Measurement | None = None) -> list[Contender]:
        """List models of the catalogue that no method above names, and of which `spec` is measured, if there is one.

        They stand in the tables of the comparison without an edit here or in a notebook.
        """
        known = {contender.first.name for contender in self._named()}
        found = [e for e in self.catalogue.results() if e.name not in known]
        return [self.contender(e.name) for e in found if spec is None or spec in self.catalogue.of_model(e)]

    def _named(self) -> Iterator[Contender]:
        """Everything that the methods above may be asked for in this profile."""
        profile = self.catalogue.profile
        for bottleneck in profile.bottlenecks:
            yield self.ae(bottleneck)
            yield from (self.dae(sigma, bottleneck) for sigma in {*self.catalogue.levels, *profile.spatial_sigmas})
        yield from (self.ae(latent=latent) for latent in profile.latents)
        yield from self.vaes()
        yield from map(self.mcae, (0, *self.catalogue.ratios))
        yield from map(self.vit, profile.vit_ratios)

    def _names(self) -> list[str]:
        return [experiment.name for experiment in self.catalogue.results()]

    # ── Measurements of this run's size ──────────────────────────────────────────────────────────────────────────────

    def reconstruction(self, seen: Input = None) -> Reconstruction:
        return self.catalogue.reconstruction(seen)

    def noisy(self, sigma: float) -> Reconstruction:
        return self.catalogue.reconstruction(Gaussian(sigma))

    def masked(self, ratio: float) -> Reconstruction:
        return self.catalogue.reconstruction(PatchMask(ratio))

    def probe(
        self, features: Literal["latent", "map"], sigma: float | None = None, fitted: float | None = None
    ) -> Probe:
        """Ask a classifier that was fitted to clean images, or at a level of noise, about images at another level."""
        seen, known = (None if level is None else Gaussian(level) for level in (sigma, fitted))
        return self.catalogue.probe(features, seen, known)

    # ── Values for each image ────────────────────────────────────────────────────────────────────────────────────────

    def psnr(self, contender: Contender, sigma: float | None = None) -> Measured:
        return Measured(contender, self.reconstruction() if sigma is None else self.noisy(sigma), "all/psnr")

    def correct(
        self, contender: Contender, sigma: float | None = None, fitted: float | None = None, name: str = ""
    ) -> Measured:
        """Whether the linear classifier is right, on latents of the size at which they are compared."""
        probe = self.probe("latent", sigma, fitted)
        return Measured(contender, probe, f"{probe.metric}_pca128/correct", name)

    def layers(self, contender: Contender, labels: int | None = None) -> Measured:
        """Whether the linear classifier is right on the layers that validation images chose, or one of few labels."""
        metric = "probe_linear_layers" + (f":{labels}" if labels else "")
        return Measured(contender, self.catalogue.layer_probe(), f"{metric}/correct")

    def native(self, contender: Contender) -> Measured:
        """Whether the linear classifier is right on a baseline's features as they are."""
        return Measured(contender, self.probe("latent"), "probe_linear/correct")

    def lost_detail(self, contender: Contender) -> Measured:
        return Measured(contender, self.catalogue.frequencies(), "lost_detail")

    def purity(self, contender: Contender) -> Measured:
        return Measured(contender, self.catalogue.latent(), "clean/purity")

    # ── Similarity and classes ───────────────────────────────────────────────────────────────────────────────────────

    def similarities(self, spaces: Mapping[str, tuple[Contender, Literal["latent", "map"]]]) -> np.ndarray:
        """Return the linear CKA [K, K] between embeddings of the same test images, of the first seed of each."""
        from autoencoders.evaluation.latent import linear_cka  # brings torch

        found = [self.arrays(c, self.catalogue.embedding(features))["coordinates"] for c, features in spaces.values()]
        return np.array([[linear_cka(a, b) for b in found] for a in found])

    def by_class(self, contenders: Sequence[Contender]) -> np.ndarray:
        """Return the accuracy [contenders, classes] of the classifiers that read layers, averaged over seeds."""
        spec = self.catalogue.layer_probe()
        labels = self.arrays(contenders[0], spec)["labels"]
        correct = [self.per_image(c, spec, "probe_linear_layers/correct").mean(0) for c in contenders]
        shown = range(len(self.classes(contenders[0], spec)))
        return np.array(
            [
                [right[labels == kind].mean() if (labels == kind).any() else math.nan for kind in shown]
                for right in correct
            ]
        )

    # ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def by_level(
        self, contenders: Iterable[Contender], sigmas: Sequence[float], metric: str
    ) -> dict[str, list[Estimate]]:
        """One metric at each noise level, by contender."""
        return {c.label: [self.interval(c, self.noisy(sigma), metric) for sigma in sigmas] for c in contenders}

    def level_table(self, contenders: Iterable[Contender], sigmas: Sequence[float], metric: str) -> tables.Table:
        """One metric: a row for each contender, a column for each noise level."""
        contenders = list(contenders)
        rows = [{"model": c.label} | {str(s): self.value(c, self.noisy(s), metric) for s in sigmas} for c in contenders]
        columns = [tables.column(metric, key=str(s), heading=sigma_label(s)) for s in sigmas]
        leaders = {str(s): self.leader(contenders, self.noisy(s), metric) for s in sigmas}
        return tables.markdown(rows, ["model", *columns], leaders)

    def four_ways(self) -> tables.Table:
        """Classifiers fitted to clean and to noisy latents, each asked about clean and about noisy ones."""
        ways = [(fitted, seen) for fitted in (False, True) for seen in (False, True)]
        words = {False: "clean", True: "noisy"}
        rows = []
        for sigma in self.catalogue.probe_levels:
            for contender in (self.ae(), self.dae(sigma), self.vae(), self.baseline("pca")):
                row: dict[str, Any] = {"noise": sigma_label(sigma), "model": contender.label}
                for fitted, seen in ways:
                    probe = self.probe("latent", sigma if seen else None, sigma if fitted else None)
                    row[f"{fitted} {seen}"] = self.cell(contender, probe, f"{probe.metric}_pca128")
                rows.append(row)
        columns = [
            tables.column("accuracy", key=f"{fitted} {seen}", heading=f"{words[fitted]} → {words[seen]} (%)")
            for fitted, seen in ways
        ]
        return tables.markdown(rows, ["noise", "model", *columns])

    def frechet_table(self, contenders: Iterable[Contender]) -> tables.Table:
        """How far samples are from test images, by where their latents come from; last, how far real images are."""
        spec, real = self.catalogue.samples(), self.baseline("patches")
        asked: list[tuple[str, Contender, Measurement]] = [(c.label, c, spec) for c in contenders]
        rows = [
            {"model": label}
            | {row["metric"]: self.cell(c, which, row["metric"]) for row in self.meta(c, which)["rows"]}
            for label, c, which in [*asked, ("other test images", real, spec.real)]
        ]
        headings = {"prior": "from the prior", "mixture": "from a mixture", "real": "real"}
        columns = [tables.Column(key=f"frechet_{way}", heading=heading, digits=2) for way, heading in headings.items()]
        return tables.markdown(rows, ["model", *columns])

    def arithmetics(self, classes: Sequence[str] = ()) -> list[Arithmetic]:
        """Class arithmetics, the wanted one first."""
        known = self.catalogue.arithmetics()
        if not classes:
            return known
        if len(classes) != 3:
            raise InputError(f"arithmetic takes three classes a, b, c for a − b + c, not {', '.join(classes)}")
        wanted = self.catalogue.arithmetic(tuple(classes))
        return [wanted, *(spec for spec in known if spec != wanted)]

    def reported_elsewhere(self) -> tables.Table:
        """What others report, and what this run measured where the task is the same (R39)."""
        ae, clean = self.ae(), self.reconstruction()
        ours = {"ssim": "SSIM {:.3f}", "psnr_mean": "PSNR {:.2f} dB", "mae": "MAE {:.4f}", "mse": "MSE {:.5f}"}
        same = ", ".join(form.format(self.value(ae, clean, metric)) for metric, form in ours.items())
        shown = [row | {"this run": same if "ours" in row else "in the studies' book"} for row in reported()]
        return tables.markdown(shown, ["source", "what", "reported", "this run"])

    def beside_references(self) -> tables.Table:
        """This run's headline values beside those of the reference runs on the same data set."""
        known = references.of(self.lab.dataset)
        rows = []
        for what, experiment, spec, metric in self._headlines():
            row: dict[str, Any] = {"value": what, "this run": self._of_experiment(experiment, spec, metric)}
            for reference in known:
                estimates = reference.estimates(experiment, describe(getattr(spec, "input", None)), metric)
                row[reference.label] = summary(estimates) if estimates else None
            rows.append(row)
        columns = ["this run", *(reference.label for reference in known)]
        return tables.comparison([row for row in rows if any(row[c] is not None for c in columns)], ["value"], columns)

    def recipes(self) -> tables.Table:
        """What was tried to make each family better for its time, as it was found then."""
        rows = [row | {"kept": "yes" if row["kept"] else "no"} for row in references.recipes()]
        value = tables.Column(key="value", heading="value", digits=2)
        seconds = tables.Column(key="seconds", heading="seconds", digits=0)
        columns: list[str | tables.Column] = ["family", "change", "images", "measure", value, seconds, "kept"]
        nothing = dict.fromkeys(("family", "change", "images", "measure", "value", "seconds", "kept"))
        return tables.markdown(rows or [nothing], columns)

    def training_speeds(self) -> tables.Table:
        """Our loop against a plain one, as `make bench` found it on the hardware of which values are kept."""
        rows = [
            {"hardware": _hardware(found), "model": model} | rates
            for found in (each["training"] for each in references.speeds())
            for model, rates in found["images_per_second"].items()
        ]
        contenders = dict.fromkeys(name for row in rows for name in row if name not in ("hardware", "model"))
        speeds = [tables.Column(key=name, heading=name, digits=2 if name == "ratio" else 0) for name in contenders]
        return tables.markdown(rows or [{"hardware": None, "model": None}], ["hardware", "model", *speeds])

    def other_speeds(self) -> tables.Table:
        """What else `make bench` measures, a line each."""
        rows = [
            {"hardware": _hardware(found), "benchmark": name, "what": what, "value": value}
            for each in references.speeds()
            for name, found in each.items()
            if name != "training"
            for what, value in _flat({k: v for k, v in found.items() if k != "machine"})
        ]
        nothing = {"hardware": None, "benchmark": None, "what": None, "value": None}
        return tables.markdown(rows or [nothing], list(nothing))

    def _headlines(self) -> Iterator[tuple[str, str, Measurement, str]]:
        """(what, experiment, measurement, metric): the values that say how well a run did. More is better in each."""
        clean = self.reconstruction()
        sizes = {"": 128} | {f"-l{size}": size for size in (64, 256, 384)}
        for suffix, size in sizes.items():
            yield f"AE, {size} numbers: pooled PSNR (dB)", f"ae-vector{suffix}", clean, "psnr_pooled"
        for sigma in self.catalogue.profile.sigmas:
            what = f"spatial DAE {sigma_label(NOISE.sigma)}: PSNR at {sigma_label(sigma)} (dB)"
            yield what, self.catalogue.ae("spatial", sigma=NOISE.sigma).name, self.noisy(sigma), "psnr_mean"
        for name in (self.catalogue.vae(beta).name for beta in (None, 1.0)):
            yield f"{name}: pooled PSNR (dB)", name, clean, "psnr_pooled"
            yield f"{name}: active units", name, self.catalogue.likelihood(), "active_units"
        for ratio in self.catalogue.ratios:
            name = self.catalogue.mcae(ratio).name
            yield f"{name}: linear probe of the map", name, self.probe("map"), "probe_linear_map"

    def _of_experiment(self, name: str, spec: Measurement, metric: str) -> Estimate | Spread | float | None:
        return self.cell(self.contender(name), spec, metric) if name in self._names() else None

    def tuning(self) -> list[Contender]:
        """The short runs of the sweep, the base first."""
        return [Contender(e.name.removeprefix("tune-"), (e,)) for e in self.catalogue.tuning()]


def _hardware(found: dict[str, Any]) -> str:
    machine = found["machine"]
    return f"{machine['device']}, {machine['cores']} cores"


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        words = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            yield from _flat(value, f"{words}, ")
        else:
            yield words, value
