"""Whole reports of other data sets: a folder of drawn images, and SVHN of generated files in its format."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from copied_project import copied
from drawn_images import CLASSES, draw
from generated_data import write_svhn
from made_report import complete, make

from autoencoders.data import sources

pytestmark = pytest.mark.scenario


def test_report_of_a_folder_says_whose_images_they_are(tmp_path: Path) -> None:
    project = complete(copied(tmp_path / "code"))
    shapes = draw(tmp_path / "shapes")
    done = make(project, "--dataset", f"folder:{shapes}", "--image-size", "48")
    assert done.returncode == 0, done.stderr
    book = project.folder / "_book"
    cover = (book / "index.html").read_text(encoding="utf-8")
    assert "Other data: folder:shapes@48, not CIFAR-10" in cover
    assert "126 training, 18 validation and 36 test images of 48 × 48 pixels in 3 classes" in cover
    text = "".join(path.read_text(encoding="utf-8") for path in book.rglob("*.html"))
    assert "(Other data: folder:shapes@48.)" in text
    assert all(name in text for name in CLASSES)
    assert str(tmp_path) not in text
    asked = project("results", "--json", "--dataset", f"folder:{shapes}", "--image-size", "48")
    assert len(json.loads(asked.stdout)["rows"]) > 100


def test_report_of_svhn_names_its_own_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checksums of the generated files are put in place of the official ones, here and in torchvision."""
    root = write_svhn(tmp_path / "data", monkeypatch, train=700, test=200)
    import torchvision.datasets

    from autoencoders import data

    project = complete(copied(tmp_path / "code"))
    for name, official in sources.SVHN.files.items():
        ours = data.SOURCES["svhn"].files[name]  # type: ignore[union-attr]
        project.edit("autoencoders/data/sources.py", str(official), str(ours))
    line = "    from torchvision.datasets import SVHN\n"
    lists = torchvision.datasets.SVHN.split_list
    project.edit("autoencoders/data/more_readers.py", line, f"{line}\n    SVHN.split_list = {lists}\n")
    done = make(project, "--dataset", "svhn", "--data-dir", str(root))
    assert done.returncode == 0, done.stderr
    cover = (project.folder / "_book/index.html").read_text(encoding="utf-8")
    assert "Other data: svhn, not CIFAR-10" in cover
    page = (project.folder / "_book/report/06-vae.html").read_text(encoding="utf-8")
    assert re.search(r"8 − 3 \+ 1", page)
