"""What is known about every pixel of a micrograph: unknown, reviewed, or to be ignored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadValueError

#: Not looked at: what lies here is neither particle nor background.
UNKNOWN = 0
#: All particles here are labelled, the rest is background.
REVIEWED = 1
#: Data bar, burnt-in text, charging, out of focus.
IGNORE = 2

#: Share of a particle that must lie in the reviewed region for the particle to count.
COUNTED_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class RegionMap:
    """One of `UNKNOWN`, `REVIEWED` and `IGNORE` for every pixel.

    Attributes
    ----------
    values : ndarray of uint8 and shape (rows, cols)
        Of the file's size; read-only.
    """

    values: NDArray[np.uint8]

    @classmethod
    def from_array(cls, array: NDArray[Any]) -> RegionMap:
        """Check and copy an array of region values.

        Raises
        ------
        BadValueError
            If it is no 2-D array of the values 0, 1 and 2.
        """
        if array.ndim != 2 or not array.size or array.dtype.kind not in "biu":
            raise BadValueError("A region map must be whole numbers in rows and columns; convert it first.")
        if array.min() < UNKNOWN or array.max() > IGNORE:
            raise BadValueError(
                "A region map may hold 0 (unknown), 1 (reviewed) and 2 (ignore) only; correct its values."
            )
        values = array.astype(np.uint8)
        values.flags.writeable = False
        return cls(values)

    @classmethod
    def default(cls, shape: tuple[int, int], field_rows: int | None = None) -> RegionMap:
        """Return a map that is reviewed in the field of view and ignored in the data bar below it."""
        values = np.full(shape, REVIEWED, np.uint8)
        if field_rows is not None:
            values[field_rows:] = IGNORE
        return cls.from_array(values)

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, cols)``."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def reviewed(self) -> NDArray[np.bool_]:
        """Where background is known to be background, of shape (rows, cols)."""
        found: NDArray[np.bool_] = self.values == REVIEWED
        return found

    @property
    def ignored(self) -> NDArray[np.bool_]:
        """Where nothing counts, of shape (rows, cols)."""
        found: NDArray[np.bool_] = self.values == IGNORE
        return found

    def counts(self, mask: Mask) -> bool:
        """Return whether at least half of a mask lies in the reviewed region."""
        inside = np.count_nonzero(self.values[mask.window][mask.crop] == REVIEWED)
        return bool(inside >= COUNTED_SHARE * mask.area)

    def with_boxes_ignored(self, boxes: Iterable[tuple[int, int, int, int]]) -> RegionMap:
        """Return this map with boxes (top, left, bottom, right) ignored, the last two exclusive."""
        values = self.values.copy()
        for top, left, bottom, right in boxes:
            values[top:bottom, left:right] = IGNORE
        return RegionMap.from_array(values)

    def with_rows_ignored(self, field_rows: int) -> RegionMap:
        """Return this map with everything below the field of view ignored."""
        values = self.values.copy()
        values[field_rows:] = IGNORE
        return RegionMap.from_array(values)
