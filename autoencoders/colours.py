"""Colours of figures, and what stands for each of them on a dark page."""

from __future__ import annotations

import re

PALETTE = (  # Okabe and Ito's colours, the most distinct first; paper would swallow yellow, so three others follow
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#333333",
    "#882255",
    "#999999",
    "#999933",
)
FEW = tuple(  # the three first keep apart from each other and from paper, as points and as areas, for all eyes
    PALETTE[place] for place in (0, 5, 7, 1, 2, 3, 4, 9)
)
PAPER, INK, MUTED, FAINT = "#FFFFFF", "#222222", "#777777", "#DDDDDD"
AREA, REGION = 0.45, 0.38  # how strong the palette's colours are in bars, and under points
ON_DARK = {  # the others can be seen on dark paper as they are
    PAPER: "#1B2026",
    INK: "#DDE2E9",
    MUTED: "#97A2B1",
    FAINT: "#39424E",
    "#0072B2": "#2F8FD3",
    "#D55E00": "#E8722A",
    "#009E73": "#1FB58A",
    "#56B4E9": "#8FD0F7",
    "#333333": "#D0D4DA",
    "#882255": "#BE4A75",
    "#999933": "#B3B34D",
}


def tint(colour: str, strength: float = AREA, paper: str = PAPER) -> str:
    """A colour of the same hue, nearer to the paper's, for areas."""
    pairs = zip(bytes.fromhex(colour[1:]), bytes.fromhex(paper[1:]), strict=True)
    return "#" + bytes(round(strength * ink + (1 - strength) * ground) for ink, ground in pairs).hex()


def _twins() -> dict[str, str]:
    """Each colour that is drawn for light paper with its twin for dark paper, as an SVG has them."""
    dark = {colour: ON_DARK.get(colour, colour) for colour in (*PALETTE, *ON_DARK)}
    areas = {
        tint(colour, strength): tint(dark[colour], strength, ON_DARK[PAPER])
        for colour in PALETTE
        for strength in (AREA, REGION)
    }
    return {light.lower(): twin.lower() for light, twin in (dark | areas).items()}


TWINS = _twins()


def on_dark(svg: str) -> str:
    """Redraw a figure for a dark page: its paper is the page's, and pixels of pictures stay as they are."""
    bare = svg.replace(f"fill: {PAPER.lower()}", "fill: none", 1)  # the first area is the whole figure's
    return re.sub(r"#[0-9a-f]{6}\b", lambda match: TWINS.get(match[0], match[0]), bare)
