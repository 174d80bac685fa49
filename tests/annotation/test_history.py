from __future__ import annotations

import numpy as np

from napari_particle_sam.annotation import history
from napari_particle_sam.annotation.actions import Accept, AddMasks, MarkRegion
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession


def box(top: int, left: int, bottom: int, right: int) -> Mask:
    return Mask(top, left, np.ones((bottom - top, right - left), bool))


def undoable(session: AnnotationSession) -> int:
    count = 0
    while not session.undo().empty:
        count += 1
    return count


def test_region_steps_hold_the_changed_part_only():
    session = AnnotationSession((50, 60))
    session.apply(MarkRegion(box(0, 0, 50, 30), 2))
    change = session.apply(MarkRegion(box(0, 0, 50, 34), 2))
    assert change.regions and change.bbox == (0, 30, 50, 34)
    assert session.apply(MarkRegion(box(3, 3, 9, 9), 2)).empty
    session.undo()
    assert (session.regions.values[:, :30] == 2).all() and (session.regions.values[:, 30:] == 1).all()


def test_the_memory_of_region_steps_is_bounded(monkeypatch):
    # A patch of the whole image is 2 x 1000 bytes.
    monkeypatch.setattr(history, "BYTE_LIMIT", 5000)
    session = AnnotationSession((20, 50))
    for count in range(8):
        session.apply(MarkRegion(box(0, 0, 20, 50), count % 2 * 2))
    last = session.regions.values.copy()
    assert undoable(session) == 2
    while not session.redo().empty:
        pass
    assert (session.regions.values == last).all()


def test_the_newest_step_stays_however_large(monkeypatch):
    monkeypatch.setattr(history, "BYTE_LIMIT", 10)
    session = AnnotationSession((20, 50))
    session.apply(AddMasks((box(0, 0, 2, 2),), "painted"))
    session.apply(MarkRegion(box(0, 0, 20, 50), 2))
    assert undoable(session) == 1


def test_a_change_of_attributes_tells_where():
    session = AnnotationSession((20, 50))
    session.apply(AddMasks((box(0, 0, 2, 2), box(8, 9, 12, 20)), "proposed"))
    assert session.apply(Accept((2,))).bbox == (8, 9, 12, 20)
    assert session.undo().bbox == (8, 9, 12, 20)
