"""Why an engine and the reference do not agree on a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.sam_filter import BOX_NMS, inclusive_boxes
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.evaluation.agreement import Agreement
from napari_particle_sam.workflow.benchmarking.runs import FinalMasks

#: A score this close to its threshold may fall on either side of it.
CLOSE = 1e-3


@dataclass(frozen=True)
class LonelyMask:
    """A mask that only one side has.

    Attributes
    ----------
    image : str
        Of which image.
    side : str
        The engine that has it.
    predicted_iou, stability : float
        Its scores there.
    best_iou : float
        The highest IoU with a mask of the other side.
    reason : str
        Why the other side may lack it; ``unexplained`` where nothing is known.
    """

    image: str
    side: str
    predicted_iou: float
    stability: float
    best_iou: float
    reason: str

    def line(self) -> str:
        """Return it as one line of text."""
        return (
            f"{self.image}: only {self.side} has a mask of predicted IoU {self.predicted_iou:.4f}, "
            f"stability {self.stability:.4f}, best IoU {self.best_iou:.4f}: {self.reason}"
        )


def explain(
    image: str,
    engine: str,
    agreement: Agreement,
    found: FinalMasks,
    reference: FinalMasks,
    thresholds: Thresholds,
) -> list[LonelyMask]:
    """List the masks that an engine or the reference has alone, with reasons.

    Parameters
    ----------
    image, engine : str
        Names.
    agreement : Agreement
        Of `found` with `reference`.
    found, reference : FinalMasks
        The masks of both.
    thresholds : Thresholds
        At which both were filtered.

    Returns
    -------
    list of LonelyMask
        Those of the engine, then those of the reference.
    """
    lines = []
    for side, mine, theirs, alone in (
        (engine, found, reference, agreement.only_found),
        ("reference", reference, found, agreement.only_wanted),
    ):
        boxes, others = inclusive_boxes(mine.masks), inclusive_boxes(theirs.masks)
        for mask in alone:
            iou, stability = float(mine.predicted_iou[mask.index]), float(mine.stability[mask.index])
            reason = _near_threshold(iou, stability, thresholds)
            reason = reason or _rival(boxes[mask.index], iou, others, theirs) or "unexplained"
            lines.append(LonelyMask(image, side, iou, stability, mask.best_iou, reason))
    return lines


def _near_threshold(iou: float, stability: float, thresholds: Thresholds) -> str:
    if abs(iou - thresholds.pred_iou) < CLOSE:
        return f"predicted IoU within {CLOSE:g} of its threshold"
    if abs(stability - thresholds.stability) < CLOSE:
        return f"stability within {CLOSE:g} of its threshold"
    return ""


def _rival(box: NDArray[np.float32], iou: float, others: NDArray[np.float32], theirs: FinalMasks) -> str:
    """Name the other side's mask that suppresses this box there."""
    shared_boxes = box_iou(box, others)
    if not len(others) or shared_boxes.max() <= BOX_NMS:
        return ""
    rival = int(shared_boxes.argmax())
    ahead = float(theirs.predicted_iou[rival]) - iou
    return f"NMS rival with box IoU {shared_boxes[rival]:.3f}, its predicted IoU {ahead:+.4f}"


def box_iou(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the IoU of a box with others as SAM's NMS counts it, (N,).

    Parameters
    ----------
    box : ndarray of shape (4,)
        Left, top, right, bottom.
    others : ndarray of shape (N, 4)
        The same.
    """
    span = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.maximum(span, 0), axis=1).astype(np.float64)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    union = areas + np.prod(box[2:] - box[:2]) - shared
    out = np.zeros(len(others))
    np.divide(shared, union, out=out, where=union > 0)
    return out
