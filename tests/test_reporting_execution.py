"""Notebooks are executed when, and only when, something that their figures depend on changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from reporting_sample import PARAMETERS, code, figure, markdown, write_notebook

from autoencoders import settings
from autoencoders.errors import InputError, ReportError
from autoencoders.reporting import execution, making
from autoencoders.reporting.book import embedded
from autoencoders.reporting.execution import Execution
from autoencoders.reporting.notebook_files import Cell, NotebookFile
from autoencoders.running.cells import PASSING
from autoencoders.store import Artifact, Store, Task, codehash

SHOW = 'from IPython.display import Markdown\nMarkdown(f"{profile} {sigmas} {limit}")'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    parameters = code(PARAMETERS, tags=("parameters",))
    write_notebook(tmp_path / "analysis/01-one.ipynb", markdown("# One"), parameters, code(f"#| label: shown\n{SHOW}"))
    write_notebook(tmp_path / "analysis/02-two.ipynb", markdown("# Two"), code("1 + 1"))
    return tmp_path


def planned(
    folder: Path,
    requested: dict[str, Any] | None = None,
    common: dict[str, Any] | None = None,
    data: str = "d",
    **more: Any,
) -> list[Execution]:
    return execution.plan(
        folder / "analysis",
        folder / "cache/notebooks",
        requested=requested or {},
        common={"profile": "smoke", "dataset": "photos10"} if common is None else common,
        inputs={"data": data, "code": "c"},
        **more,
    )


def run(folder: Path, executions: list[Execution], environment: dict[str, str] | None = None) -> list[str]:
    said: list[str] = []
    execution.execute(executions, folder=folder, environment=environment or {}, jobs=2, report=said.append)
    return said


def digests(*arguments: Any, **keywords: Any) -> dict[str, str]:
    return {each.name: each.digest for each in planned(*arguments, **keywords)}


def test_common_parameters_reach_only_the_notebooks_that_declare_them(folder: Path) -> None:
    one, two = planned(folder)
    assert one.parameters == {"profile": "smoke"}
    assert two.parameters == {}


def test_book_needs_only_the_notebooks_that_it_embeds(folder: Path) -> None:
    assert [each.name for each in planned(folder, names={"02-two"})] == ["02-two"]
    (folder / "_quarto.yml").write_text("project: {}\nbook: {chapters: [index.qmd], appendices: [a.qmd]}")
    (folder / "index.qmd").write_text("{{< embed /cache/notebooks/01-one.ipynb#fig-a >}}\n")
    (folder / "a.qmd").write_text("no embed of /cache/notebooks/02-two.ipynb\n")
    assert embedded(folder) == {"01-one"}


def test_own_parameters_override_common_ones_and_get_their_declared_type(folder: Path) -> None:
    one, _ = planned(folder, {"01-one": {"profile": "full", "sigmas": [1, 0.5], "limit": "3"}})
    assert one.parameters == {"profile": "full", "sigmas": [1.0, 0.5], "limit": 3}


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        ({"03-three": {}}, "none is called 03-three; there are: 01-one, 02-two"),
        ({"01-one": {"sigma": 1}}, "has no parameter sigma; there are: sigmas, profile, limit"),
        ({"02-two": {"sigmas": [1]}}, "02-two has no parameter sigmas"),
        ({"01-one": {"sigmas": 0.1}}, "sigmas of notebook 01-one must be list"),
        ({"01-one": {"sigmas": ["x"]}}, "sigmas of notebook 01-one"),
    ],
)
def test_wrong_parameter_is_refused_with_those_there_are(folder: Path, requested: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        planned(folder, requested)


def test_parameter_changes_its_notebook_alone(folder: Path) -> None:
    before, after = digests(folder), digests(folder, {"01-one": {"limit": 3}})
    assert before["01-one"] != after["01-one"]
    assert before["02-two"] == after["02-two"]


def test_data_and_notice_change_all_notebooks(folder: Path) -> None:
    before = digests(folder)
    for changed in (
        digests(folder, data="e"),
        digests(folder, notices={"01-one": "(Stand-in.)", "02-two": "(Stand-in.)"}),
    ):
        assert all(before[name] != changed[name] for name in before)


def test_file_beside_the_notebooks_changes_all_of_them(folder: Path) -> None:
    before = digests(folder)
    (folder / "analysis/reported.yml").write_text("- 1")
    assert all(before[name] != digest for name, digest in digests(folder).items())


def test_outputs_and_earlier_parameters_in_the_source_dont_count(folder: Path) -> None:
    before = digests(folder)
    path = folder / "analysis/01-one.ipynb"
    content = json.loads(path.read_text())
    content["cells"][2]["outputs"] = code("", {"text/plain": "old"})["outputs"]
    content["cells"].insert(2, code('profile = "full"', tags=("injected-parameters",)))
    path.write_text(json.dumps(content))
    assert digests(folder) == before
    content["cells"][3]["source"] += " "
    path.write_text(json.dumps(content))
    assert digests(folder)["01-one"] != before["01-one"]


def test_code_counts_for_the_notebooks_that_use_it(folder: Path) -> None:
    package = folder / "autoencoders"
    module = package / "figures.py"
    package.mkdir()
    (package / "__init__.py").touch()
    uses = "%time\nfrom autoencoders import figures\n\nfigures.f(1)"
    write_notebook(folder / "analysis/02-two.ipynb", code("%%html\n<b>bold</b>"), code(uses))

    def digest(source: str) -> dict[str, str]:
        module.write_text(source)
        return digests(folder, code=lambda text: codehash.Package(package).code((), text).digest)

    before = digest('"""Doc."""\ndef f(x):\n    """Doc."""\n    return x + 1\n')
    assert digest("def f(x):  # why\n\n    return (x + 1)\n\ndef g(x):\n    return x\n") == before
    after = digest("def f(x):\n    return x + 2\n")
    assert after["02-two"] != before["02-two"]
    assert after["01-one"] == before["01-one"]


def test_source_and_paragraphs_that_a_notebook_shows_count_word_by_word(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = folder / "autoencoders"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "notebook.py").write_text("def source(what):\n    return what\n")
    monkeypatch.setattr(making, "PROJECT", folder)
    imports = "from autoencoders import notebook\nfrom autoencoders.models import f\n"

    def digest(cell: str, doc: str = "Doc.", **said: str) -> str:
        (package / "models.py").write_text(f'def f():\n    """{doc}"""\n    return 1\n')
        return making._shown([], {"r01": "Yes.", "r02": "Yes."} | said, imports + cell)

    for cell in ("notebook.source(f)", 'nb.answer("r01")'):
        shows_source = cell == "notebook.source(f)"
        assert (digest(cell, doc="Other.") != digest(cell)) == shows_source
        assert (digest(cell, r01="No.") != digest(cell)) == (not shows_source)
        assert digest(cell, r02="No.") == digest(cell)


def test_notebook_of_the_assignment_reaches_no_code_that_cannot_change_a_figure() -> None:
    package = codehash.package(settings.PROJECT / "autoencoders")
    cells = "from autoencoders import figures, notebook, tables\nnb = notebook.begin(globals())\nfigures.matrix()"
    reached = package.code(["autoencoders.catalogue:Catalogue"], cells).manifest
    assert {"autoencoders.figures.matrices.matrix", "autoencoders.findings.Findings"} <= {*reached}
    assert not {name for name in reached if name.startswith("autoencoders.figures.diagrams.")}
    rooms = {name.split(".")[1] for name in reached}
    assert not rooms & {"reporting", "explore", "books", "commandline", "inspection"}


def test_notebook_is_executed_once_then_up_to_date(folder: Path) -> None:
    executions = planned(folder, {"01-one": {"sigmas": [0.2]}})
    assert all(each.outdated for each in executions)
    said = run(folder, executions)
    assert len(said) == 2
    assert not any(each.outdated for each in executions)
    shown = NotebookFile.read(folder / "cache/notebooks/01-one.ipynb").cell("shown")
    assert shown.outputs[0]["data"]["text/markdown"] == ["smoke [0.2] None"]
    assert [each.name for each in planned(folder, {"01-one": {"sigmas": [0.3]}}) if each.outdated] == ["01-one"]


def test_executed_notebook_has_the_same_bytes_and_names_no_folder(folder: Path) -> None:
    executions = planned(folder)
    run(folder, executions)
    first = [each.target.read_bytes() for each in executions]
    run(folder, executions)
    assert [each.target.read_bytes() for each in executions] == first
    assert all(str(folder).encode() not in content for content in first)
    assert sorted(path.name for path in executions[0].target.parent.iterdir()) == ["01-one.ipynb", "02-two.ipynb"]


def test_notebook_runs_in_the_folder_with_this_python_and_environment(folder: Path) -> None:
    source = "import os, sys\nprint(os.getcwd(), os.environ['AE_DEVICE'], sys.executable)"
    write_notebook(folder / "analysis/01-one.ipynb", code(source))
    import sys

    one, _ = planned(folder)
    run(folder, [one], {"AE_DEVICE": "cpu"})
    (output,) = NotebookFile.read(one.target).cells[0].outputs
    assert "".join(output["text"]).split() == [str(folder), "cpu", sys.executable]


def test_executed_notebook_keeps_no_progress_of_trainings(folder: Path) -> None:
    source = f"from IPython.display import display\ndisplay({{'text/plain': '40 %'}}, raw=True, metadata={PASSING})\n1"
    write_notebook(folder / "analysis/01-one.ipynb", code(source))
    one, _ = planned(folder)
    run(folder, [one])
    (output,) = NotebookFile.read(one.target).cells[0].outputs
    assert output["data"]["text/plain"] == ["1"]


def test_failing_cell_is_named_with_its_traceback(folder: Path) -> None:
    failing = code("#| label: fig-broken\nraise ValueError('no such latent')")
    write_notebook(folder / "analysis/01-one.ipynb", code("print('before')"), failing)
    executions = planned(folder)
    with pytest.raises(ReportError) as error:
        run(folder, executions)
    message = str(error.value)
    assert "analysis/01-one.ipynb, cell fig-broken: ValueError: no such latent" in message
    assert "raise ValueError" in message
    assert "\x1b" not in message
    assert "before" in (folder / "cache/notebooks/01-one.failed.ipynb").read_text()
    assert [each.outdated for each in executions] == [True, False]  # the other one was executed all the same


@pytest.mark.parametrize("content", ["", "{", "{}", '{"metadata": {}}', '{"metadata": {"autoencoders": {}}}'])
def test_damaged_notebook_is_outdated(folder: Path, content: str) -> None:
    one, _ = planned(folder)
    one.target.parent.mkdir(parents=True)
    one.target.write_text(content)
    assert one.outdated


EDITS = {
    "an output": ("smoke [0.1, 0.3] None", "smoke [0.9, 0.3] None"),
    "a planted script": ("smoke [0.1, 0.3] None", "<script>alert(1)</script>"),
    "the source": ("Markdown(f", "Markdown(g"),
    "prose": ("# One", "# Two"),
}


def test_notebook_that_was_edited_after_its_execution_is_outdated(folder: Path) -> None:
    one, _ = planned(folder)
    run(folder, [one])
    executed = one.target.read_text(encoding="utf-8")
    for edit, (before, after) in EDITS.items():
        assert executed.count(before) >= 1, edit
        one.target.write_text(executed.replace(before, after), encoding="utf-8")
        assert one.outdated, edit
    run(folder, [one])
    assert one.target.read_text(encoding="utf-8") == executed
    assert not one.outdated


@pytest.mark.parametrize("made_anew", ["training", "measurement"])
def test_artifacts_that_were_made_anew_with_other_values_change_the_inputs(tmp_path: Path, made_anew: str) -> None:
    """Their keys are as they were."""
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/work.py").write_text("def work():\n    return 1\n")
    tasks = [
        Task(
            name=n, kind=n, spec={}, roots=("lab.work:work",), inputs={}, compute=lambda scratch: Artifact({}, {"x": 1})
        )
        for n in ("training", "measurement")
    ]
    store = Store(tmp_path / "cache", tmp_path / "lab")
    lab: Any = SimpleNamespace(store=store, plan=lambda: tasks)
    none = making._contents([lab])
    for task in tasks:
        store.fetch(task)
    before = making._contents([lab])
    assert before == making._contents([lab]) != none
    [task] = [task for task in tasks if task.name == made_anew]
    shutil.rmtree(tmp_path / "cache/artifacts" / store.key(task))
    store.fetch(replace(task, compute=lambda scratch: Artifact({}, {"x": 2})))
    assert making._contents([lab]) != before


# ── Captions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_caption_gets_the_notice_and_the_rest_of_the_cell_stays() -> None:
    cell = Cell("code", figure("fig-x", caption='It "falls": 5 %', alt="A: b")["source"])
    cell = Cell("code", execution.with_notice(cell, "(Stand-in.)"))
    assert cell.options == {"label": "fig-x", "fig-cap": 'It "falls": 5 % (Stand-in.)', "fig-alt": "A: b"}
    assert cell.code == "show()"


def test_notice_is_in_executed_captions(folder: Path) -> None:
    write_notebook(folder / "analysis/01-one.ipynb", code(figure("fig-x")["source"].replace("show()", "None")))
    one, _ = planned(folder, notices={"01-one": "(Stand-in.)"})
    run(folder, [one])
    assert NotebookFile.read(one.target).cell("fig-x").options["fig-cap"] == "A curve. (Stand-in.)"


def test_failure_is_forgotten_once_the_notebook_is_mended(folder: Path) -> None:
    _, two = planned(folder)
    run(folder, [two])
    two.failed.write_text("of an attempt with an edit that was undone")
    write_notebook(folder / "analysis/02-two.ipynb", code("1 / 0"))
    _, broken = planned(folder)
    execution.forget_failures([broken])
    assert two.failed.exists(), "it still says what is wrong"
    execution.forget_failures([two])
    assert not two.failed.exists()


def test_declared_parameters_are_the_annotated_assignments_of_the_tagged_cell(folder: Path) -> None:
    notebook = NotebookFile.read(folder / "analysis/01-one.ipynb")
    assert notebook.parameters == {"sigmas": "list[float]", "profile": "str", "limit": "int | None"}
    assert (notebook.name, notebook.title) == ("01-one", "One")


def test_unknown_label_is_refused_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(ReportError, match="01-one.ipynb has no cell labelled 'fig-y'; there are: shown"):
        NotebookFile.read(folder / "analysis/01-one.ipynb").cell("fig-y")


@pytest.mark.parametrize(("content", "message"), [(None, "no such notebook"), ("{", "not valid JSON")])
def test_file_that_is_no_notebook_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "x.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=message):
        NotebookFile.read(path)
