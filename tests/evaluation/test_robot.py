from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from squares import squares

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.evaluation.robot import Effort, correct
from napari_particle_sam.evaluation.scores import score_image

TRUTH = squares((10, 10, 20, 20), (10, 30, 20, 20), (50, 50, 20, 20))
EMPTY = Mask(0, 0, np.zeros((0, 0), bool))


def perfect(points):
    """Draw the true particle under the first point."""
    row, col, _ = points[0]
    label = TRUTH[row, col]
    return Mask.from_array(label == TRUTH) if label else EMPTY


def useless(points):
    return EMPTY


def effort(pred, prompt=None, truth=TRUTH):
    result = correct(pred, truth, prompt)
    assert_right(result.labels, truth)
    return result.effort


def assert_right(labels, truth, min_area=50):
    score = score_image(labels, truth, min_area=min_area)
    assert (score.fn[5], score.fp[5]) == (0, 0)


def test_accepting_is_free():
    assert effort(TRUTH) == Effort(particles=3)
    assert effort(TRUTH).edits == 0


def test_a_session_is_corrected_in_place_and_can_be_undone():
    session = AnnotationSession.from_labels(squares((10, 10, 20, 40)))
    result = correct(session, TRUTH)
    np.testing.assert_array_equal(session.labels, result.labels)
    assert {i.status for i in session.instances.values()} == {"accepted"}
    while session.can_undo:
        session.undo()
    np.testing.assert_array_equal(session.labels, squares((10, 10, 20, 40)))


def test_false_particles_are_deleted():
    pred = TRUTH.copy()
    pred[80:90, 80:90], pred[80:90, 10:20] = 8, 9
    assert effort(pred) == Effort(deleted=2, particles=3)
    assert effort(pred).edits == 2


def test_two_in_one_are_split():
    pred = np.where(TRUTH == 2, 1, TRUTH)
    assert effort(pred) == Effort(split=1, particles=3)
    assert effort(pred, perfect).edits == 2


def test_three_in_one_take_two_lines():
    truth = squares((10, 10, 20, 10), (10, 20, 20, 10), (10, 30, 20, 10))
    assert effort(squares((10, 10, 20, 30)), truth=truth) == Effort(split=2, particles=3)


def test_a_split_gives_what_lies_between_to_the_nearest():
    truth = squares((10, 10, 20, 20), (10, 34, 20, 20))
    result = correct(squares((10, 10, 20, 44)), truth)
    assert result.effort.edits == 2
    assert sorted(np.bincount(result.labels.ravel())[1:]) == [440, 440]


def test_a_blob_over_everything_is_deleted_rather_than_split():
    # Splitting leaves two poor parts and one good one; with clicks, deleting and adding is cheaper.
    pred = np.ones((100, 100), np.uint16)
    assert effort(pred, perfect) == Effort(deleted=1, added=3, clicks=3, particles=3)


def test_pieces_are_merged():
    pred = TRUTH.copy()
    pred[50:70, 50:57], pred[50:70, 57:64] = 8, 9
    assert effort(pred) == Effort(merged=1, particles=3)
    assert effort(pred).edits == 2


def test_a_splinter_beside_a_good_outline_is_deleted_not_merged():
    pred = TRUTH.copy()
    pred[50:70, 50:53] = 9
    assert effort(pred) == Effort(deleted=1, particles=3)


def test_missed_particles_are_painted_or_clicked():
    pred = np.where(TRUTH == 3, 0, TRUTH)
    assert effort(pred) == Effort(painted=1, particles=3)
    assert effort(pred).edits == 10
    assert effort(pred, perfect) == Effort(added=1, clicks=1, particles=3)
    assert effort(pred, perfect).edits == 1


def test_clicks_that_did_not_help_are_paid_too():
    pred = np.where(TRUTH == 3, 0, TRUTH)
    assert effort(pred, useless) == Effort(painted=1, clicks=1, particles=3)
    assert effort(pred, useless).edits == 11


def test_poor_outlines_are_repaired():
    # 20 x 13 of 20 x 20: IoU 0.65.
    pred = TRUTH.copy()
    pred[50:70, 63:70] = 0
    assert effort(pred) == Effort(painted=1, particles=3)
    assert effort(pred, perfect) == Effort(repaired=1, clicks=1, particles=3)
    assert effort(pred, useless).painted == 1


