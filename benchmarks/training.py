"""Images per second of the training loop, for each kind of model, on this machine: median of three short trainings."""

from __future__ import annotations

import json
import statistics

from autoencoders import data, lab, training
from autoencoders.config import PROFILES, Catalogue, Data, Training


def main() -> None:
    catalogue = Catalogue(profile=PROFILES["quick"], dataset="photos10")
    spec = Data(name="photos10", train=4096)
    dataset = data.load(spec, data.obtain("photos10"))
    speeds = {}
    for experiment in (
        catalogue.ae(),
        catalogue.ae("spatial"),
        catalogue.vae(),
        catalogue.mcae(0.5),
        catalogue.vit(0.75),
    ):
        short = type(experiment)(name=experiment.name, model=experiment.model, data=spec, training=Training(epochs=1))
        model_class = lab.named(experiment.model.implementation)
        runs = [training.train(short, model_class, dataset.train, dataset.validation).meta for _ in range(3)]
        speeds[experiment.name] = round(statistics.median(run["images_per_second"] for run in runs))
    print(
        json.dumps(
            {"images_per_second": speeds, **{k: runs[0][k] for k in ("device", "threads", "precision", "torch")}}
        )
    )


if __name__ == "__main__":
    main()
