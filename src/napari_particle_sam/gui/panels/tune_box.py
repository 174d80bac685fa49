"""Tuning the thresholds on what was corrected in the opened image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.gui.job_thread import CANCELLED
from napari_particle_sam.gui.jobs import JobRunner
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.gui.panels.propose_job import tune_thresholds
from napari_particle_sam.gui.session_copy import copy_session

if TYPE_CHECKING:
    from napari_particle_sam.workflow.reviewing.proposing import ReviewCandidates
    from napari_particle_sam.workflow.tuning import Tuned

#: Fewer accepted particles say little about an image.
ENOUGH = 5
#: Milliseconds after an edit until the particles are counted again.
SOON = 200
TITLE = "Tuning the thresholds"


class TuneBox(QWidget):
    """Looks for thresholds that agree with the accepted particles, and offers them.

    Parameters
    ----------
    workspace : Workspace
        What is open.
    jobs : JobRunner
        Runs the search.
    thresholds : callable
        Returns those to begin with.

    Attributes
    ----------
    use_here : Signal
        Emits `Thresholds` to filter the opened image by.
    use_for_rest : Signal
        Emits the candidates that were tuned on, and `Thresholds` to begin with in other images.
    """

    use_here = Signal(object)
    use_for_rest = Signal(object, object)

    def __init__(self, workspace: Workspace, jobs: JobRunner, thresholds: Callable[[], Thresholds]) -> None:
        super().__init__()
        self._workspace, self._jobs, self._thresholds = workspace, jobs, thresholds
        self._session: AnnotationSession | None = None
        self._tuned: tuple[ReviewCandidates, Tuned] | None = None
        self._build()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SOON)
        self._timer.timeout.connect(self.refresh)
        jobs.started.connect(self.refresh)
        jobs.ended.connect(self.refresh)
        hear(workspace.image_changed, self._image_changed)
        hear(workspace.project_changed, self.refresh)
        self._image_changed()

    def _build(self) -> None:
        self.run_button = QPushButton("Tune on this image")
        self.run_button.clicked.connect(self.run)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip("How well proposals agree with what you accepted: F1 at IoU 0.5, 0 to 1.")
        self.here, self.rest = QPushButton("Use here"), QPushButton("Use for the rest")
        self.here.setToolTip("Move the sliders there and filter this image again; one undo takes it back.")
        self.rest.setToolTip("Begin the other images of the project with these thresholds, for this model.")
        self.here.clicked.connect(self._use_here)
        self.rest.clicked.connect(self._use_for_rest)
        offers = QHBoxLayout()
        offers.addWidget(self.here)
        offers.addWidget(self.rest)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.run_button)
        layout.addWidget(self.words)
        layout.addLayout(offers)

    def run(self, *_: Any) -> bool:
        """Look for better thresholds; False where that cannot begin."""
        review, opened = self._workspace.candidates, self._workspace.opened
        if review is None or opened is None or self._refusal():
            self._workspace.said.emit(self._refusal())
            return False
        self._offer(None)
        session, held, start = opened.session, copy_session(opened.session), self._thresholds()
        return self._jobs.start(
            TITLE,
            lambda token: tune_thresholds(review, held, start, token),
            on_result=lambda tuned: self._tell(session, review, tuned),
            on_failure=self._failed,
        )

    def refresh(self, *_: Any) -> None:
        """Show whether the image can be tuned on."""
        refusal = self._refusal()
        self.run_button.setEnabled(not refusal and not self._jobs.busy)
        self.run_button.setToolTip(
            refusal or "Look for the thresholds that agree best with the particles you accepted."
        )

    def _refusal(self) -> str:
        """Return why nothing can be tuned, empty where it can."""
        if self._workspace.blind:
            return "Blind: nothing is tuned on test images."
        if self._workspace.candidates is None or self._session is None:
            return "Look for particles in this image first."
        accepted = sum(i.status in ("accepted", "bulk") for i in self._session.instances.values())
        if accepted < ENOUGH:
            return f"Accept at least {ENOUGH} particles and finish a region first; {accepted} are accepted."
        return ""

    def _tell(self, session: AnnotationSession, review: ReviewCandidates, tuned: Tuned) -> None:
        # Another image, or other candidates: the numbers are not about what is shown.
        if session is self._session and review is self._workspace.candidates:
            self._offer((review, tuned))

    def _offer(self, tuned: tuple[ReviewCandidates, Tuned] | None) -> None:
        self._tuned = tuned
        self.words.setText("" if tuned is None else tuned[1].words)
        self.words.setVisible(tuned is not None)
        self.here.setVisible(tuned is not None and tuned[1].gained)
        # Where nothing is gained, the thresholds as they are may still suit the other images.
        self.rest.setVisible(tuned is not None)

    def _failed(self, words: str) -> None:
        self._workspace.said.emit(f"{TITLE}: {words}." if words == CANCELLED else words)

    def _use_here(self) -> None:
        if self._tuned is not None:
            self.use_here.emit(self._tuned[1].thresholds)

    def _use_for_rest(self) -> None:
        if self._tuned is not None:
            self.use_for_rest.emit(self._tuned[0], self._tuned[1].thresholds)

    def _image_changed(self) -> None:
        opened = self._workspace.opened
        session = None if opened is None else opened.session
        if session is not None and session is not self._session:
            hear(session.changed, self._edited)
        self._session = session
        self.candidates_changed()

    def candidates_changed(self) -> None:
        """Forget what was tuned on other candidates."""
        self._offer(None)
        self.refresh()

    def _edited(self, _: object) -> None:
        self._timer.start()
