from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.actions import (
    Accept,
    AddMasks,
    Classify,
    Group,
    MarkRegion,
    Merge,
    Propose,
    Remove,
    Reshape,
    SetCompleteness,
    SetNote,
    SetStatus,
    Split,
)
from napari_particle_sam.annotation.encoding import decode_action, encode_action
from napari_particle_sam.annotation.instances import COMPLETENESS, ORIGINS, STATUSES
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.snapshot import Snapshot, replay
from napari_particle_sam.base.errors import BadActionError, ParticleSamError

SHAPE = (14, 16)

crops = arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7)))
masks = st.builds(Mask, st.integers(-1, 12), st.integers(-1, 12), crops)
ids = st.integers(1, 8)
many = st.lists(ids, max_size=3).map(tuple)
origins = st.sampled_from(ORIGINS)


@st.composite
def splits(draw: st.DrawFn) -> tuple[int, int, bool]:
    return draw(ids), draw(st.integers(1, 6)), draw(st.booleans())


@st.composite
def proposals(draw: st.DrawFn) -> Propose:
    found = tuple(draw(st.lists(masks, max_size=4)))
    index = draw(st.permutations(range(5)))[: len(found)]
    scores = tuple((draw(st.floats(0, 1)), None) for _ in found)
    return Propose(found, scores, tuple(index), "run", draw(st.sampled_from(["", "a", "b"])))


plain = st.one_of(
    st.builds(AddMasks, st.lists(masks, max_size=4).map(tuple), origins, st.just(()), st.booleans()),
    st.builds(Remove, many),
    st.builds(Merge, many),
    st.builds(Reshape, ids, masks, origins, st.booleans()),
    st.builds(Accept, many),
    st.builds(SetStatus, many, st.sampled_from(STATUSES)),
    st.builds(Classify, many, st.sampled_from(["particle", "pore", " "])),
    st.builds(SetCompleteness, many, st.sampled_from(COMPLETENESS)),
    st.builds(SetNote, ids, st.text(max_size=5)),
    st.builds(MarkRegion, masks, st.integers(0, 3)),
    proposals(),
)
actions = st.one_of(plain, splits(), st.builds(Group, st.lists(plain, max_size=3).map(tuple)))


def make(action: object, session: AnnotationSession) -> object:
    """Turn a drawn cut into a split along a row or column of the instance as it is now."""
    if not isinstance(action, tuple):
        return action
    label, at, by_row = action
    mask = session.instances[label].mask if label in session.instances else Mask(0, 0, np.ones((4, 4), bool))
    first, second = mask.crop.copy(), mask.crop.copy()
    if by_row:
        first[at:], second[: at + 1] = False, False
    else:
        first[:, at:], second[:, : at + 1] = False, False
    return Split(label, tuple(Mask.from_array(part, mask.top, mask.left) for part in (first, second)))


def check(session: AnnotationSession) -> None:
    pasted, count = np.zeros(SHAPE, np.uint16), 0
    for label, instance in session.instances.items():
        assert instance.id == label
        assert instance.mask.area > 0
        pasted[instance.mask.window][instance.mask.crop] = label
        count += instance.mask.area
    assert (pasted == session.labels).all()
    assert session.regions.values.max() <= 2
    assert count == np.count_nonzero(pasted)


def snapshot(session: AnnotationSession) -> tuple[np.ndarray, dict, np.ndarray, tuple[Mask, ...]]:
    return session.labels.copy(), dict(session.instances), session.regions.values.copy(), session.suppressed


def same(a: tuple, b: tuple) -> bool:
    return (
        a[0].tobytes() == b[0].tobytes()
        and a[2].tobytes() == b[2].tobytes()
        and len(a[3]) == len(b[3])
        and all(m.equals(n) for m, n in zip(a[3], b[3], strict=True))
        and a[1].keys() == b[1].keys()
        and all(a[1][label].equals(b[1][label]) for label in a[1])
    )


