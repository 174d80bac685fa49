"""The table of keys as a window."""

from __future__ import annotations

from itertools import groupby

from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_particle_sam.gui.tools.keymap import DECIDE, EDIT, LOOK, REGIONS, WAITING, KeyEntry, KeyTable

MOUSE = (
    ("Click", "Select a particle; background selects nothing"),
    ("Ctrl+click", "Select one more, or one less"),
    ("Drag", "Move the image, or draw while a tool is active"),
    ("Wheel", "Zoom"),
)
NAPARI = (
    ("2", "Paint; 1 erases, 4 fills, 3 draws a polygon, 6 goes back to selecting"),
    ("M", "Paint a new particle"),
    ("[ and ]", "Smaller and larger brush"),
)


def shown_key(key: str) -> str:
    """Return a key as this computer's keyboard calls it."""
    if key == "?":
        return key
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) or key


class HelpDialog(QDialog):
    """All keys, by what they are for.

    Parameters
    ----------
    keys : KeyTable
        What is shown, as it stands.
    parent : QWidget, optional
        The window.
    """

    def __init__(self, keys: KeyTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        self.tree = QTreeWidget()
        self.tree.setColumnCount(2)
        self.tree.setHeaderLabels(["Key", "What it does"])
        self.tree.setToolTip("Keys hold while the particles' layer is the active one.")
        self._fill(keys)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.tree)
        layout.addWidget(close)
        self.resize(560, 640)

    def _fill(self, keys: KeyTable) -> None:
        for group, entries in groupby(sorted(keys, key=_place), lambda entry: entry.group):
            self._add(group, [(shown_key(entry.key), entry.words) for entry in entries])
            if group == LOOK:
                self._add("Mouse", list(MOUSE))
        self._add("napari's own tools", list(NAPARI))
        self.tree.expandAll()
        self.tree.resizeColumnToContents(0)

    def _add(self, heading: str, rows: list[tuple[str, str]]) -> None:
        top = QTreeWidgetItem(self.tree, [heading, ""])
        top.setFirstColumnSpanned(True)
        for row in rows:
            QTreeWidgetItem(top, list(row))


def _place(entry: KeyEntry) -> int:
    return (EDIT, DECIDE, REGIONS, LOOK, WAITING).index(entry.group)
