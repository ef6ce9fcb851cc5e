"""The hyperparameters of a run, read from its specs: what the chapter on tuning prints (R25)."""

from __future__ import annotations

from typing import Any

from autoencoders.catalogue import Catalogue
from autoencoders.lab import Lab
from autoencoders.results import Results


def of(lab: Lab) -> dict[str, str]:
    """The values that a chapter reaches by `{{< var chosen.batch >}}`, each as the models' specs have it."""
    results: Results[Catalogue] = Results(lab)
    plan, profile = results.catalogue, lab.profile
    ae, spatial, vae = plan.ae(), plan.ae("spatial"), plan.vae()
    mcae, vit = plan.mcae(plan.ratios[-1]), plan.vit(profile.vit_ratios[-1])
    values: dict[str, Any] = {
        **{name: getattr(ae.training, name) for name in ("batch", "learning_rate", "weight_decay", "clip_norm")},
        "warmup": f"{ae.training.warmup:.0%}".replace("%", " %"),
        "kl_warmup": f"{vae.training.kl_warmup:.0%}".replace("%", " %"),
        "augment": "mirrored and moved images" if ae.training.augment else "none",
        "epochs": ", ".join(f"{name} {epochs}" for name, epochs in profile.epochs.items()),
        "latent": _of(ae, "latent"),
        "spatial_latent": _of(spatial, "latent"),
        "width": _of(ae, "width"),
        "depth": _of(ae, "depth"),
        "patch": _of(mcae, "patch"),
        "masked_weight": _of(mcae, "masked_weight"),
        "vit": f"{_of(vit, 'dim')} wide, {_of(vit, 'depth')} and {_of(vit, 'decoder_depth')} blocks, "
        f"{_of(vit, 'heads')} heads",
        "seeds": ", ".join(str(each.seed) for each in lab.catalogues),
        "passed_over": _passed_over(results),
    }
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in values.items()}


def _of(experiment: Any, name: str) -> Any:
    return getattr(experiment.model, name)


def _passed_over(results: Results[Catalogue]) -> str:
    """Runs of the sweep that did better than its base on validation images, other than by another size of the code."""
    base, *others = results.catalogue.tuning()
    histories = {each.name: results.recording.ask(each, None).meta["history"] for each in (base, *others)}
    errors = {name: history["validation/error"][-1] for name, history in histories.items()}
    same = [each for each in others if getattr(each.model, "latent", None) == _of(base, "latent")]
    ahead = [each for each in same if errors[each.name] < errors[base.name]]
    if not ahead:
        return "no run of the sweep has a smaller validation error than its base"
    names = [f"*{each.name.removeprefix('tune-')}* ({errors[each.name]:.5f})" for each in ahead]
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"{listed} ended with a smaller validation error than the base ({errors[base.name]:.5f})"
