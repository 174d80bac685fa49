"""Masks above the particles: filled lightly, with an outline, or filled only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.gui.canvas.overlay import Colour, Overlay
from napari_particle_sam.gui.canvas.raster import Box, around

#: Width of an outline, in pixels of the image.
WIDTH = 2


class MaskLayer:
    """Shows any number of masks, all in one raster.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where they are shown, after `fit`.
    name : str
        Of the layer.
    fills : sequence of tuple of float
        Colours of the masks in turn.
    outline : tuple of float, optional
        Colour of all outlines; none are drawn without.
    """

    def __init__(
        self,
        viewer: Any,
        name: str,
        fills: Sequence[Colour],
        outline: Colour | None = None,
    ) -> None:
        self._fills, self._outlined = len(fills), outline is not None
        colours = dict(enumerate([*fills, *([outline] if outline else [])], start=1))
        self._overlay = Overlay(viewer, (0, 0), name, colours)
        self._box: Box | None = None

    @property
    def layer(self) -> Any:
        """The layer, None before the first image."""
        return self._overlay.layer

    def fit(self, shape: tuple[int, int], **place: Any) -> None:
        """Lie empty above an image, with ``scale`` and ``units`` of its layers."""
        self._overlay.fit(shape, **place)
        self._box = None

    def show(self, masks: Iterable[Mask]) -> None:
        """Show these masks and nothing else; what lies outside the image is cut off."""
        inside = [mask for mask in (m.inside(self._overlay.shape) for m in masks) if mask.area]
        box = around(*(mask.box for mask in inside))
        part = around(box, self._box)
        self._box = box
        if part is None:
            return
        values = np.zeros((part[2] - part[0], part[3] - part[1]), np.uint8)
        for number, mask in enumerate(inside):
            self._draw(values, mask, part, 1 + number % self._fills)
        self._overlay.write(values, part[0], part[1])

    def hide_empty(self) -> None:
        """Spare the window a layer to draw where no mask is shown."""
        if self._box is None:
            self._overlay.hide()

    def hide(self) -> None:
        """Show nothing, and spare the window a layer to draw."""
        self.show(())
        self._overlay.hide()

    def remove(self) -> None:
        """Take the layer away."""
        self._overlay.remove()
        self._box = None

    def _draw(self, values: NDArray[np.uint8], mask: Mask, part: Box, value: int) -> None:
        top, left = mask.top - part[0], mask.left - part[1]
        under = values[top : top + mask.crop.shape[0], left : left + mask.crop.shape[1]]
        under[mask.crop] = value
        if self._outlined:
            under[rim(mask.crop)] = self._fills + 1


def rim(crop: NDArray[np.bool_], width: int = WIDTH) -> NDArray[np.bool_]:
    """Return the pixels of a mask that are nearer to its outside than a width, in rows or columns.

    Parameters
    ----------
    crop : ndarray of bool and shape (rows, cols)
        The mask; outside of it there is nothing.
    width : int
        In pixels.
    """
    inner = crop
    for _ in range(width):
        padded = np.pad(inner, 1)
        inner = inner & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return crop & ~inner
