"""What every tool has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.tools.sketch import Sketch

Path = NDArray[np.float64]


@dataclass(eq=False)
class Desk:
    """What the tools work with.

    Attributes
    ----------
    canvas : Canvas
        For previews.
    workspace : Workspace
        For image and selection.
    commands : Commands
        For everything that is done.
    sketch : Sketch
        For lines and clicks.
    hint : callable
        Takes the line that says what to do next.
    finish : callable
        Ends the active tool.
    layer : napari.layers.Labels or None
        Where mouse and keys are listened to.
    pixel : float
        How many pixels of the image one pixel of the screen covers.
    """

    canvas: Any
    workspace: Workspace
    commands: Commands
    sketch: Sketch
    hint: Callable[[str], None]
    finish: Callable[[], None]
    layer: Any = None
    pixel: float = field(default=1.0)

    @property
    def session(self) -> AnnotationSession | None:
        """The annotation of the opened image."""
        return self.commands.session

    def draw(self, path: Path | None, clicks: Any = ()) -> None:
        """Show a line and clicks over the image."""
        if self.layer is not None:
            self.sketch.draw(self.layer, path, clicks, self.pixel)


class Tool:
    """Hears clicks and drags while it is the active one.

    Attributes
    ----------
    name : str
        For `Toolbox.activate`.
    draws : bool
        Whether drags are the tool's; else they move the image.
    words : str
        What to do next, shown when the tool begins.
    """

    name: ClassVar[str] = ""
    draws: ClassVar[bool] = True
    words: ClassVar[str] = ""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def begin(self) -> None:
        """Become the active tool."""
        self.desk.hint(self.words)

    def end(self) -> None:
        """Give up what was not kept."""
        self.desk.sketch.clear()

    def click(self, at: tuple[float, float], modifiers: frozenset[str]) -> None:
        """Hear a click at ``(row, col)``, in pixels of the image."""

    def drawing(self, path: Path, modifiers: frozenset[str]) -> None:
        """Hear a drag that goes on; `path` has the shape (points, 2)."""
        self.desk.draw(path)

    def drawn(self, path: Path, modifiers: frozenset[str]) -> None:
        """Hear the end of a drag."""

    def hover(self, at: tuple[float, float]) -> None:
        """Hear the pointer move without a button."""

    def keep(self) -> None:
        """Keep what is shown."""

    def reject(self) -> bool:
        """Drop what is shown; False where there is nothing."""
        return False

    def again(self) -> None:
        """Hear the tool's own key once more."""

    def forget_click(self) -> None:
        """Take the last click back."""
