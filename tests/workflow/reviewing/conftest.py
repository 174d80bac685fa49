from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.workflow.reviewing.models import ModelShelf

DISCS = ((30, 40, 14), (90, 60, 18), (60, 130, 16), (120, 170, 15), (30, 180, 13))


@pytest.fixture(scope="session")
def shelf():
    import torch

    torch.set_num_threads(1)
    return ModelShelf()


@pytest.fixture
def micrograph():
    """Five bright discs over a data bar of 20 rows, 180 x 210."""
    rng = np.random.default_rng(0)
    rows, cols = np.indices((180, 210))
    grey = rng.normal(60, 10, (180, 210))
    for row, col, radius in DISCS:
        grey[np.hypot(rows - row, cols - col) < radius] += 110
    grey[160:] = 0
    return Micrograph(np.clip(grey, 0, 255).astype(np.uint8), Path("a.tif"), 160, None, "0" * 64)
