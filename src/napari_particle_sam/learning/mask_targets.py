"""What the masks of a crop's prompts should be, and on which of its pixels that is known."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from napari_particle_sam.annotation.regions import IGNORE, UNKNOWN
from napari_particle_sam.learning.crops import Crop


def mask_targets(crop: Crop, ids: NDArray[np.integer], shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return what masks should be at a coarser resolution.

    Parameters
    ----------
    crop : Crop
        Labels and regions of shape (size, size).
    ids : ndarray of int and shape (N,)
        The label that each prompt asks for; 0 asks for nothing.
    shape : tuple of int
        ``(rows, cols)`` of the masks; both divide the size.

    Returns
    -------
    target : Tensor of shape (N, rows, cols)
        The share of each cell's known pixels that the particle covers.
    weight : Tensor of shape (N, rows, cols)
        The share of each cell's pixels that is known.
    """
    known = known_pixels(crop, ids)
    masks = (crop.labels[None] == ids[:, None, None]) & (ids[:, None, None] > 0)
    weight = functional.adaptive_avg_pool2d(torch.from_numpy(known).float(), shape)
    covered = functional.adaptive_avg_pool2d(torch.from_numpy(masks & known).float(), shape)
    return covered / weight.clamp(min=1e-6), weight


def known_pixels(crop: Crop, ids: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return where it is known whether a pixel belongs to a particle.

    The outline of an accepted particle is complete, so it is known everywhere but in ignored regions.
    A particle that ends exactly where the unknown begins may go on there; so may what lies around a
    background point.

    Parameters
    ----------
    crop : Crop
        Labels and regions of shape (size, size).
    ids : ndarray of int and shape (N,)
        Labels; 0 for a background point.

    Returns
    -------
    ndarray of bool and shape (N, size, size)
    """
    usable, unknown = crop.regions != IGNORE, crop.regions == UNKNOWN
    border = ndimage.binary_dilation(unknown, np.ones((3, 3))) & usable
    ends_there = np.isin(ids, crop.labels[border]) & ~np.isin(ids, crop.labels[unknown])
    limited = ends_there | (ids == 0)
    known: NDArray[np.bool_] = usable & ~(limited[:, None, None] & unknown)
    return known
