"""The particles' numbers, written on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.canvas.later import Later
from napari_particle_sam.gui.canvas.place import add_beside, is_shown
from napari_particle_sam.gui.canvas.raster import Box

NAME = "Numbers"
#: More numbers at a time could neither be read nor drawn quickly.
MOST = 500
_DELAY = 120


class NumberLayer:
    """Writes the ids of the largest particles in view, while it is on.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where it is shown.
    session : AnnotationSession
        Whose instances are numbered.
    below : napari.layers.Labels
        The particles' layer, which knows what is in view.
    **place : Any
        ``scale`` and ``units`` of the layer.
    """

    def __init__(self, viewer: Any, session: AnnotationSession, below: Any, **place: Any) -> None:
        self._viewer, self._session, self._below, self._place = viewer, session, below, place
        self._later = Later(self.write, _DELAY)
        self.layer: Any = None
        session.changed.connect(self._ask)
        viewer.scene.camera.events.center.connect(self._ask)
        viewer.scene.camera.events.zoom.connect(self._ask)

    @property
    def on(self) -> bool:
        """Whether numbers are shown; False after the user deleted the layer."""
        return is_shown(self._viewer, self.layer)

    def turn(self, on: bool) -> None:
        """Show or hide the numbers."""
        if on and not self.on:
            self._add()
            self.write()
        elif not on and self.on:
            self._viewer.layers.remove(self.layer)
            self.layer = None

    def release(self) -> None:
        """Follow no more, and take the layer away."""
        self._later.stop()
        self._session.changed.disconnect(self._ask)
        self._viewer.scene.camera.events.center.disconnect(self._ask)
        self._viewer.scene.camera.events.zoom.disconnect(self._ask)
        self.turn(False)

    def write(self) -> None:
        """Write the numbers of what is in view now."""
        if not self.on:
            return
        chosen = largest_in(self._session, self._view())
        places = np.array([anchor(instance.mask) for instance in chosen]).reshape(-1, 2)
        self.layer.data = places
        self.layer.features = {"id": np.array([instance.id for instance in chosen], int)}
        # New points are selected ones, and napari would draw them so.
        self.layer.selected_data = set()

    def _ask(self, *_: object) -> None:
        if self.on:
            self._later.start()

    def _view(self) -> Box:
        rows, cols = self._session.shape
        (top, left), (bottom, right) = np.asarray(self._below.corner_pixels)[:, -2:].tolist()
        if bottom <= top or right <= left:
            return 0, 0, rows, cols
        return top, left, min(bottom + 1, rows), min(right + 1, cols)

    def _add(self) -> None:
        text = {"string": "{id}", "size": 9, "color": "white", "anchor": "center"}
        self.layer = add_beside(
            self._viewer,
            lambda: self._viewer.add_points(
                np.zeros((0, 2)), name=NAME, features={"id": np.zeros(0, int)}, text=text, size=1,
                face_color="transparent", border_color="transparent", **self._place,
            ),
        )  # fmt: skip
        self.layer.editable = False


def largest_in(session: AnnotationSession, view: Box, most: int = MOST) -> list[Instance]:
    """Return the largest instances whose boxes reach into a part of the image, at most so many."""
    top, left, bottom, right = view
    found = []
    for instance in session.instances.values():
        box = instance.mask.box
        if box[0] < bottom and box[2] > top and box[1] < right and box[3] > left:
            found.append(instance)
    if len(found) > most:
        found.sort(key=lambda instance: -instance.mask.area)
    return found[:most]


def anchor(mask: Mask) -> tuple[float, float]:
    """Return the pixel of a mask that is nearest to its centroid, as ``(row, col)``."""
    at = np.argwhere(mask.crop)
    nearest = at[np.argmin(((at - at.mean(0)) ** 2).sum(1))]
    return mask.top + float(nearest[0]), mask.left + float(nearest[1])
