"""What a page loads by itself, at the sizes of models that are trained in earnest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from untrained import playground

from autoencoders.explore.scripts import LIMIT


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_pages_stay_small_whatever_the_models_size(profile: str, page: Any, tmp_path: Path) -> None:
    """Neither their training nor the data set matters for that: CIFAR-10's images are as large as these."""
    folder = playground(profile, tmp_path)
    for name in ("walk", "patches", "noise", "samples"):
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(f"{(folder / name).as_uri()}.html")
        page.wait_for_selector("#playground:not([hidden])")
        asked = [url for url in asked if not url.startswith("blob:")]  # made of what was loaded
        sizes = [(folder / url.removeprefix(f"{folder.as_uri()}/").split("?")[0]).stat().st_size for url in asked]
        needed = [size for url, size in zip(asked, sizes, strict=True) if "/models/" in url]
        assert needed, name
        large = profile == "full" and len(needed) == 1  # the one model that the page is about may exceed it
        assert sum(sizes) - large * needed[0] < LIMIT, name
    assert page.faults == []
