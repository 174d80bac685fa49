"""The layer of the particles: it shows the session, and what is painted on it becomes an action."""

from __future__ import annotations

from typing import Any

import numpy as np
from psygnal import Signal

from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.painting import painted_actions
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.canvas.later import Later
from napari_particle_sam.gui.canvas.raster import Box, around, window, write
from napari_particle_sam.gui.model.commands import Commands

NAME = "Particles"


class LabelBinding:
    """A Labels layer and the annotation that it shows, each following the other.

    What napari's own tools paint is taken in as one step of the session's history per stroke, in the
    next turn of the event loop.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where the layer is added.
    session : AnnotationSession
        Shown; the layer holds a copy of its raster.
    commands : Commands
        Applies what was painted, and undoes.
    name : str
        Of the layer.
    **place : Any
        ``scale`` and ``units`` of the layer.

    Attributes
    ----------
    layer : napari.layers.Labels
        The layer.
    painted : psygnal.Signal
        Emits the `Change` that a stroke made.
    replaced : psygnal.Signal
        Emits after somebody gave the layer another array; what differed was taken in, and the layer
        has to be made anew.
    """

    painted = Signal(object)
    replaced = Signal()

    def __init__(
        self, viewer: Any, session: AnnotationSession, commands: Commands, name: str = NAME, **place: Any
    ) -> None:
        self._session, self._commands = session, commands
        # What the layer would show without a stroke that is not taken in yet.
        self._known = session.labels.copy()
        self._raster = session.labels.copy()
        self._stroke: Box | None = None
        self._writing = False
        self._later = Later(self.take_in)
        self.layer = viewer.add_labels(self._raster, name=name, **place)
        self.layer.preserve_labels = True
        self._connect()

    def _connect(self) -> None:
        events = self.layer.events
        events.labels_update.connect(self._drawn)
        events.paint.connect(self._stroke_ended)
        events.data.connect(self._data_replaced)
        self._bind("Control-Z", lambda _: self._walk(self._commands.undo))
        self._bind("Control-Shift-Z", lambda _: self._walk(self._commands.redo))
        self._session.changed.connect(self._session_changed)

    def _bind(self, key: str, call: Any) -> None:
        # napari's own undo would change the layer behind the session's back.
        self.layer.bind_key(key, call, overwrite=True)

    def release(self) -> None:
        """Take in what was painted last, and follow no more."""
        self.take_in()
        self._session.changed.disconnect(self._session_changed)
        events = self.layer.events
        events.labels_update.disconnect(self._drawn)
        events.paint.disconnect(self._stroke_ended)
        events.data.disconnect(self._data_replaced)

    def take_in(self) -> Change | None:
        """Apply what was painted, and show what the session made of it.

        Returns
        -------
        Change or None
            None where nothing was painted, or it was refused.
        """
        self._later.stop()
        box, self._stroke = self._stroke, None
        # Commands act on the image that is open, which may be another one by now.
        if box is None or self._commands.session is not self._session:
            return None
        labels = np.asarray(self.layer.data)[window(box)].copy()
        action = painted_actions(labels, self._session, box[0], box[1])
        change = None if action is None else self._commands.apply(action)
        self._show(box)
        if change is not None:
            self.painted.emit(change)
        return change

    def _walk(self, call: Any) -> None:
        self.take_in()
        call()

    def _drawn(self, event: Any) -> None:
        if self._writing:
            return
        top, left = (int(start) for start in event.offset)
        rows, cols = event.data.shape[:2]
        self._stroke = around(self._stroke, (top, left, top + rows, left + cols))

    def _stroke_ended(self, event: Any = None) -> None:
        if not self._writing:
            # napari says so before the pixels are written, except at the end of a drag.
            self._later.start()

    def _data_replaced(self, event: Any = None) -> None:
        data = np.asarray(self.layer.data)
        if data is self._raster:
            return
        if data.shape == self._session.shape and data.dtype.kind in "iu":
            self._stroke = (0, 0, *self._session.shape)
            self.take_in()
        self.replaced.emit()

    def _session_changed(self, change: Change) -> None:
        if change.bbox is not None and (change.added or change.removed or change.modified):
            self._show(change.bbox)

    def _show(self, box: Box) -> None:
        """Make the layer the session's in a box, but for what is being painted at this moment."""
        at = window(box)
        labels, known, shown = self._session.labels[at], self._known[at], self.layer.data[at]
        if self._stroke is not None:
            labels = np.where(shown != known, shown, labels)
        self._writing = True
        try:
            if shown.shape == labels.shape:
                write(self.layer, labels, box[0], box[1])
        finally:
            self._writing = False
        known[:] = self._session.labels[at]
