"""The last step: label files for other programs, numbers for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.choice import CHOICES, choose, free_folder
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.panels.lists import drop_down
from napari_particle_sam.gui.panels.measure_box import MeasureBox
from napari_particle_sam.workflow.project import ExportReport
from napari_particle_sam.workflow.reviewing.export_chosen import export_chosen, export_words, format_titles

if TYPE_CHECKING:
    from napari_particle_sam.gui.jobs import JobRunner

EMPTY = "Nothing to export: open a folder of images in step Images first."
EXPORTS = "export"


class ExportPanel(QWidget):
    """Exports and measures the annotation of images.

    Parameters
    ----------
    workspace : Workspace
        What is open.
    jobs : JobRunner
        Does the work.
    """

    def __init__(self, workspace: Workspace, jobs: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._jobs = workspace, jobs
        self._root: Path | None = None
        self._build()
        self.measure = MeasureBox(workspace, jobs, self.which)
        self._lay_out()
        hear(workspace.project_changed, self.refresh)
        hear(workspace.image_changed, self.refresh)
        self.refresh()

    def _build(self) -> None:
        self.which = drop_down(
            CHOICES, "Which images are exported and measured: your own annotation of them."
        )
        self.format = drop_down(format_titles(), "What kind of files is written.")
        self.format.currentIndexChanged.connect(lambda _: self._propose_folder())
        self.folder = QLineEdit()
        self.folder.setToolTip("The folder that is made; it must be new or empty.")
        self.browse = QPushButton("…")
        self.browse.setMaximumWidth(32)
        self.browse.setToolTip("Choose the folder.")
        self.browse.clicked.connect(self._choose_folder)
        self.run = QPushButton("Export")
        self.run.setToolTip("Write the files; images and annotation stay as they are.")
        self.run.clicked.connect(self._export)
        self.report = QLabel()
        self.report.setWordWrap(True)
        self.report.setToolTip("What came of the last export.")

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        form = QFormLayout()
        form.addRow("Images", self.which)
        layout.addLayout(form)
        box = QGroupBox("Export")
        inner = QFormLayout(box)
        inner.addRow("Format", self.format)
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.browse)
        inner.addRow("Folder", row)
        inner.addRow(self.run)
        inner.addRow(self.report)
        layout.addWidget(box)
        layout.addWidget(self.measure)
        layout.addStretch(1)

    def refresh(self) -> None:
        """Show what can be exported."""
        project = self._workspace.project
        for widget in (self.run, self.measure):
            widget.setEnabled(project is not None)
        root = None if project is None else project.root
        if root == self._root and root is not None:
            return
        self._root = root
        self.report.setText(EMPTY if root is None else "")
        self.measure.clear()
        self._propose_folder()

    def _propose_folder(self) -> None:
        name = str(self.format.currentData())
        self.folder.setText("" if self._root is None else str(free_folder(self._root / EXPORTS, name)))

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a new or empty folder")
        if folder:
            self.folder.setText(folder)

    def _export(self) -> None:
        text = self.folder.text().strip()
        try:
            chosen = choose(self._workspace, str(self.which.currentData()))
        except ParticleSamError as error:
            self.report.setText(str(error))
            return
        if not text:
            self._propose_folder()
            text = self.folder.text()
        folder, name = Path(text), str(self.format.currentData())

        def finished(report: ExportReport) -> None:
            self.report.setText(export_words(report, folder, chosen.only_done))
            if report.exported:
                self._propose_folder()

        self.report.setText("")
        begun = self._jobs.start(
            "Exporting",
            lambda token: export_chosen(chosen, folder, name, token),
            on_result=finished,
            on_failure=self.report.setText,
        )
        if not begun:
            self.report.setText(f"'{self._jobs.title}' is not finished; wait for it or cancel it first.")
