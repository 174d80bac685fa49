"""Prompts for training: a point or a box per chosen particle, a point beside the particles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.annotation.regions import IGNORE, REVIEWED
from napari_particle_sam.learning.targets import edge_distance

#: Particles with fewer visible pixels in a crop are not asked for.
MIN_VISIBLE = 16


@dataclass(frozen=True)
class PromptSet:
    """The prompts of one crop, either all points or all boxes, in crop pixels.

    Attributes
    ----------
    ids : ndarray of int and shape (N,)
        The label each prompt asks for; 0 for a background point.
    points : ndarray of float32 and shape (N, 2), or None
        ``(col, row)`` as SAM wants them.
    boxes : ndarray of float32 and shape (N, 4), or None
        ``(left, top, right, bottom)``.
    """

    ids: NDArray[np.integer]
    points: NDArray[np.float32] | None
    boxes: NDArray[np.float32] | None


def draw_prompts(
    rng: np.random.Generator,
    labels: NDArray[np.integer],
    count: int,
    box_share: float = 0.2,
    background: int = 1,
    regions: NDArray[np.uint8] | None = None,
) -> PromptSet | None:
    """Choose particles of a crop and a prompt for each.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    labels : ndarray of int and shape (rows, cols)
        Labels of the crop.
    count : int
        Most particles to ask for.
    box_share : float
        Share of crops that are prompted by boxes.
    background : int
        Background points to add to a crop that is prompted by points.
    regions : ndarray of uint8 and shape (rows, cols), optional
        The crop's region map; all reviewed by default. Background points lie where it is reviewed, and
        nothing is asked for where it is to be ignored. Particles in unknown regions are asked for.

    Returns
    -------
    PromptSet or None
        None where there is nothing to ask for.
    """
    if regions is None:
        regions = np.full(labels.shape, REVIEWED, np.uint8)
    labels = np.where(regions == IGNORE, 0, labels)
    areas = np.bincount(labels.ravel())
    ids = np.flatnonzero(areas >= MIN_VISIBLE)
    ids = ids[ids > 0]
    if len(ids) > count:
        ids = rng.choice(ids, count, replace=False)
    if len(ids) and rng.random() < box_share:
        return PromptSet(ids, None, _boxes(rng, labels, ids))
    beside = np.flatnonzero((labels == 0) & (regions == REVIEWED))
    return _point_prompts(rng, labels, ids, beside, background)


def _point_prompts(
    rng: np.random.Generator,
    labels: NDArray[np.integer],
    ids: NDArray[np.integer],
    beside: NDArray[np.integer],
    background: int,
) -> PromptSet | None:
    distance = edge_distance(labels)
    points = [_point(rng, labels == i, distance) for i in ids]
    extra = min(background, len(beside))
    for flat in rng.choice(beside, extra, replace=False) if extra else ():
        row, col = np.unravel_index(int(flat), labels.shape)
        points.append((col + 0.5, row + 0.5))
    if not points:
        return None
    ids = np.concatenate([ids, np.zeros(extra, ids.dtype)])
    return PromptSet(ids, np.array(points, np.float32), None)


def _point(
    rng: np.random.Generator, mask: NDArray[np.bool_], distance: NDArray[np.float32]
) -> tuple[float, float]:
    """Draw a pixel of the mask: anywhere, or in its deeper half, with equal chance."""
    flat = np.flatnonzero(mask)
    if rng.random() < 0.5:
        depth = distance.ravel()[flat]
        flat = flat[depth >= 0.6 * depth.max()]
    row, col = np.unravel_index(int(rng.choice(flat)), mask.shape)
    return col + 0.5, row + 0.5


def _boxes(
    rng: np.random.Generator, labels: NDArray[np.integer], ids: NDArray[np.integer]
) -> NDArray[np.float32]:
    slices = ndimage.find_objects(labels)
    out = []
    for i in ids:
        rows, cols = slices[i - 1]
        box = np.array([cols.start, rows.start, cols.stop, rows.stop], np.float32)
        sides = np.array([box[2] - box[0], box[3] - box[1]] * 2)
        box += rng.normal(0, 0.06, 4) * sides + rng.normal(0, 0.7, 4)
        out.append([*np.minimum(box[:2], box[2:]), *np.maximum(box[:2], box[2:])])
    return np.array(out, np.float32)
