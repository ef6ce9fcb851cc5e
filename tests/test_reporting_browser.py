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

from autoencoders import explore
from autoencoders.reporting.folder import Folder

PHONE = {"width": 390, "height": 800}


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


def test_every_page_loads_with_its_images_and_without_complaint(page: Any, site: Path, address: str) -> None:
    for path in sorted(site.rglob("*.html")):
        page.goto(f"{address}/{path.relative_to(site).as_posix()}")
        page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
        page.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth)")
        assert page.faults == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_search_finds_a_word_and_leads_to_its_section(page: Any, address: str) -> None:
    page.goto(f"{address}/notebooks/01-sample.html")
    page.keyboard.press("/")
    page.keyboard.type("kl")
    page.wait_for_selector("#results a")
    assert "Details" in page.inner_text("#results li:first-child b")
    assert page.inner_text("#results mark").lower() == "kl"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"one\.html#sec-details$"))


@pytest.mark.parametrize("words", ["nosuchword", "<img src=x onerror=alert(1)>", "(x", "\\", "kl nosuchword"])
def test_what_isnt_there_isnt_found_whatever_is_typed(page: Any, address: str, words: str) -> None:
    page.goto(f"{address}/index.html")
    page.fill("input[type=search]", words)
    page.wait_for_selector("#results .none", timeout=5000)
    assert page.faults == []
    page.keyboard.press("Escape")
    assert page.is_hidden("#results")


def test_the_dark_switch_works_and_is_remembered(page: Any, address: str) -> None:
    page.goto(f"{address}/index.html")
    light = background(page)
    page.click("button.theme")
    dark = background(page)
    assert dark != light
    page.goto(f"{address}/one.html")
    assert background(page) == dark
    page.click("button.theme")
    assert background(page) == light


def test_pages_by_either_renderer_and_pages_to_explore_share_the_choice(page: Any, site: Path, address: str) -> None:
    book: Any = SimpleNamespace(title="Sample", variables={})
    explore.write(Folder(site), book, [explore.Page(explore.Head("turn", "Turn", "Turn it."), "", {}, ())])
    for scheme, theme in (("alternate", "dark"), ("default", "light")):
        page.goto(f"{address}/index.html")
        page.evaluate(f"localStorage.setItem('quarto-color-scheme', '{scheme}')")  # as a page by Quarto does
        for name in ("one", "explore/turn"):
            page.goto(f"{address}/{name}.html")
            assert page.get_attribute("html", "data-theme") == theme
    for name, scheme in (("explore/turn", "alternate"), ("one", "default")):
        page.goto(f"{address}/{name}.html")
        page.click("button.theme")
        assert page.evaluate("localStorage.getItem('quarto-color-scheme')") == scheme  # as a page by Quarto reads it
    page.goto(f"{address}/explore/turn.html")
    assert page.get_attribute("html", "data-theme") == "light"


def test_the_readers_own_preference_comes_first(browser: Any, address: str) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(f"{address}/index.html")
        shades[scheme] = background(page)
        context.close()
    assert shades["light"] != shades["dark"]


def test_a_phone_shows_a_menu_and_no_sideways_scrolling(page: Any, address: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{address}/one.html")
    assert page.is_hidden("#sidebar")
    page.click("button.menu")
    assert page.is_visible("#sidebar")
    page.click("#sidebar .chapters a[href='two.html']")
    page.wait_for_url(re.compile(r"two\.html$"))
    assert page.is_hidden("#sidebar")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_where_the_reader_is_is_marked(page: Any, address: str) -> None:
    page.goto(f"{address}/one.html")
    assert page.inner_text("aside a.current") == "1.1 Details"
    assert page.inner_text("#sidebar [aria-current]").split() == ["1", "First"]
