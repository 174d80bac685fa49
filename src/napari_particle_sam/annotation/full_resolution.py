"""Logits of all candidates at full resolution, packed for masks and pixel counts at any threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.shared_counts import SharedCounts

#: Packed logits are kept up to this many bytes; what is over is computed again whenever it is asked for.
KEPT_BYTES = 512 * 1024**2
#: Levels that logits are sorted into; 0 is at or below the collection floor.
LEVELS = 128
#: The last level holds everything from about this logit on.
HIGHEST = 4.0


@dataclass(frozen=True)
class Packed:
    """One candidate's logits: a level per pixel, and the exact logits in order of their levels.

    A higher logit never has a lower level. So only pixels of the very level that a threshold falls into
    are compared exactly.

    Attributes
    ----------
    image : ndarray of uint8 and shape (rows, cols)
        Levels inside the support and the field of view.
    values : ndarray of float32 and shape (M,)
        Logits above the floor inside the support, by ascending level, row by row within a level.
    """

    image: NDArray[np.uint8]
    values: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        """Bytes it takes."""
        return self.image.nbytes + self.values.nbytes


@dataclass(frozen=True)
class Counts:
    """Pixel counts of some candidates at one mask threshold and stability offset.

    Attributes
    ----------
    area : ndarray of int and shape (N,)
        Pixels of the mask, inside the field of view.
    loose, tight : ndarray of int and shape (N,)
        Pixels above the thresholds on either side of it, the data bar's among them.
    boxes : ndarray of int and shape (N, 4)
        ``(top, left, bottom, right)`` around each mask, the last two exclusive; a little wide at times.
    """

    area: NDArray[np.intp]
    loose: NDArray[np.intp]
    tight: NDArray[np.intp]
    boxes: NDArray[np.intp]


class FullLogits:
    """Each candidate's logits at full resolution, inside its support.

    Parameters
    ----------
    candidates : Candidates
        What a generator collected.
    kept_bytes : int
        No more than this is kept.

    Attributes
    ----------
    shared : SharedCounts
        What pairs of masks were seen to share.
    """

    def __init__(self, candidates: Candidates, kept_bytes: int = KEPT_BYTES) -> None:
        count = len(candidates)
        self._candidates, self._left = candidates, kept_bytes
        self.shared = SharedCounts()
        self._field = candidates.field_rows or candidates.shape[0]
        self._floor = np.float32(candidates.floor_logit)
        self._scale = np.float32((LEVELS - 2) / max(HIGHEST - candidates.floor_logit, 1.0))
        self._cuts: dict[float, int] = {}
        self._packed: list[Packed | None] = [None] * count
        self._tried = np.zeros(count, bool)
        self._held = np.zeros(count, bool)
        self._crosses = np.zeros(count, bool)
        self._corner = np.zeros((count, 2), np.intp)
        self._starts = np.zeros((count, LEVELS + 1), np.int32)
        self._boxes = np.zeros((count, LEVELS, 4), np.uint16)

    @property
    def held_bytes(self) -> int:
        """Bytes of all packed logits that are kept."""
        return sum(p.nbytes for p in self._packed if p is not None)

    def counts(self, index: NDArray[np.integer], cut: float, offset: float) -> Counts:
        """Count the pixels of some candidates above ``cut`` and ``cut -/+ offset``."""
        area, loose, tight = np.zeros((3, len(index)), np.intp)
        found = Counts(area, loose, tight, np.zeros((len(index), 4), np.intp))
        for place in np.flatnonzero(~self._held[index]).tolist():
            self._count_one(found, place, int(index[place]), cut, offset)
        held = np.flatnonzero(self._held[index])
        some = index[held]
        found.area[held] = self._above(some, cut)
        found.loose[held] = self._above(some, cut - offset)
        found.tight[held] = self._above(some, cut + offset)
        found.boxes[held] = self._boxes[some, self._level(cut)] + np.tile(self._corner[some], 2)
        for place in held[self._crosses[some]].tolist():
            found.area[place] = self.mask(int(index[place]), cut).area
        return found

    def mask(self, index: int, cut: float) -> Mask:
        """Return the pixels of one candidate above a logit, inside the field of view."""
        packed = self._packed[index] or self._pack(index)
        if packed is None:
            full, top, left = self._candidates.full_logits(index)
            return Mask.from_array(full[: max(0, self._field - top)] > np.float32(cut), top, left)
        level, starts = self._level(cut), self._starts[index]
        top, left, bottom, right = self._boxes[index, level].tolist()
        levels = packed.image[top:bottom, left:right]
        inside = levels > level
        here = packed.values[starts[level] : starts[level + 1]]
        if len(here):
            doubtful = levels == level
            here = here[: np.count_nonzero(doubtful)] if self._crosses[index] else here
            inside[doubtful] = here > np.float32(cut)
        row, col = self._corner[index].tolist()
        if self._is_trimmed(index, level) or _touches_edges(inside):
            return Mask(row + top, col + left, inside)
        return Mask.from_array(inside, row + top, col + left)

    def _is_trimmed(self, index: int, level: int) -> bool:
        """Whether the box of what lies surely above a level is that of the level itself."""
        boxes = self._boxes[index]
        return level + 1 < LEVELS and boxes[level].tolist() == boxes[level + 1].tolist()

    def _count_one(self, found: Counts, place: int, index: int, cut: float, offset: float) -> None:
        """Count the pixels of a candidate that is not kept; keep it from now on where it fits."""
        if not self._tried[index] and self._pack(index) is not None:
            return
        full, top, left = self._candidates.full_logits(index)
        found.loose[place] = np.count_nonzero(full > np.float32(cut - offset))
        found.tight[place] = np.count_nonzero(full > np.float32(cut + offset))
        mask = Mask.from_array(full[: max(0, self._field - top)] > np.float32(cut), top, left)
        found.area[place], found.boxes[place] = mask.area, mask.box

    def _above(self, index: NDArray[np.integer], cut: float) -> NDArray[np.intp]:
        """Count the pixels of kept candidates above a logit, those below the field among them."""
        level = self._level(cut)
        first, last = self._starts[index, level], self._starts[index, level + 1]
        above: NDArray[np.intp] = (self._starts[index, LEVELS] - last).astype(np.intp)
        some = np.flatnonzero(last > first)
        if len(some) == 0:
            return above
        spans = zip(index[some].tolist(), first[some].tolist(), last[some].tolist(), strict=True)
        higher = np.concatenate([self._values(i)[a:b] for i, a, b in spans]) > np.float32(cut)
        lengths = (last - first)[some]
        above[some] += np.add.reduceat(higher, np.cumsum(lengths) - lengths, dtype=np.intp)
        return above

    def _values(self, index: int) -> NDArray[np.float32]:
        packed = self._packed[index]
        assert packed is not None
        return packed.values

    def _level(self, cut: float) -> int:
        if cut not in self._cuts:
            above = np.float32(cut) > self._floor
            self._cuts[cut] = int(self._levels(np.array([cut], np.float32))[0]) if above else 0
        return self._cuts[cut]

    def _levels(self, logits: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return levels of logits above the floor; every step of it keeps their order."""
        steps = np.minimum((logits - self._floor) * self._scale, np.float32(LEVELS - 2))
        levels: NDArray[np.uint8] = steps.astype(np.uint8) + np.uint8(1)
        return levels

    def _pack(self, index: int) -> Packed | None:
        """Pack one candidate's logits, once, and keep them if they fit."""
        tried, self._tried[index] = self._tried[index], True
        if tried or self._left <= 0:
            return None
        full, top, left = self._candidates.full_logits(index)
        if max(full.shape) > np.iinfo(np.uint16).max:
            return None
        where = np.flatnonzero(full > self._floor)
        values = full.ravel()[where]
        levels = self._levels(values)
        image = np.zeros(full.shape, np.uint8)
        image.ravel()[where] = levels
        rows = min(max(0, self._field - top), len(image))
        packed = Packed(image[:rows], values[np.argsort(levels, kind="stable")])
        self._left -= packed.nbytes
        if self._left < 0:
            return None
        self._packed[index], self._held[index], self._crosses[index] = packed, True, rows < len(image)
        self._corner[index] = top, left
        np.cumsum(np.bincount(levels, minlength=LEVELS), out=self._starts[index, 1:])
        self._boxes[index] = _boxes_of(packed.image)
        return packed


def _boxes_of(image: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the box around the pixels at or above each level, (LEVELS, 4)."""
    boxes = np.zeros((LEVELS, 4), np.uint16)
    if image.size == 0:
        return boxes
    every = np.arange(LEVELS)
    for axis in (0, 1):
        highest = image.max(1 - axis)
        boxes[:, axis] = np.maximum.accumulate(highest).searchsorted(every)
        boxes[:, 2 + axis] = len(highest) - np.maximum.accumulate(highest[::-1]).searchsorted(every)
    return boxes


def _touches_edges(inside: NDArray[np.bool_]) -> bool:
    edges = (inside[:1], inside[-1:], inside[:, :1], inside[:, -1:])
    return all(edge.any() for edge in edges)
