from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.masks import Mask, labelled_masks, masks_of

SHAPE = (9, 11)
grids = arrays(bool, SHAPE)


def paint(mask: Mask) -> np.ndarray:
    array = np.zeros(SHAPE, bool)
    array[mask.window][mask.crop] = True
    return array


@settings(max_examples=60, deadline=None)
@given(grids)
def test_a_mask_holds_its_array(array):
    mask = Mask.from_array(array)
    assert (paint(mask) == array).all()
    assert mask.area == array.sum()
    assert mask.owned().equals(mask)


@settings(max_examples=60, deadline=None)
@given(grids, grids)
def test_set_operations_agree_with_arrays(a, b):
    x, y = Mask.from_array(a), Mask.from_array(b)
    assert (paint(x.union(y)) == (a | b)).all()
    assert (paint(x.minus(y)) == (a & ~b)).all()
    assert x.overlap(y) == (a & b).sum()
    assert x.iou(y) == pytest.approx((a & b).sum() / max(1, (a | b).sum()))
    assert x.equals(y) == bool((a == b).all() or not (a.any() or b.any()) and x.box == y.box)


@settings(max_examples=60, deadline=None)
@given(arrays(np.uint16, SHAPE, elements=st.integers(0, 5)))
def test_a_label_map_is_the_paste_of_its_masks(labels):
    again = np.zeros_like(labels)
    for label, mask in labelled_masks(labels):
        again[mask.window][mask.crop] = label
    assert (again == labels).all()
    assert len(masks_of(labels)) == len(np.unique(labels[labels > 0]))


@settings(max_examples=60, deadline=None)
@given(grids, st.integers(-12, 12), st.integers(-12, 12))
def test_inside_cuts_at_the_frame(array, top, left):
    mask = Mask.from_array(array, top, left)
    big = np.zeros((40, 40), bool)
    big[12 + top : 12 + top + SHAPE[0], 12 + left : 12 + left + SHAPE[1]] = array
    assert (paint(mask.inside(SHAPE)) == big[12 : 12 + SHAPE[0], 12 : 12 + SHAPE[1]]).all()


def test_components_are_8_connected():
    array = np.zeros(SHAPE, bool)
    array[0, 0] = array[1, 1] = array[5, 5] = True
    mask = Mask.from_array(array)
    assert sorted(part.area for part in mask.components()) == [1, 2]
    largest, cut = mask.largest_component()
    assert (largest.area, cut) == (2, 1)


def test_an_owned_mask_shares_no_memory_and_is_read_only():
    array = np.ones((2, 2), bool)
    mask = Mask.from_array(array).owned()
    array[0, 0] = False
    assert mask.area == 4
    with pytest.raises(ValueError, match="read-only"):
        mask.crop[0, 0] = False
