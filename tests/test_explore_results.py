"""The results page: its data is what the cache holds, and a person can sort, filter, open and download it."""

from __future__ import annotations

import csv
import getpass
import io
import json
import re
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from copied_project import Run
from explore_page import lab_on, wait_until
from made_report import Made

from autoencoders import inspection
from autoencoders.explore import results_page
from autoencoders.explore.addresses import Addresses
from autoencoders.explore.pages import Page, as_script, write
from autoencoders.explore.pictures import Album, tiled
from autoencoders.lab import Lab
from autoencoders.reporting.folder import Folder

HOSTILE = "=cmd|' /C calc'!A0, \"quoted\" </script><b id=broken>"


@pytest.fixture(scope="module")
def lab(smoke: Run) -> Lab:
    return lab_on(smoke.project.cache)


@pytest.fixture(scope="module")
def built(lab: Lab) -> Page:
    return results_page.page(lab, Addresses({}, {}))


def records(page: Page) -> list[dict[str, Any]]:
    return [dict(zip(page.data["columns"], row, strict=True)) for row in page.data["rows"]]


def test_data_holds_every_row_and_every_training(lab: Lab, built: Page) -> None:
    rows = records(built)
    known = [{name: row[name] for name in row if name != "kind"} for row in rows]
    for row in inspection.rows(lab, None):
        assert any(_same(row, each) for each in known if each["key"] == row["key"]), row
    assert sum(row["kind"] != "training" for row in rows) == len(inspection.rows(lab, None))
    trained = {row["key"] for row in rows if row["kind"] == "training"}
    assert trained == {lab.store.key(lab.bench.training(e)) for e in lab.experiments()}


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return a.keys() == b.keys() and all(a[n] == b[n] or (a[n] != a[n] and b[n] != b[n]) for n in a)


def test_artifacts_have_their_provenance(lab: Lab, built: Page) -> None:
    assert built.data["artifacts"].keys() == {lab.store.key(task) for task in lab.plan()}
    for task in lab.plan():
        record, told = lab.store.provenance(task), built.data["artifacts"][lab.store.key(task)]
        for name in ("kind", "name", "spec", "inputs", "code", "created", "seconds"):
            assert told[name] == record[name]
        assert built.data["versions"][told["versions"]] == record["versions"]


def test_experiments_of_one_spec_are_one_artifact(lab: Lab, built: Page) -> None:
    [ae] = lab.experiments(["ae-vector"])
    told = built.data["artifacts"][lab.store.key(lab.bench.training(ae))]
    assert (told["experiment"], told["also"]) == ("ae-vector", ["tune-base"])


def test_claims_say_what_they_rest_on(lab: Lab, built: Page) -> None:
    assert built.data["judged"]
    used = {id for artifact in built.data["artifacts"].values() for id in artifact["claims"]}
    assert used == built.data["claims"].keys()
    assert used


def test_script_has_null_for_nan() -> None:
    assert as_script({"rows": [[float("nan"), float("inf"), 1.5]]}) == '{"rows":[[null,null,1.5]]}'


def test_results_page_computes_nothing(tmp_path: Path, lab: Lab) -> None:
    empty = lab_on(tmp_path / "cache")
    page = results_page.page(empty, Addresses({}, {}))
    assert (page.data["rows"], page.data["artifacts"], page.data["judged"]) == ([], {}, False)
    assert not (tmp_path / "cache").exists()


def test_missing_artifact_is_left_out_and_no_claim_is_judged(tmp_path: Path, smoke: Run, lab: Lab) -> None:
    [vae] = lab.experiments(["vae"])
    key = lab.store.key(lab.bench.measurement(vae, lab.catalogues[0].of_model(vae)[0]))
    shutil.copytree(smoke.project.cache, tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache/artifacts" / key)
    page = results_page.page(lab_on(tmp_path / "cache"), Addresses({}, {}))
    assert key not in page.data["artifacts"]
    assert page.data["artifacts"]
    assert not page.data["judged"]
    assert page.data["claims"] == {}
    assert not (tmp_path / "cache/artifacts" / key).exists()


def test_images_stand_side_by_side_and_sequences_below_each_other() -> None:
    images = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 2, 4), np.uint8)
    assert tiled(images).shape == (2, 8 * 4, 3)
    assert tiled(images)[0, ::4, 0].tolist() == list(range(8))
    sequences = np.stack([images[:5], images[5:]])
    assert tiled(sequences).shape == (2 * 2, 5 * 4, 3)
    assert tiled(sequences)[::2, ::4, 1].tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert tiled(images[:, :1]).shape == (2, 32, 1), "grey images, too"


