"""The code hash changes with whatever a computation reaches, and with nothing else."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest
from waiting import settled

from autoencoders.errors import InputError
from autoencoders.store import files
from autoencoders.store.codehash import Code, Package
from autoencoders.store.files import stamp

ROOTS = ("lab.training:train", "lab.models:Net")

SOURCES = {
    "__init__.py": '"""A package."""',
    "training.py": '''
        """Training."""
        from __future__ import annotations

        import math
        from collections.abc import Callable

        from lab import corruption
        from lab.models import Net
        from . import schedules as plans
        from .tools.timing import clock as watch

        RATE = 0.1
        LIMITS = {"low": 0}
        LIMITS["high"] = 9
        STEPS = 3
        STEPS += 1
        FIRST, SECOND = 1, 2
        UNUSED = 5

        def train(model: Net, data, *, rate: float = RATE, report: Callable | None = None) -> Net:
            """Train."""
            # carefully
            from lab.late import finish
            noisy: float = corruption.gaussian(data, LIMITS["low"])
            for _ in range(STEPS + SECOND):
                noisy = plans.cosine(noisy) * rate + math.pi
            return finish(watch(noisy))

        def unreached(data):
            return corruption.salt(data)
    ''',
    "corruption.py": """
        SIGMA = 0.3

        def gaussian(x, low):
            return scaled(x) + low

        def scaled(x):
            return x * SIGMA

        def salt(x):
            return x + 1
    """,
    "models.py": """
        import functools

        from lab.parts import Block, logged
        from lab import sizes

        class Base:
            def width(self):
                return sizes.WIDTH

        @logged
        class Net(Base):
            depth: int = 3
            parts = [Block for _ in range(2)]

            def forward(self, x):
                return x

        class OtherNet(Base):
            depth = 4

        @functools.singledispatch
        def describe(x):
            return "thing"

        @describe.register(int)
        def _(x):
            return "number"
    """,
    "parts.py": """
        class Block:
            side = 3

        def logged(cls):
            return cls

        if Block.side:
            DEPTH = 1
    """,
    "sizes.py": """
        WIDTH = 8
    """,
    "schedules.py": """
        try:
            from fast import cos as curve
        except ImportError:
            def curve(x):
                return x

        def cosine(x):
            return curve(x)
    """,
    "late.py": """
        def finish(x):
            return x
    """,
    "tools/__init__.py": "",
    "tools/timing.py": """
        def clock(x):
            return x
    """,
    "figures.py": """
        from lab import models

        def plot(x):
            return models.OtherNet
    """,
}


class Lab:
    """A small package on disk that can be edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = Package(folder)
        for name, source in SOURCES.items():
            self.write(name, source)

    def write(self, name: str, source: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))

    def edit(self, name: str, old: str, new: str) -> None:
        source = (self.folder / name).read_text()
        assert old in source, f"{old!r} isn't in {name}"
        (self.folder / name).write_text(source.replace(old, new))

    def code(self, *roots: str) -> Code:
        return self.package.code(roots or ROOTS)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


# ── What counts ──────────────────────────────────────────────────────────────────────────────────────────────────────

