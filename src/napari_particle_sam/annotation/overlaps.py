"""Which of many masks can share pixels, found through their boxes, and how many two of them share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.masks import Mask

#: Pairs that are looked at together.
BLOCK = 1 << 18


def meeting_boxes(
    boxes: NDArray[np.integer],
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]:
    """Find all pairs of boxes that share area.

    Boxes are sorted by their first row, so each is compared only with those that begin before it ends.

    Parameters
    ----------
    boxes : ndarray of int and shape (N, 4)
        ``(top, left, bottom, right)``, the last two exclusive.

    Yields
    ------
    tuple of ndarray
        Indices of either box and how many pixels both hold; blocks of bounded size, no pair twice.
    """
    order = np.argsort(boxes[:, 0], kind="stable")
    top, left, bottom, right = np.ascontiguousarray(boxes[order].T)
    ahead = np.searchsorted(top, bottom, "left") - np.arange(1, len(order) + 1)
    ends = np.cumsum(np.maximum(ahead, 0))
    begin = 0
    while begin < len(order):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + BLOCK, "right")))
        counts = np.maximum(ahead[begin:end], 0)
        first = np.repeat(np.arange(begin, end), counts)
        second = first + 1 + np.arange(len(first)) - np.repeat(ends[begin:end] - counts - done, counts)
        wide = np.minimum(right[first], right[second]) - np.maximum(left[first], left[second])
        meet = np.flatnonzero(wide > 0)
        first, second, wide = first[meet], second[meet], wide[meet]
        high = np.minimum(bottom[first], bottom[second]) - top[second]
        meet = np.flatnonzero(high > 0)
        yield order[first[meet]], order[second[meet]], (high * wide)[meet]
        begin = end


def shared_pixels(one: Mask, other: Mask) -> int:
    """Return how many pixels two masks share."""
    (rows, cols), (height, width) = one.crop.shape, other.crop.shape
    down, along = other.top - one.top, other.left - one.left
    top, bottom = max(down, 0), min(rows, down + height)
    left, right = max(along, 0), min(cols, along + width)
    if top >= bottom or left >= right:
        return 0
    mine = one.crop[top:bottom, left:right]
    return int(np.count_nonzero(mine & other.crop[top - down : bottom - down, left - along : right - along]))
