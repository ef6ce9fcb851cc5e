"""What is handed in tells nothing of the machine that it was made on."""

from __future__ import annotations

import getpass
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_report
from reporting_sample import code, write_notebook

from autoencoders.errors import ReportError
from autoencoders.reporting import submission, traces
from autoencoders.settings import PROJECT, Settings

Tried = Callable[[int], None]

TELLS_NOTHING = (
    "What is handed in holds no path of this machine, and no output that names it or its user: one line says where."
)
HOME, ROOT = "/home/zoë müller", "/home/zoë müller/my project"
MACHINE, USER = "pc-4711", "zmueller"
SETTINGS = Settings(cache=Path("/scratch/zoe/cache"), data_dir=Path("/shared/images"))


@pytest.fixture(autouse=True)
def somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has names and folders which nobody else has."""
    live(monkeypatch)


def live(monkeypatch: pytest.MonkeyPatch, machine: str = f"{MACHINE}.example.org", user: str = USER) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path(HOME))
    monkeypatch.setattr(socket, "gethostname", lambda: machine)
    monkeypatch.setattr(getpass, "getuser", lambda: user)


def said(content: dict[str, bytes], root: str = ROOT) -> str:
    """Why it isn't handed in; nothing if it is."""
    try:
        traces.check({"pipeline.py": b"print('hello')", **content}, Path(root), SETTINGS)
    except ReportError as error:
        [line] = str(error).splitlines()
        return line
    return ""


def notebook(*outputs: dict[str, Any], source: str = "1") -> bytes:
    return json.dumps({"cells": [code(source) | {"outputs": list(outputs)}]}).encode()


def printed(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": [text]}


def shown(mime: str, text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {mime: text}}


PATHS = {
    "this project": [
        ROOT,
        f"see {ROOT}/analysis/notes.txt, line 3",
        "file:///home/zo%C3%AB%20m%C3%BCller/my%20project/x.html",
        json.dumps({"made in": ROOT}),
        json.dumps(f"two lines\n{ROOT}"),
        f"PYTHONPATH={ROOT}:",
    ],
    "the home folder": [HOME, f"{HOME}/.config", f"cd {HOME}."],
    "the cache": ["/scratch/zoe/cache/artifacts/0123456789abcdef"],
    "the data sets": ["data_dir: /shared/images # the group's"],
}


@pytest.mark.promise(TELLS_NOTHING)
@pytest.mark.parametrize("what", PATHS)
def test_path_of_this_machine_is_refused_wherever_it_stands(what: str, tried: Tried) -> None:
    for text in PATHS[what]:
        files = {
            "docs/notes.md": text.encode(),
            "analysis/more.csv": b"\xff\xfe " + text.encode(),
            "analysis/01-a.ipynb": notebook(printed(f"first\n{text}")),
            "analysis/02-b.ipynb": notebook(source=f"# {text}"),
        }
        for file, raw in files.items():
            line = said({file: raw})
            assert f"{file} holds the path of {what}" in line, text
    tried(4 * len(PATHS[what]))


@pytest.mark.promise(TELLS_NOTHING)
@pytest.mark.parametrize(("what", "name"), [("this machine", MACHINE), ("its user", USER)])
def test_name_of_this_machine_or_its_user_in_an_output_is_refused(what: str, name: str, tried: Tried) -> None:
    outputs = (
        printed(f"running on {name}."),
        printed(f"a line\n{name}"),
        shown("text/plain", f"'{name}'"),
        shown("text/html", f"<p>{name}</p>"),
        shown("image/svg+xml", f"<text>{name}</text>"),
        {"output_type": "error", "ename": "E", "evalue": name, "traceback": [f"\x1b[0;31mE\x1b[0m: {name}"]},
    )
    for output in outputs:
        line = said({"analysis/01-a.ipynb": notebook(output)})
        assert f"an output in analysis/01-a.ipynb holds the name of {what}, {name}" in line
    tried(len(outputs))


@pytest.mark.promise(TELLS_NOTHING)
@pytest.mark.parametrize("name", ["a", "vm", "pc1", "4711", "user", "root", "report", "Adam"])
def test_name_that_is_a_word_like_any_other_is_no_trace(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One that the project itself writes, or that is so short that it is met by chance."""
    live(monkeypatch, machine=name, user=name)
    words = b"def report(user, root): return torch.optim.Adam(4711)"
    assert not said({"code.py": words, "analysis/01-a.ipynb": notebook(printed(f"the {name} of this"))})


@pytest.mark.promise(TELLS_NOTHING)
@pytest.mark.parametrize(
    "text",
    [
        f"{ROOT}2/other",
        f"x{HOME}",
        "../scratch/zoe/cache",
        "~/scratch/zoe/cache",
        "/shared/images-of-cats",
        f"{USER}2, my{MACHINE}",
        "https://example.org",
    ],
)
def test_what_only_looks_like_it_is_no_trace(text: str) -> None:
    text = text.replace(HOME, "/home/somebody") if text.startswith(ROOT) else text
    assert not said({"a.md": text.encode(), "analysis/01-a.ipynb": notebook(printed(text))})


@pytest.mark.promise(TELLS_NOTHING)
def test_names_in_pictures_and_folders_at_the_top_are_no_trace() -> None:
    content = {"a.md": b"/work and /root/x", "analysis/01-a.ipynb": notebook(shown("image/png", f"iVBORw0K/{USER}/"))}
    assert not said(content, root="/work")


@pytest.mark.promise(TELLS_NOTHING)
@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b'{"cells": [3]}', b'{"cells": [{"outputs": 5}]}', b"[" * 10**5])
def test_notebooks_that_are_none_are_looked_through_as_text(raw: bytes) -> None:
    assert not said({"analysis/01-a.ipynb": raw})
    assert MACHINE in said({"analysis/01-a.ipynb": raw + f" {MACHINE}".encode()})


@pytest.mark.promise(TELLS_NOTHING)
def test_many_traces_are_told_in_few_words() -> None:
    line = said({f"docs/{number}.md": HOME.encode() for number in range(1000)})
    assert line.endswith("and 995 more: remove that")


@pytest.mark.promise(TELLS_NOTHING)
def test_machine_without_names_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Any:
        raise KeyError("getpwuid(): uid not found: 1234")

    def homeless() -> Any:
        raise RuntimeError("Could not determine home directory.")

    live(monkeypatch, machine="")
    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setattr(Path, "home", homeless)
    assert not said({})
    assert "docs/a.md holds the path of this project" in said({"docs/a.md": ROOT.encode()})


@pytest.mark.promise(TELLS_NOTHING)
def test_project_as_it_is_handed_in_has_no_traces() -> None:
    """Nor would it have any elsewhere: of the words that are looked for, it holds only those of the language."""
    content = dict(submission._project(PROJECT))
    traces.check(content, PROJECT, Settings())
    assert not [name for name, raw in content.items() if re.search(rb"/(home|Users)/\w", raw)]


@pytest.mark.promise(TELLS_NOTHING)
def test_report_that_would_tell_is_made_and_not_packed(tmp_path: Path) -> None:
    root = tmp_path / "project"
    small_report.written(root)
    write_notebook(root / "analysis/02-mine.ipynb", code(f"open('{root}/x')"))
    with pytest.raises(ReportError, match=r"^nothing is packed.*: analysis/02-mine\.ipynb holds the path of this"):
        small_report.made(root, 1, in_this_process=True)
    assert (root / "_book/index.html").exists()
    assert not (root / "submission").exists()