REACHED = {
    "root function": ("training.py", "range(STEPS", "range(1 + STEPS", "training.train"),
    "default of an argument": ("training.py", "rate: float = RATE", "rate: float = 1", "training.train"),
    "function of an imported module": ("corruption.py", "scaled(x) + low", "scaled(x) - low", "corruption.gaussian"),
    "helper of a helper": ("corruption.py", "x * SIGMA", "x / SIGMA", "corruption.scaled"),
    "constant of a helper": ("corruption.py", "SIGMA = 0.3", "SIGMA = 0.4", "corruption.SIGMA"),
    "type of a constant": ("sizes.py", "WIDTH = 8", "WIDTH = 8.0", "sizes.WIDTH"),
    "constant as a default": ("training.py", "RATE = 0.1", "RATE = 0.2", "training.RATE"),
    "subscript assignment": ("training.py", '["high"] = 9', '["high"] = 8', "training.LIMITS"),
    "augmented assignment": ("training.py", "STEPS += 1", "STEPS += 2", "training.STEPS"),
    "tuple assignment": ("training.py", "SECOND = 1, 2", "SECOND = 1, 3", "training.SECOND"),
    "class": ("models.py", "return x\n", "return 2 * x\n", "models.Net"),
    "field's type": ("models.py", "depth: int", "depth: float", "models.Net"),
    "base class": ("models.py", "return sizes.WIDTH", "return -sizes.WIDTH", "models.Base"),
    "other base class": ("models.py", "class Net(Base)", "class Net", "models.Net"),
    "constant of a base class": ("sizes.py", "8", "16", "sizes.WIDTH"),
    "decorator": ("parts.py", "return cls", "return cls or None", "parts.logged"),
    "decorator left out": ("models.py", "@logged", "", "models.Net"),
    "class in a class body": ("parts.py", "side = 3", "side = 5", "parts.Block"),
    "import inside a function": ("late.py", "return x", "return x + 1", "late.finish"),
    "relative import with an alias": ("schedules.py", "return curve(x)", "return curve(2 * x)", "schedules.cosine"),
    "conditional definition": ("schedules.py", "return x\n", "return -x\n", "schedules.curve"),
    "conditional import": ("schedules.py", "fast import cos", "fast import sin", "schedules.curve"),
    "function of a subpackage": ("tools/timing.py", "return x", "return x + 1", "tools.timing.clock"),
    "module-level block": ("parts.py", "DEPTH = 1", "DEPTH = 2", "parts.(module level)"),
    "outside import": ("training.py", "import math", "import cmath as math", "training.train"),
    "import of something else": ("training.py", "timing import clock", "timing import tick", "training.train"),
}


@pytest.mark.parametrize(("file", "old", "new", "name"), REACHED.values(), ids=REACHED.keys())
def test_what_is_reached_counts_and_is_named(lab: Lab, file: str, old: str, new: str, name: str) -> None:
    before = lab.code()
    lab.edit(file, old, new)
    after = lab.code()
    assert after.digest != before.digest
    assert after.manifest.get(f"lab.{name}") != before.manifest.get(f"lab.{name}")
    lab.edit(file, new, old) if new else lab.write(file, SOURCES[file])
    assert lab.code() == before


UNREACHED = {
    "comment": ("training.py", "# carefully", "# with care"),
    "docstring of a function": ("training.py", '"""Train."""', '"""Learn."""'),
    "docstring removed": ("training.py", '"""Train."""', ""),
    "docstring of a module": ("training.py", '"""Training."""', '"""Learning."""'),
    "formatting": ("training.py", "STEPS + SECOND", "(\n    STEPS +\n    SECOND)"),
    "empty lines": ("corruption.py", "def scaled", "\n\n\ndef scaled"),
    "argument's annotation": ("training.py", "rate: float = RATE", "rate=RATE"),
    "result's annotation": ("training.py", "-> Net", "-> Callable"),
    "local variable's annotation": ("training.py", "noisy: float =", "noisy ="),
    "constant's annotation": ("training.py", "RATE = 0.1", "RATE: float = 0.1"),
    "other function of a reached module": ("corruption.py", "return x + 1", "return x + 2"),
    "other constant": ("training.py", "UNUSED = 5", "UNUSED = 6"),
    "other caller": ("training.py", "return corruption.salt(data)", "return data"),
    "other model": ("models.py", "depth = 4", "depth = 5"),
    "other function's registered case": ("models.py", '"number"', '"integer"'),
    "figure": ("figures.py", "return models.OtherNet", "return 1"),
    "unused import": ("training.py", "import math\n", "import math\nimport json\n"),
    "new function": ("models.py", "class OtherNet", "def new():\n    return 1\n\nclass OtherNet"),
    "order of definitions": ("corruption.py", "SIGMA = 0.3", "SALT = 1\nSIGMA = 0.3"),
}


@pytest.mark.parametrize(("file", "old", "new"), UNREACHED.values(), ids=UNREACHED.keys())
def test_what_is_not_reached_does_not_count(lab: Lab, file: str, old: str, new: str) -> None:
    before = lab.code()
    lab.edit(file, old, new)
    assert lab.code() == before


