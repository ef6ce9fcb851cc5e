"""One navigation and one search for chapters, by either renderer, and pages to explore."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autoencoders.explore import navigation, widgets
from autoencoders.explore.pages import Head, Page
from autoencoders.reporting.folder import Folder

PAGES = [Page(Head("noise", "Add noise", "Drag the noise.", ("Drag σ.",)), "<p>Every <b>denoiser</b></p>", {}, ())]


def folder(tmp_path: Path, files: dict[str, str]) -> Folder:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return Folder.found(tmp_path)


@pytest.mark.parametrize("title", ["2 Data – Report", "2&nbsp; Data – Report"], ids=["Pandoc", "Quarto"])
def test_chapters_are_called_as_their_pages_are(tmp_path: Path, title: str) -> None:
    names = ("index", "report/data", "report/missing")
    book: Any = SimpleNamespace(
        title="Report", root=Path("/r"), chapters=[Path(f"/r/{name}.qmd") for name in names], appendices=[]
    )
    site = folder(
        tmp_path, {"index.html": "<title>Summary – Report</title>", "report/data.html": f"<title>{title}</title>"}
    )
    found = navigation.chapters(site, book)
    assert found == {
        "": [navigation.Chapter("index.html", "", "Summary"), navigation.Chapter("report/data.html", "2", "Data")]
    }


def test_search_index_of_either_renderer_knows_the_pages_once(tmp_path: Path) -> None:
    ours = [["index.html", "Summary", "Summary", "Text", "", 1]]
    quartos = [{"objectID": "a", "href": "index.html", "title": "Summary", "section": "", "text": "Text"}]
    for number, index in enumerate((ours, quartos)):
        site = folder(tmp_path / str(number), {"search.js": f"{navigation.INDEX}{json.dumps(index)};\n"})
        for _ in range(2):
            navigation.add_to_search(site, PAGES)
        entries = json.loads((site.path / "search.js").read_text().removeprefix(navigation.INDEX).rstrip(";\n"))
        assert entries[0] == index[0]
        assert len(entries) == 2
        assert "Drag σ. Every denoiser" in str(entries[1])
        assert (site.path / "search.json").exists() == (index is quartos)


def test_sidebar_by_quarto_lists_the_pages_once(tmp_path: Path) -> None:
    chapters = "<ul><li><ul><li>Data</li></ul></li>\n</ul></div>"
    page = f'<nav>Bar</nav><nav id="quarto-sidebar"><div>{chapters}</nav><ul></ul><nav>Contents</nav>'
    site = folder(tmp_path, {"report/a.html": page, "b.html": "<nav><ul></ul></nav>"})
    for _ in range(2):
        navigation.add_to_sidebar(site, PAGES)
    made = (tmp_path / "report/a.html").read_text()
    assert made.count('href="../explore/noise.html"') == made.count("Add noise") == 1
    assert re.sub('<li class="to-explore.*<!-- end -->', "", made, flags=re.DOTALL) == page
    assert made.index("Data</li></ul></li>") < made.index("Add noise") < made.index("Contents")
    assert (tmp_path / "b.html").read_text() == "<nav><ul></ul></nav>"


def test_script_of_widgets_is_given_once_to_pages_that_have_a_place_for_one(tmp_path: Path) -> None:
    with_place = '<head></head><a href="../explore/noise.html" class="widget">Add noise</a>'
    site = folder(tmp_path, {"report/a.html": with_place, "report/b.html": "<head></head>"})
    for _ in range(2):
        widgets.add_widgets(site)
    assert (tmp_path / "report/a.html").read_text().count('src="../explore/widgets.js"') == 1
    assert (tmp_path / "report/b.html").read_text() == "<head></head>"
    assert (tmp_path / "explore/widgets.css").exists()
