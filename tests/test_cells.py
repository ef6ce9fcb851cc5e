"""What a notebook's cell shows while it trains: a bar in the notebook, lines in papermill's output."""

from __future__ import annotations

import json
import threading
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import IPython
import pytest

from autoencoders.running import cells

NOW = {"epoch": 3, "epochs": 8, "step": 30, "steps": 80, "loss": 0.25, "images_per_second": 1234.5}


class Screen:
    """Takes what is displayed: a list for each output, of what it says one after the other."""

    def __init__(self) -> None:
        self.outputs: list[list[str]] = []
        self.changed = threading.Event()

    def display(self, data: dict[str, str], *, raw: bool, metadata: Any, display_id: bool = False) -> Any:
        assert raw
        assert metadata == cells.PASSING
        texts = [data["text/plain"]]
        self.outputs.append(texts)
        self.changed.set()
        return SimpleNamespace(update=lambda data, **options: texts.append(data["text/plain"])) if display_id else None


def test_lines_come_every_half_minute_while_something_trains() -> None:
    now, screen = [1000.0], Screen()
    lines = cells.Lines(screen.display, clock=lambda: now[0])
    for passed, text in ((0, "a"), (29, "b"), (30, "c"), (59, "d"), (60, ""), (61, "e"), (90, "f"), (91, "g")):
        now[0] = 1000.0 + passed
        lines.show(text)
    lines.close()
    assert screen.outputs == [["c"], ["e"], ["g"]]


def test_bar_is_one_output_and_empty_in_the_end() -> None:
    screen = Screen()
    bar = cells.Bar(screen.display)
    for text in ("", "10 %", "20 %"):
        bar.show(text)
    bar.close()
    assert screen.outputs == [["10 %", "20 %", ""]]


def test_bar_of_a_short_wait_shows_nothing() -> None:
    screen = Screen()
    cells.Bar(screen.display).close()
    assert screen.outputs == []


@pytest.mark.parametrize(
    ("content", "watched"), [({"allow_stdin": True}, True), ({"allow_stdin": False}, False), ({}, True)]
)
def test_person_is_told_from_papermill_by_whether_questions_may_be_asked(content: Any, watched: bool) -> None:
    kernel = SimpleNamespace(get_parent=lambda channel: {"content": content})
    assert cells.is_watched(SimpleNamespace(kernel=kernel)) == watched
    assert cells.is_watched(SimpleNamespace()), "a terminal's IPython"


def test_cell_shows_the_training_that_it_waits_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    task: Any = SimpleNamespace(name="smoke/photos10/vae@0", needed={})
    store = SimpleNamespace(
        scratch=lambda task: tmp_path, key=lambda task: "k", contains=lambda task: False, looked_at_once=nullcontext
    )
    lab: Any = SimpleNamespace(store=store)
    monkeypatch.setattr(IPython, "get_ipython", SimpleNamespace)
    monkeypatch.setattr(IPython.display, "display", screen.display)
    (tmp_path / "progress.json").write_text(json.dumps(NOW))
    with cells.shown(lab, task):
        assert screen.changed.wait(60)
    [texts] = screen.outputs
    assert "vae@0" in texts[0]
    assert "38 %" in texts[0]
    assert "eta" in texts[0]
    assert "epoch 3/8 · loss 0.25 · 1,234 images/s" in texts[0]
    assert texts[-1] == ""


def test_plain_python_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Any = None  # not even looked at
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    with cells.shown(nothing, nothing):
        pass
