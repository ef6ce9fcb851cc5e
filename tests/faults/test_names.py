"""Whatever people call things: names and parameters stay in their folders, and mean nothing but themselves."""

from __future__ import annotations

import ast
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import strategies as st
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from properties import TROUBLE, for_each, hostile, told
from pypdf import PdfReader
from reporting_sample import code, write_book, write_notebook

from autoencoders import data, parameters, settings, tables
from autoencoders.data import files
from autoencoders.errors import InputError
from autoencoders.reporting import execution, graph, making, submission, variables
from autoencoders.reporting.book import Book
from autoencoders.reporting.folder import Folder
from autoencoders.reporting.notebook_files import NotebookFile
from autoencoders.reporting.without_quarto import pandoc, pdf, site
from autoencoders.reporting.without_quarto.shortcodes import Expansion
from autoencoders.settings import PROJECT

Tried = Callable[[int], None]
NOWHERE = Path("no such file")
PLAIN_NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", fullmatch=True)


@pytest.fixture(autouse=True)
def no_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    for twin in settings.ENVIRONMENT.values():
        monkeypatch.delenv(twin, raising=False)


def accepted(setting: str, value: Any) -> Any:
    """What a setting becomes; None where it is refused, in one line."""
    found, _ = told(lambda: settings.load(NOWHERE, **{setting: value}))
    return found and getattr(found, setting)


# ── Groups, authors and data sets ────────────────────────────────────────────────────────────────────────────────────

GROUPS = "A group is refused, or names exactly its two files in their folder."


@pytest.mark.promise(GROUPS)
def test_a_groups_files_stay_in_their_folder(tried: Tried) -> None:
    folder = Path("/somewhere/submission")

    def check(text: str) -> None:
        group = accepted("group", text)
        assert group in (text, None)
        for kind in ("Report.pdf", "Code.zip") if group else ():
            name = f"{group}_Assignment2_{kind}"
            assert (folder / name).resolve().parent == folder
            assert PurePosixPath(name).name == PureWindowsPath(name).name == name
            assert re.fullmatch(r"[\w.-]+", name, re.ASCII), "it needs no quotes anywhere"

    tried(for_each(hostile | PLAIN_NAMES, check, 2000))


@pytest.mark.promise(GROUPS)
def test_a_groups_submission_is_two_files_that_say_so(tmp_path: Path, tried: Tried) -> None:
    def check(group: str) -> None:
        book = write_book(tmp_path, values={"group": group, "error": "0.1", "authors": "", "dataset": {"title": "x"}})
        (tmp_path / "params.yml").write_text("group: G00\n")
        (tmp_path / "analysis").mkdir(exist_ok=True)
        book.pdf.parent.mkdir(exist_ok=True)
        book.pdf.write_bytes(b"%PDF")
        before = set(tmp_path.rglob("*"))
        made = submission.pack(book, [], settings.Settings(group=group))
        assert [path.name for path in made] == [f"{group}_Assignment2_Report.pdf", f"{group}_Assignment2_Code.zip"]
        assert set(tmp_path.rglob("*")) == before | {tmp_path / "submission", *made}
        with zipfile.ZipFile(made[1]) as handed_in:
            assert all(name.startswith(f"{group}_Assignment2_Code/") for name in handed_in.namelist())
            (tmp_path / "handed-in.yml").write_bytes(handed_in.read(f"{group}_Assignment2_Code/params.yml"))
        assert settings.load(tmp_path / "handed-in.yml").group == group, "unpacked, it is the same group's"
        (tmp_path / "handed-in.yml").unlink()
        book.pdf.unlink()

    looks_like_something_else = st.sampled_from(("007", "1e3", "no", "null", "0x1F", "1_000", "2020-01-01", "y"))
    tried(for_each(PLAIN_NAMES | looks_like_something_else, check, 400))


@pytest.mark.promise("A data set or a notebook that there is none of is refused by name, and nothing is looked up.")
def test_unknown_names_are_only_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: Tried) -> None:
    monkeypatch.setattr(files, "DATA", tmp_path / "data")
    write_notebook(tmp_path / "analysis/01-one.ipynb", code("1"))

    def check(text: str) -> None:
        assert accepted("dataset", text) in ({text} & data.SOURCES.keys() or {None})
        for ask in (data.reader_name, data.locate, data.obtain):
            with pytest.raises(InputError, match="^unknown data set .*: choose one of cifar10"):
                ask(text)
        with pytest.raises(InputError, match=r"(?s)^notebooks: none is called .*; there are: 01-one$"):
            execution.plan(tmp_path / "analysis", tmp_path / "out", requested={text: {}}, common={}, inputs={})
        assert {path.name for path in tmp_path.rglob("*")} == {"analysis", "01-one.ipynb"}

    tried(for_each(hostile.filter(lambda text: text not in {*data.SOURCES, "01-one"}), check, 600))


