"""The one meaning of each metric: from counts per micrograph to numbers.

Every metric is a function of the scores and of weights per image. A weight of 1 everywhere gives the
value, the multiplicities of a bootstrap resample give the value of that resample, many at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.evaluation.scores import THRESHOLDS, ImageScore

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts that add up over images; the leading axis is the image or the resample.

    Attributes
    ----------
    tp, fp, fn : ndarray of float and shape (N, 10)
        At each of `THRESHOLDS`.
    iou_sum, splits, merges, true, predicted : ndarray of float and shape (N,)
        As in `ImageScore`.
    """

    tp: Array
    fp: Array
    fn: Array
    iou_sum: Array
    splits: Array
    merges: Array
    true: Array
    predicted: Array

    @classmethod
    def of(cls, scores: Sequence[ImageScore]) -> Tally:
        """Stack the counts of images."""
        columns = {f.name: np.array([getattr(s, f.name) for s in scores], float) for f in fields(cls)}
        return cls(**columns)

    def sums(self, weights: Array) -> Tally:
        """Add images up with weights of shape (R, N), to a tally of R rows."""
        return Tally(**{f.name: weights @ getattr(self, f.name) for f in fields(self)})


def _ratio(part: Array, whole: Array, empty: float) -> Array:
    out = np.full(whole.shape, empty)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def _f1(index: int) -> Callable[[Tally], Array]:
    def f1(t: Tally) -> Array:
        twice = 2 * t.tp[:, index]
        return _ratio(twice, twice + t.fp[:, index] + t.fn[:, index], 1.0)

    return f1


def _all_ap(t: Tally) -> Array:
    return _ratio(t.tp, t.tp + t.fp + t.fn, 1.0)


def _pq(t: Tally) -> Array:
    # Kirillov et al., CVPR 2019: mean IoU of the matches times F1.
    return _ratio(t.iou_sum, t.tp[:, 0] + (t.fp[:, 0] + t.fn[:, 0]) / 2, 1.0)


def _per_hundred(name: str) -> Callable[[Tally], Array]:
    return lambda t: _ratio(100 * getattr(t, name), t.true, np.nan)


_F50, _F75 = THRESHOLDS.index(0.5), THRESHOLDS.index(0.75)
_RATIOS: dict[str, Callable[[Tally], Array]] = {
    "f1@0.5": _f1(_F50),
    "f1@0.75": _f1(_F75),
    "ap@0.5": lambda t: _all_ap(t)[:, _F50],
    "ap@0.75": lambda t: _all_ap(t)[:, _F75],
    "map": lambda t: _all_ap(t).mean(1),
    "pq": _pq,
}
_RATES: dict[str, Callable[[Tally], Array]] = {
    "splits": _per_hundred("splits"),
    "merges": _per_hundred("merges"),
    "count_error": lambda t: _ratio(np.abs(t.predicted - t.true), t.true, np.nan),
}
_MEDIANS = {
    "boundary_error": "boundary",
    "boundary_error_percent": "boundary_percent",
    "ecd_error": "ecd_errors",
}
#: The power of the diameter that weighs a particle: none for the number, the cube for the volume.
_PERCENTILES = {"dn50_error": 0, "dv50_error": 3}

#: All metrics, in the order in which tables show them.
METRICS = (
    *_RATIOS,
    *(f"{name}_mean" for name in _RATIOS),
    "dice_foreground",
    *_RATES,
    *_MEDIANS,
    *_PERCENTILES,
)


