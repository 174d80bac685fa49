"""Tiles share the prompts out: every particle is some tile's own, and lies whole in it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.sam.passes import LARGE_SHARE, TilePlan
from napari_particle_sam.sam.tiles import plan_tiles


@st.composite
def plans(draw):
    shape = draw(st.tuples(st.integers(40, 400), st.integers(40, 400)))
    side = draw(st.integers(40, 160))
    overlap = draw(st.integers(8, side // 2))
    return shape, TilePlan(plan_tiles(shape, side, overlap), overlap)


@given(plans())
def test_every_pixel_is_owned_and_nothing_beyond_its_tile(drawn):
    shape, plan = drawn
    owners = np.zeros(shape, int)
    for top, left, rows, cols in plan.windows:
        low, near, high, far = plan.own((top, left, rows, cols))
        assert top <= low < high <= top + rows
        assert left <= near < far <= left + cols
        owners[low:high, near:far] += 1
    assert owners.min() >= 1


@given(plans(), st.data())
def test_a_particle_shorter_than_the_overlap_lies_whole_in_an_owner(drawn, data):
    shape, plan = drawn
    # Two tiles do not place a centre on quite the same pixel: what is left for that is taken off the length.
    half = (LARGE_SHARE - 0.25) * plan.overlap / 2
    at = [data.draw(st.floats(half, length - 1 - half)) for length in shape]
    whole = []
    for top, left, rows, cols in plan.windows:
        low, near, high, far = plan.own((top, left, rows, cols))
        if low <= at[0] < high and near <= at[1] < far:
            inside = top <= at[0] - half and at[0] + half < top + rows
            whole.append(inside and left <= at[1] - half and at[1] + half < left + cols)
    assert whole
    assert all(whole)


@given(plans())
def test_tiles_share_less_than_they_overlap(drawn):
    shape, plan = drawn
    boxes = [plan.own(window) for window in plan.windows]
    owned = sum((high - low) * (far - near) for low, near, high, far in boxes)
    seen = sum(rows * cols for _, _, rows, cols in plan.windows)
    assert owned <= seen
    if len(plan.windows) > 1:
        assert owned < seen
