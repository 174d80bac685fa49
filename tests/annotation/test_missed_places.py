"""Masks that the thresholds hid and that no instance covers."""

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import AddMasks, MarkRegion, Remove
from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.missed_places import missed_places
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds

SIDE = 64
LIMITS = Thresholds(pred_iou=0.8, stability=0.5, min_area=20)


@pytest.fixture
def found() -> Candidates:
    """Discs: 0 good; 1 and 2 one place, below the threshold; 3 elsewhere, below it; 4 not to be believed."""
    rows, cols = np.indices((SIDE, SIDE))
    places = [(15, 15), (15, 45), (16, 45), (45, 15), (45, 45)]
    logits = tuple((8 - np.hypot(rows - r, cols - c)).astype(np.float32) for r, c in places)
    return Candidates(
        (SIDE, SIDE), (Frame(0, 0, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE),), np.zeros(5, np.intp),
        np.zeros((5, 2), np.float32), np.array([0.9, 0.6, 0.7, 0.65, 0.1], np.float32), logits,
        np.zeros((5, 2), np.intp), floor_logit=-2.0,
    )  # fmt: skip


@pytest.fixture
def session(found) -> AnnotationSession:
    made = AnnotationSession(found.shape)
    made.apply(AddMasks((disc(found, 0),), "proposed"))
    return made


def disc(found: Candidates, index: int) -> Mask:
    full, top, left = found.full_logits(index)
    return Mask.from_array(full > 0, top, left)


def test_the_likeliest_place_comes_first_and_each_once(found, session):
    places = missed_places(found, None, session, LIMITS)
    assert [p.box for p in places] == [disc(found, 2).box, disc(found, 3).box]
    assert len(missed_places(found, None, session, LIMITS, most=1)) == 1


def test_deleted_and_ignored_places_are_not_missing(found, session):
    added = session.apply(AddMasks((disc(found, 2),), "proposed")).added
    session.apply(Remove(added))
    assert [p.box for p in missed_places(found, None, session, LIMITS)] == [disc(found, 3).box]
    session.apply(MarkRegion(Mask(32, 0, np.ones((32, 64), bool)), 2))
    assert missed_places(found, None, session, LIMITS) == []


def test_places_share_no_pixel_with_instances(found, session):
    session.apply(AddMasks((Mask(10, 36, np.ones((12, 3), bool)),), "painted"))
    places = missed_places(found, None, session, LIMITS)
    assert disc(found, 2).overlap(Mask(10, 36, np.ones((12, 3), bool)))
    assert places
    assert not any(session.labels[p.window][p.crop].any() for p in places)
