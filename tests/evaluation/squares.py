"""Label maps that one can reckon on paper."""

from __future__ import annotations

import numpy as np


def squares(*boxes: tuple[int, int, int, int], shape: tuple[int, int] = (100, 100)) -> np.ndarray:
    """Return a label map with particle i + 1 at boxes[i] = (top, left, height, width)."""
    labels = np.zeros(shape, np.uint16)
    for label, (top, left, height, width) in enumerate(boxes, start=1):
        labels[top : top + height, left : left + width] = label
    return labels
