"""Polished cross-sections of particles in binder, and empty supports."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.synthesis.fields import Field, fractal_noise, ring_noise, smooth_noise
from napari_particle_sam.synthesis.strewn import Piece, grid, log_sizes
from napari_particle_sam.synthesis.surface import Scene

_ANGLES = 360
_TRIES = 30


def sections_scene(
    rng: np.random.Generator, shape: tuple[int, int], scale: float, cover: float
) -> tuple[Scene, list[Piece]]:
    """Cut through particles: flat, bright, with cracks and pores, in a dark binder."""
    owner = _packed(rng, shape, scale, min(0.75, cover * rng.uniform(0.35, 0.7)))
    count = int(owner.max())
    tone = 1 + 0.08 * rng.standard_normal(count + 1)
    tone[0] = rng.uniform(0.25, 0.5)
    albedo = tone[owner] * (1 + np.where(owner > 0, 0.03, 0.22) * fractal_noise(rng, shape, 14, 4))
    albedo = np.where(owner > 0, albedo * _damage(rng, owner, scale), albedo).astype(np.float32)
    # Polishing leaves the harder particles standing out a little.
    height = ndimage.gaussian_filter((owner > 0).astype(np.float32), 1.5) * np.float32(2.0)
    slope = np.stack([np.gradient(ndimage.gaussian_filter(height, 1.0), axis=axis) for axis in (0, 1)])
    return Scene(owner, height, slope.astype(np.float32), np.asarray(albedo, np.float32)), []


def empty_scene(
    rng: np.random.Generator, shape: tuple[int, int], scale: float, cover: float
) -> tuple[Scene, list[Piece]]:
    """Show the support alone: stains and scratches, no particle."""
    albedo = 0.6 * (1 + 0.1 * fractal_noise(rng, shape, scale * rng.uniform(10, 40), 5))
    rough = fractal_noise(rng, shape, rng.uniform(4, 12), 3)
    slope = [rng.uniform(0.2, 0.8) * np.gradient(rough, axis=axis) for axis in (0, 1)]
    for _ in range(int(rng.integers(0, 4))):
        albedo += 0.15 * _scratch(rng, shape)
    owner = np.zeros(shape, np.int32)
    height = (2 * smooth_noise(rng, shape, 60)).astype(np.float32)
    return Scene(owner, height, np.stack(slope).astype(np.float32), albedo.astype(np.float32)), []


def _packed(
    rng: np.random.Generator, shape: tuple[int, int], scale: float, cover: float
) -> NDArray[np.int32]:
    """Put blobs where they touch at most, the large ones first."""
    margin = int(80 * scale)
    owner = np.zeros((shape[0] + 2 * margin, shape[1] + 2 * margin), np.int32)
    size = log_sizes(rng, scale * rng.uniform(40, 70), rng.uniform(0.3, 0.5), (14 * scale, 140 * scale))
    wanted, diameters = cover * owner.size, []
    while wanted > 0:
        diameters.append(size())
        wanted -= np.pi / 4 * diameters[-1] ** 2
    for diameter in sorted(diameters, reverse=True):
        _place(rng, owner, _blob(rng, diameter))
    crop = owner[margin : margin + shape[0], margin : margin + shape[1]]
    values, numbers = np.unique(crop, return_inverse=True)
    return (numbers.reshape(crop.shape) + (1 if values[0] else 0)).astype(np.int32)


def _place(rng: np.random.Generator, owner: NDArray[np.int32], blob: NDArray[np.bool_]) -> None:
    side = len(blob)
    if side >= min(owner.shape):
        return
    for _ in range(_TRIES):
        row, col = (int(rng.integers(0, n - side)) for n in owner.shape)
        window = owner[row : row + side, col : col + side]
        if not window[blob].any():
            window[blob] = owner.max() + 1
            return


def _blob(rng: np.random.Generator, diameter: float) -> NDArray[np.bool_]:
    row, col = grid(int(diameter * 0.75) + 1)
    outline = 1 + 0.08 * ring_noise(rng, _ANGLES, 3) + 0.03 * ring_noise(rng, _ANGLES, 12)
    heading, oval = rng.uniform(0, np.pi), rng.uniform(1.0, 1.5)
    along = (row * np.sin(heading) + col * np.cos(heading)) * np.sqrt(oval)
    across = (col * np.sin(heading) - row * np.cos(heading)) / np.sqrt(oval)
    turn = ((np.arctan2(along, across) / (2 * np.pi)) % 1.0 * _ANGLES).astype(np.intp) % _ANGLES
    return np.asarray(np.hypot(along, across) < diameter / 2 * outline[turn], np.bool_)


def _damage(rng: np.random.Generator, owner: NDArray[np.int32], scale: float) -> Field:
    """Return what cracks and pores leave of the brightness."""
    shape = (owner.shape[0], owner.shape[1])
    pores = smooth_noise(rng, shape, max(1.5, 2.5 * scale)) > rng.uniform(2.0, 3.2)
    field = fractal_noise(rng, shape, 30 * scale, 3)
    cracks = (np.abs(field) < 0.02) & (fractal_noise(rng, shape, 60 * scale, 2) > rng.uniform(0.3, 1.5))
    left = 1 - 0.75 * ndimage.gaussian_filter((pores | cracks).astype(np.float32), 0.6)
    return np.asarray(left, np.float32)


def _scratch(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    row, col = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    row, col = row - rng.uniform(0, shape[0]), col - rng.uniform(0, shape[1])
    across = row * np.cos(angle) - col * np.sin(angle)
    return np.asarray(np.exp(-((across / rng.uniform(0.6, 2.0)) ** 2)), np.float32)
