"""The sibling studies: what each plans, what it measures, what it claims; and their book, from nothing to the end."""

from __future__ import annotations

import colorsys
import json
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest
import torch
from copied_project import Project, copied
from filelock import FileLock
from torch import Tensor, nn

from autoencoders import data, figures, models, settings
from autoencoders.data import Dataset, Split
from autoencoders.errors import InputError
from autoencoders.judging import judge
from autoencoders.lab import Lab
from autoencoders.measurements.measurement import Measurement
from autoencoders.measurements.reconstruction import Reconstruction
from autoencoders.models.base import Shape
from autoencoders.profiles import PROFILES
from autoencoders.results import Contender, Results
from autoencoders.settings import Settings
from autoencoders.specs import Baseline, Data, Gaussian, PixelMask
from autoencoders.store import Artifact
from autoencoders.studies import STUDIES, study
from autoencoders.studies.base import Study, images_of
from autoencoders.studies.digits import measurements as coloring
from autoencoders.studies.digits.measurements import Between, Clusters
from autoencoders.studies.transfer import claims as transfer_claims
from autoencoders.studies.transfer import measurements as transfer
from autoencoders.studies.transfer.measurements import Compressed, Inpainting, Transfer

CPU = "cpu"
REQUIRED = [f"r{number:02d}" for number in range(28, 39)]


def plan(
    name: str, profile: str = "smoke", dataset: str | None = None, others: tuple[str, ...] | None = None
) -> Study[Any]:
    made = study(name)
    main, *further = made.wanted
    return made(profile=PROFILES[profile], dataset=dataset or main, others=tuple(further) if others is None else others)


# ── Plans ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", STUDIES)
def test_plan_of_every_profile_names_its_experiments_apart(name: str, profile: str) -> None:
    found = plan(name, profile)
    names = [experiment.name for experiment in found.results()]
    assert len(set(names)) == len(names)
    assert all(each.startswith(f"{name}-") for each in names)
    pairs = found.measurements()
    assert len(set(pairs)) == len(pairs)
    assert {subject for subject, _ in pairs} == {*found.results(), *found.baselines()}


def test_study_refuses_an_unknown_name() -> None:
    with pytest.raises(InputError, match="no study is called 'colours'; there are: digits"):
        study("colours")


def test_images_of_a_small_data_set_are_all_of_them() -> None:
    assert images_of("mnist-colored", 20_000) == Data(name="mnist-colored", train=20_000)
    assert images_of("digits-colored", 20_000) == Data(name="digits-colored", train=1437 - 144)
    assert images_of("digits-colored", 100).train == 100
    assert images_of("digits-colored", None, validation=0.5).train == 1437 - 718
    assert images_of("mnist-colored", None).train == 54_000


@pytest.mark.parametrize("name", ["digits-colored", "photos10-64"])
def test_sizes_are_those_of_the_data(name: str) -> None:
    spec = images_of(name, None)
    loaded = data.load(spec, Path())
    assert len(loaded.train) == spec.train
    assert len(data.load(Data(name=name), Path()).train) == spec.train, "there are no more"


def test_digits_train_five_models_on_random_colours_and_one_on_telling_ones() -> None:
    found = plan("digits", "full")
    assert [(e.name, e.data.name) for e in found.results()] == [
        ("digits-ae", "mnist-colored"),
        ("digits-ae-batchnorm", "mnist-colored"),
        ("digits-ae-dropout", "mnist-colored"),
        ("digits-ae-dropout-batchnorm", "mnist-colored"),
        ("digits-vae", "mnist-colored"),
        ("digits-ae-leaking", "mnist-colored-class"),
    ]
    recipe = found.results()[0].training
    asked = (recipe.epochs, recipe.batch, recipe.learning_rate, recipe.weight_decay)
    assert asked == (20, 128, 1e-3, 1e-5), "as the source says"
    assert {e.corruption for e in found.results()} == {Gaussian(0.2)}
    assert all(e.training.snapshots for e in found.results())


