from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.learning.targets import dense_targets, edge_distance, inner_edges
from napari_particle_sam.sam.locator_head import (
    BOUNDARY,
    CHANNELS,
    DISTANCE,
    FOREGROUND,
    OFFSET_COL,
    OFFSET_ROW,
    OFFSET_UNIT,
)


def two_squares():
    labels = np.zeros((12, 20), np.int32)
    labels[2:9, 2:9] = 1
    labels[2:9, 9:16] = 4
    return labels


def test_edges_lie_between_particles_and_not_at_the_frame():
    edges = inner_edges(two_squares())
    assert edges[5, 8] and edges[5, 9] and edges[2, 4] and not edges[5, 5]
    assert not inner_edges(np.ones((5, 5), int)).any()
    assert not (edges & (two_squares() == 0)).any()


def test_distance_counts_from_one_within_each_particle():
    distance = edge_distance(two_squares())
    assert distance[5, 5] == 4 and distance[5, 8] == 1 and distance[5, 9] == 1
    assert not distance[two_squares() == 0].any()
    assert (edge_distance(np.ones((6, 6), int)) > 0).all()


def test_targets_of_two_touching_squares():
    labels = two_squares()
    maps = dense_targets(labels, pixel=2)
    np.testing.assert_array_equal(maps[FOREGROUND], labels > 0)
    np.testing.assert_array_equal(maps[BOUNDARY] > 0, inner_edges(labels))
    assert maps[DISTANCE].max() == 1 and maps[DISTANCE][5, 5] == 1 and maps[DISTANCE][5, 12] == 1
    assert maps[OFFSET_ROW][2, 5] * OFFSET_UNIT == pytest.approx(6)
    assert maps[OFFSET_COL][5, 15] * OFFSET_UNIT == pytest.approx(-6)


@settings(max_examples=60, deadline=None)
@given(labels=arrays(np.int32, st.tuples(st.integers(1, 20), st.integers(1, 20)), elements=st.integers(0, 5)))
def test_every_pixel_points_to_the_deepest_point_of_its_own_particle(labels):
    maps = dense_targets(labels, pixel=2)
    assert maps.shape == (CHANNELS, *labels.shape) and np.isfinite(maps).all()
    assert not maps[:, labels == 0].any()
    rows, cols = np.nonzero(labels)
    to_row = np.rint(rows + maps[OFFSET_ROW][rows, cols] * OFFSET_UNIT / 2).astype(int)
    to_col = np.rint(cols + maps[OFFSET_COL][rows, cols] * OFFSET_UNIT / 2).astype(int)
    assert (labels[to_row, to_col] == labels[rows, cols]).all()
    assert (
        (maps[DISTANCE][to_row, to_col] == 1).all()
        if len(rows) and edge_distance(labels).max() >= 1
        else True
    )


tiles = arrays(np.int32, (5, 5), elements=st.integers(0, 4))


@settings(max_examples=60, deadline=None)
@given(tiles, tiles, arrays(bool, (5, 5)))
def test_labels_outside_the_reviewed_region_change_nothing(first, others, reviewed):
    labels, erased, reviewed = (np.kron(x, np.ones((4, 4), x.dtype)) for x in (first, others, reviewed))
    here = dense_targets(labels, 2, reviewed)
    there = dense_targets(np.where(reviewed, labels, erased), 2, reviewed)
    np.testing.assert_array_equal(here, there)
    assert not here[:, ~reviewed].any()


def test_the_border_of_the_reviewed_region_is_like_the_frame():
    labels, reviewed = two_squares(), np.zeros((12, 20), bool)
    reviewed[:, :12] = True
    got = dense_targets(labels, 2, reviewed)[..., :12]
    np.testing.assert_array_equal(got, dense_targets(labels[:, :12], 2))
    assert not inner_edges(labels, reviewed)[5, 10:].any()
    everywhere = np.ones((12, 20), bool)
    np.testing.assert_array_equal(dense_targets(labels, 2), dense_targets(labels, 2, everywhere))
