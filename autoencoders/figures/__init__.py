"""Every figure: arrays and strings in, a matplotlib figure out; a notebook cell that ends in one shows it as SVG."""

from autoencoders.figures.bars import bars
from autoencoders.figures.curves import curves, levels, roc, tradeoff
from autoencoders.figures.diagrams import architecture
from autoencoders.figures.dots import dots
from autoencoders.figures.embeddings import decision_regions, embeddings, embeddings_3d, shifts
from autoencoders.figures.images import heatmaps, image_grid
from autoencoders.figures.interactive import turnable
from autoencoders.figures.matrices import confusion, matrix
from autoencoders.figures.style import Figure

__all__ = [
    "Figure",
    "architecture",
    "bars",
    "confusion",
    "curves",
    "decision_regions",
    "dots",
    "embeddings",
    "embeddings_3d",
    "heatmaps",
    "image_grid",
    "levels",
    "matrix",
    "roc",
    "shifts",
    "tradeoff",
    "turnable",
]
