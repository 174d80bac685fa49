"""One mask divided into several: along a drawn line, or at its necks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

from napari_particle_sam.annotation.masks import Mask, masks_of
from napari_particle_sam.base.errors import BadValueError

#: Pieces below this share of the mask are waste of a shaky hand, unless they are the two largest.
SPECK_SHARE = 0.02
#: Rows or columns of the grid on which the middles of parts are looked for, at most about.
FINEST_GRID = 200
#: Two 8-connected pixels on either side of a line: one lies at most this far from it.
_NARROWEST = 2**0.5 / 2 + 1e-6
_EIGHT = np.ones((3, 3), bool)
_DEPTHS = [0.5 * 0.7**i for i in range(10)]


def split_along(mask: Mask, path: NDArray[np.floating], width: float = 1) -> list[Mask]:
    """Divide a mask along a drawn line, which must cross it from side to side.

    Pixels under the line, specks, and components that the line does not cut go to the nearest
    part. A line that cuts no component but passes between some of them divides these.

    Parameters
    ----------
    mask : Mask
        What to divide.
    path : ndarray of shape (points, 2)
        Corners of the line, ``(row, col)``; a pixel's centre has whole numbers.
    width : float
        Of the line, in pixels; one below 1.4 is drawn as wide as it takes to divide.

    Returns
    -------
    list of Mask
        The disjoint parts, which together are the mask, the largest first; only the mask where
        the line does not divide it.

    Raises
    ------
    BadValueError
        If the path is no list of points.
    """
    corners = np.asarray(path, np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or not np.isfinite(corners).all():
        raise BadValueError("A dividing line needs points of row and column; draw it again.")
    if len(corners) < 2 or not mask.area:
        return [mask]
    line = _band(np.pad(mask.crop, 1).shape, corners - (mask.top - 1, mask.left - 1), width)
    open_pixels = mask.crop & ~line[1:-1, 1:-1]
    pieces = _pieces(mask.crop, open_pixels)
    if pieces.max() < 2:
        beside = ndimage.label(~line, _EIGHT)[0][1:-1, 1:-1]
        pieces = _compact(np.where(open_pixels, beside, 0))
    return _parts(mask, _without_specks(pieces, mask.area))


def _band(shape: tuple[int, ...], path: NDArray[np.float64], width: float) -> NDArray[np.bool_]:
    """Return which pixel centres lie within half the width of a polyline."""
    reach = max(width / 2, _NARROWEST)
    found = np.zeros(shape, bool)
    for start, end in zip(path[:-1], path[1:], strict=True):
        low = np.maximum(np.floor(np.minimum(start, end) - reach), 0).astype(int)
        high = np.minimum(np.ceil(np.maximum(start, end) + reach) + 1, shape).astype(int)
        if (low < high).all():
            window = slice(low[0], high[0]), slice(low[1], high[1])
            found[window] |= _near_segment(window, start, end, reach)
    return found


def _near_segment(
    window: tuple[slice, slice], start: NDArray[np.float64], end: NDArray[np.float64], reach: float
) -> NDArray[np.bool_]:
    rows, cols = np.ogrid[window]
    rows, cols = rows - start[0], cols - start[1]
    along = end - start
    length = float(along @ along)
    place = np.clip((rows * along[0] + cols * along[1]) / length, 0, 1) if length else 0
    near: NDArray[np.bool_] = np.hypot(rows - place * along[0], cols - place * along[1]) <= reach
    return near


def _pieces(whole: NDArray[np.bool_], open_pixels: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Return the pieces of those components that fell into several, numbered."""
    components, count = ndimage.label(whole, _EIGHT)
    pieces, found = ndimage.label(open_pixels, _EIGHT)
    if not found:
        return np.zeros(whole.shape, int)
    # A piece lies in one component, so that any of its pixels tells which.
    parent = np.zeros(found + 1, int)
    parent[pieces[open_pixels]] = components[open_pixels]
    cut = np.bincount(parent[1:], minlength=count + 1)[parent] > 1
    cut[0] = False
    return _compact(np.where(cut[pieces], pieces, 0))


