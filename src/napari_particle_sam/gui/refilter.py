"""Filtering candidates anew while a slider moves, beside the window."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_particle_sam.annotation.actions import Propose
from napari_particle_sam.annotation.evaluation_cache import Evaluated, evaluate
from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.job_thread import sentence_of
from napari_particle_sam.workflow.reviewing.proposing import ReviewCandidates, proposal_action

if TYPE_CHECKING:
    from napari_particle_sam.gui.model.open_image import OpenImage

#: Between two looks at what is ready, in milliseconds.
LOOK = 8
#: So many candidates are measured between two looks whether there is a wish.
BATCH = 100

_log = logging.getLogger(__name__)


class Refilter(QObject):
    """Turns candidates into proposals in one thread of its own; of several wishes the latest is done.

    What was begun is finished and handed over, unless the candidates changed: while a slider moves, the
    window shows where it was a moment ago rather than nothing.

    Attributes
    ----------
    ready : Signal
        Emits the `Propose` action; in the window's thread.
    failed : Signal
        Emits why there is none, as a sentence.
    """

    ready = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = _Desk()
        # The thread knows the desk only: it never touches a Qt object that may be going.
        weakref.finalize(self, self._desk.clear, None)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self._deliver)
        self._opened: OpenImage | None = None

    @property
    def busy(self) -> bool:
        """Whether a wish was not answered yet."""
        return self._timer.isActive()

    @property
    def evaluated(self) -> Evaluated | None:
        """The candidates' masks at the thresholds of the latest wish; to be read while not `busy`."""
        source = self._desk.source
        return source.evaluated if source is not None else None

    def set_candidates(self, candidates: ReviewCandidates | None, opened: OpenImage | None = None) -> None:
        """Take other candidates, or none; wishes and results of earlier ones are dropped.

        They are measured at once, so that the first move of a slider need not wait for it.

        Parameters
        ----------
        candidates : ReviewCandidates or None
            To be filtered.
        opened : OpenImage, optional
            Whose session the proposals are for: nothing is proposed where it ignores, and what lies beside
            the parts that were looked at stays.
        """
        self._timer.stop()
        self._opened = opened
        self._desk.clear(None if candidates is None else _Source(candidates))

    def request(self, thresholds: Thresholds, drag_token: str = "") -> None:
        """Ask for proposals; nothing happens without candidates.

        Parameters
        ----------
        thresholds : Thresholds
            How to filter.
        drag_token : str
            Proposals with one token become one step of the history.
        """
        source = self._desk.source
        if source is None:
            return
        regions, held = _of_session(self._opened, source.review.everywhere)
        self._desk.wish(lambda: source.action(thresholds, drag_token, regions, held))
        self._timer.start()

    def wait(self, seconds: float = 5.0) -> bool:
        """Do what was asked for and hand it over; whether it was in time."""
        in_time = self._desk.join(seconds)
        self._deliver()
        return in_time

    def _deliver(self) -> None:
        # Whether something can still come is looked at first: nothing comes after that.
        idle, answer = self._desk.idle, self._desk.take()
        if idle:
            self._timer.stop()
        if answer is None:
            return
        if isinstance(answer, str):
            self.failed.emit(answer)
        else:
            self.ready.emit(answer)


@dataclass(frozen=True, eq=False)
class _Held:
    """What a session held when it was asked: the thread must not look at one that changes."""

    shape: tuple[int, int]
    instances: Mapping[int, Instance]


def _of_session(opened: OpenImage | None, everywhere: bool) -> tuple[RegionMap | None, _Held | None]:
    if opened is None:
        return None, None
    session = opened.session
    regions = RegionMap.from_array(session.regions.values) if session.regions.ignored.any() else None
    held = None if everywhere else _Held(session.shape, MappingProxyType(dict(session.instances)))
    return regions, held


@dataclass(eq=False)
class _Source:
    """Candidates and their masks as far as they were made; used by the thread only."""

    review: ReviewCandidates
    evaluated: Evaluated | None = None
    measured: int = field(default=0)

    def measure_more(self) -> bool:
        """Measure some candidates at the thresholds they were collected with; whether any were left."""
        candidates = self.review.candidates
        if self.measured >= len(candidates):
            return False
        if self.evaluated is None:
            self.evaluated = evaluate(candidates, self.review.thresholds)
        end = min(self.measured + BATCH, len(candidates))
        self.evaluated.measure(np.arange(self.measured, end))
        self.measured = end
        return True

    def action(
        self, thresholds: Thresholds, drag: str, regions: RegionMap | None, held: _Held | None
    ) -> Propose:
        """Filter."""
        if self.evaluated is None:
            self.evaluated = evaluate(self.review.candidates, thresholds)
        self.evaluated = self.evaluated.at(thresholds)
        session = cast(AnnotationSession | None, held)
        return proposal_action(self.review, thresholds, self.evaluated, drag, regions, session)


class _Desk:
    """The latest wish, its thread and the latest answer."""

    def __init__(self) -> None:
        self.source: _Source | None = None
        self._lock = threading.Lock()
        self._wish: Callable[[], Propose] | None = None
        self._answer: Propose | str | None = None
        self._working = False
        self._thread: threading.Thread | None = None

    @property
    def idle(self) -> bool:
        """Whether no wish is open, though something may still be measured."""
        with self._lock:
            return self._wish is None and not self._working

    def clear(self, source: _Source | None) -> None:
        with self._lock:
            self.source, self._wish, self._answer = source, None, None
            self._wake()

    def wish(self, call: Callable[[], Propose]) -> None:
        with self._lock:
            self._wish = call
            self._wake()

    def take(self) -> Propose | str | None:
        with self._lock:
            answer, self._answer = self._answer, None
            return answer

    def join(self, seconds: float) -> bool:
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return self._thread is None

    def _wake(self) -> None:
        if self._thread is None and self.source is not None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="particle-sam-refilter")
            self._thread.start()

    def _work(self) -> None:
        while self._next():
            pass

    def _next(self) -> bool:
        """Answer the wish, else measure a little; False when nothing is left to do."""
        with self._lock:
            source, wish, self._wish = self.source, self._wish, None
            self._working = wish is not None
        if wish is not None and source is not None:
            answer = _called(wish)
            with self._lock:
                self._working = False
                if source is self.source:
                    self._answer = answer
            return True
        more = source is not None and _measured(source)
        with self._lock:
            if more or self._wish is not None or source is not self.source:
                return True
            self._thread = None
            return False


def _called(call: Callable[[], Propose]) -> Propose | str:
    try:
        return call()
    except ParticleSamError as error:
        return str(error)
    except Exception as error:
        # Whatever it is, the next move of a slider must find a thread.
        _log.error("filtering failed", exc_info=error)
        return sentence_of(error, "Filtering the proposals")


def _measured(source: _Source) -> bool:
    try:
        return source.measure_more()
    except Exception:
        # A wish meets the same error and says it.
        source.measured = len(source.review.candidates)
        return False
