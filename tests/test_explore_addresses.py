"""Where figures, tables and notebooks are found, on a site by either renderer."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoencoders.explore.addresses import Addresses
from autoencoders.reporting.folder import Folder

OF_A_CAPTION = "caption-0ceaefa1-69ba-4598-a22c-09a6ac19f8ca"  # as Quarto labels each

BY_PANDOC = {
    "01-first.html": '<figure id="fig-curve"><img><figcaption>Figure&nbsp;1.1: A <em>curve</em> '
    '<a class="source" href="notebooks/01-one.html#fig-curve">Source</a></figcaption></figure>'
    '<figure id="tbl-errors" class="table"><figcaption>Table 1.1: Errors</figcaption></figure>',
    "notebooks/01-one.html": '<figure id="fig-curve"></figure><figure id="tbl-errors" class="table"></figure>',
}
BY_QUARTO = {
    "report/01-first.html": '<div id="fig-curve" class="quarto-float" data-id="fig-copy"><figure><img>'
    f'<figcaption class="quarto-float-caption" id="fig-curve-{OF_A_CAPTION}">Figure&nbsp;1.1: A <em>curve</em>'
    '</figcaption></figure></div><div id="tbl-errors" class="cell quarto-float"><figure>'
    f'<figcaption id="tbl-errors-{OF_A_CAPTION}">Table 1.1: Errors</figcaption></figure></div>',
    "cache/notebooks/01-one.html": f'<div id="fig-curve"><figcaption id="fig-curve-{OF_A_CAPTION}"></figcaption></div>'
    f'<div id="tbl-errors"><figcaption id="tbl-errors-{OF_A_CAPTION}"></figcaption></div>',
}


def found(site: Path, files: dict[str, str]) -> Addresses:
    for name, content in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(content, encoding="utf-8")
    return Addresses.of(Folder.found(site))


@pytest.mark.parametrize("files", [BY_PANDOC, BY_QUARTO], ids=["Pandoc", "Quarto"])
def test_addresses_are_found_on_either_renderers_site(tmp_path: Path, files: dict[str, str]) -> None:
    chapter, notebook = files
    addresses = found(tmp_path, files | {"explore/walk.html": '<p id="fig-elsewhere">'})
    labels = ("fig-curve", "tbl-errors")
    assert addresses.chapters == {label: f"../{chapter}#{label}" for label in labels}
    assert addresses.notebooks == {label: f"../{notebook}#{label}" for label in labels}
    assert addresses.pages == {"01-one": f"../{notebook}"}
    assert addresses.captions == {"fig-curve": "Figure 1.1: A curve", "tbl-errors": "Table 1.1: Errors"}


def test_preview_stands_for_a_notebook_without_page(tmp_path: Path) -> None:
    preview = "cache/notebooks/01-one-preview.html"
    cell = '<div id="fig-curve"></div>'
    assert found(tmp_path, {preview: cell}).notebooks == {"fig-curve": f"../{preview}#fig-curve"}
    assert found(tmp_path, {}).pages == {"01-one": f"../{preview}"}
    both = found(tmp_path, {"cache/notebooks/01-one.html": cell})
    assert both.notebooks == {"fig-curve": "../cache/notebooks/01-one.html#fig-curve"}
    assert both.pages == {"01-one": "../cache/notebooks/01-one.html"}


def test_addresses_leave_out_the_other_renderers_files(tmp_path: Path) -> None:
    found(tmp_path, BY_QUARTO)
    folder = Folder(tmp_path)
    for name, content in BY_PANDOC.items():
        folder.put(name, content)
    assert Addresses.of(folder) == found(tmp_path / "alone", BY_PANDOC)


def test_caption_belongs_to_the_label_before_it(tmp_path: Path) -> None:
    figures = '<figure id="fig-latent"></figure><figure id="fig-latents"><figcaption>Two</figcaption></figure>'
    assert found(tmp_path, {"index.html": figures}).captions == {"fig-latents": "Two"}
