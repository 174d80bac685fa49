"""What a mask generator saw: scores and low-resolution logits, ready to be filtered again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """Where the low-resolution logits of one network pass lie in the micrograph.

    Attributes
    ----------
    top, left, rows, cols : int
        The part of the micrograph that was shown to the network.
    input_rows, input_cols : int
        Its size after resizing, before padding.
    img_size : int
        Side of the padded square input.
    low_res : int
        Side of the logits.
    """

    top: int
    left: int
    rows: int
    cols: int
    input_rows: int
    input_cols: int
    img_size: int
    low_res: int

    @cached_property
    def row_matrix(self) -> NDArray[np.float32]:
        """Bilinear weights (rows, low_res) of both of SAM's upsampling steps together."""
        return _two_steps(self.low_res, self.img_size, self.input_rows, self.rows)

    @cached_property
    def col_matrix(self) -> NDArray[np.float32]:
        """Bilinear weights (cols, low_res)."""
        return _two_steps(self.low_res, self.img_size, self.input_cols, self.cols)

    @cached_property
    def row_support(self) -> NDArray[np.intp]:
        """First and last low-resolution row that each micrograph row is made of, (2, rows)."""
        return _support(self.row_matrix)

    @cached_property
    def col_support(self) -> NDArray[np.intp]:
        """First and last low-resolution column that each micrograph column is made of, (2, cols)."""
        return _support(self.col_matrix)


@dataclass(frozen=True)
class Candidates:
    """Masks that a generator collected, in its order.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the micrograph.
    frames : tuple of Frame
        The network passes.
    frame : ndarray of int and shape (N,)
        Pass of each candidate.
    points : ndarray of float32 and shape (N, 2)
        Its prompt, ``(row, col)`` in the micrograph.
    predicted_iou : ndarray of float32 and shape (N,)
        The model's own estimate.
    logits : tuple of ndarray of float32
        Logits cropped to the support.
    corners : ndarray of int and shape (N, 2)
        ``(row, col)`` of each crop's first cell in its frame's logits.
    stability : ndarray of float32 and shape (N,), or None
        Stability scores measured elsewhere; computed from the logits where None.
    floor_iou, floor_logit : float
        The collection floors: nothing below them was kept.
    field_rows : int or None
        Rows of the field of view; masks below it are the data bar's.
    """

    shape: tuple[int, int]
    frames: tuple[Frame, ...]
    frame: NDArray[np.integer]
    points: NDArray[np.float32]
    predicted_iou: NDArray[np.float32]
    logits: tuple[NDArray[np.float32], ...]
    corners: NDArray[np.integer]
    stability: NDArray[np.float32] | None = None
    floor_iou: float = 0.0
    floor_logit: float = -1.0
    field_rows: int | None = None

    def __len__(self) -> int:
        return len(self.logits)

    def full_span(self, index: int) -> tuple[slice, slice]:
        """Return the rows and columns of a candidate's frame that its support is known to decide."""
        frame, crop = self.frames[self.frame[index]], self.logits[index]
        row, col = (int(v) for v in self.corners[index])
        return _span(frame.row_support, row, crop.shape[0]), _span(frame.col_support, col, crop.shape[1])

    def full_logits(self, index: int) -> tuple[NDArray[np.float32], int, int]:
        """Upsample one candidate's logits inside its support only.

        Parameters
        ----------
        index : int
            Which candidate.

        Returns
        -------
        tuple
            Logits at the micrograph's resolution, and the ``(row, col)`` of their first pixel.
        """
        frame, crop = self.frames[self.frame[index]], self.logits[index]
        row, col = (int(v) for v in self.corners[index])
        rows, cols = self.full_span(index)
        upright = frame.row_matrix[rows, row : row + crop.shape[0]] @ crop
        full = upright @ frame.col_matrix[cols, col : col + crop.shape[1]].T
        return full, frame.top + rows.start, frame.left + cols.start


def join_candidates(parts: Sequence[Candidates]) -> Candidates:
    """Put the candidates of several passes over one micrograph together."""
    first = parts[0]
    starts = np.cumsum([0] + [len(p.frames) for p in parts[:-1]])
    stability = [p.stability for p in parts if p.stability is not None]
    return Candidates(
        first.shape,
        tuple(f for p in parts for f in p.frames),
        np.concatenate([p.frame + s for p, s in zip(parts, starts, strict=True)]),
        np.concatenate([p.points for p in parts]),
        np.concatenate([p.predicted_iou for p in parts]),
        tuple(x for p in parts for x in p.logits),
        np.concatenate([p.corners for p in parts]),
        np.concatenate(stability) if len(stability) == len(parts) else None,
        max(p.floor_iou for p in parts),
        max(p.floor_logit for p in parts),
        first.field_rows,
    )


def select_candidates(candidates: Candidates, keep: NDArray[np.integer]) -> Candidates:
    """Return the candidates at the given indices."""
    return Candidates(
        candidates.shape,
        candidates.frames,
        candidates.frame[keep],
        candidates.points[keep],
        candidates.predicted_iou[keep],
        tuple(candidates.logits[i] for i in keep),
        candidates.corners[keep],
        None if candidates.stability is None else candidates.stability[keep],
        candidates.floor_iou,
        candidates.floor_logit,
        candidates.field_rows,
    )


def _bilinear(inside: int, outside: int) -> NDArray[np.float32]:
    """Weights of torch's bilinear interpolation, ``align_corners=False``, in its own float32 steps."""
    step = np.float32(inside) / np.float32(outside)
    source = (np.arange(outside, dtype=np.float32) + np.float32(0.5)) * step - np.float32(0.5)
    source = np.maximum(source, np.float32(0))
    low = np.minimum(source.astype(np.intp), inside - 1)
    high = np.minimum(low + 1, inside - 1)
    share = source - low.astype(np.float32)
    weights = np.zeros((outside, inside), np.float32)
    np.add.at(weights, (np.arange(outside), low), np.float32(1) - share)
    np.add.at(weights, (np.arange(outside), high), share)
    return weights


def _two_steps(low_res: int, img_size: int, unpadded: int, full: int) -> NDArray[np.float32]:
    if low_res == img_size and unpadded == full:
        return np.eye(full, low_res, dtype=np.float32)
    first = _bilinear(low_res, img_size)[:unpadded]
    return _bilinear(unpadded, full) @ first


def _support(matrix: NDArray[np.float32]) -> NDArray[np.intp]:
    touched = matrix != 0
    return np.stack([touched.argmax(1), touched.shape[1] - 1 - touched[:, ::-1].argmax(1)])


def _span(support: NDArray[np.intp], start: int, count: int) -> slice:
    """Pixels made of the crop's cells alone; all others lie below the floor."""
    low = int(np.searchsorted(support[0], start, "left"))
    high = int(np.searchsorted(support[1], start + count - 1, "right"))
    return slice(low, max(low, high))
