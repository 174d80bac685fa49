"""How far two outlines lie apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Window = tuple[slice, slice]


def contour(labels: NDArray[np.integer], reviewed: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Return the pixels of particles that have another label beside them (4 neighbours).

    Neither the frame nor the border of the reviewed region is an outline: where it cuts a particle, nobody
    knows the true one.

    Parameters
    ----------
    labels : ndarray of int and shape (H, W)
    reviewed : ndarray of bool and shape (H, W), optional
        Where the labels are known; everywhere by default.

    Returns
    -------
    ndarray of bool and shape (H, W)
    """
    edge = np.zeros(labels.shape, bool)
    known = np.ones(labels.shape, bool) if reviewed is None else reviewed
    down = (labels[1:] != labels[:-1]) & known[1:] & known[:-1]
    edge[1:] |= down
    edge[:-1] |= down
    right = (labels[:, 1:] != labels[:, :-1]) & known[:, 1:] & known[:, :-1]
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge & (labels > 0)


def contour_distances(
    pred: NDArray[np.int32],
    truth: NDArray[np.int32],
    rows: NDArray[np.int64],
    cols: NDArray[np.int64],
    reviewed: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return the average symmetric contour distance of pairs of particles.

    ``(sum of d(p, T) over contour pixels p of P + sum of d(t, P) over those of T) / (their number)``,
    the average symmetric surface distance of Heimann et al., IEEE Trans. Med. Imaging 28 (2009).

    Parameters
    ----------
    pred, truth : ndarray of int32 and shape (H, W)
        Label maps as `compact` renumbers them.
    rows, cols : ndarray of int and shape (M,)
        The pairs: particle ``rows[i] + 1`` of `pred` and ``cols[i] + 1`` of `truth`.
    reviewed : ndarray of bool and shape (H, W), optional
        Only contour pixels here are measured; everywhere by default.

    Returns
    -------
    ndarray of float and shape (M,)
        Pixels; NaN where one of the two has no contour there.
    """
    edges = contour(pred, reviewed), contour(truth, reviewed)
    boxes = ndimage.find_objects(pred), ndimage.find_objects(truth)
    out = np.empty(len(rows))
    for i, (row, col) in enumerate(zip(rows, cols, strict=True)):
        window = _around(boxes[0][row], boxes[1][col])
        of_pred = edges[0][window] & (pred[window] == row + 1)
        of_truth = edges[1][window] & (truth[window] == col + 1)
        out[i] = _distance(of_pred, of_truth)
    return out


def _around(a: Window, b: Window) -> Window:
    rows, cols = (slice(min(x.start, y.start), max(x.stop, y.stop)) for x, y in zip(a, b, strict=True))
    return rows, cols


def _distance(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    count = np.count_nonzero(a) + np.count_nonzero(b)
    if not count:
        return 0.0
    if not a.any() or not b.any():
        return float("nan")
    total = ndimage.distance_transform_edt(~b)[a].sum() + ndimage.distance_transform_edt(~a)[b].sum()
    return float(total / count)
