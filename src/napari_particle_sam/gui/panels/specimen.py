"""The specimen an image comes from, typed once and then chosen."""

from __future__ import annotations

from qtpy.QtCore import QStringListModel, Qt
from qtpy.QtWidgets import QCompleter, QLineEdit, QWidget

from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.links import hear

#: As long as a project keeps.
LONGEST = 200


class SpecimenField(QLineEdit):
    """The group of the opened image; images of one group stay on one side of every split.

    Empty in blind mode, where nothing is told of an image, and then it changes nothing either.

    Parameters
    ----------
    workspace : Workspace
        Whose opened image it is.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._known = QStringListModel(self)
        completer = QCompleter(self._known, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.setCompleter(completer)
        self.setMaxLength(LONGEST)
        self.setPlaceholderText("each image its own")
        self.setToolTip(
            "Specimen or sample that this image shows. Images of one specimen all train, or all validate: "
            "otherwise the numbers are too good."
        )
        self.editingFinished.connect(self._typed)
        hear(workspace.image_changed, self.refresh)
        hear(workspace.project_changed, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the group of the opened image."""
        project, shown = self._workspace.project, self._group()
        self.setEnabled(shown is not None)
        if self.text() != (shown or ""):
            self.setText(shown or "")
        groups = set() if project is None or shown is None else {i.group for i in project.content.images}
        known = sorted(groups - {""})
        if known != self._known.stringList():
            self._known.setStringList(known)

    def _group(self) -> str | None:
        project, opened = self._workspace.project, self._workspace.opened
        if project is None or opened is None or self._workspace.blind:
            return None
        return project.entry(opened.key).group

    def _typed(self) -> None:
        group, now = self.text().strip(), self._group()
        if now is not None and group != now:
            self._workspace.set_facts(group=group)
        self.refresh()
