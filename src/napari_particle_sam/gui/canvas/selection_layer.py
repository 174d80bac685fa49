"""What is selected, brightly outlined."""

from __future__ import annotations

from typing import Any

from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.canvas.mask_layer import MaskLayer
from napari_particle_sam.gui.model.selection import Selection

NAME = "Selection"
FILL, OUTLINE = (1.0, 1.0, 1.0, 0.25), (1.0, 0.9, 0.1, 1.0)


class SelectionLayer:
    """Follows the selection and the outlines of what is selected.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where it is shown.
    session : AnnotationSession
        Whose instances are selected.
    selection : Selection
        Which ones.
    **place : Any
        ``scale`` and ``units`` of the layer.
    """

    def __init__(self, viewer: Any, session: AnnotationSession, selection: Selection, **place: Any) -> None:
        self._session, self._selection = session, selection
        self._masks = MaskLayer(viewer, session.shape, NAME, [FILL], OUTLINE, **place)
        selection.changed.connect(self._show)
        session.changed.connect(self._session_changed)
        self._show()

    @property
    def layer(self) -> Any:
        """The layer, None before the first selection."""
        return self._masks.layer

    def release(self) -> None:
        """Follow no more, and take the layer away."""
        self._selection.changed.disconnect(self._show)
        self._session.changed.disconnect(self._session_changed)
        self._masks.remove()

    def _show(self, ids: tuple[int, ...] = ()) -> None:
        instances = self._session.instances
        self._masks.show(instances[i].mask for i in self._selection.ids if i in instances)

    def _session_changed(self, change: Change) -> None:
        ids = self._selection.ids
        if ids and not set(ids).isdisjoint((*change.added, *change.removed, *change.modified)):
            self._show()
