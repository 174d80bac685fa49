"""What proposals lost to their neighbours."""

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import Accept, AddMasks, Propose
from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.lost_shares import lost_shares
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import CancelledError

SIDE = 64
LIMITS = Thresholds()


def square(col: int) -> Mask:
    return Mask(10, col, np.ones((10, 10), bool))


@pytest.fixture
def found() -> Candidates:
    """Two squares of which four columns are shared, and one apart."""
    logits = []
    for col in (10, 16, 40):
        crop = np.full((SIDE, SIDE), -1.0, np.float32)
        crop[10:20, col : col + 10] = 1.0
        logits.append(crop)
    return Candidates(
        (SIDE, SIDE), (Frame(0, 0, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE),), np.zeros(3, np.intp),
        np.zeros((3, 2), np.float32), np.full(3, 0.9, np.float32), tuple(logits),
        np.zeros((3, 2), np.intp), floor_logit=-2.0,
    )  # fmt: skip


@pytest.fixture
def session() -> AnnotationSession:
    made = AnnotationSession((SIDE, SIDE))
    rest = Mask(10, 20, np.ones((10, 6), bool))
    made.apply(Propose((square(10), rest, square(40)), candidates=(0, 1, 2), run="run"))
    return made


def test_what_a_neighbour_holds_is_lost(found, session):
    second = next(i.id for i in session.instances.values() if i.candidate == 1)
    assert lost_shares(found, session, "run", LIMITS) == {second: pytest.approx(0.4)}


def test_what_a_person_painted_counts_too(found, session):
    session.apply(AddMasks((Mask(10, 40, np.ones((10, 5), bool)),), "painted", replace=True))
    assert sorted(lost_shares(found, session, "run", LIMITS).values()) == [
        pytest.approx(0.4),
        pytest.approx(0.5),
    ]


def test_reviewed_particles_and_other_runs_are_left_out(found, session):
    assert lost_shares(found, session, "other", LIMITS) == {}
    session.apply(Accept(tuple(session.instances)))
    assert lost_shares(found, session, "run", LIMITS) == {}


def test_it_can_be_stopped(found, session):
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        lost_shares(found, session, "run", LIMITS, token)
