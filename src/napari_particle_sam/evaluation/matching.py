"""Which predicted particle is which true one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from napari_particle_sam.base.errors import BadValueError


@dataclass(frozen=True, eq=False)
class Pairs:
    """All overlapping pairs of two label maps, as parallel arrays.

    Attributes
    ----------
    pred_ids, truth_ids : ndarray of shape (P,) and (T,)
        The labels, ascending.
    pred_areas, truth_areas : ndarray of int and shape (P,) and (T,)
        Their areas in pixels.
    rows, cols : ndarray of int and shape (K,)
        For each overlapping pair, the position of its labels in `pred_ids` and `truth_ids`.
    shared : ndarray of int and shape (K,)
        The pixels that the pair shares, at least 1.
    """

    pred_ids: NDArray[np.integer]
    truth_ids: NDArray[np.integer]
    pred_areas: NDArray[np.int64]
    truth_areas: NDArray[np.int64]
    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    shared: NDArray[np.int64]

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each pair, shape (K,)."""
        union = self.pred_areas[self.rows] + self.truth_areas[self.cols] - self.shared
        return self.shared / union

    @cached_property
    def of_pred(self) -> NDArray[np.float64]:
        """Share of the predicted particle that lies in the true one, shape (K,)."""
        return self.shared / self.pred_areas[self.rows]

    @cached_property
    def of_truth(self) -> NDArray[np.float64]:
        """Share of the true particle that lies in the predicted one, shape (K,)."""
        return self.shared / self.truth_areas[self.cols]

    def among(self, pred: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Pairs:
        """Keep the pairs of some particles; positions and areas stay as they are.

        Parameters
        ----------
        pred, truth : ndarray of bool and shape (P,) and (T,)
            The particles to keep pairs of.
        """
        keep = pred[self.rows] & truth[self.cols]
        return Pairs(
            self.pred_ids,
            self.truth_ids,
            self.pred_areas,
            self.truth_areas,
            self.rows[keep],
            self.cols[keep],
            self.shared[keep],
        )


def compact(labels: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.int32]]:
    """Renumber a label map without gaps.

    Parameters
    ----------
    labels : ndarray of int and shape (H, W)
        0 is background.

    Returns
    -------
    ids : ndarray of shape (N,)
        The labels, ascending, without 0.
    dense : ndarray of int32 and shape (H, W)
        0 for background, `i + 1` where `labels` is ``ids[i]``.
    """
    ids, inverse = np.unique(labels, return_inverse=True)
    dense = inverse.reshape(labels.shape).astype(np.int32)
    if ids.size and ids[0] == 0:
        return ids[1:], dense
    return ids, dense + np.int32(1)


def overlaps(pred: NDArray[np.integer], truth: NDArray[np.integer]) -> Pairs:
    """Return the overlapping pairs of two label maps.

    Parameters
    ----------
    pred, truth : ndarray of int and shape (H, W)
        Labels, 0 is background.

    Raises
    ------
    BadValueError
        If they are no label maps of one size.
    """
    check_labels(pred, truth)
    pred_ids, pred_dense = compact(pred)
    truth_ids, truth_dense = compact(truth)
    return overlaps_of_dense(pred_ids, pred_dense, truth_ids, truth_dense)


def overlaps_of_dense(
    pred_ids: NDArray[np.integer],
    pred: NDArray[np.int32],
    truth_ids: NDArray[np.integer],
    truth: NDArray[np.int32],
) -> Pairs:
    """Return the overlapping pairs of two label maps that `compact` has renumbered."""
    both = (pred > 0) & (truth > 0)
    width = len(truth_ids) + 1
    joint = pred[both].astype(np.int64) * width + truth[both]
    codes, shared = np.unique(joint, return_counts=True)
    return Pairs(
        pred_ids,
        truth_ids,
        np.bincount(pred.ravel(), minlength=len(pred_ids) + 1)[1:],
        np.bincount(truth.ravel(), minlength=width)[1:],
        codes // width - 1,
        codes % width - 1,
        shared,
    )


def check_labels(pred: NDArray[np.integer], truth: NDArray[np.integer]) -> None:
    """Refuse what are no two label maps of one size.

    Raises
    ------
    BadValueError
        If an array is not 2-D, not of whole numbers, has negative values, or the sizes differ.
    """
    for name, labels in (("prediction", pred), ("truth", truth)):
        if labels.ndim != 2 or not np.issubdtype(labels.dtype, np.integer):
            raise BadValueError(
                f"The {name} is no label map: it is {labels.dtype} with {labels.ndim} axes; "
                "give one whole number per pixel."
            )
        if labels.size and labels.min() < 0:
            raise BadValueError(f"The {name} has negative labels; number particles from 1.")
    if pred.shape != truth.shape:
        raise BadValueError(
            f"The prediction is {pred.shape} and the truth {truth.shape} (rows, columns); "
            "compare label maps of the same micrograph."
        )


def match(pairs: Pairs, threshold: float) -> NDArray[np.int64]:
    """Match particles one to one: as many pairs as possible, then the greatest sum of IoU.

    This is the convention of StarDist's `matching` (Weigert et al., WACV 2020). Only particles that could
    exchange partners are assigned together, so that 500 x 500 particles cost milliseconds.

    Parameters
    ----------
    pairs : Pairs
        What `overlaps` returned.
    threshold : float
        Least IoU of a match, inclusive, above 0.

    Returns
    -------
    ndarray of int and shape (M,)
        Positions of the matches in the pairs' arrays, ascending.
    """
    able = np.flatnonzero(pairs.iou >= threshold)
    rows, cols = pairs.rows[able], pairs.cols[able]
    alone = (np.bincount(rows)[rows] == 1) & (np.bincount(cols)[cols] == 1)
    chosen = [able[alone]]
    chosen += [_assign(pairs, group) for group in _components(pairs, able[~alone])]
    return np.sort(np.concatenate(chosen))


def _components(pairs: Pairs, able: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    if not len(able):
        return
    preds = len(pairs.pred_ids)
    nodes = preds + len(pairs.truth_ids)
    edges = (np.ones(len(able)), (pairs.rows[able], preds + pairs.cols[able]))
    _, label = connected_components(sparse.coo_array(edges, shape=(nodes, nodes)), directed=False)
    of_pair = label[pairs.rows[able]]
    order = np.argsort(of_pair, kind="stable")
    yield from np.split(able[order], np.flatnonzero(np.diff(of_pair[order])) + 1)


def _assign(pairs: Pairs, group: NDArray[np.int64]) -> NDArray[np.int64]:
    rows, r = np.unique(pairs.rows[group], return_inverse=True)
    cols, c = np.unique(pairs.cols[group], return_inverse=True)
    weight = np.zeros((len(rows), len(cols)))
    # All IoU together weigh at most half a match, so one match more always wins.
    weight[r, c] = 1 + pairs.iou[group] / (2 * min(weight.shape))
    index = np.full(weight.shape, -1, np.int64)
    index[r, c] = group
    found: NDArray[np.int64] = index[linear_sum_assignment(weight, maximize=True)]
    return found[found >= 0]
