"""A walk through what is likely wrong, the likeliest first, nothing twice in a round."""

from __future__ import annotations

from itertools import pairwise

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.suspects import Box, Suspect, find_suspects
from napari_particle_sam.gui.model.open_image import OpenImage
from napari_particle_sam.gui.model.workspace import Workspace

#: Half the width of what counts as a seam, in pixels.
SEAM = 1


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
        left = [suspect for suspect in self._suspects(opened) if _identity(suspect) not in self._shown]
        if not left and not self._shown:
            return None, "Nothing looks wrong here."
        if not left:
            self._shown.clear()
            return None, "All suspects were shown; the next one begins a new round."
        self._shown.add(_identity(left[0]))
        return left[0], ""

    def _suspects(self, opened: OpenImage) -> list[Suspect]:
        if self._workspace.blind:
            # What a model saw says nothing about test images.
            return find_suspects(opened.session)
        found = self._workspace.candidates
        seams = () if found is None else seams_of(found.candidates)
        return find_suspects(opened.session, self._workspace.lost, seams, self._workspace.missed)


def seams_of(candidates: Candidates) -> tuple[Box, ...]:
    """Return the lines in the middle of the overlaps of neighbouring tiles, as narrow boxes.

    Each tile prompts up to there, so a particle on such a line was put together from two of them.

    Parameters
    ----------
    candidates : Candidates
        What a model saw; none where it saw no tiles, or only parts of the image.

    Returns
    -------
    tuple of Box
        ``(top, left, bottom, right)`` from one side of the field of view to the other.
    """
    rows, cols = candidates.field_rows or candidates.shape[0], candidates.shape[1]
    whole, *tiles = candidates.frames or (None,)
    if whole is None or (whole.rows, whole.cols) != (rows, cols) or not tiles:
        return ()
    height, width = tiles[0].rows, tiles[0].cols
    if any((tile.rows, tile.cols) != (height, width) for tile in tiles):
        return ()
    across = _middles([tile.top for tile in tiles], height)
    down = _middles([tile.left for tile in tiles], width)
    return (
        *((row - SEAM, 0, row + SEAM, cols) for row in across),
        *((0, col - SEAM, rows, col + SEAM) for col in down),
    )


def _middles(starts: list[int], length: int) -> list[int]:
    """Return the middles of the overlaps of equal spans."""
    return [(first + length + second) // 2 for first, second in pairwise(sorted(set(starts)))]


def _identity(suspect: Suspect) -> object:
    return suspect.at if suspect.label is None else suspect.label
