"""What the locator head learns: foreground, boundary, distance and offset maps of a label map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.sam.locator_head import (
    BOUNDARY,
    CHANNELS,
    DISTANCE,
    FOREGROUND,
    OFFSET_COL,
    OFFSET_ROW,
    OFFSET_UNIT,
)


def inner_edges(labels: NDArray[np.integer], reviewed: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Return the particle pixels that have a 4-neighbour of another label.

    Parameters
    ----------
    labels : ndarray of int and shape (rows, cols)
        0 = background.
    reviewed : ndarray of bool and shape (rows, cols), optional
        Where labels are known; everywhere by default.

    Returns
    -------
    ndarray of bool and shape (rows, cols)
        Neither the frame of the picture nor the border of the reviewed region is an edge: a particle may
        go on behind it.
    """
    edges = np.zeros(labels.shape, bool)
    known = np.ones(labels.shape, bool) if reviewed is None else reviewed
    differs = (labels[1:] != labels[:-1]) & known[1:] & known[:-1]
    edges[1:] |= differs
    edges[:-1] |= differs
    differs = (labels[:, 1:] != labels[:, :-1]) & known[:, 1:] & known[:, :-1]
    edges[:, 1:] |= differs
    edges[:, :-1] |= differs
    return edges & (labels > 0)


def edge_distance(
    labels: NDArray[np.integer], reviewed: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Return each particle pixel's distance to the edge of its own particle, in pixels, from 1."""
    particles = labels > 0
    edges = inner_edges(labels, reviewed)
    if not edges.any():
        return particles.astype(np.float32) * max(labels.shape)
    return (ndimage.distance_transform_edt(~edges) + 1).astype(np.float32) * particles


def dense_targets(
    labels: NDArray[np.integer], pixel: float, reviewed: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Render the targets of the locator head.

    Parameters
    ----------
    labels : ndarray of int and shape (rows, cols)
        Labels at the resolution of the head's output.
    pixel : float
        Input pixels per output pixel.
    reviewed : ndarray of bool and shape (rows, cols), optional
        Where labels are known; everywhere by default. Its border is like the picture's frame.

    Returns
    -------
    ndarray of float32 and shape (5, rows, cols)
        Foreground, boundary, distance as a share of the particle's largest, and the offset to
        the particle's deepest point in units of `OFFSET_UNIT` input pixels. 0 where nothing is known,
        whatever the labels are there.
    """
    if reviewed is not None:
        labels = np.where(reviewed, labels, 0)
    out = np.zeros((CHANNELS, *labels.shape), np.float32)
    out[FOREGROUND] = labels > 0
    distance = edge_distance(labels, reviewed)
    out[BOUNDARY] = (distance > 0) & (distance < 2)
    ids = np.unique(labels)
    ids = ids[ids > 0]
    if len(ids) == 0:
        return out
    deepest = np.zeros(int(ids[-1]) + 1, np.float32)
    centres = np.zeros((len(deepest), 2), np.float32)
    deepest[ids] = ndimage.maximum(distance, labels, ids)
    centres[ids] = ndimage.maximum_position(distance, labels, ids)
    out[DISTANCE] = np.where(labels > 0, distance / np.maximum(deepest[labels], 1), 0)
    rows, cols = np.indices(labels.shape, np.float32)
    inside = labels > 0
    out[OFFSET_ROW] = np.where(inside, (centres[labels, 0] - rows) * (pixel / OFFSET_UNIT), 0)
    out[OFFSET_COL] = np.where(inside, (centres[labels, 1] - cols) * (pixel / OFFSET_UNIT), 0)
    return out
