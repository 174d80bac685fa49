"""How closely particles are packed decides how closely they are looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.sam.scale import PACKED, local_area_fraction


def discs(shape, centres, radius):
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    inside = np.zeros(shape, bool)
    for row, col in centres:
        inside |= (rows - row) ** 2 + (cols - col) ** 2 <= radius**2
    return inside


def cluster(shape, corner, count=5, radius=10):
    step = 2 * radius + 1
    places = [(corner[0] + step * i, corner[1] + step * j) for i in range(count) for j in range(count)]
    return discs(shape, places, radius)


def test_a_cluster_on_an_empty_field_is_packed_and_single_particles_are_not():
    together = cluster((400, 600), (100, 100))
    apart = discs((400, 600), [(60 + 70 * i, 60 + 80 * j) for i in range(5) for j in range(5)], 10)
    assert together.mean() < 0.1
    assert local_area_fraction(together, 20.0) > PACKED
    assert local_area_fraction(apart, 20.0) < 0.2


def test_a_full_field_gives_one_and_an_empty_one_none():
    assert local_area_fraction(np.ones((90, 70), bool), 12.0) == pytest.approx(1.0, abs=1e-5)
    assert local_area_fraction(np.zeros((90, 70), bool), 12.0) == 0.0


def test_what_is_not_known_is_no_background():
    inside = np.ones((200, 200), bool)
    known = np.zeros((200, 200), bool)
    known[:, :20] = True
    assert local_area_fraction(inside & known, 20.0, known) == pytest.approx(1.0, abs=1e-4)
    assert local_area_fraction(inside & known, 20.0) < 0.8


@given(st.integers(1, 6))
def test_it_hardly_depends_on_the_size_of_a_pixel(zoom):
    small = cluster((200, 300), (60, 60), 4, 5)
    large = np.kron(small, np.ones((zoom, zoom), bool))
    want = local_area_fraction(small, 10.0)
    assert local_area_fraction(large, 10.0 * zoom) == pytest.approx(want, abs=0.06)
