from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.actions import AddMasks, Group, Remove, Reshape
from napari_particle_sam.annotation.encoding import decode_action, encode_action
from napari_particle_sam.annotation.painting import painted_actions
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadActionError

ROWS, COLS = 9, 11
Stroke = Callable[[np.ndarray], None]


def brush(value: int, top: int, left: int, rows: int, cols: int) -> Stroke:
    def paint(labels: np.ndarray) -> None:
        labels[top : top + rows, left : left + cols] = value

    return paint


def fill(value: int, row: int, col: int) -> Stroke:
    def pour(labels: np.ndarray) -> None:
        labels[labels == labels[row, col]] = value

    return pour


def exchange(one: int, other: int) -> Stroke:
    def swap(labels: np.ndarray) -> None:
        first, second = labels == one, labels == other
        labels[first], labels[second] = other, one

    return swap


values = st.sampled_from([0, 0, 1, 2, 3, 4, 5, 37, 65535])
row, col, length = st.integers(0, ROWS - 1), st.integers(0, COLS - 1), st.integers(1, 6)
strokes = st.lists(
    st.one_of(
        st.builds(brush, values, row, col, length, length),
        st.builds(fill, values, row, col),
        st.builds(exchange, values, values),
    ),
    max_size=6,
)
rasters = arrays(np.uint16, (ROWS, COLS), elements=st.sampled_from([0, 0, 0, 1, 2, 3, 5]))


def partition_agrees(session: AnnotationSession, wanted: np.ndarray, known: set[int]) -> bool:
    """Return whether the raster is the wanted one, ids that were not known renamed one to one."""
    pairs = {(int(a), int(b)) for a, b in zip(wanted.ravel(), session.labels.ravel(), strict=True)}
    one_to_one = len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    return one_to_one and all(a == b for a, b in pairs if a == 0 or a in known)


def raster_is_the_paste(session: AnnotationSession) -> bool:
    pasted = np.zeros(session.shape, np.uint16)
    for label, instance in session.instances.items():
        pasted[instance.mask.window][instance.mask.crop] = label
    return np.array_equal(pasted, session.labels)


def facts(session: AnnotationSession) -> dict[int, Any]:
    return {i: (s.origin, s.status, s.kind, s.note, s.mask.box) for i, s in session.instances.items()}


def moved_places(before: np.ndarray, after: np.ndarray) -> set[int]:
    """Return the ids that kept no pixel but have others: those that may come back as new."""
    return {
        int(i)
        for i in np.unique(before[before > 0])
        if (after == i).any() and not ((before == i) & (after == i)).any()
    }


@settings(max_examples=300, deadline=None)
@given(rasters, strokes, st.sampled_from(["proposed", "painted"]))
@example(
    np.array([[1, 2] + [0] * (COLS - 2)] + [[0] * COLS] * (ROWS - 1), np.uint16), [exchange(1, 2)], "painted"
)
def test_a_session_gets_exactly_the_painted_pixels(
    raster: np.ndarray, painted: list[Stroke], origin: Any
) -> None:
    session = AnnotationSession.from_labels(raster, origin)
    wanted, before = raster.copy(), facts(session)
    for stroke in painted:
        stroke(wanted)
    action = painted_actions(wanted, session)
    assert np.array_equal(session.labels, raster) and not session.can_undo
    if np.array_equal(wanted, raster):
        assert action is None
        return
    session.apply(decode_action(encode_action(action)))
    assert partition_agrees(session, wanted, set(before) - moved_places(raster, wanted))
    assert raster_is_the_paste(session) and painted_actions(session.labels, session) is None
    session.undo()
    assert not session.can_undo
    assert np.array_equal(session.labels, raster) and facts(session) == before and not session.suppressed
    session.redo()
    assert partition_agrees(session, wanted, set(before) - moved_places(raster, wanted))


@settings(max_examples=150, deadline=None)
@given(rasters, st.builds(brush, values, row, col, length, length))
def test_one_stroke_keeps_every_id_that_keeps_a_pixel(raster: np.ndarray, stroke: Stroke) -> None:
    session = AnnotationSession.from_labels(raster)
    wanted = raster.copy()
    stroke(wanted)
    assert not moved_places(raster, wanted)
    action = painted_actions(wanted, session)
    if action is not None:
        session.apply(action)
    kept = set(np.unique(wanted).tolist()) & set(np.unique(raster).tolist()) - {0}
    assert kept <= set(session.instances)


@settings(max_examples=60, deadline=None)
@given(rasters, strokes, row, col, length, length)
def test_a_window_is_painted_where_it_lies(
    raster: np.ndarray, painted: list[Stroke], top: int, left: int, rows: int, cols: int
) -> None:
    wanted = raster.copy()
    for stroke in painted:
        stroke(wanted)
    window = slice(top, top + rows), slice(left, left + cols)
    whole = raster.copy()
    whole[window] = wanted[window]
    session = AnnotationSession.from_labels(raster)
    known = set(session.instances) - moved_places(raster, whole)
    action = painted_actions(wanted[window], session, top, left)
    if action is not None:
        session.apply(action)
    assert partition_agrees(session, whole, known)


