"""Outlines along pixel edges, and the pixels that outlines enclose.

A point is ``(row, col)`` in pixel edges: the pixel ``(0, 0)`` lies between ``(0, 0)`` and ``(1, 1)`` and its
centre at ``(0.5, 0.5)``, as in COCO and ImageJ. A pixel belongs to an outline if its centre does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.masks import Mask

Ring = NDArray[np.float64]

#: Outlines that cross more rows in sum, or have points farther away, are refused.
MOST_CROSSINGS = 2**25
FARTHEST = 1e6


def trace(mask: Mask) -> list[NDArray[np.int64]]:
    """Return the outlines of a mask along its pixel edges.

    Parameters
    ----------
    mask : Mask
        Any number of parts and holes.

    Returns
    -------
    list of ndarray of int64 and shape (N, 2)
        Corners ``(row, col)`` of one closed ring per 8-connected part and per hole, without repetition of the
        first. Parts run clockwise on the screen and holes the other way, so that both the even-odd and
        the non-zero rule fill them to the mask.
    """
    corners, row_partner, col_partner = _corners(mask.crop)
    seen = np.zeros(len(corners), bool)
    rings = []
    for start in range(len(corners)):
        if not seen[start]:
            ring = _follow(start, row_partner, col_partner, seen)
            rings.append(corners[ring] + (mask.top, mask.left))
    return [_clockwise_outside(ring, mask) for ring in rings]


def fill(rings: Sequence[Ring | NDArray[np.int64]], shape: tuple[int, int]) -> Mask:
    """Return the pixels whose centre lies inside an odd number of rings.

    Parameters
    ----------
    rings : sequence of ndarray of shape (N, 2)
        Closed outlines ``(row, col)``; they may touch, and may leave the image.
    shape : tuple of int
        ``(rows, cols)`` of the image.

    Raises
    ------
    ValueError
        If a point is not finite or far away, or the outlines are too intricate.
    """
    begin, end = _edges(rings)
    empty = Mask(0, 0, np.zeros((0, 0), bool))
    if not len(begin):
        return empty
    top, left = np.clip(np.floor(begin.min(0)), 0, shape).astype(int)
    bottom, right = np.clip(np.ceil(begin.max(0)), 0, shape).astype(int)
    if top >= bottom or left >= right:
        return empty
    rows, cols = _crossings(begin, end, top, bottom)
    first = np.clip(np.ceil(cols - 0.5), left, right).astype(int) - left
    toggles = np.zeros((bottom - top, right - left + 1), np.uint8)
    np.bitwise_xor.at(toggles, (rows - top, first), 1)
    inside = np.bitwise_xor.accumulate(toggles[:, :-1], axis=1).astype(bool)
    return Mask.from_array(inside, int(top), int(left))


def box_pixels(ring: Ring, shape: tuple[int, int]) -> int:
    """Return how many pixels `fill` has to write for a ring, without writing them."""
    low, high = (np.clip(np.nan_to_num(end), 0, shape) for end in (ring.min(0), ring.max(0)))
    return int(np.prod(np.ceil(high) - np.floor(low)))


def joined(rings: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return one ring that fills to the same pixels as several.

    Each ring hangs on the first one by a bridge of no width along pixel edges, walked there and back, which
    never meets a pixel's centre.
    """
    start = rings[0][:1]
    parts = [rings[0], start]
    for ring in rings[1:]:
        knee = np.array([[ring[0, 0], start[0, 1]]])
        parts += [knee, ring, ring[:1], knee, start]
    return np.concatenate(parts[:-1] if len(parts) == 2 else parts)


def _corners(crop: NDArray[np.bool_]) -> tuple[NDArray[np.int64], list[int], list[int]]:
    """Return the corners of all outlines, and each one's partner along its row and along its column.

    Where two pixels meet in one point only, two corners lie on it, each at one of the two background pixels,
    so that the outline does not part what is 8-connected.
    """
    padded = np.pad(crop, 1)
    nw, ne, sw, se = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    plain = (nw ^ ne ^ sw ^ se) != 0
    falling, rising = nw & se & ~ne & ~sw, ne & sw & ~nw & ~se
    points = np.concatenate([np.argwhere(where) for where in (plain, falling, rising, falling, rising)])
    n, f, r = (int(np.count_nonzero(where)) for where in (plain, falling, rising))
    # On a saddle the edge to the left ends in the first corner, and the edge to the right begins in the
    # second; falling: left with below, right with above; rising: left with above, right with below.
    along_row = np.repeat([0, 0, 0, 1, 1], [n, f, r, f, r])
    along_col = np.repeat([0, 1, 0, 0, 1], [n, f, r, f, r])
    by_row = np.lexsort((along_row, points[:, 1], points[:, 0]))
    by_col = np.lexsort((along_col, points[:, 0], points[:, 1]))
    return points, _partners(by_row), _partners(by_col)


def _partners(order: NDArray[np.intp]) -> list[int]:
    partner = np.empty(len(order), np.int64)
    partner[order[::2]], partner[order[1::2]] = order[1::2], order[::2]
    found: list[int] = partner.tolist()
    return found


def _follow(start: int, row_partner: list[int], col_partner: list[int], seen: NDArray[np.bool_]) -> list[int]:
    ring = []
    at = start
    while True:
        ring += [at, row_partner[at]]
        at = col_partner[row_partner[at]]
        if at == start:
            break
    seen[ring] = True
    return ring


def _clockwise_outside(ring: NDArray[np.int64], mask: Mask) -> NDArray[np.int64]:
    """Turn a ring so that the mask lies to the right of every edge."""
    # The first edge runs along a row, and what lies below it is mask or is not.
    (row, first), (_, second) = ring[0] - (mask.top, mask.left), ring[1] - (mask.top, mask.left)
    below = row < mask.crop.shape[0] and mask.crop[row, min(first, second)]
    return ring if below == (second > first) else ring[::-1]


def _edges(rings: Sequence[Ring | NDArray[np.int64]]) -> tuple[Ring, Ring]:
    begins = [np.asarray(ring, float).reshape(-1, 2) for ring in rings if len(ring)]
    if not begins:
        return np.zeros((0, 2)), np.zeros((0, 2))
    begin = np.concatenate(begins)
    if not np.isfinite(begin).all() or np.abs(begin).max() > FARTHEST:
        raise ValueError("an outline has a point that is no finite number or far outside of the image")
    return begin, np.concatenate([np.roll(ring, -1, axis=0) for ring in begins])


def _crossings(
    begin: Ring, end: Ring, top: int, bottom: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return where edges cross the centre lines of rows: the rows and the columns."""
    upper, lower = np.minimum(begin[:, 0], end[:, 0]), np.maximum(begin[:, 0], end[:, 0])
    first = np.clip(np.ceil(upper - 0.5), top, bottom).astype(np.int64)
    count = np.clip(np.ceil(lower - 0.5), top, bottom).astype(np.int64) - first
    total = int(count.sum())
    if total > MOST_CROSSINGS:
        raise ValueError("an outline is too intricate")
    edge = np.repeat(np.arange(len(count)), count)
    rows = np.arange(total) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    # From the upper end, so that an edge walked in both directions crosses at the same place to the last bit.
    swap = (begin[:, 0] > end[:, 0])[:, None]
    high, low = np.where(swap, end, begin)[edge], np.where(swap, begin, end)[edge]
    cols = high[:, 1] + (rows + 0.5 - high[:, 0]) * (low[:, 1] - high[:, 1]) / (low[:, 0] - high[:, 0])
    return rows, cols