def test_images_of_several_artifacts_are_one_file(built: Page) -> None:
    album = Album("results")
    images = np.zeros((4, 3, 8, 8), np.uint8)
    first, second = album.of({"examples/clean": images}), album.of({"examples/clean": images, "all/mse": np.zeros(4)})
    assert first == second
    assert len(album.files) == 1
    shown = [picture for a in built.data["artifacts"].values() for picture in a["pictures"]]
    assert {picture["file"] for picture in shown} < built.files.keys()
    clean = {p["file"] for p in shown if p["name"] == "clean" and p["width"] == 256}
    assert len(clean) < sum(p["name"] == "clean" for p in shown)


@pytest.fixture
def opened(page: Any, made: Made) -> Any:
    page.requested = []
    page.on("request", lambda request: page.requested.append(request.url))
    page.goto((made.book / "explore/results.html").as_uri())
    page.click("#all > summary")
    return page


def test_results_open_on_a_row_a_model_that_sorts(page: Any, made: Made, lab: Lab) -> None:
    page.goto((made.book / "explore/results.html").as_uri())
    assert page.is_hidden("#results"), "every value is there on demand"
    heads = page.locator("#leaders thead th").all_inner_texts()
    assert heads == [
        "model",
        "PSNR, clean images",
        "SSIM, clean images",
        "PSNR, noisy (σ = 0.3)",
        "linear accuracy",
        "parameters",
    ]

    def column(place: int) -> list[str]:
        return page.locator(f"#leaders tbody tr > :nth-child({place})").all_inner_texts()

    names = column(1)
    assert {"ae-vector, seed 0", "vae, seed 0", "mcae-0.75, seed 0", "vit-0.75, seed 0"} <= {*names}
    assert len(names) == len({*names})
    for place in (2, 4):
        if place != 2:  # it opens sorted by the first
            page.click(f"#leaders th:nth-child({place}) button")
        found = [float(text) for text in column(place) if text != "–"]
        assert found == sorted(found, reverse=True)
        page.click(f"#leaders th:nth-child({place}) button")
        assert [float(text) for text in column(place) if text != "–"] == sorted(found)
        assert page.get_attribute(f"#leaders th:nth-child({place})", "aria-sort") == "ascending"
    [row] = [r for r in inspection.rows(lab, ["vae"]) if (r["metric"], r["input"]) == ("psnr_mean", "clean")]
    assert float(column(2)[column(1).index("vae, seed 0")]) == pytest.approx(row["value"], rel=1e-4)
    page.click("#leaders tbody button:text-is('vae, seed 0')")
    assert {*values(page, "experiment")} == {"vae"}


def values(page: Any, name: str) -> list[str]:
    at = page.evaluate("name => document.querySelector(`#results th[data-name=${name}]`).cellIndex", name)
    return page.evaluate(
        "at => [...document.querySelectorAll('#results tbody tr')].map(r => r.cells[at].innerText)", at
    )


def counts(page: Any) -> tuple[int, int]:
    shown, whole = re.findall(r"[\d,]+", page.inner_text("#count"))
    return int(shown.replace(",", "")), int(whole.replace(",", ""))


def held(made: Made) -> dict[str, dict[str, Any]]:
    """The records in the cache, by key."""
    found = (json.loads(path.read_text()) for path in made.project.cache.glob("artifacts/*/record.json"))
    return {record["key"]: record for record in found}


def test_rows_come_as_one_scrolls_and_sort_by_value_both_ways(opened: Any) -> None:
    _, whole = counts(opened)
    first = len(values(opened, "metric"))
    assert first < whole
    opened.wait_for_function(
        "n => { const box = document.querySelector('#box'); box.scrollTop = box.scrollHeight;"
        " return document.querySelectorAll('#results tbody tr').length === n }",
        arg=whole,
    )

    opened.select_option("[name=metric]", "psnr_mean")
    heading = opened.locator("#results th[data-name=value]")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    rising = [float(v.replace("−", "-")) for v in values(opened, "value") if v != "–"]
    assert len(rising) > 10
    assert rising == sorted(rising)
    heading.locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    falling = [float(v.replace("−", "-")) for v in values(opened, "value") if v != "–"]
    assert falling == sorted(falling, reverse=True)
    opened.fill("[name=q]", "vector")
    kept = [float(v.replace("−", "-")) for v in values(opened, "value") if v != "–"]
    assert kept == sorted(kept, reverse=True)
    assert len(kept) < len(falling)
    assert opened.faults == []


