"""The layers that mark masks above any image: they stay while images come and go."""

from __future__ import annotations

from typing import Any

from napari_particle_sam.gui.canvas.later import Later
from napari_particle_sam.gui.canvas.mask_layer import MaskLayer

SELECTION, FOUND, PREVIEW = "Selection", "Found so far", "Preview"
_SELECTION_FILL, _SELECTION_OUTLINE = (1.0, 1.0, 1.0, 0.25), (1.0, 0.9, 0.1, 1.0)
_FOUND_FILLS = [
    (0.2, 0.7, 1.0, 0.45), (1.0, 0.5, 0.2, 0.45), (0.4, 0.9, 0.4, 0.45), (0.9, 0.4, 0.9, 0.45),
    (0.95, 0.9, 0.3, 0.45),
]  # fmt: skip
_PREVIEW_FILLS = [(0.2, 1.0, 0.9, 0.35), (1.0, 0.4, 0.8, 0.35), (0.7, 1.0, 0.3, 0.35)]
_PREVIEW_OUTLINE = (0.2, 1.0, 0.9, 1.0)
#: By then a new layer was drawn, in milliseconds.
FIRST_DRAW = 300


class Marks:
    """What is selected, found so far, and previewed.

    Napari takes up to half a second to add a layer and to draw it for the first time, so they are made and
    drawn empty with the first image, then hidden, and fitted to the next one; made when something is to be
    shown, each would freeze the window in the midst of work.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where they are shown.

    Attributes
    ----------
    selection, found, preview : MaskLayer
        In this order from below.
    """

    def __init__(self, viewer: Any) -> None:
        self.selection = MaskLayer(viewer, SELECTION, [_SELECTION_FILL], _SELECTION_OUTLINE)
        self.found = MaskLayer(viewer, FOUND, _FOUND_FILLS)
        self.preview = MaskLayer(viewer, PREVIEW, _PREVIEW_FILLS, _PREVIEW_OUTLINE)
        self._drawn = Later(self._hide, FIRST_DRAW)

    def fit(self, shape: tuple[int, int], **place: Any) -> None:
        """Lie empty above an image of a shape, with ``scale`` and ``units`` of its layers."""
        for masks in self._all:
            masks.fit(shape, **place)
        self._drawn.start()

    def remove(self) -> None:
        """Take the layers away."""
        self._drawn.stop()
        for masks in self._all:
            masks.remove()

    @property
    def _all(self) -> tuple[MaskLayer, ...]:
        return self.selection, self.found, self.preview

    def _hide(self) -> None:
        for masks in self._all:
            masks.hide_empty()
