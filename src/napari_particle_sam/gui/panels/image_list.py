"""The list of a project's images: a small picture, the name, how far it is."""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QObject, QSize, Qt, Signal
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QListView, QWidget

from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.image_states import ImageStates
from napari_particle_sam.gui.panels.lazy import LazyReader
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.panels.thumbnails import SIDE, make_thumbnail, to_pixmap
from napari_particle_sam.storage.project.project import Project

_ROLE = Qt.ItemDataRole


class ImageListModel(QAbstractListModel):
    """Images of a workspace in natural order; pictures are made when they are looked at.

    Parameters
    ----------
    workspace : Workspace
        Whose project is listed.
    states : ImageStates
        How far its images are.
    parent : QObject, optional
        Its owner.
    """

    def __init__(self, workspace: Workspace, states: ImageStates, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._states = workspace, states
        self._reader = LazyReader(self)
        self._reader.made.connect(self._take_picture)
        self._keys: list[str] = []
        self._rows: dict[str, int] = {}
        self._pictures: dict[tuple[Any, str], QPixmap | None] = {}
        self._empty = QPixmap(SIDE, SIDE)
        self._empty.fill(Qt.GlobalColor.transparent)
        states.changed.connect(self._states_changed)
        hear(workspace.project_changed, self.refresh)
        self.refresh()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of images."""
        return 0 if parent is not None and parent.isValid() else len(self._keys)

    def data(self, index: QModelIndex, role: int = _ROLE.DisplayRole) -> Any:
        """Return what one image shows; asking for its picture has it made."""
        if not index.isValid() or index.row() >= len(self._keys):
            return None
        key = self._keys[index.row()]
        if role == _ROLE.DisplayRole:
            return f"{self._name(index.row())}\n{self._words(key)}"
        if role == _ROLE.DecorationRole:
            return self._picture(key)
        if role == _ROLE.ToolTipRole:
            return self._tooltip(index.row())
        return key if role == _ROLE.UserRole else None

    def key(self, row: int) -> str:
        """Return the image of a row."""
        return self._keys[row]

    def row(self, key: str) -> int:
        """Return the row of an image, -1 where it is not listed."""
        return self._rows.get(key, -1)

    def refresh(self) -> None:
        """Take over the images of the project."""
        keys = self._workspace.keys()
        if keys != self._keys:
            self.beginResetModel()
            self._keys, self._rows = keys, {key: row for row, key in enumerate(keys)}
            self.endResetModel()
            self._forget()
        elif keys:
            # Names may be hidden or shown now.
            self.dataChanged.emit(self.index(0), self.index(len(keys) - 1))

    def _forget(self) -> None:
        """Drop pictures of other projects."""
        root = None if self._workspace.project is None else self._workspace.project.root
        self._pictures = {name: found for name, found in self._pictures.items() if name[0] == root}
        if not self._pictures:
            self._reader.clear()

    def _name(self, row: int) -> str:
        return f"Image {row + 1}" if self._workspace.blind else self._keys[row]

    def _words(self, key: str) -> str:
        found = self._states.state(key)
        return "…" if found is None else found.words()

    def _tooltip(self, row: int) -> str:
        found = self._states.state(self._keys[row])
        words = f"{self._name(row)}: {self._words(self._keys[row])}. Click to open it."
        # The remark names the file.
        return words if found is None or not found.remark or self._workspace.blind else found.remark

    def _picture(self, key: str) -> QPixmap:
        project = self._workspace.project
        if project is None:
            return self._empty
        name = project.root, key
        if name not in self._pictures:
            self._pictures[name] = None
            self._reader.ask(name, partial(_read, project.reader({key}), key))
        return self._pictures[name] or self._empty

    def _take_picture(self, name: Any, picture: Any) -> None:
        if picture is None or name not in self._pictures:
            return
        self._pictures[name] = to_pixmap(picture)
        self._row_changed(name[1])

    def _states_changed(self, keys: list[str]) -> None:
        rows = [self._rows[key] for key in keys if key in self._rows]
        if rows:
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))

    def _row_changed(self, key: str) -> None:
        if key in self._rows:
            index = self.index(self._rows[key])
            self.dataChanged.emit(index, index)


class ImageList(QListView):
    """The list itself; a click or Enter wishes to open an image.

    Attributes
    ----------
    wanted : Signal
        Emits the key of the image that is to be opened.
    """

    wanted = Signal(str)

    def __init__(self, model: ImageListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images = model
        self.setModel(model)
        # Long lists stay quick: no row is measured, and only what is seen is asked for.
        self.setUniformItemSizes(True)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setMinimumHeight(3 * SIDE)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setToolTip(
            "The images of the project. Click one to open it; the annotation of the other is saved."
        )
        self.clicked.connect(self._want)
        self.activated.connect(self._want)

    def show_opened(self, key: str | None) -> None:
        """Mark the image that is open and bring it into view."""
        row = -1 if key is None else self._images.row(key)
        if row < 0:
            self.clearSelection()
            return
        index = self._images.index(row)
        self.setCurrentIndex(index)
        self.scrollTo(index)

    def _want(self, index: QModelIndex) -> None:
        self.wanted.emit(self._images.key(index.row()))


def _read(reader: Project, key: str) -> Any:
    return make_thumbnail(reader.image_path(key))
