"""Overlapping tiles that cover a micrograph."""

from __future__ import annotations

import math


def plan_tiles(shape: tuple[int, int], side: int, overlap: int) -> list[tuple[int, int, int, int]]:
    """Cover an image with equal, evenly spread squares.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns to cover.
    side : int
        Side of a tile in pixels; smaller where the image is.
    overlap : int
        Least number of pixels that neighbours share.

    Returns
    -------
    list of tuple of int
        ``(top, left, rows, cols)`` of every tile, row by row.
    """
    rows, cols = (_starts(length, side, overlap) for length in shape)
    height, width = min(side, shape[0]), min(side, shape[1])
    return [(top, left, height, width) for top in rows for left in cols]


def _starts(length: int, side: int, overlap: int) -> list[int]:
    if length <= side:
        return [0]
    count = math.ceil((length - overlap) / max(side - overlap, 1))
    return [round(i * (length - side) / (count - 1)) for i in range(count)]
