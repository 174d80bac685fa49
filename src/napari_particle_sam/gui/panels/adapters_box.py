"""The list of a project's adapters: which there are, where they come from, and which is used."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_particle_sam.gui.forms import more_button
from napari_particle_sam.gui.panels.adapters import TOLD, Lineage, list_adapters

NONE = "No adapter yet: the first training that gains writes one."


class AdaptersBox(QWidget):
    """All adapters of a project with their lineage.

    Attributes
    ----------
    adapter_chosen : Signal
        Emits an adapter's folder, or None for the base.
    """

    adapter_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._root: Path | None = None
        self.found: list[Lineage] = []
        self._build()
        self._lay_out()
        self.set_project(None)

    def _build(self) -> None:
        self.table = QTreeWidget()
        self.table.setHeaderLabels(["Adapter", TOLD, "Images", "Date", "Base"])
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setMaximumHeight(140)
        self.table.setToolTip("Every training that gained; none is ever overwritten.")
        self.table.itemSelectionChanged.connect(self._selected)
        self.table.itemDoubleClicked.connect(lambda *_: self._use())
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip("Where the selected adapter comes from.")
        self.use, self.base = QPushButton("Use"), QPushButton("Back to the base")
        self.use.setToolTip("Propose with the selected adapter from now on.")
        self.base.setToolTip("Propose with the model as it is without any adapter.")
        self.use.clicked.connect(self._use)
        self.base.clicked.connect(lambda: self.adapter_chosen.emit(None))

    def _lay_out(self) -> None:
        self._inner = QWidget()
        inner = QVBoxLayout(self._inner)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.table)
        inner.addWidget(self.words)
        row = QHBoxLayout()
        row.addWidget(self.use)
        row.addWidget(self.base)
        inner.addLayout(row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.more = more_button(self._inner, "Adapters")
        layout.addWidget(self.more)
        layout.addWidget(self._inner)

    def set_project(self, root: Path | None) -> None:
        """Show the adapters of a project's folder, None for none."""
        self._root = root
        self.refresh()

    def refresh(self) -> None:
        """Read the list again."""
        self.found = [] if self._root is None else list_adapters(self._root)
        self.table.clear()
        for lineage in self.found:
            self.table.addTopLevelItem(_row(lineage))
        for column in range(self.table.columnCount()):
            self.table.resizeColumnToContents(column)
        self.more.setText(f"Adapters ({len(self.found)})")
        self._selected()

    def _lineage(self) -> Lineage | None:
        chosen = self.table.selectedItems()
        return self.found[self.table.indexOfTopLevelItem(chosen[0])] if chosen else None

    def _selected(self) -> None:
        lineage = self._lineage()
        self.use.setEnabled(lineage is not None)
        self.words.setText(lineage.words if lineage is not None else "" if self.found else NONE)

    def _use(self) -> None:
        lineage = self._lineage()
        if lineage is not None:
            self.adapter_chosen.emit(lineage.folder)


def _row(lineage: Lineage) -> QTreeWidgetItem:
    made = QTreeWidgetItem([
        lineage.name, lineage.change, str(lineage.images), f"{lineage.created:%Y-%m-%d %H:%M}", lineage.base,
    ])  # fmt: skip
    for column in range(made.columnCount()):
        made.setToolTip(column, lineage.words)
    return made
