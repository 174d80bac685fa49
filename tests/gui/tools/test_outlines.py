from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.tools.outlines import box_mask, box_of, enclosed, outline_mask

SHAPE = (20, 30)
PATHS = arrays(float, st.tuples(st.integers(1, 8), st.just(2)), elements=st.floats(-1e5, 1e5))


@given(PATHS)
def test_any_drag_stays_inside_the_image(path: np.ndarray) -> None:
    top, left, bottom, right = box_of(path, SHAPE)
    assert 0 <= top <= bottom <= SHAPE[0]
    assert 0 <= left <= right <= SHAPE[1]
    for mask in (outline_mask(path, SHAPE), box_mask((top, left, bottom, right))):
        assert mask.equals(mask.inside(SHAPE)) or not mask.area


def test_an_outline_around_everything_is_the_image() -> None:
    path = np.array([[-50.0, -50], [-50, 90], [90, 90], [90, -50]])
    assert outline_mask(path, SHAPE).area == SHAPE[0] * SHAPE[1]


def test_a_box_holds_the_pixels_under_both_ends() -> None:
    assert box_of(np.array([[4.4, 9.6], [8.0, 1.0], [2.4, 3.5]]), SHAPE) == (2, 4, 5, 11)


def test_enclosed_is_more_than_half() -> None:
    labels = np.zeros(SHAPE, np.uint16)
    labels[0:10, 0:4], labels[0:10, 10:14], labels[0:10, 20:24] = 1, 2, 3
    session = AnnotationSession.from_labels(labels)
    assert enclosed(session, box_mask((0, 0, 5, 30))) == []
    assert enclosed(session, box_mask((0, 0, 6, 14))) == [1, 2]
    assert enclosed(session, box_mask((15, 0, 15, 14))) == []
