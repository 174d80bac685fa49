"""The fourth step: train on what was corrected, beside the window, and use what helped."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.jobs import JobRunner
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.adapters_box import AdaptersBox
from napari_particle_sam.gui.panels.choice import free_folder
from napari_particle_sam.gui.panels.compare_box import CompareBox
from napari_particle_sam.gui.panels.image_states import ImageStates
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.panels.rounds_box import RoundsBox
from napari_particle_sam.gui.panels.train_beginning import BeginningBox
from napari_particle_sam.gui.panels.train_cost import CostBox, Question
from napari_particle_sam.gui.panels.train_form import TrainingForm
from napari_particle_sam.gui.panels.train_round import close_round_of
from napari_particle_sam.gui.panels.train_run_box import RunBox
from napari_particle_sam.gui.panels.train_split import SplitBox
from napari_particle_sam.gui.panels.train_start import Begun, begin_training
from napari_particle_sam.learning.run_status import RUNS, RunStatus
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.workflow.reviewing.chosen import Chosen

EMPTY = "No project is open. Open a folder of images in step Images, review some, and declare them done."
NONE_DONE = "No image is done yet. Review at least one and press 'Image is done' in step Images."


class TrainPanel(QWidget):
    """Trains an adapter on the images that are done.

    Parameters
    ----------
    workspace : Workspace
        What is open.
    jobs : JobRunner
        Estimates and writes the pairs; the training itself is a process of its own.
    states : ImageStates, optional
        How far the images are, where another panel reads that already.
    comparisons : JobRunner, optional
        Compares beside other jobs; one of its own by default.

    Attributes
    ----------
    adapter_chosen : Signal
        Emits the folder of the adapter that is to be used, None for the base.
    """

    adapter_chosen = Signal(object)

    def __init__(
        self,
        workspace: Workspace,
        jobs: JobRunner,
        states: ImageStates | None = None,
        parent: QWidget | None = None,
        comparisons: JobRunner | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._jobs = workspace, jobs
        # Comparing takes minutes in a process of its own; proposing need not wait for it.
        self.comparisons = comparisons or JobRunner(self)
        self._states = states or ImageStates(workspace, self)
        self._root: Path | None = None
        self._build()
        self._lay_out()
        self._connect()
        self._project_changed()

    def _build(self) -> None:
        self.images = QLabel()
        self.images.setWordWrap(True)
        self.images.setToolTip("What is learned from: images you declared done.")
        self.form = TrainingForm()
        self.beginning = BeginningBox()
        self.split_box = SplitBox()
        self.cost = CostBox(self._jobs, self._question)
        self.start = QPushButton("Start training")
        self.start.setToolTip("Train beside the window; you can go on annotating, or close it.")
        self.run_box = RunBox()
        self.compare = CompareBox(self.comparisons)
        self.adapters = AdaptersBox()
        self.rounds = RoundsBox(self._workspace, self._jobs)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        # What the rounds cost is what the user reads first.
        for widget in (
            self.rounds, self.images, self.form, self.beginning, self.split_box, self.cost, self.start,
            self.run_box, self.compare, self.adapters,
        ):  # fmt: skip
            layout.addWidget(widget)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.start.clicked.connect(self._start)
        self.form.changed.connect(self._settings_changed)
        self.beginning.changed.connect(self._beginning_changed)
        self.split_box.changed.connect(self.cost.refresh)
        self.run_box.changed.connect(self.refresh)
        self.run_box.ended.connect(self._ended)
        self._jobs.started.connect(self._name_start)
        self._jobs.ended.connect(self._name_start)
        self._states.changed.connect(self._states_changed)
        hear(self._workspace.project_changed, self._project_changed)
        for box in (self.compare, self.adapters):
            box.adapter_chosen.connect(self.adapter_chosen)

    def refresh(self) -> None:
        """Show what can be trained on."""
        done = self._states.keys("done")
        self.images.setText(_images_words(self._workspace.project, self._states, done))
        self.split_box.set_images(self._groups(done))
        self.cost.refresh()
        alive, can = self.run_box.alive, bool(done) and self._workspace.project is not None
        # While it trains, the room is its curves'.
        for widget in (self.rounds, self.form, self.start):
            widget.setVisible(not alive)
        self.split_box.setVisible(bool(done) and not alive)
        self.beginning.setVisible(self.beginning.there and not alive)
        self.start.setEnabled(can)
        self.cost.setVisible(can and not alive)

    def showEvent(self, event: QShowEvent) -> None:
        """Load what draws the curves, before a training runs."""
        super().showEvent(event)
        self.run_box.curves.prepare()

    def shutdown(self) -> None:
        """Follow the training no more, as before the window goes; the training goes on."""
        self.run_box.follower.stop()
        self.comparisons.shutdown()

    def _states_changed(self, _keys: object) -> None:
        self.refresh()

    def _settings_changed(self, _config: object) -> None:
        config = self.form.config()
        self.split_box.set_draw(config.seed, config.test_fraction)
        self.cost.refresh()

    def _beginning_changed(self) -> None:
        self.split_box.set_learned(self.beginning.learned)
        self.cost.refresh()

    def _list_adapters(self) -> None:
        self.adapters.refresh()
        self.beginning.set_adapters(self.adapters.found)

    def _project_changed(self) -> None:
        project = self._workspace.project
        root = None if project is None else project.root
        if root != self._root:
            self._root = root
            self.split_box.forget()
            self.compare.clear()
            self.adapters.set_project(root)
            self.beginning.set_adapters(self.adapters.found)
            if root is None:
                self.run_box.clear()
            else:
                self.run_box.attach(root)
        self.refresh()

    def _groups(self, done: list[str]) -> dict[str, str]:
        project, taken = self._workspace.project, set(done)
        entries = () if project is None else project.content.images
        return {entry.key: entry.group or entry.key for entry in entries if entry.key in taken}

    def _question(self) -> Question:
        split = self.split_box.split()
        return Question(len(split.train), len(split.val), self.form.config())

    def _start(self) -> None:
        """State the cost, then begin; pressed again, begin without."""
        if self.cost.timing:
            self.cost.skip()
        elif self.cost.current:
            self._begin()
        elif not self.cost.run(then=self._begin):
            self.run_box.say(self.cost.words.text())

    def _name_start(self, *_: object) -> None:
        self.start.setText("Start without the estimate" if self.cost.timing else "Start training")

    def _begin(self) -> None:
        project = self._workspace.project
        try:
            config, split = self.form.config(), self.split_box.split()
        except ParticleSamError as error:
            self.run_box.say(str(error))
            return
        if project is None or self.run_box.alive:
            return
        images = {*split.train, *split.val, *split.test}
        chosen = Chosen(project.reader(images), self._workspace.annotator, True)
        run, start = free_folder(project.root / RUNS, "run"), self.beginning.start
        begun = self._jobs.start(
            "Preparing the training",
            lambda token: begin_training(chosen, run, config, split, token, start),
            on_result=self._begun,
            on_failure=self.run_box.say,
        )
        if not begun:
            self.run_box.say(f"'{self._jobs.title}' is not finished; wait for it or cancel it first.")

    def _begun(self, begun: Begun) -> None:
        for sentence in begun.left_out.values():
            self._workspace.said.emit(f"Left out of the training: {sentence}")
        if self._root is not None and begun.run.is_relative_to(self._root):
            self.compare.clear()
            self.run_box.follow(begun.run)

    def _ended(self, status: RunStatus) -> None:
        witnessed = self.run_box.follower.witnessed
        if witnessed:
            self._workspace.said.emit(f"Training: {status.sentence}")
        self._close_round(status, witnessed)
        if status.adapter is not None:
            self._list_adapters()
            self.compare.show_run(status.run, begin=witnessed)
        self.refresh()

    def _close_round(self, status: RunStatus, witnessed: bool) -> None:
        project = self._workspace.project
        # One without gain that ended unseen may have closed its round already; an adapter's name tells.
        if project is None or status.state != "finished" or not (status.gained or witnessed):
            return
        try:
            close_round_of(project, status)
        except ParticleSamError as error:
            self._workspace.said.emit(str(error))
        self.rounds.refresh()


def _images_words(project: Project | None, states: ImageStates, done: list[str]) -> str:
    if project is None:
        return EMPTY
    if not done:
        return NONE_DONE if states.complete else "Looking at the images…"
    particles = sum(found.particles for key in done if (found := states.state(key)) is not None)
    counted = project.content.instance_is or f"a {project.content.unit} particle"
    return f"{len(done)} done with {particles} particles; one instance is {counted}."
