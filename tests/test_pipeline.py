"""The command line from outside: what a person types, what comes back, and what is left on the disk."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from copied_project import SELDOM, Project, Run, imported
from waiting import PATIENCE, until

from autoencoders.catalogue import Catalogue
from autoencoders.profiles import PROFILES
from autoencoders.specs import DRAWS

CATALOGUE = Catalogue(profile=PROFILES["smoke"], dataset="photos10")
SHARED = {"ae-vector", "tune-base"}  # two names for one training, whose artifact bears the name that was first
EXPERIMENTS = [e.name for e in [*CATALOGUE.results(), *CATALOGUE.tuning()]]


def snapshot(folder: Path) -> dict[str, Any]:
    """Everything about a folder that an inspection could change."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in [folder, *folder.rglob("*")]
        if path.exists()
    }


def artifacts(cache: Path) -> set[str]:
    return {path.name for path in (cache / "artifacts").glob("*")}


def trained(cache: Path) -> dict[str, str]:
    """Name -> time of each training in a cache."""
    records = [json.loads(path.read_bytes()) for path in (cache / "artifacts").glob("*/record.json")]
    return {r["name"].split("/")[-1]: r["created"] for r in records if r["kind"] == "training"}


# ── Help ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

HEAVY = {"torch", "torchvision", "sklearn", "skimage", "scipy", "matplotlib", "papermill", "nbformat", "IPython"}
HEAVY |= SELDOM


