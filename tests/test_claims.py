"""Claims follow the data; and prose outside them states no measured number and no ranking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from copied_project import Run
from prose import ALLOWED, NUMBER, RANKING, stripped

from autoencoders.claims import SCALES, margins
from autoencoders.jsonable import finite
from autoencoders.judging import AUROC, DECIBELS, Claim, Judged, Quantity, Ranking, correct
from autoencoders.reporting.notebook_files import NotebookFile
from autoencoders.settings import PROJECT

RNG = np.random.default_rng(0)
HIGH, LOW = RNG.normal(24, 2, 500), RNG.normal(22, 2, 500)
SIDES = Quantity("first", HIGH), Quantity("second", LOW)
CLAIM = Claim("a-b", "R7", "the first denoises better than the second", *SIDES, DECIBELS)


def judged(a: np.ndarray, b: np.ndarray, claim: Claim = CLAIM) -> Judged:
    return Judged.of(claim, Quantity("first", a), Quantity("second", b))


def test_verdict_and_sentence_turn_with_swapped_results() -> None:
    supported, contradicted = judged(HIGH, LOW), judged(LOW, HIGH)
    assert (supported.verdict, contradicted.verdict) == ("supported", "contradicted")
    assert supported.sentence.startswith("The first denoises better than the second (first ")
    assert contradicted.sentence.startswith(
        "**Contradicted:** that the first denoises better than the second was expected"
    )
    assert "the other way round" in contradicted.sentence
    assert f"{HIGH.mean():.2f}" in supported.sentence
    less = replace(CLAIM, expected="less")
    assert (judged(LOW, HIGH, less).verdict, judged(HIGH, LOW, less).verdict) == ("supported", "contradicted")


def test_verdict_is_undecided_where_the_data_cannot_tell() -> None:
    noise = np.random.default_rng(1).normal(0, 1, 500)  # its own, whatever other tests drew before
    found = judged(HIGH, HIGH + noise - noise.mean() + 0.05)
    assert found.verdict == "undecided"
    assert found.sentence.startswith("**Undecided:** whether the first")


@pytest.mark.parametrize(
    ("gap", "verdict"), [(0.2, "supported"), (0.05, "equivalent"), (-0.05, "equivalent"), (-0.2, "contradicted")]
)
def test_margin_makes_a_small_difference_one_that_does_not_matter(gap: float, verdict: str) -> None:
    found = judged(LOW + gap, LOW)
    assert found.verdict == verdict
    assert found.sentence.startswith("**No difference that matters:** that the first") == (verdict == "equivalent")
    assert "margin 0.10" in found.sentence


def test_void_claim_is_not_tested_and_says_why() -> None:
    void = judged(HIGH, LOW, replace(CLAIM, void="the yardstick is at chance"))
    assert void.verdict == "undecided"
    assert void.sentence == (
        "**Void:** whether the first denoises better than the second can't be told, as the yardstick is at chance "
        f"(first {HIGH.mean():.2f}, second {LOW.mean():.2f} dB)."
    )
    assert finite(void.as_json())["p"] is None
    assert void.as_json()["void"] == "the yardstick is at chance"
    family = correct([void, judged(HIGH, LOW)])
    assert family[0] == void
    assert family[1].p_holm == family[1].p, "it is the only one that was tested"
    assert correct([void]) == [void]


def test_correction_leaves_a_lone_weak_verdict_undecided_and_says_so() -> None:
    """Ten claims of which one is found by a hair: alone it stands, among all it doesn't."""
    noise = RNG.normal(0, 1, 500)
    weak = judged(LOW + 0.1 + (noise - noise.mean()) / noise.std() + 2.3 / np.sqrt(500), LOW)
    assert (weak.verdict, weak.verdict_corrected) == ("supported", "supported")
    assert weak.p == weak.p_holm == pytest.approx(0.011, abs=0.001)
    family = correct([weak, *(judged(HIGH, HIGH + RNG.normal(0, 3, 500)) for _ in range(8)), judged(HIGH, LOW)])
    assert (family[0].verdict, family[0].verdict_corrected) == ("supported", "undecided")
    assert family[0].p_holm == pytest.approx(9 * weak.p), "the surest one of ten is out of the way"
    assert family[0].sentence.startswith("**Undecided:**")
    assert "supported on its own; undecided in this run" in family[0].sentence
    assert family[-1].verdict_corrected == "supported"
    assert family[-1].sentence.endswith("; supported in this run).")


def test_seeds_that_disagree_leave_undecided_what_one_alone_supports() -> None:
    one, several = HIGH, np.stack([HIGH, LOW - 1, HIGH + 1])
    assert judged(one, LOW).verdict == "supported"
    assert judged(several, LOW).verdict == "undecided"
    assert judged(several, LOW).as_json()["seeds"] == 3


