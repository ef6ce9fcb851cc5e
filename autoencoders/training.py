"""The one training loop: data on the device, everything random derived from (seed, step), checkpoints by time.

A step's randomness depends on nothing but the seed and its number, so a checkpoint holds no generator's state, and a
resumed training gives what the uninterrupted one gives: on a CPU, bit for bit.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from autoencoders import corruption, machine, models
from autoencoders.data import Split
from autoencoders.errors import InputError, StorageError, TrainingError
from autoencoders.specs import Experiment, Training
from autoencoders.store import Artifact
from autoencoders.store.files import write

CHECKPOINT_SECONDS = 30.0
STEPS_BETWEEN_SYNCS = 32  # to read a loss is to wait for the GPU
VALIDATION_BATCH = 500
SNAPSHOT_IMAGES = 8
POINTS = 20  # of a learning curve, at least
GLANCE_IMAGES = 1000  # validation images that each point takes, but no more than a quarter of those learned from
STARTING_IMAGES = 8000
SETTLING_IMAGES = 10_000
DIGEST_SIZE = 32
ADVICE = "a lower learning rate may help"
BETAS = (0.9, 0.99)  # of AdamW: trainings are short, so its averages must be, too


@dataclass(frozen=True)
class Progress:
    """How far a training is; ``epoch`` is that of the last step, counted from 1."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    images_per_second: float


def train(
    experiment: Experiment,
    model_class: Callable[..., models.Autoencoder],
    train: Split,
    validation: Split,
    *,
    device: str = "cpu",
    checkpoint: Path | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Artifact:
    """Train a new model, or resume it from ``checkpoint``; return its weights, its history and what it took."""
    _check(experiment.training, train, validation)
    run = Run(experiment, model_class, train, validation, torch.device(device))
    saved = time.monotonic()
    with torch.random.fork_rng(devices=[device] if run.device.type == "cuda" else []):
        if checkpoint is not None:
            run.resume(checkpoint)
        if run.step == 0:
            run.start()
        run.note_processor()
        while run.step < run.steps:
            run.advance()
            save_is_due = time.monotonic() - saved > CHECKPOINT_SECONDS
            if save_is_due or run.at_point or len(run.pending) == STEPS_BETWEEN_SYNCS:
                loss = run.sync_metrics()
                if report is not None:
                    report(run.progress(loss))
            if run.at_point:
                run.add_point()
            if save_is_due and checkpoint is not None:
                run.save(checkpoint)
                saved = time.monotonic()
    run.settle()
    return run.artifact()


def _check(recipe: Training, train: Split, validation: Split) -> None:
    """Refuse what can't be trained, in one clear line."""
    for condition, message in (
        (len(train.images) >= 1 and len(validation.images) >= 1, "training and validation need at least 1 image each"),
        (train.images.shape[1:] == validation.images.shape[1:], "training and validation images differ in shape"),
        (train.images.dtype == validation.images.dtype == torch.uint8, "images must be uint8"),
        (recipe.epochs >= 1 and recipe.batch >= 1, "a training has at least 1 epoch and 1 image in a batch"),
        (0 < recipe.learning_rate < math.inf, f"the learning rate must be positive, not {recipe.learning_rate}"),
        (recipe.weight_decay >= 0, "the weight decay can't be negative"),
        (0 < recipe.trunk_rate < math.inf, f"the trunk's share of the rate must be positive, not {recipe.trunk_rate}"),
        (0 <= recipe.warmup <= 1 and 0 <= recipe.kl_warmup <= 1, "a warm-up is a share of all steps, in [0, 1]"),
        (recipe.snapshots >= 0, "snapshots can't be a negative number of epochs apart"),
        (recipe.clip_norm > 0, "the norm that gradients are clipped to must be positive"),
    ):
        if not condition:
            raise InputError(message)


# ── Schedules: closed forms of the step ──────────────────────────────────────────────────────────────────────────────


def learning_rate(recipe: Training, step: int, steps: int) -> float:
    """A linear rise, then a cosine down to zero."""
    rise = recipe.warmup * steps
    if step < rise:
        return recipe.learning_rate * min(1.0, (step + 1) / rise)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))


def kl_weight(recipe: Training, step: int, steps: int) -> float:
    """A linear rise to 1: latents that cost their full price from the first step on are never used."""
    return min(1.0, (step + 1) / max(1.0, recipe.kl_warmup * steps))


