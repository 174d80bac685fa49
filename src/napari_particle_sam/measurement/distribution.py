"""Size distributions: percentiles, spans, means and cumulative curves by number, area and volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Letter in a percentile's name -> the power of the diameter that weighs a particle.
WEIGHTINGS: dict[str, int] = {"n": 0, "a": 2, "v": 3}
#: What each letter stands for.
WEIGHT_WORDS = {"n": "number", "a": "area", "v": "volume"}
#: The mean diameter of each weighting, in the moment-ratio notation of ISO 9276-2.
MEAN_NAMES = {"n": "D[1,0]", "a": "D[3,2]", "v": "D[4,3]"}
#: Percentiles that are given.
PERCENTILES = (10, 50, 90)


@dataclass(frozen=True, eq=False)
class SizeSample:
    """The particles that count, of one or many images.

    Attributes
    ----------
    diameters : ndarray of float and shape (N,)
        ECD, all above 0, in `unit`.
    weights : ndarray of float and shape (N,)
        1/P, capped; see `correction.py`.
    images : ndarray of int and shape (N,)
        The image of each particle, 0 to `image_count` - 1.
    image_count : int
        Images that were measured, those without particles too.
    unit : str
        ``um`` or ``px``.
    """

    diameters: Floats
    weights: Floats
    images: NDArray[np.int64]
    image_count: int
    unit: str

    def __len__(self) -> int:
        return len(self.diameters)

    def masses(self, letter: str) -> Floats:
        """Return what each particle weighs, of shape (N,), by number (n), area (a) or volume (v)."""
        # Relative to the largest, so that cubes of nanometres and of pixels stay of one size.
        largest = self.diameters.max() if len(self) else 1.0
        masses: Floats = self.weights * (self.diameters / largest) ** WEIGHTINGS[letter]
        return masses


def effective_number(masses: Floats) -> float:
    """Return Kish's effective number ``(sum w)^2 / sum w^2``: how many equal particles tell as much."""
    total = float(masses.sum())
    return total**2 / float((masses**2).sum()) if total > 0 else 0.0


def percentiles(ordered: Floats, masses: Floats, percents: Sequence[float]) -> Floats:
    """Return weighted percentiles.

    The inverse of the weighted empirical distribution; where a percentile falls exactly between two
    particles, their mean (type 2 of Hyndman and Fan 1996). With equal weights the median is numpy's.

    Parameters
    ----------
    ordered : ndarray of float and shape (N,)
        Ascending values.
    masses : ndarray of float and shape (N,)
        0 or more.
    percents : sequence of float
        0 to 100.

    Returns
    -------
    ndarray of float and shape (len(percents),)
        NaN where all masses are 0.
    """
    there = masses > 0
    ordered, below = ordered[there], np.cumsum(masses[there])
    if not len(ordered):
        return np.full(len(percents), np.nan)
    wanted = np.asarray(percents, float) / 100 * below[-1]
    last = len(ordered) - 1
    low = np.minimum(np.searchsorted(below, wanted, "left"), last)
    high = np.minimum(np.searchsorted(below, wanted, "right"), last)
    found: Floats = (ordered[low] + ordered[high]) / 2
    return found


def cumulative(ordered: Floats, masses: Floats, at: Floats) -> Floats:
    """Return the share of the mass at or below each value of `at`; NaN where all masses are 0."""
    below = np.concatenate([[0.0], np.cumsum(masses)])
    if below[-1] <= 0:
        return np.full(len(at), np.nan)
    share: Floats = below[np.searchsorted(ordered, at, "right")] / below[-1]
    return share


def names_of(letter: str) -> tuple[str, ...]:
    """Return the names of what `statistics` gives: percentiles, span and mean, each naming its weight."""
    return (*(f"d{letter}{p}" for p in PERCENTILES), f"span_{letter}", MEAN_NAMES[letter])


def statistics(ordered: Floats, masses: Floats) -> Floats:
    """Return the 10th, 50th and 90th percentile, the span (d90 - d10) / d50 and the mean.

    Parameters
    ----------
    ordered, masses : ndarray of float and shape (N,)
        As for `percentiles`.

    Returns
    -------
    ndarray of float and shape (5,)
        In the order of `names_of`.
    """
    d10, d50, d90 = percentiles(ordered, masses, PERCENTILES)
    total = masses.sum()
    mean = float(ordered @ masses / total) if total > 0 else np.nan
    return np.array([d10, d50, d90, (d90 - d10) / d50, mean])
