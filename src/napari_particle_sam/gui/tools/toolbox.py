"""One active tool at a time, and the keys, on the particles' layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psygnal import Signal
from qtpy.QtWidgets import QWidget

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.tools.catalogue import make_tools
from napari_particle_sam.gui.tools.dispatch import calls_of
from napari_particle_sam.gui.tools.grip import PAN_ZOOM, Grip
from napari_particle_sam.gui.tools.keyboard import Keyboard
from napari_particle_sam.gui.tools.keymap import KeyTable
from napari_particle_sam.gui.tools.mouse import Mouse
from napari_particle_sam.gui.tools.sketch import Sketch
from napari_particle_sam.gui.tools.tool import Desk, Tool
from napari_particle_sam.workflow.reviewing.models import ModelChoice, ModelShelf


class Toolbox:
    """The mouse and the keys of the window.

    Parameters
    ----------
    canvas : Canvas
        Has ``viewer``, ``show_preview``, ``clear_preview``, ``toggle_outlines``, ``toggle_numbers``.
    workspace : Workspace
        For image and selection.
    commands : Commands
        What keys and tools do.
    jobs : QObject
        The dock's jobs; its parent is the window above which questions are shown, unless `window` says.
    shelf : ModelShelf
        Where the model that draws is from.
    window : QWidget, optional
        A widget of the window, for "?" and Shift+1 to 9, which napari's keymaps cannot hold.
    keys : KeyTable, optional
        The user's own by default.

    Attributes
    ----------
    active : psygnal.Signal
        Emits the name of the tool that began.
    hint : psygnal.Signal
        Emits one line: what to do next; empty where there is nothing to say.
    box_drawn : psygnal.Signal
        Emits ``(top, left, bottom, right)`` of the box tool, the last two exclusive.
    keys_changed : psygnal.Signal
        Emits after a key was changed.
    choice : ModelChoice or None
        The model that draws; where None, what proposed the opened image, else the default.
    """

    active = Signal(str)
    hint = Signal(str)
    box_drawn = Signal(tuple)
    keys_changed = Signal()

    def __init__(
        self,
        canvas: Any,
        workspace: Workspace,
        commands: Commands,
        jobs: Any,
        shelf: ModelShelf,
        window: QWidget | None = None,
        keys: KeyTable | None = None,
    ) -> None:
        self.workspace, self.commands = workspace, commands
        self._viewer = canvas.viewer
        self._window = window if window is not None else _parent_of(jobs)
        self.keys = keys if keys is not None else KeyTable()
        self._remarks = self.keys.load()
        self.choice: ModelChoice | None = None
        self._desk = Desk(canvas, workspace, commands, Sketch(canvas.viewer), self.hint.emit, self.finish)
        self._tools = make_tools(
            self._desk, shelf, lambda: self.choice, lambda: self.keys.key_of("split"), self.box_drawn.emit,
            self._window,
        )  # fmt: skip
        self._tool: Tool = self._tools["select"]
        self._grip, self._mouse = Grip(canvas.viewer), Mouse(self._desk, self._hearing)
        self._keyboard = Keyboard(canvas.viewer, self.keys, self.run, self._grip.pan, self._window)
        self._calls = calls_of(self, canvas)
        workspace.image_changed.connect(self._image_changed)

    @property
    def current(self) -> str:
        """Name of the active tool."""
        return self._tool.name

    @property
    def layer(self) -> Any:
        """The layer that is listened to, None after `detach`."""
        return self._desk.layer

    def attach(self, layer: Any) -> None:
        """Listen to a Labels layer, and to no other any more."""
        if layer is self._desk.layer:
            return
        self.detach()
        self._desk.layer = layer
        self._mouse.attach(layer)
        layer.events.mode.connect(self._mode_changed)
        self._keyboard.attach(layer)
        for remark in self._remarks:
            self.workspace.said.emit(remark)
        self._remarks = []

    def detach(self) -> None:
        """End the tool and listen to nothing."""
        layer = self._desk.layer
        if layer is None:
            return
        self._switch(self._tools["select"])
        self._desk.sketch.remove()
        self._keyboard.detach()
        self._mouse.detach(layer)
        layer.events.mode.disconnect(self._mode_changed)
        self._desk.layer = None

    def activate(self, name: str) -> None:
        """Begin a tool; one that is active already begins anew.

        Raises
        ------
        BadValueError
            If there is no such tool.
        """
        if name not in self._tools:
            raise BadValueError(f"There is no tool '{name}'; choose one of {', '.join(self._tools)}.")
        layer = self._desk.layer
        if layer is None:
            self.workspace.said.emit("No image is open; open one first.")
            return
        layer.mode = PAN_ZOOM
        # A tool begun by a button must find its layer, or keys and mouse would go elsewhere.
        self._viewer.layers.selection.active = layer
        self._switch(self._tools[name])

    def press(self, name: str) -> None:
        """Begin a tool, or tell it that its key was pressed again."""
        if self.current == name:
            self._tool.again()
        else:
            self.activate(name)

    def split_automatically(self) -> None:
        """Show a split of the selected particles at their necks."""
        if self.current != "split":
            self.activate("split")
        if self.current == "split":
            self._tool.again()

    def run(self, command: str) -> None:
        """Carry out a command of the table of keys."""
        if command in self._calls:
            self._calls[command]()

    def finish(self) -> None:
        """End the active tool."""
        self._switch(self._tools["select"])

    def keep(self) -> None:
        """Keep what the active tool shows."""
        self._tool.keep()

    def escape(self) -> None:
        """Reject what the active tool shows, or end it where that is nothing."""
        if not self._tool.reject():
            self.finish()

    def forget_click(self) -> None:
        """Take the active tool's last click back."""
        self._tool.forget_click()

    def remap(self, command: str, key: str) -> None:
        """Give a command another key and write that down.

        Raises
        ------
        BadValueError
            If the key does something else already, here or in napari.
        BadFileError
            If the user's settings cannot be written; the key holds until the window closes.
        """
        self.finish()
        try:
            self._keyboard.remap(command, key)
        finally:
            self.keys_changed.emit()

    def show_help(self) -> None:
        """Show all keys."""
        self._keyboard.show_help()

    def _switch(self, tool: Tool) -> None:
        """End the active tool and begin another one."""
        old, layer = self._tool, self._desk.layer
        # First, so that an end that ends something else finds the new state.
        self._tool = tool
        old.end()
        if layer is None:
            return
        self._grip.take(layer, tool.draws)
        self._keyboard.wait(tool.draws)
        tool.begin()
        if self._tool is tool:
            self.active.emit(tool.name)

    def _hearing(self) -> Tool | None:
        layer = self._desk.layer
        ours = layer is not None and layer.mode == PAN_ZOOM and not self._grip.paused
        return self._tool if ours else None

    def _mode_changed(self) -> None:
        # One of napari's own tools was chosen.
        if self._desk.layer.mode != PAN_ZOOM and self._tool.draws:
            self.finish()

    def _image_changed(self) -> None:
        if self._tool.draws:
            self.finish()


def _parent_of(jobs: Any) -> QWidget | None:
    find: Callable[[], Any] | None = getattr(jobs, "parent", None)
    found = find() if callable(find) else None
    return found if isinstance(found, QWidget) else None
