"""The report of the smallest run, made by the true command, for the tests that look at it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from copied_project import Project

from autoencoders import settings
from autoencoders.reporting import submission


@dataclass(frozen=True)
class Made:
    """A project with its report, made from a filled cache."""

    project: Project
    stderr: str

    @property
    def book(self) -> Path:
        return self.project.folder / "_book"

    def page(self, name: str) -> str:
        return (self.book / name).read_text(encoding="utf-8")

    def again(self, **twins: str) -> subprocess.CompletedProcess[str]:
        return make(self.project, **twins)

    def copy(self, folder: Path) -> Made:
        """To be edited, with a cache of its own; times are kept, so that what is written anew can be told."""
        shutil.copytree(self.project.folder, folder / "code", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(self.project.cache, folder / "cache")
        return Made(Project(folder / "code", folder / "cache"), self.stderr)

    def stamps(self) -> dict[str, int]:
        """When each page, each executed notebook and each file of the submission was written."""
        folders = (self.book, self.project.folder / "submission", self.project.folder / "cache/notebooks")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(self.project.folder).as_posix(): path.stat().st_mtime_ns for path in files}


def make(project: Project, *flags: str, **twins: str) -> subprocess.CompletedProcess[str]:
    return project("report", "--renderer", "pandoc", *flags, **{"GROUP": "G07"} | twins)


def complete(project: Project) -> Project:
    """With the chapters and all else that is handed in."""
    for name in (*submission.FILES, *submission.FOLDERS):
        source, target = settings.PROJECT / name, project.folder / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        elif name != "params.yml":
            shutil.copy(source, target)
    (project.folder / "params.yml").write_text("group: G00\n", encoding="utf-8")
    return project
