"""A mask: a bounding box and a boolean crop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True, eq=False)
class Mask:
    """The pixels of one object, kept inside its bounding box.

    Attributes
    ----------
    top, left : int
        ``(row, col)`` of the crop's first pixel in the micrograph.
    crop : ndarray of bool and shape (rows, cols)
        The pixels; every border row and column holds at least one unless the mask is empty.
    """

    top: int
    left: int
    crop: NDArray[np.bool_]

    @classmethod
    def from_array(cls, array: NDArray[np.bool_], top: int = 0, left: int = 0) -> Mask:
        """Trim a boolean array whose first pixel lies at ``(top, left)``."""
        rows = np.flatnonzero(array.any(1))
        if len(rows) == 0:
            return cls(top, left, np.zeros((0, 0), bool))
        cols = np.flatnonzero(array.any(0))
        crop = array[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        return cls(top + int(rows[0]), left + int(cols[0]), np.ascontiguousarray(crop, bool))

    @property
    def box(self) -> tuple[int, int, int, int]:
        """``(top, left, bottom, right)``, the last two exclusive."""
        return self.top, self.left, self.top + self.crop.shape[0], self.left + self.crop.shape[1]

    @property
    def window(self) -> tuple[slice, slice]:
        """The slices of the bounding box in the micrograph."""
        top, left, bottom, right = self.box
        return slice(top, bottom), slice(left, right)

    @cached_property
    def area(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.crop))

    @cached_property
    def runs(self) -> tuple[int, ...]:
        """How many pixels of the crop are alternately False and True, row by row, False first."""
        flat = self.crop.ravel()
        edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        first = [0] if flat.size and flat[0] else []
        return tuple(np.diff(np.concatenate([first, edges, [flat.size]]), prepend=0).astype(int).tolist())

    def equals(self, other: Mask) -> bool:
        """Return whether both masks hold the same pixels; both must be trimmed."""
        if self.box != other.box:
            return False
        return self.crop is other.crop or bool(np.array_equal(self.crop, other.crop))

    def owned(self) -> Mask:
        """Return a trimmed copy that shares no memory with this mask and cannot be written to."""
        mask = Mask.from_array(self.crop, self.top, self.left)
        crop = mask.crop.copy()
        crop.flags.writeable = False
        return Mask(mask.top, mask.left, crop)

    def overlap(self, other: Mask) -> int:
        """Return how many pixels both masks hold."""
        mine, theirs = _shared(self, other)
        return 0 if mine is None else int(np.count_nonzero(self.crop[mine] & other.crop[theirs]))

    def iou(self, other: Mask) -> float:
        """Return intersection over union; 0 where both are empty."""
        overlap = self.overlap(other)
        union = self.area + other.area - overlap
        return overlap / union if union else 0.0

    def near(self, other: Mask, gap: int) -> bool:
        """Return whether another mask has a pixel at most `gap` rows and columns away."""
        grown = ndimage.binary_dilation(np.pad(self.crop, gap), np.ones((2 * gap + 1,) * 2))
        return Mask(self.top - gap, self.left - gap, grown).overlap(other) > 0

    def minus(self, other: Mask) -> Mask:
        """Return this mask without the pixels of another."""
        mine, theirs = _shared(self, other)
        if mine is None:
            return self
        crop = self.crop.copy()
        crop[mine] &= ~other.crop[theirs]
        return Mask.from_array(crop, self.top, self.left)

    def union(self, other: Mask) -> Mask:
        """Return the pixels of either mask."""
        if not self.area or not other.area:
            return self if self.area else other
        top, left = min(self.top, other.top), min(self.left, other.left)
        bottom, right = max(self.box[2], other.box[2]), max(self.box[3], other.box[3])
        crop = np.zeros((bottom - top, right - left), bool)
        for mask in (self, other):
            r, c = mask.top - top, mask.left - left
            crop[r : r + mask.crop.shape[0], c : c + mask.crop.shape[1]] |= mask.crop
        return Mask(top, left, crop)

    def inside(self, shape: tuple[int, int]) -> Mask:
        """Return the part of the mask that lies in a micrograph of this shape."""
        top, left, bottom, right = self.box
        r0, c0 = max(0, -top), max(0, -left)
        crop = self.crop[r0 : max(r0, min(bottom, shape[0]) - top), c0 : max(c0, min(right, shape[1]) - left)]
        return Mask.from_array(crop, top + r0, left + c0)

    def largest_component(self) -> tuple[Mask, int]:
        """Return the largest 8-connected part, and the number of pixels cut off."""
        labels, count = ndimage.label(self.crop, np.ones((3, 3)))
        if count <= 1:
            return self, 0
        sizes = np.bincount(labels.ravel())
        keep = Mask.from_array(labels == 1 + int(np.argmax(sizes[1:])), self.top, self.left)
        return keep, self.area - keep.area

    def components(self) -> list[Mask]:
        """Return the 8-connected parts."""
        labels, _ = ndimage.label(self.crop, np.ones((3, 3)))
        return masks_of(labels, self.top, self.left)


def masks_of(labels: NDArray[np.integer], top: int = 0, left: int = 0) -> list[Mask]:
    """Return one mask per label of a label map, by ascending label."""
    return [mask for _, mask in labelled_masks(labels, top, left)]


def labelled_masks(labels: NDArray[np.integer], top: int = 0, left: int = 0) -> list[tuple[int, Mask]]:
    """Return ``(label, mask)`` for every label of a label map, by ascending label."""
    found = []
    for index, window in enumerate(ndimage.find_objects(labels), start=1):
        if window is not None:
            crop = labels[window] == index
            found.append((index, Mask(top + window[0].start, left + window[1].start, crop)))
    return found


def _shared(a: Mask, b: Mask) -> tuple[tuple[slice, slice], tuple[slice, slice]] | tuple[None, None]:
    top, left = max(a.top, b.top), max(a.left, b.left)
    bottom, right = min(a.box[2], b.box[2]), min(a.box[3], b.box[3])
    if top >= bottom or left >= right:
        return None, None
    mine = slice(top - a.top, bottom - a.top), slice(left - a.left, right - a.left)
    theirs = slice(top - b.top, bottom - b.top), slice(left - b.left, right - b.left)
    return mine, theirs
