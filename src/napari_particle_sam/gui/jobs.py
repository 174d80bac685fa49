"""The one long job that the window may run at a time."""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from qtpy.QtCore import QObject, QTimer, Signal

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event, Message, Progress
from napari_particle_sam.gui.job_thread import CANCELLED, JobThread, Outcome

T = TypeVar("T")

#: Between two looks into the mailbox, and how long one look may take, in seconds.
LOOK, BUDGET = 0.02, 0.01
#: How long closing the window waits for a job to stop, in seconds.
PATIENCE = 10.0


class _Signals(QObject):
    started = Signal(str)
    happened = Signal(object)
    ended = Signal()


class JobRunner:
    """Runs long jobs, one at a time, in a thread beside the window.

    It is no QObject, because that has a method named ``event``, which a signal of this name would hide from
    Qt. All signals and callbacks come in the thread of the window.

    Parameters
    ----------
    parent : QObject, optional
        With which it ends.

    Attributes
    ----------
    started : Signal
        Emits the title of a job that begins.
    event : Signal
        Emits what a job yields, in order; of progress, and of masks found so far, only the latest. Failures
        that nobody else hears come as a `Message`.
    ended : Signal
        A job ended, whichever way; before its result is handed over.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        self._signals = _Signals(parent)
        self.started, self.event, self.ended = (
            self._signals.started,
            self._signals.happened,
            self._signals.ended,
        )
        self._job: JobThread | None = None
        self._hear: _Callbacks | None = None
        self._bar = _ActivityBar()
        self._timer = QTimer(self._signals)
        self._timer.setInterval(int(1000 * LOOK))
        self._timer.timeout.connect(self._look)

    def parent(self) -> QObject | None:
        """Return with what it ends."""
        return self._signals.parent()

    @property
    def busy(self) -> bool:
        """Whether a job runs, cancelled ones that still clean up included."""
        return self._job is not None

    @property
    def title(self) -> str:
        """The title of the job that runs, else empty."""
        return self._job.title if self._job is not None else ""

    def start(
        self,
        title: str,
        make_job: Callable[[CancelToken], Generator[Event, None, T]],
        on_result: Callable[[T], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_failure: Callable[[str], None] | None = None,
    ) -> bool:
        """Begin a job unless one runs.

        Parameters
        ----------
        title : str
            What the user reads.
        make_job : callable
            Makes the job from a token; called in the job's thread, so it must not look at what the window
            changes meanwhile.
        on_result, on_event, on_failure : callable, optional
            Called in the window's thread with the result, each event, or why there is no result: a sentence,
            which is ``"cancelled"`` where the job was. After `cancel` nothing else comes.

        Returns
        -------
        bool
            False where another job runs; nothing was begun then.
        """
        if self._job is not None:
            return False
        self._job = JobThread(title, make_job)
        self._hear = _Callbacks(on_result, on_event, on_failure)
        # A window that is thrown away rather than closed must not leave a job behind.
        weakref.finalize(self._signals, self._job.token.cancel)
        self._bar.begin(title)
        self._job.start()
        self._timer.start()
        self.started.emit(title)
        return True

    def cancel(self) -> None:
        """Ask the job to stop; its events and its result are dropped from now on."""
        if self._job is not None:
            self._job.token.cancel()

    def shutdown(self, timeout: float = PATIENCE) -> bool:
        """Cancel the job and wait for its end, as before the window goes.

        Parameters
        ----------
        timeout : float
            Seconds.

        Returns
        -------
        bool
            Whether nothing runs any more.
        """
        if self._job is None:
            return True
        self._job.token.cancel()
        if self._job.join(timeout):
            self._look()
        return self._job is None

    def _look(self) -> None:
        """Hand over what waits, and the end when nothing waits any more."""
        job = self._job
        if job is None:
            return
        outcome = job.outcome  # Before the mailbox is emptied: nothing comes after the outcome.
        empty = job.token.cancelled or self._hand_over(job)
        if empty and outcome is not None and self._job is job:
            self._finish(outcome)

    def _hand_over(self, job: JobThread) -> bool:
        """Hand events over, as many as the window does not notice; whether none is left."""
        end = time.monotonic() + BUDGET
        while time.monotonic() < end and not job.token.cancelled:
            event = job.mailbox.take()
            if event is None:
                return True
            self._bar.show(event)
            self._tell(event)
        return False

    def _tell(self, event: Event) -> None:
        if self._hear is not None and self._hear.event is not None:
            self._hear.event(event)
        self.event.emit(event)

    def _finish(self, outcome: Outcome) -> None:
        assert self._job is not None and self._hear is not None
        title, hear = self._job.title, self._hear
        cancelled = self._job.token.cancelled
        # Everything is put back first: what is called now may fail, or begin the next job.
        self._job = self._hear = None
        self._timer.stop()
        self._bar.end()
        self.ended.emit()
        if cancelled or outcome.failure:
            failure = CANCELLED if cancelled else outcome.failure
            if hear.failure is not None:
                hear.failure(failure)
            else:
                self.event.emit(Message(f"'{title}' was cancelled." if cancelled else failure))
        elif hear.result is not None:
            hear.result(outcome.result)


class _Callbacks:
    """What the one who began a job wants to hear."""

    def __init__(
        self,
        result: Callable[[Any], None] | None,
        event: Callable[[Event], None] | None,
        failure: Callable[[str], None] | None,
    ) -> None:
        self.result, self.event, self.failure = result, event, failure


class _Nowhere:
    """Takes what tqdm would print."""

    def write(self, text: str) -> None:
        """Drop it."""

    def flush(self) -> None:
        """Do nothing."""


class _ActivityBar:
    """The job in napari's activity dock; nothing where there is no viewer."""

    def __init__(self) -> None:
        self._bar: Any = None

    def begin(self, title: str) -> None:
        """Show a job."""
        viewers = sys.modules.get("napari.viewer")
        if viewers is not None and viewers.current_viewer() is not None:
            from napari.utils import progress

            self._bar = progress(total=0, desc=title, file=_Nowhere())

    def show(self, event: Event) -> None:
        """Show how far it is."""
        if self._bar is None or not isinstance(event, Progress):
            return
        if self._bar.total != event.total:
            self._bar.total = event.total
        self._bar.update(event.done - self._bar.n)

    def end(self) -> None:
        """Take it away."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
