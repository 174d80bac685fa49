"""Pictures of label maps over micrographs, and figures side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import find_boundaries

from napari_particle_sam.base.files import atomic_path

COLOURS = np.array(
    [
        (86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66),
        (213, 94, 0), (204, 121, 167), (120, 160, 255),
    ],
    np.float32,
)  # fmt: skip


def overlay(picture: NDArray[np.uint8], labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Tint every particle and draw its outline.

    Parameters
    ----------
    picture : ndarray of uint8 and shape (rows, cols)
        The normalised micrograph.
    labels : ndarray of int and shape (rows, cols)
        0 = background.

    Returns
    -------
    ndarray of uint8 and shape (rows, cols, 3)
        For people to look at.
    """
    rgb = np.repeat(picture[..., None], 3, 2).astype(np.float32)
    inside = labels > 0
    colour = COLOURS[labels[inside] % len(COLOURS)]
    rgb[inside] = 0.72 * rgb[inside] + 0.28 * colour
    edge = find_boundaries(labels, mode="inner")
    rgb[edge] = COLOURS[labels[edge] % len(COLOURS)]
    return rgb.astype(np.uint8)


def save_side_by_side(
    path: Path, rows: Mapping[str, Mapping[str, NDArray[np.uint8]]], width: float = 3.4
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
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=100)
