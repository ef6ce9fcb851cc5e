"""Pages that Quarto rendered, mended: nothing from the network, all of it from a disk, the run's facts on the cover."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from importlib import resources
from pathlib import Path

from autoencoders.reporting import citation, dark_twins, previews, scripts
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import write_if_changed

NOTEBOOKS = "cache/notebooks"  # below a site by Quarto
COVER = {"Data": "dataset.title", "Profile": "profile.title", "Seeds": "seeds"}
FOR_WIDGETS = re.compile(
    r'<script[^>]* src="https://[^"]*/(?:requirejs|jquery)@[^>]*></script>'
    r"|<script[^>]*>define\('jquery'.*?</script>"
)
MODULE = re.compile(r'(<script src="[^"]*/quarto-html/quarto\.js") type="module">')
TABSETS = re.compile(r'<script src="[^"]*/tabsets/tabsets\.js" type="module"></script>\n?')
CAPTION = re.compile(  # a figure's or table's label, and the name that its caption begins with
    r'(<figcaption[^>]* id="((?:fig|tbl)-[\w-]+?)-caption-[^"]*"[^>]*>\s*)'
    r"((?:Figure|Table)(?:&nbsp;|\u00a0| )[\w.]+)(?=:)"
)
PREVIEWS = ("previews.css", "previews.js")  # among the assets
AUTHORS = '<div class="quarto-title-meta">'


def mend(book: Book) -> None:
    """Mend the site that was rendered; what is mended stays as it is."""
    places = _places(book)
    for path in book.rendered.rglob("*.html"):
        page = drop_libraries(path.read_text(encoding="utf-8"))
        page = dark_twins.add(path, MODULE.sub(r"\1 defer>", TABSETS.sub("", page)))
        if path.parent == book.rendered / NOTEBOOKS:
            page = as_in_the_report(page, places)
        if path == book.rendered / "index.html":
            page = with_facts(page, book)
        write_if_changed(path, scripts.add_policy(citation.with_metadata(page, book)))
    _make_scripts_plain(book.rendered)
    _add_previews(book)


def _places(book: Book) -> dict[str, tuple[str, str]]:
    """Where the chapters show each figure and table: its number there, and the address as notebooks see it."""
    up = "../" * (NOTEBOOKS.count("/") + 1)
    found: dict[str, tuple[str, str]] = {}
    for source in book.sources:
        page = (book.rendered / source.relative_to(book.root)).with_suffix(".html")
        if page.exists():
            address = up + page.relative_to(book.rendered).as_posix()
            found |= {m[2]: (m[3], f"{address}#{m[2]}") for m in CAPTION.finditer(page.read_text(encoding="utf-8"))}
    return found


def as_in_the_report(page: str, places: Mapping[str, tuple[str, str]]) -> str:
    """Call figures and tables of a notebook what the report calls them, with a link back to it."""

    def renamed(caption: re.Match[str]) -> str:
        if caption[2] not in places:
            return caption[0]
        name, address = places[caption[2]]
        return f'{caption[1]}<a href="{address}">{name}</a>'

    return CAPTION.sub(renamed, page)


def _add_previews(book: Book) -> None:
    """Show what is referred to where it is referred to, as our own pages do.

    Quarto's own way fetches whole pages, which browsers don't do from a disk, and it knows no claims.
    """
    sources = [book.rendered / source.relative_to(book.root).with_suffix(".html") for source in book.sources]
    pages = {path: path.read_text(encoding="utf-8") for path in sources if path.exists()}
    addresses = {path: path.relative_to(book.rendered).as_posix() for path in pages}
    script = previews.script_of((addresses[path], text) for path, text in pages.items())
    write_if_changed(book.rendered / "previewed.js", script)
    for name in PREVIEWS:
        write_if_changed(book.rendered / name, _asset(name))
    for path, text in pages.items():
        base = "../" * addresses[path].count("/")
        style, own = (f"{base}{name}" for name in PREVIEWS)
        head = (
            f'<link rel="stylesheet" href="{style}">\n<script src="{own}" data-base="{base}" defer></script>\n</head>'
        )
        write_if_changed(path, text if own in text else text.replace("</head>", head, 1))


def _asset(name: str) -> str:
    return resources.files("autoencoders.reporting").joinpath("assets", name).read_text("utf-8")


def drop_libraries(page: str) -> str:
    """Quarto loads require.js and jQuery from the network into each page that shows HTML from a notebook, in case it is
    a widget; ours needs neither."""
    return FOR_WIDGETS.sub("", page)


def with_facts(page: str, book: Book) -> str:
    """Say beside the authors what was run, as the cover of the PDF does."""
    facts = [
        f'<div class="run"><div class="quarto-title-meta-heading">{label}</div>'
        f'<div class="quarto-title-meta-contents"><p>{escape(book.variables[name])}</p></div></div>'
        for label, name in COVER.items()
        if name in book.variables
    ]
    return page if '<div class="run">' in page else page.replace(AUTHORS, AUTHORS + "".join(facts), 1)


def _make_scripts_plain(site: Path) -> None:
    """Make of Quarto's modules plain scripts, and of its search index one: from a disk, browsers load nothing else."""
    scripts, tabsets = site / "site_libs/quarto-html/quarto.js", site / "site_libs/quarto-html/tabsets/tabsets.js"
    if scripts.exists() and tabsets.exists() and (source := scripts.read_text(encoding="utf-8")).startswith("import "):
        inner = tabsets.read_text(encoding="utf-8").replace("export function", "function")
        rest = source.partition("\n")[2]
        write_if_changed(
            scripts, f"(() => {{\nconst tabsets = (() => {{\n{inner}\nreturn {{ init }};\n}})();\n{rest}\n}})();\n"
        )
    index, search = site / "search.json", site / "site_libs/quarto-search/quarto-search.js"
    if index.exists() and search.exists():
        write_if_changed(site / "search.js", f"window.searchIndex = {index.read_text(encoding='utf-8')};\n")
        prelude = _asset("from-disk.js")
        source = search.read_text(encoding="utf-8").removeprefix(prelude)
        warned = 'window.location.protocol === "file:" && !shownWarning'
        write_if_changed(search, prelude + source.replace(warned, "false"))
