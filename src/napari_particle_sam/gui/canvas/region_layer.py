"""What is not being reviewed is dimmed, what is ignored is hatched."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.regions import IGNORE, REVIEWED, UNKNOWN
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.canvas.overlay import Overlay
from napari_particle_sam.gui.canvas.raster import Box, window
from napari_particle_sam.gui.model.workspace import Workspace

NAME = "Regions"
DIM, TINT, LINE = 1, 2, 3
COLOURS = {DIM: (0.0, 0.0, 0.0, 0.5), TINT: (0.0, 0.0, 0.0, 0.35), LINE: (0.95, 0.55, 0.1, 0.55)}
#: Distance of the hatching's lines and their width along a row, in pixels of the image.
PITCH, LINE_WIDTH = 24, 3


class RegionLayer:
    """Follows the session's region map and the region that is being reviewed.

    A region that is being reviewed dims everything outside. Without one, what nobody has looked at is
    dimmed as soon as some part of the image is done.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where it is shown.
    session : AnnotationSession
        Whose region map is shown.
    workspace : Workspace
        For the region that is being reviewed.
    above : napari.layers.Layer, optional
        The layer that it lies on.
    **place : Any
        ``scale`` and ``units`` of the layer.
    """

    def __init__(
        self, viewer: Any, session: AnnotationSession, workspace: Workspace, above: Any = None, **place: Any
    ) -> None:
        self._session, self._workspace = session, workspace
        self._overlay = Overlay(viewer, session.shape, NAME, COLOURS, above, **place)
        self._begun = False
        session.changed.connect(self._session_changed)
        workspace.region_changed.connect(self._show)
        self._show()

    @property
    def layer(self) -> Any:
        """The layer, None where there is nothing to dim or hatch."""
        return self._overlay.layer

    def release(self) -> None:
        """Follow no more, and take the layer away."""
        self._session.changed.disconnect(self._session_changed)
        self._workspace.region_changed.disconnect(self._show)
        self._overlay.remove()

    def _session_changed(self, change: Change) -> None:
        if change.regions and change.bbox is not None:
            # The first reviewed pixel dims all others, the last one that goes brings them back.
            begun = self._begun
            self._show() if begun != self._look() else self._show_part(change.bbox)

    def _show(self) -> None:
        self._look()
        self._show_part((0, 0, *self._session.shape))

    def _look(self) -> bool:
        self._begun = bool((self._session.regions.values == REVIEWED).any())
        return self._begun

    def _show_part(self, box: Box) -> None:
        values = self._session.regions.values[window(box)]
        shades = np.zeros(values.shape, np.uint8)
        shades[self._outside(values, box)] = DIM
        ignored = values == IGNORE
        shades[ignored] = hatching(box)[ignored]
        self._overlay.write(shades, box[0], box[1])

    def _outside(self, values: NDArray[np.uint8], box: Box) -> NDArray[np.bool_]:
        region = self._workspace.region
        if region is None:
            unknown: NDArray[np.bool_] = (values == UNKNOWN) & self._begun
            return unknown
        outside = np.ones(self._session.shape, bool)
        outside[region.window] &= ~region.crop
        part: NDArray[np.bool_] = outside[window(box)]
        return part


def hatching(box: Box) -> NDArray[np.uint8]:
    """Return slanting lines that fit at the seams of any two boxes of an image."""
    top, left, bottom, right = box
    along = np.add.outer(np.arange(top, bottom) % PITCH, np.arange(left, right) % PITCH) % PITCH
    return np.where(along < LINE_WIDTH, LINE, TINT).astype(np.uint8)
