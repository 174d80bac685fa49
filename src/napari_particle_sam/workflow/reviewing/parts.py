"""Candidates of a part of a micrograph: put where it lies, and joined with those of the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates, join_candidates, select_candidates

#: ``(top, left, bottom, right)``, the last two exclusive.
Box = tuple[int, int, int, int]

#: What lies beside a part is shown with it: this share of its longer side ...
MARGIN = 0.25
#: ... and at least so many pixels.
LEAST_MARGIN = 32


def with_margin(window: Box, shape: tuple[int, int]) -> Box:
    """Return a part grown by what lies beside it, so that particles at its edge are seen whole.

    Parameters
    ----------
    window : tuple of int
        The part.
    shape : tuple of int
        Rows and columns of the field of view.

    Returns
    -------
    tuple of int
        The larger part, inside the field of view.
    """
    top, left, bottom, right = window
    by = max(round(MARGIN * max(bottom - top, right - left)), LEAST_MARGIN)
    return max(top - by, 0), max(left - by, 0), min(bottom + by, shape[0]), min(right + by, shape[1])


def place(found: Candidates, box: Box, whole: tuple[int, int], field_rows: int | None) -> Candidates:
    """Put candidates of a part into the coordinates of the micrograph.

    Parameters
    ----------
    found : Candidates
        Collected in a part as if that were all.
    box : tuple of int
        The part.
    whole : tuple of int
        Rows and columns of the micrograph.
    field_rows : int or None
        Rows of its field of view.

    Returns
    -------
    Candidates
        The same ones.
    """
    top, left = box[:2]
    frames = tuple(replace(f, top=f.top + top, left=f.left + left) for f in found.frames)
    points = found.points + np.array([top, left], np.float32)
    return replace(found, shape=whole, frames=frames, points=points, field_rows=field_rows)


def inside(candidates: Candidates, window: Box) -> NDArray[np.bool_]:
    """Return which candidates were prompted in a part, (N,)."""
    points = candidates.points
    return np.asarray(((points >= window[:2]) & (points < window[2:])).all(1))


def whole_in(candidates: Candidates, box: Box, field: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which masks do not touch the edge of a part where the field of view goes on, (N,)."""
    good = np.ones(len(candidates), bool)
    for i in range(len(candidates)):
        top, left, bottom, right = _extent(candidates, i)
        cut = (top < box[0] + 1 and box[0] > 0) or (left < box[1] + 1 and box[1] > 0)
        cut |= (bottom > box[2] - 1 and box[2] < field[0]) or (right > box[3] - 1 and box[3] < field[1])
        good[i] = not cut
    return good


def _extent(candidates: Candidates, index: int) -> tuple[float, float, float, float]:
    """Return the box around a mask in the micrograph, from its low-resolution cells above 0."""
    frame, above = candidates.frames[candidates.frame[index]], candidates.logits[index] > 0
    rows, cols = np.flatnonzero(above.any(1)), np.flatnonzero(above.any(0))
    if not len(rows):
        return 0.0, 0.0, 0.0, 0.0
    row, col = (int(v) for v in candidates.corners[index])
    cell = frame.img_size / frame.low_res
    high, wide = cell * frame.rows / frame.input_rows, cell * frame.cols / frame.input_cols
    return (
        frame.top + (row + rows[0]) * high,
        frame.left + (col + cols[0]) * wide,
        frame.top + (row + rows[-1] + 1) * high,
        frame.left + (col + cols[-1] + 1) * wide,
    )


def join_parts(previous: Candidates, new: Candidates, window: Box) -> Candidates:
    """Put new candidates of a part behind earlier ones, which stay outside it.

    Earlier candidates keep their indices, by which proposals keep their ids: in the part they stand as empty
    ones that no threshold lets through.

    Parameters
    ----------
    previous : Candidates
        Of the micrograph so far.
    new : Candidates
        All prompted in the part.
    window : tuple of int
        The part.

    Returns
    -------
    Candidates
        Both; the floors are the higher ones.
    """
    gone = inside(previous, window)
    iou = np.where(gone, np.float32(-1), previous.predicted_iou).astype(np.float32)
    empty = np.full((1, 1), -1e3, np.float32)
    logits = tuple(empty if out else crop for out, crop in zip(gone, previous.logits, strict=True))
    joined = join_candidates([replace(previous, predicted_iou=iou, logits=logits), new])
    return replace(joined, field_rows=previous.field_rows)


def keep_part(found: Candidates, window: Box, box: Box, field: tuple[int, int]) -> Candidates:
    """Keep what was prompted in a part and seen whole with its margin.

    Parameters
    ----------
    found : Candidates
        In the coordinates of the micrograph.
    window, box : tuple of int
        The part, without and with its margin.
    field : tuple of int
        Rows and columns of the field of view.

    Returns
    -------
    Candidates
        Those that stay.
    """
    chosen = select_candidates(found, np.flatnonzero(inside(found, window)))
    return select_candidates(chosen, np.flatnonzero(whole_in(chosen, box, field)))
