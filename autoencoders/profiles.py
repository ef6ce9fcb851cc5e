"""How much work is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from autoencoders.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A small table of differences from the defaults. What a run used is printed in its report."""

    name: Literal["smoke", "quick", "evening", "full"]
    purpose: str
    epochs: Mapping[str, int]  # by family of models
    augment: bool = False  # whether trainings, other than the sweep's, see mirrored and moved images
    width: int = 32
    train: int | None = None  # training images; None: all
    images: int | None = None  # test images measured; None: all
    latent_images: int = 2000  # t-SNE and the latent measures look at so many
    bottlenecks: tuple[Literal["vector", "spatial"], ...] = ("vector", "spatial")
    spatial_sigmas: Literal["first", "all"] = "first"  # of the levels: those of spatial denoisers
    vit_ratios: int = 1  # how many of the ratios, the first ones, the ViT control is trained at
    tuned: Literal["rate", "AE", "all"] = "all"  # what is swept: the AE's learning rate, its settings, or all models'
    complete: bool = True  # whether one denoiser is trained for all levels, and an MCAE with a decoder that reaches far
    left_out: tuple[int, ...] = ()  # classes that an AE and a DAE are trained without, one at a time
    classifier: Literal["ridge", "logistic"] = "ridge"
    probe_samples: int | None = None  # training images that classifiers are fitted to; None: all
    stand_in: bool = True  # may go on with photos10 where the data set asked for can't be had

    repeated: Literal["headline", "all"] = "all"  # what is trained with more than the first of the seeds

    # What is compared, unless a run says otherwise (see `compared`); the first of each stands for its kind
    seeds: tuple[int, ...] = (0,)
    sigmas: tuple[float, ...] = (0.3, 0.1, 0.5)  # that denoisers are trained on, beside the assignment's variance
    unseen: tuple[float, ...] = (0.2, 0.4)  # measured, never trained on
    ratios: tuple[float, ...] = (0.75, 0.1, 0.3, 0.5)  # of masked patches
    latents: tuple[int, ...] = (128,)  # sizes of vector latents: all models have the first, AEs the others as well
    betas: tuple[float, ...] = (1.0,)  # fixed weights of the KL divergence, beside the calibrated one
    arithmetic: tuple[tuple[str, ...], ...] | None = None  # classes a, b, c of a − b + c; None: the data set's own

    def epochs_of(self, family: str) -> int:
        """How long a family of models is trained."""
        if family not in self.epochs:
            raise InputError(f"the profile {self.name} has no epochs for {family!r}; it has: {', '.join(self.epochs)}")
        return self.epochs[family]


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            purpose="seconds, for tests: the numbers mean nothing",
            epochs={"vector": 1, "spatial": 1, "vae": 1, "mcae": 1, "vit": 1, "tuning": 1},
            width=8,
            train=512,
            images=128,
            latent_images=128,
            sigmas=(0.3, 0.1),
            unseen=(),
            tuned="AE",
            left_out=(0,),
        ),
        Profile(
            name="quick",
            purpose="an honest report on a laptop's CPU, trained briefly",
            epochs={"vector": 2, "spatial": 2, "vae": 2, "mcae": 1, "vit": 1, "tuning": 2},
            unseen=(0.2,),
            tuned="rate",
            complete=False,
            probe_samples=10_000,
        ),
        Profile(
            name="evening",
            purpose="a laptop's CPU and some hours: quick's experiments, trained for longer, and what it leaves out",
            seeds=(0, 1, 2),
            repeated="headline",
            epochs={"vector": 14, "spatial": 12, "vae": 14, "mcae": 8, "vit": 8, "tuning": 2},
            augment=True,
            latents=(128, 64, 256),
            spatial_sigmas="all",
            betas=(1.0, 0.1, 0.25, 4.0),
            left_out=(0,),
        ),
        Profile(
            name="full",
            purpose="one GPU, several seeds",
            seeds=(0, 1, 2),
            epochs={"vector": 200, "spatial": 100, "vae": 100, "mcae": 200, "vit": 200, "tuning": 30},
            augment=True,
            width=64,
            latents=(128, 64, 256, 384),
            spatial_sigmas="all",
            ratios=(0.75, 0.3, 0.1, 0.5),
            betas=(1.0, 0.1, 0.25, 4.0),
            vit_ratios=2,
            left_out=(0, 5),
            classifier="logistic",
            stand_in=False,
        ),
    )
}
