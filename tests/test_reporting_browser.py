"""The site as a reader meets it, from a disk and under a path of a server, in a real browser."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from reporting_sample import render, write_book

from autoencoders.explore import pages
from autoencoders.reporting.folder import Folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = write_book(tmp_path_factory.mktemp("served") / "under")
    render(book)
    return book.output


@pytest.fixture(scope="module", params=["disk", "path of a server"])
def address(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    if request.param == "disk":
        yield site.as_uri()
        return
    handler = functools.partial(_Quiet, directory=str(site.parent.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/under/_book"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


def background(page: Any) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_pages_load_with_their_images_and_without_errors(page: Any, site: Path, address: str) -> None:
    for path in sorted(site.rglob("*.html")):
        page.goto(f"{address}/{path.relative_to(site).as_posix()}")
        page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
        page.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth)")
        assert page.faults == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_search_finds_a_word_and_leads_to_its_section(page: Any, address: str) -> None:
    page.goto(f"{address}/cache/notebooks/01-sample.html")
    page.keyboard.press("/")
    page.keyboard.type("kl")
    page.wait_for_selector("#hits a")
    assert "Details" in page.inner_text("#hits li:first-child b")
    assert page.inner_text("#hits mark").lower() == "kl"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"one\.html#sec-details$"))


def test_search_for_anything_else_finds_nothing(page: Any, address: str) -> None:
    page.goto(f"{address}/index.html")
    for words in ("nosuchword", "<img src=x onerror=alert(1)>", "(x", "\\", "kl nosuchword"):
        page.fill("input[type=search]", words)
        page.wait_for_selector("#hits .none")
        page.keyboard.press("Escape")
        assert page.is_hidden("#hits")
    assert page.faults == []


def test_theme_is_shared_by_pages_of_either_renderer_and_explorer_pages(page: Any, site: Path, address: str) -> None:
    book: Any = SimpleNamespace(title="Sample", subtitle="", variables={}, pdf=Path("report.pdf"))
    pages.write(Folder(site), book, [pages.Page(pages.Head("turn", "Turn", "Turn it."), "", {}, ())])
    for scheme, theme in (("alternate", "dark"), ("default", "light")):
        page.goto(f"{address}/index.html")
        page.evaluate(f"localStorage.setItem('quarto-color-scheme', '{scheme}')")  # as a page by Quarto does
        for name in ("report/one", "explore/turn"):
            page.goto(f"{address}/{name}.html")
            assert page.get_attribute("html", "data-theme") == theme
    for name, scheme in (("explore/turn", "alternate"), ("report/one", "default")):
        page.goto(f"{address}/{name}.html")
        page.click("button.theme")
        assert page.evaluate("localStorage.getItem('quarto-color-scheme')") == scheme  # as a page by Quarto reads it
    page.goto(f"{address}/explore/turn.html")
    assert page.get_attribute("html", "data-theme") == "light"


def test_theme_follows_the_readers_preference(browser: Any, address: str) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(f"{address}/index.html")
        shades[scheme] = background(page)
        context.close()
    assert shades["light"] != shades["dark"]


def test_sidebars_mark_where_the_reader_is(page: Any, address: str) -> None:
    page.goto(f"{address}/report/one.html")
    assert page.inner_text("aside a.current") == "1.1 Details"
    assert page.inner_text("#sidebar [aria-current]").split() == ["1", "First"]


def preview(page: Any) -> str:
    page.wait_for_selector("#preview:not([hidden])")
    return page.inner_text("#preview").replace("\u00a0", " ")


def test_what_is_referred_to_is_shown_where_it_is_referred_to(page: Any, address: str) -> None:
    """A figure of another page and a reference: to whoever points at it, and to whoever comes by the keyboard."""
    page.goto(f"{address}/report/two.html")
    page.hover("a.crossref[href='one.html#fig-curve']")
    assert preview(page).startswith("Figure 1.1: The curve.")
    page.wait_for_function("document.querySelector('#preview img').naturalWidth > 0")
    page.keyboard.press("Escape")
    assert page.is_hidden("#preview")
    page.goto(f"{address}/report/one.html")
    page.focus(".skip")
    link = page.locator("a[href='references.html#ref-kingma2014']").first
    while not link.evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")
    assert "Auto-Encoding" in preview(page)
    assert link.get_attribute("aria-describedby") == "preview"
    page.keyboard.press("Tab")
    assert page.is_hidden("#preview") or "Auto-Encoding" not in page.inner_text("#preview")
    assert page.faults == []


def test_table_of_contents_stays_beside_the_text(page: Any, address: str) -> None:
    page.goto(f"{address}/report/one.html")
    for width, seen in ((990, False), (1000, True), (1280, True)):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.is_visible("aside") == seen, width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_search_puts_what_explains_a_word_before_what_names_it(page: Any, site: Path, address: str) -> None:
    page.goto(f"{address}/index.html")
    entries = [
        ["report/names.html", "Names", "Names", "", "pca pca pca pca pca pca pca pca", 0.5],
        ["report/often.html", "Often", "Often", "A long text that names pca once. " + "And so on. " * 80, "", 1],
        ["report/about.html", "About", "About", "Principal components (PCA) are directions of variance.", "", 1],
        ["report/head.html", "Head", "What pca is", "Pca keeps what varies.", "", 1],
    ]
    page.evaluate(  # in place of the script that would be loaded
        "entries => { document.head.append(Object.assign(document.createElement('script'), { id: 'index' }));"
        "window.searchIndex = entries; }",
        entries,
    )
    page.fill("input[type=search]", "pca")
    page.wait_for_selector("#hits a")
    found = page.evaluate("[...document.querySelectorAll('#hits a')].map(a => a.getAttribute('href'))")
    assert found == [f"report/{name}.html" for name in ("head", "about", "often", "names")]
