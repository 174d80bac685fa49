from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.canvas.canvas import Canvas
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace


class Easel:
    """A canvas on a viewer, and what it draws."""

    def __init__(self, viewer: Any, workspace: Workspace) -> None:
        self.viewer, self.workspace = viewer, workspace
        self.commands = Commands(workspace)
        self.canvas = Canvas(viewer, workspace, self.commands)

    @property
    def session(self) -> AnnotationSession:
        assert self.commands.session is not None
        return self.commands.session

    @property
    def layer(self) -> Any:
        return self.canvas.layer

    def add(self, *arrays: np.ndarray) -> tuple[int, ...]:
        masks = tuple(Mask.from_array(array) for array in arrays)
        return self.session.apply(AddMasks(masks, "painted")).added

    def follows(self) -> bool:
        """Whether the layer shows the session, in its data and in the slice that is drawn."""
        return bool((np.asarray(self.layer.data) == self.session.labels).all())


@pytest.fixture
def easel(qtbot: Any, workspace: Workspace) -> Iterator[Easel]:
    made = Easel(ViewerModel(), workspace)
    yield made
    made.canvas.close()


@pytest.fixture
def discs(easel: Easel, disc: Callable[..., np.ndarray]) -> tuple[int, ...]:
    """Three particles: left, right, and one below."""
    return easel.add(disc(20, 20, 8), disc(20, 50, 8), disc(45, 30, 7))
