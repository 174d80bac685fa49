from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as oracle
from scipy import ndimage
from skimage.draw import disk

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.storage.formats import outlines

MASKS = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def signed_area(ring):
    other = np.roll(ring, -1, axis=0)
    return (ring[:, 1] * other[:, 0] - ring[:, 0] * other[:, 1]).sum() / 2


@settings(max_examples=100, deadline=None)
@given(MASKS)
def test_any_mask_comes_back_from_its_outlines(array):
    mask = Mask.from_array(array)
    rings = outlines.trace(mask)
    if mask.area:
        assert outlines.fill(rings, array.shape).equals(mask)
        assert outlines.fill([outlines.joined(rings)], array.shape).equals(mask)


@settings(max_examples=100, deadline=None)
@given(MASKS)
def test_one_ring_per_part_and_hole_along_pixel_edges(array):
    rings = outlines.trace(Mask.from_array(array))
    parts = ndimage.label(array, np.ones((3, 3)))[1]
    holes = ndimage.label(np.pad(~array, 1, constant_values=True))[1] - 1
    assert len(rings) == parts + holes
    assert sum(signed_area(ring) > 0 for ring in rings) == parts
    assert sum(signed_area(ring) for ring in rings) == array.sum()
    for ring in rings:
        steps = np.abs(np.roll(ring, -1, axis=0) - ring)
        assert (steps.min(1) == 0).all() and (steps.max(1) > 0).all()


@settings(max_examples=60, deadline=None)
@given(MASKS)
def test_one_part_without_holes_is_the_same_to_pycocotools(array):
    mask, _ = Mask.from_array(array).largest_component()
    mask = Mask.from_array(ndimage.binary_fill_holes(np.pad(mask.crop, 1)))
    if not mask.area:
        return
    (ring,) = outlines.trace(mask)
    shape = (mask.box[2] + 1, mask.box[3] + 1)
    coded = oracle.frPyObjects([ring[:, ::-1].ravel().astype(float).tolist()], *shape)
    whole = np.zeros(shape, np.uint8)
    whole[mask.window] = mask.crop
    assert np.array_equal(oracle.decode(coded)[..., 0], whole)


def test_a_disc_far_from_the_origin():
    array = np.zeros((200, 300), bool)
    array[disk((150.3, 220.7), 31)] = True
    mask = Mask.from_array(array)
    (ring,) = outlines.trace(mask)
    assert outlines.fill([ring], array.shape).equals(mask)


def test_pixels_whose_centre_is_inside():
    triangle = np.array([(0.0, 0.0), (0.0, 4.0), (4.0, 0.0)])
    mask = outlines.fill([triangle + 0.001], (5, 5))
    assert mask.area == 6 + 4  # the diagonal's centres lie just inside
    assert outlines.fill([triangle - 0.001], (5, 5)).area == 6


def test_what_leaves_the_image_is_cut():
    square = np.array([(-5.0, -5.0), (-5.0, 2.0), (3.0, 2.0), (3.0, -5.0)])
    assert outlines.fill([square], (10, 10)).box == (0, 0, 3, 2)
    assert outlines.fill([square + 100], (10, 10)).area == 0
    assert outlines.fill([], (10, 10)).area == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e9])
def test_points_that_are_nowhere_are_refused(value):
    with pytest.raises(ValueError, match="outline"):
        outlines.fill([np.array([(0.0, 0.0), (0.0, value), (4.0, 0.0)])], (5, 5))


def test_an_endless_zigzag_is_refused():
    zigzag = np.tile([(0.0, 1.0), (60_000.0, 2.0)], (600, 1))
    with pytest.raises(ValueError, match="intricate"):
        outlines.fill([zigzag], (60_000, 10))
