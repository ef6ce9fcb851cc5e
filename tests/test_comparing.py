"""Two runs side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoencoders import comparing
from autoencoders.errors import InputError
from autoencoders.store import Artifact, Store, Task


def artifact(store: Store, name: str, values: np.ndarray) -> str:
    """An entry with a value for each image; its key."""
    task = Task(
        name=name,
        kind="reconstruction",
        spec={"name": name},
        roots=("autoencoders.coercion:shown",),
        inputs={},
        compute=lambda scratch: Artifact({"all/psnr": values}, {}),
    )
    store.fetch(task)
    return store.key(task)


def run(key: str, value: float, *, rate: float = 0.1, **more: Any) -> dict[str, Any]:
    place = {"experiment": "ae", "seed": 0, "split": "test", "input": "clean", "region": "all", "metric": "psnr_mean"}
    training = {"experiment": "ae", "seed": 0, "key": f"training-{key}", "spec": {"rate": rate}, "code": "c0de"}
    row = place | {"key": key, "value": value, "lo": value - 1, "hi": value + 1}
    return {"profile": "smoke", "trainings": [training], "rows": [row]} | more


def test_comparison_is_paired_where_a_cache_has_both(tmp_path: Path) -> None:
    store, rng = Store(tmp_path), np.random.default_rng(0)
    old = rng.normal(20, 5, 200)
    new = old + rng.normal(0.2, 0.1, 200)
    runs = [run(artifact(store, name, v), float(v.mean())) for name, v in (("old", old), ("new", new))]
    [paired] = comparing.compare(*runs, [store]).changes
    assert paired.how == "paired"
    assert paired.difference == pytest.approx((new - old).mean())
    assert paired.lo < paired.difference < paired.hi
    assert paired.hi - paired.lo < 0.05
    assert paired.is_clear
    [apart] = comparing.compare(*runs, []).changes
    assert apart.how == "apart"
    assert apart.hi - apart.lo == pytest.approx(2 * 2**0.5)
    assert not apart.is_clear


def test_comparison_names_what_differs_in_specs() -> None:
    found = comparing.compare(run("a", 20.0), run("b", 21.0, rate=0.2), [])
    assert found.differences == [{"experiment": "ae", "seed": 0, "what": "rate", "old": 0.1, "new": 0.2}]
    text = "\n".join(comparing.lines(found))
    assert "differs: rate: 0.1 → 0.2 (ae@0)" in text
    assert "1 values of other artifacts, 0 of them clearly different (*); 0 of the same; 0 gone, 0 new" in text


def test_comparison_of_one_artifact_with_itself_changes_nothing() -> None:
    found = comparing.compare(run("a", 20.0), run("a", 20.0), [])
    assert [change.how for change in found.changes] == ["same"]
    assert found.differences == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": 1}', '{"rows": [1]}', '{"rows": [{"value": 1}]}'])
def test_file_that_holds_no_results_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=r"a\.json (holds no results|is not valid JSON)"):
        comparing.read(tmp_path / "a.json")


def test_result_files_that_are_kept_can_be_compared() -> None:
    from autoencoders.references import FOLDER, RUNS

    for path in FOLDER.glob(RUNS):
        assert comparing.compare(comparing.read(path), json.loads(path.read_text()), []).gone == 0


def test_page_shows_what_differs_and_what_changed(tmp_path: Path) -> None:
    from types import SimpleNamespace

    from autoencoders.explore import comparison_page, heads
    from autoencoders.settings import Settings

    files = (tmp_path / "old.json", tmp_path / "new.json")
    for path, made in zip(files, (run("a", 20.0), run("b", 25.0, rate=0.2)), strict=True):
        path.write_text(json.dumps(made))
    lab: Any = SimpleNamespace(settings=Settings(compare=files), store=Store(tmp_path))
    page = comparison_page.page(lab, None)  # type: ignore[arg-type]
    assert "<td>rate</td><td>0.1</td><td>0.2</td>" in page.body
    assert "<strong>+5</strong>" in page.body
    assert "old.json" in page.body
    assert heads(lab.settings)[-1] == page.head
    assert page.head not in heads(Settings())
