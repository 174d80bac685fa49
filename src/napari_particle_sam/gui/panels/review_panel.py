"""Step Review: every action with its key, regions, suspects, and the table of instances."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QKeySequence, QShowEvent
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.suspects import Suspect
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.panels.review_buttons import ReviewButtons, plain_button
from napari_particle_sam.gui.panels.review_classes import ClassButton
from napari_particle_sam.gui.panels.review_counts import count_words, region_words
from napari_particle_sam.gui.panels.review_project import ProjectBox
from napari_particle_sam.gui.table.instance_model import InstanceModel
from napari_particle_sam.gui.table.instance_table import InstanceTable

EMPTY = "No image is open. Open a folder of micrographs in step Images; its particles are reviewed here."
ACTIONS = (
    (("select", "Select"), ("lasso", "Lasso"), ("prompt", "Add"), ("split", "Split"),
     ("split_automatically", "Auto split")),
    (("paint", "Paint"), ("erase", "Erase"), ("fill", "Fill"), ("polygon", "Polygon"), ("smooth", "Smooth")),
    (("delete", "Delete"), ("merge", "Merge"), ("fill_holes", "Fill holes"), ("undo", "Undo"),
     ("redo", "Redo")),
    (("accept", "Accept"), ("flag", "Flag"), ("partly_hidden", "Hidden"), ("unclear", "Unclear")),
)  # fmt: skip
VIEWS = (("next_suspect", "Next suspect"), ("outlines", "Outlines"), ("numbers", "Numbers"), ("help", "Keys"))


DONE = "Region done ({key}): accept the rest,\nwhat is unlabelled becomes background"


class ReviewPanel(QWidget):
    """All that is done to particles by hand.

    Parameters
    ----------
    workspace : Workspace
        What is open and selected.
    commands : Commands
        What can be done to it.
    toolbox : Toolbox
        The mouse tools and the keys.

    Attributes
    ----------
    look_at : Signal
        Emits the box ``(top, left, bottom, right)`` of an instance chosen in the table, for the canvas.
    """

    look_at = Signal(object)

    def __init__(self, workspace: Workspace, commands: Commands, toolbox: Any) -> None:
        super().__init__()
        self._workspace, self._commands, self._toolbox = workspace, commands, toolbox
        self._session: AnnotationSession | None = None
        self._regions_changed = True
        self.buttons = ReviewButtons(workspace, toolbox, self)
        self.model = InstanceModel(workspace, commands, self)
        self.table = InstanceTable(self.model, workspace.selection)
        self.project = ProjectBox(commands)
        self.classes = ClassButton(commands, toolbox)
        self.below = QTabWidget()
        self.below.addTab(self.table, "Table of particles")
        self.below.addTab(self.project, "Project")
        self.counts, self.reviewed, self.reason = _words(), _words(), _words()
        self.whole = plain_button("Whole\nimage")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self.refresh)
        self._lay_out()
        self._connect()
        self._show_image()
        self.refresh()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.counts)
        layout.addLayout(self._actions())
        layout.addLayout(self._views())
        layout.addWidget(self.reason)
        layout.addLayout(self._regions())
        layout.addWidget(self.below, 1)

    def _actions(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(3)
        for row, entries in enumerate(ACTIONS):
            for column, (name, text) in enumerate(entries):
                grid.addWidget(self.buttons.make(name, text), row, column)
        grid.addWidget(self.classes, len(ACTIONS) - 1, len(ACTIONS[0]) - 1)
        return grid

    def _views(self) -> QHBoxLayout:
        self.reason.setToolTip("Why the program thinks that something may be wrong here.")
        row = QHBoxLayout()
        row.setSpacing(3)
        for name, text in VIEWS:
            row.addWidget(self.buttons.make(name, text))
        return row

    def _regions(self) -> QGridLayout:
        self.reviewed.setToolTip("Training learns from the reviewed part; finishing a region adds to it.")
        self.whole.setToolTip("Review the whole image rather than the region that was drawn.")
        self.whole.clicked.connect(lambda: self._workspace.set_region(None))
        grid = QGridLayout()
        grid.setSpacing(3)
        grid.addWidget(self.buttons.make("region", "Draw region"), 0, 0)
        grid.addWidget(self.buttons.make("ignore", "Draw ignored"), 0, 1)
        grid.addWidget(self.whole, 0, 2)
        grid.addWidget(self.buttons.make("region_done", DONE), 1, 0, 1, 3)
        grid.addWidget(self.reviewed, 2, 0, 1, 3)
        return grid

    def _connect(self) -> None:
        self.table.looked_at.connect(self._look_at)
        self.table.key_pressed.connect(self._press_key)
        hear(self._workspace.image_changed, self._show_image)
        hear(self._workspace.region_changed, self._soon)
        hear(self._commands.suspect_changed, self._show_suspect)

    def refresh(self) -> None:
        """Show how far the opened image is."""
        session = self._session
        self.counts.setText(EMPTY if session is None else count_words(session))
        self.buttons.refresh()
        self.whole.setEnabled(self._workspace.region is not None)
        if self._regions_changed:
            # A look at every pixel, which most edits leave as reviewed as they were.
            self.reviewed.setText("" if session is None else region_words(session))
            self._regions_changed = False

    def showEvent(self, event: QShowEvent) -> None:
        """Make up for what happened while nobody looked."""
        super().showEvent(event)
        self._timer.start()

    def _show_image(self) -> None:
        opened = self._workspace.opened
        session = None if opened is None else opened.session
        if session is not None and session is not self._session:
            hear(session.changed, self._edited)
        self._session, self._regions_changed = session, True
        self._show_suspect(None)
        self._soon()

    def _edited(self, change: Change) -> None:
        self._regions_changed |= change.regions
        self._soon()

    def _soon(self) -> None:
        if self.isVisible():
            self._timer.start()

    def _show_suspect(self, suspect: Suspect | None) -> None:
        self.reason.setText("" if suspect is None else suspect_words(suspect))
        self.reason.setVisible(suspect is not None)

    def _look_at(self, label: int) -> None:
        instance = self.model.instance(label)
        if instance is not None:
            self.look_at.emit(instance.mask.box)

    def _press_key(self, pressed: QKeySequence) -> None:
        for entry in self._toolbox.keys:
            if QKeySequence(entry.key) == pressed:
                self._toolbox.run(entry.id)


def suspect_words(suspect: Suspect) -> str:
    """Return why somebody should look there."""
    who = "Here" if suspect.label is None else f"Particle {suspect.label}"
    return f"{who}: {', '.join(suspect.reasons)}."


def _words() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    return label
