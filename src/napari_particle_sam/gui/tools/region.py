"""Drawing what is to be reviewed, what is to be ignored, and a box to run on."""

from __future__ import annotations

from collections.abc import Callable

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import IGNORE, UNKNOWN
from napari_particle_sam.gui.tools.outlines import Box, box_corners, box_mask, box_of, outline_mask
from napari_particle_sam.gui.tools.select import CTRL, SHIFT
from napari_particle_sam.gui.tools.tool import Desk, Path, Tool

#: Smaller areas are a slip of the hand, in pixels.
_SMALLEST = 16


class AreaTool(Tool):
    """Drags draw an outline, with Shift a rectangle."""

    def drawing(self, path: Path, modifiers: frozenset[str]) -> None:
        """Show the outline."""
        self.desk.draw(box_corners(path) if SHIFT in modifiers else path)

    def drawn(self, path: Path, modifiers: frozenset[str]) -> None:
        """Use the area, or say that there is none."""
        session = self.desk.session
        self.desk.sketch.clear()
        if session is None:
            return
        shape = session.shape
        area = box_mask(box_of(path, shape)) if SHIFT in modifiers else outline_mask(path, shape)
        if area.area < _SMALLEST:
            self.desk.workspace.said.emit("The area holds too few pixels; draw around more of the image.")
            return
        self.use(area, modifiers)

    def use(self, area: Mask, modifiers: frozenset[str]) -> None:
        """Do what the area was drawn for."""


class RegionTool(AreaTool):
    """Says which part is to be reviewed; the rest is dimmed."""

    name = "region"
    words = (
        "Draw around what you will review; with Shift a rectangle. A click takes the whole image. Esc ends."
    )

    def click(self, at: tuple[float, float], modifiers: frozenset[str]) -> None:
        """Review the whole image again."""
        self.desk.workspace.set_region(None)
        self.desk.finish()

    def use(self, area: Mask, modifiers: frozenset[str]) -> None:
        """Review this part."""
        self.desk.workspace.set_region(area)
        self.desk.finish()


class IgnoreTool(AreaTool):
    """Says what is to be ignored, or with Ctrl no longer."""

    name = "ignore"
    words = "Draw around what is to be ignored; with Shift a rectangle, with Ctrl to take it back. Esc ends."

    def use(self, area: Mask, modifiers: frozenset[str]) -> None:
        """Mark the area; with Ctrl take back what of it is ignored."""
        session = self.desk.session
        if session is None:
            return
        if CTRL not in modifiers:
            self.desk.commands.mark_region(area, IGNORE)
            return
        ignored = area.crop & (session.regions.values[area.window] == IGNORE)
        back = Mask.from_array(ignored, area.top, area.left)
        if back.area:
            self.desk.commands.mark_region(back, UNKNOWN)
        else:
            self.desk.workspace.said.emit("Nothing is ignored there.")


class BoxTool(Tool):
    """Asks for one rectangle."""

    name = "box"
    words = "Drag a rectangle around the part that is meant. Esc ends."

    def __init__(self, desk: Desk, use: Callable[[Box], None]) -> None:
        super().__init__(desk)
        self._use = use

    def drawing(self, path: Path, modifiers: frozenset[str]) -> None:
        """Show the rectangle."""
        self.desk.draw(box_corners(path))

    def drawn(self, path: Path, modifiers: frozenset[str]) -> None:
        """Hand the rectangle over and end."""
        session = self.desk.session
        box = None if session is None else box_of(path, session.shape)
        self.desk.finish()
        if box is not None and box_mask(box).area >= _SMALLEST:
            self._use(box)
        else:
            self.desk.workspace.said.emit("The rectangle holds too few pixels; drag a larger one.")
