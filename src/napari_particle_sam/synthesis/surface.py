"""Bodies dropped on one another until they rest: who hides whom, exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.synthesis.fields import Field

#: Smaller visible pieces belong to no particle, px.
SMALLEST_PIECE = 30
LARGEST_LABEL = 65535

_T = TypeVar("_T", bound=np.generic)
_EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Body:
    """One particle seen from above, in a square patch around its centre.

    Attributes
    ----------
    inside : ndarray of bool, (2 r + 1, 2 r + 1)
        Where the particle is.
    upper, lower : ndarray of float32, (2 r + 1, 2 r + 1)
        Heights of its top and its underside over its centre, px.
    """

    inside: NDArray[np.bool_]
    upper: Field
    lower: Field

    @property
    def reach(self) -> int:
        """Half the patch's side without the centre pixel, px."""
        return int(self.inside.shape[0]) // 2


@dataclass(frozen=True)
class Visible:
    """The pixels of the picture that show one body.

    Attributes
    ----------
    index : int
        Which body.
    rows, cols : ndarray of int, (n,)
        Places in the picture, px.
    patch_rows, patch_cols : ndarray of int, (n,)
        The same places in the body's patch, px.
    """

    index: int
    rows: NDArray[np.intp]
    cols: NDArray[np.intp]
    patch_rows: NDArray[np.intp]
    patch_cols: NDArray[np.intp]


@dataclass(frozen=True)
class Scene:
    """All that the detector needs to know about the specimen.

    Attributes
    ----------
    owner : ndarray of int32, (rows, cols)
        1 + index of the topmost body, 0 where the support is seen.
    height : ndarray of float32, (rows, cols)
        Height of what is seen, px.
    slope : ndarray of float32, (2, rows, cols)
        Rise along rows and columns of the seen body's own surface, without the steps between bodies.
    albedo : ndarray of float32, (rows, cols)
        Secondary electrons that a level surface there would give, 1 = an ordinary particle.
    """

    owner: NDArray[np.int32]
    height: Field
    slope: Field
    albedo: Field


class Heap:
    """A support on which bodies are dropped one after another.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the picture, px.
    margin : int
        How far centres may lie outside the picture, px; at least the largest reach.
    """

    def __init__(self, shape: tuple[int, int], margin: int) -> None:
        self._margin = margin
        self._shape = shape
        # Twice the margin: a body centred on the margin's rim still needs a whole patch.
        full = (shape[0] + 4 * margin, shape[1] + 4 * margin)
        self._height = np.zeros(full, np.float32)
        self._owner = np.zeros(full, np.int32)
        self._centres: list[tuple[int, int]] = []
        self._reaches: list[int] = []

    @property
    def height(self) -> Field:
        """Height of what is seen, px, (rows, cols)."""
        return self._crop(self._height)

    @property
    def owner(self) -> NDArray[np.int32]:
        """1 + index of the topmost body, 0 for the support, (rows, cols)."""
        return self._crop(self._owner)

    def drop(self, body: Body, places: NDArray[np.intp]) -> int:
        """Let a body fall at the one of several places where it comes to rest lowest.

        Parameters
        ----------
        body : Body
            The particle.
        places : ndarray of int, (n, 2)
            Candidate centres (row, col) in the picture, px; negative ones lie outside.

        Returns
        -------
        int
            The body's index.
        """
        levels = [self._rest(body, row, col) for row, col in places]
        best = int(np.argmin(levels))
        row, col = (int(place) for place in places[best])
        window = self._window(body.reach, row, col)
        self._height[window][body.inside] = (body.upper + levels[best])[body.inside]
        self._centres.append((row, col))
        self._reaches.append(body.reach)
        self._owner[window][body.inside] = len(self._centres)
        return len(self._centres) - 1

    def visible(self, each: Callable[[Visible], None]) -> None:
        """Show every body that can be seen in the picture to `each`."""
        owner = self.owner
        for index, window in enumerate(ndimage.find_objects(owner, max_label=len(self._centres))):
            if window is None:
                continue
            rows, cols = np.nonzero(owner[window] == index + 1)
            rows, cols = rows + window[0].start, cols + window[1].start
            row, col = self._centres[index]
            reach = self._reaches[index]
            each(Visible(index, rows, cols, rows - row + reach, cols - col + reach))

    def _rest(self, body: Body, row: int, col: int) -> float:
        below = self._height[self._window(body.reach, row, col)]
        return float((below - body.lower)[body.inside].max())

    def _window(self, reach: int, row: int, col: int) -> tuple[slice, slice]:
        top, left = row + 2 * self._margin - reach, col + 2 * self._margin - reach
        return slice(top, top + 2 * reach + 1), slice(left, left + 2 * reach + 1)

    def _crop(self, full: NDArray[_T]) -> NDArray[_T]:
        start = 2 * self._margin
        return full[start : start + self._shape[0], start : start + self._shape[1]]


def labels_from_owner(owner: NDArray[np.int32], smallest: int = SMALLEST_PIECE) -> NDArray[np.uint16]:
    """Give numbers to the visible particles.

    Parameters
    ----------
    owner : ndarray of int32, (rows, cols)
        1 + index of the topmost body, 0 where there is none.
    smallest : int
        Smaller visible pieces belong to no particle, px.

    Returns
    -------
    ndarray of uint16, (rows, cols)
        0 and 1..N without gaps. A particle that something in front divides keeps one number; its
        8-connected pieces below `smallest` px are 0.

    Raises
    ------
    BadValueError
        If more particles are visible than there are labels.
    """
    kept = np.zeros(owner.shape, np.int32)
    for index, window in enumerate(ndimage.find_objects(owner)):
        if window is None:
            continue
        pieces, _ = ndimage.label(owner[window] == index + 1, structure=_EIGHT)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        kept[window][(sizes >= smallest)[pieces]] = index + 1
    values, numbers = np.unique(kept, return_inverse=True)
    numbers = numbers.reshape(kept.shape) + (1 if values[0] else 0)
    if len(values) > LARGEST_LABEL:
        raise BadValueError(f"More than {LARGEST_LABEL} particles are visible; choose a smaller shape.")
    return numbers.astype(np.uint16)
