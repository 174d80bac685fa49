"""The border correction: large particles are cut by the frame more often than small ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.regions import COUNTED_SHARE, RegionMap
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.measurement.particles import Particle

#: Why a particle is left out, in the order in which the reasons are looked for.
REASONS = ("outside", "small", "cut", "hidden")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Counting:
    """Which particles enter the distributions, and with what weight.

    Attributes
    ----------
    min_area : int
        Smaller particles are left out, in pixels.
    exclude_cut : bool
        Leave particles out that the frame or a region's edge cuts, and weigh the rest by 1/P. Otherwise cut
        particles count as they are seen and every weight is 1.
    exclude_hidden : bool
        Leave particles out that an annotator called partly hidden or unclear.
    largest_weight : float
        Cap on 1/P, so that one particle nearly as large as the frame does not rule the distribution.

    Raises
    ------
    BadValueError
        If the minimum area is below 0 or the cap below 1.
    """

    min_area: int = 50
    exclude_cut: bool = True
    exclude_hidden: bool = False
    largest_weight: float = 5.0

    def __post_init__(self) -> None:
        if not 1 <= self.largest_weight < math.inf:
            raise BadValueError(f"A largest weight of {self.largest_weight} is impossible; give 1 or more.")
        if self.min_area < 0:
            raise BadValueError(f"A minimum area of {self.min_area} px is impossible; give 0 or more.")

    def reason(self, particle: Particle) -> str:
        """Return why a particle is left out, one of `REASONS`, or an empty text if it counts."""
        if particle.reviewed_share < COUNTED_SHARE:
            return "outside"
        if particle.shape.area < self.min_area:
            return "small"
        if self.exclude_cut and particle.cut:
            return "cut"
        hidden = particle.known.completeness in ("partly_hidden", "unclear")
        return "hidden" if self.exclude_hidden and hidden else ""


def frame_of(shape: tuple[int, int], field_rows: int | None, regions: RegionMap | None) -> tuple[int, int]:
    """Return ``(H, W)`` of the frame in pixels: the field of view, or the span of the reviewed region."""
    if regions is None:
        return field_rows or shape[0], shape[1]
    return _span(regions.reviewed), _span(regions.reviewed.T)


def inclusion_weights(extents: Sequence[tuple[int, int]], frame: tuple[int, int]) -> Floats:
    """Return 1 / P for particles that lie whole in a frame.

    ``P = (W - w)(H - h) / (W H)`` is the chance of a w x h particle to lie whole in a W x H frame,
    wherever it falls (Miles 1974, Lantuejoul 1980). The formula is that of `evaluation.scores.Sizes`.

    Parameters
    ----------
    extents : sequence of (int, int)
        ``(h, w)`` of the bounding boxes in pixels, smaller than the frame.
    frame : tuple of int
        ``(H, W)`` in pixels.

    Returns
    -------
    ndarray of float and shape (N,)
        1 or more.
    """
    spans = np.array(extents, float).reshape(-1, 2)
    weights: Floats = 1 / np.prod(1 - spans / np.array(frame), axis=1)
    return weights


def counted_weights(
    particles: Sequence[Particle], frame: tuple[int, int], counting: Counting
) -> tuple[list[str], Floats, int]:
    """Decide on every particle of one image.

    Parameters
    ----------
    particles : sequence of Particle
    frame : tuple of int
        ``(H, W)`` in pixels, from `frame_of`.
    counting : Counting
        The rules.

    Returns
    -------
    reasons : list of str
        Why each particle is left out; empty where it counts.
    weights : ndarray of float and shape (N,)
        NaN where it is left out.
    capped : int
        How many weights were above `Counting.largest_weight`.
    """
    reasons = [counting.reason(particle) for particle in particles]
    whole = np.array([not reason for reason in reasons], bool)
    weights = np.full(len(particles), np.nan)
    weights[whole] = 1.0
    if counting.exclude_cut:
        extents = [p.extent for p, counts in zip(particles, whole, strict=True) if counts]
        weights[whole] = inclusion_weights(extents, frame)
    capped = int(np.count_nonzero(weights[whole] > counting.largest_weight))
    return reasons, np.minimum(weights, counting.largest_weight), capped


def _span(region: NDArray[np.bool_]) -> int:
    found = np.flatnonzero(region.any(1))
    return int(found[-1] - found[0] + 1) if len(found) else 1
