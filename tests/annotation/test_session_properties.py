from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.actions import Accept, AddMasks, Merge, Remove, Reshape, Split
from napari_particle_sam.annotation.instances import ORIGINS
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadActionError

SHAPE = (14, 16)

crops = arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7)))
masks = st.builds(Mask, st.integers(-1, 12), st.integers(-1, 12), crops)
ids = st.integers(1, 8)
many = st.lists(ids, max_size=3).map(tuple)
origins = st.sampled_from(ORIGINS)


@st.composite
def splits(draw: st.DrawFn) -> tuple[int, int, bool]:
    return draw(ids), draw(st.integers(1, 6)), draw(st.booleans())


actions = st.one_of(
    st.builds(AddMasks, st.lists(masks, max_size=4).map(tuple), origins, st.just(()), st.booleans()),
    st.builds(Remove, many),
    st.builds(Merge, many),
    st.builds(Reshape, ids, masks, origins, st.booleans()),
    st.builds(Accept, many),
    splits(),
)


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
    assert count == np.count_nonzero(pasted)


def snapshot(session: AnnotationSession) -> tuple[np.ndarray, dict]:
    return session.labels.copy(), dict(session.instances)


def same(a: tuple[np.ndarray, dict], b: tuple[np.ndarray, dict]) -> bool:
    return (
        a[0].tobytes() == b[0].tobytes()
        and a[1].keys() == b[1].keys()
        and all(a[1][label].equals(b[1][label]) for label in a[1])
    )


def run(session: AnnotationSession, drawn: list) -> list:
    """Apply what is not refused, and return the state before each step and after the last."""
    states = [snapshot(session)]
    for action in drawn:
        try:
            change = session.apply(make(action, session))
        except BadActionError:
            assert same(snapshot(session), states[-1])
            continue
        check(session)
        check_change(change, states[-1], snapshot(session))
        if not change.empty:
            states.append(snapshot(session))
    return states


def check_change(change, before, after) -> None:
    assert set(change.added) == after[1].keys() - before[1].keys()
    assert set(change.removed) == before[1].keys() - after[1].keys()
    touched = {k for k in before[1].keys() & after[1].keys() if not before[1][k].equals(after[1][k])}
    assert touched == set(change.modified)
    outside = before[0] != after[0]
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
