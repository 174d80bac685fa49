"""A raster of a few colours above the particles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from napari_particle_sam.gui.canvas.place import add_beside, is_shown
from napari_particle_sam.gui.canvas.raster import write

#: Red, green, blue and opacity, 0 to 1.
Colour = tuple[float, float, float, float]


class Overlay:
    """A Labels layer of uint8 values that each have a colour; made by `fit`, or when it is needed first.

    Where the user deletes it, it comes back with the next thing that is to be shown.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where it is shown.
    shape : tuple of int
        ``(rows, cols)`` of the image.
    name : str
        Of the layer.
    colours : mapping of int to tuple of float
        From 1; 0 is transparent.
    above : napari.layers.Layer, optional
        The layer that it lies on; all others by default.
    **place : Any
        ``scale`` and ``units`` of the layer.
    """

    def __init__(
        self,
        viewer: Any,
        shape: tuple[int, int],
        name: str,
        colours: Mapping[int, Colour],
        above: Any = None,
        **place: Any,
    ) -> None:
        self._viewer, self.shape, self._name = viewer, shape, name
        self._colours, self._above, self._place = dict(colours), above, place
        self.layer: Any = None

    @property
    def there(self) -> bool:
        """Whether there is a layer."""
        return is_shown(self._viewer, self.layer)

    def write(self, values: NDArray[np.uint8], top: int = 0, left: int = 0) -> None:
        """Put values into a part of the raster.

        Parameters
        ----------
        values : ndarray of uint8 and shape (rows, cols)
            0 or a key of the colours.
        top, left : int
            ``(row, col)`` of the part's first pixel.
        """
        if self.there:
            write(self.layer, values, top, left)
            if not self.layer.visible and values.any():
                self.layer.visible = True
        elif values.any():
            raster = np.zeros(self.shape, np.uint8)
            raster[top : top + values.shape[0], left : left + values.shape[1]] = values
            self.layer = add_beside(self._viewer, lambda: self._add(raster))

    def fit(self, shape: tuple[int, int], **place: Any) -> None:
        """Lie empty above all other layers, for another image; hidden unless this made the layer."""
        self.shape, self._place = shape, place
        if not self.there:
            self.layer = add_beside(self._viewer, lambda: self._add(np.zeros(shape, np.uint8)))
            return
        self.layer.visible = False
        if self.layer.data.shape == shape:
            self.layer.data[...] = 0
        else:
            self.layer.data = np.zeros(shape, np.uint8)
        for name, value in place.items():
            setattr(self.layer, name, value)
        layers = self._viewer.layers
        layers.move(layers.index(self.layer), len(layers))

    def hide(self) -> None:
        """Show the layer no more until something is written."""
        if self.there:
            self.layer.visible = False

    def remove(self) -> None:
        """Take the layer away."""
        if self.there:
            self._viewer.layers.remove(self.layer)
        self.layer = None

    def _add(self, raster: NDArray[np.uint8]) -> Any:
        clear = (0.0, 0.0, 0.0, 0.0)
        colours: dict[int | None, Colour] = {None: clear, 0: clear}
        colours.update(self._colours.items())
        layer = self._viewer.add_labels(
            raster,
            name=self._name,
            opacity=1.0,
            colormap=DirectLabelColormap(color_dict=colours),
            **self._place,
        )
        layer.editable = False
        layers = self._viewer.layers
        if is_shown(self._viewer, self._above):
            layers.move(len(layers) - 1, layers.index(self._above) + 1)
        return layer