def test_every_margin_is_positive_and_has_a_reason() -> None:
    with pytest.raises(ValueError, match="a margin is positive"):
        judged(HIGH, LOW, replace(CLAIM, scale=replace(DECIBELS, margin=0.0)))
    printed = margins()
    assert all(scale.reason in printed for scale in SCALES.values())


def test_auroc_is_compared_by_pairs_of_images() -> None:
    """Two scores that nearly agree on every image: unpaired, their AUROCs couldn't be told apart."""
    usual, strange = RNG.normal(0, 1, 400), RNG.normal(1, 1, 400)
    sharp = Ranking("sharp", strange[None], usual[None])
    dull = Ranking("dull", (strange + RNG.normal(0, 1, 400))[None], (usual + RNG.normal(0, 1, 400))[None])
    found = Judged.of(replace(CLAIM, scale=AUROC), sharp, dull)
    assert found.verdict == "supported"
    assert found.difference.value == pytest.approx(sharp.mean - dull.mean)
    assert Judged.of(replace(CLAIM, scale=AUROC), dull, sharp).verdict == "contradicted"
    assert Judged.of(replace(CLAIM, scale=AUROC), sharp, sharp).verdict == "equivalent"


def test_auroc_is_compared_with_guessing() -> None:
    claim, guessing = replace(CLAIM, scale=AUROC), Quantity("guessing", np.array(0.5))
    strange, usual = RNG.normal(1, 1, (1, 400)), RNG.normal(0, 1, (1, 500))
    found = Judged.of(claim, Ranking("error", strange, usual, paired=False), guessing)
    assert (found.verdict, found.difference.n) == ("supported", 900)
    assert found.difference.value == pytest.approx(found.a.mean - 0.5)
    assert Judged.of(claim, Ranking("error", usual, strange, paired=False), guessing).verdict == "contradicted"


def test_infinite_values_leave_a_claim_undecided() -> None:
    """The PSNR of a perfect image is infinite: no number can be made of the difference, and none is."""
    perfect = np.where(np.arange(500) == 3, np.inf, HIGH)
    for a, b in ((perfect, LOW), (LOW, perfect), (perfect, perfect)):
        found = judged(a, b)
        assert found.verdict == "undecided"
        assert "dB; infinite for some images, which have no difference; n = 500; undecided" in found.sentence
        assert "∞" in found.sentence
        assert "nan" not in found.sentence


def test_quantities_are_compared_on_the_images_that_both_have() -> None:
    assert judged(HIGH, np.array(20.0)).verdict == "supported", "one number stands beside every image"
    assert judged(HIGH, np.array(30.0)).verdict == "contradicted"
    found = judged(HIGH, LOW[:100])
    assert found.difference.n == 100
    assert found.a.mean == pytest.approx(HIGH[:100].mean())


def test_sentence_names_one_run_or_the_number_of_seeds() -> None:
    assert "supported in this run" in judged(HIGH, LOW).sentence
    several = judged(np.stack([HIGH, HIGH + 0.1, HIGH - 0.1]), LOW)
    assert "supported over 3 seeds" in several.sentence


def test_claims_command_judges_every_claim_of_a_run(smoke: Run) -> None:
    claims = smoke.project.json("claims")["claims"]
    keys = ["id", "requirement", "sentence", "expected", "a", "b", "difference", "margin", "lo", "hi", "n", "seeds"]
    keys += ["p", "p_holm", "verdict", "verdict_corrected", "void"]
    assert all(list(claim) == keys for claim in claims)
    assert len({claim["id"] for claim in claims}) == len(claims)
    answered = {claim["requirement"] for claim in claims}
    assert answered >= {"R6", "R7", "R8", "R11", "R12", "R14", "R15", "R16", "R18", "R19", "R20", "R22", "R23", "R27"}
    contradicted = any(claim["verdict_corrected"] == "contradicted" for claim in claims)
    assert smoke.project("claims").returncode == 0
    assert smoke.project("claims", "--strict").returncode == int(contradicted)


# ── Prose ────────────────────────────────────────────────────────────────────────────────────────────────────────────


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
def test_scan_of_prose_finds_numbers_and_rankings(sentence: str) -> None:
    left = stripped(sentence)
    assert NUMBER.findall(left) or RANKING.findall(left)


def test_allowed_prose_is_still_written_somewhere() -> None:
    everything = "\n".join([*prose_of_chapters().values(), *prose_of_notebooks().values()])
    assert [allowed.pattern for allowed in ALLOWED if not allowed.search(everything)] == []
