"""One training of a sweep fails: the rest completes, the failed one is told with its cause, and nothing old is used."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from copied_project import Project, Run
from reporting_sample import VALUES, write_book
from small_lab import PROFILE, SmallLab
from typer.testing import CliRunner

import pipeline
from autoencoders import books, claims, inspection, training
from autoencoders.errors import InputError, StorageError, TrainingError
from autoencoders.findings import Findings
from autoencoders.lab import Lab
from autoencoders.reporting import facts, making, variables
from autoencoders.running import progress
from autoencoders.specs import Experiment

Tried = Callable[[int], None]

CAUSES: dict[str, tuple[Exception, str]] = {  # what is raised deep inside a training, and how the line about it begins
    "GPU memory": (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 139 GiB.\nSee the docs."),
        "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
    ),
    "memory": (
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: 10 bytes."),
        "RuntimeError: [enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator",
    ),
    "Python's memory": (MemoryError(), "MemoryError: "),
    "device": (
        RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be reported later\n"),
        "RuntimeError: CUDA error: device-side assert triggered",
    ),
    "accelerator": (torch.AcceleratorError("CUDA error: unspecified launch failure"), "AcceleratorError: CUDA error"),
    "driver": (AssertionError("Torch not compiled with CUDA enabled"), "AssertionError: Torch not compiled"),
    "divergence": (TrainingError("it diverged at step 3"), "it diverged at step 3"),
    "input": (InputError("the model takes no such images"), "the model takes no such images"),
}


@pytest.fixture
def small_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SmallLab:
    return SmallLab(monkeypatch, tmp_path)


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets some trainings fail, by the names of their experiments; without names, none."""
    works = training.train

    def arrange(error: Exception | None = None, *names: str) -> None:
        def train(experiment: Experiment, *arguments: Any, **options: Any) -> Any:
            if experiment.name in names:
                raise error or AssertionError
            return works(experiment, *arguments, **options)

        monkeypatch.setattr(training, "train", train)

    return arrange


SWEEP = ("tune-base", "tune-width-4", "tune-latent-64")


def standings(lab: Lab) -> dict[str, Any]:
    return {each.name: each.state for each in inspection.standings(lab, SWEEP)[0]}


# ── A sweep ──────────────────────────────────────────────────────────────────────────────────────────────────────────

THE_REST = "What fails in one training of a sweep stops no other, and is told in one line with its cause."


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.promise(THE_REST)
def test_the_rest_completes_and_the_cause_is_told(
    cause: str, small_lab: SmallLab, breaks: Callable[..., None], thorough: bool, tried: Tried
) -> None:
    error, said = CAUSES[cause]
    wholes: dict[str, bytes] = {}
    sweeps = [{name for bit, name in enumerate(SWEEP) if pattern >> bit & 1} for pattern in range(1, 8)]
    chosen = sweeps if thorough else [sweeps[4]]
    for failing in chosen:
        lab = small_lab()
        breaks(error, *failing)
        kind = InputError if isinstance(error, InputError) else TrainingError
        with pytest.raises(kind) as told:
            progress.follow(lab, lab.plan(SWEEP))
        head, *lines = str(told.value).splitlines()
        assert head == f"{len(failing)} could not be made, nor what needs them (the rest is done):"
        [line] = lines
        names, _, why = line.strip().partition(": ")
        assert {name.split("/")[-1] for name in names.split(", ")} == {f"{name}@0" for name in failing}
        assert why.startswith(said.rstrip())
        found = standings(lab)
        assert {name for name, state in found.items() if state.state == "failed"} == failing
        assert {name for name, state in found.items() if state.state == "cached"} == {*SWEEP} - failing
        for name in failing:
            assert found[name].message.startswith(f"{type(error).__name__}: {error}".splitlines()[0])
        breaks()
        progress.follow(lab, lab.plan(SWEEP))
        assert {state.state for state in standings(lab).values()} == {"cached"}, "once the cause is gone, all is well"
        for experiment in lab.experiments(SWEEP):
            weights = b"".join(array.tobytes() for array in lab.train(experiment).arrays.values())
            assert wholes.setdefault(experiment.name, weights) == weights
    tried(len(chosen))


