"""Tables as Markdown pipe tables, the only kind that a notebook shows and both the site and the PDF can embed."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

MISSING = "–"  # not measured: never a made-up number
NO_BREAK = "\u00a0"  # a space at which no line ends
FINER = 2  # decimals more than a column has, where an error would be rounded away without them
SOURCES = "sources"  # where the output of an executed notebook holds the keys of what its figures and tables rest on


@dataclass(frozen=True, kw_only=True)
class Column:
    """Where a column's cells come from, what stands above them, how they are printed and which are good."""

    key: str
    heading: str
    digits: int | None = None  # decimals; None: whole numbers in full, others to six digits
    percent: bool = False  # cells are shares of one
    unit: float = 1.0  # what cells are printed in multiples of; the heading says so
    best: Literal["max", "min"] | None = None


METRICS = {
    column.key: column
    for column in (
        Column(key="mse", heading="MSE (10⁻³)", digits=2, unit=1e-3, best="min"),
        Column(key="mae", heading="MAE", digits=4, best="min"),
        Column(key="psnr_mean", heading="PSNR (dB)", digits=2, best="max"),
        Column(key="psnr_pooled", heading="pooled PSNR (dB)", digits=2, best="max"),
        Column(key="psnr_in_budget", heading="PSNR in few bits (dB)", digits=2, best="max"),
        Column(key="ssim", heading="SSIM", digits=3, best="max"),
        Column(key="snr", heading="SNR (dB)", digits=2, best="max"),
        Column(key="accuracy", heading="accuracy (%)", digits=1, percent=True, best="max"),
        Column(key="auc", heading="AUC", digits=3, best="max"),
    )
}


def column(metric: str, *, key: str | None = None, heading: str | None = None) -> Column:
    """A known metric's column, for example one of several levels: `column("ssim", key="0.3", heading="σ = 0.3")`."""
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}; known are {', '.join(METRICS)}")
    known = METRICS[metric]
    return replace(known, key=key or known.key, heading=heading or known.heading)


@dataclass(frozen=True)
class Table:
    """A Markdown table; a notebook cell that ends in one shows it."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Sources(Table):
    """A table for people; for programs, the executed notebook holds the keys themselves beside it."""

    keys: Mapping[str, list[str]]  # by label

    def _repr_markdown_(self) -> tuple[str, dict[str, Any]]:  # type: ignore[override]
        return self.text, {SOURCES: self.keys}


def markdown(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str | Column], leaders: Mapping[str, int | None] | None = None
) -> Table:
    """One row for each mapping; a column is a `Column`, a metric's name, or the key of something to print as it is.

    A cell is a number, an estimate (value, lo, hi), a spread (mean, std, n) or text.
    `leaders` are the rows, by column, that a test found to be ahead of all others: they alone are bold.
    """
    if not rows or not columns:
        raise ValueError("a table needs rows and columns")
    shown = [resolved(wanted) for wanted in columns]
    if unknown := [column.key for column in shown if all(column.key not in row for row in rows)]:
        raise ValueError(f"no row has {', '.join(map(repr, unknown))}; there are {', '.join(map(repr, rows[0]))}")
    headings = [escape(column.heading) for column in shown]
    cells = [[_cell(row.get(column.key), column) for row in rows] for column in shown]
    ahead = [(leaders or {}).get(column.key) for column in shown]
    texts = [_emboldened(line, row) for line, row in zip(cells, ahead, strict=True)]
    right = [all(cell.is_value for cell in line) for line in cells]
    return Table(pipes([headings, *zip(*texts, strict=True)], right))


def comparison(
    rows: Sequence[Mapping[str, Any]],
    heads: Sequence[str],
    contestants: Sequence[str],
    leaders: Sequence[int | None] | None = None,
) -> Table:
    """Each row is a contest of its own, in its own unit; the contestant that a test found to be ahead is bold."""
    units = [Column(key="", heading="", digits=_digits(row, contestants)) for row in rows]
    cells = [[_cell(row.get(name), unit) for name in contestants] for row, unit in zip(rows, units, strict=True)]
    values = [_emboldened(line, ahead) for line, ahead in zip(cells, leaders or [None] * len(rows), strict=True)]
    texts = [[*(escape(row[head]) for head in heads), *line] for row, line in zip(rows, values, strict=True)]
    return Table(pipes([[*heads, *map(escape, contestants)], *texts], [False] * len(heads) + [True] * len(contestants)))


def _digits(row: Mapping[str, Any], contestants: Sequence[str]) -> int:
    """Three decimals for shares and similarities, two for decibels."""
    known = [row[name] for name in contestants if row[name] is not None]
    values = [getattr(cell, "value", getattr(cell, "mean", cell)) for cell in known]
    return 3 if max(map(abs, values)) <= 1 else 2


def escape(text: object) -> str:
    """Text that Markdown leaves as it is, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~^@])", r"\\\1", " ".join(str(text).split()))


