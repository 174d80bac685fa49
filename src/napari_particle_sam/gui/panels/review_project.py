"""What counts as one particle, and the classes it may have."""

from __future__ import annotations

import csv
from typing import Any

from qtpy.QtWidgets import QFormLayout, QLabel, QLineEdit, QWidget

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.panels.links import hear


class ProjectBox(QWidget):
    """The project's sentence and classes, to be read and changed.

    Parameters
    ----------
    commands : Commands
        Their workspace's project is shown.
    parent : QWidget, optional
        Its owner.
    """

    def __init__(self, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._commands, self._workspace = commands, commands.workspace
        self.sentence = QLineEdit()
        self.sentence.setMaxLength(2000)
        self.sentence.setPlaceholderText("such as: a primary particle, also if partly hidden")
        self.sentence.setToolTip("What everybody who annotates this project counts as one particle.")
        self.sentence.editingFinished.connect(self._write_sentence)
        self.classes = QLineEdit()
        self.classes.setPlaceholderText("particle, fragment")
        self.classes.setToolTip("Names that a particle may have, with commas between them.")
        self.classes.editingFinished.connect(self._write_classes)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.hide()
        self._lay_out()
        hear(self._workspace.project_changed, self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        # A sentence needs the whole width.
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.addRow("One instance is", self.sentence)
        form.addRow("Classes", self.classes)
        form.addRow(self.words)

    def refresh(self) -> None:
        """Show the project as it stands."""
        project = self._workspace.project
        self.setEnabled(project is not None)
        self.sentence.setText("" if project is None else project.content.instance_is)
        self.sentence.setCursorPosition(0)
        self.classes.setText("" if project is None else joined(project.content.classes))

    def _write_sentence(self) -> None:
        project, text = self._workspace.project, self.sentence.text().strip()
        if project is not None and text != project.content.instance_is:
            self._update(instance_is=text)

    def _write_classes(self) -> None:
        project, names = self._workspace.project, separated(self.classes.text())
        if project is None or names == project.content.classes:
            return
        before = set(project.content.classes)
        if self._update(classes=names):
            self._remind(before - set(names))

    def _update(self, **changes: Any) -> bool:
        """Write the project; what stands in the way is said here and the old text comes back."""
        project = self._workspace.project
        assert project is not None
        sentence = ""
        try:
            project.update(**changes)
        except ParticleSamError as error:
            sentence = str(error)
        self.words.setText(sentence)
        self.words.setVisible(bool(sentence))
        if sentence:
            self.refresh()
        else:
            self._workspace.project_changed.emit()
        return not sentence

    def _remind(self, dropped: set[str]) -> None:
        session = self._commands.session
        left = [] if session is None else [i for i in session.instances.values() if i.kind in dropped]
        if left:
            self.words.setText(
                f"{len(left)} of this image's particles keep a class that is not in the list any more; "
                "sort the table by class to find them."
            )
            self.words.show()


def separated(text: str) -> tuple[str, ...]:
    """Return the names in a line; one that has a comma itself stands in quotation marks."""
    rows = list(csv.reader([text], skipinitialspace=True))
    return tuple(name.strip() for row in rows for name in row if name.strip())


def joined(names: tuple[str, ...]) -> str:
    """Return names as a line that `separated` reads."""
    return ", ".join(_quoted(name) if set(name) & {",", '"'} else name for name in names)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
