from __future__ import annotations

import numpy as np
from squares import squares

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.evaluation.clicks import EMPTY, Target, click_until_good, deepest_point, next_click

NOTHING = np.zeros((100, 100), np.uint16)


def square(top: int, left: int, height: int, width: int) -> Mask:
    return Mask(top, left, np.ones((height, width), bool))


TRUTH = square(20, 20, 21, 21)
TARGET = Target(TRUTH, NOTHING)


def test_the_first_click_is_in_the_middle():
    assert next_click(TARGET, EMPTY) == (30, 30, True)
    assert deepest_point(TRUTH) == (30, 30)


def test_the_next_click_is_in_the_middle_of_the_largest_mistake():
    # Missing: the lower 6 rows of 21 px. Excess: 11 columns of 15 px beside it, which is larger.
    assert next_click(TARGET, square(20, 20, 15, 21))[2] is True
    row, col, positive = next_click(TARGET, square(20, 20, 15, 32))
    assert (positive, 25 <= row <= 29, col) == (False, True, 46)


def test_what_others_hold_is_not_clicked():
    labels = squares((20, 20, 21, 11))
    row, col, _ = next_click(Target(TRUTH, labels), EMPTY)
    assert (row >= 20, col > 30) == (True, True)
    assert next_click(Target(TRUTH, labels), square(20, 31, 21, 10)) is None
    assert next_click(Target(TRUTH, labels, owner=1), square(20, 31, 21, 10)) is not None


def test_stops_when_the_mask_fits():
    asked = []

    def grows(points):
        asked.append(points)
        return square(20, 20, 21, 7 * len(points))

    mask, clicks = click_until_good(TARGET, grows, budget=5)
    assert (mask.area, clicks) == (441, 3)
    assert [len(points) for points in asked] == [1, 2, 3]
    assert click_until_good(TARGET, grows, budget=2) == (None, 2)


def test_does_not_click_the_same_point_twice():
    assert click_until_good(TARGET, lambda points: EMPTY, budget=5) == (None, 1)


def test_the_mask_leaves_out_other_particles_and_what_lies_beyond_the_image():
    truth = square(0, 0, 20, 20)
    target = Target(truth, squares((0, 20, 50, 50)))
    mask, _ = click_until_good(target, lambda points: square(-10, -10, 30, 50), budget=1)
    assert mask.iou(truth) == 1


def test_a_mask_below_the_least_area_is_not_good():
    target = Target(square(20, 20, 8, 8), NOTHING, min_area=50)
    assert click_until_good(target, lambda points: square(20, 20, 7, 7), budget=1) == (None, 1)
    assert click_until_good(target, lambda points: square(20, 20, 7, 8), budget=1)[0] is not None
