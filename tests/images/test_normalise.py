from __future__ import annotations

import numpy as np
import pytest

from napari_particle_sam.images.normalise import normalise


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_field_fills_the_range(dtype):
    pixels = np.arange(250).reshape(10, 25).astype(dtype)
    picture = normalise(pixels)
    assert picture.dtype == np.uint8
    assert (picture.min(), picture.max()) == (0, 255)
    assert (np.diff(picture.ravel().astype(int)) >= 0).all()


def test_the_bar_does_not_change_the_field():
    pixels = np.random.default_rng(0).integers(0, 1000, (30, 20)).astype(np.uint16)
    bright = pixels.copy()
    bright[20:] = 60000
    assert (normalise(pixels, 20)[:20] == normalise(bright, 20)[:20]).all()
