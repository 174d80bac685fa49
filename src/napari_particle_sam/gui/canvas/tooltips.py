"""What napari says about a particle under the pointer."""

from __future__ import annotations

from typing import Any

from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.canvas.later import Later

#: Above this many instances there are no tooltips: making them would be felt.
MOST = 5000
_DELAY = 250


class Tooltips:
    """Keeps the features of the particles' layer.

    Parameters
    ----------
    layer : napari.layers.Labels
        Of the particles.
    session : AnnotationSession
        What is told about.
    """

    def __init__(self, layer: Any, session: AnnotationSession) -> None:
        self._layer, self._session = layer, session
        self._later = Later(self.fill, _DELAY)
        session.changed.connect(self._session_changed)
        self._later.start()

    def release(self) -> None:
        """Follow no more."""
        self._later.stop()
        self._session.changed.disconnect(self._session_changed)

    def fill(self) -> None:
        """Bring all features up to date."""
        if len(self._session.instances) <= MOST:
            self._layer.features = columns(self._session)
        elif len(self._layer.features):
            self._layer.features = {}

    def _session_changed(self, change: Change) -> None:
        if change.added or change.removed or change.modified:
            self._later.start()


def columns(session: AnnotationSession) -> dict[str, list[Any]]:
    """Return one list per feature, with a row per instance; ``index`` is the label value.

    The first row is the background's, of which there is nothing to say.
    """
    found = sorted(session.instances.values(), key=lambda instance: instance.id)
    return {
        "index": [0, *(i.id for i in found)],
        "status": [None, *(i.status for i in found)],
        "origin": [None, *(i.origin for i in found)],
        "predicted IoU": [None, *(_score(i.predicted_iou) for i in found)],
        "stability": [None, *(_score(i.stability) for i in found)],
        "area": [None, *(f"{i.mask.area} px" for i in found)],
    }


def _score(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"
