from __future__ import annotations

import numpy as np
import pytest

from napari_particle_sam.annotation import draft
from napari_particle_sam.annotation.actions import Accept, AddMasks, Merge, Remove, Reshape, Split
from napari_particle_sam.annotation.history import HISTORY_LIMIT
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.errors import BadActionError, BadValueError


def box(top: int, left: int, bottom: int, right: int) -> Mask:
    return Mask(top, left, np.ones((bottom - top, right - left), bool))


def add(*masks: Mask, **more) -> AddMasks:
    return AddMasks(masks, **{"origin": "proposed", **more})


@pytest.fixture
def session() -> AnnotationSession:
    """Three particles: 1 and 2 touch, 3 lies apart."""
    session = AnnotationSession((20, 30))
    session.apply(add(box(0, 0, 5, 5), box(0, 5, 5, 10), box(10, 10, 15, 20), scores=((0.9, 0.8),) * 3))
    return session


def test_added_masks_carry_their_scores(session):
    assert sorted(session.instances) == [1, 2, 3]
    first = session.instances[1]
    assert (first.origin, first.predicted_iou, first.stability) == ("proposed", 0.9, 0.8)
    assert (first.status, first.completeness, first.kind, first.note) == (
        "unreviewed",
        "complete",
        "particle",
        "",
    )
    assert not first.locked
    assert session.labels[0, 0] == 1
    assert session.labels.dtype == np.uint16


def test_views_cannot_be_written_to(session):
    with pytest.raises(ValueError, match="read-only"):
        session.labels[0, 0] = 9
    with pytest.raises(TypeError):
        session.instances[1] = None


def test_an_added_mask_takes_free_pixels_only(session):
    change = session.apply(add(box(0, 0, 6, 6)))
    assert change.added == (4,)
    assert change.modified == ()
    assert session.instances[4].mask.area == 6
    assert session.instances[1].mask.area == 25


def test_replacing_takes_all_and_drops_who_is_left_with_nothing(session):
    change = session.apply(add(box(0, 0, 6, 6), replace=True, origin="painted"))
    assert (change.added, change.removed, change.modified) == ((4,), (1,), (2,))
    assert change.bbox == (0, 0, 6, 10)
    assert session.instances[2].mask.area == 20
    session.undo()
    assert sorted(session.instances) == [1, 2, 3]


def test_nothing_to_take_is_no_step(session):
    told = []
    session.changed.connect(told.append)
    change = session.apply(add(box(0, 0, 2, 2)))
    assert change.empty
    assert told == []
    session.undo()
    assert not session.instances


def test_merge_keeps_the_first_id_even_apart(session):
    change = session.apply(Merge((3, 1)))
    assert (change.removed, change.modified) == ((1,), (3,))
    merged = session.instances[3]
    assert (merged.mask.area, merged.components, merged.origin, merged.predicted_iou) == (
        75,
        2,
        "merged",
        None,
    )
    assert merged.locked


def test_split_neither_adds_nor_drops_a_pixel(session):
    before = session.labels > 0
    change = session.apply(Split(3, (box(10, 10, 15, 14), box(10, 16, 15, 20))))
    assert (change.modified, change.added) == ((3,), (4,))
    assert ((session.labels > 0) == before).all()
    assert (session.instances[3].mask.area, session.instances[4].mask.area) == (30, 20)


def test_reshape_leaves_neighbours_alone_unless_told(session):
    session.apply(Reshape(1, box(0, 0, 5, 7)))
    assert session.instances[1].mask.area == 25
    session.apply(Reshape(1, box(0, 0, 5, 7), replace=True))
    assert (session.instances[1].mask.area, session.instances[2].mask.area) == (35, 15)
    assert session.instances[1].origin == "painted"


def test_accept_locks(session):
    change = session.apply(Accept((1, 3)))
    assert change.modified == (1, 3)
    assert session.instances[1].locked
    assert session.apply(Accept((1, 3))).empty
    session.undo()
    assert not session.instances[1].locked


