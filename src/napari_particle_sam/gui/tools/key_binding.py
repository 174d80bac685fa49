"""Keys of the table put on a layer, and taken off again."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

from napari_particle_sam.gui.tools.keymap import KeyEntry, seen_by_qt_only


class KeyBinder:
    """Binds keys on a layer, so that they hold while it is the active one.

    Parameters
    ----------
    run : callable
        Takes the id of a command.
    window : QWidget, optional
        Any widget of the window. Qt looks out for the few keys that napari's keymaps cannot hold; without
        a window these do nothing.
    """

    def __init__(self, run: Callable[[str], None], window: QWidget | None = None) -> None:
        self._run, self._window = run, window
        self._layer: Any = None
        self._keys: list[str] = []
        self._shortcuts: list[QShortcut] = []

    def bind(self, layer: Any, entries: Iterable[KeyEntry]) -> None:
        """Put keys on a layer beside those that are there."""
        self._layer = layer
        for entry in entries:
            if seen_by_qt_only(entry.key):
                self._watch(entry)
            else:
                layer.bind_key(entry.key, self._caller(entry.id), overwrite=True)
                self._keys.append(entry.key)

    def release(self) -> None:
        """Take all keys off again."""
        for key in self._keys:
            self._layer.bind_key(key, None)
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._layer, self._keys, self._shortcuts = None, [], []

    def enable(self, active: bool) -> None:
        """Let the keys that Qt looks out for hold or not."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(active)

    def _caller(self, command: str) -> Callable[[Any], None]:
        def call(_layer: Any) -> None:
            self._run(command)

        call.__name__ = f"particle_sam_{command}"
        return call

    def _watch(self, entry: KeyEntry) -> None:
        if self._window is None:
            return
        shortcut = QShortcut(QKeySequence(entry.key), self._window)
        shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(_weakly(self, entry.id))
        self._shortcuts.append(shortcut)

    def call(self, command: str) -> None:
        """Give a command."""
        self._run(command)


def _weakly(binder: KeyBinder, command: str) -> Callable[[], None]:
    """Return a call that keeps nothing alive: Qt lets go of it at some later turn of its loop."""
    found = weakref.ref(binder)

    def call() -> None:
        alive = found()
        if alive is not None:
            alive.call(command)

    return call
