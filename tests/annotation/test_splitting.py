from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.actions import AddMasks, Split
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.splitting import split_along, split_automatically
from napari_particle_sam.base.errors import BadValueError

SHAPE = (80, 140)


def disks(*circles: tuple[float, float, float]) -> Mask:
    rows, cols = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return Mask.from_array(np.any([np.hypot(rows - r, cols - c) <= s for r, c, s in circles], axis=0))


def are_a_partition(parts: list[Mask], mask: Mask) -> bool:
    count = np.zeros(mask.crop.shape, int)
    for part in parts:
        top, left = part.top - mask.top, part.left - mask.left
        count[top : top + part.crop.shape[0], left : left + part.crop.shape[1]] += part.crop
    return np.array_equal(count, mask.crop) and all(part.area for part in parts)


def line(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, float)


PAIR = disks((40, 40, 22), (40, 80, 22))


@pytest.mark.parametrize(
    "path",
    [
        line((10, 60), (70, 60)),
        line((10, 60.5), (70, 60.5)),
        line((10, 45), (70, 75)),
        line((10, 55), (40, 66), (70, 58)),
        line((0, 60), (200, 60)),
    ],
)
def test_a_line_across_gives_the_two_sides(path: np.ndarray) -> None:
    parts = split_along(PAIR, path)
    assert len(parts) == 2 and are_a_partition(parts, PAIR)
    assert max(parts[0].area, parts[1].area) < 0.6 * PAIR.area
    assert all(len(part.components()) == 1 for part in parts)


@pytest.mark.parametrize(
    "path",
    [
        line((10, 60), (40, 60)),
        line((35, 60), (45, 60)),
        line((0, 0), (0, 100)),
        line((40, 60)),
        np.zeros((0, 2)),
        line((40, 60), (40, 60)),
        line((-500, -500), (-400, 900)),
    ],
)
def test_a_line_that_does_not_cross_divides_nothing(path: np.ndarray) -> None:
    parts = split_along(PAIR, path)
    assert len(parts) == 1 and parts[0].equals(PAIR)


def test_the_session_takes_the_parts() -> None:
    session = AnnotationSession(SHAPE)
    session.apply(AddMasks((PAIR,), "painted"))
    parts = split_along(session.instances[1].mask, line((10, 50), (70, 50)))
    session.apply(Split(1, tuple(parts)))
    assert [session.instances[i].mask.area for i in (1, 2)] == [p.area for p in parts]
    assert parts[0].area > parts[1].area


def test_two_crossings_of_a_bow_give_three_parts() -> None:
    array = np.zeros(SHAPE, bool)
    array[10:70, 10:30] = array[10:70, 50:70] = array[50:70, 10:70] = True
    assert len(split_along(Mask.from_array(array), line((30, 0), (30, 100)))) == 3


def test_a_shaky_line_leaves_no_specks() -> None:
    square = Mask(10, 10, np.ones((40, 40), bool))
    rows = np.arange(0, 60)
    wobble = line(*[(r, 30 + 0.9 * (-1) ** r) for r in rows])
    along_the_edge = np.concatenate([line((9, 12), (12.2, 13), (9, 14)), line((9, 30), (60, 30))])
    for path in (wobble, along_the_edge):
        parts = split_along(square, path)
        assert len(parts) == 2 and min(p.area for p in parts) > 600


def test_components_on_either_side_of_a_line_between_them() -> None:
    mask = disks((30, 20, 10), (30, 80, 12), (60, 82, 6))
    parts = split_along(mask, line((0, 50), (79, 50)))
    assert [p.area for p in parts] == [disks((30, 80, 12), (60, 82, 6)).area, disks((30, 20, 10)).area]


def test_an_uncut_component_goes_to_the_nearest_part() -> None:
    mask = disks((40, 40, 20), (40, 100, 5))
    parts = split_along(mask, line((10, 40), (70, 40)))
    assert len(parts) == 2 and are_a_partition(parts, mask)
    assert parts[0].box[3] == 106 and parts[1].box[3] <= 42


@pytest.mark.parametrize("path", [np.zeros((3, 3)), np.zeros(4), line((0, 0), (math.nan, 3))])
def test_what_is_no_line_is_refused(path: np.ndarray) -> None:
    with pytest.raises(BadValueError, match="draw it again"):
        split_along(PAIR, path)


crops = arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14)))
points = st.lists(st.tuples(st.floats(-5, 25), st.floats(-5, 25)), max_size=6)


@settings(max_examples=200, deadline=None)
@given(crops, points, st.floats(0, 6))
def test_no_pixel_is_lost_along_any_line(crop: np.ndarray, path: list, width: float) -> None:
    mask = Mask.from_array(crop, 3, 2)
    parts = split_along(mask, np.reshape(np.array(path, float), (-1, 2)), width)
    assert are_a_partition(parts, mask) or not mask.area
    assert all(a.area >= b.area for a, b in zip(parts, parts[1:], strict=False))


@settings(max_examples=100, deadline=None)
@given(crops, st.one_of(st.none(), st.integers(1, 5)))
def test_no_pixel_is_lost_at_any_neck(crop: np.ndarray, count: int | None) -> None:
    mask = Mask.from_array(crop, 3, 2)
    parts = split_automatically(mask, count)
    assert are_a_partition(parts, mask) or not mask.area
    assert count is None or len(parts) <= count


@pytest.mark.parametrize("angle", [0.0, 0.3, 0.8, 1.2])
def test_touching_disks_come_apart_at_the_neck(angle: float) -> None:
    row, col = 34 * math.sin(angle), 34 * math.cos(angle)
    first, second = (40 - row / 2, 60 - col / 2, 20), (40 + row / 2, 60 + col / 2, 20)
    parts = split_automatically(disks(first, second))
    assert len(parts) == 2
    best = [max(part.iou(disks(one)) for part in parts) for one in (first, second)]
    assert min(best) > 0.93


def test_one_particle_stays_one() -> None:
    rows, cols = np.ogrid[:80, :140]
    ellipse = ((rows - 40) / 15) ** 2 + ((cols - 70) / 45) ** 2 <= 1
    for mask in (disks((40, 60, 25)), Mask.from_array(ellipse), Mask(4, 4, np.ones((30, 50), bool))):
        assert split_automatically(mask) == [mask]


def test_so_many_parts_as_asked_for() -> None:
    chain = disks((40, 25, 16), (40, 52, 16), (40, 79, 16), (40, 106, 16))
    assert len(split_automatically(chain)) == 4
    for count in (1, 2, 3, 4):
        parts = split_automatically(chain, count)
        assert len(parts) == count and are_a_partition(parts, chain)


def test_a_large_particle_is_divided_as_a_small_one_is() -> None:
    rows, cols = np.ogrid[:620, :1020]
    first = np.hypot(rows - 305, cols - 305) <= 300
    second = np.hypot(rows - 305, cols - 775) <= 230
    parts = split_automatically(Mask.from_array(first | second))
    assert len(parts) == 2
    assert parts[0].iou(Mask.from_array(first)) > 0.95 and parts[1].iou(Mask.from_array(second)) > 0.95


def test_a_disk_has_no_neck_however_many_parts_are_wanted() -> None:
    mask = disks((40, 40, 30))
    assert split_automatically(mask, 3) == [mask]


@pytest.mark.parametrize(("count", "depth"), [(0, 0.1), (-2, 0.1), (None, 0.0), (None, 1.0), (2, math.nan)])
def test_impossible_wishes_are_refused(count: int | None, depth: float) -> None:
    with pytest.raises(BadValueError, match="ask for|give one"):
        split_automatically(PAIR, count, depth)
