"""Selecting instances by clicks and outlines."""

from __future__ import annotations

import math
from collections.abc import Iterable

from napari_particle_sam.gui.tools.outlines import enclosed, outline_mask
from napari_particle_sam.gui.tools.tool import Desk, Path, Tool

CTRL, SHIFT = "Control", "Shift"


def instance_at(desk: Desk, at: tuple[float, float]) -> int:
    """Return the instance under ``(row, col)``; 0 for background and outside the image."""
    session = desk.session
    row, col = math.floor(at[0] + 0.5), math.floor(at[1] + 0.5)
    if session is None or not (0 <= row < session.shape[0] and 0 <= col < session.shape[1]):
        return 0
    return int(session.labels[row, col])


def select_at(desk: Desk, at: tuple[float, float], modifiers: Iterable[str] = ()) -> int:
    """Select what lies at a place: alone, or with Ctrl beside the others; background clears."""
    label, selection = instance_at(desk, at), desk.workspace.selection
    if CTRL not in modifiers:
        selection.set((label,) if label else ())
    elif label:
        selection.toggle(label)
    return label


class SelectTool(Tool):
    """Clicks select; drags move the image."""

    name, draws = "select", False

    def click(self, at: tuple[float, float], modifiers: frozenset[str]) -> None:
        """Select what was clicked."""
        select_at(self.desk, at, modifiers)


class LassoTool(Tool):
    """Selects everything of which more than half lies inside an outline."""

    name = "lasso"
    words = "Draw around particles to select them; with Ctrl they are added. Esc ends."

    def click(self, at: tuple[float, float], modifiers: frozenset[str]) -> None:
        """Select what was clicked."""
        select_at(self.desk, at, modifiers)

    def drawn(self, path: Path, modifiers: frozenset[str]) -> None:
        """Select what is inside, and end."""
        session = self.desk.session
        if session is not None:
            ids = enclosed(session, outline_mask(path, session.shape))
            selection = self.desk.workspace.selection
            if CTRL in modifiers:
                selection.add(ids)
            else:
                selection.set(ids)
        self.desk.finish()
