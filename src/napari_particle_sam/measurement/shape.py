"""Size and shape of one particle, from its pixels.

The pixel convention: a pixel is a square of side 1, and a particle is the union of its pixels. Lengths go
from pixel corner to pixel corner: a row of ten pixels is 10 px wide, and the largest Feret diameter of one
pixel is sqrt(2) px. Feret diameters of smooth outlines therefore come out up to about one pixel too large.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import perimeter_crofton

Points = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shape:
    """What the pixels of one particle tell, in pixels.

    Attributes
    ----------
    area : int
        Number of pixels.
    centroid : tuple of float
        ``(row, col)`` of the mean pixel centre in the crop.
    perimeter : float
        By Crofton's formula in four directions, see `skimage.measure.perimeter_crofton`.
    feret_max, feret_min : float
        Largest and smallest distance of two parallel lines that touch the pixels' corners.
    solidity : float
        Area over the number of pixels whose centre lies in the convex hull of the particle's pixel centres;
        1 for whatever is convex, at any size.
    ellipse_ratio : float
        Long over short axis of the ellipse with the particle's second moments.
    orientation : float
        Angle of that ellipse's long axis in degrees, above -90 and up to 90: 0 lies along a row, positive
        angles turn counter-clockwise as the image is seen. Without meaning where `ellipse_ratio` is near 1.
    """

    area: int
    centroid: tuple[float, float]
    perimeter: float
    feret_max: float
    feret_min: float
    solidity: float
    ellipse_ratio: float
    orientation: float

    @property
    def ecd(self) -> float:
        """Equivalent circular diameter ``sqrt(4 A / pi)``."""
        return math.sqrt(4 * self.area / math.pi)

    @property
    def aspect_ratio(self) -> float:
        """``feret_max / feret_min``, 1 or more; the inverse of ISO 9276-6's aspect ratio."""
        return self.feret_max / self.feret_min

    @property
    def circularity(self) -> float:
        """``4 pi A / P^2`` with Crofton's perimeter; discs may come out a little above 1."""
        return 4 * math.pi * self.area / self.perimeter**2


def measure_shape(crop: NDArray[np.bool_]) -> Shape:
    """Measure the particle in a crop.

    Parameters
    ----------
    crop : ndarray of bool and shape (rows, cols)
        The particle's pixels, at least one; it may lie in several pieces.

    Returns
    -------
    Shape
    """
    rows, cols = np.nonzero(crop)
    hull = hull_of_centres(crop)
    ratio, orientation = _ellipse(rows, cols)
    return Shape(
        area=len(rows),
        centroid=(float(rows.mean()), float(cols.mean())),
        perimeter=float(perimeter_crofton(crop, directions=4)),  # type: ignore[no-untyped-call]
        feret_max=feret_max(hull),
        feret_min=feret_min(hull),
        solidity=len(rows) / centres_inside(hull),
        ellipse_ratio=ratio,
        orientation=orientation,
    )


def hull_of_centres(crop: NDArray[np.bool_]) -> Points:
    """Return the convex hull of a particle's pixel centres.

    Andrew's monotone chain (1979) over the first and last pixel of every row, in whole numbers.

    Parameters
    ----------
    crop : ndarray of bool and shape (rows, cols)
        At least one pixel.

    Returns
    -------
    ndarray of int and shape (N, 2)
        ``(row, col)`` of the corners in turn, none of them on the line between its neighbours.
    """
    rows = np.flatnonzero(crop.any(1))
    left = crop[rows].argmax(1)
    right = crop.shape[1] - 1 - crop[rows][:, ::-1].argmax(1)
    going_down = _chain(list(zip(rows.tolist(), left.tolist(), strict=True)), 1)
    going_up = _chain(list(zip(rows.tolist(), right.tolist(), strict=True)), -1)[::-1]
    corners = list(dict.fromkeys(going_down + going_up))
    return np.array(corners, np.int64).reshape(-1, 2)


def feret_max(hull: Points) -> float:
    """Return the largest distance of two pixel corners, from the hull of the pixel centres."""
    apart = np.abs(hull[:, None] - hull[None]) + 1
    return math.sqrt(float((apart**2).sum(2).max()))


def feret_min(hull: Points) -> float:
    """Return the smallest width of the hull of the pixel corners.

    The hull of the corners is the hull of the centres, widened by the unit square. Its smallest width is
    found where one of its edges lies on one of the two lines (the theorem of rotating calipers, Houle and
    Toussaint 1988); its edges are those of the hull of the centres and those of the square.
    """
    edges = np.roll(hull, -1, axis=0) - hull
    normals = np.array([[1, 0], [0, 1], *((-c, r) for r, c in edges.tolist() if r or c)], float)
    normals /= np.hypot(*normals.T)[:, None]
    along = hull @ normals.T
    return float((along.max(0) - along.min(0) + np.abs(normals).sum(1)).min())


def centres_inside(hull: Points) -> int:
    """Return how many pixel centres lie in or on a hull with corners on pixel centres, by Pick's theorem."""
    following = np.roll(hull, -1, axis=0)
    doubled = abs(int((hull[:, 0] * following[:, 1] - hull[:, 1] * following[:, 0]).sum()))
    on_edge = int(np.gcd(*np.abs(following - hull).T).sum())
    return (doubled + on_edge) // 2 + 1


def _chain(points: list[tuple[int, int]], side: int) -> list[tuple[int, int]]:
    """Keep the points of a column of points that are convex towards the left (1) or the right (-1)."""
    kept: list[tuple[int, int]] = []
    for row, col in points:
        while len(kept) > 1:
            (r0, c0), (r1, c1) = kept[-2:]
            if side * ((row - r0) * (c1 - c0) - (col - c0) * (r1 - r0)) < 0:
                break
            kept.pop()
        kept.append((row, col))
    return kept


def _ellipse(rows: NDArray[np.int64], cols: NDArray[np.int64]) -> tuple[float, float]:
    """Return axis ratio and angle of the ellipse with equal second moments (1/12: a pixel's own)."""
    down, along = rows - rows.mean(), cols - cols.mean()
    vertical, horizontal = float(down @ down) / len(down) + 1 / 12, float(along @ along) / len(down) + 1 / 12
    mixed = -float(down @ along) / len(down)
    middle, radius = (vertical + horizontal) / 2, math.hypot((vertical - horizontal) / 2, mixed)
    angle = math.degrees(0.5 * math.atan2(2 * mixed, horizontal - vertical))
    # The smaller root as determinant over the larger one: their difference would lose its digits.
    larger = middle + radius
    smaller = (vertical * horizontal - mixed * mixed) / larger
    return math.sqrt(larger / smaller), 90.0 if angle == -90 else angle
