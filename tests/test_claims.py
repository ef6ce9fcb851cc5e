"""Claims follow the data; and prose outside them states no measured number and no ranking."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from copied_project import Run

from autoencoders.claims import Claim, Judged, Quantity, by_requirement, compare
from autoencoders.reporting.notebook_files import NotebookFile
from autoencoders.settings import PROJECT

RNG = np.random.default_rng(0)
HIGH, LOW = RNG.normal(24, 2, 500), RNG.normal(22, 2, 500)


def never(findings: object) -> tuple[Quantity, Quantity]:
    raise AssertionError("compared directly")


CLAIM = Claim(
    id="a-b",
    requirement="R7",
    statement="the first denoises better than the second",
    expected="greater",
    margin=0.1,
    unit=" dB",
    measure=never,
)


def judged(a: np.ndarray, b: np.ndarray, claim: Claim = CLAIM) -> Judged:
    return compare(claim, Quantity("first", a), Quantity("second", b))


def test_swapped_results_turn_the_verdict_and_the_sentence() -> None:
    supported, contradicted = judged(HIGH, LOW), judged(LOW, HIGH)
    assert (supported.verdict, contradicted.verdict) == ("supported", "contradicted")
    assert supported.sentence.startswith("The first denoises better than the second (first ")
    assert contradicted.sentence.startswith(
        "**Contradicted:** that the first denoises better than the second was expected"
    )
    assert "the other way round" in contradicted.sentence
    assert f"{HIGH.mean():.2f}" in supported.sentence


def test_what_the_data_cannot_tell_is_undecided() -> None:
    found = judged(HIGH, HIGH + RNG.normal(0, 1, 500))
    assert found.verdict == "undecided"
    assert found.sentence.startswith("**Undecided:** whether the first")


@pytest.mark.parametrize(
    ("gap", "verdict"), [(0.2, "supported"), (0.05, "undecided"), (-0.05, "undecided"), (-0.2, "contradicted")]
)
def test_a_difference_within_the_margin_is_no_difference(gap: float, verdict: str) -> None:
    assert judged(LOW + gap, LOW).verdict == verdict


def test_perfect_images_leave_a_claim_undecided() -> None:
    """Their PSNR is infinite: no number can be made of the difference, and none is."""
    perfect = np.where(np.arange(500) == 3, np.inf, HIGH)
    for a, b in ((perfect, LOW), (LOW, perfect), (perfect, perfect)):
        found = judged(a, b)
        assert found.verdict == "undecided"
        assert "dB; infinite for some images, which have no difference; n = 500; undecided" in found.sentence
        assert "∞" in found.sentence
        assert "nan" not in found.sentence


def test_less_may_be_what_is_expected() -> None:
    assert judged(LOW, HIGH, replace(CLAIM, expected="less")).verdict == "supported"
    assert judged(HIGH, LOW, replace(CLAIM, expected="less")).verdict == "contradicted"


def test_a_reference_may_be_one_number() -> None:
    assert judged(HIGH, np.array(20.0)).verdict == "supported"
    assert judged(HIGH, np.array(30.0)).verdict == "contradicted"


def test_a_baseline_on_fewer_images_is_compared_on_those() -> None:
    found = judged(HIGH, LOW[:100])
    assert found.difference.n == 100
    assert found.a.mean == pytest.approx(HIGH[:100].mean())


def test_one_seed_holds_in_this_run_and_several_over_seeds() -> None:
    assert "supported in this run" in judged(HIGH, LOW).sentence
    several = judged(np.stack([HIGH, HIGH + 0.1, HIGH - 0.1]), LOW)
    assert "supported over 3 seeds" in several.sentence


def test_a_requirement_gets_all_of_its_sentences() -> None:
    both = [judged(HIGH, LOW), judged(LOW, HIGH), judged(HIGH, LOW, replace(CLAIM, requirement="R12"))]
    paragraphs = by_requirement(both)
    assert list(paragraphs) == ["r07", "r12"]
    assert paragraphs["r07"].count("• ") == 2


def test_the_command_judges_every_claim_of_a_run(smoke: Run) -> None:
    claims = smoke.project.json("claims")["claims"]
    keys = ["id", "requirement", "sentence", "expected", "a", "b", "difference", "margin", "lo", "hi", "n", "verdict"]
    assert all(list(claim) == keys for claim in claims)
    assert len({claim["id"] for claim in claims}) == len(claims)
    answered = {claim["requirement"] for claim in claims}
    assert answered >= {"R6", "R7", "R8", "R11", "R12", "R14", "R15", "R16", "R18", "R19", "R20", "R22", "R23", "R27"}
    contradicted = any(claim["verdict"] == "contradicted" for claim in claims)
    assert smoke.project("claims").returncode == 0
    assert smoke.project("claims", "--strict").returncode == int(contradicted)


# ── Prose ────────────────────────────────────────────────────────────────────────────────────────────────────────────

# What isn't measured: the data set, the assignment, how things are done, and how tables are to be read
ALLOWED = (
    r"60,000 RGB images of 32×32 pixels in 10 classes",
    r"50,000 are for training and 10,000 for testing",
    r"CIFAR-10|photos10",
    r"(8×8|4×4)( cells| pixels)?",
    r"\[0, 1\]|−1 to 1",
    r"95 %",
    r"(variance|\*variance\*)( of)? 0\.1",
    r"σ ≈ 0\.316",
    r"MCAE 0\.75|ViT 0\.75",
    r"(at|to) 128( dimensions| numbers)?|at most 128 dimensions",
    r"15 (nearest )?neighbours",
    r"Model [12]",
    r"of mean 0",
    r"CKA: 1 if",
    r"300 draws",
    r"more than 0\.01",
    r"has 1 for both",
    r"R\d+(–R\d+)?",
    r"[Tt]he best of each column is bold",
    r"the better of the two is bold",
    r"has the bold figure instead",
    r"a larger one (keeps more and compresses less|is no better model, but another trade of size for quality)",
    r"Short trainings that differ from a base",
    r"128, 64, 32 and 16 filters|of stride 2|batches of 128",
    r"[23]-D",
    r"80/10/10|70/20/10|to 256 dimensions|within 0\.1|PASCAL VOC 2007|STL-10",
    r"8 channels|3×3 kernels|stride 1|\[−1, 1\]",
)
NUMBER = re.compile(r"(?<![\w@#])\d[\d.,]*")
RANKING = re.compile(
    r"\b(better|worse|best|worst|higher|lower|highest|lowest|outperforms?|beats?|superior|inferior|wins?|loses?)\b",
    re.I,
)


def prose_of_chapters() -> dict[str, str]:
    chapters = [PROJECT / "index.qmd", *sorted((PROJECT / "report").glob("[0-9]*.qmd"))]
    chapters += [PROJECT / "report/studies/index.qmd", *sorted((PROJECT / "report/studies").glob("[0-9]*.qmd"))]
    return {path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8") for path in chapters}


def prose_of_notebooks() -> dict[str, str]:
    texts = {}
    for path in sorted((PROJECT / "analysis").glob("*.ipynb")):
        for number, cell in enumerate(NotebookFile.read(path).cells):
            captions = [str(cell.options.get(name, "")) for name in ("fig-cap", "tbl-cap", "fig-alt")]
            texts[f"{path.name}:{number}"] = cell.source if cell.kind == "markdown" else " ".join(captions)
    return texts


def stripped(text: str) -> str:
    """Without shortcodes, math, code, references, headings' ids, and what is allowed."""
    for pattern in (
        r"\{\{<.*?>\}\}",
        r"\$\$.*?\$\$",
        r"\$[^$]*\$",
        r"`[^`]*`",
        r"\{[#.][^}]*\}",
        r"\[?-?@[\w:-]+[^\]]*\]",
        r"@[\w-]+",
    ):
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    for pattern in ALLOWED:
        text = re.sub(pattern, " ", text)
    return text


@pytest.mark.parametrize(("where", "text"), [*prose_of_chapters().items(), *prose_of_notebooks().items()])
def test_prose_states_no_measured_number_and_no_ranking(where: str, text: str) -> None:
    left = stripped(text)
    assert not NUMBER.findall(left), (
        where,
        [left[max(0, m.start() - 40) : m.end() + 20] for m in NUMBER.finditer(left)],
    )
    assert not RANKING.findall(left), (where, RANKING.findall(left))


@pytest.mark.parametrize(
    "sentence",
    ["The AE reaches 23.1 dB.", "Accuracy rises to 55 %.", "The DAE is better than the AE.", "It beats PCA."],
)
def test_the_scan_finds_what_it_is_for(sentence: str) -> None:
    left = stripped(sentence)
    assert NUMBER.findall(left) or RANKING.findall(left)
