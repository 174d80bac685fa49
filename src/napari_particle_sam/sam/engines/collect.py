"""Turn decoder outputs into candidates, cropped to their support."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates, join_candidates
from napari_particle_sam.sam.engines.search import Search
from napari_particle_sam.sam.model import Embedding, SamModel
from napari_particle_sam.sam.point_decoder import PointDecoder, point_decoder

#: Point, predicted IoU, logits of the support, and the support's corner.
Row = tuple[NDArray[np.floating], float, NDArray[np.float32], tuple[int, int]]


@dataclass(frozen=True)
class Found:
    """Candidates of one batch of prompts.

    Attributes
    ----------
    candidates : Candidates
        Up to three per prompt, in the order of the prompts.
    share : float
        How much of the part's work is done, 0 to 1, as far as is known.
    """

    candidates: Candidates
    share: float


class Collector:
    """Prompts one encoded part of a micrograph with single points.

    Parameters
    ----------
    model : SamModel
        The model.
    embedding : Embedding
        The encoded part.
    search : Search
        What to keep.
    """

    def __init__(self, model: SamModel, embedding: Embedding, search: Search) -> None:
        self._embedding, self._search = embedding, search
        self._device = model.sam.device
        self._decoder: PointDecoder = point_decoder(model.sam, embedding.features, search.autocast)
        self._size = self._decoder.batch

    def collect(self, points: NDArray[np.floating], begin: float = 0.0, end: float = 1.0) -> Iterator[Found]:
        """Keep every mask above the floors.

        Parameters
        ----------
        points : ndarray of float and shape (N, 2)
            ``(row, col)`` in input pixels.
        begin, end : float
            Share of the part's work before and after these points.

        Yields
        ------
        Found
            One per batch.

        Raises
        ------
        CancelledError
            If the search's token was cancelled.
        """
        done = 0
        while done < len(points):
            self._search.token.check()
            with self._search.times.stage("decode"):
                rows, used = self._what_fits(points[done : done + self._size])
            done += used
            found = _to_candidates(rows, self._embedding, self._search)
            yield Found(found, begin + (end - begin) * done / len(points))

    def _what_fits(self, points: NDArray[np.floating]) -> tuple[list[Row], int]:
        """Decode a batch, or half of it again and again where the device's memory is too small."""
        while True:
            try:
                return self._batch(points), len(points)
            except torch.OutOfMemoryError:
                if len(points) == 1:
                    raise
                self._size = len(points) // 2
                points = points[: self._size]
            if self._device.type == "cuda":
                torch.cuda.empty_cache()

    def _batch(self, points: NDArray[np.floating]) -> list[Row]:
        flipped = np.ascontiguousarray(points[:, ::-1])
        if self._device.type == "mps":
            flipped = flipped.astype(np.float32)
        scores = self._decoder.score(torch.from_numpy(flipped).to(self._device)).cpu().numpy()
        wanted = scores > self._search.floors.pred_iou
        index = np.flatnonzero(wanted.any(1))
        if len(index) == 0:
            return []
        logits = self._decoder.logits(torch.from_numpy(index).to(self._device)).cpu().numpy()
        found = []
        for k, i in enumerate(index):
            for m in np.flatnonzero(wanted[i]):
                crop, corner = crop_support(logits[k, m], self._search.floors.logit)
                if crop.size:
                    found.append((points[i], float(scores[i, m]), crop, corner))
        return found


def join_batches(batches: Sequence[Candidates], embedding: Embedding, search: Search) -> Candidates:
    """Put the batches of one pass together, which then has one frame."""
    joined = join_candidates([_to_candidates([], embedding, search), *batches])
    return replace(joined, frames=(embedding.frame,), frame=np.zeros(len(joined), np.intp))


def crop_support(
    logits: NDArray[np.float32], floor: float, pad: int = 2
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Cut logits to the cells above a floor, padded, and return them with their corner.

    Interpolated values are convex combinations of neighbours, so nothing outside the padded
    support can rise above the floor.
    """
    above = logits > floor
    rows, cols = np.flatnonzero(above.any(1)), np.flatnonzero(above.any(0))
    if len(rows) == 0:
        return np.zeros((0, 0), np.float32), (0, 0)
    r0, r1 = max(rows[0] - pad, 0), min(rows[-1] + 1 + pad, logits.shape[0])
    c0, c1 = max(cols[0] - pad, 0), min(cols[-1] + 1 + pad, logits.shape[1])
    return logits[r0:r1, c0:c1].copy(), (int(r0), int(c0))


def _to_candidates(rows: list[Row], embedding: Embedding, search: Search) -> Candidates:
    frame = embedding.frame
    scale = np.array([frame.rows / frame.input_rows, frame.cols / frame.input_cols], np.float32)
    points = np.array([r[0] for r in rows], np.float32).reshape(-1, 2) * scale
    return Candidates(
        search.shape,
        (frame,),
        np.zeros(len(rows), np.intp),
        points + np.array([frame.top, frame.left], np.float32),
        np.array([r[1] for r in rows], np.float32),
        tuple(r[2] for r in rows),
        np.array([r[3] for r in rows], np.intp).reshape(-1, 2),
        None,
        search.floors.pred_iou,
        search.floors.logit,
    )
