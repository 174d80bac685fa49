"""Run lengths of masks as COCO writes them: columns first, background first, as a list or as a string.

The string code is that of ``rleToString`` in the COCO API (https://github.com/cocodataset/cocoapi,
``common/maskApi.c``): from the fourth count on the difference to the count two before, in groups of five
bits, lowest first, bit 6 saying that more follow, plus 48.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.masks import Mask

#: More groups than a count below 2**28 and its sign need, and few enough for int64.
_MOST_GROUPS = 7


def counts_of(mask: Mask, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return the run lengths of a mask in its image.

    Parameters
    ----------
    mask : Mask
        Trimmed and inside the image.
    shape : tuple of int
        ``(rows, cols)`` of the image.

    Returns
    -------
    ndarray of int64 and shape (N,)
        Lengths of background and mask in turns, columns first; they add up to rows times cols.
    """
    rows, cols = shape
    top, left, bottom, right = mask.box
    columns = np.zeros((right - left, rows), bool)
    columns[:, top:bottom] = mask.crop.T
    flat = np.concatenate(([False], columns.ravel(), [False]))
    borders = np.flatnonzero(flat[1:] != flat[:-1]) + left * rows
    counts = np.diff(np.concatenate(([0], borders, [rows * cols])))
    return counts[:-1] if len(counts) > 1 and counts[-1] == 0 else counts


def mask_of(counts: NDArray[np.int64], shape: tuple[int, int]) -> Mask:
    """Return the mask that run lengths describe.

    Raises
    ------
    ValueError
        If a count is negative or they do not add up to the number of pixels.
    """
    starts, ends = _runs(counts, shape)
    if not len(starts):
        return Mask(0, 0, np.zeros((0, 0), bool))
    top, left, bottom, right = _box(starts, ends, shape[0])
    rows = bottom - top
    change = np.zeros((right - left) * rows + 1, np.int8)
    change[_moved(starts, shape[0], top, left, rows)] = 1
    # A run may begin where the one before ends, with a run of no background between.
    np.subtract.at(change, _moved(ends - 1, shape[0], top, left, rows) + 1, 1)
    columns = np.cumsum(change[:-1], dtype=np.int8).astype(bool).reshape(right - left, rows)
    return Mask.from_array(columns.T, top, left)


def box_pixels(counts: NDArray[np.int64], shape: tuple[int, int]) -> int:
    """Return how many pixels `mask_of` has to write, without writing them.

    Raises
    ------
    ValueError
        As `mask_of`.
    """
    starts, ends = _runs(counts, shape)
    if not len(starts):
        return 0
    top, left, bottom, right = _box(starts, ends, shape[0])
    return (bottom - top) * (right - left)


def to_string(counts: NDArray[np.int64]) -> str:
    """Return run lengths in COCO's string code."""
    values = np.asarray(counts, np.int64).copy()
    values[3:] -= np.asarray(counts, np.int64)[1:-2]
    groups = (values[:, None] >> (5 * np.arange(_MOST_GROUPS))) & 31
    rest = values[:, None] >> (5 * np.arange(1, _MOST_GROUPS + 1))
    negative = (groups & 16) != 0
    # The last group's fifth bit is the sign; what is left then is all ones or all zeros.
    ends = np.where(negative, rest == -1, rest == 0)
    last = ends.argmax(1)
    place = np.arange(_MOST_GROUPS)
    codes = groups + 32 * (place < last[:, None]) + 48
    return bytes(codes[place <= last[:, None]].astype(np.uint8)).decode("ascii")


def from_string(text: str) -> NDArray[np.int64]:
    """Return the run lengths behind COCO's string code.

    Raises
    ------
    ValueError
        If the text is no such code.
    """
    codes = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 48
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or codes[-1] & 32:
        raise ValueError("a run-length string is damaged")
    ends = np.flatnonzero(codes & 32 == 0)
    starts = np.concatenate(([0], ends[:-1] + 1))
    if (ends - starts).max() >= _MOST_GROUPS:
        raise ValueError("a run-length string holds too large a number")
    place = np.arange(len(codes)) - np.repeat(starts, ends - starts + 1)
    values = np.add.reduceat((codes & 31) << (5 * place), starts)
    values -= np.where(codes[ends] & 16, np.int64(1) << (5 * (ends - starts + 1)), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def _runs(counts: NDArray[np.int64], shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where runs of the mask begin and where they end, columns first."""
    pixels = shape[0] * shape[1]
    if not len(counts) or counts.min() < 0 or counts.max() > pixels or int(counts.sum()) != pixels:
        raise ValueError(f"run lengths do not add up to the image's {pixels} pixels")
    borders = np.cumsum(counts)
    starts, ends = borders[:-1:2], borders[1::2]
    filled = ends > starts
    return starts[filled], ends[filled]


def _box(starts: NDArray[np.int64], ends: NDArray[np.int64], rows: int) -> tuple[int, int, int, int]:
    """Return a box around runs; one that goes on in the next column takes the image's height."""
    first, last = starts // rows, (ends - 1) // rows
    left, right = int(first[0]), int(last[-1]) + 1
    if (first != last).any():
        return 0, left, rows, right
    return int((starts - first * rows).min()), left, int((ends - 1 - last * rows).max()) + 1, right


def _moved(at: NDArray[np.int64], rows: int, top: int, left: int, height: int) -> NDArray[np.int64]:
    """Return places in the image as places in the box."""
    return (at // rows - left) * height + at % rows - top
