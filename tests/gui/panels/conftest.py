from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QObject, Signal

from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.base.events import Event
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.gui.model.workspace import Workspace


class JobsNow(QObject):
    """Runs a job to its end before `start` returns, with the calls of a `JobRunner`."""

    started = Signal(str)
    event = Signal(object)
    ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.busy, self.title = False, ""
        self.failures: list[str] = []

    def shutdown(self) -> bool:
        return not self.busy

    def start(
        self,
        title: str,
        make_job: Callable[[CancelToken], Generator[Event, None, Any]],
        on_result: Callable[[Any], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_failure: Callable[[str], None] | None = None,
    ) -> bool:
        if self.busy:
            return False
        self.title = title
        self.started.emit(title)
        try:
            result = run_job(make_job(CancelToken()), on_event)
        except ParticleSamError as error:
            self.failures.append(str(error))
            if on_failure is not None:
                on_failure(str(error))
        else:
            if on_result is not None:
                on_result(result)
        self.ended.emit()
        return True

    def cancel(self) -> None:
        pass


@pytest.fixture
def jobs(qtbot: Any) -> JobsNow:
    return JobsNow()


@pytest.fixture
def annotated(workspace: Workspace, disc: Callable[..., np.ndarray]) -> Workspace:
    """The first image holds three discs and is done; the second holds one and is only begun."""
    discs = tuple(Mask.from_array(disc(*place)) for place in ((15, 20, 8), (35, 50, 6), (3, 60, 7)))
    workspace.opened.session.apply(AddMasks(discs, "painted"))
    workspace.set_done(True)
    workspace.step(1)
    workspace.opened.session.apply(AddMasks((Mask.from_array(disc(30, 30, 9)),), "painted"))
    return workspace
