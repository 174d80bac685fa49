"""The foot of the dock: what to press next, what was said, and the job that runs."""

from __future__ import annotations

from collections import deque

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_particle_sam.base.events import Event, Message, Progress
from napari_particle_sam.gui.jobs import JobRunner

#: Sentences that the tooltip still shows.
REMEMBERED = 20


class StatusLine(QWidget):
    """Shows hint, last sentence and progress; Cancel stops the job that runs.

    Parameters
    ----------
    jobs : JobRunner
        Whose job is shown.
    """

    def __init__(self, jobs: JobRunner) -> None:
        super().__init__()
        self._jobs = jobs
        self._said: deque[str] = deque(maxlen=REMEMBERED)
        self._hint = _words("What the active tool waits for.")
        self._sentence = _words("What was said last; rest the pointer here for what was said before.")
        self._job, self._bar = QLabel(), QProgressBar()
        self._cancel = QPushButton("Cancel")
        self._cancel.setToolTip("Stop the job; what it finished is kept.")
        self._cancel.clicked.connect(jobs.cancel)
        self._line = QWidget()
        self._lay_out()
        jobs.started.connect(self._begin)
        jobs.event.connect(self._show)
        jobs.ended.connect(self._line.hide)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self._line)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._job)
        row.addWidget(self._bar, 1)
        row.addWidget(self._cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 4)
        for widget in (self._hint, self._sentence, self._line):
            layout.addWidget(widget)
        self._hint.hide()
        self._line.hide()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was said, the last sentence last."""
        return tuple(self._said)

    def say(self, sentence: str) -> None:
        """Show a sentence until the next one."""
        self._said.append(sentence)
        self._sentence.setText(sentence)
        self._sentence.setToolTip("\n".join(self._said))

    def hint(self, words: str) -> None:
        """Show what the active tool waits for; empty hides the line."""
        self._hint.setText(words)
        self._hint.setVisible(bool(words))

    def _begin(self, title: str) -> None:
        self._job.setText(title)
        self._bar.setRange(0, 0)
        self._line.show()

    def _show(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._bar.setRange(0, event.total)
            self._bar.setValue(event.done)
            self._bar.setToolTip(event.text)
        elif isinstance(event, Message):
            self.say(event.text)


def _words(tooltip: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setToolTip(tooltip)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
