"""The dock: five steps that read as a sentence, and what lies between them."""

from __future__ import annotations

import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFrame, QMainWindow, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.canvas.canvas import Canvas
from napari_particle_sam.gui.collector import take_back
from napari_particle_sam.gui.jobs import JobRunner
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.export_panel import ExportPanel
from napari_particle_sam.gui.panels.images_panel import ImagesPanel
from napari_particle_sam.gui.panels.propose_panel import ProposePanel
from napari_particle_sam.gui.panels.review_panel import ReviewPanel
from napari_particle_sam.gui.panels.train_panel import TrainPanel
from napari_particle_sam.gui.preferences import preferred_annotator
from napari_particle_sam.gui.status_line import StatusLine
from napari_particle_sam.gui.suspect_marker import SuspectMarker
from napari_particle_sam.gui.tools.toolbox import Toolbox
from napari_particle_sam.gui.wiring import wire
from napari_particle_sam.workflow.reviewing.models import ModelShelf

if TYPE_CHECKING:
    import napari

#: Below this width a step scrolls.
WIDTH = 380


class ParticleDock(QWidget):
    """Propose, review, train and export in a napari window.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        The window; the name of the parameter is what napari injects by.

    Attributes
    ----------
    workspace : Workspace
        What is open and selected.
    commands : Commands
        What can be done to it.
    jobs : JobRunner
        The long job that runs, if one does.
    canvas : Canvas
        The layers.
    toolbox : Toolbox
        The mouse and the keys.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.workspace = Workspace(preferred_annotator())
        self.commands = Commands(self.workspace)
        self.jobs = JobRunner(self)
        self.shelf = ModelShelf()
        self.canvas = Canvas(napari_viewer, self.workspace, self.commands)
        self.toolbox = Toolbox(self.canvas, self.workspace, self.commands, self.jobs, self.shelf)
        self.images = ImagesPanel(self.workspace, self.jobs)
        self.propose = ProposePanel(self.workspace, self.commands, self.jobs, self.shelf)
        self.review = ReviewPanel(self.workspace, self.commands, self.toolbox)
        self.train = TrainPanel(self.workspace, self.jobs, self.images.states)
        self.export = ExportPanel(self.workspace, self.jobs)
        self.status = StatusLine(self.jobs)
        self.marker = SuspectMarker(self.workspace, self.commands, self.canvas, self.status)
        self.steps = QTabWidget()
        self._lay_out()
        wire(self)
        self._closed = False
        self._window: QMainWindow | None = None
        # Thrown away rather than hidden, it must not keep the project locked.
        self._release = weakref.finalize(self, _release, self.workspace)

    def _lay_out(self) -> None:
        self.setMinimumWidth(WIDTH)
        panels = {
            "Images": self.images, "Propose": self.propose, "Review": self.review,
            "Train": self.train, "Export": self.export,
        }  # fmt: skip
        for number, (name, panel) in enumerate(panels.items(), start=1):
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setFrameShape(QFrame.Shape.NoFrame)
            area.setWidget(panel)
            self.steps.addTab(area, name)
            self.steps.setTabToolTip(number - 1, f"Step {number} of {len(panels)}")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(self.steps, 1)
        layout.addWidget(self.status)

    def show_step(self, panel: QWidget) -> None:
        """Bring a step to the front."""
        for index in range(self.steps.count()):
            area = self.steps.widget(index)
            if isinstance(area, QScrollArea) and area.widget() is panel:
                self.steps.setCurrentIndex(index)

    def follow_layer(self, layer: Any) -> None:
        """Let the tools listen to the layer of the image that is open now, None for none."""
        if layer is None:
            self.toolbox.detach()
        else:
            self.toolbox.attach(layer)

    def open_folder(self, folder: Path) -> None:
        """Open a project or a folder of images; what stands in the way is said."""
        self.images.open_path(folder)

    def open_files(self, paths: list[Path]) -> None:
        """Open images in the project beside them; what stands in the way is said."""
        self.images.open_paths(paths)

    def shut(self) -> bool:
        """Stop jobs, save and close everything; False where the disk does not take what was done."""
        if self._closed:
            return True
        self.jobs.shutdown()
        self.train.shutdown()
        self.toolbox.detach()
        if not self.workspace.close():
            return False
        self._release.detach()
        self._closed = True
        take_back()
        return True

    def showEvent(self, event: QShowEvent) -> None:
        """Watch the window, which alone gets a close event."""
        super().showEvent(event)
        parent: QObject | None = self
        while parent is not None and not isinstance(parent, QMainWindow):
            parent = parent.parent()
        if parent is not None and parent is not self._window:
            self._window = parent
            parent.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Save before the window goes, and keep it open where that fails."""
        if event.type() == QEvent.Type.Close and watched is self._window and not self.shut():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def _release(workspace: Workspace) -> None:
    """Let the project go without a word: whoever listened is gone."""
    with suppress(ParticleSamError):
        if workspace.project is not None:
            workspace.project.close()
