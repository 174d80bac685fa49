"""The second step: a model looks for particles, and sliders choose among what it saw."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_particle_sam.annotation.actions import Propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.forms import ModelForm, build_form
from napari_particle_sam.gui.jobs import JobRunner
from napari_particle_sam.gui.missed_finder import MissedFinder
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.open_image import OpenImage
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.kept_thresholds import KeptThresholds
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.panels.propose_job import MODELS, Window, project_adapters
from napari_particle_sam.gui.panels.propose_run import ProposeRun
from napari_particle_sam.gui.panels.threshold_box import ThresholdBox
from napari_particle_sam.gui.panels.tune_box import TuneBox
from napari_particle_sam.gui.preferences import preferred_device
from napari_particle_sam.gui.refilter import Refilter
from napari_particle_sam.workflow.reviewing.models import ModelChoice, ModelShelf, ProposeSettings
from napari_particle_sam.workflow.reviewing.proposing import ReviewCandidates

EMPTY = "No image is open. Open a folder in the step Images first."
BLIND = "Blind: nothing is proposed for test images. Untick it in the step Images to propose."


class ProposePanel(QWidget):
    """Runs a model on the opened image and filters what it found.

    Parameters
    ----------
    workspace : Workspace
        What is open.
    commands : Commands
        Carries out the proposals.
    jobs : JobRunner
        Runs the model.
    shelf : ModelShelf
        Where models are kept.

    Attributes
    ----------
    found : Signal
        Emits a tuple of `Mask` while a job runs; empty when it ended.
    region_wanted : Signal
        The user wants to draw a box to look for particles in; answer by `run_on`.
    choice_changed : Signal
        Emits the `ModelChoice` of the form after the user changed it.
    """

    found = Signal(tuple)
    region_wanted = Signal()
    choice_changed = Signal(object)

    def __init__(self, workspace: Workspace, commands: Commands, jobs: JobRunner, shelf: ModelShelf) -> None:
        super().__init__()
        self._workspace, self._commands, self._jobs = workspace, commands, jobs
        self._run = ProposeRun(workspace, jobs, shelf, self)
        self.form = _form(workspace)
        self.thresholds_box = ThresholdBox()
        self.refilter = Refilter(self)
        self.missed = MissedFinder(workspace, self)
        self.tune = TuneBox(workspace, jobs, self.thresholds)
        self._kept = KeptThresholds(workspace, self.thresholds_box)
        self._build()
        self._connect()
        self._begin()
        self.refresh()

    def _build(self) -> None:
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip("What is proposed in this image.")
        self.run_button = QPushButton("Run on this image")
        self.run_button.setToolTip("Look for particles everywhere; what you edited or accepted stays.")
        self.part_button = QPushButton("Run on a part…")
        self.part_button.setToolTip("Draw a box; particles are looked for inside it only.")
        layout = QVBoxLayout(self)
        parts = (self.form, self.run_button, self.part_button, self.words, self.thresholds_box, self.tune)
        for widget in parts:
            layout.addWidget(widget)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.run_button.clicked.connect(self.run)
        self.part_button.clicked.connect(self._want_part)
        self.form.changed.connect(self._form_changed)
        self.thresholds_box.changed.connect(self._moved)
        self.refilter.ready.connect(self._take)
        self.refilter.failed.connect(self._run.fail)
        self._run.found.connect(self.found.emit)
        self.tune.use_here.connect(self.set_thresholds)
        self.tune.use_for_rest.connect(self._keep)
        self._jobs.started.connect(self.refresh)
        self._jobs.ended.connect(self.refresh)
        for box in (self.form.editor("model"), self.form.editor("adapter")):
            assert isinstance(box, QComboBox)
            box.activated.connect(lambda _, box=box: show_beginning(box))
        hear(self._workspace.image_changed, self._image_changed)
        hear(self._workspace.project_changed, self._project_changed)

    def choice(self) -> ModelChoice | None:
        """Return the model that the form asks for, None where that is no valid one."""
        try:
            return self._settings().choice
        except ParticleSamError:
            return None

    def thresholds(self) -> Thresholds:
        """Return the thresholds as the sliders stand."""
        return self.thresholds_box.value()

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Move the sliders and filter again, as one step of the history."""
        self.thresholds_box.set_value(thresholds)
        self._moved(self.thresholds(), self.thresholds_box.new_token())

    def use_adapter(self, folder: Path) -> None:
        """Propose with an adapter from now on."""
        self.refresh()
        self.form.update_value(adapter=folder)

    def run(self, *_: Any) -> bool:
        """Look for particles in the whole image; False where that cannot begin."""
        return self.run_on(None)

    def run_on(self, window: Window | None) -> bool:
        """Look for particles in a part ``(top, left, bottom, right)``, or in the whole image where None."""
        if self._refuses():
            return False
        try:
            settings = self._settings()
            self._kept.begin(settings.choice)
            # A part adds to what another model saw, and what is outside of it must not change.
            new = None if window is not None else self._kept.of_other_model(settings.choice)
        except ParticleSamError as error:
            self._workspace.said.emit(str(error))
            return False
        return self._run.start(
            settings, new or self.thresholds(), window, lambda found: self._collected(found, new)
        )

    def refresh(self, *_: Any) -> None:
        """Show what is open, and what can be done."""
        opened, blind = self._workspace.opened, self._workspace.blind
        for button in (self.run_button, self.part_button):
            button.setEnabled(opened is not None and not blind and not self._jobs.busy)
        self.thresholds_box.setEnabled(self._workspace.candidates is not None and not blind)
        self.form.suggest("adapter", project_adapters(self._workspace.project))
        show_beginning(self.form.editor("model"), self.form.editor("adapter"))
        if opened is None or blind:
            self.words.setText(EMPTY if opened is None else BLIND)
        elif self._workspace.candidates is None:
            self.words.setText("Press Run: masks appear while they are found.")
        else:
            self.words.setText(_counts(opened))

    def _settings(self) -> ProposeSettings:
        return ProposeSettings.model_validate(self.form.value().model_dump())

    def _refuses(self) -> bool:
        """Say why nothing can be proposed, where that is so."""
        refusal = EMPTY if self._workspace.opened is None else BLIND if self._workspace.blind else ""
        if refusal:
            self._workspace.said.emit(refusal)
        return bool(refusal)

    def _want_part(self, *_: Any) -> None:
        if not self._refuses():
            self.region_wanted.emit()

    def _form_changed(self, _: object) -> None:
        choice = self.choice()
        if choice is not None:
            self.choice_changed.emit(choice)
            try:
                self._kept.begin(choice)
            except ParticleSamError as error:
                self._workspace.said.emit(str(error))

    def _begin(self) -> None:
        """Move the sliders to where the chosen model begins; that it has none is said when it is to run."""
        choice = self.choice()
        if choice is not None:
            with suppress(ParticleSamError):
                self._kept.begin(choice)

    def _keep(self, review: ReviewCandidates, thresholds: Thresholds) -> None:
        try:
            self._kept.keep(review.choice, thresholds)
        except ParticleSamError as error:
            self._workspace.said.emit(str(error))
            return
        self._workspace.said.emit("Other images begin with these thresholds as long as this model proposes.")

    def _collected(self, found: ReviewCandidates, new: Thresholds | None) -> None:
        self.thresholds_box.set_candidates(found.candidates)
        if new is not None:
            self.thresholds_box.set_value(new)
        self.refilter.set_candidates(found, self._workspace.opened)
        self._moved(self.thresholds(), self.thresholds_box.new_token())
        self.tune.candidates_changed()
        self.refresh()

    def _moved(self, thresholds: Thresholds, token: str) -> None:
        if self._workspace.candidates is not None:
            self.missed.stop()
            self.refilter.request(thresholds, token)

    def _take(self, action: Propose) -> None:
        self.found.emit(())
        self._commands.apply(action)
        if self._workspace.opened is not None:
            self.words.setText(_counts(self._workspace.opened))
        self.missed.ask(self.thresholds())

    def _image_changed(self) -> None:
        self.missed.stop()
        self.refilter.set_candidates(None)
        self.thresholds_box.set_candidates(None)
        self.found.emit(())
        self._begin()
        self.refresh()

    def _project_changed(self) -> None:
        self._begin()
        self.refresh()


def show_beginning(*boxes: QWidget) -> None:
    """Let the text fields of drop-down lists show the beginning of what stands there, unless one types."""
    for box in boxes:
        line = box.lineEdit() if isinstance(box, QComboBox) else None
        if line is not None and not line.hasFocus():
            line.setCursorPosition(0)


def _counts(opened: OpenImage) -> str:
    locked = sum(instance.locked for instance in opened.session.instances.values())
    proposed = len(opened.session.instances) - locked
    yours = (
        "1 particle of yours stays as it is"
        if locked == 1
        else f"{locked} particles of yours stay as they are"
    )
    return f"{proposed} {'proposal' if proposed == 1 else 'proposals'}; {yours}."


def _form(workspace: Workspace) -> ModelForm:
    settings = ProposeSettings(device=preferred_device())
    offered = {"model": MODELS, "adapter": project_adapters(workspace.project)}
    return build_form(settings, {"engine", "points_per_side", "tiles"}, offered)
