"""The instances of the opened image as a Qt table that follows every edit."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal

from napari_particle_sam.annotation.actions import (
    Accept,
    Action,
    Classify,
    SetCompleteness,
    SetNote,
    SetStatus,
)  # fmt: skip
from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.open_image import OpenImage
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.table.columns import Column, Value, columns
from napari_particle_sam.storage.project.project import Project

_ROLE = Qt.ItemDataRole
_DISPLAY, _EDIT, _ALIGN, _TOOLTIP = (
    int(role) for role in (_ROLE.DisplayRole, _ROLE.EditRole, _ROLE.TextAlignmentRole, _ROLE.ToolTipRole)
)  # fmt: skip
#: The values that a cell may take, with their words; None where any text will do.
CHOICES_ROLE = int(_ROLE.UserRole) + 1
#: More rows than these are not inserted or removed one after the other.
FEW = 64
# As a number: a combination of flags does not survive the way through Qt in every binding.
_RIGHT = 0x82


class InstanceModel(QAbstractTableModel):
    """One row per instance by ascending id, one column per entry of `columns.columns`.

    It shows what it last caught up with, so that a slider that moves does not rebuild rows nobody sees.

    Parameters
    ----------
    workspace : Workspace
        Whose opened image is shown.
    commands : Commands
        Through which cells are changed.
    parent : QObject, optional
        Its owner.

    Attributes
    ----------
    stale : Signal
        The session has changed; somebody should call `catch_up` soon.
    """

    stale = Signal()

    def __init__(self, workspace: Workspace, commands: Commands, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._commands = workspace, commands
        self._session: AnnotationSession | None = None
        self._ids: list[int] = []
        self._instances: list[Instance] = []
        self._touched: set[int] = set()
        self._keys: dict[int, list[Value]] = {}
        hear(workspace.image_changed, self._show_image)
        hear(workspace.project_changed, self._show_pixel_size)
        self._show_image()
        self.catch_up()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of instances."""
        return 0 if parent is not None and parent.isValid() else len(self._ids)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def data(self, index: QModelIndex, role: int = _DISPLAY) -> Any:
        """Return what a cell shows or is edited as."""
        row = index.row()
        if not 0 <= row < len(self._ids):
            return None
        column = self._columns[index.column()]
        if role == _DISPLAY:
            return column.text(column.value(self._instances[row], self._side))
        if role == _EDIT:
            return column.value(self._instances[row], self._side)
        if role == _ALIGN:
            return _RIGHT if column.digits else None
        if role == _TOOLTIP:
            return _tooltip(self._instances[row])
        return _choices(column, self._workspace.project) if role == CHOICES_ROLE else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Return the title of a column and what it means."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        return {_DISPLAY: column.title, _TOOLTIP: column.tooltip}.get(role)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Return what can be done with a cell."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return flags | Qt.ItemFlag.ItemIsEditable if self._columns[index.column()].editable else flags

    def setData(self, index: QModelIndex, value: Any, role: int = _EDIT) -> bool:
        """Change a cell through the commands; all selected instances, where this one is selected too.

        A note is written on the one instance only.
        """
        if role != _EDIT or not index.isValid() or not self._columns[index.column()].editable:
            return False
        name, label = self._columns[index.column()].name, self._ids[index.row()]
        if value == self.data(index, _EDIT):
            return True
        chosen = self._workspace.selection.ids
        ids = chosen if label in chosen and name != "note" else (label,)
        done = self._commands.apply(_action(name, ids, str(value)))
        self.catch_up()
        return done is not None

    def sort_keys(self, column: int) -> list[Value]:
        """Return what orders the rows by a column; not to be changed."""
        if column not in self._keys:
            shown = self._columns[column]
            self._keys[column] = [shown.sort_key(shown.value(i, self._side)) for i in self._instances]
        return self._keys[column]

    def column(self, name: str) -> int:
        """Return where a column of `columns.columns` is."""
        return [column.name for column in self._columns].index(name)

    def label(self, row: int) -> int:
        """Return the instance of a row."""
        return self._ids[row]

    def instance(self, label: int) -> Instance | None:
        """Return an instance as it is shown."""
        row = self.row(label)
        return None if row < 0 else self._instances[row]

    def row(self, label: int) -> int:
        """Return the row of an instance, -1 where it has none."""
        row = bisect_left(self._ids, label)
        return row if row < len(self._ids) and self._ids[row] == label else -1

    @property
    def scaled(self) -> bool:
        """Whether the pixel size is known."""
        return self._side is not None

    def catch_up(self) -> None:
        """Show the session as it stands."""
        if self._session is None or not self._touched:
            return
        touched, self._touched = self._touched, set()
        alive = self._session.instances
        gone = [i for i in touched if i not in alive and self.row(i) >= 0]
        new = [i for i in touched if i in alive and self.row(i) < 0]
        if len(gone) + len(new) > FEW:
            self._reload(alive)
            return
        self._remove(gone)
        self._insert(new, alive)
        self._replace(touched, alive)

    def _show_image(self) -> None:
        """Begin with the opened image; its rows come when somebody looks."""
        opened = self._workspace.opened
        session = None if opened is None else opened.session
        if session is not None and session is not self._session:
            hear(session.changed, self._edited)
        self.beginResetModel()
        self._session, self._ids, self._instances = session, [], []
        self._touched = set() if session is None else set(session.instances)
        self._set_scale()
        self.endResetModel()
        self.stale.emit()

    def _show_pixel_size(self) -> None:
        before = self._side
        self._set_scale()
        if self._side != before:
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self._columns) - 1)
            self._announce(0, len(self._ids) - 1)

    def _set_scale(self) -> None:
        self._side = _side_of(self._workspace.opened)
        self._columns = columns(self.scaled)
        self._keys.clear()

    def _edited(self, change: Change) -> None:
        self._touched.update(change.added, change.removed, change.modified)
        if self._touched:
            self.stale.emit()

    def _reload(self, alive: Mapping[int, Instance]) -> None:
        self.beginResetModel()
        self._ids = sorted(alive)
        self._instances = [alive[label] for label in self._ids]
        self._keys.clear()
        self.endResetModel()

    def _remove(self, labels: Iterable[int]) -> None:
        for first, last in reversed(runs(self.row(label) for label in labels)):
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._ids[first : last + 1], self._instances[first : last + 1]
            self._keys.clear()
            self.endRemoveRows()

    def _insert(self, labels: Iterable[int], alive: Mapping[int, Instance]) -> None:
        for label in sorted(labels):
            row = bisect_left(self._ids, label)
            self.beginInsertRows(QModelIndex(), row, row)
            self._ids.insert(row, label)
            self._instances.insert(row, alive[label])
            self._keys.clear()
            self.endInsertRows()

    def _replace(self, labels: Iterable[int], alive: Mapping[int, Instance]) -> None:
        rows = [row for row in map(self.row, labels) if row >= 0]
        for row in rows:
            self._instances[row] = alive[self._ids[row]]
        self._keys.clear()
        spans = runs(rows)
        # One wide announcement is cheaper than very many narrow ones.
        for first, last in spans if len(spans) <= FEW else [(spans[0][0], spans[-1][1])]:
            self._announce(first, last)

    def _announce(self, first: int, last: int) -> None:
        if first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self._columns) - 1))


