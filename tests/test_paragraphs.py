"""Paragraphs follow the verdicts of the claims that they are bound to, whichever way the data falls."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import swapped_results
import yaml
from prose import NUMBER, RANKING, stripped

from autoencoders import paragraphs
from autoencoders.claims import all_claims
from autoencoders.errors import InputError
from autoencoders.findings import Findings
from autoencoders.judging import ACCURACY, Judged
from autoencoders.lab import Lab
from autoencoders.paragraphs import Writer
from autoencoders.profiles import PROFILES
from autoencoders.reporting import book
from autoencoders.results import Results
from autoencoders.settings import PROJECT, Settings
from autoencoders.store import Artifact
from autoencoders.studies import STUDIES, study

FOLDERS = (PROJECT / "report/paragraphs", PROJECT / "report/studies/paragraphs")
CLAUSE = {
    "supported": "a wins ({pair})",
    "contradicted": "a loses ({pair})",
    "equivalent": "a is level",
    "undecided": "a is open",
}
TWO = [{"claim": "ae-pca"} | CLAUSE, {"claim": "ae-probe-pca", "join": "and"} | CLAUSE]


def results(**verdicts: str) -> list[Judged]:
    """Made-up results of claims with these verdicts; underscores stand for hyphens."""
    wanted = {name.replace("_", "-"): verdict for name, verdict in verdicts.items()}
    found = {each.claim.id: each for each in swapped_results.measured()}
    return [replace(found[id], verdict=v, verdict_corrected=v) for id, v in wanted.items()]  # type: ignore[arg-type]


def written(content: Any, judged: list[Judged], tmp_path: Path, *, marks: bool = False) -> str:
    (tmp_path / "some.yml").write_text(yaml.safe_dump({"some": content}, sort_keys=False), encoding="utf-8")
    text = Writer.of(judged, {"scope": "in this run"}).write(paragraphs.read(tmp_path)["some"])
    return text if marks else re.sub(r"\[c\d+,?\]\(.*?\}", "", text).replace("\u00a0", " ")


# ── Verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        ("supported", "A wins (23.81 against 23.64 dB)."),
        ("contradicted", "A loses (23.81 against 23.64 dB)."),
        ("equivalent", "A is level."),
        ("undecided", "A is open."),
    ],
)
def test_clause_has_the_wording_of_its_verdict(verdict: str, text: str, tmp_path: Path) -> None:
    assert written(TWO[:1], results(ae_pca=verdict), tmp_path) == text


@pytest.mark.parametrize(
    ("first", "second", "wanted", "connective"),
    [
        ("supported", "supported", "and", "and"),
        ("supported", "equivalent", "and", "but"),
        ("contradicted", "supported", "and", "but"),
        ("contradicted", "equivalent", "and", "and"),
        ("undecided", "supported", "and", "but"),
        ("undecided", "undecided", "and", "and"),
        ("supported", "supported", "but", "but"),
        ("supported", "contradicted", "but", "and"),
        ("equivalent", "equivalent", "but", "and"),
    ],
)
def test_connective_follows_both_verdicts(
    first: str, second: str, wanted: str, connective: str, tmp_path: Path
) -> None:
    content = [TWO[0], TWO[1] | {"join": wanted}]
    text = written(content, results(ae_pca=first, ae_probe_pca=second), tmp_path)
    assert f", {connective} a " in text
    assert text.count(".") - text.count("23.") - text.count("38.") == 1, "it is one sentence"


def test_claim_that_the_run_lacks_leaves_no_gap(tmp_path: Path) -> None:
    assert written(TWO, results(ae_probe_pca="equivalent"), tmp_path) == "A is level."
    assert written(TWO, [], tmp_path) == paragraphs.NOTHING
    assert written({"claim": "ae-pca"} | CLAUSE, [], tmp_path) == "–", "a cell says that nothing was measured"


def test_void_claim_is_left_out_unless_there_is_a_wording(tmp_path: Path) -> None:
    void = [each for each in swapped_results.measured() if each.claim.void]
    clause = {"claim": "arithmetic-*"} | CLAUSE
    assert written([clause], void, tmp_path) == paragraphs.NOTHING
    assert written([clause | {"void": "{at} is void"}], void, tmp_path) == "Horse − deer + frog is void."


def test_pattern_says_of_each_verdict_where_it_holds(tmp_path: Path) -> None:
    judged = results(dae_ridge_100="contradicted", dae_ridge_300="contradicted", dae_ridge_500="supported")
    wordings = CLAUSE | {"supported": "leads at {at}", "contradicted": "trails at {at}"}
    clause = {"claim": "dae-ridge-*"} | wordings
    led = written([clause | {"lead": "a DAE", "contradicted": "trails at {each}"}], judged, tmp_path)
    behind = "trails at σ = 0.1 (23.33 against 27.05 dB) and σ = 0.3 (21.87 against 22.11 dB)"
    assert led == f"A DAE leads at σ = 0.5, and {behind}."
    assert written([clause], judged, tmp_path) == "Leads at σ = 0.5. Trails at σ = 0.1 and 0.3."


def test_scope_is_that_of_the_claims_at_hand(tmp_path: Path) -> None:
    """A run with several seeds of some models has one seed of others."""
    one, several = results(ae_pca="supported", ae_purity="supported")
    several = replace(several, difference=replace(several.difference, seeds=3))
    content = [{"claim": name} | dict.fromkeys(CLAUSE, "so it is {scope}") for name in ("ae-pca", "ae-purity")]
    text = written(content, [one, several], tmp_path)
    assert text == "So it is in this run. So it is over 3 seeds."


def test_sentence_stands_only_under_its_verdicts(tmp_path: Path) -> None:
    cases = [
        {"when": {"ae-pca": ["supported", "equivalent"], "ae-probe-pca": "equivalent"}, "say": "both"},
        {"say": "anything else"},
    ]
    content = [{"cases": cases}]
    assert written(content, results(ae_pca="supported", ae_probe_pca="equivalent"), tmp_path) == "Both."
    assert written(content, results(ae_pca="supported", ae_probe_pca="supported"), tmp_path) == "Anything else."
    assert written(content, results(ae_pca="supported"), tmp_path) == "Anything else.", "the other isn't there"
    assert written([{"cases": cases[:1]}], [], tmp_path) == paragraphs.NOTHING


def test_difference_agrees_with_the_values_that_are_shown(tmp_path: Path) -> None:
    near = swapped_results.judged("ae-pca", "R6", "decibels", "", "a", 0.844, "b", 0.656, "supported")
    clause = {"claim": "ae-pca"} | CLAUSE | {"supported": "{pair}, {gap}"}
    assert written([clause], [near], tmp_path) == "0.84 against 0.66 dB, 0.18 dB."
    share = swapped_results.judged("ae-pca", "R6", "accuracies", "", "a", 0.547, "b", 0.536, "supported")
    assert written([clause], [share], tmp_path) == "54.7 against 53.6 %, 1.1 points."
    assert ACCURACY.gap(0.00849, 0.00651) == "0.1", "0.8 and 0.7, not 0.2 apart"


def test_infinite_and_missing_values_are_printed_as_such(tmp_path: Path) -> None:
    clause = {"claim": "ae-pca"} | CLAUSE | {"undecided": "{pair}, {gap}"}
    for a, text in ((math.inf, "∞ against 20.00 dB, ∞ dB."), (math.nan, "– against 20.00 dB, – dB.")):
        odd = swapped_results.judged("ae-pca", "R6", "decibels", "", "a", a, "b", 20.0, "undecided")
        assert written([clause], [odd], tmp_path) == text


def test_mark_leads_to_the_line_with_the_whole_statistics(tmp_path: Path) -> None:
    judged = results(ae_purity="supported", ae_pca="supported", vae_pca="undecided")
    text = written(TWO[:1], judged, tmp_path, marks=True)
    number, id, title = re.findall(r'\[(c\d+)\]\(/report/claims\.qmd#([\w-]+) "([^"]*)"\)\{\.claim\}', text)[0]
    table = Writer.of(judged, {}).table()
    lines = [line for line in table.splitlines() if f"[{number}]{{#{id}}}" in line]
    assert len(lines) == 1
    assert "23.81" in lines[0]
    for part in ("difference 0.17", "margin 0.10", "n = 10,000", "p = 0.02", "supported"):
        assert part in title
    assert [line.split("|")[2].strip() for line in table.splitlines()[2:]] == ["R6", "R15", "R27"]


def test_table_holds_claims_that_no_paragraph_knows() -> None:
    new = swapped_results.judged("brand-new", "R7", "decibels", "", "a", 2.0, "b", 1.0, "supported")
    table = Writer.of([*swapped_results.measured(), new], {}).table()
    assert table.count("{#claim-brand-new}") == 1
    assert len(table.splitlines()) == 2 + len(swapped_results.measured()) + 1


def test_example_in_the_docs_is_a_paragraph(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"^```yaml\n(.*?)^```", (PROJECT / "docs/adding.md").read_text(encoding="utf-8"), re.S | re.M
    )
    judged = results(ae_pca="supported", ae_probe_pca="equivalent")
    assert written(yaml.safe_load(example)["r06"], judged, tmp_path) == (
        "The code reconstructs better than PCA (23.81 against 23.64 dB), but it is no better as a feature "
        "(38.7 against 38.6 %). Here the autoencoder is a compressor, not a learner of features."
    )


# ── Mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"claim": "ae-pca", "supported": "it wins"}], "the clause on ae-pca has no wording for"),
        ([{"supported": "it wins"}], "a paragraph holds sentences, clauses"),
        ([TWO[0] | {"winning": "it wins"}], "which is no verdict"),
        ([TWO[0] | {"join": "while"}], "join is 'and' or 'but'"),
        ([{"cases": [{"when": {"ae-pca": "won"}, "say": "it won"}]}], "won is no verdict"),
        ([{"cases": [{"if": {}, "say": "it won"}]}], "a case has 'say: …'"),
    ],
)
def test_mistake_in_a_paragraph_is_named(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        written(content, [], tmp_path)


def test_quoting_what_the_run_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="quotes what there isn't in this run"):
        written(["{ae-pca.pair} was found"], [], tmp_path)


# ── The report's own ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", swapped_results.SWAPS)
def test_chapters_read_as_the_kept_renderings_do(name: str) -> None:
    """`python tests/swapped_results.py` writes them anew: read what has changed, as a reader would."""
    kept = (swapped_results.RENDERINGS / f"{name}.md").read_text(encoding="utf-8")
    assert swapped_results.render(swapped_results.SWAPS[name]) == kept


def test_no_verdict_is_worded_like_another() -> None:
    kept = [(swapped_results.RENDERINGS / f"{name}.md").read_text(encoding="utf-8") for name in swapped_results.SWAPS]
    assert len(set(kept)) == len(kept)


@pytest.mark.parametrize("folder", FOLDERS, ids=["report", "studies"])
def test_chapters_show_every_paragraph(folder: Path) -> None:
    root = PROJECT if folder == FOLDERS[0] else PROJECT / "report/studies"
    text = "".join(path.read_text(encoding="utf-8") for path in book.sources(root))
    assert set(swapped_results.PARAGRAPH.findall(text)) == paragraphs.read(folder).keys()


def texts() -> Iterator[tuple[str, str, bool]]:
    """Every text of every paragraph: where it stands, what it says, and whether a verdict decides if it does."""
    for path in (path for folder in FOLDERS for path in sorted(folder.glob("*.yml"))):
        for name, content in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            for item in content if isinstance(content, list) else [content]:
                for text, bound in _texts(item):
                    yield f"{path.name}, {name}", text, bound


def _texts(item: Any) -> Iterator[tuple[str, bool]]:
    if isinstance(item, str):
        yield item, False
    elif "cases" in item:
        yield from ((case["say"], bool(case.get("when"))) for case in item["cases"])
    else:
        yield from ((item[name], name in (*paragraphs.WORDINGS, "void")) for name in item.keys() - {"claim", "join"})


def faults(text: str, bound: bool) -> list[str]:
    """Numbers that were typed, and rankings that no verdict decides."""
    left = stripped(re.sub(r"\{[\w.-]+\}", " ", text))
    return NUMBER.findall(left) + ([] if bound else RANKING.findall(left))


def test_paragraphs_state_no_typed_number_and_no_ranking_outside_a_verdict() -> None:
    assert [(where, text) for where, text, bound in texts() if faults(text, bound)] == []


@pytest.mark.parametrize(
    ("text", "bound"),
    [("the AE reaches 23.1 dB", True), ("the AE is better than PCA", False), ("it wins by {gap}", False)],
)
def test_scan_of_paragraphs_finds_numbers_and_rankings(text: str, bound: bool) -> None:
    assert faults(text, bound)


def test_scan_of_paragraphs_leaves_quoted_values_and_verdicts_alone() -> None:
    assert not faults("the AE is better than PCA ({pair}, {ae-pca.gap})", True)


def claims_of_every_profile(monkeypatch: pytest.MonkeyPatch, folder: Path) -> set[str]:
    """The ids of the claims that any run may make, without one."""
    found = Artifact(
        {},
        {
            "validation": 0.5,
            "void": False,
            "class": "cat",
            "labels": [100],
            "rows": [
                {"metric": name} for name in ("hole_mse:3", "importance:1", "importance:3", "probe_linear_layers:100")
            ],
        },
    )
    monkeypatch.setattr(Results, "artifact", lambda *asked: found)
    monkeypatch.setattr(Results, "artifacts", lambda *asked: [found])
    ids: set[str] = set()
    for profile in PROFILES:
        settings = Settings(profile=profile, dataset="photos10", device="cpu", cache=folder)
        ids |= {claim.id for claim in all_claims(Findings(Lab(settings, looks_only=True)))}
    for name in STUDIES:
        results: Results[Any] = Results(Lab(Settings(profile="smoke", device="cpu", cache=folder), study(name)))
        ids |= {claim.id for claim in results.catalogue.claims(results)}
    return ids


def test_every_clause_is_bound_to_claims_that_there_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_data: Path
) -> None:
    ids = claims_of_every_profile(monkeypatch, tmp_path)
    for folder in FOLDERS:
        assert paragraphs.unbound(paragraphs.read(folder).values(), ids) == []
    wrong = paragraphs.Clause("no-such-claim", CLAUSE), (paragraphs.Case({"nor-this-*": ("supported",)}, "so"),)
    assert paragraphs.unbound([paragraphs.Paragraph(wrong)], ids) == ["no-such-claim", "nor-this-*"]
