"""The pipeline page: each part with its state when the page was made, and where it leads."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from copied_project import Run
from explore_page import lab_on
from made_report import Made

from autoencoders.explore import pipeline_page
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import write
from autoencoders.explore.pipeline_page import Pipeline, why_of
from autoencoders.lab import Lab
from autoencoders.reporting.folder import Folder
from autoencoders.reporting.graph import HEIGHT, Node, drawn, placed
from autoencoders.store import Reason, State


@pytest.fixture(scope="module")
def lab(smoke: Run) -> Lab:
    return lab_on(smoke.project.cache)


def node(found: Pipeline, id: str) -> Node:
    return next(node for node in found.nodes if node.id == id)


def test_pipeline_holds_everything_that_a_run_does(lab: Lab) -> None:
    found = Pipeline.of(lab, Addresses({}, {}), ["01-sample"])
    ids = {node.id for node in found.nodes}
    assert {f"training {e.name}" for e in lab.experiments()} <= ids
    assert {f"measurements {subject.name}" for subject, _ in lab.measurements()} <= ids
    assert {"data photos10", "notebook 01-sample", "report"} <= ids
    assert {end for edge in found.edges for end in edge} <= ids
    assert ("data photos10", "training vae") in found.edges
    assert ("training vae", "measurements vae") in found.edges
    assert ("data photos10", "measurements baseline/mean") in found.edges


def test_notebooks_come_from_what_they_asked_for(lab: Lab) -> None:
    [vae], [tuned] = lab.experiments(["vae"]), lab.experiments(["tune-latent-64"])
    training = lab.store.key(lab.bench.training(vae))
    measurement = lab.store.key(lab.bench.measurement(vae, lab.catalogues[0].of_model(vae)[0]))
    history = lab.store.key(lab.bench.training(tuned))
    sources = {"a": {"fig-x": [training, measurement]}, "b": {"fig-y": [history, "0123"]}}
    pages = {"a": "../notebooks/a.html", "b": "../notebooks/b.html"}
    found = Pipeline.of(lab, Addresses({}, {}, pages=pages, sources=sources), ["a", "b", "c"])
    into = {name: {a for a, b in found.edges if b == f"notebook {name}"} for name in "abc"}
    assert into == {"a": {"measurements vae"}, "b": {"training tune-latent-64"}, "c": set()}
    assert [node(found, f"notebook {name}").state for name in "abc"] == ["executed", "stale", "missing"]
    untold = Pipeline.of(lab, Addresses({}, {}, pages=pages), ["a"])
    assert node(untold, "notebook a").state == "unchecked"


def test_experiments_of_one_spec_share_what_uses_them(lab: Lab) -> None:
    [ae], [base] = lab.experiments(["ae-vector"]), lab.experiments(["tune-base"])
    key = lab.store.key(lab.bench.training(ae))
    assert key == lab.store.key(lab.bench.training(base)), "in this profile they are one"
    found = Pipeline.of(lab, Addresses({}, {}, pages={"a": "a.html"}, sources={"a": {"fig-x": [key]}}), ["a"])
    assert {a for a, b in found.edges if b == "notebook a"} == {"training ae-vector", "training tune-base"}


def test_states_are_those_of_the_moment(tmp_path: Path, smoke: Run, lab: Lab) -> None:
    [vae], [ae] = lab.experiments(["vae"]), lab.experiments(["ae-vector"])
    shutil.copytree(smoke.project.cache, tmp_path / "cache")
    gone = lab.store.key(lab.bench.measurement(vae, lab.catalogues[0].of_model(vae)[1]))
    shutil.rmtree(tmp_path / "cache/artifacts" / gone)
    damaged = tmp_path / "cache/artifacts" / lab.store.key(lab.bench.training(ae)) / "arrays.npz"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    page = pipeline_page.page(lab_on(tmp_path / "cache"), Addresses({}, {}))
    assert re.search(r'class="node (missing|stale)" data-id="measurements vae"', page.body)
    assert 'class="node corrupt" data-id="training ae-vector"' in page.body
    assert 'class="node cached" data-id="training vae"' in page.body
    assert not (tmp_path / "cache/artifacts" / gone).exists(), "nothing is made for it"


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (State("cached", (Reason("version", "torch", "1", "2"),)), ""),
        (State("failed", message="OSError: /home/somebody/data is full"), " (OSError)"),
        (State("partial", epoch=7, epochs=40), " (epoch 7 of 40)"),
        (State("stale", tuple(Reason("code", name) for name in "abcde")), " (code a, code b, code c and 2 more)"),
        (State("missing"), ""),
    ],
)
def test_reasons_name_no_folder_of_the_machine(state: State, shown: str) -> None:
    assert why_of(state) == shown


def test_nodes_dont_overlap_and_names_are_text() -> None:
    nodes = [Node(f"n{i}", i % 3, "</text><b>" * (i + 1), "cached", 'x.html#"<', i // 3) for i in range(9)]
    boxes = list(placed([*nodes, Node("last", 3, "report")]).values())
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            apart = abs(one.y - other.y) >= HEIGHT or one.x + one.width < other.x or other.x + other.width < one.x
            assert apart
    svg = drawn(nodes, [("n0", "n1")])
    assert "<b>" not in svg
    assert 'href="x.html#&#34;&lt;"' in svg


@pytest.fixture
def opened(page: Any, made: Made) -> Any:
    page.goto((made.book / "explore/pipeline.html").as_uri())
    return page


def test_states_are_words_and_a_node_lights_what_it_comes_from_and_leads_to(opened: Any) -> None:
    assert "cached" in opened.inner_text(".legend")
    for each in opened.locator("svg a.node").all():
        state = each.get_attribute("class").split()[1]
        assert each.text_content().endswith(f"· {state}")
        assert f" · {state} (" in each.get_attribute("aria-label")
    assert opened.locator("svg a.node.missing, svg a.node.stale").count() == 0

    opened.focus("[data-id='measurements vae']")
    lit = opened.evaluate("[...document.querySelectorAll('svg .node.lit')].map(node => node.dataset.id)")
    assert {"data photos10", "training vae", "measurements vae", "notebook 03-vae", "report"} <= set(lit)
    assert "training ae-vector" not in lit
    assert "notebook 06-tuning" not in lit
    assert opened.locator("svg .edges path.lit").count() >= 4
    opened.keyboard.press("Tab")
    lit = opened.evaluate("[...document.querySelectorAll('svg .node.lit')].map(node => node.dataset.id)")
    assert "measurements vae" not in lit or "training vae" not in lit
    opened.hover("[data-id='notebook 06-tuning']")
    assert opened.locator("[data-id='training tune-base'].lit").count() == 1
    assert opened.faults == []


def test_nodes_lead_to_their_results_and_notebooks_to_their_pages(opened: Any) -> None:
    opened.focus("[data-id='training vae']")
    opened.keyboard.press("Enter")
    opened.wait_for_url(re.compile(r"results\.html#artifact="))
    assert opened.inner_text("#artifact-title") == "vae, seed 0: training"
    assert opened.faults == []
    opened.go_back()
    opened.click("[data-id='measurements baseline/mean']")
    opened.wait_for_url(re.compile(r"results\.html#experiment="))
    assert set(opened.locator("#results tbody tr th").all_inner_texts()) == {"baseline/mean"}

    opened.go_back()
    opened.click("text=03-vae: executed")
    opened.click(".twin details[open] a:text-is('fig-r16-reconstructions')")
    opened.wait_for_url(re.compile(r"notebooks/03-vae\.html#fig-r16-reconstructions$"))
    opened.go_back()
    opened.click("[data-id='notebook 03-vae']")
    opened.wait_for_url(re.compile(r"notebooks/03-vae\.html$"))


def test_pipeline_page_escapes_names(page: Any, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = "</script><b id=broken>"
    monkeypatch.setattr(pipeline_page, "embedded", lambda root: {hostile})
    book: Any = SimpleNamespace(title=hostile, subtitle="", variables={}, pdf=Path("report.pdf"))
    write(Folder(tmp_path), book, [pipeline_page.page(lab, Addresses({}, {}))])
    page.goto((tmp_path / "explore/pipeline.html").as_uri())
    assert page.locator("#broken").count() == 0
    assert page.get_attribute(f"[data-id='notebook {hostile}']", "class").split()[1] == "missing"
    assert page.faults == []
