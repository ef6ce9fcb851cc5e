"""A small book with notebooks, for the tests of the report's machinery."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoencoders.reporting import publishing, variables, without_quarto
from autoencoders.reporting.book import Book

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30"><rect width="60" height="30" fill="teal"/></svg>'
TABLE = "| model | error |\n|:--|--:|\n| ae | **0.01** |\n| pca | 0.02 |"
PARAMETERS = 'sigmas: list[float] = [0.1, 0.3]  # levels\nprofile: str = "quick"\nlimit: int | None = None'
VALUES = {
    "group": "G07",
    "date": "2026-01-02",
    "authors": "Ada Lovelace",
    "dataset": {"title": "CIFAR-10"},
    "error": "0.10",
}

QUARTO = """
project: {type: book, output-dir: build/book}
book:
  title: "Sample report"
  subtitle: "For tests"
  output-file: "{{< var group >}}_Assignment2_Report"
  chapters: [index.qmd, report/one.qmd, report/two.qmd, report/references.qmd]
  appendices: [report/extra.qmd]
bibliography: references.bib
"""
CHAPTERS = {
    "index.qmd": "# Abstract {.unnumbered}\n\nBy group {{< var group >}}.\n",
    "report/one.qmd": """# First {#sec-one}

See @fig-curve, @tbl-errors, @eq-loss, @sec-two and [-@fig-curve]; as in @kingma2014. The error is {{< var error >}}.

$$ x^2 $$ {#eq-loss}

{{< embed /cache/notebooks/01-sample.ipynb#fig-curve >}}

## Details {#sec-details}

{{< embed /cache/notebooks/01-sample.ipynb#tbl-errors >}}

::: {.callout-note title="Mind"}
A callout about the KL divergence.
:::
""",
    "report/two.qmd": """# Second {#sec-two}

@fig-curve is in @sec-one, and @sec-details tells more. @fig-again has {{< var error >}} in its caption.

{{< embed /cache/notebooks/01-sample.ipynb#fig-again >}}

::: {.content-visible when-format="html"}
Only on the site.
:::

::: {.content-visible unless-format="html"}
Only in print.
:::
""",
    "report/references.qmd": "# References {.unnumbered}\n\n::: {#refs}\n:::\n",
    "report/extra.qmd": """# Extra {#sec-extra}

| a | b |
|:--|:--|
| @fig-curve | @sec-extra |

: A list {#tbl-list}
""",
}
BIBLIOGRAPHY = (
    "@inproceedings{kingma2014, title={Auto-encoding}, author={Kingma, D. and Welling, M.}, "
    "booktitle={ICLR}, year={2014}}"
)


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": source}


def code(source: str, *outputs: Mapping[str, Any], tags: tuple[str, ...] = ()) -> dict[str, Any]:
    shown = [{"output_type": "display_data", "metadata": {}, "data": dict(data)} for data in outputs]
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "id": "",
        "metadata": metadata,
        "source": source,
        "outputs": shown,
        "execution_count": 1 if outputs else None,
    }


def figure(label: str, caption: str = "A curve.", alt: str = "A falling curve", **data: str) -> dict[str, Any]:
    source = f"#| label: {label}\n#| fig-cap: {json.dumps(caption)}\n#| fig-alt: {json.dumps(alt)}\nshow()"
    return code(source, data or {"image/svg+xml": SVG, "text/plain": "<Figure>"})


def table(label: str, caption: str = "Errors.") -> dict[str, Any]:
    return code(f'#| label: {label}\n#| tbl-cap: "{caption}"\nshow()', {"text/markdown": TABLE})


def write_notebook(path: Path, *cells: dict[str, Any], **metadata: Any) -> Path:
    numbered = [cell | {"id": f"c{i}"} for i, cell in enumerate(cells)]
    path.parent.mkdir(parents=True, exist_ok=True)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"cells": numbered, "metadata": {"kernelspec": kernel} | metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_book(root: Path, chapters: Mapping[str, str] = CHAPTERS, values: Mapping[str, Any] = VALUES) -> Book:
    """The whole sample, its notebook as if executed."""
    for name, source in {"_quarto.yml": QUARTO, "references.bib": BIBLIOGRAPHY, **chapters}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(source, encoding="utf-8")
    variables.write(root / "_variables.yml", values)
    write_notebook(
        root / "cache/notebooks/01-sample.ipynb",
        markdown("# The sample\n\nWhat it does."),
        code(PARAMETERS, tags=("parameters",)),
        figure("fig-curve", caption="The curve. It *falls* by $x^2$."),
        table("tbl-errors"),
        figure("fig-again", caption="The same for {{< var error >}} again."),
    )
    return Book.read(root)


def render(book: Book) -> None:
    without_quarto.render(book, sorted((book.root / "cache/notebooks").glob("*.ipynb")), {}, lambda folder: None)
    publishing.publish(book)