def test_manifest_names_exactly_what_is_reached(lab: Lab) -> None:
    expected = """
        corruption.SIGMA corruption.gaussian corruption.scaled late.finish models.Base models.Net parts.(module_level)
        parts.Block parts.DEPTH parts.logged schedules.(module_level) schedules.cosine schedules.curve sizes.WIDTH
        tools.timing.clock training.FIRST training.LIMITS training.RATE training.SECOND training.STEPS training.train
    """
    assert sorted(lab.code().manifest) == [f"lab.{n.replace('_level', ' level')}" for n in expected.split()]


# ── Names that mean something else ───────────────────────────────────────────────────────────────────────────────────

HIDDEN = {
    "argument": "def f(helper):\n    return helper()",
    "keyword argument": "def f(*, helper=1, **rest):\n    return helper",
    "local variable": "def f():\n    helper = 1\n    return helper",
    "loop": "def f(xs):\n    for helper in xs:\n        print(helper)",
    "with": "def f(x):\n    with x as helper:\n        return helper",
    "exception": "def f():\n    try:\n        g()\n    except E as helper:\n        return helper",
    "pattern": "def f(x):\n    match x:\n        case [helper, *_]:\n            return helper",
    "comprehension": "def f(xs):\n    return [helper for helper in xs]",
    "lambda": "def f():\n    return lambda helper: helper",
    "enclosing function": "def f(helper):\n    def g():\n        return helper\n    return g",
    "nonlocal": "def f(helper):\n    def g():\n        nonlocal helper\n        helper = 1\n    return g",
    "local function": "def f():\n    def helper():\n        pass\n    return helper",
    "outside import": "def f():\n    from elsewhere import helper\n    return helper()",
    "attribute": "def f(x):\n    return x.helper()",
    "keyword": "def f(x):\n    return x(helper=1)",
    "annotation": "def f(x: helper) -> helper:\n    y: helper = x\n    z: helper\n    return y",
}

VISIBLE = {
    "call": "def f():\n    return helper()",
    "default": "def f(helper=helper):\n    return helper",
    "decorator": "@helper\ndef f(helper):\n    return helper",
    "default of a lambda": "def f():\n    return lambda x=helper: x",
    "first iterable of a comprehension": "def f():\n    return [helper for helper in helper()]",
    "after a comprehension": "def f(xs):\n    [helper for helper in xs]\n    return helper",
    "global": "def f():\n    global helper\n    helper = 1",
    "global under a local": "def f(helper):\n    def g():\n        global helper\n        return helper\n    return g",
    "class variable of the same name": "class f:\n    helper = helper",
    "method of the same name": "class f:\n    def helper(self):\n        return helper()",
    "field in quotes": "class f:\n    x: 'list[helper]'",
    "f-string": "def f():\n    return f'{helper()}'",
    "keyword argument's value": "def f(x):\n    return x(y=helper)",
    "metaclass": "class f(metaclass=helper):\n    pass",
    "deleted": "def f():\n    global helper\n    del helper",
    "subscript store": "def f():\n    helper[0] = 1",
    "attribute of a call": "def f():\n    return helper().x.y",
    "async": "async def f():\n    await helper()",
    "nested function's default": "def f():\n    def g(x=helper):\n        return x\n    return g",
}


@pytest.mark.parametrize("source", HIDDEN.values(), ids=HIDDEN.keys())
def test_hidden_names_are_not_followed(lab: Lab, source: str) -> None:
    lab.write("names.py", "def helper():\n    return 1\n\n" + source)
    assert sorted(lab.code("lab.names:f").manifest) == ["lab.names.f"]


@pytest.mark.parametrize("source", VISIBLE.values(), ids=VISIBLE.keys())
def test_visible_names_are_followed(lab: Lab, source: str) -> None:
    lab.write("names.py", "def helper():\n    return 1\n\n" + source)
    assert sorted(lab.code("lab.names:f").manifest) == ["lab.names.f", "lab.names.helper"]


