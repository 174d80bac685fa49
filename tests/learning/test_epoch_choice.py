from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.learning.epoch_choice import NOISE, Best

PARTICLES = 100
STEP = NOISE / math.sqrt(PARTICLES)


def scores(value: float, particles: int = PARTICLES) -> dict[str, float]:
    return {"f1@0.5": value, "f1@0.75": value, "map": value, "true": particles}


def begun(value: float = 0.5, particles: int = PARTICLES) -> Best:
    found = scores(value, particles)
    return Best(found, found, Thresholds(), Thresholds())


def offered(best: Best, *values: float, particles: int = PARTICLES) -> Best:
    for number, value in enumerate(values):
        best.offer(scores(value, particles), Thresholds(pred_iou=0.1 + number / 100), {"epoch": number})
    return best


def kept(best: Best) -> int | None:
    return None if best.tensors is None else best.tensors["epoch"]


@pytest.mark.parametrize(
    ("epochs", "expected", "stale"),
    [
        ((0.4, 0.5), None, 2),
        ((0.6, 0.6 - STEP / 2), 1, 1),
        ((0.6, 0.6 - 2 * STEP), 0, 1),
        # A slow fall is measured from the highest, not from what is kept.
        ((0.6, 0.6 - 0.7 * STEP, 0.6 - 1.4 * STEP), 1, 2),
        ((0.6, 0.7, 0.6), 1, 1),
        ((0.6, 0.55, 0.7 - STEP / 2, 0.7), 3, 0),
    ],
    ids=["no gain", "within the noise", "clearly worse", "slow fall", "peak", "new peak"],
)
def test_the_last_epoch_that_is_not_clearly_worse_than_the_best_is_kept(epochs, expected, stale):
    best = offered(begun(), *epochs)
    assert (kept(best), best.stale) == (expected, stale)


def test_nothing_below_the_base_is_kept_however_near_the_best_it_is():
    assert kept(offered(begun(0.5), 0.5 + STEP / 4, 0.5 - STEP / 4)) == 0


def test_many_particles_tell_epochs_apart():
    assert kept(offered(begun(), 0.6, 0.59, particles=20)) == 1
    assert kept(offered(begun(particles=5000), 0.6, 0.59, particles=5000)) == 0


def test_an_adapter_that_is_gone_on_from_stays_unless_it_is_beaten():
    best = begun()
    best.begin_with(scores(0.6), Thresholds(), {"epoch": -1})
    assert kept(offered(best, 0.6 - STEP / 4, 0.6)) == -1
    assert kept(offered(best, 0.6 + STEP / 4)) == 0


@given(st.lists(st.floats(0, 1), max_size=8), st.integers(0, 8))
def test_written_and_read_in_between_it_chooses_the_same(values, cut):
    whole = offered(begun(), *values)
    half = offered(begun(), *values[:cut])
    plain = json.loads(json.dumps(half.state()))
    again = Best.from_state(plain, half.tensors or {})
    for number, value in enumerate(values[cut:], len(values[:cut])):
        again.offer(scores(value), Thresholds(pred_iou=0.1 + number / 100), {"epoch": number})
    assert (kept(again), again.state()) == (kept(whole), whole.state())
