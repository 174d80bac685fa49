"""Outlines made smooth or whole."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadValueError


def smooth(mask: Mask, radius: float, shape: tuple[int, int]) -> Mask:
    """Round off an outline: spurs, notches and gaps narrower than about `radius` disappear.

    A pixel is kept or added where the Gaussian-weighted majority around it (standard deviation
    of half the radius) belongs to the mask. At the frame of the micrograph the mask is taken to
    go on, so that a particle cut by the frame keeps its straight edge.

    Parameters
    ----------
    mask : Mask
        An outline inside the micrograph.
    radius : float
        In pixels, above 0.
    shape : tuple of int
        ``(rows, cols)`` of the micrograph, beyond which nothing may lie.

    Returns
    -------
    Mask
        Holds at least one pixel: an outline too thin to be smoothed is returned as it was.

    Raises
    ------
    BadValueError
        If the radius is not above 0.
    """
    if not (np.isfinite(radius) and radius > 0):
        raise BadValueError(f"A smoothing radius of {radius} px does nothing; give one above 0.")
    if not mask.area:
        return mask
    top, left, bottom, right = mask.box
    margin = int(np.ceil(2 * radius)) + 1
    before = (min(margin, top), min(margin, left))
    after = (min(margin, shape[0] - bottom), min(margin, shape[1] - right))
    padded = np.pad(mask.crop, list(zip(before, after, strict=True))).astype(np.float32)
    share = ndimage.gaussian_filter(padded, radius / 2, mode="nearest")
    found = Mask.from_array(share > 0.5, top - before[0], left - before[1])
    return found if found.area else mask


def fill_holes(mask: Mask) -> Mask:
    """Return a mask with every background region that it encloses.

    A hole is enclosed where no 4-connected path leads out of it, which is what an 8-connected
    outline needs. What other instances hold in it is for the session to leave out.
    """
    crop = np.asarray(ndimage.binary_fill_holes(mask.crop), bool)
    return Mask(mask.top, mask.left, crop) if mask.area else mask
