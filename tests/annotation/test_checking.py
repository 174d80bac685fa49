from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.annotation.actions import (
    Accept,
    AddMasks,
    Classify,
    Group,
    MarkRegion,
    Propose,
    Remove,
    SetNote,
)
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.snapshot import replay
from napari_particle_sam.base.errors import BadActionError


def box(top: int, left: int, bottom: int, right: int) -> Mask:
    return Mask(top, left, np.ones((bottom - top, right - left), bool))


def fresh() -> AnnotationSession:
    session = AnnotationSession((20, 30))
    session.apply(AddMasks((box(0, 0, 5, 5), box(0, 5, 5, 10)), "proposed"))
    return session


def nested(depth: int) -> Group:
    action: Accept | Group = Accept((1,))
    for _ in range(depth):
        action = Group((action,))
    return action


def same(a: AnnotationSession, b: AnnotationSession) -> bool:
    return (
        a.labels.tobytes() == b.labels.tobytes()
        and a.regions.values.tobytes() == b.regions.values.tobytes()
        and a.instances.keys() == b.instances.keys()
        and all(a.instances[label].equals(b.instances[label]) for label in a.instances)
    )


def added(*scores, mask=None, **more) -> AddMasks:
    return AddMasks((mask or box(9, 9, 12, 12),), "proposed", scores, **more)


@pytest.mark.parametrize(
    "action",
    [
        Remove((np.int64(1),)),
        Accept([1, 2]),
        added((np.float32(0.3), None)),
        added((np.float64(0.3), 1)),
        added(replace=np.bool_(True)),
        added(mask=Mask(np.int64(9), np.int32(9), np.ones((3, 3), bool))),
        added(mask=Mask(9, 9, np.full((3, 3), 255, np.uint8))),
        added(mask=Mask(16, -1, np.pad(np.ones((3, 3), bool), 1)[:-1])),
        added(mask=Mask(9, 9, np.pad(np.ones((3, 3), bool), ((0, 70_000), (0, 0))))),
        Propose((box(9, 9, 12, 12),), candidates=(np.int64(3),), run="r"),
        MarkRegion(box(0, 0, 2, 2), np.uint8(2)),
        SetNote(np.int64(1), "ü" * 10_000),
        nested(8),
    ],
)
def test_what_is_accepted_is_replayed_from_json(action):
    session = fresh()
    start, journal = session.snapshot(), []
    session.recorded.connect(lambda entry: journal.append(json.dumps(entry)))
    assert not session.apply(action).empty
    assert same(replay(start, [json.loads(line) for line in journal]), session)


@pytest.mark.parametrize(
    "action",
    [
        added((float("nan"), None)),
        added((0.5, float("inf"))),
        added(("high", None)),
        added((0.5,)),
        added(mask="a mask"),
        added(mask=Mask(0, 0, np.ones(3, bool))),
        added(mask=Mask(0.5, 0, np.ones((2, 2), bool))),
        SetNote(1, "x" * 10_001),
        SetNote(1, 5),
        Classify((1,), 5),
        Accept(None),
        Accept((1.0,)),
        Accept((True,)),
        Accept((70_000,)),
        MarkRegion(box(0, 0, 2, 2), 2.0),
        MarkRegion(box(0, 0, 2, 2), 3),
        Propose((box(9, 9, 12, 12),), drag="d" * 10_001),
        Propose((box(9, 9, 12, 12),), candidates=(-1,)),
        nested(9),
        Group((Accept((1,)), SetNote(1, "x" * 10_001))),
        Group(("accept",)),
    ],
)
def test_what_could_not_be_replayed_is_refused_before_anything_changes(action):
    session = fresh()
    start, journal = session.snapshot(), []
    session.recorded.connect(journal.append)
    with pytest.raises(BadActionError) as caught:
        session.apply(action)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    assert journal == []
    assert same(session, AnnotationSession.from_snapshot(start))


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.tuples(st.integers(0, 3)),
    st.just(np.float32(0.1)), st.just(np.int16(2)), st.just(box(1, 1, 3, 3)), st.just((box(1, 1, 3, 3),)),
)  # fmt: skip
wild = st.one_of(
    st.builds(AddMasks, anything, anything, st.one_of(st.just(()), st.tuples(st.tuples(anything, anything)))),
    st.builds(Propose, anything, st.just(()), anything, anything, anything),
    st.builds(Remove, anything),
    st.builds(Classify, anything, anything),
    st.builds(SetNote, anything, anything),
    st.builds(MarkRegion, anything, anything),
    st.builds(Group, st.tuples(st.builds(Accept, anything), st.builds(SetNote, anything, anything))),
)


@settings(max_examples=300, deadline=None)
@given(wild)
def test_any_value_is_either_replayable_or_refused(action):
    session = fresh()
    start, journal = session.snapshot(), []
    session.recorded.connect(lambda entry: journal.append(json.dumps(entry)))
    try:
        session.apply(action)
    except BadActionError:
        assert journal == []
    assert same(replay(start, [json.loads(line) for line in journal]), session)


def test_a_mask_that_its_maker_changes_afterwards_is_recorded_as_it_was_used():
    session = AnnotationSession((20, 30))
    start, journal = session.snapshot(), []
    session.recorded.connect(lambda entry: journal.append(json.dumps(entry)))
    brush = box(2, 2, 6, 6)
    session.apply(AddMasks((brush,), "painted"))
    brush.crop[0] = False
    session.apply(AddMasks((brush,), "painted", replace=True))
    assert session.instances[2].mask.area == 12
    assert same(replay(start, [json.loads(line) for line in journal]), session)


def test_a_recorder_that_fails_keeps_nobody_from_hearing_of_the_change():
    session, told = fresh(), []
    session.changed.connect(told.append)

    def full_disk(entry):
        raise OSError("no space left")

    session.recorded.connect(full_disk)
    with pytest.raises(Exception, match="no space left"):
        session.apply(Remove((1,)))
    assert [change.removed for change in told] == [(1,)]
    assert session.can_undo