def test_compact_reads_its_noise_on_both_scales() -> None:
    found = plan("compact")
    trained = {e.name: e.corruption for e in found.results()}
    assert trained == {
        "compact-clean": None,
        "compact-denoiser-0.05": Gaussian(0.05),
        "compact-denoiser-0.1": Gaussian(0.1),
        "compact-spatial": Gaussian(0.05),
    }
    measured = [spec for subject, spec in found.measurements() if subject.name == "compact-denoiser-0.05"]
    seen = {spec.input for spec in measured if isinstance(spec, Reconstruction)}
    assert seen == {None, Gaussian(0.05), Gaussian(0.1)}


# ── Claims ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def per_image(r: Results[Any], contender: Contender, spec: Measurement, name: str) -> np.ndarray:
    """Made-up values that differ from contender to contender, from measure to measure and from data to data."""
    asked = f"{contender.label} {spec.to_dict()} {name}"
    rng = np.random.default_rng(list(asked.encode()))
    return rng.normal(rng.uniform(0, 1000), 0.01, (1, 50))


@pytest.mark.parametrize("name", STUDIES)
def test_claims_turn_when_results_are_swapped(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_data: Path
) -> None:
    lab = Lab(Settings(profile="smoke", device="cpu", cache=tmp_path), study(name), looks_only=True)
    monkeypatch.setattr(Results, "per_image", per_image)
    monkeypatch.setattr(Results, "artifacts", lambda *asked: [Artifact({}, {"validation": 0.5})])
    results: Results[Any] = Results(lab)
    made = list(results.catalogue.claims(results))
    assert len({claim.id for claim in made}) == len(made)
    before = [judge(claim, results).verdict for claim in made]
    assert set(before) <= {"supported", "contradicted"}
    monkeypatch.setattr(Results, "per_image", lambda *asked: -per_image(*asked))
    after = [judge(claim, results).verdict for claim in made]
    assert [(a, b) for a, b in zip(before, after, strict=True) if a == b] == []


def test_transfer_claims_rest_on_what_chose_their_model(tmp_path: Path, no_data: Path) -> None:
    lab = Lab(Settings(profile="smoke", device="cpu", cache=tmp_path), study("transfer"), looks_only=True)
    lab.measure = lambda subject, spec: Artifact(  # type: ignore[method-assign]
        {name: np.arange(9.0) for name in ("all/psnr", "correct")}, {"validation": 0.5}
    )
    results: Results[Any] = Results(lab)
    asked = {claim.id: judge(claim, results).asked for claim in results.catalogue.claims(results)}
    candidates = {
        lab.bench.measurement(contender.first, spec).name
        for contender, spec in transfer_claims.candidates(results).values()
    }
    assert candidates < {task.name for task in asked["transfer-own"]}
    assert len(asked["transfer-pixels"]) == 2


