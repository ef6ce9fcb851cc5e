"""Nothing of a notebook runs on the site but the figures of this project, whoever wrote to the executed notebook."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reporting_sample import SVG, code, figure, markdown, render, write_book, write_notebook

from autoencoders.errors import ReportError
from autoencoders.figures.interactive import turnable
from autoencoders.reporting import quarto_pages, scripts
from autoencoders.reporting.notebook_files import NotebookFile

QUIET = (
    "No script of a notebook runs on the site, apart from the figures' own: others are refused, and browsers told so."
)

FIGURE = turnable({"clean": (np.eye(3), np.arange(3))}, ("a", "<script>b</script>", "c"))._repr_html_()
RUN = {
    "a script": "<script>alert(1)</script>",
    "a script of capitals": "<SCRIPT >alert(1)</SCRIPT>",
    "a script from elsewhere": '<script src="https://example.org/x.js"></script>',
    "a script that says it is data": '<script type="application/json" src="x.js"></script>',
    "a module": '<script type="module">alert(1)</script>',
    "a handler": '<img src="x" onerror="alert(1)">',
    "a handler without quotes": "<svg/onload=alert(1)>",
    "an address": '<a href=" javascript:alert(1)">x</a>',
    "an address in references": '<a href="&#106;avascript:alert(1)">x</a>',
    "an address in SVG": '<svg><a xlink:href="javascript:alert(1)"/></svg>',
    "a script in SVG": "<svg><svg:script>alert(1)</svg:script></svg>",
    "a page within": '<iframe srcdoc="<p>"></iframe>',
    "a page as data": '<object data="data:text/html,x"></object>',
    "another base": '<base href="https://example.org/">',
    "another address": '<meta http-equiv="refresh" content="0;url=https://example.org">',
    "ours, edited": FIGURE.replace("yaw = 0.6", "yaw = alert(1)"),
    "ours, and more": f"{FIGURE}<script>alert(1)</script>",
}
STILL = {
    "ours": FIGURE,
    "a table": "<table><tr><td>1 &lt; 2</td></tr></table>",
    "a picture": '<svg><image href="data:image/png;base64,AAAA"/><use href="#a"/><style>a {}</style></svg>',
    "prose": "For $x<y$ the **script** is `on=1`.",
}


def notebook(tmp_path: Path, *cells: dict[str, Any]) -> NotebookFile:
    return NotebookFile.read(write_notebook(tmp_path / "01-x.ipynb", *cells))


@pytest.mark.promise(QUIET)
@pytest.mark.parametrize("mime", scripts.SHOWN)
@pytest.mark.parametrize("what", RUN)
def test_script_in_an_output_is_refused(tmp_path: Path, what: str, mime: str) -> None:
    planted = notebook(tmp_path, code("1"), code("#| label: fig-x\n1", {mime: RUN[what]}))
    with pytest.raises(ReportError, match="01-x.ipynb, cell fig-x: its output holds .*, which would run on the site"):
        scripts.check(planted)


@pytest.mark.promise(QUIET)
@pytest.mark.parametrize(
    "mime", ["application/javascript", "text/javascript", "application/vnd.jupyter.widget-view+json"]
)
def test_output_that_is_a_script_is_refused(tmp_path: Path, mime: str) -> None:
    with pytest.raises(ReportError, match=re.escape(mime)):
        scripts.check(notebook(tmp_path, code("1", {mime: "alert(1)"})))


@pytest.mark.promise(QUIET)
def test_script_in_prose_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cell 1"):
        scripts.check(notebook(tmp_path, markdown(f"# Title\n\n{RUN['a handler']}")))


@pytest.mark.promise(QUIET)
@pytest.mark.parametrize("what", STILL)
def test_what_runs_nothing_or_is_ours_is_shown(tmp_path: Path, what: str) -> None:
    scripts.check(notebook(tmp_path, *(code("1", {mime: STILL[what]}) for mime in scripts.SHOWN), markdown("x < y")))


@pytest.mark.promise(QUIET)
def test_each_page_says_what_may_run(tmp_path: Path) -> None:
    """By Quarto, of which a page here is one, and without."""
    book = write_book(tmp_path)
    render(book)
    (book.rendered / "by-quarto.html").write_text("<html><head>\n</head><body>Content-Security-Policy</body></html>")
    quarto_pages.mend(book)
    pages = [*book.output.rglob("*.html"), book.rendered / "by-quarto.html"]
    assert len(pages) > 5
    for page in pages:
        [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page.read_text())
        assert re.match(r"script-src 'self'( 'sha256-[^']+'| 'unsafe-hashes')*;", html.unescape(policy))


# ── In a browser, from a disk: should a script get there all the same ────────────────────────────────────────────────

PLANTED = "<script>window.planted = 1</script><img src='data:,' alt='none' onerror='window.planted = 2'>"


@pytest.mark.promise(QUIET)
def test_browser_runs_ours_and_no_planted_script(tmp_path: Path, page: Any) -> None:
    book = write_book(tmp_path)
    shown = code(figure("fig-curve")["source"], {"text/html": FIGURE + PLANTED, "image/svg+xml": SVG})
    again = code(figure("fig-again")["source"], {"image/svg+xml": SVG})
    table = code("#| label: tbl-errors\n#| tbl-cap: T\n1", {"text/markdown": "| a |\n|--|\n| 1 |"})
    write_notebook(tmp_path / "cache/notebooks/01-sample.ipynb", markdown("# Sample"), shown, again, table)
    render(book)
    page.goto((book.output / "report/one.html").as_uri())
    page.wait_for_function(
        "document.querySelector('canvas').width > 300 || document.querySelector('canvas').getContext('2d')"
    )
    page.locator(".turnable button").first.click()
    assert page.locator(".turnable button").first.get_attribute("aria-pressed") == "true", "ours runs"
    assert page.evaluate("window.planted") is None
    assert any("Content Security Policy" in fault for fault in page.faults)


@pytest.mark.promise(QUIET)
def test_page_of_quarto_runs_what_quarto_wrote_and_nothing_later(tmp_path: Path, page: Any) -> None:
    """Its own scripts and handlers stand in the page; what is put there afterwards isn't run."""
    book = write_book(tmp_path)
    path = book.rendered / "page.html"
    path.parent.mkdir(parents=True)
    path.write_text(
        "<!doctype html><html><head>\n<meta charset='utf-8'><script src='own.js'></script></head><body>"
        "<script>window.first = 1 < 2</script><script type='application/json'>{}</script>"
        '<button onclick="window.pressed = &quot;yes&quot;; return false;">x</button></body></html>'
    )
    (book.rendered / "own.js").write_text("window.own = true")
    quarto_pages.mend(book)
    path.write_text(path.read_text().replace("</body>", f"{PLANTED}</body>"))
    quarto_pages.mend(book)
    page.goto(path.as_uri())
    page.click("button")
    found = page.evaluate("[window.own, window.first, window.pressed, window.planted]")
    assert found == [True, True, "yes", None]
