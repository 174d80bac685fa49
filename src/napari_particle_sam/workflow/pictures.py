"""Pictures of label maps over micrographs, and figures side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.evaluation.overlay import COLOURS, overlay

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "overlay", "save_side_by_side"]


def save_side_by_side(
    path: Path,
    rows: Mapping[str, Mapping[str, NDArray[np.uint8]]],
    width: float = 3.4,
    legend: Mapping[str, tuple[int, int, int]] | None = None,
) -> None:
    """Save a grid of pictures: one row per image, one column per kind.

    Parameters
    ----------
    path : Path
        A .png file.
    rows : mapping of str to mapping of str to ndarray
        Pictures by image and by column heading.
    width : float
        Of a column, in inches.
    legend : mapping of str to tuple of int, optional
        What outlines of a colour (red, green, blue from 0 to 255) mean; written below.
    """
    from matplotlib.figure import Figure

    columns = list(next(iter(rows.values())))
    figure = Figure(figsize=(width * len(columns), 0.82 * width * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for r, (name, pictures) in enumerate(rows.items()):
        for c, heading in enumerate(columns):
            axes[r, c].imshow(pictures[heading], cmap="gray")
            axes[r, c].set(xticks=[], yticks=[])
            if r == 0:
                axes[r, c].set_title(heading, fontsize=10)
        axes[r, 0].set_ylabel(name, fontsize=8)
    if legend:
        _add_legend(figure, legend)
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=100)


def _add_legend(figure: Figure, legend: Mapping[str, tuple[int, int, int]]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=[part / 255 for part in colour], edgecolor="black", linewidth=0.5, label=words)
        for words, colour in legend.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8, frameon=False)
