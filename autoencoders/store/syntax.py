"""What a piece of source says and names, whatever its comments, docstrings, annotations and formatting."""

# ruff: noqa: N815 - ast prescribes the visitors' names
from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

# ── Text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def normalised(node: ast.stmt) -> ast.AST:
    """A statement without whatever never runs."""
    return _Normaliser().visit(node)


def text(node: object) -> str:
    """A tree as text, the same on every Python version (`ast.dump` isn't) and wherever in a file the tree stands."""
    match node:
        case ast.AST():
            fields = ((name, value) for name, value in ast.iter_fields(node) if name not in ("ctx", "kind"))
            inner = ",".join(f"{name}={text(value)}" for name, value in fields if value is not None and value != [])
            return f"{type(node).__name__}({inner})"
        case list():
            return f"[{','.join(map(text, node))}]"
        case _:
            return repr(node)


class _Normaliser(ast.NodeTransformer):
    """Drops docstrings, `pass`, and annotations outside class bodies, where they make a dataclass's fields."""

    def __init__(self) -> None:
        self.in_class = False

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node, in_class=True)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self._inside(node, in_class=False)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self._inside(node, in_class=False)

    def _inside(self, node: ast.AST, in_class: bool) -> ast.AST:
        outer, self.in_class = self.in_class, in_class
        self.generic_visit(node)
        self.in_class = outer
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if self.in_class:
            return node
        if node.value:
            return ast.Assign(targets=[node.target], value=node.value)
        node.annotation = ast.Constant(None)  # without a value it still makes the name local
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Pass(self, node: ast.Pass) -> None:
        return None


# ── Imports ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Import:
    """What an import binds: a module, or a name in one (which may be a submodule)."""

    module: str
    name: str | None = None


def bindings(statement: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, Import]]:
    """The names that an import binds, in a file of `package`."""
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            if alias.name != "*":
                yield alias.asname or alias.name, Import(source(statement, package), alias.name)
        elif alias.asname:
            yield alias.asname, Import(alias.name)
        else:
            first = alias.name.split(".")[0]
            yield first, Import(first)


def imported(statement: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    """The modules that an import runs, if these modules exist: `from a import b` runs a, and a.b if that is one."""
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            yield source(statement, package)
            yield f"{source(statement, package)}.{alias.name}"
        else:
            yield alias.name


def source(statement: ast.ImportFrom, package: str) -> str:
    """The absolute name of the module that names are imported from."""
    if not statement.level:
        return statement.module or ""
    base = package.split(".")[: len(package.split(".")) - statement.level + 1]
    return ".".join([*base, statement.module] if statement.module else base)


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Reference:
    """`start.a.b`: a module-level name, or a function's own import, and the attributes read from it."""

    start: str | Import
    attributes: tuple[str, ...] = ()


def references(nodes: Iterable[ast.AST], package: str) -> tuple[frozenset[Reference], frozenset[str]]:
    """What code names outside itself, and the modules that it imports when it runs."""
    visitor = _References(package)
    for node in nodes:
        visitor.visit(node)
    return frozenset(visitor.found), frozenset(visitor.imported)


def used(text: str) -> tuple[frozenset[Reference], frozenset[str]]:
    """What code that belongs to no package, a notebook's, names outside itself, and the modules that it imports."""
    body, visitor = ast.parse(text).body, _References("")
    visitor._visit_in(bound(body, ""), body)
    return frozenset(visitor.found), frozenset(visitor.imported)


def dotted(node: ast.AST) -> tuple[str, ...]:
    """("a", "b", "c") for `a.b.c`, () for anything else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute) and (outer := dotted(node.value)):
        return (*outer, node.attr)
    return ()


_MODULE_LEVEL = None  # what a scope holds for names declared `global`
_Scope = dict[str, tuple[Import, ...] | None]


class _References(ast.NodeVisitor):
    """Function scopes hide module-level names as in Python; class scopes hide none, which at worst finds too much."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.scopes: list[_Scope] = []
        self.class_scopes: list[_Scope] = []
        self.found: set[Reference] = set()
        self.imported: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        self._refer(node.id, ())

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if chain := dotted(node):
            self._refer(chain[0], chain[1:])
        else:
            self.generic_visit(node)

    def _refer(self, name: str, attributes: tuple[str, ...]) -> None:
        nearest = next((scope[name] for scope in reversed(self.scopes) if name in scope), _MODULE_LEVEL)
        meanings = (name,) if nearest is _MODULE_LEVEL else nearest
        imports = (meaning for scope in self.class_scopes for meaning in scope.get(name) or ())
        self.found.update(Reference(start, attributes) for start in (*meanings, *imports))

    def visit_Import(self, node: ast.Import) -> None:
        self.imported.update(imported(node, self.package))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.imported.update(imported(node, self.package))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        for part in ast.walk(node.annotation):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                with suppress(SyntaxError):  # not a type in quotes, then, but a `Literal`
                    self.visit(ast.parse(part.value, mode="eval"))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.class_scopes.append(bound(node.body, self.package))
        self.generic_visit(node)
        self.class_scopes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._visit_function(node.args, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_function(node.args, [node.body])

    def _visit_function(self, arguments: ast.arguments, body: Iterable[ast.AST]) -> None:
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.visit(default)
        named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        scope: _Scope = {argument.arg: () for argument in named if argument}
        self._visit_in(scope | bound(body, self.package), body)

    def _visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        first = node.generators[0]
        self.visit(first.iter)  # is evaluated outside
        inside = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for generator in node.generators:
            inside += [*generator.ifs] if generator is first else [generator.iter, *generator.ifs]
        self._visit_in(bound([g.target for g in node.generators], self.package), inside)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def _visit_in(self, scope: _Scope, nodes: Iterable[ast.AST]) -> None:
        self.scopes.append(scope)
        for node in nodes:
            self.visit(node)
        self.scopes.pop()


def bound(nodes: Iterable[ast.AST], package: str) -> _Scope:
    """The names that code binds in its own scope, with what those bound by imports may stand for."""
    visitor = _Bindings(package)
    for node in nodes:
        visitor.visit(node)
    return visitor.names


class _Bindings(ast.NodeVisitor):
    """Stays out of nested functions, classes and comprehensions: their names are their own."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.names: _Scope = {}
        self.outer: set[str] = set()  # declared `nonlocal`

    def _bind(self, name: str | None, *meanings: Import) -> None:
        if name and name not in self.outer and self.names.get(name, ()) is not _MODULE_LEVEL:
            self.names[name] = (*(self.names.get(name) or ()), *meanings)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, meaning in bindings(node, self.package):
            self._bind(name, meaning)

    visit_ImportFrom = visit_Import

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self._bind(node.name)

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef

    def _skip(self, node: ast.AST) -> None:
        pass

    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _skip

    def visit_Global(self, node: ast.Global) -> None:
        self.names.update(dict.fromkeys(node.names, _MODULE_LEVEL))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.outer.update(node.names)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self._bind(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._bind(node.rest)
        self.generic_visit(node)
