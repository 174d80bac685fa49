"""Label maps drawn over micrographs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import find_boundaries

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
    edge = find_boundaries(labels, mode="inner")  # type: ignore[no-untyped-call]
    rgb[edge] = COLOURS[labels[edge] % len(COLOURS)]
    return rgb.astype(np.uint8)
