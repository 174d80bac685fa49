"""The table of instances, linked both ways with the selection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QSize,
    QSortFilterProxyModel,
    Qt,
    QTimer,
    Signal,
)  # fmt: skip
from qtpy.QtGui import QKeyEvent, QKeySequence, QShowEvent
from qtpy.QtWidgets import QAbstractItemView, QTableView, QWidget

from napari_particle_sam.gui.model.selection import Selection
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.table.choice_delegate import ChoiceDelegate
from napari_particle_sam.gui.table.instance_model import InstanceModel, runs

_FLAG = QItemSelectionModel.SelectionFlag
#: Rows that are always seen.
_ROWS = 3
#: Keys that walk through rows or edit them, and those that are held down with others.
_OWN = frozenset(
    {
        Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End,
        Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_F2,
        Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta,
    }
)  # fmt: skip


class SortedInstances(QSortFilterProxyModel):
    """Orders the rows of an `InstanceModel` by its own keys, numbers as numbers.

    Asking the model for each cell of each comparison takes three times as long.
    """

    def __init__(self, model: InstanceModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._instances = model
        self.setSourceModel(model)

    def lessThan(self, left: QModelIndex, right: QModelIndex) -> bool:
        """Return whether a row comes before another one."""
        keys = self._instances.sort_keys(left.column())
        return bool(keys[left.row()] < keys[right.row()])


class InstanceTable(QTableView):
    """Shows an `InstanceModel`; rows and instances are selected together.

    Parameters
    ----------
    model : InstanceModel
        What is shown.
    selection : Selection
        Which instances are selected.
    parent : QWidget, optional
        Its owner.

    Attributes
    ----------
    looked_at : Signal
        Emits the id of the one instance that was selected here, so that the canvas can go there.
    key_pressed : Signal
        Emits a `QKeySequence` that the table itself has no use for.
    """

    looked_at = Signal(int)
    key_pressed = Signal(object)

    def __init__(self, model: InstanceModel, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._instances, self._selection = model, selection
        self._linking = False
        self._sorted = SortedInstances(model, self)
        self.setModel(self._sorted)
        self.setItemDelegate(ChoiceDelegate(self))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self.catch_up)
        self._set_up()
        model.stale.connect(self._hurry)
        model.headerDataChanged.connect(self._fit_columns)
        self.selectionModel().selectionChanged.connect(self._selected_here)
        hear(selection.changed, self._selected_elsewhere)
        self._fit_columns()

    def _set_up(self) -> None:
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.DoubleClicked | trigger.EditKeyPressed)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        height = self.fontMetrics().height() + 6
        self.verticalHeader().setDefaultSectionSize(height)
        self.horizontalHeader().setSectionsMovable(True)
        self.setMinimumHeight(height * (_ROWS + 2))
        self.setToolTip(
            "All particles of the image. Click a heading to sort; buttons and keys act on the selected rows."
        )

    def catch_up(self) -> None:
        """Show the session and the selection as they stand."""
        self._linking = True
        try:
            self._instances.catch_up()
        finally:
            self._linking = False
        self._show_selection(self._selection.ids)

    def labels(self) -> list[int]:
        """Return the instances from the first row shown to the last."""
        return [self._label(row) for row in range(self._sorted.rowCount())]

    def chosen(self) -> list[int]:
        """Return the instances whose rows are selected, from the first row to the last."""
        return [self._label(row) for row in self._chosen_rows()]

    def sizeHint(self) -> QSize:
        """Return the smallest size: where there is more room, the panel stretches the table."""
        return QSize(super().sizeHint().width(), self.minimumHeight())

    def showEvent(self, event: QShowEvent) -> None:
        """Make up for what happened while nobody looked."""
        super().showEvent(event)
        self._timer.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep the keys that walk through rows, and hand on the others."""
        if event.key() in _OWN or event.matches(QKeySequence.StandardKey.SelectAll):
            super().keyPressEvent(event)
            return
        self.key_pressed.emit(_sequence(event))
        event.accept()

    def _hurry(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _fit_columns(self, *_: Any) -> None:
        """Give each column the room that its title and usual content need."""
        metrics, area = self.fontMetrics(), self._instances.column("area_um2")
        for column in range(self._instances.columnCount()):
            title = str(self._instances.headerData(column, Qt.Orientation.Horizontal))
            # The arrow of the sorted column stands beside the title.
            self.setColumnWidth(column, metrics.horizontalAdvance(max(title, "00000", key=len)) + 28)
        status = self._instances.column("status")
        self.setColumnWidth(status, metrics.horizontalAdvance("accepted in bulk") + 16)
        self.setColumnHidden(area, not self._instances.scaled)

    def _label(self, row: int) -> int:
        return self._instances.label(self._sorted.mapToSource(self._sorted.index(row, 0)).row())

    def _chosen_rows(self) -> list[int]:
        ranges = self.selectionModel().selection()
        return sorted({row for span in ranges for row in range(span.top(), span.bottom() + 1)})

    def _selected_here(self, *_: Any) -> None:
        if self._linking:
            return
        chosen = self.chosen()
        fresh = set(chosen)
        kept = [label for label in self._selection.ids if label in fresh]
        self._linking = True
        try:
            # What was selected first stays first: it gives a merged particle its number.
            self._selection.set([*kept, *chosen])
        finally:
            self._linking = False
        if len(chosen) == 1:
            self.looked_at.emit(chosen[0])

    def _selected_elsewhere(self, ids: tuple[int, ...]) -> None:
        if not self._linking and self.isVisible():
            self.catch_up()

    def _show_selection(self, ids: Iterable[int]) -> None:
        rows = [self._row(label) for label in ids]
        found = [row for row in rows if row >= 0]
        if sorted(found) == self._chosen_rows():
            return
        last, wanted = self._sorted.columnCount() - 1, QItemSelection()
        for top, bottom in runs(found):
            wanted.select(self._sorted.index(top, 0), self._sorted.index(bottom, last))
        self._linking = True
        try:
            self.selectionModel().select(wanted, _FLAG.ClearAndSelect)
        finally:
            self._linking = False
        if found:
            self._bring_into_view(found[-1])

    def _row(self, label: int) -> int:
        row = self._instances.row(label)
        return -1 if row < 0 else self._sorted.mapFromSource(self._instances.index(row, 0)).row()

    def _bring_into_view(self, row: int) -> None:
        """Show a row and let arrow keys go on from it."""
        bar = self.horizontalScrollBar()
        index, across = self._sorted.index(row, 0), bar.value()
        self.selectionModel().setCurrentIndex(index, _FLAG.NoUpdate)
        self.scrollTo(index)
        bar.setValue(across)


def _sequence(event: QKeyEvent) -> QKeySequence:
    """Return what was pressed as the table of keys writes it."""
    # One binding has numbers here, the other objects that hold them.
    key, modifiers = (getattr(each, "value", each) for each in (event.key(), event.modifiers()))
    key, modifiers = int(key), int(modifiers)
    if key == int(Qt.Key.Key_Return):
        key = int(Qt.Key.Key_Enter)
    if key == int(Qt.Key.Key_Question):
        # Which keyboards need Shift for it differs.
        modifiers = 0
    return QKeySequence(key | modifiers)
