"""What a run is asked to do: who overrides whom, and one clear line for everything that is wrong."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from autoencoders import compared, machine, settings
from autoencoders.errors import InputError
from autoencoders.settings import PROJECT, Settings


@pytest.fixture(autouse=True)
def no_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the person who runs the tests has set."""
    for twin in settings.ENVIRONMENT.values():
        monkeypatch.delenv(twin, raising=False)


@pytest.fixture
def params(tmp_path: Path) -> Path:
    return tmp_path / "params.yml"


VALUES: list[tuple[str, Any, str, Any, Any]] = [  # setting, in the file, in the environment, as a flag, what is meant
    ("group", "G01", "G02", "G03", "G03"),
    ("profile", "full", "quick", "smoke", "smoke"),
    ("dataset", "mnist", "digits", "photos10", "photos10"),
    ("sigmas", [0.1, 0.2], "0.3,0.4", "0.25", (0.25,)),
    ("unseen", [0.1], "none", "0.2 0.6", (0.2, 0.6)),
    ("ratios", 0.5, "[0.3, 0.4]", "0.6,0.2", (0.6, 0.2)),
    ("latents", [128, 64], "32", "24,40", (24, 40)),
    ("betas", 1, "none", "2,0.5", (2.0, 0.5)),
    (
        "arithmetic",
        ["dog - cat + bird"],
        "ship - truck + dog",
        "a - b + c, d − e + f",
        (("a", "b", "c"), ("d", "e", "f")),
    ),
    ("seeds", [1, 2], "3,4", "5", (5,)),
    ("data_dir", "/a", "/b", Path("/c"), Path("/c")),
    ("cache", "/a", "/b", Path("/c"), Path("/c")),
    ("device", "cuda", "mps", "cpu", "cpu"),
    ("jobs", 2, "3", "4", 4),
]
SWITCHES = [(True, True), ("true", True), ("1", True), ("True", True), (False, False), ("false", False), ("0", False)]


@pytest.mark.parametrize(("name", "in_file", "in_environment", "flag", "meant"), VALUES)
def test_flag_beats_environment_beats_file(
    params: Path, monkeypatch: pytest.MonkeyPatch, name: str, in_file: Any, in_environment: str, flag: Any, meant: Any
) -> None:
    def found(**flags: Any) -> Any:
        return getattr(settings.load(params, **flags), name)

    default = found()
    params.write_text(yaml.safe_dump({name: in_file}))
    from_file = found()
    monkeypatch.setenv(settings.ENVIRONMENT[name], in_environment)
    from_environment = found()
    from_flag = found(**{name: flag})
    assert from_flag == meant
    assert len({str(value) for value in (default, from_file, from_environment, from_flag)}) == 4
    assert found(**{name: None}) == from_environment, "None is a flag that wasn't given"
    monkeypatch.delenv(settings.ENVIRONMENT[name])
    assert found() == from_file, "nothing that a flag says is persisted"


def test_edition_follows_the_same_order(params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three values, one is the default's again."""
    assert settings.load(params).edition == "standard"
    params.write_text("edition: full")
    assert settings.load(params).edition == "full"
    monkeypatch.setenv("AE_EDITION", "short")
    assert settings.load(params).edition == "short"
    assert settings.load(params, edition="standard").edition == "standard"


def test_every_setting_but_those_of_the_file_has_a_twin() -> None:
    assert {f.name for f in dataclasses.fields(Settings)} - settings.ENVIRONMENT.keys() == {"authors", "notebooks"}


@pytest.mark.parametrize("content", [None, "", "# nothing\n", "{}"])
def test_without_parameters_all_is_default(params: Path, content: str | None) -> None:
    if content is not None:
        params.write_text(content)
    assert settings.load(params) == Settings()


def test_committed_file_is_valid_and_names_its_twins() -> None:
    settings.load()
    text = (PROJECT / "params.yml").read_text(encoding="utf-8")
    for name in ("group", "profile", "dataset", "edition", *compared.PARAMETERS):
        assert f"{name}:" in text
        assert settings.ENVIRONMENT[name] in text


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("group", "G00", "G00"),
        ("group", "0-a_B", "0-a_B"),
        ("group", "x" * 32, "x" * 32),
        ("authors", [], ()),
        ("authors", "Ada Lovelace", ("Ada Lovelace",)),
        ("authors", [" Ada Lovelace ", "Žofie Müller-李"], ("Ada Lovelace", "Žofie Müller-李")),
        ("seeds", "auto", None),
        ("seeds", None, None),
        ("seeds", 3, (3,)),
        ("seeds", "0, 1 2", (0, 1, 2)),
        ("seeds", [2, 0], (2, 0)),
        *((name, auto, None) for name in compared.PARAMETERS for auto in ("auto", None)),
        ("unseen", "none", ()),
        ("betas", "none", ()),
        ("betas", "1", (1.0,)),
        ("sigmas", "[0.3, 1e-1]", (0.3, 0.1)),
        ("arithmetic", "dog - cat + bird", (("dog", "cat", "bird"),)),
        ("jobs", "auto", None),
        ("jobs", None, None),
        ("jobs", 2, 2),
        ("device", "cuda:1", "cuda:1"),
        ("cache", "", PROJECT / "cache"),
        ("data_dir", "", None),
        ("notebooks", None, {}),
        ("notebooks", {"02-denoising": {"examples": 3}}, {"02-denoising": {"examples": 3}}),
    ],
)
def test_values_are_read_as_they_are_meant(params: Path, name: str, value: Any, meant: Any) -> None:
    params.write_text(yaml.safe_dump({name: value}))
    assert getattr(settings.load(params), name) == meant


