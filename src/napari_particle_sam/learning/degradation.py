"""Training crops of poor quality, as micrographs reach people: small, compressed, shaded, striped."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage


def degrade(rng: np.random.Generator, grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take some quality from a crop, each kind by chance; what is where stays where it was.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    grey : ndarray of float32 and shape (rows, cols)
        Grey values from 0 to 255.

    Returns
    -------
    ndarray of float32 and shape (rows, cols)
        The crop after shading, stripes, loss of resolution with noise, and compression.
    """
    if rng.random() < 0.3:
        grey = _shade(rng, grey)
    if rng.random() < 0.15:
        grey = _stripe(rng, grey)
    if rng.random() < 0.6:
        grey = _lose_resolution(rng, grey)
    if rng.random() < 0.35:
        grey = _compress(grey, int(rng.integers(20, 80)))
    return np.clip(grey, 0, 255).astype(np.float32)


def _shade(rng: np.random.Generator, grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add light that changes slowly across the field."""
    coarse = rng.normal(0, 25, (3, 3)).astype(np.float32)
    return grey + _resized(coarse, grey.shape)


def _stripe(rng: np.random.Generator, grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shift rows in brightness, as charging does."""
    rows = ndimage.gaussian_filter1d(rng.normal(0, 1, grey.shape[0]), rng.uniform(0.5, 3))
    return grey + (rows / (rows.std() + 1e-6) * rng.uniform(2, 10))[:, None].astype(np.float32)


def _lose_resolution(rng: np.random.Generator, grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scan with fewer, noisy pixels and enlarge: blur and noise with a grain."""
    factor = float(np.exp(rng.uniform(0, np.log(3.5))))
    small = tuple(max(16, round(n / factor)) for n in grey.shape)
    scanned = _resized(ndimage.gaussian_filter(grey, 0.4 * (factor - 1)), small)
    scanned = scanned + rng.normal(0, abs(rng.normal(0, 12)), small).astype(np.float32)
    return _resized(scanned, grey.shape)


def _compress(grey: NDArray[np.float32], quality: int) -> NDArray[np.float32]:
    packed = BytesIO()
    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(packed, "JPEG", quality=quality)
    return np.asarray(Image.open(packed), np.float32)


def _resized(grey: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Resize by cubic interpolation."""
    picture = Image.fromarray(np.ascontiguousarray(grey, np.float32))
    return np.asarray(picture.resize(shape[::-1], Image.Resampling.BICUBIC), np.float32)
