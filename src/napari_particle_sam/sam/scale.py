"""The scale at which a model sees a micrograph: one rule for inference and for training crops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

#: Particles whose typical diameter in input pixels is below this get a closer look in tiles ...
SMALL = 28.0
#: ... at the scale that gives them this diameter.
WANTED = 36.0
#: Where particles fill this share of their own neighbourhood and more, they touch, and what parts them must
#: be seen: ...
PACKED = 0.5
#: ... the closer look begins at this diameter, and gives them that one. Where particles lie apart, it would
#: find false ones between them (docs/benchmarks.md).
SMALL_PACKED, WANTED_PACKED = 60.0, 70.0
#: The neighbourhood is a square of so many typical diameters;
NEIGHBOURHOOD = 3.0
#: a diameter is so many of the pixels that are looked at there.
_SAMPLED = 8.0
#: Never more than this many input pixels per image pixel.
LARGEST_SCALE = 2.0


def whole_image_scale(shape: tuple[int, int], img_size: int) -> float:
    """Return input pixels per image pixel when the whole image fills the model's square input."""
    return img_size / max(shape)


def choose_scale(shape: tuple[int, int], img_size: int, diameter: float | None, packed: float = 0.0) -> float:
    """Return the scale that fits the particles of a micrograph.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the field of view.
    img_size : int
        Side of the model's square input.
    diameter : float or None
        Typical particle diameter in image pixels, None where it is unknown.
    packed : float
        The local area fraction of its particles, 0 to 1.

    Returns
    -------
    float
        Input pixels per image pixel: the whole image at once, or more where its particles
        would be too small to see.
    """
    whole = whole_image_scale(shape, img_size)
    small, wanted = (SMALL_PACKED, WANTED_PACKED) if packed >= PACKED else (SMALL, WANTED)
    if diameter is None or diameter <= 0 or diameter * whole >= small:
        return whole
    return max(whole, min(wanted / diameter, LARGEST_SCALE))


def local_area_fraction(
    inside: NDArray[np.bool_], diameter: float, known: NDArray[np.bool_] | None = None
) -> float:
    """Return how closely particles are packed: the area fraction around them, not in the whole field.

    The mean, over the pixels of particles, of the share that particles hold of a square of three typical
    diameters around the pixel. A cluster on a large background counts like a field that is full.

    Parameters
    ----------
    inside : ndarray of bool and shape (rows, cols)
        The pixels of particles.
    diameter : float
        Their typical diameter in these pixels.
    known : ndarray of bool and shape (rows, cols), optional
        Where `inside` is known; everywhere by default.

    Returns
    -------
    float
        From 0 to 1; 0 without a particle.
    """
    step = max(1, int(diameter / _SAMPLED))
    particles = inside[::step, ::step] if known is None else (inside & known)[::step, ::step]
    if not particles.any():
        return 0.0
    side = max(3, round(NEIGHBOURHOOD * diameter / step))
    held = ndimage.uniform_filter(particles.astype(np.float32), side, mode="constant")
    field = np.ones_like(held) if known is None else known[::step, ::step].astype(np.float32)
    looked = ndimage.uniform_filter(field, side, mode="constant")
    return float(np.mean(held[particles] / looked[particles]))