def test_a_repair_starts_from_the_outline():
    asked = []

    def spy(points):
        asked.append(points)
        return perfect(points)

    pred = TRUTH.copy()
    pred[50:70, 63:70] = 0
    effort(pred, spy)
    (middle, click) = asked[0]
    assert TRUTH[middle[:2]] == 3
    assert click[1] == 66


def test_painting_takes_pixels_back_from_a_neighbour():
    # The neighbour reaches over by 6 of 20 columns, which its own IoU of 400 / 520 allows.
    pred = np.where(TRUTH == 2, 0, TRUTH)
    pred[10:30, 30:36] = 1
    result = correct(pred, TRUTH)
    assert result.effort == Effort(painted=1, particles=3)
    np.testing.assert_array_equal(result.labels > 0, TRUTH > 0)
    assert_right(result.labels, TRUTH)


def test_small_particles_do_not_matter():
    truth = TRUTH.copy()
    truth[80:86, 80:88] = 9
    pred = TRUTH.copy()
    pred[80:87, 80:88], pred[5:8, 5:8] = 5, 6
    assert effort(pred, truth=truth) == Effort(particles=3)


def test_efforts_add_up():
    both = Effort(deleted=1, split=1, particles=2) + Effort(merged=2, painted=1, clicks=3, particles=2)
    assert both.edits == 1 + 2 + 4 + 10 + 3
    assert both.edits_per_particle == 5
    assert math.isnan(Effort(deleted=1).edits_per_particle)


boxes = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(4, 20), st.integers(4, 20)), max_size=7
)


@settings(max_examples=80, deadline=None)
@given(boxes, boxes, st.sampled_from(["paint", "useless", "sloppy"]), st.integers(0, 99))
def test_afterwards_everything_is_right(pred_boxes, truth_boxes, how, seed):
    pred, truth = (squares(*drawn, shape=(40, 40)) for drawn in (pred_boxes, truth_boxes))
    random = np.random.default_rng(seed)

    def sloppy(points):
        top, left = (int(v) + random.integers(-3, 4) - 6 for v in points[-1][:2])
        return Mask(int(top), int(left), np.ones((12, 12), bool))

    prompt = {"paint": None, "useless": useless, "sloppy": sloppy}[how]
    result = correct(pred, truth, prompt)
    assert_right(result.labels, truth)
    assert correct(result.labels, truth).effort.edits == 0


def test_only_the_reviewed_region_costs_edits():
    regions = np.zeros((100, 100), np.uint8)
    regions[:, :45] = 1
    # False, missed and merged particles to the right of it are nobody's business.
    pred = squares((10, 10, 20, 40), (80, 10, 10, 10), (80, 80, 10, 10), (80, 40, 10, 11))
    result = correct(pred, TRUTH, perfect, regions=regions)
    assert result.effort == Effort(deleted=1, split=1, particles=2)
    assert result.labels[85, 85] and result.labels[85, 45] and not result.labels[60, 60]
    nothing = correct(pred, TRUTH, regions=regions * 0)
    assert nothing.effort == Effort() and (nothing.labels == pred).all()


def test_what_painting_leaves_of_a_neighbour_in_the_reviewed_region_is_deleted():
    regions = np.zeros((60, 60), np.uint8)
    regions[:, :20] = 1
    pred = squares((10, 20, 10, 16), shape=(60, 60))
    pred[20:30, 14:20] = 1
    result = correct(pred, squares((0, 4, 20, 32), shape=(60, 60)), regions=regions)
    assert result.effort == Effort(painted=1, deleted=1, particles=1)
    assert not result.labels[20:].any()


@settings(max_examples=60, deadline=None)
@given(boxes, boxes, st.integers(0, 40), st.booleans())
def test_afterwards_the_reviewed_region_is_right(pred_boxes, truth_boxes, column, clicks):
    pred, truth = (squares(*drawn, shape=(40, 40)) for drawn in (pred_boxes, truth_boxes))
    regions = np.zeros((40, 40), np.uint8)
    regions[:, :column] = 1
    result = correct(pred, truth, useless if clicks else None, regions=regions)
    score = score_image(result.labels, truth, regions=regions)
    assert (score.fn[5], score.fp[5]) == (0, 0)
    assert score.true == result.effort.particles


@pytest.mark.parametrize("prompt", [None, perfect, useless])
def test_an_empty_image_costs_nothing(prompt):
    assert effort(np.zeros_like(TRUTH), prompt, np.zeros_like(TRUTH)) == Effort()
