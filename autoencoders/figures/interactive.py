"""Three coordinates to turn by hand on the site, with a still picture for print; nothing is loaded from anywhere."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence

import numpy as np

from autoencoders.colours import PALETTE
from autoencoders.figures.embeddings import Cloud, embeddings_3d, told_apart
from autoencoders.figures.style import Figure
from autoencoders.turning import PAGE, SCRIPT


class Turnable:
    """A figure that is a canvas on the site and its still twin everywhere else."""

    def __init__(self, still: Figure, page: str) -> None:
        self.still, self.page = still, page

    def __repr__(self) -> str:  # without an address, which each run would write anew
        return "a figure to turn"

    def _repr_svg_(self) -> str:
        return self.still._repr_svg_()

    def _repr_html_(self) -> str:
        return self.page


def turnable(panels: Mapping[str, Cloud], classes: Sequence[str]) -> Turnable:
    """Draw clouds of points [N,3]: drag or use the arrow keys to turn them all, choose a class to see it alone."""
    still, shown = embeddings_3d(panels, classes), told_apart(classes)  # the former checks the clouds, too
    clouds = [
        {
            "title": title,
            "points": _fitted(points).round(3).tolist(),
            "kinds": np.minimum(kinds, len(shown) - 1).tolist(),
        }
        for title, (points, kinds) in panels.items()
    ]
    content = json.dumps({"clouds": clouds, "colours": PALETTE[: len(shown)]}, separators=(",", ":"))
    buttons = "".join(
        f'<button type="button" aria-pressed="false" style="--class:{colour}">{html.escape(name)}</button>'
        for name, colour in zip(shown, PALETTE, strict=False)
    )
    canvases = "".join(
        f'<figure><canvas tabindex="0" role="img" aria-label="{html.escape(title)}: points in three dimensions, '
        f'turned by dragging or by the arrow keys"></canvas><figcaption>{html.escape(title)}</figcaption></figure>'
        for title in panels
    )
    page = PAGE.substitute(canvases=canvases, buttons=buttons, content=content.replace("<", "\\u003c"), script=SCRIPT)
    return Turnable(still, page)


def _fitted(points: np.ndarray) -> np.ndarray:
    """Into a ball of radius one around zero."""
    centred = np.asarray(points, float) - np.mean(points, axis=0)
    return centred / max(np.linalg.norm(centred, axis=1).max(), 1e-9)
