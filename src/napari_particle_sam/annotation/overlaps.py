"""Pairwise overlaps of many masks, found through their boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_particle_sam.annotation.masks import Mask


class Overlaps:
    """For each mask, the others that share pixels with it."""

    def __init__(self, count: int) -> None:
        self._of: list[list[tuple[int, int]]] = [[] for _ in range(count)]

    def add(self, i: int, j: int, shared: int) -> None:
        """Note that two masks share pixels."""
        self._of[i].append((j, shared))
        self._of[j].append((i, shared))

    def of(self, i: int) -> list[tuple[int, int]]:
        """Return ``(other mask, shared pixels)`` of one mask."""
        return self._of[i]


def find_overlaps(masks: Sequence[Mask]) -> Overlaps:
    """Return which masks share how many pixels.

    Parameters
    ----------
    masks : sequence of Mask
        Any number of masks, overlapping or not.

    Returns
    -------
    Overlaps
        All pairs with at least one shared pixel.
    """
    overlaps = Overlaps(len(masks))
    if len(masks) < 2:
        return overlaps
    boxes = np.array([m.box for m in masks])
    for i, mask in enumerate(list(masks)[:-1]):
        top, left, bottom, right = boxes[i]
        rest = boxes[i + 1 :]
        meets = (rest[:, 0] < bottom) & (rest[:, 2] > top) & (rest[:, 1] < right) & (rest[:, 3] > left)
        for j in (np.flatnonzero(meets) + i + 1).tolist():
            shared = mask.overlap(masks[j])
            if shared:
                overlaps.add(i, j, shared)
    return overlaps
