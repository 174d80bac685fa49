from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.sam.particle_tiny.build import build_particle_tiny
from napari_particle_sam.sam.weights import fingerprint


@pytest.fixture(scope="session")
def tiny():
    """A particle-tiny of seeded random weights; tests must not change it."""
    torch.set_num_threads(1)
    torch.manual_seed(3)
    return build_particle_tiny().requires_grad_(False)


@pytest.fixture(scope="session")
def model(tiny):
    return SamModel("particle-tiny", fingerprint(tiny.state_dict()), tiny, Thresholds())


@pytest.fixture(scope="session")
def picture():
    """Bright discs on a dark, noisy ground, 90 x 140."""
    rng = np.random.default_rng(0)
    rows, cols = np.indices((90, 140))
    grey = rng.normal(60, 10, (90, 140))
    for row, col, radius in ((20, 30, 12), (60, 50, 18), (40, 100, 15)):
        grey[np.hypot(rows - row, cols - col) < radius] += 110
    return np.clip(grey, 0, 255).astype(np.uint8)


@pytest.fixture
def sentence():
    """Return the message of an error after looking that it is one sentence."""

    def check(caught, *names):
        text = str(caught.value)
        assert text.endswith(".") and "\n" not in text and ". " not in text, text
        for name in names:
            assert str(name) in text
        return text

    return check