@pytest.mark.parametrize(("value", "meant"), SWITCHES)
def test_strictness_is_a_switch(params: Path, value: Any, meant: bool) -> None:
    params.write_text(yaml.safe_dump({"strict_environment": value}))
    assert settings.load(params).strict_environment is meant


SET, BYTES = {1, 2}, b"hi"


@pytest.mark.parametrize("name", [*settings.RULES])
@pytest.mark.parametrize("value", [BYTES, SET, [BYTES], {BYTES: BYTES}], ids=repr)
def test_values_of_other_yaml_types_are_refused(params: Path, name: str, value: Any) -> None:
    """`seeds: !!binary aGk=` is neither 104 nor 105."""
    params.write_text(yaml.safe_dump({name: value}))
    with pytest.raises(InputError):
        settings.load(params)


def test_folders_are_absolute(params: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = settings.load(params, cache=Path("here"), data_dir="~/data")
    assert found.cache == tmp_path / "here"
    assert found.data_dir == tmp_path / "home" / "data"


WRONG: dict[str, list[Any]] = {
    "group": ["", "../x", "a b", "-a", "_a", "x" * 33, "é", "G07\n", "a/b", "a.b", 7, None, True],
    "profile": ["", "fast", "Quick", 1, None, ["quick"]],
    "dataset": ["", "cifar11", "../cifar10", 10, None],
    "edition": ["", "long", "Short", 1, None, ["short"]],
    "seeds": ["", str(2**63), "1,1", [1, 1], "-1", -1, "a", "0.5", 0.5, [0.5], True, [None], [], {}],
    "sigmas": [
        "",
        [],
        "none",
        0,
        [-0.1],
        [0.2, 0.2],
        [0.2, 0.2001],
        [0.0001],
        11,
        1e308,
        "loud",
        [None],
        math.inf,
        math.nan,
    ],
    "unseen": ["", [], 0, [0.2, 0.2], "0.2;0.4", True],
    "ratios": ["", [], "none", 0, 1, [0.5, 0.5], 1.5, -0.5, 0.001, 0.99, 1e308, "half"],
    "latents": ["", [], "none", 0, 1, 1.5, [64, 64], 4096, -8],
    "betas": ["", [], 0, -1, [1, 1.0], "big"],
    "arithmetic": [
        "",
        [],
        "none",
        "dog",
        "dog - cat",
        "dog-cat+bird",
        "dog - dog + cat",
        [["a", "b", "c"]],
        ["a - b + c"] * 2,
    ],
    "jobs": [0, "0", -1, "two", 1.5, "1.5", "", "²", True],
    "device": ["", "gpu", "cuda:", "cuda:x", "CPU", 0, None],
    "strict_environment": ["", "maybe", 2, None, [True], {}, b"1"],
    "authors": [None, 3, [""], [" "], [3], ["Ada\nLovelace"], {"a": "b"}],
    "cache": [5, ["a"], "a\0b", "~nobody-of-this-name/x"],
    "data_dir": [5, ["a"], {"a": 1}],
    "notebooks": [
        "02",
        ["02"],
        {"02-denoising": None},
        {"02-denoising": [0.1]},
        3,
        {"02-denoising": {"sigmas": [0.1]}},
    ],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_wrong_values_are_one_clear_line(params: Path, name: str, value: Any) -> None:
    params.write_text(yaml.safe_dump({name: value}))
    with pytest.raises(InputError) as caught:
        settings.load(params)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert name in message or "data set" in message or "path of a folder" in message


def test_levels_both_trained_and_unseen_are_refused(params: Path) -> None:
    params.write_text("sigmas: [0.1, 0.2]")
    with pytest.raises(InputError, match="^unseen 0.2: must be levels that sigmas has not$"):
        settings.load(params, unseen="0.2,0.3")


@pytest.mark.parametrize("name", compared.PARAMETERS)
def test_what_is_compared_is_no_parameter_of_a_notebook(params: Path, name: str) -> None:
    params.write_text(yaml.safe_dump({"notebooks": {"02-denoising": {"examples": 3, name: "auto"}}}))
    with pytest.raises(
        InputError, match=f"^notebooks: '02-denoising': {name} belongs to the whole run: move it to a line"
    ):
        settings.load(params)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"groop: G07", "has no parameter groop; there are: group, authors, profile"),
        (b"1: 2\n[a]: 3", "has no parameter|not valid YAML"),
        (b"group: [", "is not valid YAML"),
        (b"group: G07\n  authors: x", "is not valid YAML"),
        (b"- group", "must hold 'name: value' lines, not a list"),
        (b"G07", "must hold 'name: value' lines, not a str"),
        (b"group: \xff\xfe", "is not UTF-8 text"),
        (b"group: !!python/object/apply:os.getcwd []", "is not valid YAML"),
        (b"group: 2020-99-99", "is not valid YAML"),
    ],
)
def test_wrong_files_are_one_clear_line(params: Path, content: bytes, said: str) -> None:
    params.write_bytes(content)
    with pytest.raises(InputError, match=rf"^(\S*/)?params.yml.*({said})") as caught:
        settings.load(params)
    assert len(str(caught.value).splitlines()) == 1


# ── What auto means ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("found", "profile"), [(["0"], "full"), ([], "quick")])
def test_auto_profile_is_full_where_there_is_a_gpu(
    monkeypatch: pytest.MonkeyPatch, found: list[str], profile: str
) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: found)
    assert Settings().resolved_profile().name == profile
    assert Settings(profile="smoke").resolved_profile().name == "smoke"


def test_settings_need_no_torch() -> None:
    code = "import sys; from autoencoders import settings; settings.load().resolved_profile(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "autoencoders.data" in done.stdout.split()
    assert "torch" not in done.stdout.split()