def derived_seed(*parts: int | str) -> int:
    """Derive a seed from all parts; no other parts share it."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=7).digest(), "big")


class Run:
    """A training under way: model, optimizer and metrics. After ``sync_metrics`` they agree, and can be saved."""

    # In a checkpoint, beside model and optimizer
    KEPT = ("step", "sums", "history", "seconds", "snapshots", "processors")

    def __init__(
        self,
        experiment: Experiment,
        model_class: Callable[..., models.Autoencoder],
        train: Split,
        validation: Split,
        device: torch.device,
    ) -> None:
        self.experiment, self.recipe, self.device = experiment, experiment.training, device
        self.train, self.validation = _on_device(train.images, device), _on_device(validation.images, device)
        self.glance = self.validation[:: math.ceil(len(self.validation) / min(GLANCE_IMAGES, len(self.train) / 4))]
        channels, height, width = train.images.shape[1:]
        model = models.build(model_class, experiment.model, (channels, height, width), experiment.seed)
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(_parameter_groups(self.model, self.recipe), betas=BETAS, fused=True)
        self.generator = torch.Generator(device)
        self.bf16 = self.recipe.bf16 and _computes_bf16(device)
        self.steps_per_epoch = math.ceil(len(self.train) / self.recipe.batch)
        self.steps = self.recipe.epochs * self.steps_per_epoch
        self.step = 0
        self.order: tuple[int, tuple[Tensor, ...]] = (-1, ())  # an epoch and its batches
        self.terms: list[str] = []  # names of the loss's terms
        self.pending: list[Tensor] = []  # terms and gradient norm of the steps since the last sync
        self.sums: dict[str, float] = {}  # of each term over the images since the last point
        self.history: dict[str, list[float]] = {}  # a value for each point of the learning curves
        self.snapshots: dict[str, Tensor] = {}  # reconstructions of some validation images, by epoch
        self.processors: list[str] = []  # that took the steps; a training may be resumed on another of its kind
        self.seconds, self.since = 0.0, time.monotonic()  # spent until the last sync, and when that was

    @property
    def precision(self) -> str:
        return "bf16" if self.bf16 else "fp32"

    @property
    def at_epoch_end(self) -> bool:
        return self.step % self.steps_per_epoch == 0

    @property
    def at_point(self) -> bool:
        """Whether a point of the learning curves is due: as many in each epoch, the last at its end."""
        each = math.ceil(POINTS / self.recipe.epochs)
        return self.step * each % self.steps_per_epoch < each

    def note_processor(self) -> None:
        """Note what takes the steps from now on."""
        name = machine.processor(self.device.type)
        if name not in self.processors[-1:]:
            self.processors.append(name)

    def start(self) -> None:
        """Let the model set first weights from training images."""
        seed = derived_seed(self.experiment.seed, "start")
        torch.manual_seed(seed)
        self.generator.manual_seed(seed)
        clean = _as_floats(self.train[:: math.ceil(len(self.train) / STARTING_IMAGES)])
        self.model.start(clean, corruption.corrupt(clean, self.experiment.corruption, self.generator))

    # ── Steps ──

    def advance(self) -> None:
        """Take one step of the optimizer. It waits for no result: a GPU is kept busy by steps queued ahead."""
        torch.manual_seed(derived_seed(self.experiment.seed, "dropout", self.step))
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * learning_rate(self.recipe, self.step, self.steps)
        clean, noisy = self._inputs()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            terms = self.model.losses(clean, noisy, self.generator, kl_weight(self.recipe, self.step, self.steps))
        self.optimizer.zero_grad()
        terms["loss"].backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        self.optimizer.step()
        self.terms = list(terms)
        self.pending.append(torch.stack([*(value.detach() for value in terms.values()), norm]))
        self.step += 1

    def _inputs(self) -> tuple[Tensor, Tensor]:
        """This step's clean images, and the same as the model gets to see them."""
        seed = self.experiment.seed
        self.generator.manual_seed(derived_seed(seed, "corruption", self.step))
        clean = _as_floats(self.train[self._batch()])
        if self.recipe.augment:
            clean = corruption.augmented(clean, self.generator, derived_seed(seed, "place", self.step))
        return clean, corruption.corrupt(clean, self.experiment.corruption, self.generator)

    def _batch(self) -> Tensor:
        """The indices of this step's images; an epoch's batches differ by at most one image in size."""
        epoch, position = divmod(self.step, self.steps_per_epoch)
        if self.order[0] != epoch:
            generator = torch.Generator().manual_seed(derived_seed(self.experiment.seed, "order", epoch))
            order = torch.randperm(len(self.train), generator=generator).to(self.device)
            self.order = epoch, order.tensor_split(self.steps_per_epoch)
        return self.order[1][position]

    # ── Metrics ──

    def sync_metrics(self) -> float:
        """Fetch the terms of the steps since the last sync; return the last loss, or raise if one isn't finite."""
        rows = torch.stack(self.pending).tolist()
        for step, row in enumerate(rows, start=self.step - len(rows)):
            if not all(map(math.isfinite, row)):
                raise TrainingError(
                    f"{self.experiment.name} diverged: the loss or its gradient is not finite at step {step + 1} of "
                    f"{self.steps} (epoch {step // self.steps_per_epoch + 1}); {ADVICE}"
                )
            images = len(self.order[1][step % self.steps_per_epoch])
            for name, value in zip(self.terms, row, strict=False):  # the gradient's norm, last, has no name
                self.sums[name] = self.sums.get(name, 0.0) + value * images
        self.pending.clear()
        self._count_time()
        return rows[-1][0]

    def _count_time(self) -> None:
        now = time.monotonic()
        self.seconds, self.since = self.seconds + now - self.since, now

    def add_point(self) -> None:
        """Validate on some images, and add to the history what has happened since the last point."""
        images = self.images_seen - round(sum(self.history.get("images", [])))
        entry = {f"train/{name}": total / images for name, total in self.sums.items()}
        entry |= {f"validation/{name}": value for name, value in self._averages(self.glance, "validation").items()}
        if not all(map(math.isfinite, entry.values())):  # no later step computes a loss with the last step's weights
            raise TrainingError(f"{self.experiment.name} diverged: its validation loss is not finite; {ADVICE}")
        entry["learning_rate"] = learning_rate(self.recipe, self.step - 1, self.steps)
        self._count_time()
        entry["seconds"] = self.seconds - sum(self.history.get("seconds", []))
        entry |= {"epoch": self.step / self.steps_per_epoch, "images": images}
        for name, value in entry.items():
            self.history.setdefault(name, []).append(value)
        self.sums = {}
        epoch = self.step // self.steps_per_epoch
        is_wanted = self.recipe.snapshots and (epoch % self.recipe.snapshots == 0 or epoch == self.recipe.epochs)
        if is_wanted and self.at_epoch_end:
            self._take_snapshot(epoch)

    def _take_snapshot(self, epoch: int) -> None:
        """Keep reconstructions of the same images with the same noise each time: nothing but the model differs."""
        self.generator.manual_seed(derived_seed("snapshot"))
        clean = _as_floats(self.validation[:SNAPSHOT_IMAGES])
        seen = corruption.corrupt(clean, self.experiment.corruption, self.generator)
        pictures = {"clean": clean, "seen": seen, f"{epoch}": models.reconstruct(self.model, seen)}
        self.snapshots |= {name: (p.clamp(0, 1) * 255).round().byte().cpu() for name, p in pictures.items()}

    def validate(self) -> dict[str, float]:
        """Average the loss's terms over all validation images."""
        return self._averages(self.validation, "validation")

    def settle(self) -> None:
        """Let the model set what depends on its finished weights."""
        some = self.train[:: math.ceil(len(self.train) / SETTLING_IMAGES)]
        self.model.settle(lambda: self._averages(some, "settling"))

    @torch.no_grad()
    def _averages(self, images: Tensor, purpose: str) -> dict[str, float]:
        """Average the loss's terms over images, in fp32; for one purpose, noise and masks are the same each time."""
        self.generator.manual_seed(derived_seed(purpose))
        totals: dict[str, Tensor] = {}
        self.model.eval()
        for batch in images.split(VALIDATION_BATCH):
            clean = _as_floats(batch)
            noisy = corruption.corrupt(clean, self.experiment.corruption, self.generator)
            for name, value in self.model.losses(clean, noisy, self.generator).items():
                totals[name] = totals.get(name, 0.0) + value * len(batch)
        self.model.train()
        return {name: total.item() / len(images) for name, total in totals.items()}

    def progress(self, loss: float) -> Progress:
        epoch = math.ceil(self.step / self.steps_per_epoch)
        return Progress(epoch, self.recipe.epochs, self.step, self.steps, loss, self.images_seen / self.seconds)

    @property
    def images_seen(self) -> int:
        epochs, position = divmod(self.step, self.steps_per_epoch)
        return epochs * len(self.train) + sum(map(len, self.order[1][:position]))

    def artifact(self) -> Artifact:
        """All that is kept of a training."""
        meta = {
            "history": self.history,
            "validation": self.validate(),
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "steps": self.steps,
            "images": self.images_seen,
            "seconds": self.seconds,
            "images_per_second": self.images_seen / self.seconds,
            "precision": self.precision,
            "torch": torch.__version__,
            "device": ", then ".join(self.processors),
            "threads": torch.get_num_threads(),
        }
        snapshots = {f"snapshots/{name}": picture.numpy() for name, picture in self.snapshots.items()}
        return Artifact(models.weights(self.model) | snapshots, meta)

    # ── Checkpoints ──

    @functools.cached_property
    def identity(self) -> bytes:
        """What a checkpoint must match to be resumed: all but the name, which is for people.

        Another device type or precision would go on with other rounding; another CPU differs in the last bits at most,
        and is noted.
        """
        spec = {key: value for key, value in self.experiment.to_dict().items() if key != "name"}
        shapes = {name: list(value.shape) for name, value in self.model.state_dict().items()}
        computing = [torch.__version__, self.device.type, self.precision]
        images = [_digest(data.cpu().numpy().ravel().data).hex() for data in (self.train, self.validation)]
        return _digest(json.dumps([spec, shapes, images, computing], sort_keys=True).encode())

    def save(self, path: Path) -> None:
        """Write a checkpoint, all of it or nothing."""
        buffer = io.BytesIO()
        kept = {name: getattr(self, name) for name in self.KEPT}
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), **kept}, buffer)
        payload = buffer.getvalue()
        try:
            write(path, _digest(payload, self.identity) + payload)
        except OSError as error:
            raise StorageError(f"can't write the checkpoint {path}: {error.strerror}") from error

    def resume(self, path: Path) -> None:
        """Resume from a valid checkpoint of this run; otherwise start afresh."""
        try:
            content = path.read_bytes() if path.is_file() else b""
        except OSError:
            return
        digest, payload = content[:DIGEST_SIZE], content[DIGEST_SIZE:]
        if digest != _digest(payload, self.identity):
            return
        try:
            state = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
        except Exception:  # whatever the loader makes of bytes that no `save` has written
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name in self.KEPT:
            setattr(self, name, state[name])


# ── Parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _on_device(images: Tensor, device: torch.device) -> Tensor:
    """uint8 [N, H, W, C]: a slice of it, seen as [N, C, H, W], is channels-last without a copy."""
    return images.permute(0, 2, 3, 1).contiguous().to(device)


def _as_floats(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2).float().div_(255)


def _parameter_groups(model: models.Autoencoder, recipe: Training) -> list[dict[str, Any]]:
    """Only kernels and matrices decay: biases, norms and tokens have no reason to be small.

    Layers that start fitted learn more slowly, and go where the error leads them alone.
    """
    trunk = [parameter for layer in model.trunk() for parameter in layer.parameters()]
    fitted = set(map(id, trunk))
    vectors: list[Tensor] = []
    matrices: list[Tensor] = []
    for parameter in model.parameters():
        if id(parameter) not in fitted:
            (vectors if parameter.numel() == max(parameter.shape) else matrices).append(parameter)
    groups = [(matrices, recipe.weight_decay, 1.0), (vectors, 0.0, 1.0), (trunk, 0.0, recipe.trunk_rate)]
    return [{"params": some, "weight_decay": decay, "share": share} for some, decay, share in groups if some]


def _computes_bf16(device: torch.device) -> bool:
    """Whether bf16 is faster there than fp32: emulated, it isn't, nor on Intel's cores without their matrix unit."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if "Intel" in machine.processor(device.type):
        return torch.cpu._is_amx_tile_supported()
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()


def _digest(content: bytes | memoryview, key: bytes = b"") -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_SIZE, key=key).digest()
