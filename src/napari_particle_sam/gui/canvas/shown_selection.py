"""What is selected, brightly outlined."""

from __future__ import annotations

from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.canvas.mask_layer import MaskLayer
from napari_particle_sam.gui.model.selection import Selection


class ShownSelection:
    """Follows the selection and the outlines of what is selected.

    Parameters
    ----------
    masks : MaskLayer
        Where it is shown.
    session : AnnotationSession
        Whose instances are selected.
    selection : Selection
        Which ones.
    """

    def __init__(self, masks: MaskLayer, session: AnnotationSession, selection: Selection) -> None:
        self._masks, self._session, self._selection = masks, session, selection
        selection.changed.connect(self._show)
        session.changed.connect(self._session_changed)
        self._show()

    def release(self) -> None:
        """Follow no more."""
        self._selection.changed.disconnect(self._show)
        self._session.changed.disconnect(self._session_changed)

    def _show(self, ids: tuple[int, ...] = ()) -> None:
        instances = self._session.instances
        self._masks.show(instances[i].mask for i in self._selection.ids if i in instances)

    def _session_changed(self, change: Change) -> None:
        ids = self._selection.ids
        if ids and not set(ids).isdisjoint((*change.added, *change.removed, *change.modified)):
            self._show()