def drawn() -> tuple[AnnotationSession, np.ndarray]:
    labels = np.zeros((20, 30), np.uint16)
    labels[2:10, 2:10], labels[2:10, 12:20], labels[12:16, 2:6] = 1, 2, 3
    return AnnotationSession.from_labels(labels, "proposed"), labels


def test_a_stroke_without_a_change_is_nothing() -> None:
    session, labels = drawn()
    assert painted_actions(labels, session) is None
    assert painted_actions(labels[3:5], session, 3, 0) is None
    assert painted_actions(labels[:0], session) is None


def test_a_stroke_through_two_instances_into_background() -> None:
    session, labels = drawn()
    labels[5, 0:25] = 0
    action = painted_actions(labels, session)
    assert isinstance(action, Group) and [type(a) for a in action.actions] == [Reshape, Reshape]
    session.apply(action)
    assert [session.instances[i].components for i in (1, 2)] == [2, 2]
    assert session.instances[1].origin == "painted" and session.instances[3].origin == "proposed"


def test_an_unknown_value_becomes_one_new_instance_in_two_pieces() -> None:
    session, labels = drawn()
    labels[17:19, 2:5] = labels[17:19, 20:25] = 40_000
    action = painted_actions(labels, session)
    assert isinstance(action, AddMasks) and action.origin == "painted"
    assert session.apply(action).added == (4,)
    assert session.instances[4].mask.area == 16


def test_an_instance_painted_over_keeps_what_is_known_of_it() -> None:
    session, labels = drawn()
    labels[2:10, 8:14] = 1
    action = painted_actions(labels, session)
    assert isinstance(action, Reshape) and action.id == 1 and action.replace
    session.apply(action)
    assert session.instances[2].origin == "proposed" and session.instances[2].mask.area == 48


def test_a_reviewed_instance_can_be_painted_over() -> None:
    labels = drawn()[1]
    session = AnnotationSession.from_labels(labels)
    labels[labels == 2] = 1
    session.apply(painted_actions(labels, session))
    assert set(session.instances) == {1, 3}
    session.undo()
    assert set(session.instances) == {1, 2, 3}


def test_an_erased_proposal_stays_away_and_one_painted_over_does_not() -> None:
    session, labels = drawn()
    labels[labels == 3], labels[labels == 2] = 0, 1
    action = painted_actions(labels, session)
    assert isinstance(action, Group) and action.actions[0] == Remove((3,))
    session.apply(action)
    assert [m.area for m in session.suppressed] == [16]


@pytest.mark.parametrize("after", [[0, 2, 1], [2, 2, 1], [9, 2, 1], [2, 0, 1]])
def test_an_instance_that_moves_keeps_its_id(after: list[int]) -> None:
    session = AnnotationSession.from_labels(np.array([[1, 2, 0]], np.uint16))
    wanted = np.array([after], np.uint16)
    session.apply(painted_actions(wanted, session))
    assert partition_agrees(session, wanted, {2} if after == [2, 0, 1] else {1, 2})


@pytest.mark.parametrize(
    ("labels", "top"),
    [
        (np.zeros((3, 3), np.uint16), 19),
        (np.zeros((3, 3), np.uint16), -1),
        (np.zeros((3, 3, 3), np.uint16), 0),
        (np.zeros((3, 3)), 0),
        (np.full((3, 3), -1), 0),
        (np.full((3, 3), 65536), 0),
    ],
)
def test_what_is_no_painting_is_refused_in_a_sentence(labels: np.ndarray, top: int) -> None:
    with pytest.raises(BadActionError, match=";"):
        painted_actions(labels, drawn()[0], top, 0)


def crowded(side: int, pitch: int) -> np.ndarray:
    """Return squares in rows and columns, numbered, a quarter of the pitch apart."""
    number = np.arange(side) // pitch
    labels = 1 + number[:, None] * (side // pitch) + number
    inside = (np.arange(side) % pitch < 0.75 * pitch) & (number < side // pitch)
    return np.where(inside[:, None] & inside, labels, 0).astype(np.uint16)


@pytest.mark.parametrize("value", [0, 1000, 60_000])
def test_a_stroke_on_a_large_image_is_quick(value: int) -> None:
    session = AnnotationSession.from_labels(crowded(4096, 91))
    assert len(session.instances) > 1900
    window = session.labels[1900:2150, 1900:2150].copy()
    rows, cols = np.ogrid[:250, :250]
    window[np.hypot(rows - 125, cols - 125) < 100] = value
    spent = []
    for _ in range(5):
        begun = time.thread_time()
        action = painted_actions(window, session, 1900, 1900)
        spent.append(time.thread_time() - begun)
    # 1 to 2 ms on an idle core; the limit is what a window may lose on a stroke.
    assert action is not None and min(spent) < 0.01
