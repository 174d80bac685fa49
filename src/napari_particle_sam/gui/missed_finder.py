"""Looking for missed particles, and for what proposals lost, while nobody moves a slider."""

from __future__ import annotations

import logging

from qtpy.QtCore import QObject, QTimer, Signal

from napari_particle_sam.annotation.lost_shares import lost_shares
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.missed_places import missed_places
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import CancelledError
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.session_copy import copy_session
from napari_particle_sam.gui.tools.latest import LatestThread
from napari_particle_sam.workflow.reviewing.proposing import ReviewCandidates

#: The sliders rest for so many milliseconds before anything is looked for.
QUIET = 500

#: Missed places, and lost shares by id.
Found = tuple[tuple[Mask, ...], dict[int, float]]

_log = logging.getLogger(__name__)


class MissedFinder(QObject):
    """Finds what next to show of the opened image besides its scores, in a thread, after a while.

    That is places where a particle may have been missed, and how much of a proposal its neighbours hold.

    Parameters
    ----------
    workspace : Workspace
        Whose `missed` and `lost` are set.
    parent : QObject, optional
        With which it ends.

    Attributes
    ----------
    found : Signal
        Emits a tuple of `Mask`, the missed places, after the workspace has both; in the window's thread.
    """

    found = Signal(tuple)

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._wish: tuple[ReviewCandidates, AnnotationSession, Thresholds] | None = None
        self._token = CancelToken()
        self._thread = LatestThread(self)
        self._thread.done.connect(self._answered)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(QUIET)
        self._timer.timeout.connect(self._begin)

    @property
    def busy(self) -> bool:
        """Whether something is still to be found."""
        return self._timer.isActive() or self._thread.busy

    def ask(self, thresholds: Thresholds) -> None:
        """Look for what the thresholds of the proposals hid, unless something else is asked for soon."""
        self.stop()
        review, opened = self._workspace.candidates, self._workspace.opened
        if review is not None and opened is not None:
            self._wish = review, opened.session, thresholds
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

    def _answered(self, answer: Found) -> None:
        places, self._workspace.lost = answer
        self._workspace.missed = places
        self.found.emit(places)


def _look(
    review: ReviewCandidates, session: AnnotationSession, thresholds: Thresholds, token: CancelToken
) -> Found:
    found = review.candidates
    try:
        places = tuple(missed_places(found, None, session, thresholds, token=token))
        return places, lost_shares(found, session, review.run, thresholds, token)
    except CancelledError:
        return (), {}
    except Exception as error:
        # Nobody asked for it, so nobody is told.
        _log.error("looking for missed particles failed", exc_info=error)
        return (), {}
