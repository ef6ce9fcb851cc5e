"""Which code a computation reaches, and a hash of exactly that.

A static walk over syntax trees, which imports nothing: from the roots through the functions, classes (whole, with
bases and decorators) and module-level names that the code mentions inside its package, and through whatever the
modules concerned run when they are imported. Comments, docstrings, formatting and annotations outside class bodies
don't count. Where the walk can't tell it takes more rather than less: a module used as an object counts as a whole.

It sees names, not values: what `getattr`, `importlib`, `globals()` or a registry find at run time is out of its reach.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from autoencoders import importing, reading
from autoencoders.errors import InputError
from autoencoders.store import syntax
from autoencoders.store.files import Stamp, stamp
from autoencoders.store.syntax import Import, Reference


@dataclass(frozen=True)
class Code:
    """All that a computation reaches: a hash of it, and of each part by its qualified name."""

    digest: str
    manifest: Mapping[str, str]


# ── One module ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Statement:
    """A module-level statement; looked into only if it is reached, since most aren't."""

    node: ast.stmt
    package: str

    @functools.cached_property
    def _normalised(self) -> ast.AST:
        return syntax.normalised(self.node)

    @functools.cached_property
    def text(self) -> str:
        return syntax.text(self._normalised)

    @functools.cached_property
    def _named(self) -> tuple[frozenset[Reference], frozenset[str]]:
        return syntax.references([self._normalised], self.package)

    @property
    def references(self) -> frozenset[Reference]:
        return self._named[0]

    @property
    def imported(self) -> frozenset[str]:
        return self._named[1]


@dataclass
class Module:
    """What a module's top level defines, imports and does."""

    name: str
    package: str  # that its relative imports start from
    definitions: dict[str, list[Statement]] = field(default_factory=dict)
    imports: dict[str, set[Import]] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)  # modules that run when this one is imported
    effects: list[Statement] = field(default_factory=list)  # what else happens then

    @property
    def is_package(self) -> bool:
        return self.package == self.name

    def binds(self, name: str) -> bool:
        return name in self.definitions or name in self.imports

    def statements(self, name: str) -> list[Statement]:
        return self.effects if name == EFFECTS else self.definitions[name]


EFFECTS = "(module level)"

_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_ASSIGNMENTS = ast.Assign | ast.AugAssign | ast.AnnAssign


def _module(name: str, path: Path, source: bytes) -> Module:
    module = Module(name, name if path.name == "__init__.py" else name.rpartition(".")[0])
    try:
        tree = ast.parse(source, str(path))
    except SyntaxError as error:
        raise InputError(f"{path}:{error.lineno}: {error.msg}") from None
    except ValueError as error:  # null bytes
        raise InputError(f"{path}: {error}") from None
    for node in tree.body:
        _index(module, node, path)
    _index_mutations(module, tree)
    return module


def _index(module: Module, node: ast.stmt, path: Path) -> None:
    statement = Statement(node, module.package)
    match node:
        case ast.Import() | ast.ImportFrom():
            _index_import(module, node, path)
        case ast.Pass() | ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):
            pass  # docstrings, and types without values
        case _ if isinstance(node, _DEFINITIONS | _ASSIGNMENTS):
            names = syntax.bound([node], module.package)
            for name in names:
                module.definitions.setdefault(name, []).append(statement)
            if not names and not _mutated(node):
                module.effects.append(statement)
        case ast.If() if syntax.dotted(node.test)[-1:] == ("TYPE_CHECKING",):
            for name, meanings in syntax.bound(node.body, module.package).items():
                module.imports.setdefault(name, set()).update(meanings or ())
            for other in node.orelse:
                _index(module, other, path)
        case _:
            module.effects.append(statement)
            for inner in ast.walk(node):
                _refuse_star(module, inner, path)
            for name, meanings in syntax.bound([node], module.package).items():
                module.definitions.setdefault(name, []).append(statement)
                module.imports.setdefault(name, set()).update(meanings or ())


def _index_import(module: Module, node: ast.Import | ast.ImportFrom, path: Path) -> None:
    _refuse_star(module, node, path)
    for name, meaning in syntax.bindings(node, module.package):
        module.imports.setdefault(name, set()).add(meaning)
    module.imported.update(syntax.imported(node, module.package))
    if any(alias.name == "*" for alias in node.names):
        module.effects.append(Statement(node, module.package))


def _refuse_star(module: Module, node: ast.AST, path: Path) -> None:
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        source = syntax.source(node, module.package)
        if source.split(".")[0] == module.name.split(".")[0]:
            raise InputError(
                f"{path}:{node.lineno}: `from {source} import *` hides what the code depends on: name what is imported"
            )


def _index_mutations(module: Module, tree: ast.Module) -> None:
    """`X[…] = …`, `X.a = …` and `@X.register def …` belong to X where it is defined here, else to the module."""
    for node in tree.body:
        for name in _mutated(node):
            statement = Statement(node, module.package)
            if name in module.definitions:
                module.definitions[name].append(statement)
            elif isinstance(node, _ASSIGNMENTS):
                module.effects.append(statement)


