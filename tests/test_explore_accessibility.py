"""Manners of every page of the site: for eyes, hands and ears, in both themes, at a desk and on a phone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from accessibility import WATCH, shift, violations
from explore_page import wait_until
from made_report import Made

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 800}
FOCUSED = """() => {
  const element = document.activeElement;
  const inside = element.tagName === "IFRAME"; // a widget's controls, which are tried on the widget's own page
  const again = element.dataset.visited === "yes" && !inside;
  if (element === document.body || (again && element.className === "skip")) return null; // once round
  element.dataset.visited = "yes";
  const seen = inside || [element, element.parentElement].some(each => {
    const { outlineStyle, outlineWidth } = getComputedStyle(each);
    return outlineStyle !== "none" && parseFloat(outlineWidth) > 1;
  });
  return { name: element.outerHTML.slice(0, 120), seen, again };
}"""
UNRESTRAINED = """() => [...document.images]
  .filter(image => !(image.getAttribute("width") > 1 && image.getAttribute("height") > 1 && image.loading === "lazy"))
  .map(image => `without a size, or not loaded lazily: ${image.outerHTML.slice(0, 120)}`)"""
MISSED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter(element => element.checkVisibility() && !element.disabled && element.tabIndex >= 0)
  .filter(element => !element.dataset.visited)
  .filter(element => element.type !== "radio" || element.checked)
  .map(element => element.outerHTML.slice(0, 120))"""


def pages(made: Made) -> list[Path]:
    return sorted(made.book.rglob("*.html"))


def kinds(made: Made) -> list[Path]:
    """One page of each kind that is made by a template, and every page to explore."""
    return [
        made.book / name for name in ("index.html", "report/04-autoencoder.html", "cache/notebooks/01-autoencoder.html")
    ] + sorted((made.book / "explore").glob("*.html"))


@contextmanager
def opened(browser: Any, size: dict[str, int], **preferences: str) -> Iterator[Any]:
    context = browser.new_context(viewport=size, **preferences)
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_pages_fit_are_accessible_and_stand_still(browser: Any, made: Made, scheme: str, size: dict[str, int]) -> None:
    faults: list[str] = []
    with opened(browser, size, color_scheme=scheme) as page:
        for path in pages(made):
            name = path.relative_to(made.book).with_suffix("").as_posix()
            page.goto(path.as_uri())
            found = page.evaluate(UNRESTRAINED)
            if (jump := shift(page)) >= 0.01:
                found.append(f"things jump by {jump:.3f}")
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append("it is wider than the screen")
            if scheme == "light" and (size == DESK or path in kinds(made)):  # a phone lays pages out by the same rules
                found += violations(page)
            elif size == DESK:  # only colours are others in the dark, and none are on a phone
                found += violations(page, "color-contrast", "link-in-text-block")
            faults += [f"{name}: {fault}" for fault in found]
    assert faults == []


def test_long_table_stands_still_while_it_is_read(browser: Any, made: Made) -> None:
    """Its columns would jump if a page were shown whose last rows aren't read yet."""
    with slowly_served(made.book) as address, opened(browser, DESK) as page:
        page.goto(f"{address}/report/claims.html")
        assert page.locator("#tbl-claims tr").count() > 20
        assert shift(page) == 0


@contextmanager
def slowly_served(folder: Path) -> Iterator[str]:
    """The address of a site of whose pages a quarter arrives long before the rest."""

    class Handler(SimpleHTTPRequestHandler):
        def copyfile(self, source: Any, outputfile: Any) -> None:
            content = source.read()
            if self.path.endswith(".html"):
                outputfile.write(content[: len(content) // 4])
                outputfile.flush()
                time.sleep(2)  # in which a browser would show it
                content = content[len(content) // 4 :]
            outputfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_keyboard_reaches_every_control_and_shows_where_it_is(browser: Any, made: Made) -> None:
    with opened(browser, DESK) as page:
        for path in kinds(made):
            page.goto(path.as_uri())
            while stop := next_stop(page):
                assert stop["seen"], f"{path.name}: {stop['name']}"
                assert not stop["again"], f"{path.name}: no way on from {stop['name']}"
            assert page.evaluate(MISSED) == [], path.name


def next_stop(page: Any) -> Any:
    page.keyboard.press("Tab")
    return page.evaluate(FOCUSED)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_first_key_leads_past_the_navigation(browser: Any, made: Made, size: dict[str, int]) -> None:
    with opened(browser, size) as page:
        for path in kinds(made):
            page.goto(path.as_uri())
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.className") == "skip"
            box = page.locator(".skip").bounding_box()
            assert min(box["x"], box["y"]) >= 0, "it can be seen"
            assert box["width"] > 50
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.id") == "content", path.name


def test_escape_closes_what_was_opened_last_and_gives_the_focus_back(browser: Any, made: Made) -> None:
    with opened(browser, PHONE) as page:
        page.goto((made.book / "index.html").as_uri())
        page.focus("button.menu")
        page.keyboard.press("Enter")
        assert page.is_visible("#sidebar")
        assert violations(page) == []
        page.keyboard.press("/")
        page.keyboard.type("noise")
        page.wait_for_selector("#hits a")
        assert page.inner_text("#found").endswith("found")
        assert violations(page) == []
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        assert page.is_hidden("#hits")
        assert page.evaluate("document.activeElement.type") == "search"
        page.keyboard.press("Escape")
        assert page.is_hidden("#sidebar")
        assert page.evaluate("document.activeElement.className") == "menu"


def test_menu_that_is_left_closes(browser: Any, made: Made) -> None:
    with opened(browser, PHONE) as page:
        page.goto((made.book / "index.html").as_uri())
        page.click("button.menu")
        page.focus("#sidebar li:last-child a")
        page.focus("#content a")
        assert page.is_hidden("#sidebar")


def test_reduced_motion_is_respected(browser: Any, made: Made) -> None:
    scrolling = {}
    for wish in ("reduce", "no-preference"):
        with opened(browser, DESK, reduced_motion=wish) as page:
            page.goto((made.book / "index.html").as_uri())
            scrolling[wish] = page.evaluate("getComputedStyle(document.documentElement).scrollBehavior")
    assert scrolling == {"reduce": "auto", "no-preference": "smooth"}
    with opened(browser, DESK, reduced_motion="reduce") as page:
        for path in kinds(made):
            page.goto(path.as_uri())
            assert page.evaluate("document.getAnimations().length") == 0, path.name


def test_wide_table_scrolls_by_keyboard(browser: Any, made: Made) -> None:
    with opened(browser, PHONE) as page:
        page.goto((made.book / "report/04-autoencoder.html").as_uri())
        box = page.locator(".scrolling[tabindex]").first
        box.focus()
        page.keyboard.press("ArrowRight")
        wait_until(page, "document.activeElement.scrollLeft > 0")
        reached = page.locator(".scrolling[tabindex]").count()
        page.set_viewport_size({"width": 2400, "height": 900})
        wait_until(page, "document.querySelectorAll('.scrolling[tabindex]').length < argument", reached)
        assert page.evaluate(
            "[...document.querySelectorAll('.scrolling')]"
            ".every(box => box.hasAttribute('tabindex') === box.scrollWidth > box.clientWidth)"
        )
