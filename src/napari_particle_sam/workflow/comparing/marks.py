"""Which outlines are correct, missed or false, drawn over the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import find_boundaries

from napari_particle_sam.annotation.regions import COUNTED_SHARE
from napari_particle_sam.evaluation.matching import compact, match, overlaps_of_dense
from napari_particle_sam.evaluation.scores import in_ignored, reviewed_of, share_in

Colour = tuple[int, int, int]
#: Colours that people with colour-blindness tell apart (Okabe and Ito).
CORRECT, MISSED, FALSE = (86, 180, 233), (240, 228, 66), (213, 94, 0)
TRUTH, NOT_COUNTED = (0, 200, 140), (128, 128, 128)
LEGEND: dict[str, Colour] = {
    "correct": CORRECT, "missed": MISSED, "false": FALSE, "true": TRUTH, "does not count": NOT_COUNTED,
}  # fmt: skip
MATCH_IOU = 0.5
#: An outline is one pixel wide per so many pixels of the longer side.
PIXELS_PER_WIDTH = 500


@dataclass(frozen=True, eq=False)
class Marks:
    """Labels by what became of them at IoU 0.5, as `score_image` counts.

    Attributes
    ----------
    correct, false : ndarray of int
        Labels of the prediction.
    missed, counted : ndarray of int
        Labels of the truth; `counted` are all that count, found or not.
    """

    correct: NDArray[np.integer]
    false: NDArray[np.integer]
    missed: NDArray[np.integer]
    counted: NDArray[np.integer]


def judge(
    labels: NDArray[np.integer],
    truth: NDArray[np.integer],
    min_area: int,
    regions: NDArray[np.uint8] | None = None,
) -> Marks:
    """Sort the particles of a prediction and of the truth.

    Parameters
    ----------
    labels, truth : ndarray of int and shape (rows, cols)
        0 is background.
    min_area : int
        Smaller particles do not count.
    regions : ndarray of uint8 and shape (rows, cols), optional
        The region map; all is reviewed by default.

    Returns
    -------
    Marks
        As many as `score_image` counts at IoU 0.5.
    """
    reviewed = reviewed_of(regions, truth.shape)
    (pred_ids, pred), (true_ids, true) = compact(labels), compact(truth)
    pairs = overlaps_of_dense(pred_ids, pred, true_ids, true)
    counted = (pairs.truth_areas >= min_area) & (share_in(true, reviewed) >= COUNTED_SHARE)
    kept = (pairs.pred_areas >= min_area) & ~in_ignored(pairs, ~counted)
    pairs = pairs.among(kept, counted)
    matched = match(pairs, MATCH_IOU)
    alone = kept & (share_in(pred, reviewed) >= COUNTED_SHARE)
    alone[pairs.rows[matched]] = False
    missed = counted.copy()
    missed[pairs.cols[matched]] = False
    return Marks(pred_ids[pairs.rows[matched]], pred_ids[alone], true_ids[missed], true_ids[counted])


def draw_found(
    picture: NDArray[np.uint8], labels: NDArray[np.integer], truth: NDArray[np.integer], marks: Marks,
    regions: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:  # fmt: skip
    """Draw what a model found and what it missed.

    Parameters
    ----------
    picture : ndarray of uint8 and shape (rows, cols)
        The image.
    labels, truth : ndarray of int and shape (rows, cols)
        Prediction and truth.
    marks : Marks
        What `judge` said of them.
    regions : ndarray of uint8 and shape (rows, cols), optional
        Where it is not reviewed, the picture is darkened.

    Returns
    -------
    ndarray of uint8 and shape (rows, cols, 3)
        Outlines in the colours of `LEGEND`.
    """
    rgb = _canvas(picture, regions)
    rest = np.setdiff1d(np.unique(labels[labels > 0]), np.concatenate([marks.correct, marks.false]))
    _outline(rgb, labels, rest, NOT_COUNTED)
    _outline(rgb, truth, marks.missed, MISSED)
    _outline(rgb, labels, marks.false, FALSE)
    _outline(rgb, labels, marks.correct, CORRECT)
    return rgb


def draw_truth(
    picture: NDArray[np.uint8], truth: NDArray[np.integer], marks: Marks,
    regions: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:  # fmt: skip
    """Draw the true particles, grey where they do not count."""
    rgb = _canvas(picture, regions)
    _outline(rgb, truth, np.setdiff1d(np.unique(truth[truth > 0]), marks.counted), NOT_COUNTED)
    _outline(rgb, truth, marks.counted, TRUTH)
    return rgb


def _canvas(picture: NDArray[np.uint8], regions: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    rgb = np.repeat(picture[..., None], 3, 2)
    rgb[~reviewed_of(regions, picture.shape)] //= 2
    return rgb


def _outline(
    rgb: NDArray[np.uint8], labels: NDArray[np.integer], chosen: NDArray[np.integer], colour: Colour
) -> None:
    if not len(chosen):
        return
    inside = np.where(np.isin(labels, chosen), labels, 0)
    edge = find_boundaries(inside, mode="inner")
    width = round(max(labels.shape) / PIXELS_PER_WIDTH)
    if width > 1:
        edge = ndimage.binary_dilation(edge, iterations=width - 1) & (inside > 0)
    rgb[edge] = colour
