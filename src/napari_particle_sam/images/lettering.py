"""Telling letters from other shapes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_SMALLEST_GLYPH = 4


def count_glyphs(ink: NDArray[np.bool_]) -> int:
    """Count the connected shapes that could be letters of one line.

    Parameters
    ----------
    ink : ndarray of bool, (rows, cols)
        What is written, without its ground.

    Returns
    -------
    int
        Shapes of a letter's proportions whose heights agree with the most common height.
    """
    parts, _ = ndimage.label(ink, np.ones((3, 3), int))
    heights = []
    for box in ndimage.find_objects(parts):
        height, width = box[0].stop - box[0].start, box[1].stop - box[1].start
        if _SMALLEST_GLYPH <= height < 0.9 * len(ink) and 0.1 * height <= width <= 2.5 * height:
            heights.append(height)
    sizes = np.array(heights, float)
    return max((int((np.abs(sizes / size - 1) < 0.35).sum()) for size in sizes), default=0)
