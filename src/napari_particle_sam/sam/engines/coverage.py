"""Which places confident masks cover already."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.thresholds import Thresholds


class Coverage:
    """The cells of one part of a micrograph that some confident mask holds.

    Parameters
    ----------
    frame : Frame
        The part.
    thresholds : Thresholds
        A mask that passes them, measured on its cells, is confident.
    """

    def __init__(self, frame: Frame, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._cell = frame.img_size / frame.low_res
        self._covered = np.zeros((frame.low_res, frame.low_res), bool)
        used = frame.input_rows * frame.input_cols / self._cell**2
        self._largest = thresholds.max_area_share * used

    def add(self, candidates: Candidates) -> None:
        """Note the confident masks among the candidates of the part."""
        for i in np.flatnonzero(candidates.predicted_iou >= self._thresholds.pred_iou):
            logits, (row, col) = candidates.logits[i], candidates.corners[i]
            if self._is_confident(logits):
                window = self._covered[row : row + logits.shape[0], col : col + logits.shape[1]]
                window |= logits > self._thresholds.mask_threshold

    def _is_confident(self, logits: NDArray[np.float32]) -> bool:
        cut, offset = self._thresholds.mask_threshold, self._thresholds.stability_offset
        loose = np.count_nonzero(logits > cut - offset)
        tight = np.count_nonzero(logits > cut + offset)
        area = np.count_nonzero(logits > cut)
        return 0 < area <= self._largest and tight >= self._thresholds.stability * loose

    def of(self, points: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which points, ``(row, col)`` in input pixels, are covered, (N,)."""
        cells = np.clip((points / self._cell).astype(np.intp), 0, len(self._covered) - 1)
        return self._covered[cells[:, 0], cells[:, 1]]
