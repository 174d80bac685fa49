from __future__ import annotations

import numpy as np
import pytest

from napari_particle_sam.annotation import draft
from napari_particle_sam.annotation.actions import Accept, AddMasks, Group, MarkRegion, Merge, Propose, Remove
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadActionError


def box(top, left, bottom, right):
    return Mask(top, left, np.ones((bottom - top, right - left), bool))


FOUND = (box(0, 0, 6, 6), box(0, 10, 6, 16), box(10, 0, 16, 6))


@pytest.fixture
def session():
    made = AnnotationSession((20, 30))
    made.apply(Propose(FOUND, candidates=(4, 7, 9), run="r"))
    return made


def ids(session):
    return {i.candidate: label for label, i in session.instances.items()}


def test_a_filter_and_back_keeps_every_id(session):
    before = ids(session)
    session.apply(Propose((FOUND[2],), candidates=(9,), run="r"))
    assert ids(session) == {9: before[9]}
    session.apply(Propose(FOUND, candidates=(4, 7, 9), run="r"))
    assert ids(session) == before


def test_another_run_gets_other_ids_for_the_same_numbers(session):
    before = ids(session)
    session.apply(Propose((FOUND[1],), candidates=(4,), run="other"))
    assert ids(session)[4] not in before.values()


def test_what_is_locked_stays_and_clips(session):
    first = ids(session)[4]
    session.apply(Accept((first,)))
    session.apply(Propose((box(0, 3, 6, 12),), candidates=(1,), run="r"))
    new = ids(session)[1]
    assert session.instances[first].mask.area == 36
    assert session.instances[new].mask.box == (0, 6, 6, 12)
    session.apply(Propose((box(0, 0, 6, 8),), candidates=(2,), run="r"))
    assert 2 not in ids(session), "three quarters of it are taken"


def test_a_deleted_proposal_stays_away_until_the_deletion_is_undone(session):
    session.apply(Remove((ids(session)[7],)))
    again = Propose((box(0, 10, 6, 15),), candidates=(3,), run="new model")
    session.apply(again)
    assert len(session.instances) == 0
    session.undo()
    session.undo()
    session.apply(again)
    assert list(ids(session)) == [3]


def test_a_painted_mask_that_is_deleted_says_nothing_about_proposals(session):
    session.apply(AddMasks((box(10, 10, 16, 16),), "painted"))
    session.apply(Remove((4,)))
    session.apply(Propose((box(10, 10, 16, 16),), candidates=(0,), run="r"))
    assert list(ids(session)) == [0]


def test_a_drag_is_one_step(session):
    for count in (1, 2, 1, 3):
        session.apply(Propose(FOUND[:count], candidates=(4, 7, 9)[:count], run="r", drag="d1"))
    session.apply(Propose(FOUND[:1], candidates=(4,), run="r", drag="d2"))
    session.undo()
    assert len(session.instances) == 3
    session.undo()
    assert len(session.instances) == 3 and session.can_undo
    session.undo()
    assert not session.instances and not session.can_undo


def test_a_group_is_one_step_and_all_or_nothing(session):
    region = MarkRegion(box(0, 0, 20, 15), 2)
    with pytest.raises(BadActionError):
        session.apply(Group((region, Accept((1,)), Merge((1, 99)))))
    assert session.regions.values.max() == 1 and not session.instances[1].locked
    change = session.apply(Group((region, MarkRegion(box(5, 5, 10, 25), 0), Accept((1, 2)))))
    assert change.regions and change.modified == (1, 2) and change.bbox == (0, 0, 20, 25)
    session.undo()
    assert (session.regions.values == 1).all() and not session.instances[1].locked
    session.redo()
    assert session.regions.values[6, 20] == 0 and session.regions.values[0, 0] == 2


def test_where_no_id_is_free_the_oldest_steps_are_forgotten(monkeypatch):
    monkeypatch.setattr(draft, "LARGEST_ID", 4)
    session = AnnotationSession((20, 30))
    session.apply(AddMasks(tuple(box(0, 3 * k, 2, 3 * k + 2) for k in range(4)), "painted"))
    session.apply(Remove((1, 2, 3)))
    session.apply(AddMasks((box(5, 0, 7, 2),), "painted"))
    assert sorted(session.instances) == [1, 4]
    assert session.can_undo
    session.undo()
    assert not session.can_undo, "the steps that held the ids are gone"


def test_65535_particles_and_one_too_many():
    rows = np.arange(65_535).reshape(1, -1)
    labels = np.zeros((3, 65_536), np.uint16)
    labels[0, 1:] = rows + 1
    session = AnnotationSession.from_labels(labels)
    with pytest.raises(BadActionError, match="All 65535 particle numbers"):
        session.apply(AddMasks((box(2, 0, 3, 1),), "painted"))
    session.apply(Remove((700,)))
    session.apply(AddMasks((box(2, 0, 3, 1),), "painted"))
    assert session.instances[700].mask.top == 2


def test_a_deleted_proposal_stays_away_though_its_neighbour_had_clipped_it():
    session = AnnotationSession((20, 30))
    session.apply(AddMasks((box(0, 0, 10, 4),), "painted"))
    again = Propose((box(0, 0, 10, 10),), candidates=(0,), run="r")
    session.apply(again)
    session.apply(Remove((2,)))
    assert session.apply(again).empty
    assert list(session.instances) == [1]


def test_the_same_proposals_again_change_nothing_even_where_they_overlap():
    session = AnnotationSession((20, 30))
    again = Propose((box(0, 0, 6, 6), box(0, 4, 6, 12), box(5, 5, 9, 9)), candidates=(1, 2, 3), run="r")
    session.apply(again)
    before = dict(session.instances)
    assert session.apply(again).empty
    assert dict(session.instances) == before
