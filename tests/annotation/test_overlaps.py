from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.annotation import overlaps
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.overlaps import meeting_boxes, shared_pixels


def random_masks(seed, count):
    rng = np.random.default_rng(seed)
    masks = []
    for _ in range(count):
        array = np.zeros((40, 50), bool)
        top, left = rng.integers(0, 38), rng.integers(0, 48)
        window = array[top : top + rng.integers(1, 30), left : left + rng.integers(1, 30)]
        window[:] = rng.random(window.shape) < rng.uniform(0.05, 1)
        masks.append(Mask.from_array(array))
    return masks


@pytest.mark.parametrize("block", [1, 7, overlaps.BLOCK])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 30))
def test_every_pair_of_meeting_boxes_is_found_once(block, seed, count):
    boxes = np.array([m.box for m in random_masks(seed, count)], np.intp).reshape(-1, 4)
    before, overlaps.BLOCK = overlaps.BLOCK, block
    try:
        found = [
            pair for part in meeting_boxes(boxes) for pair in zip(*(p.tolist() for p in part), strict=True)
        ]
    finally:
        overlaps.BLOCK = before
    expected = set()
    for i in range(count):
        for j in range(i + 1, count):
            high = min(boxes[i, 2], boxes[j, 2]) - max(boxes[i, 0], boxes[j, 0])
            wide = min(boxes[i, 3], boxes[j, 3]) - max(boxes[i, 1], boxes[j, 1])
            if high > 0 and wide > 0:
                expected.add((i, j, high * wide))
    assert sorted((*sorted((i, j)), common) for i, j, common in found) == sorted(expected)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_shared_pixels_are_those_of_both(seed):
    one, other = random_masks(seed, 2)
    whole = np.zeros((2, 40, 50), bool)
    for layer, mask in zip(whole, (one, other), strict=True):
        layer[mask.window] = mask.crop
    assert shared_pixels(one, other) == shared_pixels(other, one) == np.count_nonzero(whole[0] & whole[1])


def test_boxes_without_area_meet_nothing():
    boxes = np.array([[5, 5, 5, 5], [0, 0, 10, 10], [9, 9, 3, 3], [0, 0, 0, 10]], np.intp)
    assert sum(len(first) for first, *_ in meeting_boxes(boxes)) == 0