def test_filters_say_how_much_is_left_and_are_in_the_address(opened: Any) -> None:
    shown, whole = counts(opened)
    assert shown == whole
    assert opened.get_attribute("#count", "aria-live") == "polite"
    opened.select_option("[name=input]", "gaussian:0.3")
    opened.fill("[name=q]", "SSIM dae")
    assert set(values(opened, "metric")) == {"ssim"}
    assert all(name.startswith("dae") for name in values(opened, "experiment"))
    assert counts(opened) == (len(values(opened, "experiment")), whole)
    linked = opened.url
    opened.click("button[type=reset]")
    assert counts(opened) == (whole, whole)
    opened.goto("about:blank")
    opened.goto(linked)
    assert opened.input_value("[name=q]") == "SSIM dae"
    assert set(values(opened, "input")) == {"gaussian:0.3"}
    opened.fill("[name=q]", "nosuchword")
    assert counts(opened) == (0, whole)
    assert opened.faults == []


def test_row_opens_by_keyboard_fits_a_phone_and_gives_the_focus_back(opened: Any) -> None:
    opened.set_viewport_size({"width": 390, "height": 800})
    opened.focus("#box")
    opened.keyboard.press("Tab")
    while opened.evaluate("document.activeElement.closest('thead') !== null"):
        opened.keyboard.press("Tab")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        opened.keyboard.press(key)
    assert opened.evaluate("document.activeElement.closest('tr').rowIndex") == 2
    opened.keyboard.press("Enter")
    assert opened.is_visible("dialog#artifact")
    assert opened.evaluate("document.activeElement.closest('dialog') !== null")
    assert opened.evaluate("document.querySelector('dialog').getBoundingClientRect().right <= innerWidth")
    assert opened.evaluate("(d => d.scrollWidth <= d.clientWidth)(document.querySelector('dialog'))")
    opened.keyboard.press("Escape")
    assert not opened.is_visible("dialog#artifact")
    assert opened.evaluate("document.activeElement.closest('tr').rowIndex") == 2
    opened.wait_for_url(lambda address: "artifact" not in address)


def test_row_opens_the_provenance_of_its_artifact(opened: Any, made: Made) -> None:
    opened.select_option("[name=experiment]", "dae-vector-0.3")
    opened.select_option("[name=input]", "gaussian:0.3")
    opened.select_option("[name=kind]", "reconstruction")
    row = opened.locator("#results tbody tr").first
    record = held(made)[row.get_attribute("data-key")]
    row.locator("td").last.click()
    told = opened.inner_text("dialog#artifact")
    for text in (record["key"], record["code"], record["inputs"]["data"], record["versions"]["torch"], record["name"]):
        assert text in told
    assert "measurement.images" in told
    opened.evaluate("document.querySelectorAll('dialog img').forEach(image => image.loading = 'eager')")
    wait_until(opened, "[...document.querySelectorAll('dialog img')].every(i => i.complete && i.naturalWidth)")
    images = opened.locator("dialog img")
    assert images.count() == 3
    for image in images.all():
        assert image.get_attribute("alt")
        assert int(image.get_attribute("width")) == image.evaluate("image => image.naturalWidth")
    assert opened.locator("dialog svg.curve").get_attribute("aria-label").startswith("Mean squared error")
    opened.click(f"dialog a[href*='{record['inputs']['model']}']")
    told = opened.inner_text("dialog#artifact")
    assert held(made)[record["inputs"]["model"]]["code"] in told
    assert "training.epochs" in told
    opened.click("dialog .close")
    assert opened.evaluate("document.activeElement.closest('tr').dataset.key") == record["key"]
    assert opened.faults == []


def test_artifact_links_the_figures_and_claims_that_use_it(opened: Any, made: Made, lab: Lab) -> None:
    [ae] = lab.experiments(["ae-vector"])
    key = lab.store.key(lab.bench.measurement(ae, lab.catalogues[0].reconstruction()))
    opened.goto(f"{(made.book / 'explore/results.html').as_uri()}#artifact={key}")
    told = opened.inner_text("dialog#artifact")
    assert "fig-r02-reconstructions" in opened.inner_html("dialog#artifact")
    assert re.search(r"\b(supported|contradicted|undecided)\b R\d+", told)
    links = opened.evaluate("[...document.querySelectorAll('dialog a[href^=\"..\"]')].map(a => a.getAttribute('href'))")
    assert len(links) > 2
    for link in links:
        file, _, anchor = link.partition("#")
        assert f'id="{anchor}"' in (made.book / "explore" / file).read_text(encoding="utf-8"), link