def test_help_tells_a_newcomer_what_there_is(project: Project) -> None:
    done = subprocess.run(
        [*project.command("x")[:2], "--help"],
        cwd=project.folder,
        env=project.environment(PYTHONPROFILEIMPORTTIME="1"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    for command in ("run", "status", "results", "graph", "prune", "report"):
        assert re.search(rf"\b{command}\b", done.stdout)
    assert "typer" in imported(done)
    assert not imported(done) & HEAVY


# ── Wrong input: one line and exit code 2 ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--group", "../x"), "group '../x'"),
        (("--sigmas", "0"), "sigmas '0': must be auto, or distinct levels from 0.001 to 10, such as 0.3,0.1"),
        (("--arithmetic", "dog - cat + bird"), "arithmetic: photos10 has no class dog, cat, bird; it has astronaut"),
        (("--dataset", "cifar11"), "unknown data set 'cifar11'"),
        (("ae-vectr",), "there are: ae-vector, ae-spatial"),
        (("--data-dir", "/nowhere", "--dataset", "cifar10"), "/nowhere is no folder"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(project: Project, arguments: tuple[str, ...], said: str) -> None:
    done = project("run", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert said in last
    assert "Traceback" not in done.stderr
    assert not project.cache.exists()


def test_unknown_option_and_unknown_command(project: Project) -> None:
    assert project("status", "--no-such-option").returncode == 2
    assert project("no-such-command").returncode == 2


def test_parameter_file_environment_and_flag(project: Project, tmp_path: Path) -> None:
    own = project.copy(tmp_path / "code")
    (own.folder / "params.yml").write_text("group: G01\nseeds: [4, 5]\n")

    def group(*flags: str, **twins: str) -> str:
        return json.loads(own("results", "--json", *flags, **twins).stdout)["group"]

    assert group() == "G01"
    assert group(GROUP="G02") == "G02"
    assert group("--group", "G03", GROUP="G02") == "G03"
    assert {s["seed"] for s in own.json("status", "ae-vector")["experiments"]} == {4, 5}


def test_damaged_data_is_wrong_input(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for name in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "batches.meta"):
        (folder / name).write_bytes(b"truncated")
    own = Project(project.folder, tmp_path / "cache")
    done = own("run", "tune-*", "--dataset", "cifar10", "--data-dir", str(folder.parent), "--jobs", "1")
    assert done.returncode == 2
    assert done.stderr.count("is truncated or altered") == 1, "one cause is one line, however many trainings it stops"
    assert str(folder / "data_batch_1") in done.stderr
    assert "Traceback" not in done.stderr


def test_cache_that_cannot_be_written(project: Project, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = project("run", "tune-base", "tune-latent-64", "--jobs", "1", "--cache", str(tmp_path / "file" / "cache"))
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("error: cache: ")
    assert str(tmp_path / "file") in done.stderr


# ── An empty cache ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_inspection_of_nothing_makes_nothing_on_the_command_line(project: Project) -> None:
    for command in ("status", "results", "graph", "prune"):
        done = project(command, PYTHONPROFILEIMPORTTIME="1")
        assert done.returncode == 0, done.stderr
        assert "autoencoders.lab" in imported(done)
        assert not imported(done) & HEAVY
    assert not project.cache.exists()
    assert {s["state"] for s in project.states().values()} == {"missing"}
    assert project.json("results")["rows"] == []


def test_missing_data_set_has_a_stand_in_that_is_announced(project: Project) -> None:
    done = project("status", "--json", "--dataset", "cifar10")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["dataset"] == "photos10"
    told = project("status", "--dataset", "cifar10")
    assert "notice: cifar10 is not here" in told.stderr
    assert "photos10 stands in for it" in told.stderr
    refused = project("status", "--dataset", "cifar10", "--profile", "full")
    assert refused.returncode == 2
    assert "--profile quick, which goes on with photos10" in refused.stderr
    assert project("prune", "--dataset", "cifar10").returncode == 0


# ── A filled cache ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_run_announces_itself_and_fills_the_cache(smoke: Run) -> None:
    assert smoke.stdout == ""
    assert smoke.stderr.startswith(
        "profile smoke (seconds, for tests: the numbers mean nothing) · photos10 · seeds 0 · cpu"
    )
    status = smoke.project.json("status")
    for group in ("experiments", "measurements"):
        assert {standing["state"] for standing in status[group]} == {"cached"}
    assert [standing["name"] for standing in status["experiments"]] == EXPERIMENTS
    assert not list(smoke.project.cache.glob("checkpoints/*"))
    assert not list(smoke.project.cache.glob("failures/*"))
    assert not list(smoke.project.cache.glob("set-aside/*"))


def test_run_again_does_nothing(smoke: Run) -> None:
    before = snapshot(smoke.project.cache)
    again = smoke.project("run", PYTHONPROFILEIMPORTTIME="1")
    assert again.returncode == 0
    counts = re.search(r"^(\d+) of (\d+) results are cached, 0 to make$", again.stderr, re.MULTILINE)
    assert counts
    assert counts[1] == counts[2]
    assert not imported(again) & {"torch", *SELDOM}
    assert snapshot(smoke.project.cache) == before


def test_inspection_changes_nothing(smoke: Run) -> None:
    before = snapshot(smoke.project.cache)
    for arguments in (("status",), ("status", "--json"), ("results",), ("results", "--json"), ("graph",), ("prune",)):
        done = smoke.project(*arguments, PYTHONPROFILEIMPORTTIME="1")
        assert done.returncode == 0, done.stderr
        assert not imported(done) & HEAVY
    assert snapshot(smoke.project.cache) == before


@pytest.mark.parametrize("command", ["status", "results"])
def test_json_has_one_envelope(smoke: Run, command: str) -> None:
    done = smoke.project(command, "--json", "--group", "G07")
    assert done.stderr == ""
    head = {"schema": 1, "profile": "smoke", "dataset": "photos10", "group": "G07", "device": "cpu"}
    assert json.loads(done.stdout).items() >= head.items()


def test_status_as_json(smoke: Run) -> None:
    for standing in smoke.project.json("status", "ae-vector")["experiments"]:
        assert standing["name"] == "ae-vector"
        assert standing["seed"] == 0
        assert standing.keys() >= {"key", "state", "reasons", "epoch", "epochs"}
        assert standing["key"] in artifacts(smoke.project.cache)


def test_status_for_people(smoke: Run) -> None:
    printed = smoke.project("status").stdout.splitlines()
    assert [line.split()[2] for line in printed[: len(EXPERIMENTS)]] == EXPERIMENTS
    assert printed[-3] == f"trainings: {len(EXPERIMENTS)} cached"
    assert re.fullmatch(r"measurements: \d+ cached", printed[-2])
    room = re.fullmatch(r"room: [\d,.]+ MB \((.*)\)", printed[-1])
    assert room
    assert {part.split()[0] for part in room[1].split(", ")} >= {"images", "trainings", "measurements"}


def test_results(smoke: Run) -> None:
    rows = smoke.project.json("results")["rows"]
    keys = {"experiment", "model", "key", "seed", "split", "input", "region", "metric", "value", "lo", "hi", "n"}
    assert all(row.keys() == keys for row in rows)
    assert {row["key"] for row in rows} <= artifacts(smoke.project.cache)
    drawn = {each.name for each in CATALOGUE.untrained()}
    assert {row["experiment"] for row in rows if row["seed"] == 0} == {e.name for e in CATALOGUE.results()} | drawn
    assert {row["experiment"] for row in rows if row["seed"] == 2} == drawn
    baselines = {row["experiment"]: row for row in rows if row["seed"] is None}
    assert baselines.keys() == {b.name for b in CATALOGUE.baselines()}
    assert all(row["model"] == name for name, row in baselines.items())
    assert {row["region"] for row in rows} == {"all", "masked"}
    assert {"clean", "gaussian:0.1", "gaussian:0.3", "gaussian:var0.1", "mask:0.5"} <= {row["input"] for row in rows}
    for row in rows:
        assert math.isfinite(row["value"])
        assert (row["lo"] is None) == (row["hi"] is None)
        assert row["lo"] is None or row["lo"] <= row["value"] <= row["hi"]
        assert 0 < row["n"] <= 2000
    identified = [tuple(row[k] for k in ("experiment", "seed", "split", "input", "region", "metric")) for row in rows]
    assert len(set(identified)) == len(identified), "each figure stands once"


def test_results_of_baselines(smoke: Run) -> None:
    found = smoke.project.json("results", "baseline/pca-*")
    assert {row["experiment"] for row in found["rows"]} == {"baseline/pca-128"}
    assert found["trainings"] == []


def test_results_carry_their_provenance(smoke: Run) -> None:
    found = smoke.project.json("results", "ae-vector", "vae")
    assert found["experiments"] == ["ae-vector", "vae"]
    trainings = {each["experiment"]: each for each in found["trainings"]}
    assert trainings.keys() == {"ae-vector", "vae"}
    assert trainings["ae-vector"]["key"] in {row["key"] for row in smoke.project.json("status")["experiments"]}
    for each in trainings.values():
        assert each["versions"].keys() >= {"python", "torch", "numpy", "joblib"}
        assert each["spec"]["training"]["epochs"] == 1
        assert each["inputs"]["data"]
    assert found["seconds"] >= sum(each["seconds"] for each in trainings.values()) > 0


def test_results_for_people(smoke: Run) -> None:
    printed = smoke.project("results").stdout
    [line] = re.findall(r"^ae-vector +0 +clean +mse .*$", printed, re.MULTILINE)
    assert re.search(r"\d\.\d+ +\[\d\.\d+, \d\.\d+\]$", line)
    assert "nan" not in printed


def test_graph_is_mermaid_and_names_everything(smoke: Run) -> None:
    printed = smoke.project("graph").stdout
    assert printed.startswith("flowchart LR\n")
    edges = re.findall(r"^  (\w+) --> (\w+)", printed, re.MULTILINE)
    assert len(edges) == printed.count("-->") > 20
    for name in (*EXPERIMENTS, *(b.name for b in CATALOGUE.baselines())):
        assert re.search(rf'"{re.escape(name)}[" ]', printed), name
    sources, targets = map(set, zip(*edges, strict=True))
    assert sources - targets == {"photos10"}, "everything comes from the data"
    assert targets - sources == {"report"}, "and all of it ends in the report"


def test_another_seed_is_other_work_but_the_same_baselines(smoke: Run) -> None:
    standings = smoke.project.json("status", "--seeds", "7")
    assert {s["state"] for s in standings["experiments"]} == {"missing"}
    states = {s["seed"]: s["state"] for s in standings["measurements"]}
    assert states == {None: "cached", **dict.fromkeys(DRAWS, "cached"), 7: "missing"}


# ── Edits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def copy(smoke: Run, tmp_path: Path) -> Project:
    """To be edited; it looks at the filled cache."""
    return smoke.project.copy(tmp_path / "code")


def test_status_names_the_edited_function(copy: Project) -> None:
    before = snapshot(copy.cache)
    copy.edit("autoencoders/corruption.py", "return noisy.clamp_(0, 1)", "return noisy.clamp_(0, 0.5)")
    states = copy.states()
    assert {state["state"] for name, state in states.items() if name not in SHARED} == {"stale"}
    [reason] = states["dae-vector-0.3"]["reasons"]
    assert reason["kind"] == "code"
    assert reason["what"] == "autoencoders.corruption.gaussian"
    assert reason["old"] != reason["new"]
    [line] = [s for s in copy("status").stdout.splitlines() if " dae-vector-0.3 " in s and " training " in s]
    assert line.startswith("stale")
    assert line.endswith("code autoencoders.corruption.gaussian")
    rows = copy.json("results")["rows"]
    found = {(row["experiment"].partition("/")[0], row["input"]) for row in rows}
    assert found == {("baseline", "clean"), ("random", "clean")}, "what is stale is no result"
    assert snapshot(copy.cache) == before


def test_status_of_other_models_survives_an_edit(copy: Project) -> None:
    copy.edit("autoencoders/models/vae.py", "log_variance.clamp(-12, 12)", "log_variance.clamp(-11, 12)")
    states = {name: standing["state"] for name, standing in copy.states().items()}
    assert {name for name, state in states.items() if state != "cached"} == {"vae", "vae-beta1"}


def test_status_ignores_edits_that_no_training_reaches(copy: Project) -> None:
    for path in (copy.folder / "autoencoders" / "figures").glob("*.py"):
        path.write_text(path.read_text() + "\n\ndef more() -> int:\n    return 1\n")
    path = copy.folder / "autoencoders" / "training.py"
    path.write_text(path.read_text() + "\n# A comment.\n")
    copy.edit("autoencoders/models/base.py", '"""The reconstruction."""', '"""The reconstruction, once more."""')
    status = copy.json("status")
    assert {s["state"] for s in status["experiments"] + status["measurements"]} == {"cached"}


def test_editing_a_measurement_retrains_nothing(copy: Project) -> None:
    copy.edit("autoencoders/measurements/anomaly.py", "TILES = 4", "TILES = 2")
    status = copy.json("status")
    assert {s["state"] for s in status["experiments"]} == {"cached"}
    stale = {(s["kind"], s["state"]) for s in status["measurements"] if s["state"] != "cached"}
    assert stale == {("anomaly", "stale")}


def test_status_names_the_changed_parameter(copy: Project) -> None:
    copy.edit("autoencoders/specs.py", "clip_norm: float = 1.0", "clip_norm: float = 2.0")
    reasons = copy.states()["ae-vector"]["reasons"]
    assert {"kind": "parameter", "what": "training.clip_norm", "old": 1.0, "new": 2.0} in reasons


# ── Runs of their own ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def own(project: Project, tmp_path: Path) -> Project:
    """With an empty cache."""
    return project.copy(tmp_path / "code", cache=tmp_path / "cache")


def test_failing_training_stops_no_others_and_is_listed(own: Project) -> None:
    """And it is remembered, dropped by `prune`, and gone with its cause."""
    own.edit("autoencoders/models/vae.py", "loss = reconstruction + kl_weight", "loss = float('nan') * kl_weight")
    done = own("run", "vae", "tune-base", "--jobs", "1")
    assert done.returncode == 1
    assert "error: 1 could not be made, nor what needs them (the rest is done):" in done.stderr
    assert re.search(r"smoke/photos10/vae@0: vae diverged: .*step 1 of", done.stderr)
    assert "Traceback" not in done.stderr
    assert trained(own.cache).keys() == {"tune-base@0"}, "only what was named is trained"
    states = own.states("vae", "tune-base")
    assert states["tune-base"]["state"] == "cached"
    assert states["vae"]["state"] == "failed"
    assert states["vae"]["message"].startswith("TrainingError: vae diverged")
    assert "vae diverged" in own("status", "vae").stdout
    own.edit("autoencoders/models/vae.py", "loss = float('nan') * kl_weight", "loss = reconstruction + kl_weight")
    assert own.states("vae")["vae"]["state"] == "missing"
    # What the catalogue holds stays; the broken training's leftovers go, but only when that is asked for.
    listed = own("prune")
    assert listed.returncode == 0
    assert re.search(r"^failure .*smoke/photos10/vae@0$", listed.stdout, re.MULTILINE)
    assert not re.search("^entry", listed.stdout, re.MULTILINE)
    assert "would be dropped: say --yes" in listed.stderr
    assert list((own.cache / "failures").iterdir())
    assert own("prune", "--yes", "--really").returncode == 0, "its checkpoint is half of the work"
    assert not list((own.cache / "failures").iterdir())
    assert trained(own.cache).keys() == {"tune-base@0"}


def test_prune_keeps_every_seed_and_drops_what_an_edit_left_behind(own: Project) -> None:
    assert own("run", "tune-latent-64", "--jobs", "1", "--seeds", "3").returncode == 0
    assert own("prune").stdout == "", "a seed that was computed is kept, whatever the settings say"
    own.edit("autoencoders/specs.py", "clip_norm: float = 1.0", "clip_norm: float = 2.0")
    [entry] = own("prune").stdout.splitlines()
    assert re.fullmatch(r"entry +\d+\.\d\d MB  smoke/photos10/tune-latent-64@3", entry)
    assert trained(own.cache).keys() == {"tune-latent-64@3"}, "it was only listed"
    assert own("prune", "--yes").stdout.splitlines() == [entry]
    assert trained(own.cache) == {}


def test_prune_keeps_what_the_parameters_in_force_need(own: Project) -> None:
    assert own("run", "tune-base", "--jobs", "1").returncode == 0
    assert own("run", "tune-latent-12", "--jobs", "1", "--latents", "24").returncode == 0
    assert own("prune", AE_LATENTS="24").stdout == "", "nor what the profile needs by default"
    [entry] = own("prune", "--latents", "40").stdout.splitlines()
    assert entry.endswith("smoke/photos10/tune-latent-12@0")


def test_interrupted_run_can_be_gone_on_with(own: Project) -> None:
    own.edit("autoencoders/profiles.py", '"vit": 1, "tuning": 1}', '"vit": 1, "tuning": 50}')
    names = ("tune-base", "tune-rate-0.006")
    for jobs in ("2", "1"):
        interrupt(own, "run", *names, "--jobs", jobs)
        [partial, *_] = [s for s in own.states(*names).values() if s["state"] != "missing"]
        assert (partial["state"], partial["epochs"]) == ("partial", 50)
        assert 1 <= partial["epoch"] <= 50
        assert f"epoch {partial['epoch']}/50" in own("status", partial["name"]).stdout
        assert not trained(own.cache), "nothing half-written"
        assert not list(own.cache.glob("failures/*")), "an interruption is no failure"
    done = own("run", *names)
    assert done.returncode == 0, done.stderr
    assert {s["state"] for s in own.states(*names).values()} == {"cached"}
    assert not list(own.cache.glob("checkpoints/*"))


def interrupt(project: Project, *arguments: str) -> None:
    """Ctrl-C as soon as a training has begun: a terminal tells every process of the command."""
    before = progress(project)
    process = subprocess.Popen(
        project.command(*arguments),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # background jobs ignore it
    )
    until(lambda: process.poll() is not None or progress(project) - before)
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert stderr.strip().splitlines()[-1].startswith("interrupted: finished work is kept")
    assert "Traceback" not in stderr
    until(lambda: is_gone(process.pid))


def progress(project: Project) -> set[tuple[Path, int]]:
    """What trainings have noted down, and when."""
    return {(path, path.stat().st_mtime_ns) for path in project.cache.glob("checkpoints/*/progress.json")}


def is_gone(group: int) -> bool:
    """Whether a command has left no process behind."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False
