"""The training that runs: how far it is, its curves, and the buttons to pause, resume and cancel it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.panels.train_curves import TrainCurves
from napari_particle_sam.gui.panels.train_follow import RunFollower
from napari_particle_sam.learning.run_status import RunStatus


class RunBox(QWidget):
    """Shows the run that a `RunFollower` follows.

    Attributes
    ----------
    changed : Signal
        Whether a run is alive, or which one is shown, has changed.
    ended : Signal
        Emits the `RunStatus` of a run on which no process works any more.
    follower : RunFollower
        Looks at the run.
    """

    changed = Signal()
    ended = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.follower = RunFollower(self)
        self.curves = TrainCurves()
        self._build()
        self._lay_out()
        self.follower.events.connect(self._take)
        self.follower.pictured.connect(self.curves.show_picture)
        self.follower.progressed.connect(self._show)
        self.follower.ended.connect(self.ended)
        self.clear()

    def _build(self) -> None:
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip("How far the training is, or how it ended.")
        self.bar = QProgressBar()
        self.bar.setToolTip("Share of the steps that are done; it may end earlier.")
        self.pause, self.resume, self.cancel = (
            QPushButton(words) for words in ("Pause", "Resume", "Cancel training")
        )
        self.pause.setToolTip("Keep what was learned so far and free the processor.")
        self.resume.setToolTip("Go on where it stopped; nothing is learned twice.")
        self.cancel.setToolTip("Stop the training; the model stays as it was.")
        self.pause.clicked.connect(lambda: self._ask(lambda: self.follower.pause(True)))
        self.cancel.clicked.connect(lambda: self._ask(self.follower.cancel))
        self.resume.clicked.connect(lambda: self._ask(self.follower.resume))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        for button in (self.pause, self.resume, self.cancel):
            row.addWidget(button)
        layout.addWidget(self.words)
        layout.addWidget(self.bar)
        layout.addLayout(row)
        layout.addWidget(self.curves)

    @property
    def alive(self) -> bool:
        """Whether a process works on the run that is shown."""
        return self.follower.alive

    def say(self, words: str) -> None:
        """Show a sentence."""
        self.words.setText(words)
        self.words.setVisible(bool(words))

    def clear(self) -> None:
        """Show no run."""
        self.follower.stop()
        self.curves.clear()
        self.say("")
        for widget in (self.bar, self.pause, self.resume, self.cancel, self.curves):
            widget.hide()
        self.changed.emit()

    def follow(self, run: Path) -> None:
        """Show a run from its beginning on."""
        self.clear()
        self.follower.follow(run)

    def attach(self, project_root: Path) -> bool:
        """Show the run of a project that wants attention; False where there is none."""
        self.clear()
        return self.follower.attach(project_root)

    def _take(self, events: list[dict[str, object]]) -> None:
        for event in events:
            self.curves.add(event)

    def _show(self, status: RunStatus) -> None:
        self.say(status.sentence)
        self.bar.setVisible(status.state != "finished")
        # Without an end, a bar that runs to and fro.
        # It would draw itself, and with it the whole window, at once instead of with the rest.
        self.bar.setUpdatesEnabled(False)
        self.bar.setRange(0, status.steps or (0 if status.alive else 1))
        self.bar.setValue(status.step)
        self.bar.setUpdatesEnabled(True)
        self.pause.setVisible(status.alive)
        self.pause.setEnabled(status.state == "running")
        self.resume.setVisible(status.can_resume)
        self.cancel.setVisible(status.alive)
        self.curves.setVisible(True)
        self.changed.emit()

    def _ask(self, call: Callable[[], None]) -> None:
        try:
            call()
        except ParticleSamError as error:
            self.say(str(error))