def _mutated(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            callees = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
            return {syntax.dotted(callee)[0] for callee in callees if len(syntax.dotted(callee)) > 1}
        case ast.Assign():
            targets = node.targets
        case ast.AugAssign() | ast.AnnAssign():
            targets = [node.target]
        case _:
            return set()
    parts = [part for target in targets for part in ast.walk(target)]
    owners = [part.value for part in parts if isinstance(part, ast.Subscript | ast.Attribute)]
    return {owner.id for owner in owners if isinstance(owner, ast.Name)}


# ── A package ────────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def package(folder: Path) -> Package:
    """One per process and folder, so that each file is parsed once."""
    return Package(folder)


class Package:
    """Remembers files by size and time, and walks by the files that they looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sources: dict[Path, tuple[Stamp | None, bytes]] = {}
        self._modules: dict[str, tuple[bytes, Module]] = {}
        self._walks: dict[_Start, tuple[Code, dict[Path, bytes | None]]] = {}
        self._seen: _Seen | None = None  # what all walks share, while looking once is enough

    def code(self, roots: Iterable[str], text: str = "") -> Code:
        """What a computation reaches that starts at these roots (`package.module:name`), or with code of a notebook."""
        start = tuple(sorted(set(roots))), text
        if start not in self._walks or not self._holds(start):
            seen = self._seen or _Seen()
            self._walks[start] = _Walk(self, seen).code(*start), seen.looked_at
        if self._seen is not None:
            self._seen.starts.add(start)
        return self._walks[start][0]

    def _holds(self, start: _Start) -> bool:
        """Whether no file that a walk looked at has changed since."""
        if self._seen is not None and start in self._seen.starts:
            return True
        return all(self.source(path) is then for path, then in self._walks[start][1].items())

    @contextmanager
    def looked_at_once(self) -> Iterator[None]:
        """While this lasts, whoever asks about thousands of tasks has each file looked at once, not for each task."""
        if self._seen is not None:  # whoever began it ends it
            yield
            return
        self._seen = _Seen()
        try:
            yield
        finally:
            self._seen = None

    def look_again(self) -> None:
        """Look at files anew, also where once was enough."""
        if self._seen is not None:
            self._seen = _Seen()

    def source(self, path: Path) -> bytes | None:
        """A file's content, the same object for as long as it doesn't change; None if there is no such file."""
        known_stamp, known = self._sources.get(path, (None, None))
        try:
            now = stamp(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise InputError(f"{path} can't be read: {error.strerror}") from None
        if known is not None and now is not None and now == known_stamp:
            return known
        content = reading.content(path)
        self._sources[path] = now, known if known == content else content
        return self._sources[path][1]

    def module(self, name: str, path: Path, source: bytes) -> Module:
        known, module = self._modules.get(name, (None, None))
        if module is None or known is not source:
            module = _module(name, path, source)
            self._modules[name] = source, module
        return module


_Start = tuple[tuple[str, ...], str]  # of a walk: its roots, and a notebook's code
_Targets = Iterable[tuple[str, str | None]]  # (module, name), or (module, None) for a whole module, ours or not
_Passed = frozenset[tuple[str, str]]  # names gone through on the way


class Imported(Package):
    """The package as this process has it: modules as they were when they were imported, the others as they were when
    this was made, whatever is edited meanwhile."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._then = {path: path.read_bytes() for path in folder.rglob("*.py") if path.is_file()}

    def source(self, path: Path) -> bytes | None:
        then = self._then.get(path)
        loaded = importing.sources.get(str(path), then)
        return then if loaded == then else loaded


@dataclass(frozen=True)
class _Part:
    """What one name of a module stands for."""

    digest: str
    imports: frozenset[str]  # modules that are imported when it is used
    targets: frozenset[tuple[str, str | None]]


@dataclass
class _Seen:
    """What walks found in files."""

    looked_at: dict[Path, bytes | None] = field(default_factory=dict)
    modules: dict[str, Module | None] = field(default_factory=dict)
    parts: dict[tuple[str, str], _Part] = field(default_factory=dict)
    starts: set[_Start] = field(default_factory=set)  # of the walks that were made or found to hold


class _Walk:
    """From roots to everything that they reach."""

    def __init__(self, package: Package, seen: _Seen) -> None:
        self.package = package
        self.seen = seen
        self.manifest: dict[str, str] = {}
        self.open: list[tuple[str, str]] = []  # (module, name) that are reached but not yet looked into
        self.reached: set[tuple[str, str]] = set()
        self.imported: set[str] = set()

    def code(self, roots: Iterable[str], text: str) -> Code:
        for root in roots:
            self._reach_root(root)
        if text:
            self._reach_used(text)
        while self.open:
            self._look_into(*self.open.pop())
        manifest = dict(sorted(self.manifest.items()))
        return Code(_digest("\n".join(f"{name} {part}" for name, part in manifest.items())), manifest)

    def _reach_root(self, root: str) -> None:
        module_name, _, name = root.partition(":")
        module = self._module(module_name)
        if module is None:
            raise InputError(f"the code of {root!r} can't be found: there is no module {module_name!r}")
        if not module.binds(name):
            raise InputError(f"the code of {root!r} can't be found: {module_name!r} defines no {name!r}")
        self._reach_all(self._resolve(module, Reference(name)))

    def _reach_used(self, text: str) -> None:
        references, imported = syntax.used(text)
        for module in imported:
            self._import(module)
        for reference in references:
            if isinstance(reference.start, Import):
                self._reach_all(self._resolve_import(reference.start, reference.attributes, frozenset()))

    def _module(self, name: str) -> Module | None:
        """A module of the package; None for everything else."""
        if name not in self.seen.modules:
            self.seen.modules[name] = self._found(name)
        return self.seen.modules[name]

    def _found(self, name: str) -> Module | None:
        first, *rest = name.split(".")
        if first != self.package.folder.name:
            return None
        if rest and not ((parent := self._module(name.rpartition(".")[0])) and parent.is_package):
            return None
        base = self.package.folder.joinpath(*rest)
        for path in (base / "__init__.py", base.with_suffix(".py")):
            self.seen.looked_at[path] = source = self.package.source(path)
            if source is not None:
                return self.package.module(name, path, source)
        return Module(name, name) if base.is_dir() else None

    # Reaching

    def _reach_all(self, targets: _Targets) -> None:
        for module_name, name in targets:
            if name is not None:
                self._reach(module_name, name)
            elif module := self._module(module_name):
                self._reach_whole(module)

    def _reach(self, module_name: str, name: str) -> None:
        if (module_name, name) not in self.reached:
            self.reached.add((module_name, name))
            self.open.append((module_name, name))
            self._import(module_name)

    def _reach_whole(self, module: Module) -> None:
        if (module.name, "*") in self.reached:
            return
        self.reached.add((module.name, "*"))
        self._import(module.name)
        for name in {*module.definitions, *module.imports}:
            self._reach_all(self._resolve(module, Reference(name)))

    def _import(self, module_name: str) -> None:
        """Importing a module runs its packages' and its own top level, and those of the modules that it imports."""
        waiting = [module_name]
        while waiting:
            name = waiting.pop()
            parent = name.rpartition(".")[0]
            if name in self.imported or (module := self._module(name)) is None:
                continue
            self.imported.add(name)
            waiting += [*module.imported, *([parent] if parent else [])]
            if module.effects:
                self._reach(name, EFFECTS)

    def _look_into(self, module_name: str, name: str) -> None:
        part = self.seen.parts.get((module_name, name)) or self._part(module_name, name)
        self.seen.parts[module_name, name] = part
        self.manifest[f"{module_name}.{name}"] = part.digest
        for imported in part.imports:
            self._import(imported)
        self._reach_all(part.targets)

    def _part(self, module_name: str, name: str) -> _Part:
        module = self._module(module_name)
        assert module is not None, "only what exists is reached"
        statements = module.statements(name)
        meant = {r: tuple(self._resolve(module, r)) for statement in statements for r in statement.references}
        # with what its names mean, or else two imports could swap their names unnoticed
        meanings = sorted({f"{reference} = {target}" for reference, targets in meant.items() for target in targets})
        return _Part(
            digest=_digest("\n".join([*(s.text for s in statements), *meanings]))[:12],
            imports=frozenset(imported for statement in statements for imported in statement.imported),
            targets=frozenset(target for targets in meant.values() for target in targets),
        )

    # Resolving

    def _resolve(self, module: Module, reference: Reference) -> _Targets:
        if isinstance(reference.start, Import):
            yield from self._resolve_import(reference.start, reference.attributes, frozenset())
        else:
            yield from self._resolve_name(module, reference.start, reference.attributes, frozenset())

    def _resolve_name(self, module: Module, name: str, attributes: tuple[str, ...], passed: _Passed) -> _Targets:
        if name in module.definitions:
            yield module.name, name
        for meaning in module.imports.get(name, ()):
            yield from self._resolve_import(meaning, attributes, passed | {(module.name, name)})

    def _resolve_import(self, meaning: Import, attributes: tuple[str, ...], passed: _Passed) -> _Targets:
        path = attributes if meaning.name is None else (meaning.name, *attributes)
        yield from self._resolve_path(meaning.module, path, passed)

    def _resolve_path(self, module_name: str, path: tuple[str, ...], passed: _Passed) -> _Targets:
        module = self._module(module_name)
        if module is None:
            yield ".".join((module_name, *path)), None
        elif not path:
            yield module_name, None
        elif module.binds(path[0]) and (module_name, path[0]) not in passed:
            yield from self._resolve_name(module, path[0], path[1:], passed)
        elif self._module(f"{module_name}.{path[0]}"):
            yield from self._resolve_path(f"{module_name}.{path[0]}", path[1:], passed)
        else:
            yield module_name, None  # made at run time, for all that can be told


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
