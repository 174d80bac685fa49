"""Training crops: a scaled, turned, mirrored square of a micrograph, its labels and its region map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from napari_particle_sam.annotation.regions import IGNORE, REVIEWED


@dataclass(frozen=True)
class Crop:
    """One training sample before it is normalised for the network.

    Attributes
    ----------
    grey : ndarray of float32 and shape (size, size)
        Grey values 0..255; undefined where `inside` is false.
    labels : ndarray of int32 and shape (size, size)
        One label per particle, 0 = background.
    inside : ndarray of bool and shape (size, size)
        False where the crop reaches beyond the picture.
    regions : ndarray of uint8 and shape (size, size)
        What is known about each pixel, as in `RegionMap`; to be ignored beyond the picture.
    """

    grey: NDArray[np.float32]
    labels: NDArray[np.int32]
    inside: NDArray[np.bool_]
    regions: NDArray[np.uint8]


def cut_crop(
    picture: NDArray[np.uint8],
    labels: NDArray[np.integer],
    centre: tuple[float, float],
    scale: float,
    size: int,
    angle: float = 0.0,
    regions: NDArray[np.uint8] | None = None,
) -> Crop:
    """Cut a square around a point, antialiased when it shrinks.

    Parameters
    ----------
    picture : ndarray of uint8 and shape (rows, cols)
        The normalised micrograph.
    labels : ndarray of int and shape (rows, cols)
        Its labels.
    centre : tuple of float
        ``(row, col)`` in the picture that becomes the middle of the crop.
    scale : float
        Crop pixels per picture pixel.
    size : int
        Side of the crop in pixels.
    angle : float
        Rotation in radians.
    regions : ndarray of uint8 and shape (rows, cols), optional
        The region map; all reviewed by default.

    Returns
    -------
    Crop
        The sample, before any change of intensity.
    """
    reach = size / scale * (abs(np.cos(angle)) + abs(np.sin(angle)))
    side = int(np.ceil(reach)) + 2
    top, left = (int(round(c - side / 2)) for c in centre)
    if regions is None:
        regions = np.full(labels.shape, REVIEWED, np.uint8)
    stack = _window((picture, labels, regions + 1), top, left, side)
    out = max(size, int(round(side * scale)))
    stack = _resize(stack, out)
    return _rotate_and_trim(stack, size, angle)


def _window(planes: tuple[NDArray[Any], ...], top: int, left: int, side: int) -> torch.Tensor:
    """Stack a square of each plane, zeros beyond the picture."""
    rows, cols = planes[0].shape
    stack = torch.zeros(1, len(planes), side, side)
    r0, r1 = max(top, 0), min(top + side, rows)
    c0, c1 = max(left, 0), min(left + side, cols)
    if r0 < r1 and c0 < c1:
        target = (slice(r0 - top, r1 - top), slice(c0 - left, c1 - left))
        for i, plane in enumerate(planes):
            stack[(0, i, *target)] = torch.from_numpy(plane[r0:r1, c0:c1].astype(np.float32))
    return stack


def _resize(stack: torch.Tensor, side: int) -> torch.Tensor:
    if stack.shape[-1] == side:
        return stack
    grey = functional.interpolate(
        stack[:, :1], (side, side), mode="bilinear", align_corners=False, antialias=True
    )
    rest = functional.interpolate(stack[:, 1:], (side, side), mode="nearest-exact")
    return torch.cat([grey, rest], 1)


def _rotate_and_trim(stack: torch.Tensor, size: int, angle: float) -> Crop:
    side = stack.shape[-1]
    if angle == 0.0:
        first = (side - size) // 2
        grey = rest = stack[..., first : first + size, first : first + size]
        rest = rest[:, 1:]
    else:
        grid = _rotation_grid(side, size, angle)
        grey = functional.grid_sample(stack[:, :1], grid, mode="bilinear", align_corners=False)
        rest = functional.grid_sample(stack[:, 1:], grid, mode="nearest", align_corners=False)
    labels, known = rest[0].numpy().round().astype(np.int32)
    inside = known > 0
    regions = np.where(inside, known - 1, IGNORE).astype(np.uint8)
    return Crop(grey[0, 0].numpy().copy(), labels.copy(), inside, regions)


def _rotation_grid(side: int, size: int, angle: float) -> torch.Tensor:
    ratio = size / side
    cos, sin = float(np.cos(angle)) * ratio, float(np.sin(angle)) * ratio
    theta = torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]])
    return functional.affine_grid(theta, [1, 1, size, size], align_corners=False)
