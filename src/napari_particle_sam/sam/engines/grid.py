"""Points on a regular grid, where SAM's own generator puts them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from segment_anything.utils.amg import build_point_grid
from segment_anything.utils.transforms import ResizeLongestSide

from napari_particle_sam.annotation.candidates import Frame


def grid_points(frame: Frame, per_side: int) -> NDArray[np.float64]:
    """Return the grid over one part of a micrograph.

    Parameters
    ----------
    frame : Frame
        The part.
    per_side : int
        Points per side.

    Returns
    -------
    ndarray of float64 and shape (per_side ** 2, 2)
        ``(row, col)`` in input pixels, in SAM's order and at its precision.
    """
    shape = (frame.rows, frame.cols)
    points = build_point_grid(per_side) * np.array(shape)[None, ::-1]
    return ResizeLongestSide(frame.img_size).apply_coords(points, shape)[:, ::-1]
