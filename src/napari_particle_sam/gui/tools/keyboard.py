"""The keys of the table on the layer that is worked on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_particle_sam.gui.tools.help import HelpDialog
from napari_particle_sam.gui.tools.key_binding import KeyBinder
from napari_particle_sam.gui.tools.keymap import WAITING, KeyTable
from napari_particle_sam.gui.tools.napari_keys import keys_of_napari

#: Held down rather than pressed.
HELD = "pan"


class Keyboard:
    """Keys that hold while our layer is the active one; some only while a tool is active.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where the layer is.
    keys : KeyTable
        Which key gives which command.
    run : callable
        Takes the id of a command.
    pan : callable
        Bound to the key that is held down to move the image; a generator function.
    window : QWidget, optional
        A widget of the window; see `KeyBinder`.
    """

    def __init__(
        self,
        viewer: Any,
        keys: KeyTable,
        run: Callable[[str], None],
        pan: Callable[[Any], Any],
        window: QWidget | None,
    ) -> None:
        self.keys = keys
        self._viewer, self._pan, self._window = viewer, pan, window
        self._always, self._waiting = KeyBinder(run, window), KeyBinder(run, window)
        self._layer: Any = None
        self._help: HelpDialog | None = None

    def attach(self, layer: Any) -> None:
        """Put the keys on a layer."""
        self._layer = layer
        self._always.bind(layer, [entry for entry in self.keys if entry.group != WAITING])
        self._viewer.layers.selection.events.active.connect(self._active_changed)
        self._active_changed()

    def detach(self) -> None:
        """Take all keys off the layer."""
        self.wait(False)
        self._always.release()
        self._viewer.layers.selection.events.active.disconnect(self._active_changed)
        self._layer = None

    def wait(self, tool: bool) -> None:
        """Put the keys on the layer that hold while a tool is active, or take them off."""
        self._waiting.release()
        if self._layer is None:
            return
        if not tool:
            self._layer.bind_key(self.keys.key_of(HELD), None)
            return
        self._waiting.bind(self._layer, [e for e in self.keys if e.group == WAITING and e.id != HELD])
        self._layer.bind_key(self.keys.key_of(HELD), self._pan, overwrite=True)

    def remap(self, command: str, key: str) -> None:
        """Give a command another key; no tool may be active.

        Raises
        ------
        BadValueError
            If the key does something else already, here or in napari.
        BadFileError
            If the user's settings cannot be written; the key holds until the window closes.
        """
        layer = self._layer
        self.keys.remap(command, key, {} if layer is None else keys_of_napari(self._viewer, layer))
        if layer is not None:
            self.detach()
            self.attach(layer)
        self.keys.save()

    def show_help(self) -> HelpDialog:
        """Show all keys."""
        if self._help is not None:
            self._help.close()
            self._help.deleteLater()
        self._help = HelpDialog(self.keys, self._window)
        self._help.show()
        return self._help

    def _active_changed(self) -> None:
        active = self._viewer.layers.selection.active
        self._always.enable(active is not None and active == self._layer)
