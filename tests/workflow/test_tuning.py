"""Thresholds tuned on what was reviewed."""

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import MarkRegion, SetStatus
from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError, CancelledError
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.workflow.tuning import tune_on_corrections

SIDE = 96
START = Thresholds(pred_iou=0.7, stability=0.5, min_area=20)
PLACES = [(20, 20), (20, 50), (20, 80), (50, 20), (50, 50), (50, 80), (80, 20), (80, 50)]


def candidates(scores, floor_iou=0.0):
    """Discs of radius 8, one per score, logits rising to the middle."""
    rows, cols = np.indices((SIDE, SIDE))
    logits = tuple(
        (10 - np.hypot(rows - r, cols - c) - 2).astype(np.float32)
        for (r, c), _ in zip(PLACES, scores, strict=False)
    )
    count = len(scores)
    return Candidates(
        (SIDE, SIDE), (Frame(0, 0, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE),), np.zeros(count, np.intp),
        np.zeros((count, 2), np.float32), np.array(scores, np.float32), logits,
        np.zeros((count, 2), np.intp), floor_iou=floor_iou, floor_logit=-2.0,
    )  # fmt: skip


def corrected(found, keep):
    """A session whose accepted instances are some of the candidates' discs."""
    everything = propose(found, START.model_copy(update={"pred_iou": 0.0}))
    session = AnnotationSession.from_labels(
        label_map([p for p in everything if p.candidate in keep], found.shape)
    )
    session.apply(SetStatus(tuple(session.instances), "bulk"))
    return session


def tune(found, session, start=START):
    return run_job(tune_on_corrections(found, session, start, CancelToken()))


def f1(found, session, thresholds):
    labels = label_map(propose(found, thresholds), found.shape)
    return pool([score_image(labels, session.labels, 1, regions=session.regions.values)])["f1@0.5"]


def test_particles_below_the_threshold_are_found_again():
    found = candidates([0.9, 0.8, 0.62, 0.61, 0.6, 0.3, 0.3, 0.3])
    session = corrected(found, {0, 1, 2, 3, 4})
    tuned = tune(found, session)
    assert tuned.before == pytest.approx(4 / 7)
    assert tuned.after == 1
    assert 0.3 < tuned.thresholds.pred_iou <= 0.6
    assert "rises from 0.57 to 1.00" in tuned.words


@pytest.mark.parametrize("pred_iou", [0.5, 0.7, 0.85])
def test_the_agreement_is_the_one_of_evaluate(pred_iou):
    found = candidates([0.9, 0.8, 0.62, 0.61, 0.75, 0.3, 0.86, 0.3])
    session, start = corrected(found, {0, 2, 6, 7}), START.model_copy(update={"pred_iou": pred_iou})
    tuned = tune(found, session, start)
    assert tuned.before == pytest.approx(f1(found, session, start))
    assert tuned.after == pytest.approx(f1(found, session, tuned.thresholds))
    assert tuned.after >= tuned.before


def test_where_nothing_is_gained_the_thresholds_stay():
    found = candidates([0.9, 0.8])
    tuned = tune(found, corrected(found, {0, 1}))
    assert (tuned.thresholds, tuned.before, tuned.after) == (START, 1, 1)
    assert tuned.words.startswith("Nothing is gained")


def test_what_nobody_accepted_and_what_was_not_reviewed_does_not_count():
    found = candidates([0.9, 0.9, 0.9])
    session = corrected(found, {0, 1})
    second = int(session.labels[PLACES[1]])
    session.apply(SetStatus((second,), "unreviewed"))
    assert tune(found, session).before == pytest.approx(2 / 3)
    session.apply(MarkRegion(Mask(0, 65, np.ones((SIDE, SIDE - 65), bool)), 0))
    assert tune(found, session).before == 1


def test_nothing_below_the_collection_floors_is_tried():
    found = candidates([0.9, 0.8, 0.62, 0.61], floor_iou=0.65)
    tuned = tune(found, corrected(found, {0, 1, 2, 3}))
    assert tuned.thresholds.pred_iou >= 0.65
    assert tuned.thresholds.mask_threshold - tuned.thresholds.stability_offset >= -2


def test_without_reviewed_particles_it_is_refused():
    found = candidates([0.9])
    with pytest.raises(BadValueError, match="accept some"):
        tune_on_corrections(found, AnnotationSession((SIDE, SIDE)), START, CancelToken())
    session = corrected(found, {0})
    session.apply(MarkRegion(Mask(0, 0, np.ones((SIDE, SIDE), bool)), 0))
    with pytest.raises(BadValueError, match="finish a region"):
        tune_on_corrections(found, session, START, CancelToken())


def test_it_can_be_cancelled_and_leaves_the_session_alone():
    found, token = candidates([0.9, 0.8, 0.5]), CancelToken()
    session = corrected(found, {0, 1, 2})
    labels = session.labels.copy()
    job = tune_on_corrections(found, session, START, token)
    assert next(job).total > 10
    token.cancel()
    with pytest.raises(CancelledError):
        next(job)
    assert np.array_equal(session.labels, labels)
