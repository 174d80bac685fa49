"""Showing where the tour through suspects is."""

from __future__ import annotations

from typing import Any

from napari_particle_sam.annotation.suspects import Suspect
from napari_particle_sam.gui.canvas.canvas import Canvas
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.review_panel import suspect_words
from napari_particle_sam.gui.status_line import StatusLine

#: What to do about a particle that has no mask.
ADD = "A and a click add it."


class SuspectMarker:
    """Brings a suspect into view, says why, and draws a particle that may be missing.

    Parameters
    ----------
    workspace : Workspace
        Which particles may be missing.
    commands : Commands
        Whose suspects are shown.
    canvas : Canvas
        Where.
    status : StatusLine
        Says why.
    """

    def __init__(self, workspace: Workspace, commands: Commands, canvas: Canvas, status: StatusLine) -> None:
        self._workspace, self._canvas, self._status = workspace, canvas, status
        self._drawn = False
        commands.suspect_changed.connect(self._show)
        workspace.image_changed.connect(self._image_changed)

    def _show(self, suspect: Suspect | None) -> None:
        self._clear()
        if suspect is None:
            return
        self._canvas.centre_on(suspect)
        words = suspect_words(suspect)
        if suspect.label is None:
            self._draw(suspect)
            words = f"{words} {ADD}"
        self._status.say(words)

    def _draw(self, suspect: Suspect) -> None:
        masks = [mask for mask in self._workspace.missed if mask.box == suspect.box]
        opened = self._workspace.opened
        if not masks or opened is None:
            return
        self._canvas.show_preview(masks[:1])
        self._drawn = True
        opened.session.changed.connect(self._clear, max_args=0)

    def _clear(self) -> None:
        if not self._drawn:
            return
        self._drawn = False
        if self._workspace.opened is not None:
            self._workspace.opened.session.changed.disconnect(self._clear, missing_ok=True)
        self._canvas.clear_preview()

    def _image_changed(self, *_: Any) -> None:
        # The drawing went with its image.
        self._drawn = False