def test_ids_are_reused_only_when_the_history_forgot_them(session):
    session.apply(Remove((2,)))
    assert session.apply(add(box(18, 0, 19, 1))).added == (4,)
    session.undo()
    assert session.apply(add(box(18, 0, 19, 1))).added == (4,)
    for _ in range(HISTORY_LIMIT // 2):
        session.apply(Reshape(1, box(0, 0, 4, 5)))
        session.apply(Reshape(1, box(0, 0, 5, 5)))
    assert session.apply(add(box(18, 5, 19, 6))).added == (2,)


def test_the_history_is_bounded(session):
    for _ in range(HISTORY_LIMIT):
        session.apply(Reshape(1, box(0, 0, 4, 5)))
        session.apply(Reshape(1, box(0, 0, 5, 5)))
    count = 0
    while session.can_undo:
        session.undo()
        count += 1
    assert count == HISTORY_LIMIT
    assert session.undo().empty


def test_a_new_action_forgets_what_could_be_redone(session):
    session.apply(Remove((1,)))
    session.undo()
    assert session.can_redo
    session.apply(Remove((2,)))
    assert not session.can_redo
    assert session.redo().empty


def test_the_signal_tells_every_change(session):
    told = []
    session.changed.connect(told.append)
    changes = [session.apply(Remove((1,))), session.undo(), session.redo()]
    assert told == changes
    assert [(c.added, c.removed) for c in told] == [((), (1,)), ((1,), ()), ((), (1,))]


def test_exhausted_ids_refuse_and_change_nothing(session, monkeypatch):
    monkeypatch.setattr(draft, "LARGEST_ID", 4)
    before = session.labels.copy()
    with pytest.raises(BadActionError, match="particle numbers"):
        session.apply(add(box(18, 0, 19, 1), box(18, 5, 19, 6)))
    assert (session.labels == before).all()
    assert sorted(session.instances) == [1, 2, 3]


@pytest.mark.parametrize(
    "action",
    [
        add(),
        add(Mask(0, 0, np.zeros((2, 2), bool))),
        add(box(-1, 0, 2, 2)),
        add(box(18, 28, 21, 30)),
        add(box(0, 0, 1, 1), scores=((0.5, 0.5),) * 2),
        add(box(19, 0, 20, 1), origin="found"),
        add(box(18, 0, 19, 1), box(18, 28, 21, 30), replace=True),
        Remove(()),
        Remove((1, 9)),
        Merge((1,)),
        Merge((1, 1)),
        Merge((1, 9)),
        Split(9, (box(0, 0, 1, 1), box(1, 0, 2, 1))),
        Split(1, (box(0, 0, 1, 1),)),
        Split(1, (box(0, 0, 3, 5), box(2, 0, 5, 5))),
        Split(1, (box(0, 0, 3, 5), box(3, 0, 5, 6))),
        Split(1, (box(0, 0, 3, 5), Mask(0, 0, np.zeros((0, 0), bool)))),
        Reshape(9, box(0, 0, 1, 1)),
        Reshape(1, box(0, 5, 2, 6)),
        Reshape(1, box(0, 0, 21, 2)),
        Reshape(1, box(0, 0, 2, 2), origin="magic"),
        Accept(()),
        Accept((1, 9)),
        "paint",
    ],
)
def test_refusals_change_nothing(session, action):
    session.apply(Remove((3,)))
    session.undo()
    labels, instances = session.labels.copy(), dict(session.instances)
    with pytest.raises(BadActionError) as caught:
        session.apply(action)
    assert str(caught.value).endswith(".")
    assert (session.labels == labels).all()
    assert dict(session.instances) == instances
    assert session.can_redo


def test_from_labels_keeps_ids(session):
    again = AnnotationSession.from_labels(session.labels.astype(np.int64))
    assert (again.labels == session.labels).all()
    assert {i.origin for i in again.instances.values()} == {"imported"}
    assert all(again.instances[k].mask.equals(v.mask) for k, v in session.instances.items())
    assert not again.can_undo


@pytest.mark.parametrize(
    "labels",
    [
        np.zeros((3, 3)),
        np.zeros((3, 3), bool),
        np.zeros((3, 3, 3), int),
        np.full((2, 2), -1),
        np.full((2, 2), 65536),
        np.zeros((0, 4), int),
    ],
)
def test_what_is_no_label_map_is_refused(labels):
    with pytest.raises(BadValueError):
        AnnotationSession.from_labels(labels)


def test_edits_cost_their_box_not_the_image(session):
    large = AnnotationSession((12_000, 12_000))
    large.apply(add(box(0, 0, 5, 5)))
    assert large.instances[1].mask.crop.shape == (5, 5)
    assert large.apply(Remove((1,))).bbox == (0, 0, 5, 5)