def run(session: AnnotationSession, drawn: list) -> list:
    """Apply what is not refused, and return the state before each step and after the last."""
    states, last = [snapshot(session)], ""
    for action in drawn:
        before = snapshot(session)
        try:
            change = session.apply(make(action, session))
        except BadActionError:
            assert same(snapshot(session), before)
            continue
        check(session)
        check_change(change, before, snapshot(session))
        drag = getattr(action, "drag", "")
        if not change.empty:
            # A drag that goes on is one step with what it did before.
            joined = drag and drag == last
            states[len(states) - 1 if joined else len(states) :] = [snapshot(session)]
            last = drag
    return states


def check_change(change, before, after) -> None:
    assert set(change.added) == after[1].keys() - before[1].keys()
    assert set(change.removed) == before[1].keys() - after[1].keys()
    touched = {k for k in before[1].keys() & after[1].keys() if not before[1][k].equals(after[1][k])}
    assert touched == set(change.modified)
    outside = (before[0] != after[0]) | (before[2] != after[2])
    if change.bbox is not None:
        top, left, bottom, right = change.bbox
        outside[top:bottom, left:right] = False
    assert not outside.any()


@settings(max_examples=150, deadline=None)
@given(st.lists(actions, max_size=14))
def test_undo_and_redo_walk_through_the_same_states(drawn):
    session = AnnotationSession(SHAPE)
    states = run(session, drawn)
    for state in states[-2::-1]:
        session.undo()
        assert same(snapshot(session), state)
    assert not session.can_undo
    for state in states[1:]:
        session.redo()
        assert same(snapshot(session), state)
    assert not session.can_redo


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.uint16, SHAPE, elements=st.integers(0, 6)), st.lists(st.one_of(actions, st.none()), max_size=12)
)
def test_replaying_actions_gives_the_same_session(labels, drawn):
    first, second = (AnnotationSession.from_labels(labels) for _ in range(2))
    start = snapshot(first)
    done = []
    for action in drawn:
        # None stands for an undo.
        made = None if action is None else make(action, first)
        try:
            first.undo() if made is None else first.apply(made)
        except BadActionError:
            continue
        done.append(made)
        check(first)
    for made in done:
        second.undo() if made is None else second.apply(made)
    assert same(snapshot(first), snapshot(second))
    while first.can_undo:
        first.undo()
    assert same(snapshot(first), start)


@settings(max_examples=100, deadline=None)
@given(plain)
def test_an_action_survives_json(action):
    try:
        text = json.dumps(encode_action(action))
        again = decode_action(json.loads(text))
    except ParticleSamError:
        # Boxes outside any image are refused when they are read back.
        return
    assert type(again) is type(action)
    assert json.dumps(encode_action(again)) == json.dumps(encode_action(decode_action(json.loads(text))))


@settings(max_examples=80, deadline=None)
@given(
    arrays(np.uint16, SHAPE, elements=st.integers(0, 6)),
    st.lists(st.one_of(actions, st.sampled_from(["undo", "redo"])), max_size=14),
    st.integers(0, 14),
)
def test_a_snapshot_and_the_journal_give_the_session(labels, drawn, saved_after):
    session = AnnotationSession.from_labels(labels)
    saved, journal = session.snapshot(), []
    session.recorded.connect(lambda entry: journal.append(json.dumps(entry)))
    for count, action in enumerate(drawn):
        if count == saved_after:
            saved, journal[:] = session.snapshot(), []
        try:
            if isinstance(action, str):
                getattr(session, action)()
            else:
                session.apply(make(action, session))
        except BadActionError:
            continue
    stored = Snapshot(saved.labels, saved.regions, *json.loads(json.dumps([saved.instances, saved.history])))
    again = replay(stored, [json.loads(line) for line in journal])
    assert same(snapshot(again), snapshot(session))
    while session.can_undo:
        session.undo()
        again.undo()
        assert same(snapshot(again), snapshot(session))
    assert not again.can_undo
