"""What napari's brush paints with: the selected particle, or a new one."""

from __future__ import annotations

from typing import Any

from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.instances import LARGEST_ID
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.model.selection import Selection


class Brush:
    """Keeps the label that is painted with at the first selected instance, else at an unused one.

    Parameters
    ----------
    layer : napari.layers.Labels
        Of the particles.
    session : AnnotationSession
        Whose ids are in use.
    selection : Selection
        What is selected.
    """

    def __init__(self, layer: Any, session: AnnotationSession, selection: Selection) -> None:
        self._layer, self._session, self._selection = layer, session, selection
        self._erases_all = False
        selection.changed.connect(self._follow)
        session.changed.connect(self._session_changed)
        layer.events.mode.connect(self._protect)
        self._follow()

    def release(self) -> None:
        """Follow no more."""
        self._selection.changed.disconnect(self._follow)
        self._session.changed.disconnect(self._session_changed)
        self._layer.events.mode.disconnect(self._protect)

    def painted(self, change: Change) -> None:
        """Go on with the particle that a stroke began."""
        if len(change.added) == 1:
            self._selection.set(change.added)

    def _follow(self, ids: tuple[int, ...] = ()) -> None:
        ids = self._selection.ids
        self._layer.selected_label = ids[0] if ids else unused_id(self._session)
        self._protect()

    def _session_changed(self, change: Change) -> None:
        if self._layer.selected_label in change.added and not self._selection.ids:
            self._follow()

    def _protect(self, event: Any = None) -> None:
        # With labels preserved the eraser takes the selected particle only, and nothing without one.
        erases_all = str(self._layer.mode) == "erase" and not self._selection.ids
        if erases_all != self._erases_all:
            self._erases_all = erases_all
            self._layer.preserve_labels = not erases_all


def unused_id(session: AnnotationSession) -> int:
    """Return a label value that no instance has; 0, which erases, where all are taken."""
    above = max(session.instances, default=0) + 1
    if above <= LARGEST_ID:
        return above
    return next((i for i in range(1, LARGEST_ID) if i not in session.instances), 0)
