"""Writing into a shown label raster so that napari redraws only what changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: ``(top, left, bottom, right)``, the last two exclusive.
Box = tuple[int, int, int, int]


def write(layer: Any, values: NDArray[np.integer], top: int = 0, left: int = 0) -> bool:
    """Put values into a part of a Labels layer.

    Parameters
    ----------
    layer : napari.layers.Labels
        Of one image.
    values : ndarray of integers and shape (rows, cols)
        What the part becomes.
    top, left : int
        ``(row, col)`` of its first pixel.

    Returns
    -------
    bool
        Whether anything changed.
    """
    shown = layer.data[top : top + values.shape[0], left : left + values.shape[1]]
    changed = shown != values
    if not changed.any():
        return False
    if not layer.visible:
        # napari has no slice of a hidden layer to redraw; it takes a new one when the layer is shown.
        np.copyto(shown, values)
        return True
    at = _outermost(changed)
    before = shown[at]
    np.copyto(shown, values)
    shown[at] = before
    # napari redraws the box around the pixels that it sets itself: a handful does what all would do at
    # a hundred times the cost, in its history too.
    layer.data_setitem((at[0] + top, at[1] + left), values[at])
    return True


def around(*boxes: Box | None) -> Box | None:
    """Return the box around boxes; None stands for an empty one."""
    there = [box for box in boxes if box is not None]
    if not there:
        return None
    low, high = np.min(there, 0), np.max(there, 0)
    return int(low[0]), int(low[1]), int(high[2]), int(high[3])


def window(box: Box) -> tuple[slice, slice]:
    """Return the slices of a box."""
    return slice(box[0], box[2]), slice(box[1], box[3])


def _outermost(changed: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return up to four changed pixels with the same bounding box as all of them."""
    rows, cols = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    places = {(int(row), int(np.argmax(changed[row]))) for row in (rows[0], rows[-1])}
    places |= {(int(np.argmax(changed[:, col])), int(col)) for col in (cols[0], cols[-1])}
    found = np.array(sorted(places), np.intp)
    return found[:, 0], found[:, 1]
