"""A notebook's parameters: parsed into the declared types, or one line that says what is wrong."""

from __future__ import annotations

import math
from typing import Any

import pytest

from autoencoders import parameters
from autoencoders.errors import InputError


def namespace(source: str, **injected: Any) -> dict[str, Any]:
    """What a notebook's `globals()` holds after a parameters cell and, like papermill's, a cell that overrides it."""
    found: dict[str, Any] = {"__name__": "__main__", "_oh": {}, "In": [], "Out": {}, "exit": None, "get_ipython": None}
    exec(compile(source, "cell", "exec", dont_inherit=True), found)
    return found | injected


CELL = """
from autoencoders import parameters
sigmas: list[float] = [0.1, 0.3]
latent: int = 128
rate: float = 1e-3
dataset: str = "auto"
classes: list[str] | None = None
unseen: float | None = None
clip: bool = True
"""


def test_defaults() -> None:
    found = parameters.checked(namespace(CELL))
    assert vars(found) == {
        "sigmas": [0.1, 0.3],
        "latent": 128,
        "rate": 1e-3,
        "dataset": "auto",
        "classes": None,
        "unseen": None,
        "clip": True,
    }


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("sigmas", "[0.2, 0.4]", [0.2, 0.4]),  # papermill -p hands lists over as text
        ("sigmas", [1], [1.0]),
        ("sigmas", (0.2, 1), [0.2, 1.0]),
        ("sigmas", "[]", []),
        ("sigmas", "[1e-3, 5]", [0.001, 5.0]),
        ("latent", "64", 64),
        ("rate", 1, 1.0),
        ("rate", "1e-3", 0.001),
        ("rate", "2", 2.0),
        ("dataset", "[photos10]", "[photos10]"),  # text is taken as it is
        ("dataset", "10", "10"),
        ("classes", "[dog, cat, bird]", ["dog", "cat", "bird"]),
        ("classes", "null", None),
        ("classes", None, None),
        ("unseen", "0.2", 0.2),
        ("unseen", 1, 1.0),
        ("unseen", "null", None),
        ("clip", "false", False),
        ("clip", "no", False),
    ],
)
def test_values_are_read_as_they_are_meant(name: str, given: Any, meant: Any) -> None:
    found = getattr(parameters.checked(namespace(CELL, **{name: given})), name)
    assert found == meant
    assert type(found) is type(meant)
    if isinstance(found, list):
        assert [type(item) for item in found] == [type(item) for item in meant]


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("sigmas", 0.2, "list[float]"),
        ("sigmas", "0.2", "list[float]"),
        ("sigmas", "0.2, 0.4", "list[float]"),
        ("sigmas", "[a]", "list[float]"),
        ("sigmas", "[0.2", "list[float]"),
        ("sigmas", [True], "list[float]"),
        ("sigmas", [None], "list[float]"),
        ("sigmas", None, "list[float]"),
        ("sigmas", {"a": 1}, "list[float]"),
        ("latent", "64.5", "int"),
        ("latent", 64.0, "int"),
        ("latent", True, "int"),
        ("latent", "", "int"),
        ("latent", "many", "int"),
        ("rate", "fast", "float"),
        ("rate", True, "float"),
        ("rate", "[1]", "float"),
        ("rate", math.nan, "float"),
        ("rate", "inf", "float"),
        ("dataset", 10, "str"),
        ("dataset", None, "str"),
        ("classes", "dog", "list[str] | None"),
        ("classes", [1, 2], "list[str] | None"),
        ("unseen", "[0.2]", "float | None"),
        ("clip", "maybe", "bool"),
        ("clip", 1, "bool"),
    ],
)
def test_wrong_values_name_the_parameter_and_its_type(name: str, given: Any, wanted: str) -> None:
    with pytest.raises(InputError) as caught:
        parameters.checked(namespace(CELL, **{name: given}))
    assert str(caught.value).startswith(f"parameter {name} must be {wanted}, not ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["2020-99-99", "0x_", "!!bool maybe", "!!int ''", "[" * 5000, "1" * 5000, "1" * 400])
def test_text_that_yaml_stumbles_over_is_a_wrong_value(text: str) -> None:
    with pytest.raises(InputError, match="^parameter rate must be float"):
        parameters.checked(namespace(CELL, rate=text))


def test_unknown_names_are_refused_with_the_valid_ones() -> None:
    with pytest.raises(InputError, match="^no parameter is called sigma; there are: sigmas, latent, rate"):
        parameters.checked(namespace(CELL, sigma=0.2))


def test_declared_parameter_without_a_value_is_told() -> None:
    with pytest.raises(InputError, match="parameter sigma"):
        parameters.checked(namespace("sigma: float"))