IMPORTS = {
    "module": ("import lab.corruption", "lab.corruption.scaled"),
    "module under an alias": ("import lab.corruption as c", "c.scaled"),
    "module from package": ("from lab import corruption", "corruption.scaled"),
    "name": ("from lab.corruption import scaled", "scaled"),
    "name under an alias": ("from lab.corruption import scaled as s", "s"),
    "relative module": ("from . import corruption", "corruption.scaled"),
    "relative name": ("from .corruption import scaled", "scaled"),
}


@pytest.mark.parametrize("where", ["module", "function", "class", "checking"])
@pytest.mark.parametrize(("line", "use"), IMPORTS.values(), ids=IMPORTS.keys())
def test_every_way_to_import_is_followed(lab: Lab, line: str, use: str, where: str) -> None:
    source = {
        "module": f"{line}\ndef f(x):\n    return {use}(x)\n",
        "function": f"def f(x):\n    {line}\n    return {use}(x)\n",
        "class": f"class f:\n    {line}\n    y = {use}(1)\n",
        "checking": f"import typing\nif typing.TYPE_CHECKING:\n    {line}\nclass f:\n    x: {use}\n",
    }[where]
    lab.write("names.py", source)
    manifest = lab.code("lab.names:f").manifest
    assert {"lab.names.f", "lab.corruption.scaled", "lab.corruption.SIGMA"} <= set(manifest)
    assert "lab.corruption.salt" not in manifest


def test_relative_import_from_the_parent_package(lab: Lab) -> None:
    lab.write(
        "tools/deep.py", "from .. import sizes\nfrom ..late import finish\ndef f():\n    return finish(sizes.WIDTH)"
    )
    assert sorted(lab.code("lab.tools.deep:f").manifest) == ["lab.late.finish", "lab.sizes.WIDTH", "lab.tools.deep.f"]


def test_reexport_is_followed_to_the_definition(lab: Lab) -> None:
    lab.write("tools/__init__.py", "from .timing import clock\nfrom lab.corruption import scaled as scale")
    lab.write("names.py", "from lab import tools\ndef f(x):\n    return tools.clock(tools.scale(x))")
    assert {"lab.tools.timing.clock", "lab.corruption.scaled"} <= set(lab.code("lab.names:f").manifest)
    assert set(lab.code("lab.tools:clock").manifest) == {"lab.tools.timing.clock"}


def test_package_that_imports_its_own_submodules(lab: Lab) -> None:
    lab.write("__init__.py", "from . import corruption\nfrom lab import sizes")
    lab.write("names.py", "import lab\ndef f(x):\n    return lab.corruption.scaled(lab.sizes.WIDTH)")
    assert {"lab.corruption.scaled", "lab.sizes.WIDTH"} <= set(lab.code("lab.names:f").manifest)


def test_swapped_imports_are_noticed(lab: Lab) -> None:
    """The same function text and the same functions reached, but they mean something else."""
    lab.write(
        "names.py",
        "from lab.late import finish as a\nfrom lab.corruption import salt as b\ndef f():\n    return a(b(1))",
    )
    before = lab.code("lab.names:f")
    lab.write(
        "names.py",
        "from lab.late import finish as b\nfrom lab.corruption import salt as a\ndef f():\n    return a(b(1))",
    )
    after = lab.code("lab.names:f")
    assert before.manifest.keys() == after.manifest.keys()
    assert before.digest != after.digest


def test_cycles_end(lab: Lab) -> None:
    lab.write("a.py", "from lab import b\ndef f():\n    return b.g()")
    lab.write("b.py", "from lab import a\ndef g():\n    return a.f()")
    assert sorted(lab.code("lab.a:f").manifest) == ["lab.a.f", "lab.b.g"]


# ── Whole modules, and what they do when they are imported ───────────────────────────────────────────────────────────


def test_module_as_an_object_counts_whole(lab: Lab) -> None:
    lab.write("names.py", "from lab import corruption\ndef f(name):\n    return getattr(corruption, name)")
    manifest = lab.code("lab.names:f").manifest
    assert {f"lab.corruption.{n}" for n in ("SIGMA", "gaussian", "scaled", "salt")} <= set(manifest)