def _compact(pieces: NDArray[np.int_]) -> NDArray[np.int_]:
    """Renumber to 1, 2, ... without gaps; 0 stays."""
    values = np.unique(pieces)
    return np.asarray(np.searchsorted(values[values > 0], pieces) + (pieces > 0), int)


def _without_specks(pieces: NDArray[np.int_], area: int) -> NDArray[np.int_]:
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")
    kept = sizes >= SPECK_SHARE * area
    kept[order[:2]] = True
    kept[0] = False
    return np.where(kept[pieces], pieces, 0)


def _parts(mask: Mask, seeds: NDArray[np.int_]) -> list[Mask]:
    """Give every pixel of a mask to the nearest seed, and return the parts, the largest first."""
    if len(np.unique(seeds[seeds > 0])) < 2:
        return [mask]
    if (mask.crop & (seeds == 0)).any():
        rows, cols = ndimage.distance_transform_edt(seeds == 0, return_distances=False, return_indices=True)
        seeds = seeds[rows, cols]
    parts = masks_of(np.where(mask.crop, seeds, 0), mask.top, mask.left)
    return sorted(parts, key=lambda part: -part.area)


def split_automatically(mask: Mask, count: int | None = None, depth: float = 0.1) -> list[Mask]:
    """Divide a mask at its necks, by a watershed of its distance transform.

    Every maximum of the distance to the outline that stands out by more than `depth` of the
    largest distance (an h-maximum) is the middle of one part (Vincent and Soille 1991).

    Parameters
    ----------
    mask : Mask
        Touching particles, as a rule.
    count : int, optional
        How many parts are wanted; `depth` is then found, and the parts may be fewer where the
        mask has no more necks.
    depth : float
        0 to 1; the smaller, the more parts.

    Returns
    -------
    list of Mask
        The disjoint parts, which together are the mask, the largest first; only the mask where
        it has no neck.

    Raises
    ------
    BadValueError
        If fewer than one part is wanted or the depth lies outside its range.
    """
    if count is not None and count < 1:
        raise BadValueError(f"A particle cannot be divided into {count} parts; ask for 2 or more.")
    if not 0 < depth < 1:
        raise BadValueError(f"The depth of a neck is a share, not {depth}; give one between 0 and 1.")
    if count == 1 or not mask.area:
        return [mask]
    # The frame of the crop is background, or a mask that fills it would have no distance.
    distance = ndimage.distance_transform_edt(np.pad(mask.crop, 1))[1:-1, 1:-1]
    middles = _middles(distance, depth) if count is None else _so_many_middles(distance, count)
    basins = watershed(-distance, middles, mask=mask.crop, connectivity=2)  # type: ignore[no-untyped-call]
    return _parts(mask, basins)


def _middles(distance: NDArray[np.float64], depth: float) -> NDArray[np.int_]:
    """Return numbered seeds, one number per part."""
    # Middles are broad: a coarse grid finds those of large particles as well, and at once.
    step = _step(distance)
    coarse = distance[::step, ::step]
    peaks = h_maxima(coarse, _height(distance, depth))  # type: ignore[no-untyped-call]
    seeds = np.zeros(distance.shape, int)
    seeds[::step, ::step] = ndimage.label(peaks, _EIGHT)[0]
    return seeds


def _step(distance: NDArray[np.float64]) -> int:
    return 1 + int(max(distance.shape)) // FINEST_GRID


def _height(distance: NDArray[np.float64], depth: float) -> float:
    # Steps of the grid make maxima of up to half a step that are no shape.
    return max(depth * float(distance.max()), 0.5 * _step(distance))


def _so_many_middles(distance: NDArray[np.float64], count: int) -> NDArray[np.int_]:
    """Lower the depth until there are enough middles, and keep those farthest inside."""
    depths = [d for d in _DEPTHS if _height(distance, d) > _height(distance, 0)]
    for depth in [*depths, 0]:
        middles = _middles(distance, depth)
        if middles.max() >= count:
            break
    heights = ndimage.maximum(distance, middles, np.arange(1, middles.max() + 1))
    kept = np.zeros(middles.max() + 1, bool)
    kept[1 + np.argsort(-np.asarray(heights), kind="stable")[:count]] = True
    return np.where(kept[middles], middles, 0)
