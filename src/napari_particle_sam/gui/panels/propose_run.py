"""One run of a model on the opened image, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.base.events import Event
from napari_particle_sam.gui.job_thread import CANCELLED
from napari_particle_sam.gui.jobs import JobRunner
from napari_particle_sam.gui.model.open_image import OpenImage
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.propose_job import Window, find_particles
from napari_particle_sam.workflow.reviewing.models import ModelShelf, ProposeSettings
from napari_particle_sam.workflow.reviewing.proposing import ProposalsFound, ReviewCandidates, beginning_of

TITLE = "Looking for particles"


class ProposeRun(QObject):
    """Has a model look for particles, and drops what is no longer wanted: of another image, or in blind mode.

    Parameters
    ----------
    workspace : Workspace
        What is open; its `candidates` are set.
    jobs : JobRunner
        Runs the model.
    shelf : ModelShelf
        Where models are kept.
    parent : QObject, optional
        With which it ends.

    Attributes
    ----------
    found : Signal
        Emits a tuple of `Mask` while it runs; empty when there is nothing to show any more.
    """

    found = Signal(tuple)

    def __init__(
        self, workspace: Workspace, jobs: JobRunner, shelf: ModelShelf, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._jobs, self._shelf = workspace, jobs, shelf

    def start(
        self,
        settings: ProposeSettings,
        thresholds: Thresholds,
        window: Window | None,
        then: Callable[[ReviewCandidates], None],
    ) -> bool:
        """Begin; False where no image is open or another job runs.

        Parameters
        ----------
        settings : ProposeSettings
            Which model, and how to look.
        thresholds : Thresholds
            With which masks are shown while it runs.
        window : tuple of int or None
            ``(top, left, bottom, right)`` to look at, the whole image where None.
        then : callable
            Called with what was found, once the workspace has it.
        """
        opened, shelf = self._workspace.opened, self._shelf
        previous = None if window is None else self._workspace.candidates
        if opened is None:
            return False
        return self._jobs.start(
            TITLE,
            lambda token: find_particles(
                shelf, settings, opened.micrograph, thresholds, token, window, previous
            ),
            on_result=lambda found: self._collected(opened, found, then),
            on_event=lambda event: self._show(opened, event),
            on_failure=self.fail,
        )

    def fail(self, words: str) -> None:
        """Show no masks any more, and say why there are none."""
        self.found.emit(())
        self._workspace.said.emit(f"{TITLE}: {words}." if words == CANCELLED else words)

    def _show(self, opened: OpenImage, event: Event) -> None:
        if isinstance(event, ProposalsFound) and self._is_wanted(opened):
            self.found.emit(tuple(proposal.mask for proposal in event.proposals))

    def _is_wanted(self, opened: OpenImage) -> bool:
        """Whether an image is still open, though its facts may have changed."""
        now = self._workspace.opened
        return now is not None and now.session is opened.session and not self._workspace.blind

    def _collected(
        self, opened: OpenImage, found: ReviewCandidates, then: Callable[[ReviewCandidates], None]
    ) -> None:
        if not self._is_wanted(opened):
            self.found.emit(())
            return
        self._workspace.candidates = found
        then(found)
        try:
            opened.stored.began_with(beginning_of(found))
        except ParticleSamError as error:
            self._workspace.said.emit(str(error))