@pytest.mark.promise("No setting is anything but a value of its type or one clear line, whatever stands in params.yml.")
def test_settings_are_checked_or_refused(tmp_path: Path, tried: Tried) -> None:
    params = tmp_path / "params.yml"
    names = [*settings.Settings.__dataclass_fields__, "unknown"]
    scalars = hostile | st.integers() | st.floats() | st.booleans() | st.none()
    values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(hostile, scalars, max_size=2)

    def check(case: tuple[str, Any, bool]) -> None:
        name, value, as_it_is = case
        text = f"{name}: {value}" if as_it_is else json.dumps({name: value})
        params.write_text(text, encoding="utf-8", newline="")
        found, refusal = told(lambda: settings.load(params))
        if not refusal:
            assert isinstance(found.group, str)
            assert all(isinstance(seed, int) for seed in found.seeds or ())
            assert all(name.isprintable() for name in found.authors)

    tried(for_each(st.tuples(st.sampled_from(names), values, st.booleans()), check, 1500))


AUTHORS = "Whatever an author is called, the report says exactly that, and it is markup nowhere."
printable = hostile.filter(lambda text: text.isprintable() and bool(text.strip()))


@pytest.mark.promise(AUTHORS)
def test_authors_reach_quarto_as_they_are(tried: Tried) -> None:
    names: list[str] = []

    def check(listed: list[str]) -> None:
        authors = accepted("authors", listed)
        if authors is None:
            assert not all(name.isprintable() and name.strip() for name in listed)
            return
        assert authors == tuple(name.strip() for name in listed)
        told = yaml.safe_load(making._for_quarto({"group": "G07", "date": "2026-01-02"}, authors, [], {}))["book"][
            "author"
        ]
        assert len(told) == 1 + len(authors), "a comma parts nothing"
        names.extend(authors)

    tried(for_each(st.lists(printable, max_size=3) | st.lists(hostile, max_size=2), check, 1000))
    assert names
    told = yaml.safe_load(making._for_quarto({"group": "G07", "date": "2026-01-02"}, names, [], {}))["book"]["author"][
        1:
    ]
    assert_literal(dict(zip(names, told, strict=True)))


def assert_literal(written: dict[str, str]) -> None:
    """Pandoc, which Quarto reads Markdown with, finds each text in what was written for it, and words alone."""
    paragraphs = pandoc.read("\n\n".join(written.values()))
    assert len(paragraphs) == len(written)
    for text, paragraph in zip(written, paragraphs, strict=True):
        assert paragraph["t"] == "Para", text
        assert {inline["t"] for inline in paragraph["c"]} <= {"Str", "Space"}, text
        assert pandoc.plain(paragraph).split() == text.split()


@pytest.mark.promise(AUTHORS)
def test_the_words_of_a_server_are_no_markup(tried: Tried) -> None:
    """They end up in the sentence that says why a stand-in stands in."""
    texts: dict[str, str] = {}

    def check(text: str) -> None:
        line = " ".join(text.split())
        texts[line] = variables.literal(line)

    tried(for_each(printable, check, 1000))
    assert_literal({text: written for text, written in texts.items() if text})


@pytest.mark.promise(AUTHORS)
def test_variables_are_read_as_they_were_written(tmp_path: Path, tried: Tried) -> None:
    """By Python here, and all at once by Typst, which reads them for both PDFs."""
    path, written = tmp_path / "_variables.yml", []
    keys = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)

    def check(values: dict[str, Any]) -> None:
        variables.write(path, values)
        assert variables.read(path) == values
        assert all(scalar.style == '"' for scalar in scalars(yaml.compose(path.read_text(encoding="utf-8"))))
        written.append(values)

    def scalars(node: Any) -> list[Any]:
        """Quoted ones are text to every reader of YAML; of others, each has its own opinion."""
        if isinstance(node, yaml.ScalarNode):
            return [node]
        return [scalar for pair in node.value for part in pair for scalar in scalars(part)]

    values = st.dictionaries(keys, hostile | st.dictionaries(keys, hostile, max_size=2), max_size=3)
    tried(for_each(values, check, 1500))
    whole = {f"v{number}": values for number, values in enumerate(written)} | {"all": dict(enumerate_texts(TROUBLE))}
    variables.write(path, whole)
    assert by_typst(tmp_path, '#metadata(yaml("/_variables.yml")) <found>') == whole


