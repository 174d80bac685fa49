"""The process that trains, apart from the window."""

from __future__ import annotations

import sys
from pathlib import Path

from qtpy.QtCore import QObject, QProcess, QTimer, Signal

from napari_particle_sam.gui.panels.train_progress import TrainOutcome, TrainProgress, read_outcome

#: Between two looks at the run's files, in milliseconds.
LOOK = 1000
#: What is kept of the process's words for the sentence on a failure.
_KEPT = 20_000
_CLI = "from napari_particle_sam.cli import main; main()"


def train_arguments(pairs: Path, out: Path, preset: str, minutes: float | None) -> list[str]:
    """Return the arguments of Python for `particle-sam train`.

    Not the name of the command: it need not be on the path of a bundled napari.
    """
    arguments = ["-c", _CLI, "train", "--pairs", str(pairs), "--out", str(out), "--preset", preset]
    arguments += [] if minutes is None else ["--minutes", f"{minutes:g}"]
    groups = pairs / "groups.csv"
    return [*arguments, "--groups", str(groups)] if groups.is_file() else arguments


class TrainProcess(QObject):
    """Runs `particle-sam train` and follows its files.

    Attributes
    ----------
    progressed : Signal
        Emits the `TrainProgress` when there is news.
    ended : Signal
        Emits the `TrainOutcome`.
    progress : TrainProgress or None
        Of the run, the last one where none runs.
    """

    progressed = Signal(object)
    ended = Signal(object)

    def __init__(self, parent: QObject | None = None, program: str = sys.executable) -> None:
        super().__init__(parent)
        self.progress: TrainProgress | None = None
        self._program, self._cancelled, self._complaint = program, False, ""
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self._look)
        self._process = QProcess(self)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self._process.readyReadStandardOutput.connect(self._hear)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._refuse)

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def start(self, arguments: list[str], folder: Path, minutes: float | None) -> bool:
        """Begin a run; False where one is under way.

        Parameters
        ----------
        arguments : list of str
            Of the program, as `train_arguments` makes them.
        folder : Path
            The run's folder.
        minutes : float or None
            Its budget, for the progress bar.
        """
        if self.running:
            return False
        self.progress = TrainProgress(folder, minutes)
        self._cancelled, self._complaint = False, ""
        self._process.start(self._program, arguments)
        self._timer.start()
        return True

    def cancel(self) -> None:
        """Stop the run; what it wrote stays in its folder."""
        if self.running:
            self._cancelled = True
            # A console program of Windows does not hear a polite request.
            self._process.kill()

    def shutdown(self) -> None:
        """Stop the run and wait for its end, as before the window goes."""
        self.cancel()
        self._process.waitForFinished(3000)

    def _hear(self) -> None:
        text = bytes(self._process.readAllStandardOutput().data()).decode("utf-8", "replace")
        self._complaint = (self._complaint + text)[-_KEPT:]

    def _look(self) -> None:
        if self.progress is not None and self.progress.look():
            self.progressed.emit(self.progress)

    def _finish(self, *_: object) -> None:
        self._timer.stop()
        self._look()
        if self.progress is None:
            return
        self._hear()
        cancelled = TrainOutcome(None, "Cancelled; the model stays as it was.")
        self.ended.emit(cancelled if self._cancelled else read_outcome(self.progress.folder, self._complaint))

    def _refuse(self, error: QProcess.ProcessError) -> None:
        # Every other error is followed by `finished`.
        if error == QProcess.ProcessError.FailedToStart:
            self._timer.stop()
            self.ended.emit(
                TrainOutcome(None, f"{self._program} cannot be started; install the program again.")
            )
