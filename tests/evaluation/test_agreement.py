"""Which masks of two sets are the same."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.evaluation.agreement import agree


def square(top: int, left: int, side: int) -> Mask:
    return Mask(top, left, np.ones((side, side), bool))


def disc(row: float, col: float, radius: float) -> Mask:
    top, left, side = int(row - radius), int(col - radius), int(2 * radius) + 2
    rows, cols = np.indices((side, side))
    return Mask.from_array(np.hypot(rows + top - row, cols + left - col) <= radius, top, left)


def test_both_directions_are_told() -> None:
    shared, lost, shifted = square(0, 0, 10), square(0, 50, 10), square(0, 51, 10)
    result = agree([shared, shared, shifted], [shared, lost], iou=0.9)
    assert (result.share_found, result.share_wanted) == (pytest.approx(2 / 3), 0.5)
    assert [(u.index, u.nearest) for u in result.only_found] == [(2, 1)]
    assert [(u.index, u.nearest) for u in result.only_wanted] == [(1, 2)]
    assert result.only_found[0].best_iou == pytest.approx(90 / 110)
    assert agree([shifted], [lost], iou=0.8).share_found == 1


def test_the_threshold_itself_is_enough() -> None:
    whole = square(0, 0, 10)
    crop = whole.crop.copy()
    crop[0, 0] = False
    assert agree([whole], [Mask(0, 0, crop)], iou=0.99).share_found == 1
    crop[0, 1] = False
    assert agree([whole], [Mask(0, 0, crop)], iou=0.99).only_found[0].best_iou == pytest.approx(0.98)


def test_equal_boxes_are_not_equal_masks() -> None:
    ring = np.ones((11, 11), bool)
    ring[2:-2, 2:-2] = False
    result = agree([Mask(3, 3, ring)], [square(3, 3, 11), square(40, 40, 3)])
    assert result.matched_found == 0 and result.only_found[0].nearest == 0
    assert result.only_wanted[1].best_iou == 0 and result.only_wanted[1].nearest is None


def test_nothing_agrees_with_nothing() -> None:
    empty = agree([], [])
    assert empty.share_found == empty.share_wanted == 1
    blank = Mask(0, 0, np.zeros((0, 0), bool))
    assert agree([blank], [blank]).matched_found == 0
    assert agree([], [square(0, 0, 2)]).share_wanted == 0


boxes = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 9))


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6), st.floats(0.05, 1))
@settings(max_examples=150, deadline=None)
def test_boxes_and_areas_never_hide_the_nearest_mask(mine: list, theirs: list, iou: float) -> None:
    rng = np.random.default_rng(len(mine))
    found = [Mask.from_array(square(*b).crop & (rng.random((b[2], b[2])) < 0.8), b[0], b[1]) for b in mine]
    wanted = [square(*b) for b in theirs]
    result = agree(found, wanted, iou)
    best = [max((m.iou(w) for w in wanted), default=0.0) for m in found]
    assert [u.index for u in result.only_found] == [i for i, b in enumerate(best) if b < iou]
    assert [u.best_iou for u in result.only_found] == [b for b in best if b < iou]
    assert agree(wanted, found, iou).only_found == result.only_wanted


def test_a_thousand_by_a_thousand_masks_take_less_than_a_second() -> None:
    rng = np.random.default_rng(1)
    wanted = [disc(*rng.uniform(40, 1000, 2), rng.uniform(8, 40)) for _ in range(1000)]
    found = [m if i % 10 else Mask(m.top + 2, m.left, m.crop) for i, m in enumerate(wanted)]
    began = time.process_time()
    result = agree(found, wanted)
    assert time.process_time() - began < 1
    assert 890 <= result.matched_wanted <= 910 and all(u.best_iou > 0.5 for u in result.only_found)
