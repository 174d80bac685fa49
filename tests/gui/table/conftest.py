from __future__ import annotations

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace


@pytest.fixture
def commands(workspace: Workspace) -> Commands:
    """Commands on a workspace whose image holds particles 1 to 4 of 4, 9, 16 and 25 pixels."""
    masks = tuple(Mask(10 * side, 10 * side, np.ones((side, side), bool)) for side in (2, 3, 4, 5))
    made = Commands(workspace)
    scores = ((0.9, 0.8), (0.7, 0.95), (None, None), (0.8, 0.85))
    made.apply(AddMasks(masks, "prompted", scores))
    return made


@pytest.fixture
def session(commands: Commands) -> AnnotationSession:
    assert commands.session is not None
    return commands.session
