"""From the locator's maps to point prompts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.sam.locator_head import BOUNDARY, DISTANCE, FOREGROUND, OFFSET_ROW, OFFSET_UNIT
from napari_particle_sam.sam.scale import local_area_fraction


@dataclass(frozen=True)
class LocatorSettings:
    """How centres are read off the maps.

    Attributes
    ----------
    foreground : float
        Lowest probability of a pixel that votes.
    votes : float
        Lowest density of votes, in pixels per pixel, that makes a centre.
    peak : float
        Lowest relative distance to the edge of a peak that becomes a prompt of its own.
    apart : float
        Peaks whose centres lie closer than this share of the local inscribed radius are one.
    least_apart : float
        The same in input pixels, where the radius is tiny.
    """

    foreground: float = 0.3
    votes: float = 0.7
    peak: float = 0.35
    apart: float = 0.5
    least_apart: float = 3.0


def find_centres(
    maps: NDArray[np.float32],
    pixel: float,
    settings: LocatorSettings | None = None,
    least_radius: float = 0.0,
) -> NDArray[np.float32]:
    """Return the prompts that the locator proposes.

    Peaks of the votes and of the distance map are candidates. Each has a predicted centre, and
    an inscribed radius measured on the foreground less its boundaries; of peaks whose centres
    fall together within that radius, the most voted one stays.

    Parameters
    ----------
    maps : ndarray of float32 and shape (5, rows, cols)
        The locator head's output, the first two maps as logits.
    pixel : float
        Input pixels per map pixel.
    settings : LocatorSettings, optional
        Thresholds.
    least_radius : float
        Centres of a smaller inscribed radius, in input pixels, are left out.

    Returns
    -------
    ndarray of float32 and shape (N, 2)
        ``(row, col)`` in input pixels, the most voted first.
    """
    settings = settings or LocatorSettings()
    foreground = 1 / (1 + np.exp(-np.clip(maps[FOREGROUND], -30, 30)))
    density = _vote(maps, foreground, pixel, settings.foreground)
    depth = ndimage.gaussian_filter(maps[DISTANCE] * (foreground > settings.foreground), 1.0)
    peaks = np.concatenate([_peaks(density, settings.votes, 2), _peaks(depth, settings.peak, 2)])
    if len(peaks) == 0:
        return np.zeros((0, 2), np.float32)
    at = tuple(peaks.T)
    inner = (foreground > settings.foreground) & (maps[BOUNDARY] < 0)
    radius = ndimage.distance_transform_edt(inner)[at] * pixel
    reach = np.maximum(settings.apart * radius, settings.least_apart)
    offset = maps[OFFSET_ROW : OFFSET_ROW + 2][:, at[0], at[1]].T * OFFSET_UNIT
    points = (peaks + 0.5) * pixel
    rank = ndimage.gaussian_filter(density, 1.5)[at] + depth[at]
    kept = [i for i in _thin(points + offset, points, reach, rank) if radius[i] >= least_radius]
    return points[kept].astype(np.float32)


def typical_diameter(maps: NDArray[np.float32], pixel: float) -> float | None:
    """Estimate the typical particle diameter in input pixels, None where nothing is seen.

    The foreground's area is shared among the centres; the equivalent circular diameter of a
    share is the estimate.
    """
    count = len(find_centres(maps, pixel))
    area = float(np.count_nonzero(maps[FOREGROUND] > 0)) * pixel**2
    return float(np.sqrt(4 * area / np.pi / count)) if count and area else None


def seen_area_fraction(maps: NDArray[np.float32], pixel: float) -> float:
    """Return the local area fraction (`scale.local_area_fraction`) of the particles that the locator sees."""
    diameter = typical_diameter(maps, pixel)
    return local_area_fraction(maps[FOREGROUND] > 0, diameter / pixel) if diameter else 0.0


def _vote(
    maps: NDArray[np.float32], foreground: NDArray[np.floating], pixel: float, least: float
) -> NDArray[np.floating]:
    """Every particle pixel votes for the centre that its offset points to."""
    rows, cols = np.nonzero(foreground > least)
    offset = maps[OFFSET_ROW : OFFSET_ROW + 2, rows, cols] * (OFFSET_UNIT / pixel)
    shape = foreground.shape
    to_row = np.clip(np.rint(rows + offset[0]), 0, shape[0] - 1).astype(np.intp)
    to_col = np.clip(np.rint(cols + offset[1]), 0, shape[1] - 1).astype(np.intp)
    flat = np.bincount(to_row * shape[1] + to_col, foreground[rows, cols], shape[0] * shape[1])
    return ndimage.gaussian_filter(flat.reshape(shape), 1.0)


def _peaks(values: NDArray[np.floating], least: float, radius: int) -> NDArray[np.intp]:
    top = (values >= least) & (values == ndimage.maximum_filter(values, 2 * radius + 1))
    found = np.argwhere(top)
    return found[np.argsort(-values[tuple(found.T)], kind="stable")]


def _thin(
    centres: NDArray[np.floating],
    points: NDArray[np.floating],
    reach: NDArray[np.floating],
    rank: NDArray[np.floating],
) -> list[int]:
    kept: list[int] = []
    for i in np.argsort(-rank, kind="stable"):
        if kept:
            between = np.hypot(*(centres[kept] - centres[i]).T)
            apart = np.hypot(*(points[kept] - points[i]).T)
            near = np.maximum(reach[kept], reach[i])
            if np.any((between < near) | (apart < near)):
                continue
        kept.append(int(i))
    return kept
