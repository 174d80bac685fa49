"""Random fields from which textures and backgrounds are made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float32]


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> Field:
    """Give Gaussian noise of one correlation length.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    shape : tuple of int
        Rows and columns, px.
    sigma : float
        Standard deviation of the smoothing kernel, px.

    Returns
    -------
    ndarray of float32, (rows, cols)
        Mean about 0, standard deviation 1.
    """
    # Long waves need few samples: they are drawn coarse and magnified, which costs a hundredth.
    step = max(1, int(sigma / 3))
    coarse = (shape[0] // step + 4, shape[1] // step + 4)
    noise = rng.standard_normal(coarse, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, sigma / step, mode="wrap")
    if step > 1:
        noise = _magnify(noise, step)
    noise = noise[: shape[0], : shape[1]]
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)


def fractal_noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float, octaves: int = 4) -> Field:
    """Sum noises of halving length and falling strength, as rough surfaces have.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    shape : tuple of int
        Rows and columns, px.
    sigma : float
        Longest correlation length, px.
    octaves : int
        How many lengths are summed.

    Returns
    -------
    ndarray of float32, (rows, cols)
        Standard deviation 1.
    """
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += smooth_noise(rng, shape, max(sigma / 2**octave, 0.6)) * np.float32(0.6**octave)
    return np.asarray(total / max(float(total.std()), 1e-6), np.float32)


def ring_noise(rng: np.random.Generator, samples: int, waves: float) -> Field:
    """Give periodic noise around a circle.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    samples : int
        Number of equally spaced angles.
    waves : float
        About how many bumps fit around the circle.

    Returns
    -------
    ndarray of float32, (samples,)
        Standard deviation 1.
    """
    noise = rng.standard_normal(samples).astype(np.float32)
    noise = ndimage.gaussian_filter1d(noise, samples / (4.0 * waves), mode="wrap")
    noise -= noise.mean()
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)


def _magnify(field: Field, step: int) -> Field:
    for axis in (0, 1):
        places = np.arange((field.shape[axis] - 2) * step, dtype=np.float32) / step
        first = places.astype(np.intp)
        share = places - first.astype(np.float32)
        share = share[:, None] if axis == 0 else share[None, :]
        blend = field.take(first, axis) * (1 - share) + field.take(first + 1, axis) * share
        field = np.asarray(blend, np.float32)
    return field
