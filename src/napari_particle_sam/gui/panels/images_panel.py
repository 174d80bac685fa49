"""The first step: a folder becomes a project, an image is chosen, its facts are put right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.facts_box import FactsBox
from napari_particle_sam.gui.panels.image_list import ImageList, ImageListModel
from napari_particle_sam.gui.panels.image_states import ImageStates
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.panels.opening import open_and_add
from napari_particle_sam.images.inputs import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from napari_particle_sam.gui.jobs import JobRunner

EMPTY = (
    "No project is open. Choose a folder of micrographs: they stay where they are, and your work is kept in "
    "a folder 'particle-sam' beside them."
)
NO_IMAGES = "The project has no image yet. Open images to add them."


class ImagesPanel(QWidget):
    """Opens projects, lists their images, shows and corrects what is known of the opened one.

    Parameters
    ----------
    workspace : Workspace
        What is open.
    jobs : JobRunner
        Reads new images.

    Attributes
    ----------
    scale_bar_wanted : Signal
        The user wants to drag along the scale bar.
    region_wanted : Signal
        Emits a `Mask` and a region value; connect it to `Commands.mark_region`.
    states : ImageStates
        How far every image is; other panels may share it.
    """

    scale_bar_wanted = Signal()
    region_wanted = Signal(object, int)

    def __init__(self, workspace: Workspace, jobs: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._jobs = workspace, jobs
        self.states = ImageStates(workspace, self)
        self.model = ImageListModel(workspace, self.states, self)
        self.list = ImageList(self.model)
        self.facts = FactsBox(workspace)
        self._build_opening()
        self._build_walking()
        self._build_person()
        self._lay_out()
        self._connect()
        self.refresh()

    def _build_opening(self) -> None:
        self.open_folder = QPushButton("Open folder…")
        self.open_folder.setToolTip("Open a project, or a folder of micrographs, which becomes one.")
        self.open_folder.clicked.connect(self._choose_folder)
        self.open_files = QPushButton("Open images…")
        self.open_files.setToolTip("Open single micrographs; the project beside them is used or made.")
        self.open_files.clicked.connect(self._choose_files)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip("How far the project is.")

    def _build_walking(self) -> None:
        self.previous = QPushButton("◀ Previous")
        self.previous.setToolTip("Save this image and open the one before it.")
        self.previous.clicked.connect(lambda: self._workspace.step(-1))
        self.next = QPushButton("Next ▶")
        self.next.setToolTip("Save this image and open the one after it.")
        self.next.clicked.connect(lambda: self._workspace.step(1))
        self.done = QPushButton("Image is done")
        self.done.setCheckable(True)
        self.done.setToolTip(
            "Declare this image finished, so that it is trained on and exported; again to undo."
        )
        self.done.clicked.connect(self._workspace.set_done)

    def _build_person(self) -> None:
        self.annotator = QLineEdit()
        self.annotator.setMaxLength(200)
        self.annotator.setToolTip("Your name. Annotations of different people are kept apart.")
        self.annotator.editingFinished.connect(self._rename)
        self.blind = QCheckBox("Blind: hide names, no proposals")
        self.blind.setToolTip(
            "For test images: nothing tells you which image it is or what the model thinks."
        )
        self.blind.toggled.connect(self._set_blind)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.addLayout(_row(self.open_folder, self.open_files))
        layout.addWidget(self.words)
        layout.addWidget(self.list, 1)
        layout.addLayout(_row(self.previous, self.next, self.done))
        layout.addWidget(self.facts)
        form = QFormLayout()
        form.addRow("Annotator", self.annotator)
        form.addRow(self.blind)
        layout.addLayout(form)
        # Where there is no list yet, the words stay at the top.
        layout.addStretch(0)

    def _connect(self) -> None:
        self.list.wanted.connect(self._open_image)
        self.facts.scale_bar_wanted.connect(self.scale_bar_wanted)
        self.facts.region_wanted.connect(self.region_wanted)
        self.states.changed.connect(self._states_changed)
        hear(self._workspace.project_changed, self.refresh)
        hear(self._workspace.image_changed, self.refresh)

    def refresh(self) -> None:
        """Show what is open."""
        opened = self._workspace.opened
        for widget in (self.previous, self.next, self.done):
            widget.setEnabled(opened is not None)
        self.done.setChecked(opened is not None and opened.stored.done)
        self.annotator.setText(self._workspace.annotator)
        self.blind.setChecked(self._workspace.blind)
        self.list.setVisible(self.model.rowCount() > 0)
        self.facts.setVisible(opened is not None)
        self.list.show_opened(None if opened is None else opened.key)
        self._show_words()

    def open_path(self, folder: Path) -> bool:
        """Open a project or a folder of images; whether a project is open afterwards."""
        return open_and_add(self._workspace, self._jobs, lambda: self._workspace.open_folder(folder))

    def open_paths(self, paths: list[Path]) -> bool:
        """Open images; whether a project is open afterwards."""
        return open_and_add(self._workspace, self._jobs, lambda: self._workspace.open_files(paths))

    def _states_changed(self, _keys: object) -> None:
        self._show_words()

    def _show_words(self) -> None:
        project, total = self._workspace.project, self.model.rowCount()
        if project is None:
            self.words.setText(EMPTY)
        elif not total:
            self.words.setText(NO_IMAGES)
        else:
            done, begun = len(self.states.keys("done")), len(self.states.keys("started"))
            lost = len(self.states.keys("lost", "damaged"))
            mend = f", {lost} to be mended (see their tooltips)" if lost else ""
            name = "" if self._workspace.blind else f"{project.root.parent.name}: "
            self.words.setText(f"{name}{done} of {total} images done, {begun} begun{mend}.")

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Open a project or a folder of micrographs")
        if folder:
            self.open_path(Path(folder))

    def _choose_files(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in IMAGE_SUFFIXES)
        names, _ = QFileDialog.getOpenFileNames(self, "Open micrographs", "", f"Micrographs ({kinds})")
        if names:
            self.open_paths([Path(name) for name in names])

    def _open_image(self, key: str) -> None:
        if not self._workspace.open_image(key):
            self.refresh()

    def _set_blind(self, blind: bool) -> None:
        self._workspace.blind = blind

    def _rename(self) -> None:
        """Go on under another name; the opened image is opened again as that person's."""
        name, opened = self.annotator.text().strip(), self._workspace.opened
        if name == self._workspace.annotator:
            return
        if not name or not self._workspace.close_image():
            self.annotator.setText(self._workspace.annotator)
            return
        self._workspace.annotator = name
        self.states.refresh()
        if opened is not None:
            self._workspace.open_image(opened.key)


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