def _action(name: str, ids: tuple[int, ...], value: str) -> Action:
    """Return what changing a cell means."""
    if name == "status":
        return Accept(ids) if value == "accepted" else SetStatus(ids, value)
    if name == "completeness":
        return SetCompleteness(ids, value)
    return Classify(ids, value) if name == "kind" else SetNote(ids[0], value)


def _choices(column: Column, project: Project | None) -> dict[str, str] | None:
    if column.name == "kind":
        return {kind: kind for kind in (project.content.classes if project is not None else ())}
    # Bulk acceptance is what finishing a region does, not what a person says of one particle.
    return {key: text for key, text in column.words.items() if key != "bulk"} or None


def _side_of(opened: OpenImage | None) -> float | None:
    """Return the side of a pixel in micrometres."""
    size = None if opened is None else opened.micrograph.pixel_size
    return None if size is None else size.nm / 1000


def _tooltip(instance: Instance) -> str:
    top, left, bottom, right = instance.mask.box
    words = [f"Particle {instance.id}: rows {top} to {bottom - 1}, columns {left} to {right - 1}."]
    if instance.components > 1:
        words.append(f"It is in {instance.components} pieces.")
    return " ".join([*words, instance.note]).strip()


def runs(rows: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and last number of each run of whole numbers without a gap, ascending."""
    found: list[tuple[int, int]] = []
    for row in sorted(set(rows)):
        if found and found[-1][1] == row - 1:
            found[-1] = found[-1][0], row
        else:
            found.append((row, row))
    return found
