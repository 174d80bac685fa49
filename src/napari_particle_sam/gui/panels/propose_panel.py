"""The second step: a model looks for particles, and sliders choose among what it saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_particle_sam.annotation.actions import Propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.base.events import Event
from napari_particle_sam.gui.forms import build_form
from napari_particle_sam.gui.jobs import JobRunner
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.open_image import OpenImage
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.panels.propose_job import MODELS, Window, find_particles, project_adapters
from napari_particle_sam.gui.panels.threshold_box import ThresholdBox
from napari_particle_sam.gui.preferences import preferred_device
from napari_particle_sam.gui.refilter import Refilter
from napari_particle_sam.workflow.reviewing.models import ModelShelf, ProposeSettings, default_thresholds
from napari_particle_sam.workflow.reviewing.proposing import ProposalsFound, ReviewCandidates, beginning_of

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
    """

    found = Signal(tuple)
    region_wanted = Signal()

    def __init__(self, workspace: Workspace, commands: Commands, jobs: JobRunner, shelf: ModelShelf) -> None:
        super().__init__()
        self._workspace, self._commands, self._jobs, self._shelf = workspace, commands, jobs, shelf
        settings = ProposeSettings(device=preferred_device())
        offered = {"model": MODELS, "adapter": project_adapters(workspace.project)}
        self.form = build_form(settings, {"engine", "points_per_side", "tiles"}, offered)
        self.thresholds_box = ThresholdBox()
        self.refilter = Refilter(self)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip("What is proposed in this image.")
        self._build_buttons()
        self._lay_out()
        self._connect()
        self._choose_thresholds()
        self.refresh()

    def _build_buttons(self) -> None:
        self.run_button = QPushButton("Run on this image")
        self.run_button.setToolTip("Look for particles everywhere; what you edited or accepted stays.")
        self.run_button.clicked.connect(self.run)
        self.part_button = QPushButton("Run on a part…")
        self.part_button.setToolTip("Draw a box; particles are looked for inside it only.")
        self.part_button.clicked.connect(self.region_wanted)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        for widget in (self.form, self.run_button, self.part_button, self.words, self.thresholds_box):
            layout.addWidget(widget)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.form.changed.connect(self._choose_thresholds)
        self.thresholds_box.changed.connect(self._moved)
        self.refilter.ready.connect(self._take)
        self.refilter.failed.connect(self._workspace.said.emit)
        self._jobs.started.connect(self._busy_changed)
        self._jobs.ended.connect(self._busy_changed)
        hear(self._workspace.image_changed, self._image_changed)
        hear(self._workspace.project_changed, self.refresh)

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
        self._choose_thresholds()

    def run(self, *_: Any) -> bool:
        """Look for particles in the whole image; False where that cannot begin."""
        return self.run_on(None)

    def run_on(self, window: Window | None) -> bool:
        """Look for particles in a part ``(top, left, bottom, right)``, or in the whole image where None."""
        opened = self._workspace.opened
        if opened is None or self._workspace.blind:
            self._workspace.said.emit(EMPTY if opened is None else BLIND)
            return False
        try:
            settings = ProposeSettings.model_validate(self.form.value().model_dump())
        except ParticleSamError as error:
            self._workspace.said.emit(str(error))
            return False
        previous = None if window is None else self._workspace.candidates
        thresholds = self.thresholds()
        return self._jobs.start(
            "Looking for particles",
            lambda token: find_particles(
                self._shelf, settings, opened.micrograph, thresholds, token, window, previous
            ),
            on_result=lambda found: self._collected(opened, found),
            on_event=self._show_found,
            on_failure=self._workspace.said.emit,
        )

    def refresh(self) -> None:
        """Show what is open, and what can be done."""
        opened, blind = self._workspace.opened, self._workspace.blind
        for button in (self.run_button, self.part_button):
            button.setEnabled(opened is not None and not blind and not self._jobs.busy)
        self.thresholds_box.setEnabled(self._workspace.candidates is not None and not blind)
        self.form.suggest("adapter", project_adapters(self._workspace.project))
        if opened is None or blind:
            self.words.setText(EMPTY if opened is None else BLIND)
        elif self._workspace.candidates is None:
            self.words.setText("Press Run: masks appear while they are found.")
        else:
            self._count()

    def _count(self) -> None:
        opened = self._workspace.opened
        instances = opened.session.instances.values() if opened is not None else ()
        locked = sum(instance.locked for instance in instances)
        self.words.setText(
            f"{len(instances) - locked} proposals; {locked} particles of yours stay as they are."
        )

    def _choose_thresholds(self, *_: Any) -> None:
        """Begin with the thresholds that the chosen model carries."""
        if self._workspace.candidates is not None:
            return
        try:
            settings = ProposeSettings.model_validate(self.form.value().model_dump())
            self.thresholds_box.set_value(default_thresholds(settings.choice))
        except ParticleSamError as error:
            self._workspace.said.emit(str(error))

    def _show_found(self, event: Event) -> None:
        if isinstance(event, ProposalsFound):
            self.found.emit(tuple(proposal.mask for proposal in event.proposals))

    def _collected(self, opened: OpenImage, found: ReviewCandidates) -> None:
        now = self._workspace.opened
        if now is None or now.session is not opened.session:
            return
        self._workspace.candidates = found
        self.thresholds_box.set_candidates(found.candidates)
        self.refilter.set_candidates(found, now)
        self.refilter.request(self.thresholds(), self.thresholds_box.new_token())
        try:
            now.stored.began_with(beginning_of(found))
        except ParticleSamError as error:
            self._workspace.said.emit(str(error))
        self.refresh()

    def _moved(self, thresholds: Thresholds, token: str) -> None:
        if self._workspace.candidates is not None:
            self.refilter.request(thresholds, token)

    def _take(self, action: Propose) -> None:
        self.found.emit(())
        if self._commands.apply(action) is not None:
            self._count()

    def _busy_changed(self, *_: Any) -> None:
        self.refresh()

    def _image_changed(self) -> None:
        self.refilter.set_candidates(None)
        self.thresholds_box.set_candidates(None)
        self.found.emit(())
        self.refresh()
