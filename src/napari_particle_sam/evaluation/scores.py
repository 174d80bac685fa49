"""What is counted on one micrograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.annotation.regions import COUNTED_SHARE, REVIEWED
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.evaluation.boundary import contour_distances
from napari_particle_sam.evaluation.matching import Pairs, check_labels, compact, match, overlaps_of_dense

#: The IoU thresholds of `map`, those of COCO and of the Data Science Bowl 2018.
THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True, eq=False)
class Sizes:
    """Diameters of the complete particles of one micrograph.

    Attributes
    ----------
    diameters : ndarray of float and shape (N,)
        ECD = sqrt(4 A / pi), in units of the micrograph's `pixel_size`, or in pixels without one.
    weights : ndarray of float and shape (N,)
        1 / P, where P = (W - w)(H - h) / (W H) is the chance of a w x h particle to lie whole in a W x H
        frame (Miles-Lantuejoul correction).
    """

    diameters: NDArray[np.float64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ImageScore:
    """Counts of one micrograph, from which `pool` makes metrics.

    Attributes
    ----------
    true, predicted : int
        Particles that count.
    tp, fp, fn : ndarray of int and shape (10,)
        Matched, false and missed particles at each of `THRESHOLDS`.
    iou_sum : float
        Sum of IoU over matches at 0.5.
    dice : float
        Dice of label > 0 against truth > 0.
    splits, merges : int
        True particles in pieces; predictions that swallow several true particles.
    boundary : ndarray of float and shape (M,)
        Mean symmetric contour distance of each match at 0.5, in pixels.
    boundary_percent : ndarray of float and shape (M,)
        The same in percent of the true particle's ECD.
    ecd_errors : ndarray of float and shape (C,)
        abs(predicted / true ECD - 1) of each match at 0.5 whose true particle is complete.
    true_sizes, predicted_sizes : Sizes
        Diameters of all complete particles that count, matched or not.
    """

    true: int
    predicted: int
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    iou_sum: float
    dice: float
    splits: int
    merges: int
    boundary: NDArray[np.float64]
    boundary_percent: NDArray[np.float64]
    ecd_errors: NDArray[np.float64]
    true_sizes: Sizes
    predicted_sizes: Sizes


def score_image(
    pred: NDArray[np.integer],
    truth: NDArray[np.integer],
    min_area: int = 50,
    pixel_size: float | None = None,
    regions: NDArray[np.uint8] | None = None,
) -> ImageScore:
    """Compare a prediction with the truth.

    Parameters
    ----------
    pred, truth : ndarray of int and shape (H, W)
        Labels, 0 is background.
    min_area : int
        Pixels. Smaller predictions are dropped. Smaller true particles are ignored, with the predictions
        that lie in ignored ones by half or more.
    pixel_size : float, optional
        Length of a pixel, in one unit for all images that are pooled; only `dn50_error` and `dv50_error`
        use it.
    regions : ndarray of uint8 and shape (H, W), optional
        Region map. True particles count if at least half of them is reviewed (1); unmatched predictions are
        false if at least half of them is. Dice and contours are measured in it alone. Everything counts
        by default.

    Returns
    -------
    ImageScore

    Raises
    ------
    BadValueError
        If the arrays are no label maps and region map of one size.
    """
    check_labels(pred, truth)
    reviewed = reviewed_of(regions, truth.shape)
    dice = _dice(pred[reviewed] > 0, truth[reviewed] > 0)
    return _score(_Scene(pred, truth, reviewed, min_area), dice, pixel_size)


def _score(scene: _Scene, dice: float, pixel_size: float | None) -> ImageScore:
    matched = match(scene.pairs, THRESHOLDS[0])
    rows, cols = scene.pairs.rows[matched], scene.pairs.cols[matched]
    diameters = ecd(scene.pairs.pred_areas), ecd(scene.pairs.truth_areas)
    boundary = contour_distances(scene.pred, scene.truth, rows, cols, scene.reviewed)
    whole = scene.complete_truth[cols]
    tp, fp, fn = _counts(scene)
    return ImageScore(
        true=int(scene.counted_truth.sum()),
        predicted=int(tp[0] + fp[0]),
        tp=tp,
        fp=fp,
        fn=fn,
        iou_sum=float(scene.pairs.iou[matched].sum()),
        dice=dice,
        splits=_crowded(scene.pairs.cols[scene.pairs.of_pred >= 0.5]),
        merges=_crowded(scene.pairs.rows[scene.pairs.of_truth >= 0.5]),
        boundary=boundary,
        boundary_percent=100 * boundary / diameters[1][cols],
        ecd_errors=np.abs(diameters[0][rows] / diameters[1][cols] - 1)[whole],
        true_sizes=_sizes(scene.truth, scene.complete_truth, scene.frame, pixel_size),
        predicted_sizes=_sizes(scene.pred, scene.complete_pred, scene.frame, pixel_size),
    )


def ecd(areas: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the equivalent circular diameter sqrt(4 A / pi) of areas, in the areas' length unit."""
    diameters: NDArray[np.float64] = np.sqrt(4 / np.pi * areas)
    return diameters


