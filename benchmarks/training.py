"""Images per second of our training loop against a plain PyTorch loop, model by model.

The plain loop is what a tutorial writes: a data set of PIL images, `ToTensor`, a `DataLoader` with the better of no and
two workers, fp32, and the same model, batch, optimizer and loss. Where pythae is installed (`pip install pythae`), its
trainer stands beside them with the default AE.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time

import torch
from PIL import Image
from timing import in_turn, tell
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.functional import to_tensor

from autoencoders import data, models, training
from autoencoders.catalogue import Catalogue
from autoencoders.profiles import PROFILES
from autoencoders.specs import Data, Experiment, Training
from autoencoders.tasks import named

IMAGES = 8192
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Pictures(Dataset):
    """As torchvision's CIFAR10 gives them out."""

    def __init__(self, images: torch.Tensor) -> None:
        self.images = images.permute(0, 2, 3, 1).numpy()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return to_tensor(Image.fromarray(self.images[index]))


def ours(experiment: Experiment, dataset: data.Dataset) -> float:
    """The plain loop doesn't validate, so this one validates on a single image."""
    model_class = named(experiment.model.implementation)
    held_out = data.Split(dataset.validation.images[:1], dataset.validation.labels[:1])
    done = training.train(experiment, model_class, dataset.train, held_out, device=DEVICE)
    return done.meta["images_per_second"]


def plain(experiment: Experiment, dataset: data.Dataset, workers: int) -> float:
    model = models.build(named(experiment.model.implementation), experiment.model, (3, 32, 32), 0).to(DEVICE)
    loader = DataLoader(Pictures(dataset.train.images), experiment.training.batch, shuffle=True, num_workers=workers)
    optimizer = torch.optim.AdamW(model.parameters(), experiment.training.learning_rate)
    generator = torch.Generator(DEVICE)
    started, seen = time.perf_counter(), 0
    for batch in loader:
        images = batch.to(DEVICE)
        optimizer.zero_grad()
        terms = model.losses(images, images, generator)
        terms["loss"].backward()
        optimizer.step()
        terms["loss"].item()
        seen += len(images)
    return seen / (time.perf_counter() - started)


def pythaes(experiment: Experiment, dataset: data.Dataset) -> float:
    """The same layers in pythae's AE, by its own trainer."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import AE, AEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    layers = models.build(named(experiment.model.implementation), experiment.model, (3, 32, 32), 0)

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList([layers.encoder, layers.to_latent])

        def forward(self, images: torch.Tensor) -> ModelOutput:
            return ModelOutput(embedding=layers.encode(images))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList([layers.from_latent, layers.decoder])

        def forward(self, latents: torch.Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=layers.decode(latents))

    recipe = experiment.training
    with tempfile.TemporaryDirectory() as folder:
        trainer = BaseTrainer(
            AE(AEConfig(input_dim=(3, 32, 32), latent_dim=experiment.model.latent), Encoder(), Decoder()),
            BaseDataset(dataset.train.images.float() / 255, dataset.train.labels),
            training_config=BaseTrainerConfig(
                output_dir=folder,
                num_epochs=1,
                per_device_train_batch_size=recipe.batch,
                optimizer_cls="AdamW",
                learning_rate=recipe.learning_rate,
            ),
        )
        trainer.prepare_training()
        started = time.perf_counter()
        trainer.train_step(1)
        return len(dataset.train) / (time.perf_counter() - started)


def compared(experiment: Experiment, dataset: data.Dataset) -> dict[str, float]:
    contenders = {
        "ours": lambda: ours(experiment, dataset),
        "plain": lambda: plain(experiment, dataset, 0),
        "plain, 2 workers": lambda: plain(experiment, dataset, 2),
    }
    if experiment.name == "ae-vector" and importlib.util.find_spec("pythae"):
        contenders["pythae"] = lambda: pythaes(experiment, dataset)
    speeds = in_turn(contenders)
    best = max(speed for name, speed in speeds.items() if name.startswith("plain"))
    return {name: round(speed) for name, speed in speeds.items()} | {"ratio": round(speeds["ours"] / best, 2)}


def main() -> None:
    choice = data.choose("cifar10", True, download=False)
    spec = Data(name=choice.name, train=IMAGES)
    dataset = data.load(spec, choice.root)
    table = Catalogue(profile=PROFILES["full" if DEVICE == "cuda" else "quick"], dataset=choice.name)
    shown = (table.ae(), table.ae("spatial"), table.ae(sigma=0.3), table.vae(), table.mcae(0.5), table.vit(0.75))
    found = {
        e.name: compared(Experiment(name=e.name, model=e.model, data=spec, training=Training(epochs=1)), dataset)
        for e in shown
    }
    tell("training", data=choice.name, images=IMAGES, images_per_second=found)


if __name__ == "__main__":
    main()
