"""A button that gives the selected particles one of the project's classes."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMenu, QPushButton, QWidget

from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.tools.help import shown_key
from napari_particle_sam.gui.tools.keymap import CLASSES


class ClassButton(QPushButton):
    """Opens a list of the classes with their keys.

    Parameters
    ----------
    commands : Commands
        Give the class, and their workspace has the project.
    toolbox : Toolbox
        Knows the keys.
    parent : QWidget, optional
        Its owner.
    """

    def __init__(self, commands: Commands, toolbox: Any, parent: QWidget | None = None) -> None:
        super().__init__("Class\n…", parent)
        self._commands, self._toolbox = commands, toolbox
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setStyleSheet("ClassButton { padding: 1px 2px }")
        self.setToolTip("Give the selected particles one of the project's classes; see Project below.")
        self.choices = QMenu(self)
        self.clicked.connect(self.open)
        hear(commands.workspace.project_changed, self.refresh)
        hear(commands.workspace.image_changed, self.refresh)
        hear(toolbox.keys_changed, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """List the project's classes."""
        workspace = self._commands.workspace
        self.setEnabled(workspace.opened is not None)
        self.choices.clear()
        classes = workspace.project.content.classes if workspace.project is not None else ()
        for number, name in enumerate(classes, start=1):
            key = self._key(number)
            # A single ampersand would underline the next letter; the tab puts the key to the right.
            action = self.choices.addAction(f"{name.replace('&', '&&')}\t{key}")
            action.triggered.connect(lambda _=False, n=number: self._commands.classify(n))

    def open(self) -> None:
        """Show the list below the button."""
        self.choices.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _key(self, number: int) -> str:
        return shown_key(self._toolbox.keys.key_of(f"class_{number}")) if number in CLASSES else ""
