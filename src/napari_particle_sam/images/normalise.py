"""The one normalisation: from a micrograph's grey values to the 8-bit picture every model sees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Percentiles of the field of view that become black and white.
LOW_PERCENTILE, HIGH_PERCENTILE = 0.1, 99.9


def normalise(pixels: NDArray[Any], field_rows: int | None = None) -> NDArray[np.uint8]:
    """Stretch grey values linearly to 0..255.

    Segmentation, training and previews all call this function, so that a model never meets
    another contrast than it was trained on.

    Parameters
    ----------
    pixels : ndarray of shape (rows, cols)
        Grey values of any real type.
    field_rows : int, optional
        Rows of the field of view, counted from the top; the data bar below it does not enter
        the percentiles. All rows by default.

    Returns
    -------
    ndarray of uint8 and shape (rows, cols)
        The picture; all zeros where the field of view is constant.
    """
    low, high = np.percentile(pixels[:field_rows], (LOW_PERCENTILE, HIGH_PERCENTILE))
    if not high > low:
        return np.zeros(pixels.shape, np.uint8)
    grey = pixels.astype(np.float32)
    grey -= np.float32(low)
    grey *= np.float32(255.0 / (high - low))
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)
