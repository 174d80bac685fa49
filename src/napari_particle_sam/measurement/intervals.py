"""How sure a number is: bootstrap over images, or over the particles of a single image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: The interval's level in percent.
LEVEL = 95.0


class Estimate(NamedTuple):
    """A number and its 95 % interval; the bounds are NaN where there is nothing to resample."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Resampling:
    """How intervals are drawn.

    Attributes
    ----------
    by : {"image", "particle"}
        What is drawn with replacement. Particles of one image are alike, so that images are drawn wherever
        two or more hold particles; intervals by particle know nothing of the spread from image to image.
    resamples, seed : int
        Of Efron's percentile bootstrap, with numpy's default generator.
    """

    by: Literal["image", "particle"]
    resamples: int = 1000
    seed: int = 0

    @classmethod
    def choose(cls, images: NDArray[np.int64], resamples: int = 1000, seed: int = 0) -> Resampling:
        """Resample images if at least two of them hold particles, else particles."""
        return cls("image" if len(np.unique(images)) > 1 else "particle", resamples, seed)


def resample(
    statistic: Callable[[Floats], Floats],
    images: NDArray[np.int64],
    image_count: int,
    resampling: Resampling,
) -> Floats:
    """Evaluate a statistic on the sample and on its resamples.

    Parameters
    ----------
    statistic : callable
        Takes how often each particle counts, shape (N,), and returns K numbers.
    images : ndarray of int and shape (N,)
        The image of each particle.
    image_count : int
        Images, those without particles too: they are drawn as well.
    resampling : Resampling

    Returns
    -------
    ndarray of float and shape (1 + resamples, K)
        The first row is the statistic of the sample itself.
    """
    by_image = resampling.by == "image"
    groups = image_count if by_image else len(images)
    rows = [statistic(np.ones(len(images)))]
    if groups > 1:
        rng, even = np.random.default_rng(resampling.seed), np.full(groups, 1 / groups)
        for _ in range(resampling.resamples):
            drawn = rng.multinomial(groups, even).astype(float)
            rows.append(statistic(drawn[images] if by_image else drawn))
    return np.array(rows)


def estimates(rows: Floats) -> list[Estimate]:
    """Return value and percentile interval of each column of what `resample` returned."""
    return [_estimate(column) for column in rows.T]


def band(rows: Floats) -> tuple[Floats, Floats]:
    """Return the lower and upper bound, each of shape (K,), of what `resample` returned."""
    bounds = [(e.low, e.high) for e in estimates(rows)]
    lower, upper = np.array(bounds, float).reshape(-1, 2).T
    return lower, upper


def _estimate(column: Floats) -> Estimate:
    drawn = column[1:][np.isfinite(column[1:])]
    if not len(drawn):
        return Estimate(float(column[0]), float("nan"), float("nan"))
    low, high = np.percentile(drawn, (50 - LEVEL / 2, 50 + LEVEL / 2))
    return Estimate(float(column[0]), float(low), float(high))
