"""From a run to its report: what is outdated is computed, executed, written, rendered, checked and packed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from autoencoders import inspection, progress, references
from autoencoders.commandline import complain
from autoencoders.lab import Lab
from autoencoders.reporting import checks, execution, fallback, mermaid, quarto, submission, variables
from autoencoders.reporting.book import Book
from autoencoders.reporting.execution import Execution
from autoencoders.settings import ENVIRONMENT, PROJECT, Settings

Renderer = Literal["auto", "quarto", "pandoc"]
Facts = Callable[[], Mapping[str, Any]]
OF_THE_MACHINE = ("data_dir", "cache", "device", "jobs")  # reach notebooks by the environment, not as parameters


def report(lab: Lab, facts: Facts, renderer: Renderer = "auto") -> tuple[Path, ...]:
    """The files that were made: site, PDF, and the submission."""
    tool = None if renderer == "pandoc" else quarto.obtain(PROJECT, insist=renderer == "quarto")
    executions = prepare(lab, facts, "Quarto" if tool else fallback.name())
    book = Book.read(PROJECT)
    if tool:
        complain(f"rendering with {tool.name}")
        quarto.render(tool, PROJECT, _environment(lab.settings, *ENVIRONMENT))
    else:
        fallback.render(book, [each.target for each in executions])
    checks.check(book)
    return (book.output / "index.html", book.pdf, *submission.pack(book, executions))


def prepare(lab: Lab, facts: Facts, renderer: str) -> list[Execution]:
    """Everything that the chapters need, brought up to date; quick where nothing changed."""
    progress.follow(lab, lab.plan())
    values = dict(facts())
    executions = _executions(lab, values)
    outdated = [each for each in executions if each.outdated]
    complain(f"{len(executions) - len(outdated)} of {len(executions)} notebooks are up to date")
    surroundings = _environment(lab.settings, *OF_THE_MACHINE)
    jobs = lab.settings.jobs or os.cpu_count() or 1
    execution.execute(outdated, folder=PROJECT, environment=surroundings, jobs=jobs, report=complain)
    variables.write_if_changed(PROJECT / fallback.WORKSHOP / "pipeline.svg", _graph(lab))
    variables.write(PROJECT / "_variables.yml", values | {"renderer": renderer})
    variables.write_if_changed(PROJECT / "_quarto.yml.local", _for_quarto(values))
    return executions


def packed(lab: Lab, facts: Facts) -> tuple[Path, ...]:
    """The submission, of what was rendered before."""
    return submission.pack(Book.read(PROJECT), _executions(lab, dict(facts())))


def _executions(lab: Lab, values: Mapping[str, Any]) -> list[Execution]:
    return execution.plan(
        PROJECT / "analysis",
        PROJECT / "cache/notebooks",
        requested=lab.settings.notebooks,
        common={
            "profile": lab.profile.name,
            "dataset": lab.dataset,
            "seeds": ",".join(str(catalogue.seed) for catalogue in lab.catalogues),
        },
        inputs={
            "data": lab.bench.fingerprint,
            "code": execution.code_digest(PROJECT / "autoencoders"),
            "references": references.texts(),
        },
        notice=values.get("notice", {}).get("caption", ""),
    )


def _environment(settings: Settings, *names: str) -> dict[str, str]:
    """The settings in force as environment variables, for processes that read them anew."""
    given = {name: getattr(settings, name) for name in names}
    texts = {n: " ".join(map(str, v)) if isinstance(v, tuple) else str(v) for n, v in given.items() if v is not None}
    return {ENVIRONMENT[name]: value for name, value in texts.items()}


def _graph(lab: Lab) -> str:
    """The dependency graph to look at: measurements counted, since their names would fill three pages."""

    def counted(match: re.Match[str]) -> str:
        total = sum(map(int, re.findall(r"×(\d+)", match[2])))
        return f'"{match[1]}: {total} measurements"'

    return mermaid.as_svg(re.sub(r'"([^"<]*)<br>([^"]*)"', counted, inspection.mermaid(lab)))


def _for_quarto(values: Mapping[str, Any]) -> str:
    """What Quarto can't read from variables: the authors, and the notice in each page's header. JSON is YAML."""
    authors = [f"Group {values['group']}", *filter(None, str(values.get("authors", "")).split(", "))]
    settings: dict[str, Any] = {"book": {"author": authors}}
    if notice := values.get("notice", {}).get("header"):
        settings["book"]["body-header"] = f"::: {{.callout-warning appearance=minimal}}\n{notice}\n:::"
        header = f'#set page(foreground: place(top + center, dy: 8mm, text(8pt, weight: "bold", {json.dumps(notice)})))'
        settings["format"] = {"typst": {"include-in-header": [{"text": header}]}}
    return json.dumps(settings, indent=1, ensure_ascii=False) + "\n"
