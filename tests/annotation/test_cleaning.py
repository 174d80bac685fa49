from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.cleaning import fill_holes, smooth
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadValueError

SHAPE = (100, 120)


def disk(row: float, col: float, radius: float) -> np.ndarray:
    rows, cols = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return np.hypot(rows - row, cols - col) <= radius


def test_spurs_and_notches_go_and_the_size_stays() -> None:
    clean = disk(50, 60, 20)
    rough = clean.copy()
    rough[50, 80:95] = True
    rough[30:40, 60] = False
    found = smooth(Mask.from_array(rough), 3, SHAPE)
    assert found.iou(Mask.from_array(clean)) > 0.97
    assert found.box[3] <= 83


def test_a_clean_disk_hardly_changes() -> None:
    mask = Mask.from_array(disk(50, 60, 20))
    assert smooth(mask, 4, SHAPE).area == pytest.approx(mask.area, rel=0.03)


def test_a_particle_cut_by_the_frame_keeps_its_edge() -> None:
    mask = Mask.from_array(disk(0, 60, 20))
    found = smooth(mask, 5, SHAPE)
    assert found.top == 0 and found.crop[0].sum() == pytest.approx(mask.crop[0].sum(), abs=2)


def test_an_outline_too_thin_to_smooth_stays() -> None:
    line = Mask(5, 5, np.ones((1, 30), bool))
    assert smooth(line, 10, SHAPE).equals(line)


@pytest.mark.parametrize("radius", [0, -1, math.nan, math.inf])
def test_no_radius_no_smoothing(radius: float) -> None:
    with pytest.raises(BadValueError, match="above 0"):
        smooth(Mask(0, 0, np.ones((2, 2), bool)), radius, SHAPE)


crops = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@settings(max_examples=100, deadline=None)
@given(crops, st.integers(0, 4), st.integers(0, 4), st.floats(0.3, 8))
def test_a_smooth_outline_holds_a_pixel_and_stays_in_the_image(
    crop: np.ndarray, top: int, left: int, radius: float
) -> None:
    crop[0, 0] = True
    mask = Mask.from_array(crop, top, left)
    shape = mask.box[2] + 2, mask.box[3] + 2
    found = smooth(mask, radius, shape)
    assert found.area > 0 and found.inside(shape).equals(found)


def test_holes_are_filled_and_bays_are_not() -> None:
    array = disk(50, 60, 20) & ~disk(50, 60, 5)
    array[50, 60] = True
    array[30:40, 60] = False
    found = fill_holes(Mask.from_array(array))
    assert found.area == np.count_nonzero(array | disk(50, 60, 5))


def test_a_hole_behind_a_diagonal_is_a_hole() -> None:
    ring = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    assert fill_holes(Mask(3, 4, ring)).area == 5


@settings(max_examples=100, deadline=None)
@given(crops)
def test_filling_adds_only_and_once(crop: np.ndarray) -> None:
    mask = Mask.from_array(crop, 2, 3)
    found = fill_holes(mask)
    assert mask.minus(found).area == 0 and found.box == mask.box
    assert fill_holes(found).equals(found)
