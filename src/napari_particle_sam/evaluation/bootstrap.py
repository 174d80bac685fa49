"""How sure a metric is: bootstrap over images, or over groups of images."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.evaluation.metrics import weighted
from napari_particle_sam.evaluation.scores import ImageScore


class Interval(NamedTuple):
    """A value and its 95 % percentile interval; the bounds are NaN where fewer than two groups were seen."""

    value: float
    low: float
    high: float


def interval(
    scores: Sequence[ImageScore],
    metric: str = "f1@0.5",
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> Interval:
    """Return a metric with its 95 % interval.

    Parameters
    ----------
    scores : sequence of ImageScore
    metric : str
        One of `metrics.METRICS`.
    groups : sequence, optional
        The group of each image, such as its paper; whole groups are drawn. Each image is its own by default.
    seed, resamples : int
        The percentile bootstrap of Efron, drawn with numpy's default generator.

    Returns
    -------
    Interval
    """
    weights = _weights(len(scores), groups, seed, resamples)
    values = weighted(metric, scores, weights)
    return _interval(float(values[0]), values[1:])


def paired_interval(
    base_scores: Sequence[ImageScore],
    other_scores: Sequence[ImageScore],
    metric: str = "f1@0.5",
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> Interval:
    """Return how much higher a metric is for `other` than for `base`, with the 95 % interval.

    Both are recomputed on the same resamples of images, from the counts per image.

    Parameters
    ----------
    base_scores, other_scores : sequence of ImageScore
        The same images in the same order.
    metric : str
        One of `metrics.METRICS`.
    groups : sequence, optional
        The group of each image, such as its paper; whole groups are drawn. Each image is its own by default.
    seed, resamples : int
        The percentile bootstrap of Efron, drawn with numpy's default generator.

    Returns
    -------
    Interval
        ``(difference, low, high)``.

    Raises
    ------
    BadValueError
        If the numbers of images or groups differ.
    """
    if len(base_scores) != len(other_scores):
        raise BadValueError(
            f"{len(base_scores)} and {len(other_scores)} images cannot be compared in pairs; "
            "score the same images."
        )
    weights = _weights(len(base_scores), groups, seed, resamples)
    values = weighted(metric, other_scores, weights) - weighted(metric, base_scores, weights)
    return _interval(float(values[0]), values[1:])


def paired_ratio_interval(
    base: tuple[Sequence[float], Sequence[float]],
    other: tuple[Sequence[float], Sequence[float]],
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> Interval:
    """Return how much higher a ratio of sums over images is for `other`, with the 95 % interval.

    Parameters
    ----------
    base, other : tuple of sequences of float
        What is summed above and below the line, for the same images in the same order.
    groups : sequence, optional
        The group of each image; whole groups are drawn. Each image is its own by default.
    seed, resamples : int
        As in `paired_interval`.

    Returns
    -------
    Interval
        ``(difference, low, high)``; NaN where nothing stands below the line.
    """
    weights = _weights(len(base[0]), groups, seed, resamples)
    values = _ratios(*other, weights) - _ratios(*base, weights)
    return _interval(float(values[0]), values[1:])


def _ratios(
    above: Sequence[float], below: Sequence[float], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    whole = weights @ np.asarray(below, float)
    ratios = np.full(len(weights), np.nan)
    np.divide(weights @ np.asarray(above, float), whole, out=ratios, where=whole > 0)
    return ratios


def _weights(
    images: int, groups: Sequence[Hashable] | None, seed: int, resamples: int
) -> NDArray[np.float64]:
    """Return how often each image counts: once in the first row, then as drawn."""
    keys = list(range(images)) if groups is None else list(groups)
    if len(keys) != images:
        raise BadValueError(f"{len(keys)} groups were given for {images} images; name one for each.")
    position = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    codes = np.array([position[key] for key in keys], int)
    count = len(position)
    if count < 2:
        return np.ones((1, images))
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    return np.concatenate([np.ones((1, images)), drawn[:, codes]])


def _interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    finite = resampled[np.isfinite(resampled)]
    if not len(finite):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(finite, (2.5, 97.5))
    return Interval(value, float(low), float(high))