@pytest.mark.promise(THE_REST)
def test_different_causes_are_told_apart_and_shared_ones_together(
    small_lab: SmallLab, breaks: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = small_lab()

    def train(experiment: Experiment, *_: Any, **__: Any) -> Any:
        raise MemoryError if experiment.name == "tune-base" else RuntimeError("CUDA error: launch failure\nmore")

    monkeypatch.setattr(training, "train", train)
    with pytest.raises(TrainingError) as told:
        progress.follow(lab, lab.plan(SWEEP))
    head, *lines = str(told.value).splitlines()
    assert head.startswith("3 could not be made")
    assert sorted(line.partition(": ")[2] for line in lines) == [
        "MemoryError: ",
        "RuntimeError: CUDA error: launch failure",
    ]


@pytest.mark.promise(THE_REST)
def test_what_needs_a_failed_training_is_not_tried(small_lab: SmallLab, breaks: Callable[..., None]) -> None:
    lab = small_lab()
    breaks(MemoryError(), "vae")
    with pytest.raises(TrainingError, match="1 could not be made, nor what needs them"):
        progress.follow(lab, lab.plan(["vae", "mcae-0.5", "baseline/mean"]))
    trainings, measurements = inspection.standings(lab, ["vae", "mcae-0.5", "baseline/mean"])
    assert {each.name: each.state.state for each in trainings} == {"vae": "failed", "mcae-0.5": "cached"}
    of = {
        name: {m.state.state for m in measurements if m.name.startswith(name)} for name in ("vae", "mcae", "baseline")
    }
    assert of == {"vae": {"missing"}, "mcae": {"cached"}, "baseline": {"cached"}}


@pytest.mark.promise("What can't be stored stops the run at once: nothing else could be stored either.")
def test_a_full_disk_is_no_failure_of_a_training(small_lab: SmallLab, breaks: Callable[..., None]) -> None:
    lab = small_lab()
    breaks(StorageError("no room"), SWEEP[0])
    with pytest.raises(StorageError, match="no room"):
        progress.follow(lab, lab.plan(SWEEP))
    assert "failed" not in {state.state for state in standings(lab).values()}


# ── Old results ──────────────────────────────────────────────────────────────────────────────────────────────────────

NOTHING_OLD = "Where a training failed, no older result of it is used: reports, claims and tables name it instead."


@pytest.mark.promise(NOTHING_OLD)
def test_everything_that_needs_it_names_what_is_missing(
    small_lab: SmallLab, breaks: Callable[..., None], tmp_path: Path, tried: Tried
) -> None:
    """Everything was made and printed; then the budget changed, and one training of the new run fails."""
    before = small_lab(cache=tmp_path / "cache")
    progress.follow(before, before.plan())
    book = write_book(tmp_path / "project")
    book.pdf.parent.mkdir()
    book.pdf.write_bytes(b"old")
    breaks(torch.OutOfMemoryError("CUDA out of memory."), "vae")
    lab = small_lab(replace(PROFILE, epochs=PROFILE.epochs | {"vae": 2}), cache=tmp_path / "cache")
    findings = Findings(lab)
    manuscript = making.Manuscript(root=book.root, labs=(lab,), facts=lambda: facts.of(lab))
    variables.write(
        book.root / "_variables.yml", {**VALUES, "run": making._run(manuscript)}
    )  # as an earlier report left it
    files = {path for path in book.root.rglob("*") if path.suffix != ".lock"}
    missing = r"smoke/photos10/vae@0(/[\w+ -]+ could not be made| could not be made)?: OutOfMemoryError: CUDA out"
    asked: list[Callable[[], Any]] = [
        lambda: progress.follow(lab, lab.plan()),
        lambda: making.prepare(manuscript, "Quarto"),
        lambda: making.report(manuscript, "pandoc"),
        lambda: making.packed(manuscript),
        lambda: facts.of(lab),
        lambda: claims.judge_all(lab),
        lambda: findings.table([findings.ae(), findings.vae()], findings.reconstruction(), ["mse"]),
        lambda: findings.trainings(),
        lambda: findings.cost(findings.vae()),
    ]
    for ask in asked:
        with pytest.raises(TrainingError, match=missing):
            ask()
    assert {path for path in book.root.rglob("*") if path.suffix != ".lock"} == files, "nothing was rendered or packed"
    assert {row["experiment"] for row in inspection.rows(lab, ["vae", "ae-vector"])} == {"ae-vector"}
    assert inspection.trainings(lab, ["vae"]) == []
    [[vae], measurements] = inspection.standings(lab, ["vae"])
    assert (vae.state.state, vae.state.message) == ("failed", "OutOfMemoryError: CUDA out of memory.")
    assert "cached" not in {each.state.state for each in measurements}
    tried(len(asked))


# ── As a person sees it ──────────────────────────────────────────────────────────────────────────────────────────────

SEEN = "A command that could not do everything says so in its last lines, and its exit code isn't 0."


@pytest.mark.parametrize(("cause", "code"), [("GPU memory", 1), ("device", 1), ("divergence", 1), ("input", 2)])
@pytest.mark.parametrize("command", ["run", "report", "prepare"])
@pytest.mark.promise(SEEN)
def test_exit_codes(
    command: str,
    cause: str,
    code: int,
    small_lab: SmallLab,
    breaks: Callable[..., None],
    monkeypatch: Any,
    tmp_path: Path,
) -> None:
    error, said = CAUSES[cause]
    small_lab()
    breaks(error, "tune-base")
    plan = Lab.plan
    monkeypatch.setattr(Lab, "plan", lambda self, names=None: plan(self, SWEEP))
    monkeypatch.setattr(books, "PROJECT", write_book(tmp_path / "project").root)
    cache = tmp_path / "cache-of-the-command"
    fixed = ["--profile", "smoke", "--dataset", "photos10", "--device", "cpu", "--jobs", "1", "--cache", str(cache)]
    done = CliRunner().invoke(pipeline.app, [command, *fixed, *(["--renderer", "pandoc"] * (command == "report"))])
    assert done.exit_code == code
    assert done.stdout == ""
    assert done.stderr.splitlines()[-2] == "error: 1 could not be made, nor what needs them (the rest is done):"
    assert done.stderr.splitlines()[-1].startswith(f"  smoke/photos10/tune-base@0: {said.rstrip()}")
    assert "Traceback" not in done.stderr


@pytest.mark.promise(SEEN)
def test_claims_that_need_it_are_no_traceback(small_lab: SmallLab, breaks: Callable[..., None], tmp_path: Path) -> None:
    small_lab()
    breaks(CAUSES["device"][0], "ae-vector")
    fixed = ["--profile", "smoke", "--dataset", "photos10", "--device", "cpu", "--cache", str(tmp_path / "cache")]
    done = CliRunner().invoke(pipeline.app, ["claims", *fixed])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "error: smoke/photos10/ae-vector@0/test clean could not be made: "
        "RuntimeError: CUDA error: device-side assert triggered"
    )