def in_a_row(texts: Sequence[str]) -> str:
    """`0.1, 0.3 and 0.5`, as a sentence has it."""
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


# ── Cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Cell:
    text: str
    is_value: bool = True  # or missing: such columns are set flush right


def _cell(content: Any, column: Column) -> _Cell:
    value: Any
    match content:
        case None:
            return _Cell(MISSING)
        case numbers.Real() if not isinstance(content, bool):
            value, more = content, ""
        case {"value": value, "lo": low, "hi": high} | object(value=value, lo=low, hi=high):
            column = _telling_apart(column, (value, low), (value, high))
            more = rf" \[{_number(low, column)},{NO_BREAK}{_number(high, column)}\]"
        case object(mean=value, std=deviation, n=n) if isinstance(value, numbers.Real):
            column = _telling_apart(column, (deviation or 0.0, 0.0))
            more = f" ({n})" if deviation is None else f" ± {_number(deviation, column)} ({n})"
        case _:
            return _Cell(escape(content), is_value=False)
    if math.isnan(value):
        return _Cell(MISSING)
    return _Cell(_number(value, column) + more)


def _telling_apart(column: Column, *pairs: tuple[float, float]) -> Column:
    """The column with a decimal or two more where values that differ would be printed alike without them."""
    differing = [pair for pair in pairs if pair[0] != pair[1] and all(map(math.isfinite, pair))]
    if column.digits is None:
        return column
    finer = (replace(column, digits=column.digits + more) for more in range(FINER + 1))
    return next((c for c in finer if all(_number(a, c) != _number(b, c) for a, b in differing)), column)


def _number(value: float, column: Column) -> str:
    """Whole numbers with separators where no decimals are asked for."""
    if column.digits is None:
        return number(value, "," if isinstance(value, numbers.Integral) else "g")
    return number(100 * value if column.percent else value / column.unit, f".{column.digits}f")


def number(value: float, form: str) -> str:
    """A number as it is printed: a real minus sign, a real infinity, a dash for what wasn't measured, no sign of 0."""
    shown = format(value, form)
    if not shown.strip("-0."):  # rounded to nothing
        shown = shown.removeprefix("-")
    return MISSING if math.isnan(value) else shown.replace("inf", "∞").replace("-", "−")


def _emboldened(cells: Sequence[_Cell], leader: int | None) -> list[str]:
    """The texts; what is missing leads nothing."""
    return [
        f"**{cell.text}**" if index == leader and cell.text != MISSING else cell.text
        for index, cell in enumerate(cells)
    ]


# ── Layout ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def resolved(wanted: str | Column) -> Column:
    """A column as it is, a metric's own, or one for something to print as it is."""
    if isinstance(wanted, Column):
        return wanted
    return METRICS.get(wanted) or Column(key=wanted, heading=wanted)


def pipes(lines: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """Lay cells out as a Markdown table; they are padded, since pandoc takes a wide table's widths from the dashes."""
    widths = [max(3, *(len(cell) for cell in column)) for column in zip(*lines, strict=True)]
    padded = [
        [
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(line, widths, right, strict=True)
        ]
        for line in lines
    ]
    rule = [
        "-" * (width - 1) + ":" if flush else ":" + "-" * (width - 1)
        for width, flush in zip(widths, right, strict=True)
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in (padded[0], rule, *padded[1:])) + "\n"
