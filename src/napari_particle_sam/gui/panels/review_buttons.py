"""Buttons that do what a key does, and show which tool is active."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtWidgets import QPushButton

from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.tools.help import shown_key

#: napari's own tools: their key and what they do.
BRUSHES = {
    "paint": ("2", "Paint on the selected particle, or a new one where none is; [ and ] change the brush"),
    "erase": ("1", "Erase from the selected particle, or from all where none is"),
    "fill": ("4", "Fill an area with the selected particle, or a new one where none is"),
    "polygon": ("3", "Draw a particle as a polygon, corner by corner; Enter closes it"),
}
#: Buttons whose key is that of another command, and what they do.
LOANS = {
    "select": ("end", "Select by clicks; Ctrl+click takes more, a click on the background none"),
    "split_automatically": (
        "split",
        "Split the selected particles at their necks; Enter keeps the parts",
    ),
}
TOOLS = frozenset({"select", "lasso", "split", "prompt", "region", "ignore"})


class ReviewButtons(QObject):
    """Makes the buttons and keeps them up to date.

    Parameters
    ----------
    workspace : Workspace
        Without an opened image nothing can be pressed.
    toolbox : Toolbox
        What carries commands out, and knows their keys.
    parent : QObject, optional
        Its owner.
    """

    def __init__(self, workspace: Workspace, toolbox: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._toolbox = workspace, toolbox
        self._made: dict[str, tuple[QPushButton, str]] = {}
        self._layer: Any = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self.refresh)
        hear(toolbox.active, self._soon)
        hear(toolbox.keys_changed, self.show_keys)
        hear(workspace.image_changed, self._soon)

    def make(self, name: str, text: str) -> QPushButton:
        """Return the button of a command, of a tool, or of one of napari's brushes.

        Parameters
        ----------
        name : str
            An id of the table of keys, or one of `LOANS` or `BRUSHES`.
        text : str
            What is read above the key, or around it where ``{key}`` stands.
        """
        button = plain_button()
        button.setCheckable(name in TOOLS or name in BRUSHES)
        button.clicked.connect(lambda: self.press(name))
        self._made[name] = button, text
        self._show_key(name)
        return button

    def press(self, name: str) -> None:
        """Do what a button stands for."""
        if name in BRUSHES:
            self._take_brush(name)
        elif name == "select":
            self._toolbox.activate("select")
        elif name == "split_automatically":
            self._toolbox.split_automatically()
        else:
            self._toolbox.run(name)
        self.refresh()

    def refresh(self) -> None:
        """Show which tool is active and what can be pressed."""
        self._listen()
        active = self._active()
        for name, (button, _) in self._made.items():
            button.setEnabled(self._possible(name))
            if button.isCheckable():
                button.setChecked(name == active)

    def button(self, name: str) -> QPushButton:
        """Return a button that was made."""
        return self._made[name][0]

    def show_keys(self) -> None:
        """Write the keys on the buttons as they are now."""
        for name in self._made:
            self._show_key(name)

    def _possible(self, name: str) -> bool:
        opened = self._workspace.opened
        if opened is None:
            return name == "help"
        # Where nothing is selected, the command says so, which helps more than a grey button.
        return {"undo": opened.session.can_undo, "redo": opened.session.can_redo}.get(name, True)

    def _active(self) -> str:
        mode = "" if self._layer is None else str(self._layer.mode)
        return mode if mode in BRUSHES else str(self._toolbox.current)

    def _take_brush(self, name: str) -> None:
        put_down = self._active() == name
        self._toolbox.activate("select")
        layer = self._toolbox.layer
        if layer is not None and not put_down:
            layer.mode = name

    def _listen(self) -> None:
        """Hear of brushes that are taken by napari's keys, on the layer that is there now."""
        layer = self._toolbox.layer
        if layer is not self._layer:
            self._layer = layer
            if layer is not None:
                hear(layer.events.mode, self._soon)

    def _soon(self, *_: Any) -> None:
        # The layer of another image may be a few calls away.
        self._timer.start()

    def _show_key(self, name: str) -> None:
        button, text = self._made[name]
        key, words = self._key(name)
        button.setText(text.format(key=key) if "{key}" in text else f"{text}\n{key}")
        button.setToolTip(f"{words} ({key}).")

    def _key(self, name: str) -> tuple[str, str]:
        if name in BRUSHES:
            return BRUSHES[name]
        command, words = LOANS.get(name, (name, ""))
        entry = next(entry for entry in self._toolbox.keys if entry.id == command)
        key = shown_key(entry.key)
        return (f"{key} {key}" if name == "split_automatically" else key), words or entry.words


def plain_button(text: str = "") -> QPushButton:
    """Return a button of two lines that leaves the keys to the canvas."""
    button = QPushButton(text)
    # After a click on "Add", Enter belongs to the tool.
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    # With the theme's padding the panel would not fit a small screen.
    button.setStyleSheet("padding: 1px 2px")
    return button
