"""Drawn outlines and boxes as pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession

Path = NDArray[np.float64]
#: ``(top, left, bottom, right)``, the last two exclusive.
Box = tuple[int, int, int, int]


def outline_mask(path: Path, shape: tuple[int, int]) -> Mask:
    """Return the pixels inside a closed outline.

    Parameters
    ----------
    path : ndarray of float and shape (points, 2)
        ``(row, col)``; a pixel's centre has whole numbers. The last point is joined to the first.
    shape : tuple of int
        ``(rows, cols)`` of the image; what lies outside is cut off.
    """
    top, left, bottom, right = _around(path, shape)
    if top >= bottom or left >= right:
        return Mask(0, 0, np.zeros((0, 0), bool))
    crop = np.zeros((bottom - top, right - left), bool)
    rows, cols = polygon(path[:, 0] - top, path[:, 1] - left, crop.shape)  # type: ignore[no-untyped-call]
    crop[rows, cols] = True
    return Mask.from_array(crop, top, left)


def box_of(path: Path, shape: tuple[int, int]) -> Box:
    """Return the box between the first and the last point of a drag, cut off at the image's edges."""
    return _around(path[[0, -1]], shape)


def box_mask(box: Box) -> Mask:
    """Return all pixels of a box; an empty mask where it has none."""
    top, left, bottom, right = box
    if top >= bottom or left >= right:
        return Mask(0, 0, np.zeros((0, 0), bool))
    return Mask(top, left, np.ones((bottom - top, right - left), bool))


def box_corners(path: Path) -> Path:
    """Return the closed rectangle between the first and the last point of a drag."""
    (top, left), (bottom, right) = path[0], path[-1]
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left], [top, left]])


def enclosed(session: AnnotationSession, area: Mask) -> list[int]:
    """Return the instances of which more than half lies in an area, by ascending id."""
    counts = np.bincount(session.labels[area.window][area.crop])
    return [
        int(i) for i in np.flatnonzero(counts) if i and 2 * counts[i] > session.instances[int(i)].mask.area
    ]


def _around(path: Path, shape: tuple[int, int]) -> Box:
    # Rounded halves away from zero would tear a box's edges apart by one pixel; floor(x + 0.5) does not.
    low = np.clip(np.floor(path.min(0) + 0.5), 0, shape).astype(int)
    high = np.clip(np.floor(path.max(0) + 0.5) + 1, 0, shape).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
