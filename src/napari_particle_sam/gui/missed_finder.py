"""Looking for missed particles while nobody moves a slider."""

from __future__ import annotations

import logging

from qtpy.QtCore import QObject, QTimer, Signal

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.missed_places import missed_places
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import CancelledError
from napari_particle_sam.gui.session_copy import copy_session
from napari_particle_sam.gui.tools.latest import LatestThread
from napari_particle_sam.workflow.reviewing.proposing import ReviewCandidates

#: The sliders rest for so many milliseconds before anything is looked for.
QUIET = 500

_log = logging.getLogger(__name__)


class MissedFinder(QObject):
    """Finds the places of one image where a particle may have been missed, in a thread, after a while.

    Attributes
    ----------
    found : Signal
        Emits a tuple of `Mask`; in the window's thread.
    """

    found = Signal(tuple)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wish: tuple[ReviewCandidates, AnnotationSession, Thresholds] | None = None
        self._token = CancelToken()
        self._thread = LatestThread(self)
        self._thread.done.connect(self.found)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(QUIET)
        self._timer.timeout.connect(self._begin)

    @property
    def busy(self) -> bool:
        """Whether something is still to be found."""
        return self._timer.isActive() or self._thread.busy

    def ask(self, review: ReviewCandidates, session: AnnotationSession, thresholds: Thresholds) -> None:
        """Look for what some thresholds hid, unless something else is asked for soon.

        Parameters
        ----------
        review : ReviewCandidates
            What the model saw.
        session : AnnotationSession
            The opened image's, read when the looking begins.
        thresholds : Thresholds
            Those of its proposals.
        """
        self.stop()
        self._wish = review, session, thresholds
        self._timer.start()

    def stop(self) -> None:
        """Forget what was asked for; nothing comes of it any more."""
        self._wish = None
        self._timer.stop()
        self._token.cancel()
        self._thread.clear()

    def _begin(self) -> None:
        if self._wish is None:
            return
        review, session, thresholds = self._wish
        self._wish, self._token = None, CancelToken()
        token, held = self._token, copy_session(session)
        self._thread.ask(lambda: _look(review, held, thresholds, token))


def _look(
    review: ReviewCandidates, session: AnnotationSession, thresholds: Thresholds, token: CancelToken
) -> tuple[Mask, ...]:
    try:
        return tuple(missed_places(review.candidates, None, session, thresholds, token=token))
    except CancelledError:
        return ()
    except Exception as error:
        # Nobody asked for it, so nobody is told.
        _log.error("looking for missed particles failed", exc_info=error)
        return ()