def enumerate_texts(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((f"t{number}", text) for number, text in enumerate(texts))


def by_typst(root: Path, source: str) -> Any:
    """The value that a document labels `<found>`."""
    import typst

    (root / "a.typ").write_text(source, encoding="utf-8", newline="")
    return json.loads(typst.query(str(root / "a.typ"), "<found>", field="value", one=True, root=str(root)))


@pytest.mark.promise(AUTHORS)
def test_typst_reads_each_string_as_it_was_meant(tmp_path: Path, tried: Tried) -> None:
    texts: list[str] = []
    tried(for_each(hostile, texts.append, 1500))
    texts += TROUBLE
    assert by_typst(tmp_path, f"#metadata(({', '.join(map(pdf.string, texts))},)) <found>") == texts


@pytest.mark.promise(AUTHORS)
def test_a_pdf_names_its_authors(tmp_path: Path, tried: Tried) -> None:
    """Its cover and its headers, set by Typst."""
    import typst

    book = write_book(tmp_path)

    def check(author: str) -> None:
        [name] = accepted("authors", [author])
        given = {"group": "G07", "authors": name, "notice": {"header": name, "cover": name}, "dataset": {"title": name}}
        variables.write(tmp_path / "_variables.yml", given)
        (tmp_path / "a.typ").write_text(pdf._preamble(named(book, {"title": name})) + "= Chapter", encoding="utf-8")
        options = {"root": str(tmp_path), "ignore_system_fonts": True}
        typst.compile(str(tmp_path / "a.typ"), output=str(tmp_path / "a.pdf"), **options)
        metadata = PdfReader(tmp_path / "a.pdf").metadata
        assert metadata
        assert (metadata.title, metadata.author) == (name, f"Group G07, {name}")

    tried(for_each(printable, check, 120))


def named(book: Book, values: dict[str, str]) -> Book:
    fields = {name: getattr(book, name) for name in Book.__dataclass_fields__}
    return Book(**fields | {"variables": values, "title": values.get("title", book.title)})


class Skeleton(HTMLParser):
    """A page without its words: which elements there are, with which attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[tuple[str, ...]] = Counter()
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag, *(name for name, _ in attrs)] += 1

    def handle_data(self, words: str) -> None:
        self.words.append(words)

    def handle_comment(self, words: str) -> None:
        self.elements["comment",] += 1

    handle_decl = handle_pi = unknown_decl = handle_comment


@pytest.mark.promise(AUTHORS)
def test_a_page_has_no_element_more_for_any_name(tmp_path: Path, tried: Tried) -> None:
    book = write_book(tmp_path)
    facts = ("group", "authors", "dataset.title", "profile.title", "seeds", "notice.header", "notice.cover", "title")

    def page(text: str) -> Skeleton:
        shown = named(book, dict.fromkeys(facts, text))
        made = site.Site(shown, Folder(tmp_path / "_book"), tmp_path, {})
        heading = {"t": "Header", "c": [2, ["a", [], []], [pandoc.string(text)]]}
        pages = [site.SitePage("index.html", text, "1", [heading]), site.SitePage("two.html", text, "2", [])]
        return Skeleton(made._html(pages[0], "<p>body</p>", pages, 0))

    plain = page("Nobody")

    def check(text: str) -> None:
        found = page(text)
        assert found.elements == plain.elements
        if text == text.strip():
            assert found.words == [words.replace("Nobody", text) for words in plain.words]

    tried(for_each(hostile.filter(bool), check, 2000))


@pytest.mark.promise(AUTHORS)
def test_the_search_index_is_data(tried: Tried) -> None:
    def check(text: str) -> None:
        page = site.SitePage("a.html", text, "1", [{"t": "Para", "c": [pandoc.string(text)]}])
        raw = site._search_index([page])
        assert "\n" not in raw
        [[_, name, title, words, *_]] = json.loads(raw)
        assert (name, title, words.split()) == (f"1 {text}".strip(), text, text.split())

    tried(for_each(hostile.filter(lambda text: bool(text.strip())), check, 600))


@pytest.mark.promise("A label in a drawing is words, and no element of it.")
def test_labels_of_a_drawing_are_text(tried: Tried) -> None:
    def check(label: str) -> None:
        nodes = [graph.Node("a", 0, label), graph.Node("b", 1, "b")]
        svg = ElementTree.fromstring(graph.drawn(nodes, [("a", "b")], printed=True))
        assert Counter(element.tag.partition("}")[2] for element in svg.iter()) == Counter(
            svg=1, style=1, g=1, path=1, rect=2, text=2
        )
        assert label in [element.text for element in svg.iter()]
        assert not {name for element in svg.iter() for name in element.attrib if name.startswith("on")}

    one_line = hostile.filter(lambda text: text.isprintable() and '"' not in text and bool(text.strip()))
    tried(for_each(one_line.map(str.strip), check, 800))


@pytest.mark.promise("A cell of a table is words, and no markup.")
def test_cells_of_tables_are_text(tried: Tried) -> None:
    """Quotes and dashes may be set as a typesetter would."""
    texts: list[str] = []
    tried(for_each(hostile.filter(lambda text: "\0" not in text), texts.append, 1000))
    [table] = pandoc.read(str(tables.markdown([{"name": text} for text in texts], ["name"])))
    assert table["t"] == "Table"
    [[_, _, _, rows]] = table["c"][4]
    assert len(rows) == len(texts)
    for text, row in zip(texts, rows, strict=True):
        [[_, _, _, _, blocks]] = row[1]
        kinds: set[str] = set()
        pandoc.walk(blocks, lambda element, kinds=kinds: kinds.add(element["t"]))
        assert kinds <= {"Plain", "Str", "Space", "Quoted", "SingleQuote", "DoubleQuote"}, text


@pytest.mark.promise("What a variable says is not read for further variables or files.")
def test_variables_are_not_expanded_twice(tmp_path: Path, tried: Tried) -> None:
    (tmp_path / "one.qmd").write_text("{{< var text >}}")
    (tmp_path / "secret.qmd").write_text("secret")
    inclusion = st.sampled_from(("{{< include secret.qmd >}}", "{{< var other >}}", "{{< embed a.ipynb#fig-x >}}"))

    def check(text: str) -> None:
        expansion = Expansion(tmp_path, tmp_path / "images", {"text": text, "other": "secret"})
        assert expansion.chapter(tmp_path / "one.qmd") == text
        assert expansion.problems == []

    tried(for_each(st.tuples(hostile, inclusion, hostile).map("".join), check, 400))


# ── Parameters of notebooks ──────────────────────────────────────────────────────────────────────────────────────────

PARAMETERS = "A notebook's parameter reaches the kernel as the value that was given, and nothing of it is evaluated."
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "str": hostile,
    "int": st.integers(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "list[str]": st.lists(hostile, max_size=3),
    "list[float]": st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    "list[str] | None": st.none() | st.lists(hostile, max_size=2),
}
NAMES = {kind: f"p{number}" for number, kind in enumerate(KINDS)}


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    declared = "\n".join(f"{name}: {kind} = None" for kind, name in NAMES.items())
    return write_notebook(tmp_path / "analysis/01-one.ipynb", code(declared, tags=("parameters",)))


@pytest.mark.promise(PARAMETERS)
def test_parameters_are_injected_as_literals(notebook: Path, tmp_path: Path, tried: Tried) -> None:
    source = load_notebook_node(str(notebook))
    declared = {name: eval(kind) for kind, name in NAMES.items()}

    def check(given: dict[str, Any]) -> None:
        [planned] = execution.plan(notebook.parent, tmp_path / "out", requested={"01-one": given}, common={}, inputs={})
        assert same(planned.parameters, given)
        injected = parameterize_notebook(source, planned.parameters, kernel_name="python3", language="python")
        [cell] = [c for c in injected.cells if execution.INJECTED in c.metadata.get("tags", ())]
        assigned: dict[str, Any] = {}
        for statement in ast.parse(cell.source).body:
            assert isinstance(statement, ast.Assign)
            [target] = statement.targets
            assert isinstance(target, ast.Name)
            assigned[target.id] = ast.literal_eval(statement.value)
        assert same(assigned, given)
        namespace = {"__annotations__": {name: declared[name] for name in given}} | assigned
        assert same(vars(parameters.checked(namespace)), given)

    def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
        return repr(sorted(one.items())) == repr(sorted(other.items()))  # 0.0 is not -0.0, and 1 is not True

    strategies = {NAMES[kind]: values for kind, values in KINDS.items()}
    tried(for_each(st.fixed_dictionaries({}, optional=strategies), check, 1000))


@pytest.mark.promise(PARAMETERS)
def test_text_for_a_number_or_a_list_is_that_or_refused(tried: Tried) -> None:
    """As papermill's `-p` hands it over."""
    kinds = {"int": int, "float": float, "bool": bool, "list[str]": list[str], "list[float]": list[float]}
    texts = hostile | st.floats().map(str) | st.lists(st.integers() | hostile, max_size=3).map(json.dumps)

    def check(case: tuple[str, str]) -> None:
        text, kind = case
        found, refusal = told(lambda: parameters.parsed(text, kinds[kind], "p"))
        if refusal:
            assert refusal.startswith(f"parameter p must be {kind}, not ")
            return
        values = found if isinstance(found, list) else [found]
        assert {type(value) for value in values} <= {{"list[str]": str, "list[float]": float}.get(kind, kinds[kind])}

    tried(for_each(st.tuples(texts, st.sampled_from([*kinds])), check, 1500))


@pytest.mark.promise(PARAMETERS)
def test_parameters_arrive_in_a_kernel(tmp_path: Path, tried: Tried) -> None:
    path = write_notebook(
        tmp_path / "analysis/01-one.ipynb",
        code("texts: list[str] = []", tags=("parameters",)),
        code("import json\nprint(json.dumps(texts))"),
    )
    texts = [*TROUBLE, *(f"{a}{b}" for a, b in zip(TROUBLE, reversed(TROUBLE), strict=True))]
    planned = execution.plan(path.parent, tmp_path, requested={"01-one": {"texts": texts}}, common={}, inputs={})
    execution.execute(planned, folder=tmp_path, environment={}, jobs=1, report=lambda line: None)
    [shown] = NotebookFile.read(planned[0].target).cells[-1].outputs
    assert json.loads("".join(shown["text"])) == texts
    tried(len(texts))


# ── Commands and code ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.promise("No command goes through a shell, and nothing that is read can run code.")
def test_the_package_calls_nothing_that_interprets_text(tried: Tried) -> None:
    """But for the annotations of notebooks, whose code is run anyway, and for going on in the project's own Python."""
    files = [PROJECT / "pipeline.py", *(PROJECT / "autoencoders").rglob("*.py")]
    found = {(path.name, said) for path in files for said in _interpreting(path.read_text(encoding="utf-8"))}
    own = {("processes.py", "pickle.loads()"), ("startup.py", "os.execv()")}  # its own bytes, its own environment
    assert found == {("execution.py", "eval()"), *own}
    tried(len(files))


DANGEROUS = re.compile(
    r"(eval|exec|__import__|os\.(system|popen|exec\w+|spawn\w+)|subprocess\.get\w+|pty\.\w+|marshal\.\w+|shelve\.\w+|"
    r"pickle\.(load|loads|Unpickler)|joblib\.(load|dump)|yaml\.(load|load_all|unsafe_load|full_load))"
)
SWITCHES = {("shell", True), ("allow_pickle", True), ("weights_only", False)}


def _interpreting(source: str) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = {f"{name}()" for call in calls if DANGEROUS.fullmatch(name := ast.unparse(call.func))}
    for call in calls:
        given = {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}
        names |= {f"{name}={value}" for name, value in given.items() if (name, value) in SWITCHES}
        if ast.unparse(call.func) == "torch.load" and given.get("weights_only") is not True:
            names.add("torch.load()")
        if ast.unparse(call.func).startswith("subprocess.") and call.args and isinstance(call.args[0], ast.JoinedStr):
            names.add("a command made of text")
    return sorted(names)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("subprocess.run(['ls'], shell=True)", ["shell=True"]),
        ("os.system('ls')", ["os.system()"]),
        ("yaml.load(text)", ["yaml.load()"]),
        ("torch.load(path)", ["torch.load()"]),
        ("np.load(path, allow_pickle=True)", ["allow_pickle=True"]),
        ("subprocess.run(f'ls {name}')", ["a command made of text"]),
        ("torch.load(path, weights_only=True); subprocess.run(['ls', name])", []),
    ],
)
@pytest.mark.promise("No command goes through a shell, and nothing that is read can run code.")
def test_what_interprets_text_would_be_found(source: str, said: list[str]) -> None:
    assert _interpreting(source) == said
