from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.annotation.actions import Accept, AddMasks, MarkRegion, Remove, Reshape
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.snapshot import Snapshot, replay
from napari_particle_sam.base.errors import BadValueError, ParticleSamError


def box(top: int, left: int, bottom: int, right: int) -> Mask:
    return Mask(top, left, np.ones((bottom - top, right - left), bool))


def edited() -> Snapshot:
    """Return a snapshot with steps behind and before it, and a deleted proposal."""
    session = AnnotationSession((20, 30))
    session.apply(AddMasks((box(0, 0, 5, 5), box(0, 5, 5, 10)), "proposed", ((0.5, None),) * 2))
    session.apply(MarkRegion(box(0, 0, 5, 5), 2))
    session.apply(Remove((1,)))
    session.apply(Reshape(2, box(10, 10, 12, 12)))
    session.undo()
    return session.snapshot()


def paths(value, path=()):
    yield path
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from paths(value[key], (*path, key))


SAVED = edited()
PLAIN = json.loads(json.dumps([SAVED.instances, SAVED.history]))
PLACES = [path for path in paths(PLAIN) if path]
WRONG = (None, -1, 3, 70_000, 10**30, 1.5, float("inf"), True, "x", [], {}, [[]])


def walk(session: AnnotationSession) -> None:
    """Go to both ends of the history; the raster must be the paste of the instances all the way."""
    for go in (session.undo, session.redo, session.undo):
        while not go().empty:
            pasted = np.zeros(session.shape, np.uint16)
            for label, instance in session.instances.items():
                pasted[instance.mask.window][instance.mask.crop] = label
            assert (pasted == session.labels).all()
            assert session.regions.values.max() <= 2


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(WRONG))
def test_a_damaged_snapshot_is_refused_or_sound(place, wrong):
    damaged = copy.deepcopy(PLAIN)
    target = damaged
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = wrong
    try:
        session = AnnotationSession.from_snapshot(Snapshot(SAVED.labels, SAVED.regions, *damaged))
    except ParticleSamError as error:
        assert "\n" not in str(error) and str(error).endswith(".")
        return
    walk(session)


def test_a_sound_snapshot_goes_on():
    session = AnnotationSession.from_snapshot(Snapshot(SAVED.labels, SAVED.regions, *PLAIN))
    assert len(session.suppressed) == 1
    assert session.can_undo and session.can_redo
    walk(session)


def test_a_snapshot_stays_as_it_was():
    session = AnnotationSession.from_labels(np.eye(4, dtype=int))
    taken = session.snapshot()
    session.apply(MarkRegion(box(0, 0, 2, 2), 0))
    session.apply(Remove((1,)))
    assert taken.labels.any() and taken.instances and (taken.regions.values == 1).all()


@pytest.mark.parametrize(
    "change",
    [
        {"labels": SAVED.labels.astype(np.int32)},
        {"labels": SAVED.labels[:-1]},
        {"labels": np.zeros_like(SAVED.labels)},
        {"labels": SAVED.labels + (SAVED.labels == 0).astype(np.uint16) * 7},
        {"labels": np.where(SAVED.labels > 0, np.roll(SAVED.labels, 1), 0).astype(np.uint16)},
        {"regions": RegionMap.default((20, 30))},
        {"regions": RegionMap.default((19, 30))},
        {"instances": []},
        {"instances": SAVED.instances * 2},
        {"instances": {}},
        {"history": {}},
        {"history": []},
        {"history": SAVED.history | {"past": SAVED.history["past"][:-1]}},
        {"history": SAVED.history | {"past": SAVED.history["past"][::-1]}},
        {"history": SAVED.history | {"future": SAVED.history["past"]}},
    ],
)
def test_parts_that_contradict_one_another_are_refused(change):
    with pytest.raises(BadValueError):
        AnnotationSession.from_snapshot(replace(SAVED, **change))


@pytest.mark.parametrize(
    "entry",
    [5, None, "undo", [], {}, {"undo": False}, {"undo": 2}, {"undo": True, "redo": True},
     {"undo": True, "action": "Accept"}, {"action": ["Accept"]}, {"action": "Accept", "ids": [9]}],
)  # fmt: skip
def test_a_damaged_entry_is_refused(entry):
    with pytest.raises(ParticleSamError):
        replay(SAVED, [entry])


def test_an_undo_or_redo_too_many_is_refused():
    replay(SAVED, [{"redo": True}, {"undo": True}])
    with pytest.raises(BadValueError, match="nothing to redo"):
        replay(SAVED, [{"redo": True}, {"redo": True}])
    with pytest.raises(BadValueError, match="nothing to undo"):
        replay(SAVED, [{"undo": True}] * 4)


def test_only_what_was_done_is_recorded():
    session = AnnotationSession.from_snapshot(SAVED)
    entries = []
    session.recorded.connect(entries.append)
    session.apply(Accept((2,)))
    session.apply(Accept((2,)))
    session.redo()
    session.undo()
    assert entries == [{"action": "Accept", "ids": [2]}, {"undo": True}]
