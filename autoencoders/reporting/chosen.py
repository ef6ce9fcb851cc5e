"""The hyperparameters of a run, read from its specs: what the chapter on tuning prints (R25)."""

from __future__ import annotations

from typing import Any, cast

from autoencoders.catalogue import Catalogue
from autoencoders.lab import Lab


def of(lab: Lab) -> dict[str, str]:
    """The values that a chapter reaches by `{{< var chosen.batch >}}`, each as the models' specs have it."""
    plan = cast(Catalogue, lab.catalogues[0])
    ae, spatial, vae, mcae, vit = plan.ae(), plan.ae("spatial"), plan.vae(), plan.mcae(plan.ratio), plan.vit(plan.ratio)
    values: dict[str, Any] = {
        **{name: getattr(ae.training, name) for name in ("batch", "learning_rate", "trunk_rate", "weight_decay")},
        "clip_norm": ae.training.clip_norm,
        "warmup": f"{ae.training.warmup:.0%}".replace("%", " %"),
        "kl_warmup": f"{vae.training.kl_warmup:.0%}".replace("%", " %"),
        "augment": "mirrored and moved images" if ae.training.augment else "none",
        "epochs": ", ".join(f"{name} {epochs}" for name, epochs in lab.profile.epochs.items()),
        "latent": _of(ae, "latent"),
        "spatial_latent": _of(spatial, "latent"),
        "width": _of(ae, "width"),
        "depth": _of(ae, "depth"),
        "patch": _of(mcae, "patch"),
        "masked_weight": _of(mcae, "masked_weight"),
        "vit": f"{_of(vit, 'dim')} wide, {_of(vit, 'depth')} and {_of(vit, 'decoder_depth')} blocks, "
        f"{_of(vit, 'heads')} heads",
        "seeds": ", ".join(str(each.seed) for each in lab.catalogues) + _of_several_seeds(lab),
    }
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in values.items()}


def _of_several_seeds(lab: Lab) -> str:
    """What is trained with more than the first seed, where that isn't everything."""
    names = [experiment.name for experiment in lab.catalogues[-1].results()]
    return f"; after the first for {', '.join(names)} alone" if lab.profile.repeated == "headline" else ""


def _of(experiment: Any, name: str) -> Any:
    return getattr(experiment.model, name)