RAISES = (
    'raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\\nSee the documentation.")\n'
    "        loss = reconstruction + kl_weight"
)


def break_the_vae(project: Project) -> None:
    project.edit("autoencoders/models/vae.py", "loss = reconstruction + kl_weight", RAISES)


@pytest.mark.promise(SEEN)
def test_a_sweep_over_two_processes(project: Project, tmp_path: Path) -> None:
    """An edited model raises in whichever process trains it."""
    own = project.copy(tmp_path / "code", cache=tmp_path / "cache")
    break_the_vae(own)
    done = own("run", "vae", "tune-base", "tune-width-4", "--jobs", "2")
    assert done.returncode == 1
    *_, head, line = done.stderr.splitlines()
    assert head == "error: 1 could not be made, nor what needs them (the rest is done):"
    assert line == "  smoke/photos10/vae@0: OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
    states = own.states("vae", "tune-base", "tune-width-4")
    assert {name: state["state"] for name, state in states.items()} == {
        "vae": "failed",
        "tune-base": "cached",
        "tune-width-4": "cached",
    }
    assert states["vae"]["message"] == "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."


@pytest.mark.promise(NOTHING_OLD)
def test_a_report_of_old_results_is_not_made(smoke: Run, tmp_path: Path) -> None:
    """The cache holds everything of the model as it was before it was edited."""
    shutil.copytree(smoke.project.cache, tmp_path / "cache", copy_function=os.link)
    own = smoke.project.copy(tmp_path / "code", cache=tmp_path / "cache")
    break_the_vae(own)
    done = own("report", "--renderer", "pandoc")
    assert done.returncode == 1
    assert done.stdout == ""
    failed = "smoke/photos10/vae@0, smoke/photos10/vae-beta1@0"
    assert done.stderr.splitlines()[-1].startswith(f"  {failed}: OutOfMemoryError: CUDA out of memory.")
    assert not {path.name for path in own.folder.iterdir()} & {"_book", "_variables.yml", "submission"}
    found = own.json("results", "vae", "ae-vector")
    assert {row["experiment"] for row in found["rows"]} == {"ae-vector"}
    assert {training["experiment"] for training in found["trainings"]} == {"ae-vector"}