def test_notebooks_say_what_each_figure_rests_on(made: Made) -> None:
    addresses = Addresses.of(Folder.found(made.book))
    known = held(made).keys()
    asked = [keys for cells in addresses.sources.values() for keys in cells.values()]
    assert addresses.sources.keys() == addresses.pages.keys()
    assert {key for keys in asked for key in keys} <= known
    assert sum(map(bool, asked)) > 20
    assert addresses.captions["fig-r02-reconstructions"].startswith("Figure ")


def downloaded(page: Any, form: str, which: str) -> str:
    with page.expect_download() as waiting:
        page.click(f"[data-download={form}][data-rows={which}]")
    assert waiting.value.suggested_filename.endswith(f".{form}")
    return Path(waiting.value.path()).read_bytes().decode()


def test_downloads_hold_what_is_shown_or_everything(opened: Any, lab: Lab) -> None:
    opened.select_option("[name=metric]", "psnr_mean")
    opened.fill("[name=q]", "ae-vector")
    shown, whole = counts(opened)
    few = list(csv.DictReader(io.StringIO(downloaded(opened, "csv", "shown"))))
    assert len(few) == shown
    assert {row["metric"] for row in few} == {"psnr_mean"}
    known = {(r["key"], r["input"], r["region"], r["metric"]): r["value"] for r in inspection.rows(lab, None)}
    for row in few:
        assert float(row["value"]) == known[row["key"], row["input"], row["region"], row["metric"]]
    every = json.loads(downloaded(opened, "json", "all"))
    assert len(every["rows"]) == whole
    assert (every["schema"], every["profile"], every["dataset"]) == (1, "smoke", "photos10")
    assert len(json.loads(downloaded(opened, "json", "shown"))["rows"]) == shown
    assert len(list(csv.DictReader(io.StringIO(downloaded(opened, "csv", "all"))))) == whole


def test_results_page_escapes_names(page: Any, built: Page, tmp_path: Path) -> None:
    """In the page, in its data and in a spreadsheet."""
    renamed = json.loads(json.dumps(dict(built.data)).replace("dae-vector-0.3", json.dumps(HOSTILE)[1:-1]))
    hostile = Page(built.head, body=built.body, data=renamed, scripts=built.scripts, files=built.files)
    book: Any = SimpleNamespace(title=HOSTILE, subtitle="", variables={}, pdf=Path("report.pdf"))
    write(Folder(tmp_path), book, [hostile])
    page.goto((tmp_path / "explore/results.html").as_uri())
    page.click("#all > summary")
    page.select_option("[name=experiment]", HOSTILE)
    page.select_option("[name=metric]", "ssim")
    assert set(values(page, "experiment")) == {HOSTILE}
    page.locator("#results tbody tr button").first.click()
    assert HOSTILE in page.inner_text("#artifact-title")
    page.keyboard.press("Escape")
    assert page.locator("#broken").count() == 0
    assert page.faults == []
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "csv", "shown"))))
    assert {row["experiment"] for row in rows} == {f"'{HOSTILE}"}
    assert {row["experiment"] for row in json.loads(downloaded(page, "json", "shown"))["rows"]} == {HOSTILE}


def test_results_page_opens_at_any_address(opened: Any) -> None:
    for address in ("", "#metric=psnr_mean&sort=-value", "#sort=nonsense&metric=none", "#%"):
        opened.goto("about:blank")
        opened.goto(opened.requested[0] + address)
        opened.evaluate("document.getElementById('all').open = true")
        assert opened.faults == [], address
        assert opened.inner_text("#count"), address
    opened.goto(f"{opened.url.partition('#')[0]}#artifact=0123456789abcdef")
    assert "held no artifact 0123456789abcdef" in opened.inner_text("dialog#artifact")
    assert opened.faults == []


def test_results_page_loads_nothing_and_names_no_folder(opened: Any, made: Made) -> None:
    assert opened.requested
    assert all(url.startswith("file:") for url in opened.requested)
    private = {str(made.project.folder), str(made.project.cache), str(Path.home()), socket.gethostname()}
    private |= {f"/{getpass.getuser()}/"}
    for path in (made.book / "explore").rglob("*"):
        if path.suffix in (".js", ".html"):
            text = path.read_text(encoding="utf-8")
            assert not [each for each in private if len(each) > 3 and each in text], path
