"""Crops of poor quality: nothing moves, the same seed gives the same crop."""

import numpy as np
import pytest

from napari_particle_sam.learning.degradation import degrade


@pytest.fixture
def disc():
    rows, cols = np.mgrid[:128, :160]
    inside = (rows - 50) ** 2 + (cols - 90) ** 2 < 30**2
    return np.where(inside, 190, 60).astype(np.float32), inside


@pytest.mark.parametrize("seed", range(20))
def test_particles_stay_where_they_are(disc, seed):
    grey, inside = disc
    worse = degrade(np.random.default_rng(seed), grey)
    assert worse.shape == grey.shape
    assert worse.dtype == np.float32
    assert 0 <= worse.min() <= worse.max() <= 255
    assert ((worse > 125) == inside).mean() > 0.9


def test_the_same_seed_gives_the_same_crop(disc):
    first, again = (degrade(np.random.default_rng(3), disc[0]) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_crops_are_changed_in_different_ways(disc):
    kinds = {degrade(np.random.default_rng(seed), disc[0]).tobytes() for seed in range(10)}
    assert len(kinds) > 5