class _Scene:
    """Both label maps without gaps, their pairs, and which particles count."""

    def __init__(
        self,
        pred: NDArray[np.integer],
        truth: NDArray[np.integer],
        reviewed: NDArray[np.bool_],
        min_area: int,
    ) -> None:
        pred_ids, self.pred = compact(pred)
        truth_ids, self.truth = compact(truth)
        pairs = overlaps_of_dense(pred_ids, self.pred, truth_ids, self.truth)
        self.reviewed = reviewed
        seen_pred, seen_truth = share_in(self.pred, reviewed), share_in(self.truth, reviewed)
        self.counted_truth = (pairs.truth_areas >= min_area) & (seen_truth >= COUNTED_SHARE)
        self.kept_pred = (pairs.pred_areas >= min_area) & ~in_ignored(pairs, ~self.counted_truth)
        self.false_if_alone = self.kept_pred & (seen_pred >= COUNTED_SHARE)
        self.pairs = pairs.among(self.kept_pred, self.counted_truth)
        self.frame = _span(reviewed), _span(reviewed.T)
        # Beside the frame, the data bar or an unknown region, a particle may go on.
        inner = ndimage.binary_erosion(reviewed, np.ones((3, 3)))
        self.complete_truth = self.counted_truth & (share_in(self.truth, inner) == 1)
        self.complete_pred = self.false_if_alone & (share_in(self.pred, inner) == 1)


def in_ignored(pairs: Pairs, ignored: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which predictions lie by half or more in ignored true particles.

    Parameters
    ----------
    pairs : Pairs
    ignored : ndarray of bool and shape (T,)

    Returns
    -------
    ndarray of bool and shape (P,)
    """
    hidden = np.bincount(
        pairs.rows, weights=pairs.shared * ignored[pairs.cols], minlength=len(pairs.pred_ids)
    )
    return hidden >= pairs.pred_areas / 2


def reviewed_of(regions: NDArray[np.uint8] | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return where a region map says reviewed; everywhere without one.

    Raises
    ------
    BadValueError
        If the map is of another size.
    """
    if regions is None:
        return np.ones(shape, bool)
    if regions.shape != shape:
        raise BadValueError(
            f"The region map is {regions.shape} and the truth {shape} (rows, columns); give the map of the "
            "same micrograph."
        )
    reviewed: NDArray[np.bool_] = regions == REVIEWED
    return reviewed


def share_in(labels: NDArray[np.int32], region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of each particle that lies in a region.

    Parameters
    ----------
    labels : ndarray of int32 and shape (H, W)
        As `compact` renumbers them: 1..N without gaps.
    region : ndarray of bool and shape (H, W)

    Returns
    -------
    ndarray of float and shape (N,)
    """
    areas = np.bincount(labels.ravel())
    return np.bincount(labels[region], minlength=len(areas))[1:] / areas[1:]


def _counts(scene: _Scene) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    tp, fp = np.zeros((2, len(THRESHOLDS)), np.int64)
    for i, threshold in enumerate(THRESHOLDS):
        matched = match(scene.pairs, threshold)
        alone = scene.false_if_alone.copy()
        alone[scene.pairs.rows[matched]] = False
        tp[i], fp[i] = len(matched), alone.sum()
    return tp, fp, scene.counted_truth.sum() - tp


def _crowded(owners: NDArray[np.int64]) -> int:
    return int(np.count_nonzero(np.bincount(owners) >= 2))


def _dice(pred: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    total = np.count_nonzero(pred) + np.count_nonzero(truth)
    return 2 * np.count_nonzero(pred & truth) / total if total else 1.0


def _sizes(
    labels: NDArray[np.int32],
    complete: NDArray[np.bool_],
    frame: tuple[int, int],
    pixel_size: float | None,
) -> Sizes:
    diameters = ecd(np.bincount(labels.ravel())[1:])[complete] * (pixel_size or 1.0)
    boxes = [box for box, whole in zip(ndimage.find_objects(labels), complete, strict=True) if whole]
    spans = np.array([[side.stop - side.start for side in box] for box in boxes]).reshape(-1, 2)
    return Sizes(diameters, 1 / np.prod(1 - spans / np.array(frame), axis=1))


def _span(region: NDArray[np.bool_]) -> int:
    found = np.flatnonzero(region.any(1))
    return int(found[-1] - found[0] + 1) if len(found) else 1
