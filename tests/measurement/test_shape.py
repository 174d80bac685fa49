"""Every measured quantity lies within its stated discretisation error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from known_shapes import render, shapes
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.measure import perimeter_crofton

from napari_particle_sam.measurement.shape import hull_of_centres, measure_shape

#: ECD in px -> bounds in percent: ECD of discs and ellipses, of polygons; circularity of discs and ellipses,
#: of polygons (low, high); ratio of the ellipse; solidity of what is not convex; degrees of orientation.
BOUNDS: dict[int, tuple] = {
    10: (2.6, 5.0, 9.0, (-8, 32), 9.0, 12.0, 3.0),
    20: (1.3, 2.5, 4.5, (-6, 21), 3.0, 6.0, 1.5),
    40: (0.5, 0.8, 2.5, (-6, 15), 1.5, 4.0, 0.7),
    80: (0.3, 0.4, 2.0, (-6, 13), 1.0, 2.0, 0.4),
}
TURNS = 8


@pytest.mark.parametrize("size", BOUNDS)
def test_known_outlines(size: int) -> None:
    ecd, ecd_polygon, round_, polygon, ratio, solidity, degrees = BOUNDS[size]
    rng = np.random.default_rng(size + 1)
    for turn in range(TURNS):
        for known in shapes(size, -90 + 180 * (turn + rng.random()) / TURNS):
            found = measure_shape(render(known, rng))
            error = 100 * abs(found.ecd / known.ecd - 1)
            assert error <= (ecd_polygon if known.axes is None else ecd), known.name
            # Pixel corners reach beyond a smooth outline; those of sharp tips are lost.
            assert -1.5 <= found.feret_max - known.feret_max <= 1.5, known.name
            assert -1.0 <= found.feret_min - known.feret_min <= 1.5, known.name
            low, high = polygon if known.axes is None else (-round_, round_)
            assert low <= 100 * (found.circularity / known.circularity - 1) <= high, known.name
            if known.solidity == 1:
                assert found.solidity == 1, known.name
            else:
                assert found.solidity == pytest.approx(known.solidity, rel=solidity / 100)
            if known.ellipse is not None and known.angle is not None:
                assert found.ellipse_ratio == pytest.approx(known.ellipse, rel=ratio / 100), known.name
                assert abs((found.orientation - known.angle + 90) % 180 - 90) < degrees


def test_large_discs_are_exact_to_half_a_percent() -> None:
    rng = np.random.default_rng(2)
    for diameter in (20, 27.3, 50, 81.7):
        disc = shapes(diameter, 0)[0]
        errors = [measure_shape(render(disc, rng)).ecd / diameter - 1 for _ in range(12)]
        assert abs(np.mean(errors)) < 0.002 and max(map(abs, errors)) < 0.01


def test_the_pixel_convention() -> None:
    pixel = measure_shape(np.ones((1, 1), bool))
    assert pixel.feret_max == pytest.approx(math.sqrt(2)) and pixel.feret_min == 1
    row = measure_shape(np.ones((1, 10), bool))
    assert (row.feret_min, row.feret_max) == (1, pytest.approx(math.hypot(1, 10)))
    assert (row.orientation, row.solidity, row.centroid) == (0, 1, (0, 4.5))
    assert measure_shape(np.ones((10, 1), bool)).orientation == 90


def test_orientation_turns_counter_clockwise_as_seen() -> None:
    rising = np.eye(12, dtype=bool)[::-1]  # from the lower left to the upper right
    assert measure_shape(rising).orientation == pytest.approx(45)
    assert measure_shape(rising[:, ::-1]).orientation == pytest.approx(-45)


masks = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))).filter(np.any)


@given(masks)
def test_agrees_with_the_definitions_on_any_mask(crop: np.ndarray) -> None:
    found = measure_shape(crop)
    rows, cols = np.nonzero(crop)
    corners = np.concatenate([np.stack([rows + a, cols + b], 1) for a in (0, 1) for b in (0, 1)]).astype(
        float
    )
    hull = corners[ConvexHull(corners).vertices]
    assert found.feret_max == pytest.approx(pdist(hull).max())
    edges = np.roll(hull, -1, 0) - hull
    normals = np.stack([-edges[:, 1], edges[:, 0]], 1) / np.hypot(*edges.T)[:, None]
    assert found.feret_min == pytest.approx(np.ptp(hull @ normals.T, axis=0).min())
    assert found.solidity == pytest.approx(len(rows) / _centres_inside(hull_of_centres(crop), crop.shape))
    moments = np.linalg.eigvalsh(np.cov(rows, cols, bias=True) + np.eye(2) / 12)
    assert found.ellipse_ratio == pytest.approx(math.sqrt(moments[1] / moments[0]))
    assert found.perimeter == pytest.approx(perimeter_crofton(crop))


@given(masks, st.integers(1, 3))
def test_a_turn_by_a_right_angle_changes_the_angle_only(crop: np.ndarray, turns: int) -> None:
    one, other = measure_shape(crop), measure_shape(np.rot90(crop, turns))
    for name in ("area", "perimeter", "feret_max", "feret_min", "solidity", "ellipse_ratio"):
        assert getattr(other, name) == pytest.approx(getattr(one, name)), name
    if one.ellipse_ratio > 1.001:
        off = other.orientation - one.orientation - 90 * turns
        assert abs((off + 90) % 180 - 90) < 1e-6


def _centres_inside(hull: np.ndarray, shape: tuple[int, int]) -> int:
    """Count pixel centres in a hull one by one."""
    following = np.roll(hull, -1, 0) - hull
    count = 0
    for point in np.ndindex(shape):
        apart = np.array(point) - hull
        sides = following[:, 0] * apart[:, 1] - following[:, 1] * apart[:, 0]
        boxed = (apart.max(0) >= 0).all() and (apart.min(0) <= 0).all()
        count += bool(boxed and ((sides >= 0).all() or (sides <= 0).all()))
    return count