# ── Measurements ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Identity(models.Autoencoder):
    """Its latent is the image."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.one = nn.Parameter(torch.ones(()))

    def encode(self, images: Tensor) -> Tensor:
        return images * self.one

    def decode(self, latent: Tensor) -> Tensor:
        return latent


def dataset(images: Tensor, labels: Tensor, classes: int = 2) -> Dataset:
    part = Split(images, labels)
    return Dataset("made-up", part, part, part, tuple("abcdefghij"[:classes]), "fingerprint")


def value(artifact: Artifact, metric: str) -> float:
    [found] = [row["value"] for row in artifact.meta["rows"] if row["metric"] == metric]
    return found


def colored(hues: list[float]) -> Tensor:
    """A patch of full brightness in each colour, below a black one."""
    colors = np.array([colorsys.hsv_to_rgb(hue, 1, 1) for hue in hues])
    images = torch.zeros(len(hues), 3, 12, 12, dtype=torch.uint8)
    images[:, :, 6:] = torch.from_numpy(colors * 255).round().byte()[:, :, None, None]
    return images


def test_hues_are_places_on_the_colour_wheel_in_tenths() -> None:
    assert coloring.hues(colored([0.0, 0.1, 0.29, 0.5, 0.71, 0.9, 0.99])).tolist() == [0, 1, 3, 5, 7, 9, 0]


def test_clusters_tell_colours_from_classes() -> None:
    """Two colours, each with equally many of both classes: neighbours share the colour, and half of them the class."""
    hues = [0.0] * 40 + [0.5] * 40
    labels = torch.tensor([0, 1] * 40)
    shown = dataset(colored(hues), labels)
    spec = Clusters(evaluation_data=Data(name="made-up"), images=80)
    found = spec.measure(Identity((3, 12, 12)), shown, CPU, evaluation_data=shown)
    assert value(found, "purity_hue") == 1
    assert 0.2 < value(found, "purity_class") < 0.8
    telling = dataset(colored(hues), torch.tensor([0] * 40 + [1] * 40))
    found = spec.measure(Identity((3, 12, 12)), telling, CPU, evaluation_data=telling)
    assert value(found, "purity_class") == value(found, "purity_hue") == 1
    assert found.arrays["tsne/3"].shape == (80, 3)


def test_clusters_of_baselines_have_no_pictures() -> None:
    shown = dataset(colored([0.0, 0.5] * 10), torch.tensor([0, 1] * 10))
    pixels = Baseline(method="pixels")
    found = Clusters(evaluation_data=Data(name="made-up"), images=20).measure(pixels, shown, CPU, evaluation_data=shown)
    assert not [name for name in found.arrays if name.startswith("tsne")]


def test_between_finds_no_detour_in_a_cross_fade() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (40, 3, 12, 12), generator=generator, dtype=torch.uint8)
    labels = torch.arange(40) % 2
    found = Between(pairs=10, steps=5).measure(Identity((3, 12, 12)), dataset(images, labels), CPU)
    assert value(found, "detour") == pytest.approx(1)
    assert value(found, "jump") == pytest.approx(1)
    assert value(found, "departure") == pytest.approx(0, abs=1e-8)


def test_between_joins_different_classes() -> None:
    labels = torch.tensor([0, 0, 0, 1, 1, 0, 0, 0, 0, 1])
    start, end = coloring._partners(labels)
    assert start.tolist() == [0, 1, 2, 3, 4]
    assert end.tolist() == [9, 9, 9, 8, 5], "from their own place on, else from the beginning"
    assert all(labels[a] != labels[b] for a, b in zip(start, end, strict=True))


def test_shares_of_labels_are_exact_stratified_and_nested() -> None:
    found = plan("transfer", "quick", dataset="cifar10", others=("photos10",))
    counts = {share: found.labelled(share).train for share in (0.01, 0.1, 0.2, 0.4, 0.6, 1.0)}
    assert counts == {0.01: 90, 0.1: 900, 0.2: 1800, 0.4: 3600, 0.6: 5400, 1.0: 9000}
    parts = {share: data.load(found.labelled(share), Path()).train for share in (0.1, 0.2)}
    assert parts[0.1].labels.bincount().tolist() == [90] * 10
    few, more = ({image.numpy().tobytes() for image in parts[share].images} for share in (0.1, 0.2))
    assert few < more


def test_transfer_has_both_splits_with_one_test_set() -> None:
    found = plan("transfer", "evening", dataset="cifar10", others=("cifar10",))
    first, second = found.split("80/10/10"), found.split("70/20/10")
    assert (first.train, second.train) == (44_444, 38_889)
    assert second.validation == pytest.approx(2 * first.validation)
    quick = plan("transfer", "quick", dataset="cifar10", others=("cifar10",))
    assert {subject.size for subject, spec in quick.measurements() if isinstance(spec, Compressed)} == {
        *(256, 128, 64, 32, 16)
    }
    eight, seven = (quick.split(name).train or 0 for name in ("80/10/10", "70/20/10"))
    assert 7 * eight == 8 * seven > 0
    names = [e.name for e in found.results()]
    assert len(names) == 10 + 4 + 1
    assert [e.corruption for e in found.results()][10:14] == [PixelMask(ratio) for ratio in (0.2, 0.4, 0.6, 0.8)]


def test_roc_equals_a_count_by_hand() -> None:
    """Of the four pairs, three are in order."""
    rates, area = transfer.roc(np.array([0.9, 0.4]), np.array([0.6, 0.1]))
    assert area == 0.75
    assert (rates[0], rates[-1]) == (0.5, 1.0)
    assert (np.diff(rates) >= 0).all()
    assert transfer.roc(np.array([3.0]), np.array([1.0, 2.0]))[1] == 1
    assert transfer.roc(np.array([1.0]), np.array([]))[1] == 0.5


def two_colours(count: int, size: int = 12) -> Dataset:
    """Red and blue images, a little noisy: what any network tells apart."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 2
    images = torch.randint(60, (count, 3, size, size), generator=generator, dtype=torch.uint8)
    images[labels == 0, 0] += 150
    images[labels == 1, 2] += 150
    return dataset(images, labels)


