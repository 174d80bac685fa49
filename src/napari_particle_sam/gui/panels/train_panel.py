"""The fourth step: train on what was corrected, beside the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.choice import choose, free_folder
from napari_particle_sam.gui.panels.image_states import ImageStates
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.panels.lists import drop_down
from napari_particle_sam.gui.panels.train_process import TrainProcess, train_arguments
from napari_particle_sam.gui.panels.train_progress import TrainOutcome, TrainProgress
from napari_particle_sam.workflow.project import ExportReport
from napari_particle_sam.workflow.reviewing.export_chosen import PAIRS, export_chosen

if TYPE_CHECKING:
    from napari_particle_sam.gui.jobs import JobRunner

RUNS = "runs"
#: Preset of the command line -> words and minutes; None where it ends by itself.
PRESETS: dict[str, tuple[str, float | None]] = {
    "quick": ("Quick try", 5.0),
    "standard": ("Standard", 30.0),
    "paper": ("As in the paper (rank 512; hours on a CPU)", None),
}
EMPTY = "No project is open. Open a folder of images in step Images, review some, and declare them done."
NONE_DONE = "No image is done yet. Review at least one and press 'Image is done' in step Images."


class TrainPanel(QWidget):
    """Trains an adapter on the images that are done.

    Parameters
    ----------
    workspace : Workspace
        What is open.
    jobs : JobRunner
        Writes the pairs; the training itself is a process of its own.
    states : ImageStates, optional
        How far the images are, where another panel reads that already.

    Attributes
    ----------
    adapter_chosen : Signal
        Emits the folder of the adapter that is to be used.
    """

    adapter_chosen = Signal(object)

    def __init__(
        self,
        workspace: Workspace,
        jobs: JobRunner,
        states: ImageStates | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._jobs = workspace, jobs
        self._states = states or ImageStates(workspace, self)
        self._adapter: Path | None = None
        self.process = TrainProcess(self)
        self._build_form()
        self._build_run()
        self._lay_out()
        self.process.progressed.connect(self._show_progress)
        self.process.ended.connect(self._show_outcome)
        self._states.changed.connect(self._states_changed)
        hear(workspace.project_changed, self.refresh)
        self.preset.setCurrentIndex(list(PRESETS).index("standard"))
        self.refresh()

    def _build_form(self) -> None:
        self.images = QLabel()
        self.images.setWordWrap(True)
        self.images.setToolTip("What is learned from: images you declared done.")
        words = {name: words for name, (words, _) in PRESETS.items()}
        self.preset = drop_down(words, "How thoroughly is trained.")
        self.preset.currentIndexChanged.connect(lambda _: self._show_minutes())
        self.minutes = QDoubleSpinBox()
        self.minutes.setRange(0.5, 1440)
        self.minutes.setDecimals(1)
        self.minutes.setSuffix(" min")
        self.minutes.setToolTip("Longest time; it ends earlier when nothing is gained any more.")

    def _build_run(self) -> None:
        self.start = QPushButton("Start training")
        self.start.setToolTip("Train beside the window; you can go on annotating.")
        self.start.clicked.connect(self._start)
        self.cancel = QPushButton("Cancel training")
        self.cancel.setToolTip("Stop the training; the model stays as it was.")
        self.cancel.clicked.connect(self.process.cancel)
        self.bar = QProgressBar()
        self.bar.setToolTip("Share of the time that is spent.")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip("How far the training is, or how it ended.")
        self.use = QPushButton("Use this adapter")
        self.use.setToolTip("Propose with what was learned from now on; reviewed particles stay as they are.")
        self.use.clicked.connect(self._use)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        form = QFormLayout()
        form.addRow("Images", self.images)
        form.addRow("Preset", self.preset)
        form.addRow("Time", self.minutes)
        layout.addLayout(form)
        for widget in (self.start, self.cancel, self.bar, self.words, self.use):
            layout.addWidget(widget)
        layout.addStretch(1)

    def refresh(self) -> None:
        """Show what can be trained on."""
        done = self._states.keys("done")
        running = self.process.running
        self.images.setText(self._images_words(done))
        self.start.setVisible(not running)
        self.start.setEnabled(bool(done) and self._workspace.project is not None)
        self.cancel.setVisible(running)
        self.bar.setVisible(running)
        self.use.setVisible(self._adapter is not None and not running)

    def _states_changed(self, _keys: object) -> None:
        self.refresh()

    def shutdown(self) -> None:
        """Stop a training that runs, as before the window goes."""
        self.process.shutdown()

    def _images_words(self, done: list[str]) -> str:
        project = self._workspace.project
        if project is None:
            return EMPTY
        if not done:
            return NONE_DONE if self._states.complete else "Looking at the images…"
        states = [found for key in done if (found := self._states.state(key)) is not None]
        particles = sum(found.particles for found in states)
        counted = project.content.instance_is or f"a {project.content.unit} particle"
        words = f"{len(done)} done with {particles} particles; one instance is {counted}."
        taken = set(done)
        groups = {entry.group or entry.key for entry in project.content.images if entry.key in taken}
        if len(groups) < 3:
            words += " With fewer than 3 images or specimens the result cannot be validated."
        return words

    def _show_minutes(self) -> None:
        minutes = PRESETS[str(self.preset.currentData())][1]
        self.minutes.setEnabled(minutes is not None)
        if minutes is not None:
            self.minutes.setValue(minutes)

    def _start(self) -> None:
        try:
            chosen = choose(self._workspace, "done")
        except ParticleSamError as error:
            self.words.setText(str(error))
            return
        assert self._workspace.project is not None
        run = free_folder(self._workspace.project.root / RUNS, "run")
        pairs = run / PAIRS
        self._adapter = None
        begun = self._jobs.start(
            "Preparing the training",
            lambda token: export_chosen(chosen, pairs, PAIRS, token),
            on_result=lambda report: self._train(report, pairs, run),
            on_failure=self.words.setText,
        )
        busy = f"'{self._jobs.title}' is not finished; wait for it or cancel it first."
        if not begun:
            self.words.setText(busy)

    def _train(self, report: ExportReport, pairs: Path, run: Path) -> None:
        if not report.exported:
            self.words.setText(next(iter(report.failures.values()), NONE_DONE))
            return
        preset = str(self.preset.currentData())
        minutes = self.minutes.value() if self.minutes.isEnabled() else None
        self.process.start(train_arguments(pairs, run, preset, minutes), run, minutes)
        self.bar.setRange(0, 0)
        self.words.setText(f"Training on {len(report.exported)} images has begun.")
        self.refresh()

    def _show_progress(self, progress: TrainProgress) -> None:
        self.words.setText(progress.words())
        if progress.share is not None:
            self.bar.setRange(0, 1000)
            self.bar.setValue(int(1000 * progress.share))

    def _show_outcome(self, outcome: TrainOutcome) -> None:
        self._adapter = outcome.adapter
        self.words.setText(outcome.sentence)
        self._workspace.said.emit(f"Training: {outcome.sentence}")
        self.refresh()

    def _use(self) -> None:
        if self._adapter is not None:
            self.adapter_chosen.emit(self._adapter)
