"""Following a training that another process does, by what it writes into its folder."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from napari_particle_sam.learning import launch
from napari_particle_sam.learning.run_names import PREDICTIONS
from napari_particle_sam.learning.run_status import EventReader, RunStatus, list_runs, read_status

#: Between two looks at the run's files, in milliseconds.
LOOK = 700


class RunFollower(QObject):
    """Looks at a run's folder again and again until its process has ended.

    The run does not know of it: it goes on when nobody follows any more.

    Attributes
    ----------
    progressed : Signal
        Emits the `RunStatus` when it is another one.
    events : Signal
        Emits the new events, as `run_status.EventReader` reads them.
    pictured : Signal
        Emits the path of the newest prediction.
    ended : Signal
        Emits the `RunStatus` when no process works on the run any more, after the last events.
    run : Path or None
        The folder that is followed.
    status : RunStatus or None
        At the last look.
    witnessed : bool
        Whether the process was seen alive, rather than found ended at the first look.
    """

    progressed = Signal(object)
    events = Signal(object)
    pictured = Signal(object)
    ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.status: RunStatus | None = None
        self.run: Path | None = None
        self.witnessed = False
        self._reader: EventReader | None = None
        self._picture: Path | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self.look)

    @property
    def alive(self) -> bool:
        """Whether a process worked on the run at the last look."""
        return self.status is not None and self.status.alive

    def attach(self, project_root: Path) -> bool:
        """Follow the run of a project that wants attention; False where there is none.

        That is one that is alive, else the newest: it may have been interrupted, or have ended unseen.
        """
        runs = list_runs(project_root)
        found = next((run for run in runs if read_status(run).alive), runs[0] if runs else None)
        if found is not None:
            self.follow(found)
        return found is not None

    def follow(self, run: Path) -> None:
        """Follow a run from its first event on."""
        self.stop()
        self.run, self._reader = run, EventReader(run)
        self._picture, self.witnessed = None, False
        self._timer.start()
        self.look()

    def stop(self) -> None:
        """Follow nothing; the run goes on."""
        self._timer.stop()
        self.run = self.status = self._reader = None

    def cancel(self) -> None:
        """Ask the run to stop; raises `BadFileError` where its folder cannot be written."""
        if self.run is not None:
            launch.request_cancel(self.run)
            self.look()

    def pause(self, paused: bool) -> None:
        """Ask the run to pause, or take that back as long as it has not."""
        if self.run is not None:
            launch.request_pause(self.run, paused)
            self.look()

    def resume(self) -> None:
        """Go on with a run that has stopped; raises `BadFileError` where that is not possible."""
        if self.run is not None:
            launch.start_run(self.run)
            self._timer.start()
            self.look()

    def look(self) -> None:
        """Read what is new."""
        if self._reader is None or self.run is None:
            return
        # Before the events: what is written in between comes at the next look, or ended it.
        status = read_status(self.run)
        new, before, self.status = self._reader.new(), self.status, status
        self.witnessed |= status.alive
        if not status.alive:
            self._timer.stop()
        if new:
            self.events.emit(new)
        self._look_for_picture(status.run)
        if status != before:
            self.progressed.emit(status)
        if not status.alive:
            self.ended.emit(status)

    def _look_for_picture(self, run: Path) -> None:
        newest = max((run / PREDICTIONS).glob("epoch_*.png"), default=None, key=lambda path: path.name)
        if newest is not None and newest != self._picture:
            self._picture = newest
            self.pictured.emit(newest)