def asked(**changes: Any) -> Transfer:
    return Transfer(evaluation_data=Data(name="made-up"), **({"hidden": (32,), "epochs": 100, "reduced": 8} | changes))


def test_transfer_tells_what_features_know() -> None:
    shown = two_colours(200)
    found = asked().measure(Identity((3, 12, 12)), shown, CPU, evaluation_data=shown)
    assert value(found, "accuracy") == found.meta["validation"] == found.arrays["correct"].mean() > 0.95
    assert value(found, "auc") > 0.95
    assert np.trace(found.arrays["confusion"]) == found.arrays["correct"].sum()
    assert found.arrays["confusion"].sum(1).tolist() == [100, 100]


def test_transfer_brings_images_to_the_known_size() -> None:
    seen = []

    class Looking(Identity):
        def encode(self, images: Tensor) -> Tensor:
            seen.append(images.shape[1:])
            return super().encode(images)

    found = asked().measure(Looking((3, 12, 12)), two_colours(20), CPU, evaluation_data=two_colours(100, size=20))
    assert set(seen) == {(3, 12, 12)}
    assert value(found, "accuracy") > 0.8


def test_transfer_with_a_fault_learns_nothing() -> None:
    shown = two_colours(1000)
    spec = asked(hidden=(64, 64, 32, 32), epochs=8)
    sound, spoilt = (
        replace(spec, faults=faults).measure(Identity((3, 12, 12)), shown, CPU, evaluation_data=shown)
        for faults in ((), ("faint features",))
    )
    assert value(sound, "accuracy") == 1
    assert value(spoilt, "accuracy") == 0.5
    assert value(spoilt, "largest_class") == 1


def test_transfer_never_predicts_a_class_without_labels() -> None:
    whole = two_colours(60)
    only = Split(whole.train.images[::2], whole.train.labels[::2])
    shown = replace(whole, train=only)
    found = asked().measure(Identity((3, 12, 12)), shown, CPU, evaluation_data=shown)
    assert found.arrays["confusion"].tolist() == [[30, 0], [30, 0]]


def test_inpainting_measures_hidden_pixels_apart() -> None:
    """Whoever copies what it sees is wrong about exactly the hidden pixels."""
    images = torch.full((6, 3, 16, 16), 204, dtype=torch.uint8)
    spec = Inpainting(input=PixelMask(0.25))
    found = spec.measure(Identity((3, 16, 16)), dataset(images, torch.zeros(6, dtype=torch.int64)), CPU)
    rows = {(row["region"], row["metric"]): row["value"] for row in found.meta["rows"]}
    assert rows["masked", "mse"] == pytest.approx(0.64)
    assert rows["all", "mse"] == pytest.approx(0.16)
    assert rows["all", "near"] == pytest.approx(0.75)


