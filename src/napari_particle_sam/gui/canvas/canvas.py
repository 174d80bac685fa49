"""What is drawn in the viewer; the mouse belongs to the tools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psygnal import Signal

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.gui.canvas.later import Later
from napari_particle_sam.gui.canvas.marks import Marks
from napari_particle_sam.gui.canvas.place import look_at, place_of
from napari_particle_sam.gui.canvas.raster import Box
from napari_particle_sam.gui.canvas.stack import Stack
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace

#: Width of outlines, in pixels of the image.
OUTLINE = 2


class Canvas:
    """The layers of the opened image; another image brings others.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where they are shown; layers of others are left alone.
    workspace : Workspace
        What is open and selected.
    commands : Commands
        Applies what is painted.

    Attributes
    ----------
    layer_changed : psygnal.Signal
        Emits the particles' layer when there is another one, or None.
    """

    layer_changed = Signal(object)

    def __init__(self, viewer: Any, workspace: Workspace, commands: Commands) -> None:
        self.viewer, self._workspace, self._commands = viewer, workspace, commands
        self._stack: Stack | None = None
        self._marks = Marks(viewer)
        self._outlines = self._numbers = False
        self._mender = Later(self._rebuild)
        workspace.image_changed.connect(self._image_changed)
        workspace.project_changed.connect(self._facts_changed)
        viewer.layers.events.removed.connect(self._layer_removed)
        self._image_changed()

    @property
    def layer(self) -> Any:
        """The particles' layer, None while no image is open."""
        return None if self._stack is None else self._stack.labels

    def toggle_outlines(self) -> None:
        """Show outlines of the particles instead of filled ones, or the other way round."""
        self._outlines = not self._outlines
        if self._stack is not None:
            self._stack.labels.contour = OUTLINE if self._outlines else 0

    def toggle_numbers(self) -> None:
        """Write the particles' numbers on them, or do so no more."""
        if self._stack is not None:
            self._numbers = not self._stack.numbers.on
            self._stack.numbers.turn(self._numbers)

    def show_found(self, masks: Iterable[Mask]) -> None:
        """Show what a running job has found so far instead of what was there before; none ends that."""
        if self._stack is None:
            return
        shown = tuple(masks)
        if shown:
            self._marks.found.show(shown)
        else:
            self._marks.found.hide()

    def show_preview(self, masks: Iterable[Mask]) -> None:
        """Show masks that are not kept yet, instead of the ones before."""
        if self._stack is not None:
            self._marks.preview.show(masks)

    def clear_preview(self) -> None:
        """Show no preview any more."""
        self.show_preview(())

    def centre_on(self, target: Any) -> None:
        """Move the camera to a `Suspect`, or to a box ``(top, left, bottom, right)`` of pixels.

        It zooms only where the target would be too small to see or would not fit. None is left alone.
        """
        box: Box | None = getattr(target, "box", target)
        if self._stack is not None and box is not None:
            look_at(self.viewer, self._stack.labels, box)

    def take_in(self) -> None:
        """Apply what was painted in this turn of the event loop, without waiting for the next one."""
        if self._stack is not None:
            self._stack.binding.take_in()

    def close(self) -> None:
        """Take all layers away and follow the workspace no more."""
        self._workspace.image_changed.disconnect(self._image_changed)
        self._workspace.project_changed.disconnect(self._facts_changed)
        self.viewer.layers.events.removed.disconnect(self._layer_removed)
        self._mender.stop()
        self._take_down()
        self._marks.remove()

    def _image_changed(self) -> None:
        self._mender.stop()
        self._rebuild()
        if self._stack is not None:
            self.viewer.reset_view()

    def _rebuild(self) -> None:
        had_one = self._stack is not None
        self._take_down()
        if self._workspace.opened is not None:
            self._build()
        else:
            self._marks.remove()
        if had_one or self._stack is not None:
            self.layer_changed.emit(self.layer)

    def _build(self) -> None:
        opened = self._workspace.opened
        assert opened is not None
        self._stack = stack = Stack(self.viewer, self._workspace, self._commands, opened, self._marks)
        # Later: the layer that says so is the one that goes.
        stack.binding.replaced.connect(self._mender.start)
        stack.labels.contour = OUTLINE if self._outlines else 0
        stack.numbers.turn(self._numbers)
        bar = self.viewer.canvas.overlays.scale_bar
        bar.visible = opened.micrograph.pixel_size is not None

    def _take_down(self) -> None:
        if self._stack is not None:
            stack, self._stack = self._stack, None
            stack.release()

    def _facts_changed(self) -> None:
        """Follow the image's name and pixel size, which change while it stays open."""
        opened = self._workspace.opened
        if self._stack is None or opened is None or opened.session is not self._stack.session:
            return
        if place_of(opened.micrograph) != self._stack.place:
            self._image_changed()
        else:
            self._stack.rename()

    def _layer_removed(self, event: Any = None) -> None:
        if self._stack is not None and not self._stack.whole:
            # Not now: napari is in the midst of it, and others may have to go yet.
            self._mender.start()