def test_unknown_attribute_counts_as_the_whole_module(lab: Lab) -> None:
    lab.write("names.py", "from lab import corruption\ndef f():\n    return corruption.made_at_run_time")
    assert "lab.corruption.salt" in lab.code("lab.names:f").manifest


@pytest.mark.parametrize(
    "line", ["seed(3)", "if DEBUG:\n    seed(3)", "for i in range(3):\n    seed(i)", "import os\nos.x = 3"]
)
@pytest.mark.parametrize("file", ["corruption.py", "__init__.py", "late.py", "sizes.py"])
def test_side_effects_of_reached_modules_count(lab: Lab, file: str, line: str) -> None:
    before = lab.code()
    lab.write(file, f"{SOURCES[file]}\n" if file == "__init__.py" else textwrap.dedent(SOURCES[file]))
    assert lab.code() == before
    with (lab.folder / file).open("a") as opened:
        opened.write(line + "\n")
    with_effect = lab.code()
    assert with_effect.digest != before.digest
    lab.edit(file, "3", "4")
    assert lab.code().digest not in (before.digest, with_effect.digest)


def test_module_imported_for_its_side_effects_counts(lab: Lab) -> None:
    lab.write("determinism.py", "fix_all(seed=0)")
    lab.edit("late.py", "def finish", "import lab.determinism\n\ndef finish")
    before = lab.code()
    assert "lab.determinism.(module level)" in before.manifest
    lab.write("determinism.py", "fix_all(seed=1)")
    assert lab.code().digest != before.digest


def test_side_effects_of_the_packages_around_a_module_count(lab: Lab) -> None:
    for name in ("__init__.py", "tools/__init__.py"):
        lab.write(name, "fix_all(seed=0)")
    assert {"lab.(module level)", "lab.tools.(module level)"} <= lab.code("lab.tools.timing:clock").manifest.keys()


def test_imports_for_type_checkers_do_not_count(lab: Lab) -> None:
    before = lab.code()
    lab.edit(
        "late.py",
        "def finish",
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from lab import figures\n\ndef finish",
    )
    assert lab.code() == before


def test_what_side_effects_call_counts(lab: Lab) -> None:
    lab.write("late.py", "def finish(x):\n    return x\n\ndef register(x):\n    return x\n\nregister(finish)\n")
    before = lab.code()
    lab.edit("late.py", "def register(x):\n    return x", "def register(x):\n    return -x")
    assert lab.code().digest != before.digest


def test_registered_cases_count(lab: Lab) -> None:
    before = lab.code("lab.models:describe")
    lab.edit("models.py", '"number"', '"integer"')
    assert lab.code("lab.models:describe").digest != before.digest


def test_both_of_two_definitions_count(lab: Lab) -> None:
    lab.write("names.py", "def f():\n    return 1\n\ndef f():\n    return 2\n")
    before = lab.code("lab.names:f")
    lab.edit("names.py", "return 1", "return 3")
    assert lab.code("lab.names:f").digest != before.digest


# ── Mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "root", ["lab.training:nothing", "lab.nowhere:train", "elsewhere:train", "lab.training:", "lab"]
)
def test_missing_root_is_named(lab: Lab, root: str) -> None:
    with pytest.raises(InputError, match=root):
        lab.code(root)


@pytest.mark.parametrize("line", ["from lab.parts import *", "from .parts import *", "if 1:\n    from .parts import *"])
def test_star_import_is_refused_with_its_line(lab: Lab, line: str) -> None:
    lab.edit("models.py", "from lab import sizes", line)
    with pytest.raises(InputError, match=r"models\.py:[56]: `from lab\.parts import \*`"):
        lab.code()


def test_star_import_out_of_reach_is_nobodys_business(lab: Lab) -> None:
    before = lab.code()
    lab.edit("figures.py", "from lab import models", "from lab.models import *")
    assert lab.code() == before


