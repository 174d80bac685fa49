"""How a person clicks a prompted mask into shape: always at the middle of the largest mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.annotation.masks import Mask

#: ``(row, col, positive)``.
Point = tuple[int, int, bool]
#: From the points clicked so far to the mask that a model draws.
Prompt = Callable[[list[Point]], Mask]

#: A person is content with a mask of at least this IoU.
GOOD_IOU = 0.75
EMPTY = Mask(0, 0, np.zeros((0, 0), bool))


@dataclass(frozen=True, eq=False)
class Target:
    """A particle that someone wants to outline.

    Attributes
    ----------
    truth : Mask
        Its true outline.
    labels : ndarray of int and shape (H, W)
        The label map that the outline goes to; pixels of other particles stay theirs.
    owner : int
        Its label there; 0 where it has none yet.
    min_area : int
        An outline of fewer pixels is not good, since filters would drop it.
    """

    truth: Mask
    labels: NDArray[np.integer]
    owner: int = 0
    min_area: int = 1

    def open(self, window: tuple[slice, slice]) -> NDArray[np.bool_]:
        """Return which pixels of a window no other particle holds."""
        return np.isin(self.labels[window], (0, self.owner))

    def fitted(self, mask: Mask) -> Mask:
        """Return the part of a mask that lies in the image and in no other particle."""
        mask = mask.inside((self.labels.shape[0], self.labels.shape[1]))
        return Mask.from_array(mask.crop & self.open(mask.window), mask.top, mask.left)

    def accepts(self, mask: Mask) -> bool:
        """Return whether a person is content with a mask."""
        return mask.area >= self.min_area and mask.iou(self.truth) >= GOOD_IOU


def click_until_good(
    target: Target, prompt: Prompt, budget: int, current: Mask = EMPTY, before: Sequence[Point] = ()
) -> tuple[Mask | None, int]:
    """Click until the mask has an IoU of 0.75 with the truth.

    Parameters
    ----------
    target : Target
        What is wanted.
    prompt : callable
        Draws a mask from points.
    budget : int
        The most clicks to spend.
    current : Mask
        The outline so far; none by default.
    before : sequence of Point
        Points that the model is given ahead of the clicks.

    Returns
    -------
    Mask or None
        The mask, without pixels of other particles, or None where clicks did not help.
    int
        Clicks made. A person stops early where nothing is left to click, or to click anew.
    """
    points = list(before)
    for used in range(budget):
        point = next_click(target, current)
        if point is None or point in points:
            return None, used
        points.append(point)
        current = target.fitted(prompt(list(points)))
        if target.accepts(current):
            return current, used + 1
    return None, budget


def next_click(target: Target, current: Mask) -> Point | None:
    """Return the deepest point of the largest wrong region, or None where nothing can be mended.

    It is positive in a missing region and negative in an excess one. What another particle holds is not
    missing.
    """
    around = target.truth.union(current)
    wanted, drawn = paste(target.truth, around.box), paste(current, around.box)
    depth, size, positive = max(
        (*_largest_region(wanted & ~drawn & target.open(around.window)), True),
        (*_largest_region(drawn & ~wanted), False),
        key=lambda region: region[1],
    )
    if not size:
        return None
    row, col = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return around.top + int(row), around.left + int(col), positive


def deepest_point(mask: Mask) -> tuple[int, int]:
    """Return the ``(row, col)`` of a mask farthest from its outside; the mask is not empty."""
    row, col = np.unravel_index(int(np.argmax(_depth(mask.crop))), mask.crop.shape)
    return mask.top + int(row), mask.left + int(col)


def paste(mask: Mask, box: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Return a mask as an array of a box ``(top, left, bottom, right)`` that holds it."""
    array = np.zeros((box[2] - box[0], box[3] - box[1]), bool)
    if mask.area:
        rows, cols = mask.crop.shape
        row, col = mask.top - box[0], mask.left - box[1]
        array[row : row + rows, col : col + cols] = mask.crop
    return array


def _largest_region(wrong: NDArray[np.bool_]) -> tuple[NDArray[np.float64], int]:
    regions, count = ndimage.label(wrong)
    if not count:
        return np.zeros(wrong.shape), 0
    sizes = np.bincount(regions.ravel())[1:]
    return _depth(regions == 1 + int(np.argmax(sizes))), int(sizes.max())


def _depth(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    depth: NDArray[np.float64] = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    return depth
