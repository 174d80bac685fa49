"""Finishing a region: the rest is accepted in bulk, the unlabelled is background."""

import numpy as np

from napari_particle_sam.annotation.actions import AddMasks, MarkRegion, SetStatus
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import IGNORE, REVIEWED, UNKNOWN, RegionMap
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.model.regions import finish_region


def session() -> AnnotationSession:
    made = AnnotationSession((40, 40), RegionMap.from_array(np.full((40, 40), UNKNOWN, np.uint8)))
    made.apply(AddMasks((box(2, 2, 5), box(2, 20, 5), box(30, 30, 5)), "painted"))
    return made


def box(top: int, left: int, side: int) -> Mask:
    return Mask(top, left, np.ones((side, side), bool))


def test_the_rest_is_accepted_and_pixels_are_reviewed_but_for_the_ignored():
    made = session()
    made.apply(SetStatus((1,), "flagged"))
    made.apply(MarkRegion(box(38, 0, 2), IGNORE))
    action, words = finish_region(made, None)
    made.apply(action)
    assert "2 particles" in words
    assert [made.instances[i].status for i in (1, 2, 3)] == ["flagged", "bulk", "bulk"]
    assert (made.regions.values[38:, :2] == IGNORE).all()
    assert np.count_nonzero(made.regions.values == REVIEWED) == 40 * 40 - 4
    assert finish_region(made, None)[0] is None


def test_only_what_lies_in_the_region_is_touched():
    made = session()
    action, words = finish_region(made, box(0, 0, 15))
    made.apply(action)
    assert "1 particle " in words
    assert [made.instances[i].status for i in (1, 2, 3)] == ["bulk", "unreviewed", "unreviewed"]
    assert np.count_nonzero(made.regions.values == REVIEWED) == 15 * 15


def test_it_is_one_step_of_the_history():
    made = session()
    before = made.snapshot()
    made.apply(finish_region(made, None)[0])
    made.undo()
    after = made.snapshot()
    assert np.array_equal(before.regions.values, after.regions.values)
    assert before.instances == after.instances