# ── A figure to turn ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_turnable_has_a_still_twin_and_loads_nothing() -> None:
    points = np.random.default_rng(0).normal(5, 3, (30, 3))
    shown = figures.turnable({"a & b": (points, np.arange(30) % 2)}, ["<one>", "two"])
    page = shown._repr_html_()
    assert shown._repr_svg_().startswith("<?xml")
    assert not re.search(r"https?:|src=|import ", page)
    assert "&lt;one&gt;" in page
    assert "a &amp; b" in page
    [content] = re.findall(r'<script type="application/json">(.*?)</script>', page)
    cloud = json.loads(content)["clouds"][0]
    assert np.linalg.norm(cloud["points"], axis=1).max() == pytest.approx(1, abs=2e-3)
    assert cloud["kinds"] == [0, 1] * 15
    with pytest.raises(ValueError, match="coordinates must be"):
        figures.turnable({"flat": (points[:, :2], np.zeros(30, int))}, ["one"])


# ── The book, from nothing to the end ────────────────────────────────────────────────────────────────────────────────

NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")  # where nobody answers


@dataclass(frozen=True)
class Made:
    project: Project
    stderr: str

    @property
    def book(self) -> Path:
        return self.project.folder / "_studies"

    @property
    def pages(self) -> dict[str, str]:
        return {path.stem: path.read_text(encoding="utf-8") for path in self.book.glob("*.html")}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Made once, whichever worker needs it first, from embedded data alone."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "studies"
    written = shared / "written.json"
    project = Project(shared / "code", shared / "cache")
    with FileLock(f"{shared}.lock"):
        if not written.exists():
            copied(project.folder)
            shutil.copy(settings.PROJECT / "references.bib", project.folder)
            done = project("studies", "--renderer", "pandoc", **NO_NETWORK)
            written.write_text(json.dumps([done.returncode, done.stderr]))
    code, stderr = json.loads(written.read_text())
    assert code == 0, stderr
    return Made(project, stderr)


def test_site_has_everything_required_in_its_checklist(made: Made) -> None:
    pages = made.pages
    targets = {anchor: page for page, anchor in re.findall(r'href="([^"#]*).html#sec-(r\d\d)"', pages["checklist"])}
    assert targets.keys() == set(REQUIRED)
    assert all(f'id="sec-{anchor}"' in pages[page] for anchor, page in targets.items())
    site = "".join(pages.values())
    assert {number for number in REQUIRED if re.search(rf'id="(fig|tbl)-{number}-', site)} == set(REQUIRED)
    assert len(set(re.findall(r'id="tbl-r39-(\w+)"', site))) == len(STUDIES)


def test_book_names_its_stand_in_data_everywhere(made: Made) -> None:
    pages = made.pages
    assert "mnist-colored" in pages["index"]
    assert all("Stand-in data: digits-colored" in page for page in pages.values())
    assert "digits-colored in place of mnist-colored" in pages["01-digits"]
    captions = re.findall(r"<figcaption.*?</figcaption>", pages["01-digits"], re.DOTALL)
    numbered = [caption for caption in captions if "<strong>" in caption]
    assert numbered
    assert all("Stand-in data: digits-colored" in caption for caption in numbered)


def test_site_turns_what_print_shows_still(made: Made) -> None:
    page = made.pages["01-digits"]
    figure = page[page.index('id="fig-r30-tsne-3d"') :]
    assert "<canvas" in figure[: figure.index("</script>")]
    assert (made.project.folder / "report/studies/cache/report/images/07-digits/fig-r30-tsne-3d.svg").exists()


def test_book_has_a_pdf_of_its_own(made: Made) -> None:
    pdf = pypdf.PdfReader(made.book / "G00_Studies.pdf")
    text = " ".join("".join(page.extract_text() for page in pdf.pages).split())
    assert "Noise on coloured digits" in text
    assert not (made.project.folder / "_book").exists(), "never mixed into the assignment's report"


def test_book_is_left_alone_when_nothing_changed(made: Made) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.book.rglob("*") if path.is_file()}
    done = made.project("studies", "--renderer", "pandoc", **NO_NETWORK)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^(\d+) of \1 results are cached, 0 to make$", done.stderr, re.MULTILINE)) == len(STUDIES)
    assert re.search(r"^(\d+) of \1 notebooks are up to date$", done.stderr, re.MULTILINE)
    assert {path: path.stat().st_mtime_ns for path in made.book.rglob("*") if path.is_file()} == before
