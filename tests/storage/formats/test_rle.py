from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as oracle

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.storage.formats import rle

MASKS = arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14)))


@settings(max_examples=80, deadline=None)
@given(MASKS)
def test_strings_are_those_of_pycocotools(array):
    counts = rle.counts_of(Mask.from_array(array), array.shape)
    expected = oracle.encode(np.asfortranarray(array.astype(np.uint8)))["counts"].decode()
    assert rle.to_string(counts) == expected
    assert np.array_equal(rle.from_string(expected), counts)


@settings(max_examples=80, deadline=None)
@given(MASKS)
def test_masks_come_back(array):
    counts = rle.counts_of(Mask.from_array(array), array.shape)
    again = rle.mask_of(counts, array.shape)
    whole = np.zeros(array.shape, bool)
    whole[again.window] = again.crop
    assert np.array_equal(whole, array)
    assert rle.box_pixels(counts, array.shape) >= again.area


def test_long_runs_match_pycocotools():
    array = np.zeros((3000, 2000), np.uint8)
    array[7:2993, 900:903] = 1
    array[5, 1999] = 1
    expected = oracle.encode(np.asfortranarray(array))["counts"].decode()
    counts = rle.counts_of(Mask.from_array(array.astype(bool)), array.shape)
    assert rle.to_string(counts) == expected
    assert rle.mask_of(rle.from_string(expected), array.shape).area == array.sum()


def test_empty_runs_in_between_are_taken_as_other_tools_write_them():
    mask = rle.mask_of(np.array([1, 2, 0, 1, 2, 0]), (2, 3))
    assert (mask.area, mask.box) == (3, (0, 0, 2, 2))


@pytest.mark.parametrize("counts", [[], [5], [7], [-1, 7], [3, -3, 6], [2**40, 1]])
def test_counts_that_do_not_add_up_are_refused(counts):
    with pytest.raises(ValueError, match="add up"):
        rle.mask_of(np.array(counts, np.int64), (2, 3))


@pytest.mark.parametrize("text", ["", "ä", " ", "0~", "oooooooo0", "0o", "\0"])
def test_damaged_strings_are_refused(text):
    with pytest.raises(ValueError):
        rle.from_string(text)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=[chr(c) for c in range(40, 120)], max_size=20))
def test_any_text_is_a_mask_or_a_value_error(text):
    try:
        mask = rle.mask_of(rle.from_string(text), (5, 4))
    except ValueError:
        return
    assert mask.area <= 20
