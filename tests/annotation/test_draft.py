from __future__ import annotations

import time

import numpy as np
import pytest

from napari_particle_sam.annotation import draft
from napari_particle_sam.annotation.actions import AddMasks, Group, Merge, Propose, Remove
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadActionError


def box(top: int, left: int, bottom: int, right: int) -> Mask:
    return Mask(top, left, np.ones((bottom - top, right - left), bool))


def painted(*masks: Mask) -> AddMasks:
    return AddMasks(masks, "painted")


def undoable(session: AnnotationSession) -> int:
    count = 0
    while session.can_undo:
        session.undo()
        count += 1
    return count


@pytest.fixture
def short_of_ids(monkeypatch):
    """Four ids exist; 2, 3 and 4 are held by the history, each by steps of its own."""
    monkeypatch.setattr(draft, "LARGEST_ID", 4)
    session = AnnotationSession((20, 30))
    session.apply(painted(box(0, 0, 2, 2)))
    for col in (3, 6, 9):
        session.apply(painted(box(0, col, 2, col + 2)))
        session.apply(Remove((max(session.instances),)))
    return session


def test_only_as_many_steps_are_forgotten_as_it_takes(short_of_ids):
    assert list(short_of_ids.instances) == [1]
    change = short_of_ids.apply(painted(box(5, 0, 7, 2)))
    assert change.added == (2,)
    # Of seven steps three spoke of ids 1 and 2; the new one comes on top.
    assert undoable(short_of_ids) == 5


def test_an_action_that_is_refused_forgets_no_step(short_of_ids):
    with pytest.raises(BadActionError):
        short_of_ids.apply(Group((painted(box(5, 0, 7, 2)), Merge((1, 9)))))
    with pytest.raises(BadActionError, match="particle numbers"):
        short_of_ids.apply(painted(*(box(5, 3 * k, 7, 3 * k + 2) for k in range(4))))
    assert list(short_of_ids.instances) == [1]
    assert undoable(short_of_ids) == 7


def test_ids_never_collide_where_candidates_get_theirs_back(monkeypatch):
    monkeypatch.setattr(draft, "LARGEST_ID", 4)
    session = AnnotationSession((20, 40))
    found = [box(0, 5 * k, 4, 5 * k + 4) for k in range(4)]
    rng = np.random.default_rng(0)
    for _ in range(60):
        picked = rng.permutation(4)[: rng.integers(0, 5)].tolist()
        session.apply(Propose(tuple(found[k] for k in picked), (), tuple(picked), "run"))
        assert sorted(i.candidate for i in session.instances.values()) == sorted(picked)
        assert len(np.unique(session.labels)) == len(picked) + 1


def test_what_a_group_adds_and_removes_again_leaves_no_trace():
    session = AnnotationSession((20, 30))
    mask = box(0, 0, 4, 4)
    change = session.apply(Group((AddMasks((mask,), "proposed"), Remove((1,)))))
    assert change.empty
    assert session.suppressed == ()
    session.apply(Propose((mask,), candidates=(0,), run="r"))
    assert len(session.instances) == 1


def test_a_new_id_beside_60000_others_is_found_at_once():
    labels = np.zeros((300, 300), np.uint16)
    labels.ravel()[:60_000] = np.arange(1, 60_001)
    session = AnnotationSession.from_labels(labels)
    begin = time.thread_time()
    assert session.apply(painted(box(290, 0, 292, 2))).added == (60_001,)
    # A search that looks at one id after the other takes ten times as long.
    assert time.thread_time() - begin < 0.05
