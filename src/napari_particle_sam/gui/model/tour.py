"""A walk through what is likely wrong, the likeliest first, nothing twice in a round."""

from __future__ import annotations

from napari_particle_sam.annotation.suspects import Suspect, find_suspects
from napari_particle_sam.gui.model.open_image import OpenImage
from napari_particle_sam.gui.model.workspace import Workspace


class Tour:
    """Remembers what was shown of the opened image.

    Parameters
    ----------
    workspace : Workspace
        Whose opened image is walked through.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._image: OpenImage | None = None
        self._shown: set[object] = set()

    def next(self) -> tuple[Suspect | None, str]:
        """Return the next suspect, and a sentence where one is due."""
        opened = self._workspace.opened
        if opened is None:
            return None, "No image is open; open one first."
        if self._image is None or self._image.session is not opened.session:
            self._image, self._shown = opened, set()
        found = find_suspects(opened.session, missed=self._workspace.missed)
        left = [suspect for suspect in found if _identity(suspect) not in self._shown]
        if not left and not self._shown:
            return None, "Nothing looks wrong here."
        if not left:
            self._shown.clear()
            return None, "All suspects were shown; the next one begins a new round."
        self._shown.add(_identity(left[0]))
        return left[0], ""


def _identity(suspect: Suspect) -> object:
    return suspect.at if suspect.label is None else suspect.label
