from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import Accept
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError, CancelledError
from napari_particle_sam.base.events import Progress
from napari_particle_sam.workflow.collecting import CandidateCache
from napari_particle_sam.workflow.reviewing import job
from napari_particle_sam.workflow.reviewing.models import ModelChoice, ProposeSettings, default_thresholds
from napari_particle_sam.workflow.reviewing.proposing import (
    ProposalsFound,
    beginning_of,
    proposal_action,
    propose_for_review,
)

from .conftest import DISCS

SETTINGS = ProposeSettings(points_per_side=4, tiles=False)
THRESHOLDS = default_thresholds(ModelChoice())
RIGHT = (0, 105, 180, 210)


def run(generator):
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            return end.value, events


@pytest.fixture
def look(shelf, micrograph):
    def look(**more):
        return run(propose_for_review(shelf, SETTINGS, micrograph, THRESHOLDS, CancelToken(), **more))

    return look


def centres(labels):
    return {int(labels[row, col]) for row, col, _ in DISCS}


def test_every_disc_is_proposed_and_shown_while_the_job_runs(look, micrograph, monkeypatch):
    monkeypatch.setattr(job, "FOUND_EVERY", 0.0)
    monkeypatch.setattr(job, "FOUND_SHARE", 1e9)
    found, events = look()
    told = [e for e in events if isinstance(e, ProposalsFound)]
    assert told and isinstance(events[0], Progress)
    action = proposal_action(found, THRESHOLDS)
    session = AnnotationSession(micrograph.shape)
    session.apply(action)
    assert 0 not in centres(session.labels) and len(centres(session.labels)) == len(DISCS)
    assert not session.labels[160:].any()
    last = told[-1].proposals
    assert [p.candidate for p in last] == list(action.candidates)
    assert all(p.mask.equals(m) for p, m in zip(last, action.masks, strict=True))


def test_kept_candidates_are_taken_and_nothing_is_proposed_where_ignored(look, micrograph, tmp_path):
    cache = CandidateCache(tmp_path / "Maß Probe")
    first, _ = look(cache=cache)
    second, _ = look(cache=cache)
    assert (first.from_cache, second.from_cache) == (False, True) and first.run == second.run
    values = np.ones(micrograph.shape, np.uint8)
    values[:, 105:] = 2
    action = proposal_action(second, THRESHOLDS, drag="d", regions=RegionMap.from_array(values))
    assert action.drag == "d" and 0 < len(action.masks) < len(proposal_action(first, THRESHOLDS).masks)
    assert all(m.box[3] <= 105 for m in action.masks)


def test_a_part_is_looked_at_anew_and_the_rest_keeps_its_ids(look, micrograph):
    whole, _ = look()
    session = AnnotationSession(micrograph.shape)
    session.apply(proposal_action(whole, THRESHOLDS))
    before = {i.id: i.mask for i in session.instances.values() if i.mask.box[3] < 105}
    joined, _ = look(window=RIGHT, previous=whole)
    assert joined.run == whole.run and joined.everywhere
    assert joined.candidates.field_rows == 160
    session.apply(proposal_action(joined, THRESHOLDS, session=session))
    assert len(centres(session.labels) - {0}) == len(DISCS)
    assert before and all(session.instances[i].mask.equals(m) for i, m in before.items())
    old = len(whole.candidates)
    new = [i for i in session.instances.values() if i.candidate >= old]
    assert new and all(i.mask.box[1] > 80 for i in new)


def test_without_earlier_candidates_other_proposals_stay(look, micrograph):
    whole, _ = look()
    session = AnnotationSession(micrograph.shape)
    session.apply(proposal_action(replace(whole, run="earlier"), THRESHOLDS))
    count = len(session.instances)
    part, _ = look(window=RIGHT)
    assert not part.everywhere and (part.candidates.points[:, 1] >= 105).all()
    for _ in range(2):
        session.apply(proposal_action(part, THRESHOLDS, session=session))
        assert len(centres(session.labels) - {0}) == len(DISCS) and len(session.instances) == count
    session.apply(Accept(tuple(session.instances)))
    session.apply(proposal_action(part, THRESHOLDS, session=session))
    assert len(session.instances) == count


def test_the_cache_stands_in_for_earlier_candidates(look, tmp_path):
    cache = CandidateCache(tmp_path)
    whole, _ = look(cache=cache)
    joined, _ = look(window=RIGHT, cache=cache)
    assert joined.everywhere and joined.run == whole.run
    assert len(joined.candidates) > len(whole.candidates)


def test_a_part_outside_the_field_is_one_sentence_and_a_job_can_be_stopped(shelf, look, micrograph):
    with pytest.raises(BadValueError, match="draw a larger one"):
        look(window=(158, 0, 180, 210))
    token = CancelToken()
    stopped = propose_for_review(shelf, SETTINGS, micrograph, THRESHOLDS, token)
    next(stopped)
    token.cancel()
    with pytest.raises(CancelledError):
        run(stopped)


def test_the_beginning_names_the_model(look):
    found, _ = look()
    began = beginning_of(found)
    assert (began.kind, began.model, began.thresholds) == ("model", "particle-tiny", THRESHOLDS)
    assert began.fingerprint == found.fingerprint
