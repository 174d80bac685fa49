"""Random views of a micrograph: place, scale, rotation, mirror, contrast, inversion, noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.annotation.regions import IGNORE, REVIEWED
from napari_particle_sam.learning.crops import Crop, cut_crop


@dataclass(frozen=True)
class Augmentation:
    """How far training samples may differ from what inference would see.

    Attributes
    ----------
    size : int
        Side of a crop in pixels.
    scale : tuple of float
        Lowest and highest factor on the scale that inference would choose.
    rotate : float
        Share of crops turned by any angle; the others by multiples of 90 degrees.
    invert : float
        Share of crops with black and white swapped.
    intensity : float
        Strength of contrast, gamma, blur and noise; 0 switches them off.
    """

    size: int = 256
    scale: tuple[float, float] = (0.5, 2.0)
    rotate: float = 0.4
    invert: float = 0.15
    intensity: float = 1.0


def random_crop(
    rng: np.random.Generator,
    picture: NDArray[np.uint8],
    labels: NDArray[np.integer],
    base_scale: float,
    settings: Augmentation,
    regions: NDArray[np.uint8] | None = None,
) -> Crop:
    """Draw one augmented crop.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    picture, labels : ndarray of shape (rows, cols)
        The normalised micrograph and its labels.
    base_scale : float
        The scale at which inference would show this micrograph to the network.
    settings : Augmentation
        Ranges of the random changes.
    regions : ndarray of uint8 and shape (rows, cols), optional
        The region map; all reviewed by default.

    Returns
    -------
    Crop
        The sample.
    """
    low, high = np.log(settings.scale)
    scale = base_scale * float(np.exp(rng.uniform(low, high)))
    angle = float(rng.uniform(-np.pi, np.pi)) if rng.random() < settings.rotate else 0.0
    centre = _random_centre(rng, labels, settings.size / scale, regions)
    crop = cut_crop(picture, labels, centre, scale, settings.size, angle, regions)
    crop = _mirror(rng, crop)
    grey = crop.grey
    if rng.random() < settings.invert:
        grey = 255.0 - grey
    if settings.intensity > 0:
        grey = _change_intensity(rng, grey, settings.intensity)
    return replace(crop, grey=np.clip(grey, 0, 255).astype(np.float32))


def _random_centre(
    rng: np.random.Generator,
    labels: NDArray[np.integer],
    reach: float,
    regions: NDArray[np.uint8] | None = None,
) -> tuple[float, float]:
    """Half of the crops look at a particle, the others at a reviewed place; edges may stick out a little."""
    rows, cols = labels.shape
    known = labels if regions is None else np.where(regions == IGNORE, 0, labels)
    if rng.random() < 0.5 and known.any():
        ids = np.unique(known)
        row, col = _some_pixel(rng, known == rng.choice(ids[ids > 0]))
        shift = rng.uniform(-0.35, 0.35, 2) * reach
        row, col = row + shift[0], col + shift[1]
    else:
        row, col = rng.uniform(0, rows), rng.uniform(0, cols)
        if regions is not None and regions[int(row), int(col)] != REVIEWED and (regions == REVIEWED).any():
            row, col = _some_pixel(rng, regions == REVIEWED)
    margin = 0.35 * reach
    return (_keep(row, margin, rows), _keep(col, margin, cols))


def _keep(value: float, margin: float, length: int) -> float:
    if 2 * margin >= length:
        return length / 2
    return float(np.clip(value, margin, length - margin))


def _some_pixel(rng: np.random.Generator, mask: NDArray[np.bool_]) -> tuple[int, int]:
    flat = np.flatnonzero(mask)
    row, col = np.unravel_index(int(rng.choice(flat)), mask.shape)
    return int(row), int(col)


def _mirror(rng: np.random.Generator, crop: Crop) -> Crop:
    turns, flip = int(rng.integers(4)), bool(rng.integers(2))

    def move(a: NDArray) -> NDArray:
        a = np.rot90(a, turns)
        return np.ascontiguousarray(a[:, ::-1] if flip else a)

    return Crop(move(crop.grey), move(crop.labels), move(crop.inside), move(crop.regions))


def _change_intensity(
    rng: np.random.Generator, grey: NDArray[np.float32], strength: float
) -> NDArray[np.float32]:
    unit = grey / 255.0
    gamma = np.exp(rng.normal(0, 0.25 * strength))
    contrast = np.exp(rng.normal(0, 0.2 * strength))
    unit = np.clip(unit, 0, 1) ** gamma
    unit = (unit - 0.5) * contrast + 0.5 + rng.normal(0, 0.06 * strength)
    if rng.random() < 0.25:
        unit = ndimage.gaussian_filter(unit, rng.uniform(0.3, 1.2) * strength)
    if rng.random() < 0.4:
        sigma = abs(rng.normal(0, 0.05 * strength))
        unit = unit + rng.normal(0, sigma, unit.shape).astype(np.float32)
    return (unit * 255.0).astype(np.float32)
