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
from autoencoders.judging import ACCURACY, BITS, DECIBELS, Measured
from autoencoders.measurements.cost import Cost
from autoencoders.measurements.generation import Arithmetic
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.probing import Probe, Regions
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.plans import Sweep
from autoencoders.results import Contender, Results, reported, sigma_label, summary
from autoencoders.specs import Baseline, Experiment, Gaussian, Input, PatchMask, describe

MOST_CLASSES = 12  # that a table or a matrix has room for
QUALITY = "quality-"  # so begin the names of what `benchmarks/quality.py` found, one for each family
Bottleneck = Literal["vector", "spatial"]
Features = Literal["latent", "map"]


class Findings(Results[Catalogue]):
    """The assignment's contenders, measurements and tables."""

    # ── Contenders ───────────────────────────────────────────────────────────────────────────────────────────────────

    def ae(self, bottleneck: Bottleneck = "vector", latent: int | None = None) -> Contender:
        label = f"AE, {bottleneck}" + (f", {latent}" if latent else "")
        return self.each(label, lambda c: c.ae(bottleneck, latent))

    def dae(self, sigma: float, bottleneck: Bottleneck = "vector") -> Contender:
        return self.each(f"DAE {sigma_label(sigma)}, {bottleneck}", lambda c: c.ae(bottleneck, sigma=sigma))

    def blind(self) -> Contender:
        return self.each(f"DAE, all σ up to {max(self.catalogue.trained_levels):.2g}, vector", lambda c: c.blind())

    def skips(self, sigma: float) -> Contender:
        return self.each(f"DAE {sigma_label(sigma)}, spatial with skips", lambda c: c.skips(sigma))

    def without(self, trained: Contender, left_out: int) -> Contender:
        """The same training without one class; a baseline is fitted without it when it is asked."""
        if not isinstance(trained.first, Experiment):
            return trained
        made = [self.catalogue.without(e, left_out) for e in trained.subjects if isinstance(e, Experiment)]
        repeated = (e for plan, e in zip(self.lab.catalogues, made, strict=False) if plan.repeats(e))
        return Contender(trained.label, tuple(repeated))

    def vae(self, beta: float | None = None) -> Contender:
        return self.each("VAE" if beta is None else f"VAE, β = {beta:g}", lambda c: c.vae(beta))

    def vaes(self) -> list[Contender]:
        """List the calibrated VAE, and those of each fixed β."""
        return [self.vae(beta) for beta in (None, *self.catalogue.betas)]

    def fixed_vaes(self) -> list[Contender]:
        """List the VAE of the first fixed β, or none where the run has no such."""
        return [self.vae(beta) for beta in self.catalogue.profile.betas[:1]]

    def linear_vaes(self) -> list[Contender]:
        """List linear VAEs at their optimum: the calibrated one, and that of β = 1 where the run has this β."""
        known = {baseline.method for baseline in self.catalogue.baselines()}
        return [self.baseline(method) for method in ("ppca", "linear-vae") if method in known]

    def sizes(self) -> list[Contender]:
        """List the vector AEs of further sizes, each before PCA of its size."""
        return [c for size in self.catalogue.other_sizes for c in (self.ae(latent=size), self.baseline("pca", size))]

    def baseline(self, method: str, size: int | None = None, sigma: float | None = None) -> Contender:
        """A baseline, of the size at which latents are compared."""
        sizes = {baseline.method: baseline.size for baseline in reversed(self.catalogue.baselines())}
        return super().baseline(method, size or sizes.get(method, Baseline.size), sigma)  # type: ignore[call-overload]

    def mcae(self, ratio: float, far: bool = False) -> Contender:
        return self.each(f"MCAE {ratio:g}" + (", far decoder" if far else ""), lambda c: c.mcae(ratio, far))

    def far_mcaes(self) -> list[Contender]:
        """List the MCAE whose decoder reaches far, where this profile trains it."""
        return [self.mcae(self.catalogue.ratio, far=True)] if self.catalogue.profile.complete else []

    def blind_daes(self) -> list[Contender]:
        """List the denoiser of all levels, where this profile trains it."""
        return [self.blind()] if self.catalogue.profile.complete else []

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
            yield from (self.dae(sigma, bottleneck) for sigma in self.catalogue.levels)
        yield from (self.ae(latent=size) for size in self.catalogue.other_sizes)
        yield from map(self.skips, self.catalogue.skip_levels)
        yield from (*self.blind_daes(), *self.far_mcaes())
        for trained in (self.ae(), self.dae(self.catalogue.sigma)):
            yield from (self.without(trained, left_out) for left_out in self.catalogue.left_out)
        yield from self.vaes()
        yield from map(self.mcae, (0, *self.catalogue.ratios))
        yield from map(self.vit, self.catalogue.vit_ratios)

    def _names(self) -> list[str]:
        return [experiment.name for experiment in self.catalogue.results()]

    # ── Measurements of this run's size ──────────────────────────────────────────────────────────────────────────────

    def reconstruction(self, seen: Input = None) -> Reconstruction:
        return self.catalogue.reconstruction(seen)

    def noisy(self, sigma: float) -> Reconstruction:
        return self.catalogue.reconstruction(Gaussian(sigma))

    def masked(self, ratio: float) -> Reconstruction:
        return self.catalogue.reconstruction(PatchMask(ratio))

    def probe(self, features: Features, sigma: float | None = None, fitted: float | None = None) -> Probe:
        """Ask a classifier that was fitted to clean images, or at a level of noise, about images at another level."""
        seen, known = (None if level is None else Gaussian(level) for level in (sigma, fitted))
        return self.catalogue.probe(features, seen, known)

    @staticmethod
    def reduced(probe: Probe) -> str:
        """Name the accuracy on features of the size at which they are compared."""
        return f"{probe.metric}_pca{probe.fit.reduced}"

    # ── Values for each image ────────────────────────────────────────────────────────────────────────────────────────

    def psnr(self, contender: Contender, sigma: float | None = None) -> Measured:
        return Measured(contender, self.reconstruction() if sigma is None else self.noisy(sigma), "all/psnr")

    def correct(
        self, contender: Contender, sigma: float | None = None, fitted: float | None = None, name: str = ""
    ) -> Measured:
        """Whether the linear classifier is right, on latents of the size at which they are compared."""
        probe = self.probe("latent", sigma, fitted)
        return Measured(contender, probe, f"{self.reduced(probe)}/correct", name)

    def layers(self, contender: Contender, labels: int | None = None) -> Measured:
        """Whether the linear classifier is right on the layers that validation images chose, or one of few labels."""
        metric = "probe_linear_layers" + (f":{labels}" if labels else "")
        return Measured(contender, self.catalogue.layer_probe(), f"{metric}/correct")

    def label_counts(self, contender: Contender) -> dict[int, str]:
        """The metrics of the classifiers of layers, by how many labels they were fitted to; all, where all are few."""
        fewer = self.distances(contender, self.catalogue.layer_probe(), "probe_linear_layers")
        if fewer:
            return {n: f"probe_linear_layers:{n}" for n in fewer}
        return {len(self.lab.bench.dataset(self.catalogue.data).train): "probe_linear_layers"}  # which reads them all

    def native(self, contender: Contender) -> Measured:
        """Whether the linear classifier is right on a baseline's features as they are."""
        return Measured(contender, self.probe("latent"), "probe_linear/correct")

    def lost_detail(self, contender: Contender) -> Measured:
        return Measured(contender, self.catalogue.frequencies(), "lost_detail")

    def shift(self, contender: Contender) -> Measured:
        return Measured(contender, self.catalogue.latent(), "shift_sample")

    def purity(self, contender: Contender) -> Measured:
        return Measured(contender, self.catalogue.latent(), "clean/purity")

    def in_few_bits(self, contender: Contender) -> Measured:
        return Measured(contender, self.catalogue.compression(), "psnr_in_budget")

    # ── Costs ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def cost(self, contender: Contender) -> dict[str, float]:
        """Return what the first seed of a model takes, in its training and in use."""
        training, spec = self.training(contender).meta, Cost()
        per_step, per_image = (
            self.estimates(contender, spec, metric)[0].value for metric in ("operations_of_a_step", "operations")
        )
        return {
            "parameters": training["parameters"],
            "images": training["images"],
            "training": per_step * training["images"],
            "operations": per_image,
            "seconds": self.meta(contender, spec)["seconds"],
        }

    def cost_table(self, contenders: Iterable[Contender]) -> tables.Table:
        """Operations are counted; seconds are the processor's, of one image among a hundred."""
        units = {"training": 1e12, "operations": 1e6, "seconds": 1e-3}
        rows = [
            {"model": c.label} | {n: value / units[n] if n in units else value for n, value in self.cost(c).items()}
            for c in contenders
        ]
        columns = [
            tables.Column(key="parameters", heading="parameters"),
            tables.Column(key="images", heading="images seen"),
            tables.Column(key="training", heading="training (10¹² operations)", digits=2),
            tables.Column(key="operations", heading="an image (10⁶ operations)", digits=1),
            tables.Column(key="seconds", heading="an image (ms)", digits=3),
        ]
        return tables.markdown(rows, ["model", *columns])

    def novelty_table(self, contenders: Sequence[Contender]) -> tables.Table:
        """How well the error tells a class that wasn't trained on, by class; a dash where none was left out."""
        specs = {left_out: self.catalogue.novelty(left_out) for left_out in self.catalogue.left_out}
        names = {left_out: self.meta(contenders[-1], spec)["class"] for left_out, spec in specs.items()}
        if not specs:
            return tables.markdown([{"model": c.label, "AUROC": None} for c in contenders], ["model", "AUROC"])
        rows = [
            {"model": c.label}
            | {str(k): self.cell(self.without(c, k), spec, "auroc_novel") for k, spec in specs.items()}
            for c in contenders
        ]
        columns = [tables.Column(key=str(k), heading=f"AUROC, {name}", digits=3) for k, name in names.items()]
        return tables.markdown(rows, ["model", *columns])

    # ── Similarity and classes ───────────────────────────────────────────────────────────────────────────────────────

    def similarities(self, spaces: Mapping[str, tuple[Contender, Features]]) -> np.ndarray:
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

    def class_table(self, contenders: Sequence[Contender]) -> tables.Table:
        """Accuracy by class; of more classes than there is room for, the hardest and the easiest."""
        classes, accuracies = self.classes(contenders[0], self.catalogue.layer_probe()), self.by_class(contenders)
        shown = list(range(len(classes)))
        if len(classes) > MOST_CLASSES:
            means = accuracies.mean(0)
            known = [kind for kind in np.argsort(means, kind="stable").tolist() if not math.isnan(means[kind])]
            shown = [*known[: MOST_CLASSES // 2], *known[-MOST_CLASSES // 2 :]]
        names = {str(kind): classes[kind] for kind in shown}
        rows = [
            {"embedding": c.label} | {kind: row[int(kind)] for kind in names}
            for c, row in zip(contenders, accuracies, strict=True)
        ]
        columns = [tables.column("accuracy", key=kind, heading=name) for kind, name in names.items()]
        return tables.markdown(rows, ["embedding", *columns])

    def judged(
        self, contender: Contender, arithmetics: Sequence[Arithmetic]
    ) -> tuple[dict[str, np.ndarray], list[str]]:
        """Return what the judge sees in a − b + c and in its controls, in % [arithmetics, classes], and the classes.

        Of more classes than there is room for, those that are seen most often have columns, and the others one.
        """
        kinds = {"result": "a − b + c", "control": "a − b + another class", "plain": "plain reconstructions of c"}
        shares = {
            title: np.array([100 * self.arrays(contender, spec)[f"shares/{kind}"] for spec in arithmetics])
            for kind, title in kinds.items()
        }
        classes = self.classes(contender, self.catalogue.latent())
        if len(classes) <= MOST_CLASSES:
            return shares, classes
        often = np.argsort(-sum(each.sum(0) for each in shares.values()), kind="stable")
        shown, others = sorted(often[:MOST_CLASSES]), often[MOST_CLASSES:]
        narrow = {title: np.c_[each[:, shown], each[:, others].sum(1)] for title, each in shares.items()}
        return narrow, [*(classes[kind] for kind in shown), f"{len(others)} others"]

    # ── Pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def moved(self, contender: Contender) -> tuple[np.ndarray, np.ndarray]:
        """Return where noise moves latents, [images, 2] before and after, seen from the centre of the clean ones.

        Distances from the centre and lengths of ways are those in all dimensions, in units of the clean latents'
        spread. Directions are those in the plane of the clean latents' leading principal components, where alone the
        ways would look shorter than they are.
        """
        cloud = self.arrays(contender, self.catalogue.cloud())
        clean, noisy = (cloud[f"{which}/pca2"].astype(np.float64) for which in ("clean", "noisy"))
        outwards = clean / np.maximum(np.linalg.norm(clean, axis=1, keepdims=True), np.finfo(float).tiny)
        aside = outwards[:, ::-1] * (-1, 1)
        aside *= np.where((aside * noisy).sum(1, keepdims=True) < 0, -1, 1)
        after = outwards * cloud["noisy/outwards"][:, None] + aside * cloud["noisy/aside"][:, None]
        return outwards * cloud["clean/away"][:, None], after

    def told_apart(self, planes: Iterable[tuple[Contender, Regions]], count: int = 3) -> list[int]:
        """Choose the classes whose test images most often lie in a region of their own, over several planes."""
        arrays = [self.arrays(*plane) for plane in planes]
        kinds = 1 + int(max(plane[name].max() for plane in arrays for name in ("labels", "response")))
        found = [_share_at_home(plane, kinds) for plane in arrays]
        return sorted(np.argsort(np.mean(found, 0))[::-1][:count].tolist())

    def traversals(self, contender: Contender, image: np.ndarray, units: Sequence[int], values: Sequence[float]) -> Any:
        """Return images [units, values, C, H, W]: the latent of an image decoded with one unit set to each value."""
        import torch

        from autoencoders import models

        assert isinstance(contender.first, Experiment), f"{contender.label} has no latent units"
        self.recording.note((contender.first, None))
        model = self.lab.bench.model(contender.first)
        latents = models.embed(model, torch.from_numpy(image[None])).repeat(len(units) * len(values), 1)
        latents[torch.arange(len(latents)), np.repeat(units, len(values))] = torch.tensor(values).repeat(len(units))
        made = (255 * models.decode(model, latents)).round().byte().numpy()
        return made.reshape(len(units), len(values), *made.shape[1:])

    def nearest(self, spaces: Mapping[str, tuple[Contender, Features]], queries: int, count: int) -> dict[str, Any]:
        """Return rows of images by space: each of the first test images, followed by those nearest to it there."""
        pictures = self.arrays(self.ae(), self.catalogue.cloud())["clean/images"]
        rows = {}
        for label, (contender, features) in spaces.items():
            points = self.arrays(contender, self.catalogue.embedding(features))["coordinates"][: len(pictures)]
            away = np.linalg.norm(points[:queries, None] - points[None], axis=2)
            rows[label] = pictures[away.argsort(axis=1)[:, : count + 1].ravel()]
        return rows

    # ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────────

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
                    row[f"{fitted} {seen}"] = self.cell(contender, probe, self.reduced(probe))
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

    def samples_drawn(self) -> str:
        """How far samples of each kind are from test images, as a sentence."""
        spec, vae = self.catalogue.samples(), self.vae()
        mixture = self.value(vae, spec, "frechet_mixture")
        real = self.value(self.baseline("patches"), spec.real, "frechet_real")
        fitted, trained = self.interval(self.ae(), spec, "frechet_mixture"), self.interval(vae, spec, "frechet_prior")
        if fitted.hi < trained.lo:
            answer = "So training towards a prior doesn't bring samples nearer to real images here"
        elif trained.hi < fitted.lo:
            answer = "So training towards a prior brings samples nearer to real images"
        else:
            answer = "Between the first and the third there is no clear difference"
        return (
            f"The distance from test images is {trained.value:.1f} for samples from the VAE's prior, "
            f"{mixture:.1f} for those from a mixture in its latent space, {fitted.value:.1f} "
            f"for those from a mixture in the AE's, and "
            f"{real:.2f} for other test images. {answer}."
        )

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
            for found in (each["training"] for each in references.speeds() if "training" in each)
            for model, rates in found["images_per_second"].items()
        ]
        contenders = dict.fromkeys(name for row in rows for name in row if name not in ("hardware", "model"))
        speeds = [tables.Column(key=name, heading=name, digits=2 if name == "ratio" else 0) for name in contenders]
        return tables.markdown(rows or [{"hardware": None, "model": None}], ["hardware", "model", *speeds])

    def time_to_quality(self) -> tables.Table:
        """How long a training takes to be as good as asked for: ours, and plain ones (`benchmarks/quality.py`)."""
        contenders = ("ours", "plain", "tutorial")
        nothing = dict.fromkeys(("family", "goal", "value", *contenders, "hardware"))
        rows = [
            nothing
            | {"family": name.removeprefix(QUALITY), "goal": found["goal"], "value": found["value"]}
            | {contender: _until(found[contender]) for contender in contenders if contender in found}
            | {"hardware": _hardware(found)}
            for each in references.speeds()
            for name, found in each.items()
            if name.startswith(QUALITY)
        ]
        value = tables.Column(key="value", heading="value", digits=3)
        columns: list[str | tables.Column] = ["family", "goal", value, *contenders, "hardware"]
        return tables.markdown(rows or [nothing], columns)

    def other_speeds(self) -> tables.Table:
        """What else `make bench` measures, a line each."""
        rows = [
            {"hardware": _hardware(found), "benchmark": name, "what": what, "value": value}
            for each in references.speeds()
            for name, found in each.items()
            if name != "training" and not name.startswith(QUALITY)
            for what, value in _flat({k: v for k, v in found.items() if k != "machine"})
        ]
        nothing = {"hardware": None, "benchmark": None, "what": None, "value": None}
        return tables.markdown(rows or [nothing], list(nothing))

    def _headlines(self) -> Iterator[tuple[str, str, Measurement, str]]:
        """(what, experiment, measurement, metric): the values that say how well a run did. More is better in each."""
        clean = self.reconstruction()
        for size in (self.catalogue.size, *self.catalogue.other_sizes):
            yield f"AE, {size} numbers: pooled PSNR (dB)", self.catalogue.ae(latent=size).name, clean, "psnr_pooled"
        known = self.catalogue.sigma
        for sigma in self.catalogue.trained_levels:
            what = f"spatial DAE {sigma_label(known)}: PSNR at {sigma_label(sigma)} (dB)"
            yield what, self.catalogue.ae("spatial", sigma=known).name, self.noisy(sigma), "psnr_mean"
        for name in (vae.first.name for vae in (self.vae(), *self.fixed_vaes())):
            yield f"{name}: pooled PSNR (dB)", name, clean, "psnr_pooled"
            yield f"{name}: active units", name, self.catalogue.likelihood(), "active_units"
        for ratio in self.catalogue.ratios:
            name = self.catalogue.mcae(ratio).name
            yield f"{name}: linear probe of the map", name, self.probe("map"), "probe_linear_map"

    def _of_experiment(self, name: str, spec: Measurement, metric: str) -> Estimate | Spread | float | None:
        return self.cell(self.contender(name), spec, metric) if name in self._names() else None

    # ── Tuning ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def tuned(self) -> Iterator[tuple[Sweep, list[tuple[Experiment, float]], Experiment | None]]:
        """Each sweep, what validation images say of each run, and the run that they choose, if it is a contest.

        What is in use gives way to a better one alone, not to one that differs by less than matters.
        """
        for sweep in self.catalogue.sweeps():
            found = [(run, self._on_validation(sweep, run)) for run in sweep.runs]
            best = (max if sweep.by == "probe" else min)(found, key=lambda each: each[1])
            in_use = found[0]
            yield sweep, found, (best if _is_better(sweep, best[1], in_use[1]) else in_use)[0] if sweep.by else None

    def _on_validation(self, sweep: Sweep, run: Experiment) -> float:
        contender = Contender(run.name, (run,))
        if not (specs := self.catalogue.of_sweep(sweep)):
            return self.training(contender).meta["validation"]["error"]
        found = self.meta(contender, specs[0])
        return found["validation"] if sweep.by == "probe" else self.value(contender, specs[0], "bits_per_dim")

    def overfitting(self) -> str:
        """Whether the errors of training and validation images came apart by the last epoch, as a sentence."""
        gaps = {}
        for name in self.catalogue.profile.bottlenecks:
            history = self.training(self.ae(name)).meta["history"]
            gaps[name] = history["validation/error"][-1] / history["train/error"][-1] - 1
        said = [
            f"{100 * abs(gap):.1f} % {'above' if gap > 0 else 'below'} with the {name}" for name, gap in gaps.items()
        ]
        opened = [name for name, gap in gaps.items() if gap > OVERFITTING]
        answer = f"So a gap has opened with the {tables.in_a_row(opened)}" if opened else "So no gap has opened"
        return (
            "After the last epoch, the error of validation images, compared with that of training images, is "
            f"{tables.in_a_row(said)} bottleneck. {answer}."
        )

    def units_used(self) -> str:
        """How many units the VAEs use, and how few of them do most of the work, as a sentence."""

        def used(contender: Contender) -> str:
            metrics = ("active_units", "carrying_units", "kl")
            active, carrying, kl = (self.value(contender, self.catalogue.likelihood(), name) for name in metrics)
            return f"{active:.0f} are active and {carrying:.0f} carry nine tenths of its {kl:.0f} nats"

        calibrated, *fixed = self.vaes()
        said = [f"{used(calibrated)} in the calibrated VAE"]
        said += [f"at $\\beta = {beta:g}$, {used(vae)}" for beta, vae in zip(self.catalogue.betas, fixed, strict=True)]
        return f"Of {self.catalogue.size} units, {'; '.join(said)}."

    def sweep_table(self) -> tables.Table:
        """What each run of each sweep has, and what became of it."""
        rows = [
            {
                "model": sweep.model,
                "setting": sweep.setting.replace("_", " "),
                "value": _setting(sweep, run),
                "criterion": CRITERIA[sweep.by],
                "validation": result,
                "in use": MARK if run == sweep.runs[0] else "",
                "chosen": MARK if run == chosen else "" if sweep.by else tables.MISSING,
            }
            for sweep, found, chosen in self.tuned()
            for run, result in found
        ]
        result = tables.Column(key="validation", heading="on validation images", digits=5)
        return tables.markdown(rows, ["model", "setting", "value", "in use", "criterion", result, "chosen"])

    def tuning_kept(self) -> str:
        """Whether what is in use is what the sweeps choose, as a sentence."""
        others = [
            f"{sweep.model}, {sweep.setting.replace('_', ' ')} "
            f"({_setting(sweep, chosen)} in place of {_setting(sweep, sweep.runs[0])})"
            for sweep, _, chosen in self.tuned()
            if chosen and chosen != sweep.runs[0]
        ]
        if not others:
            return "In each contest, the setting in use is the one that validation images choose."
        return f"Validation images would choose another setting than the one in use for: {'; '.join(others)}."


def _is_better(sweep: Sweep, value: float, other: float) -> bool:
    """Whether a value leads another by more than the margin that claims about its kind have."""
    match sweep.by:
        case "probe":
            return value - other > ACCURACY.margin
        case "bits":
            return other - value > BITS.margin
        case _:
            return 10 * math.log10(other / value) > DECIBELS.margin


OVERFITTING = 0.05  # of the error of training images: a smaller gap isn't called one

CRITERIA = {"error": "squared error", "bits": "bits per dimension", "probe": "linear accuracy", None: "squared error"}
MARK = "✓"


def _share_at_home(plane: Mapping[str, np.ndarray], kinds: int) -> np.ndarray:
    """Of each class's points in a plane, the share that lies in the class's own region; −1 of a class without any."""
    axes = zip(plane["points"].T, (plane["x"], plane["y"]), strict=True)
    column, row = (np.searchsorted(ticks, values).clip(0, len(ticks) - 1) for values, ticks in axes)
    labels, said = plane["labels"], plane["response"][row, column]
    return np.array([(said[labels == k] == k).mean() if (labels == k).any() else -1 for k in range(kinds)])


def _setting(sweep: Sweep, run: Experiment) -> str:
    value = sweep.value(run)
    return "calibrated" if value is None else f"{value:g}"


def _until(found: dict[str, Any]) -> str:
    """Seconds until a quality was reached, and how many times ours that is; or what was waited in vain."""
    more = "" if found["reached"] else "> "
    times = f" ({more}{found['times']:.1f}×)" if "times" in found else ""
    return f"{more}{found['seconds']:.1f} s{times}"


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
