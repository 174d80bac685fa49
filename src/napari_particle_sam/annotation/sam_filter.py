"""SAM's own filters, as its `SamAutomaticMaskGenerator` applies them: scores, crop edges, boxes."""

from __future__ import annotations

from collections.abc import Iterable

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
    evaluated = evaluate(candidates, thresholds) if evaluated is None else evaluated.at(thresholds)
    passing = np.flatnonzero(candidates.predicted_iou > thresholds.pred_iou)
    stability, area = evaluated.measure(passing)
    passing = passing[(stability >= thresholds.stability) & (area > 0)]
    boxes = np.zeros((len(candidates), 4), np.float32)
    boxes[passing] = inclusive_boxes(evaluated.masks[int(i)] for i in passing)
    # SAM never sees the data bar: the image's edge is that of the field of view.
    seen = (candidates.field_rows or candidates.shape[0], candidates.shape[1])
    kept: list[int] = []
    for number, frame in enumerate(candidates.frames):
        index = passing[candidates.frame[passing] == number]
        index = index[~near_crop_edge(boxes[index], frame, seen)]
        kept += index[_nms(boxes[index], candidates.predicted_iou[index], box_nms)].tolist()
    if len(candidates.frames) < 2:
        return kept
    size = np.array([candidates.frames[f].rows * candidates.frames[f].cols for f in candidates.frame[kept]])
    return [kept[i] for i in _nms(boxes[kept], 1 / size, box_nms)]


def inclusive_boxes(masks: Iterable[Mask]) -> NDArray[np.float32]:
    """Return boxes as SAM has them: left, top, right, bottom, the last two inclusive, (N, 4)."""
    out = []
    for mask in masks:
        top, left, bottom, right = mask.box
        out.append((left, top, right - 1, bottom - 1) if mask.crop.size else (0, 0, 0, 0))
    return np.array(out, np.float32).reshape(-1, 4)


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
