"""Logits of all candidates at full resolution, kept while thresholds move if they are not too many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates

#: Logits that take more bytes than this are computed again whenever they are asked for.
KEPT_BYTES = 512 * 1024**2
#: Thresholds up to this logit are answered from sorted values.
HIGHEST = 4.0


class FullLogits:
    """Each candidate's logits at full resolution, inside its support.

    How many pixels of a candidate lie above a threshold is answered from the sorted logits between the
    collection floor and `HIGHEST`: few pixels lie there, and the rest is counted once.

    Parameters
    ----------
    candidates : Candidates
        What a generator collected.
    kept_bytes : int
        Where all of them together take more, none are kept.
    """

    def __init__(self, candidates: Candidates, kept_bytes: int = KEPT_BYTES) -> None:
        self._candidates = candidates
        self._field = candidates.field_rows or candidates.shape[0]
        self._spans = [candidates.full_span(i) for i in range(len(candidates))]
        size = sum((rows.stop - rows.start) * (cols.stop - cols.start) for rows, cols in self._spans)
        self.kept = 4 * size <= kept_bytes
        self._full: dict[int, NDArray[np.float32]] = {}
        self._between: dict[int, tuple[NDArray[np.float32], int]] = {}

    def one(self, index: int) -> NDArray[np.float32]:
        """Return one candidate's logits in the field of view, (rows, cols)."""
        if index in self._full:
            return self._full[index]
        rows = max(0, self._field - self.place(index)[0])
        full = self._candidates.full_logits(index)[0][:rows]
        if self.kept:
            self._full[index] = full
        return full

    def place(self, index: int) -> tuple[int, int]:
        """Return ``(row, col)`` of one candidate's first pixel in the micrograph."""
        frame = self._candidates.frames[self._candidates.frame[index]]
        rows, cols = self._spans[index]
        return frame.top + rows.start, frame.left + cols.start

    def counts(self, index: int, cuts: tuple[float, ...]) -> list[int]:
        """Return how many pixels of one candidate lie above each of some logits."""
        if not self.kept or max(cuts) > HIGHEST:
            full = self.one(index)
            return [int(np.count_nonzero(full > np.float32(cut))) for cut in cuts]
        if index not in self._between:
            full = self.one(index)
            high = int(np.count_nonzero(full > HIGHEST))
            between = full[(full > self._candidates.floor_logit) & (full <= HIGHEST)]
            self._between[index] = np.sort(between), high
        values, high = self._between[index]
        below = values.searchsorted(np.array(cuts, np.float32), "right")
        return [high + len(values) - int(n) for n in below]
