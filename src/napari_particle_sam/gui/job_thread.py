"""A long job in a thread of its own, and the mailbox between it and the window."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import CancelledError, ParticleSamError
from napari_particle_sam.base.events import CandidatesFound, Event, Progress
from napari_particle_sam.workflow.reviewing.job import ProposalsFound

MakeJob = Callable[[CancelToken], Generator[Event, None, Any]]

#: Of these only the latest matters; it takes the place of one that was not handed over yet.
REPLACED = (Progress, CandidatesFound, ProposalsFound)
#: When so many events wait for the window, the job waits too.
CAPACITY = 1000
#: Between two looks whether there is room again, in seconds.
PAUSE = 0.02
CANCELLED = "cancelled"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a job ended: what it returned, or a sentence."""

    result: Any = None
    failure: str = ""


class Mailbox:
    """Events on their way to the window; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._waiting: OrderedDict[Any, Event] = OrderedDict()
        self._number = 0

    def put(self, event: Event, token: CancelToken) -> None:
        """Leave an event; waits while there are too many, so that a fast job cannot fill the memory.

        Raises
        ------
        CancelledError
            If the token was cancelled.
        """
        with self._room:
            while len(self._waiting) >= CAPACITY and not token.cancelled:
                self._room.wait(PAUSE)
            token.check()
            self._number += 1
            key = type(event) if isinstance(event, REPLACED) else self._number
            self._waiting.pop(key, None)
            self._waiting[key] = event

    def take(self) -> Event | None:
        """Return the event that waits longest, or None."""
        with self._room:
            if not self._waiting:
                return None
            _, event = self._waiting.popitem(last=False)
            self._room.notify()
            return event


class JobThread:
    """Runs a job to its end in a thread; it never touches a Qt object, which may be going.

    Parameters
    ----------
    title : str
        For the sentences.
    make_job : callable
        Makes the job; called in the thread.
    """

    def __init__(self, title: str, make_job: MakeJob) -> None:
        self.title, self.token, self.mailbox = title, CancelToken(), Mailbox()
        self.outcome: Outcome | None = None
        self._make_job = make_job
        self._thread = threading.Thread(target=self._run, daemon=True, name="particle-sam-job")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for the end; whether it came in time."""
        self._thread.join(seconds)
        return self.outcome is not None

    def _run(self) -> None:
        outcome = Outcome(failure=CANCELLED)
        try:
            outcome = Outcome(self._drained())
        except BaseException as error:
            # Everything: torch raises RuntimeError for most things, and a thread that dies says nothing.
            outcome = Outcome(failure=self._sentence(error))
        finally:
            self.outcome = Outcome(failure=CANCELLED) if self.token.cancelled else outcome

    def _drained(self) -> Any:
        job = self._make_job(self.token)
        try:
            while True:
                try:
                    event = next(job)
                except StopIteration as end:
                    return end.value
                self._deliver(event, job)
        finally:
            job.close()

    def _deliver(self, event: Event, job: Generator[Event, None, Any]) -> None:
        try:
            self.mailbox.put(event, self.token)
        except CancelledError as cancelled:
            # In the job, so that it is told and its `finally` runs now and in this thread.
            job.throw(cancelled)
            raise

    def _sentence(self, error: BaseException) -> str:
        if isinstance(error, ParticleSamError):
            return str(error)
        if not self.token.cancelled:
            _log.error("'%s' failed", self.title, exc_info=error)
        return sentence_of(error, self.title)


def sentence_of(error: BaseException, title: str) -> str:
    """Return one sentence on an error that is not the user's.

    Parameters
    ----------
    error : BaseException
        What a job raised.
    title : str
        Of the job.
    """
    kind, lines = type(error).__name__, str(error).strip().splitlines()
    why = lines[0].strip().rstrip(".") if lines else kind
    if isinstance(error, MemoryError) or kind == "OutOfMemoryError":
        return f"'{title}' needs more memory than is free ({why}); close other programs, or look at a part."
    if isinstance(error, OSError):
        what = error.filename or "a file"
        return f"'{title}' could not use {what} ({error.strerror or why}); check that it is there."
    if isinstance(error, ImportError):
        return f"'{title}' lacks a package ({why}); install napari-particle-sam again."
    return f"'{title}' failed ({why}); try again, and report it if it happens twice."