def pool(scores: Sequence[ImageScore]) -> dict[str, float]:
    """Return all metrics of a set of images.

    Parameters
    ----------
    scores : sequence of ImageScore

    Returns
    -------
    dict of str to float
        `METRICS`, then the counts `true`, `predicted` and `images`. A metric is NaN where there is nothing
        to measure.

        - ``f1@t`` = 2 TP / (2 TP + FP + FN); ``ap@t`` = TP / (TP + FP + FN); ``map`` = mean of ap over
          0.50:0.05:0.95; ``pq`` = sum of IoU / (TP + FP / 2 + FN / 2) at 0.5; counts pooled, nothing at
          all is 1. ``*_mean``: the mean of the images' own values.
        - ``dice_foreground``: mean over images.
        - ``splits``, ``merges`` per 100 true particles.
        - ``count_error`` = abs(predicted - true) / true, pooled.
        - ``boundary_error`` (px), ``boundary_error_percent`` (of the true ECD): median over matches at 0.5.
        - ``ecd_error``: median relative error of the ECD over matched complete particles.
        - ``dn50_error``, ``dv50_error``: relative error of the median diameter of complete particles by
          number and by volume.

    Raises
    ------
    BadValueError
        If there are no scores.
    """
    ones = np.ones((1, len(scores)))
    values = {name: float(weighted(name, scores, ones)[0]) for name in METRICS}
    values["true"] = sum(s.true for s in scores)
    values["predicted"] = sum(s.predicted for s in scores)
    return values | {"images": len(scores)}


def weighted(metric: str, scores: Sequence[ImageScore], weights: Array) -> Array:
    """Return one metric for many weightings of the same images.

    Parameters
    ----------
    metric : str
        One of `METRICS`.
    scores : sequence of ImageScore
        N images.
    weights : ndarray of float and shape (R, N)
        How often each image counts.

    Returns
    -------
    ndarray of float and shape (R,)

    Raises
    ------
    BadValueError
        If there is no such metric or there are no scores.
    """
    if metric not in METRICS:
        raise BadValueError(f"There is no metric {metric!r}; choose one of {', '.join(METRICS)}.")
    if not scores:
        raise BadValueError("There are no images to score; give at least one prediction with its truth.")
    if metric in _MEDIANS:
        return _pooled_median([getattr(s, _MEDIANS[metric]) for s in scores], None, weights)
    if metric in _PERCENTILES:
        return _percentile_error(scores, _PERCENTILES[metric], weights)
    if metric == "dice_foreground":
        return _mean(np.array([s.dice for s in scores]), weights)
    tally = Tally.of(scores)
    if metric.endswith("_mean"):
        return _mean(_RATIOS[metric.removesuffix("_mean")](tally), weights)
    return (_RATIOS | _RATES)[metric](tally.sums(weights))


def _mean(values: Array, weights: Array) -> Array:
    mean: Array = weights @ values / weights.sum(1)
    return mean


def _percentile_error(scores: Sequence[ImageScore], power: int, weights: Array) -> Array:
    medians = []
    for sizes in ([s.predicted_sizes for s in scores], [s.true_sizes for s in scores]):
        diameters = [s.diameters for s in sizes]
        masses = [s.weights * s.diameters**power for s in sizes]
        medians.append(_pooled_median(diameters, masses, weights))
    return np.abs(medians[0] / medians[1] - 1)


def _pooled_median(values: list[Array], masses: list[Array] | None, weights: Array) -> Array:
    owner = np.repeat(np.arange(len(values)), [len(v) for v in values])
    pooled = np.concatenate(values)
    mass = np.ones(len(pooled)) if masses is None else np.concatenate(masses)
    order = np.argsort(pooled, kind="stable")
    order = order[np.isfinite(pooled[order])]
    pooled, mass, owner = pooled[order], mass[order], owner[order]
    return np.array([_median(pooled, mass * row[owner]) for row in weights])


def _median(ordered: Array, mass: Array) -> float:
    """Return the weighted median; with equal weights it is numpy's."""
    ordered, mass = ordered[mass > 0], mass[mass > 0]
    if not len(ordered):
        return float("nan")
    below = np.cumsum(mass)
    half = below[-1] / 2
    low, high = np.searchsorted(below, half, "left"), np.searchsorted(below, half, "right")
    return float(ordered[low] + ordered[min(high, len(ordered) - 1)]) / 2