def test_syntax_error_is_named_with_its_line(lab: Lab) -> None:
    lab.edit("corruption.py", "def scaled(x):", "def scaled(x:")
    with pytest.raises(InputError, match=r"corruption\.py:\d+: "):
        lab.code()


# ── Speed, and trust in what is remembered ───────────────────────────────────────────────────────────────────────────


def test_stamp_is_withheld_while_a_clock_tick_could_hide_an_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("1")
    written = max(path.stat().st_mtime_ns, path.stat().st_ctime_ns)
    known = []
    for later in (-1, 0, 99_999_999, 100_000_000, 10**15):
        monkeypatch.setattr(files, "time", SimpleNamespace(time_ns=lambda later=later: written + later))
        known.append(stamp(path))
    assert known[:3] == [None] * 3
    assert known[3] == known[4]
    assert known[4]
    monkeypatch.undo()
    settled(path)
    path.write_text("2")
    settled(path)
    assert stamp(path) != known[3]


def test_edits_of_equal_size_in_quick_succession_are_noticed(lab: Lab) -> None:
    digests = set()
    for digit in "0123456789" * 3:
        (lab.folder / "sizes.py").write_text(f"WIDTH = {digit}\n")
        digests.add(lab.code().digest)
    assert len(digests) == 10


def test_edit_that_restores_the_old_modification_time_is_noticed(lab: Lab) -> None:
    path = lab.folder / "sizes.py"
    old = path.stat().st_mtime - 1000
    os.utime(path, (old, old))
    settled(path)
    before = lab.code()
    path.write_text(path.read_text().replace("8", "9"))
    os.utime(path, (old, old))
    assert lab.code().digest != before.digest


def test_files_are_parsed_once_and_walks_are_remembered(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.code()
    settled(*lab.folder.rglob("*.py"))
    lab.code()

    def forbidden(*_: object) -> None:
        raise AssertionError("parsed or read again")

    import ast

    monkeypatch.setattr(ast, "parse", forbidden)
    lab.code("lab.training:train")
    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert lab.code() == lab.code()


def test_files_are_looked_at_once_only_while_that_is_asked_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """And anew when it is over: an edit meanwhile is seen then."""
    before, looked = lab.code(), []
    source = lab.package.source
    monkeypatch.setattr(lab.package, "source", lambda path: looked.append(path) or source(path))
    with lab.package.looked_at_once():
        assert lab.code() == before
        assert (first := len(looked))
        lab.edit("corruption.py", "SIGMA = 0.3", "SIGMA = 0.4")
        assert lab.code() == before
        assert len(looked) == first
    assert lab.code() != before
    with lab.package.looked_at_once():
        assert lab.code() != before


def test_files_are_looked_at_again_before_something_is_computed(lab: Lab) -> None:
    """Also where another one looks once inside: what the first walks saw never comes back."""
    before = lab.code()
    with lab.package.looked_at_once():
        assert lab.code() == before
        lab.edit("corruption.py", "SIGMA = 0.3", "SIGMA = 0.4")
        with lab.package.looked_at_once():
            lab.package.look_again()
            assert (after := lab.code()) != before
        assert lab.code() == after
        assert lab.code("lab.training:train") == Package(lab.folder).code(["lab.training:train"])


def test_nothing_is_imported(lab: Lab) -> None:
    lab.write("names.py", "raise SystemExit('imported')\ndef f():\n    pass")
    assert lab.code("lab.names:f").digest


def test_walks_do_not_depend_on_the_order_of_roots_or_on_the_folder(lab: Lab, tmp_path: Path) -> None:
    assert lab.code(*ROOTS) == lab.code(*reversed(ROOTS)) == Lab(tmp_path / "elsewhere" / "lab").code()


@pytest.mark.parametrize("statement", ["x = 1", "def g():\n    pass", "class C:\n    pass"])
def test_every_kind_of_definition_can_be_a_root(lab: Lab, statement: str) -> None:
    lab.write("names.py", statement)
    name = next(n for n in ("x", "g", "C") if f" {n}" in f" {statement}")
    assert list(lab.code(f"lab.names:{name}").manifest) == [f"lab.names.{name}"]
