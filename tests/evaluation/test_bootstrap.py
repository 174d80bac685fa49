from __future__ import annotations

import math
import time

import numpy as np
import pytest
from squares import squares

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.evaluation.bootstrap import interval, paired_interval, paired_ratio_interval
from napari_particle_sam.evaluation.scores import score_image

TRUTH = squares((10, 10, 20, 20), (10, 50, 20, 20), (50, 10, 20, 20), (50, 50, 20, 20))
SCORES = [score_image(np.where(found >= TRUTH, TRUTH, 0), TRUTH) for found in range(5)]


def test_equal_scores_do_not_differ():
    assert paired_interval(SCORES, SCORES) == (0, 0, 0)
    assert paired_interval(SCORES, SCORES, "boundary_error") == (0, 0, 0)


def test_a_gain_in_every_image_is_sure():
    value, low, high = paired_interval([SCORES[1]] * 6, [SCORES[3]] * 6, "ap@0.5")
    assert (value, low, high) == pytest.approx((0.5, 0.5, 0.5))


def test_a_mixed_change_is_not_sure():
    base, other = [SCORES[2]] * 6, [SCORES[4], SCORES[0], SCORES[3], SCORES[1], SCORES[2], SCORES[3]]
    value, low, high = paired_interval(base, other)
    assert low < 0 < value < high


def test_resamples_are_pooled_again_from_counts():
    scores = [SCORES[1], SCORES[4], SCORES[2], SCORES[4]]
    drawn = np.random.default_rng(3).multinomial(4, [0.25] * 4, size=500)
    found = np.array([1, 4, 2, 4])
    expected = np.percentile([w @ found / (4 * w.sum()) for w in drawn], (2.5, 97.5))
    assert interval(scores, "ap@0.5", seed=3, resamples=500) == pytest.approx((11 / 16, *expected))


def test_images_of_a_group_are_drawn_together():
    scores = [SCORES[1]] * 5 + [SCORES[4]] * 5
    groups = ["a"] * 5 + ["b"] * 5
    assert interval(scores, "ap@0.5", groups)[1:] == pytest.approx((0.25, 1))
    single = interval(scores, "ap@0.5")
    assert 0.25 < single.low < single.high < 1


def test_one_group_gives_no_interval():
    value, low, high = interval(SCORES, "f1@0.5", ["paper"] * 5)
    assert value == pytest.approx(2 / 3)
    assert math.isnan(low)
    assert math.isnan(high)


def test_the_seed_decides():
    assert interval(SCORES, seed=1) == interval(SCORES, seed=1)
    drawn = [interval(SCORES * 4, "pq", seed=seed, resamples=20) for seed in (1, 2)]
    assert drawn[0] != drawn[1]


def test_a_hundred_images_take_a_moment():
    start = time.perf_counter()
    paired_interval(SCORES * 20, SCORES[::-1] * 20, "map")
    assert time.perf_counter() - start < 2


def test_refuses_unequal_numbers():
    with pytest.raises(BadValueError, match="same images"):
        paired_interval(SCORES, SCORES[:2])
    with pytest.raises(BadValueError, match="name one for each"):
        interval(SCORES, groups=["a"])


def test_a_difference_of_ratios_is_that_of_the_sums():
    base, other = ([4.0, 6.0, 0.0], [2.0, 3.0, 0.0]), ([1.0, 2.0, 0.0], [2.0, 3.0, 0.0])
    found = paired_ratio_interval(base, other)
    assert found.value == pytest.approx(3 / 5 - 10 / 5) and found.low <= found.value <= found.high < 0
    assert np.isnan(paired_ratio_interval(base, other, ["one"] * 3).low)
    empty = ([0.0, 0.0], [0.0, 0.0])
    assert all(np.isnan(v) for v in paired_ratio_interval(empty, empty))
