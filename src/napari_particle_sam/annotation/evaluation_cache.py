"""Candidates at full resolution: masks, areas, stability, overlaps; kept while thresholds move."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.overlaps import Overlaps, find_overlaps
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadValueError


@dataclass(frozen=True)
class Evaluated:
    """The masks of all candidates at one mask threshold and stability offset.

    Attributes
    ----------
    mask_threshold, stability_offset : float
        What they were evaluated at.
    masks : list of Mask
        One per candidate; empty where nothing rises above the threshold.
    predicted_iou, stability, area : ndarray of shape (N,)
        Scores and pixel counts.
    """

    mask_threshold: float
    stability_offset: float
    masks: list[Mask]
    predicted_iou: NDArray[np.float32]
    stability: NDArray[np.float64]
    area: NDArray[np.intp]

    @property
    def score(self) -> NDArray[np.float64]:
        """By which duplicates and overlaps are decided, (N,)."""
        return self.predicted_iou * self.stability

    @cached_property
    def overlaps(self) -> Overlaps:
        """Shared pixels of all pairs."""
        return find_overlaps(self.masks)

    def fits(self, thresholds: Thresholds) -> bool:
        """Whether the masks are those of these thresholds."""
        return (
            self.mask_threshold == thresholds.mask_threshold
            and self.stability_offset == thresholds.stability_offset
        )


def evaluate(candidates: Candidates, thresholds: Thresholds) -> Evaluated:
    """Evaluate every candidate inside its support.

    Parameters
    ----------
    candidates : Candidates
        What a generator collected.
    thresholds : Thresholds
        Of which the mask threshold and the stability offset matter here.

    Returns
    -------
    Evaluated
        To be filtered by all other thresholds.

    Raises
    ------
    BadValueError
        If the thresholds reach below the logits that were collected.
    """
    if thresholds.mask_threshold - thresholds.stability_offset < candidates.floor_logit:
        raise BadValueError(
            f"Mask threshold {thresholds.mask_threshold:g} less stability offset "
            f"{thresholds.stability_offset:g} lies below {candidates.floor_logit:g}, where collecting "
            "ended; raise the one or lower the other."
        )
    field = candidates.field_rows or candidates.shape[0]
    masks, stability = [], np.zeros(len(candidates))
    for index in range(len(candidates)):
        mask, stability[index] = _evaluate_one(candidates, index, thresholds, field)
        masks.append(mask)
    if candidates.stability is not None:
        stability = candidates.stability.astype(np.float64)
    area = np.array([m.area for m in masks], np.intp)
    return Evaluated(
        thresholds.mask_threshold,
        thresholds.stability_offset,
        masks,
        candidates.predicted_iou,
        stability,
        area,
    )


def _evaluate_one(
    candidates: Candidates, index: int, thresholds: Thresholds, field: int
) -> tuple[Mask, float]:
    logits, top, left = candidates.full_logits(index)
    cut, offset = thresholds.mask_threshold, thresholds.stability_offset
    loose = np.count_nonzero(logits > cut - offset)
    tight = np.count_nonzero(logits > cut + offset)
    mask = Mask.from_array((logits > cut)[: max(0, field - top)], top, left)
    return mask, tight / loose if loose else 0.0
