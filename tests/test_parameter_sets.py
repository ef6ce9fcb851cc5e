"""Whole reports of runs that compare other things: nothing in them names a value that the run hasn't."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdf
import pytest
import yaml
from copied_project import Project, Run
from made_report import complete, make

pytestmark = pytest.mark.scenario

VARIANCE, NOTHING_HIDDEN = 0.1**0.5, 0
NUMBER = r"(\d*\.?\d+)(?![.\d]*\d)"
SAID = {  # how a value of each kind is named, in prose, tables, captions, claims and data of pages
    "levels": [
        rf"[σ𝜎] (?:=|of) {NUMBER}",
        rf"gaussian:{NUMBER}",
        rf"dae-(?:vector|spatial)-{NUMBER}",
        rf"DAE {NUMBER}",
    ],
    "ratios": [rf"(?:MCAE|ViT) {NUMBER}", rf"(?:mcae|vit)-{NUMBER}", rf"mask:{NUMBER}", rf"share of {NUMBER}"],
    "latents": [
        *(rf"(?:PCA\)?|AE, vector|β = 1), {NUMBER}", rf"-l{NUMBER}", rf"/(?:pca|ppca|linear-vae)-{NUMBER}"),
        *(rf"_pca{NUMBER}", rf"{NUMBER} (?:numbers|components|dimensions)", rf"at {NUMBER} \(%\)", rf", at {NUMBER}"),
    ],
    "betas": [rf"β = {NUMBER}", rf"β of {NUMBER}", rf"vae-beta{NUMBER}"],
    "sums": [r"(\w+ − \w+) \+"],  # what is added may be images of other classes
}


@dataclass(frozen=True)
class Case:
    """What a run is given, in the file, the environment or by flags, and all that it may name."""

    file: dict[str, Any]
    twins: dict[str, str]
    flags: tuple[str, ...]
    levels: set[float]
    ratios: set[float]
    latents: set[float]
    betas: set[float]
    lacks: set[str]
    seeds: tuple[int, ...] = (0,)
    sums: tuple[str, ...] = ("astronaut − chelsea", "rocket − hubble", "flower − retina")


CASES = {
    "one level": Case(
        file={"sigmas": [0.17], "ratios": [0.4], "betas": "none", "arithmetic": ["coffee - ihc + rocket"]},
        twins={},
        flags=(),
        levels={0.17},
        ratios={0.4},
        latents={128},
        betas=set(),
        lacks={"R7", "R8", "R16", "R19 and R22", "R25"},
        sums=("coffee − ihc",),
    ),
    "five ratios": Case(
        file={},
        twins={"AE_RATIOS": "0.6,0.2,0.35,0.45,0.8", "AE_SIGMAS": "0.15,0.25", "AE_UNSEEN": "0.05"},
        flags=(),
        levels={0.05, 0.15, 0.25},
        ratios={0.2, 0.35, 0.45, 0.6, 0.8},
        latents={128},
        betas={1},
        lacks={"R25"},
    ),
    "two latents and two seeds": Case(
        file={"latents": 24},
        twins={"AE_BETAS": "0.5,2"},
        flags=("--latents", "24,40", "--seeds", "3,5"),
        levels={0.1, 0.3},
        ratios={0.1, 0.3, 0.5, 0.75},
        latents={24, 40},
        betas={0.5, 2},
        lacks={"R8"},
        seeds=(3, 5),
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def said(text: str) -> dict[str, set[Any]]:
    found = {kind: {match for one in patterns for match in re.findall(one, text)} for kind, patterns in SAID.items()}
    return {kind: values if kind == "sums" else {float(value) for value in values} for kind, values in found.items()}


def texts(book: Path) -> Iterator[tuple[str, str]]:
    """What each page says, with its alt texts and the data of its scripts; not code, nor benchmarks made elsewhere."""
    for path in sorted(book.rglob("*.html")):
        page = re.sub(r'<figure id="tbl-speed.*?</figure>', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        shown = re.sub(r"<(pre|script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
        words = [*re.findall(r'alt="([^"]*)"', shown), re.sub(r"<[^>]+>", "", shown)]
        yield path.relative_to(book).as_posix(), html.unescape(" ".join(words)).replace("\u00a0", " ")
    for path in sorted((book / "explore/data").glob("*.js")):
        data = re.sub(r'"[^" ]{200,}"', '""', path.read_text(encoding="utf-8"))  # without images and weights
        yield path.name, re.sub(r"(?<=sums of three classes, )\w+ − \w+ \+ \w+", "", data)  # the best of all there are
    for number, sheet in enumerate(pypdf.PdfReader(next(book.glob("*.pdf"))).pages, start=1):
        if "Measured apart from this run" not in (text := " ".join(sheet.extract_text().split())):
            yield f"page {number}", text


def test_report_names_nothing_that_the_run_has_not(smoke: Run, tmp_path: Path, case: Case) -> None:
    project = complete(smoke.project.copy(tmp_path / "code", cache=tmp_path / "cache"))
    shutil.copytree(smoke.project.cache, project.cache)
    (project.folder / "params.yml").write_text(yaml.safe_dump(case.file), encoding="utf-8")
    done = make(project, *case.flags, **case.twins)
    assert done.returncode == 0, done.stderr
    allowed = {
        "levels": case.levels | {round(VARIANCE, 3)},
        "ratios": case.ratios | {NOTHING_HIDDEN},
        "latents": case.latents,
        "betas": case.betas,
        "sums": {*case.sums, "a − b"},
    }
    everywhere: dict[str, set[Any]] = {kind: set() for kind in SAID}
    for where, text in texts(project.folder / "_book"):
        for kind, values in said(text).items():
            assert values <= allowed[kind], f"{where}: {kind} {sorted(values - allowed[kind])}"
            everywhere[kind] |= values
    for kind, values in everywhere.items():
        assert values >= {*getattr(case, kind)}, f"the report doesn't name all {kind}"
    check_checklist(project, case)
    check_commands(project, case)


def check_checklist(project: Project, case: Case) -> None:
    checklist = (project.folder / "_book/report/checklist.html").read_text(encoding="utf-8")
    lacking = re.sub(r"<[^>]+>", "", checklist.rpartition("</table>")[2])
    assert {*re.findall(r"^\s*(R\d+(?: and R\d+)?) ", lacking, re.MULTILINE)} == case.lacks


def check_commands(project: Project, case: Case) -> None:
    """The other commands know the same run."""
    twins, flags = {"GROUP": "G07"} | case.twins, case.flags
    found = json.loads(project("status", "--json", *flags, **twins).stdout)
    assert {each["state"] for each in (*found["experiments"], *found["measurements"])} == {"cached"}
    assert {each["seed"] for each in found["experiments"]} == {*case.seeds}
    assert project("prune", *flags, **twins).stdout == "", "what is in force is kept"
    assert project("submission", *flags, **twins).returncode == 0
    if case.twins:
        refused = project("submission", GROUP="G07")
        assert refused.returncode == 1
        assert re.search(r"the report that was made last is another one: .* --(ratios|betas) '", refused.stderr)
