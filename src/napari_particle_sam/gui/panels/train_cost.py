"""What a training will cost, from a timed step on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.base.events import Event, Progress
from napari_particle_sam.gui.job_thread import CANCELLED
from napari_particle_sam.learning import cost
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.workflow.reviewing.models import gui_threads

if TYPE_CHECKING:
    from napari_particle_sam.gui.jobs import JobRunner

TITLE = "Estimating the cost"
ASK = "Press Estimate to learn what this will cost on this machine; a start does it by itself."
#: Seconds between two looks at whether it is still wanted.
_LOOK = 0.05


class Question(NamedTuple):
    """What the cost depends on."""

    images: int
    validation: int
    config: TrainingConfig
    device: str = "auto"


class CostBox(QWidget):
    """The cost of the training that the form describes.

    Parameters
    ----------
    jobs : JobRunner
        Times a step beside the window.
    question : callable
        Returns the `Question` as the form stands; raises `ParticleSamError` where it cannot be asked.
    """

    def __init__(
        self, jobs: JobRunner, question: Callable[[], Question], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs, self._question = jobs, question
        self._asked: Question | None = None
        self._skipped = False
        self.words = QLabel(ASK)
        self.words.setWordWrap(True)
        self.words.setToolTip("From one training step and one validation, timed on this machine.")
        self.estimate = QPushButton("Estimate")
        self.estimate.setToolTip("Time one training step now; takes a few seconds, minutes for large models.")
        self.estimate.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.estimate.clicked.connect(lambda: self.run())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.estimate)

    @property
    def current(self) -> bool:
        """Whether the form as it stands was estimated, or that was tried."""
        try:
            return self._asked == self._question()
        except ParticleSamError:
            return False

    @property
    def timing(self) -> bool:
        """Whether a step is being timed."""
        return self._jobs.busy and self._jobs.title == TITLE

    def skip(self) -> None:
        """Wait no more for the step that is being timed, and do what was to come then."""
        if self.timing:
            self._skipped = True
            self._jobs.cancel()

    def refresh(self, *_: object) -> None:
        """Take back an estimate that does not hold any more."""
        if self._asked is not None and not self.current:
            self._asked = None
            self.words.setText(ASK)

    def run(self, then: Callable[[], None] | None = None) -> bool:
        """Estimate; False where that cannot begin.

        Parameters
        ----------
        then : callable, optional
            Called when the cost is shown, or after `skip`; not where it could not be found out.
        """
        try:
            question = self._question()
        except ParticleSamError as error:
            self.words.setText(str(error))
            return False
        if self._jobs.busy:
            self.words.setText(f"'{self._jobs.title}' is not finished; wait for it or cancel it first.")
            return False
        self._skipped = False
        self.words.setText("Timing a training step to state the cost…")
        return self._jobs.start(
            TITLE,
            lambda token: estimating(question, token),
            on_result=lambda found: self._tell(question, found.sentence, then),
            on_failure=lambda words: self._failed(question, words, then),
        )

    def _tell(self, question: Question, words: str, then: Callable[[], None] | None) -> None:
        self._asked = question
        self.words.setText(words)
        # The form may have been changed while the step was timed.
        self.refresh()
        if then is not None and self._asked is not None:
            then()

    def _failed(self, question: Question, words: str, then: Callable[[], None] | None) -> None:
        if words != CANCELLED:
            # Once is enough: the next start goes without.
            self._asked = question
        self.words.setText(ASK if words == CANCELLED else words)
        if self._skipped and then is not None:
            then()


def estimating(question: Question, token: CancelToken) -> Generator[Event, None, cost.Cost]:
    """Reckon the cost while somebody waits, and stop waiting when told so.

    Parameters
    ----------
    question : Question
        What is asked.
    token : CancelToken
        Stops the waiting; the timing, in a process of its own, ends by itself.

    Yields
    ------
    Event
        Progress without a number.

    Returns
    -------
    Cost
        As `learning.cost.estimate` finds it.

    Raises
    ------
    BadValueError
        If the model cannot be loaded or does not fit into memory.
    CancelledError
        If the token was cancelled.
    """
    found: list[cost.Cost | BaseException] = []

    def work() -> None:
        try:
            found.append(cost.estimate(*question, gui_threads()))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=work, daemon=True, name="particle-sam-cost")
    thread.start()
    yield Progress(0, 0, "timing a training step")
    while thread.is_alive():
        token.check()
        thread.join(_LOOK)
    [answer] = found
    if isinstance(answer, BaseException):
        raise answer
    return answer
