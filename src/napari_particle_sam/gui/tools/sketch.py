"""What a tool draws over the image: lines, boxes, clicks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAME = "Drawing"
LINE, YES, NO = "yellow", "lime", "red"
#: Width of lines and half the size of crosses, in pixels of the screen.
WIDTH, CROSS = 2.0, 6.0


class Sketch:
    """A layer of its own above all others; made when something is drawn first.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where it is shown.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._layer: Any = None
        self._alike: tuple[list[str], float] = ([], 0.0)

    def draw(
        self,
        below: Any,
        path: NDArray[np.float64] | None,
        clicks: Sequence[tuple[float, float, bool]] = (),
        pixel: float = 1.0,
    ) -> None:
        """Show a line and clicks, and nothing else.

        Parameters
        ----------
        below : napari.layers.Labels
            Whose coordinates are meant.
        path : ndarray of float and shape (points, 2), or None
            ``(row, col)``.
        clicks : sequence of (row, col, positive)
            Shown as crosses, green where positive and red where not.
        pixel : float
            How many pixels of the image one pixel of the screen covers.
        """
        shapes, colours = [], []
        if path is not None and len(path) > 1:
            shapes.append(np.asarray(path, float))
            colours.append(LINE)
        for row, col, positive in clicks:
            shapes += list(_cross(row, col, CROSS * pixel))
            colours += [YES if positive else NO] * 2
        if shapes or self._there:
            self._fill(below, shapes, colours, WIDTH * pixel)

    def clear(self) -> None:
        """Show nothing."""
        if self._there and len(self._layer.data):
            self._layer.data = []

    def remove(self) -> None:
        """Take the layer away."""
        if self._there:
            self._viewer.layers.remove(self._layer)
        self._layer = None

    @property
    def _there(self) -> bool:
        return self._layer is not None and self._layer in self._viewer.layers

    def _fill(self, below: Any, shapes: list[Any], colours: list[str], width: float) -> None:
        if not self._there:
            self._add(below)
        alike, self._alike = (colours, width) == self._alike, (colours, width)
        if alike and len(self._layer.data) == len(shapes):
            # Half as long as to take the old ones away and to add the new ones.
            self._layer.data = [(shape, "path") for shape in shapes]
            return
        self._layer.data = []
        if shapes:
            self._layer.add_paths(shapes, edge_width=[width] * len(shapes), edge_color=colours)

    def _add(self, below: Any) -> None:
        active = self._viewer.layers.selection.active
        self._layer = self._viewer.add_shapes(
            name=NAME, ndim=2, scale=below.scale, translate=below.translate, units=below.units
        )
        # Keys and mouse belong to the layer that was active.
        self._viewer.layers.selection.active = active


def _cross(row: float, col: float, reach: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (
        np.array([[row - reach, col], [row + reach, col]]),
        np.array([[row, col - reach], [row, col + reach]]),
    )
