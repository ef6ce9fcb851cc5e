"""Tables: sensible digits, tested leaders in bold, nothing invented, and Markdown that no cell can break."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from autoencoders import tables


class Estimate(NamedTuple):
    value: float
    lo: float
    hi: float
    n: int


class Spread(NamedTuple):
    mean: float
    std: float | None
    n: int


def cells(table):
    """A table's lines of cells, split at pipes that aren't escaped."""
    lines = str(table).splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def body(rows, columns, **options):
    return cells(tables.markdown(rows, columns, **options))[2:]


def one(content, metric="psnr_mean"):
    return body([{metric: content}], [metric])[0][0]


def test_markdown_of_a_whole_table():
    rows = [
        {"model": "AE", "psnr_mean": 23.94, "ssim": Estimate(0.8512, 0.8501, 0.8523, 100)},
        {"model": "PCA", "psnr_mean": Spread(22.99, 0.014, 3), "ssim": None},
    ]
    assert str(tables.markdown(rows, ["model", "psnr_mean", "ssim"])) == (
        "| model |        PSNR (dB) |                   SSIM |\n"
        "| :---- | ---------------: | ---------------------: |\n"
        "| AE    |            23.94 | 0.851 \\[0.850,\u00a00.852\\] |\n"
        "| PCA   | 22.99 ± 0.01 (3) |                      – |\n"
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (23.456, "23.46"),
        (np.float32(23.456), "23.46"),
        (np.int64(7), "7.00"),
        (-3.2, "−3.20"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "–"),
        (None, "–"),
        (Estimate(math.nan, math.nan, math.nan, 0), "–"),
        (Spread(math.nan, None, 0), "–"),
        (Estimate(1, -math.inf, math.inf, 1), "1.00 \\[−∞,\u00a0∞\\]"),
        ({"value": 1.0, "lo": 0.5, "hi": 2.0, "n": 9}, "1.00 \\[0.50,\u00a02.00\\]"),
        (Spread(1.0, None, 1), "1.00 (1)"),
        (Spread(1.0, 0.125, 3), "1.00 ± 0.12 (3)"),
        ("not run", "not run"),
    ],
)
def test_cell_prints_every_kind_of_content(content, text):
    assert one(content) == text


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("psnr_pooled", 23.456, "23.46"),
        ("ssim", 0.23449, "0.234"),
        ("mse", 0.00371, "3.71"),
        ("mse", Spread(0.0041742, 0.0000031, 3), "4.174 ± 0.003 (3)"),
        ("mse", Estimate(0.0000104, 0.0000101, 0.0000107, 10), "0.0104 \\[0.0101,\u00a00.0107\\]"),
        ("psnr_mean", Spread(24.518, 0.0041, 3), "24.518 ± 0.004 (3)"),
        ("ssim", Estimate(0.99916, 0.99908, 0.99923, 10), "0.99916 \\[0.99908,\u00a00.99923\\]"),
        ("mae", 0.1391, "0.1391"),
        ("accuracy", 0.4123, "41.2"),
        ("snr", 10.274, "10.27"),
        ("auc", 0.5, "0.500"),
        ("accuracy", Estimate(0.5, 0.48, 0.52, 10), "50.0 \\[48.0,\u00a052.0\\]"),
    ],
)
def test_digits_suit_the_metric(metric, value, text):
    assert one(value, metric) == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (Spread(24.5, 0.0, 3), "24.50 ± 0.00 (3)"),
        (Spread(24.5, 1e-9, 3), "24.50 ± 0.00 (3)"),
        (Estimate(24.5, 24.5, 24.5, 9), "24.50 \\[24.50,\u00a024.50\\]"),
        (Estimate(24.5, 24.5 - 1e-9, 24.5 + 1e-9, 9), "24.50 \\[24.50,\u00a024.50\\]"),
        (Spread(24.5, 0.26, 3), "24.50 ± 0.26 (3)"),
    ],
    ids=["none", "of rounding", "no width", "width of rounding", "as wide as the column"],
)
def test_errors_have_more_decimals_only_where_these_show_one(content, text):
    assert one(content) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1234567, "1,234,567"), (0.25, "0.25"), (0, "0"), (True, "True"), (1e-9, "1e−09")]
)
def test_cell_prints_what_is_no_metric_in_full(value, text):
    assert one(value, "parameters") == text


def bold(rows, columns, **options):
    return [[cell.startswith("**") for cell in line] for line in body(rows, columns, **options)]


@pytest.mark.parametrize(
    ("rows", "leaders", "marked"),
    [
        ([{"psnr_mean": 20.0, "mse": 0.1}, {"psnr_mean": 21.0, "mse": 0.2}], {"psnr_mean": 1}, [[0, 0], [1, 0]]),
        ([{"psnr_mean": 20.0}, {"psnr_mean": 21.0}], {}, [[0], [0]]),
        ([{"psnr_mean": 20.0}, {"psnr_mean": 21.0}], {"psnr_mean": None}, [[0], [0]]),
        ([{"ssim": Estimate(0.5, 0.4, 0.6, 9)}, {"ssim": None}], {"ssim": 0}, [[1], [0]]),
        ([{"ssim": 0.5}, {"ssim": math.nan}], {"ssim": 1}, [[0], [0]]),
    ],
    ids=["leader", "untested", "no leader", "with its interval", "never missing"],
)
def test_only_a_tested_leader_is_bold(rows, leaders, marked):
    assert bold(rows, list(rows[0]), leaders=leaders) == marked


def test_comparison_emboldens_the_leader_of_each_row():
    rows = [{"what": "PSNR", "AE": 20.0, "DAE": 21.0}, {"what": "SSIM", "AE": 0.5, "DAE": 0.6}]
    plain, tested = (cells(tables.comparison(rows, ["what"], ["AE", "DAE"], lead))[2:] for lead in (None, [1, None]))
    assert not any("**" in cell for line in plain for cell in line)
    assert tested == [["PSNR", "20.00", "**21.00**"], ["SSIM", "0.500", "0.600"]]


def test_columns_of_numbers_are_flush_right():
    table = tables.markdown([{"model": "AE", "ssim": None}, {"model": "VAE", "ssim": 0.5}], ["model", "ssim"])
    left, right = cells(table)[1]
    assert re.fullmatch(":-+", left)
    assert re.fullmatch("-+:", right)


# ── Markdown ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "a|b",
        "*a*",
        "_a_",
        "$x$",
        "`a`",
        "[a](b)",
        "<b>",
        "# a",
        "a\\",
        "~a~",
        "x^2^",
        "@ref",
        "{{< var x >}}",
        "a\nb",
        "  a ",
    ],
)
def test_text_never_breaks_the_table_or_becomes_markup(text):
    table = tables.markdown([{text or "k": text, "ssim": 0.5}], [text, "ssim"])
    lines = str(table).splitlines()
    assert len(lines) == 3
    assert [len(line) for line in cells(table)] == [2, 2, 2]
    for cell in (cells(table)[0][0], cells(table)[2][0]):
        assert re.sub(r"\\(.)", r"\1", cell) == " ".join(text.split())
        assert not re.search(r"(?<!\\)(?:\\\\)*[*_$`|<>\[\]{}#~^@]", cell)


def test_text_reaches_pandoc_as_written():
    pypandoc = pytest.importorskip("pypandoc")
    text = "a|b *c* _d_ $e$ {{< var f >}} @g"
    table = tables.markdown([{"model": text, "ssim": Estimate(0.5, 0.4, 0.6, 9)}], ["model", "ssim"])
    plain = pypandoc.convert_text(str(table), "plain", format="markdown", extra_args=["--columns=200"])
    assert text in plain
    assert "0.500 [0.400,\u00a00.600]" in plain


# ── Mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tables.markdown([], ["a"]), "needs rows and columns"),
        (lambda: tables.markdown([{"a": 1}], []), "needs rows and columns"),
        (lambda: tables.markdown([{"model": "AE", "ssim": 1}], ["modle"]), "no row has 'modle'; there are 'model'"),
        (lambda: tables.column("prsn"), r"unknown metric 'prsn'; known are mse, .*ssim"),
    ],
)
def test_tables_refuse_mistakes_with_what_there_is(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_tables_import_nothing_heavy():
    code = (
        "import sys, autoencoders.tables; print(sorted({'numpy', 'matplotlib', 'pandas', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (-0.001, ".2f", "0.00"),
        (-0.0, "g", "0"),
        (-0.01, ".2f", "−0.01"),
        (-math.inf, ".2f", "−∞"),
        (-20.0, ".0f", "−20"),
        (math.nan, ".2f", tables.MISSING),
    ],
)
def test_number_has_a_sign_only_where_something_is_left(value: float, form: str, shown: str) -> None:
    assert tables.number(value, form) == shown
