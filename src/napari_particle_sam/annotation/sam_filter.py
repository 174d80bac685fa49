"""SAM's own filters, as its `SamAutomaticMaskGenerator` applies them: scores, crop edges, boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.evaluation_cache import Evaluated, evaluate
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.thresholds import Thresholds

#: A box this close to a crop's edge, in pixels, is cut by it.
EDGE = 20
#: Boxes that agree better than this are one.
BOX_NMS = 0.7


def sam_survivors(
    candidates: Candidates,
    thresholds: Thresholds,
    evaluated: Evaluated | None = None,
    box_nms: float = BOX_NMS,
) -> list[int]:
    """Return the candidates that SAM's own generator would give back.

    Parameters
    ----------
    candidates : Candidates
        Of a grid of points, one frame per crop.
    thresholds : Thresholds
        Of which predicted IoU, stability and mask threshold matter.
    evaluated : Evaluated, optional
        The candidates' masks at these thresholds.
    box_nms : float
        Highest IoU of two boxes that both stay.

    Returns
    -------
    list of int
        Indices in the order in which that generator returns its masks: by predicted IoU within a crop.
    """
    if evaluated is None or not evaluated.fits(thresholds):
        evaluated = evaluate(candidates, thresholds)
    good = candidates.predicted_iou > thresholds.pred_iou
    good &= (evaluated.stability >= thresholds.stability) & (evaluated.area > 0)
    boxes = inclusive_boxes(evaluated.masks)
    kept: list[int] = []
    for number, frame in enumerate(candidates.frames):
        index = np.flatnonzero(good & (candidates.frame == number))
        index = index[~near_crop_edge(boxes[index], frame, candidates.shape)]
        kept += index[_nms(boxes[index], candidates.predicted_iou[index], box_nms)].tolist()
    if len(candidates.frames) < 2:
        return kept
    size = np.array([candidates.frames[f].rows * candidates.frames[f].cols for f in candidates.frame[kept]])
    return [kept[i] for i in _nms(boxes[kept], 1 / size, box_nms)]


def inclusive_boxes(masks: Sequence[Mask]) -> NDArray[np.float32]:
    """Return boxes as SAM has them: left, top, right, bottom, the last two inclusive, (N, 4)."""
    out = np.zeros((len(masks), 4), np.float32)
    for i, mask in enumerate(masks):
        if mask.crop.size:
            top, left, bottom, right = mask.box
            out[i] = left, top, right - 1, bottom - 1
    return out


def near_crop_edge(boxes: NDArray[np.floating], frame: Frame, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which boxes lie at an edge of their crop that is not the image's, (N,).

    Parameters
    ----------
    boxes : ndarray of shape (N, 4)
        Left, top, right, bottom in the image.
    frame : Frame
        The crop.
    shape : tuple of int
        Rows and columns of the image.
    """
    crop = np.array([frame.left, frame.top, frame.left + frame.cols, frame.top + frame.rows])
    image = np.array([0, 0, shape[1], shape[0]])
    near = (np.abs(boxes - crop) <= EDGE) & ~(np.abs(boxes - image) <= EDGE)
    return np.asarray(near.any(axis=1))


def _nms(boxes: NDArray[np.float32], scores: NDArray[np.floating], limit: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression by box IoU, the best score first."""
    order = np.argsort(-scores, kind="stable")
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(first)
        low = np.maximum(boxes[first, :2], boxes[rest, :2])
        high = np.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        union = area[first] + area[rest] - shared
        order = rest[~(shared > np.float32(limit) * union)]
    return np.array(kept, np.intp)
