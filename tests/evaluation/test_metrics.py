from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from squares import squares

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.evaluation.metrics import METRICS, pool, weighted
from napari_particle_sam.evaluation.scores import score_image

EMPTY = squares()
ONE = squares((20, 20, 20, 20))
maps = arrays(np.uint8, (8, 9), elements=st.integers(0, 5))


def measure(pred, truth, **settings):
    return pool([score_image(pred, truth, **settings)])


def test_a_perfect_prediction():
    values = measure(ONE, ONE)
    assert {values[name] for name in METRICS if "@" in name or name.startswith(("map", "pq", "dice"))} == {1}
    assert {values[name] for name in METRICS if "error" in name or name in ("splits", "merges")} == {0}
    assert (values["true"], values["predicted"], values["images"]) == (1, 1, 1)


def test_a_shifted_square():
    # 20 x 20 shifted by 5 columns: 300 shared of 500 px, IoU 0.6, so that 3 of 10 thresholds are passed.
    values = measure(squares((20, 25, 20, 20)), ONE)
    assert (values["f1@0.5"], values["f1@0.75"]) == (1, 0)
    assert values["map"] == pytest.approx(0.3)
    assert values["pq"] == pytest.approx(0.6)
    assert values["dice_foreground"] == pytest.approx(2 * 300 / 800)
    # 76 contour pixels each. From one to the other: top and bottom rows 2 (1+2+3+4+5) = 30, the far side
    # 18 x 5 = 90, the near side 2 (1+2+3+4) + 10 x 5 = 70; so (190 + 190) / 152.
    assert values["boundary_error"] == pytest.approx(2.5)
    assert values["boundary_error_percent"] == pytest.approx(100 * 2.5 / math.sqrt(4 * 400 / math.pi))
    assert values["ecd_error"] == 0


def test_touching_squares_taken_for_one():
    # The 10 x 20 prediction has IoU 0.5 with each half and can match one: TP 1, FP 0, FN 1.
    values = measure(squares((20, 20, 10, 20)), squares((20, 20, 10, 10), (20, 30, 10, 10)))
    assert values["f1@0.5"] == pytest.approx(2 / 3)
    assert values["ap@0.5"] == pytest.approx(1 / 2)
    assert values["map"] == pytest.approx(0.05)
    assert values["pq"] == pytest.approx(0.5 / 1.5)
    assert (values["merges"], values["splits"]) == (50, 0)
    assert values["count_error"] == 0.5
    assert values["dice_foreground"] == 1
    assert values["ecd_error"] == pytest.approx(math.sqrt(2) - 1)


def test_a_square_taken_for_two():
    values = measure(squares((20, 20, 10, 10), (20, 30, 10, 10)), squares((20, 20, 10, 20)))
    assert values["f1@0.5"] == pytest.approx(2 / 3)
    assert (values["merges"], values["splits"]) == (0, 100)
    assert values["count_error"] == 1


def test_three_pieces_are_one_split():
    truth = squares((0, 0, 10, 30), (50, 50, 10, 10))
    values = measure(squares((0, 0, 10, 10), (0, 10, 10, 10), (0, 20, 10, 10)), truth)
    assert values["splits"] == 50


def test_nothing_found_where_nothing_is():
    values = measure(EMPTY, EMPTY)
    assert [
        values[name] for name in ("f1@0.5", "ap@0.75", "map", "pq", "f1@0.5_mean", "dice_foreground")
    ] == [1] * 6
    assert math.isnan(values["splits"])
    assert math.isnan(values["boundary_error"])


@pytest.mark.parametrize(("pred", "truth"), [(ONE, EMPTY), (EMPTY, ONE)])
def test_one_of_both_empty_is_zero(pred, truth):
    values = measure(pred, truth)
    assert [values[name] for name in ("f1@0.5", "ap@0.75", "map", "pq", "map_mean", "dice_foreground")] == [
        0
    ] * 6


def test_pooled_counts_differ_from_the_mean_over_images():
    # First image: 1 of 1 found. Second: 1 of 3 found, 1 false.
    second = squares((20, 20, 20, 20), (60, 20, 20, 20), (60, 60, 20, 20))
    scores = [score_image(ONE, ONE), score_image(squares((20, 20, 20, 20), (20, 60, 20, 20)), second)]
    values = pool(scores)
    assert values["f1@0.5"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 2))
    assert values["f1@0.5_mean"] == pytest.approx((1 + 2 / 5) / 2)
    assert values["ap@0.5"] == pytest.approx(2 / 5)
    assert values["ap@0.5_mean"] == pytest.approx((1 + 1 / 4) / 2)
    assert values["pq_mean"] == pytest.approx((1 + 1 / 2.5) / 2)
    assert values["count_error"] == pytest.approx(1 / 4)
    # 400 of 800 and 1200 px are shared in the second.
    assert values["dice_foreground"] == pytest.approx((1 + 800 / 2000) / 2)
    assert (values["true"], values["predicted"], values["images"]) == (4, 3, 2)


def test_median_boundary_error_is_over_pairs_not_images():
    two = squares((20, 20, 20, 20), (60, 20, 20, 20))
    shifted = score_image(squares((20, 25, 20, 20)), ONE)
    assert pool([score_image(two, two), shifted])["boundary_error"] == 0
    assert pool([score_image(ONE, ONE), shifted])["boundary_error"] == pytest.approx(1.25)


def test_small_truth_is_ignored_with_what_covers_it():
    # 48 px are below the 50 that count; the prediction of 56 px lies in it by 48 / 56.
    values = measure(squares((20, 20, 20, 20), (60, 60, 7, 8)), squares((20, 20, 20, 20), (60, 60, 6, 8)))
    assert (values["f1@0.5"], values["true"], values["predicted"]) == (1, 1, 1)


def test_a_prediction_mostly_beside_small_truth_is_false():
    # 25 of 64 px lie in ignored truth.
    values = measure(squares((60, 60, 8, 8)), squares((60, 60, 5, 5)))
    assert (values["f1@0.5"], values["predicted"]) == (0, 1)


def test_small_predictions_are_dropped():
    values = measure(squares((20, 20, 20, 20), (60, 60, 7, 7)), ONE)
    assert (values["f1@0.5"], values["predicted"]) == (1, 1)
    assert measure(squares((20, 20, 20, 20), (60, 60, 7, 7)), ONE, min_area=49)["predicted"] == 2


def test_sizes_are_of_complete_particles_only():
    # The particle at the frame is found with twice its area, which says nothing about its size.
    truth = squares((0, 20, 20, 20), (50, 50, 20, 20))
    values = measure(squares((0, 20, 40, 20), (50, 50, 20, 25)), truth)
    assert values["f1@0.5"] == 1
    assert values["ecd_error"] == pytest.approx(math.sqrt(500 / 400) - 1)
    sizes = score_image(truth, truth, pixel_size=2.0).true_sizes
    assert sizes.diameters == pytest.approx([2 * math.sqrt(4 * 400 / math.pi)])
    assert sizes.weights == pytest.approx([1 / (0.8 * 0.8)])


def test_median_diameters_by_number_and_by_volume():
    # Sides 10, 10, 10, 20 with weights 1 / 0.81 and 1 / 0.64: most are small, but the large one has 12,500 of
    # 16,204 parts of the volume.
    small = [(10, 10, 10, 10), (10, 30, 10, 10), (10, 50, 10, 10)]
    values = measure(squares(*small, (50, 50, 10, 10)), squares(*small, (50, 50, 20, 20)))
    assert values["dn50_error"] == 0
    assert values["dv50_error"] == pytest.approx(0.5)


def test_only_reviewed_pixels_judge():
    regions = np.zeros((100, 100), np.uint8)
    regions[:, :50] = 1
    truth = squares((20, 20, 20, 20), (60, 42, 10, 10), (60, 80, 10, 10))
    pred = squares((20, 20, 20, 20), (5, 45, 10, 10), (5, 46, 10, 10), (80, 60, 10, 10))
    values = measure(pred, truth, regions=regions)
    # Truth: the first two count (100 % and 80 % reviewed). Predictions: the second lies half and more outside
    # after the third covers all but one of its columns.
    assert values["true"] == 2
    assert values["predicted"] == 1
    assert values["f1@0.5"] == pytest.approx(2 / 3)
    assert len(score_image(pred, truth, regions=regions).true_sizes.diameters) == 1


def test_outlines_and_foreground_count_in_the_reviewed_region_only():
    regions = np.zeros((100, 100), np.uint8)
    regions[:, :50] = 1
    truth = squares((20, 20, 20, 40))
    # Right inside, 6 columns too long outside; then also a false one there.
    longer = squares((20, 20, 20, 46), (70, 70, 20, 20))
    values = measure(longer, truth, regions=regions)
    assert values["boundary_error"] == 0 and values["dice_foreground"] == 1
    assert measure(longer, truth)["boundary_error"] > 0
    erased = np.where(regions == 1, longer, 0).astype(np.uint16)
    assert measure(erased, truth, regions=regions)["boundary_error"] == 0
    shifted = measure(np.roll(truth, 2, 0), truth, regions=regions)["boundary_error"]
    # 3 of 4 outlines' sides lie in it: two that moved by 2, and one that moved along itself.
    assert 1 < shifted < 2


@settings(max_examples=60, deadline=None)
@given(maps, maps, st.integers(1, 5))
def test_what_lies_apart_from_the_reviewed_region_changes_no_metric(pred, truth, column):
    shape = (pred.shape[0], 6 + 2 * pred.shape[1])
    regions = np.zeros(shape, np.uint8)
    regions[:, : pred.shape[1]] = 1
    beside = [np.zeros(shape, np.uint16) for _ in range(2)]
    for wide, part in zip(beside, (pred, truth), strict=True):
        wide[:, : pred.shape[1]] = part
    plain = measure(*beside, min_area=1, regions=regions)
    beside[0][:, -pred.shape[1] :] = np.where(truth, truth + 10, 0)
    beside[1][:, -column:] = 30
    assert measure(*beside, min_area=1, regions=regions) == pytest.approx(plain, nan_ok=True)


def test_a_region_map_of_another_size_is_one_sentence():
    with pytest.raises(BadValueError, match="same micrograph"):
        score_image(ONE, ONE, regions=np.ones((3, 3), np.uint8))


def test_a_particle_that_fills_the_frame_has_no_outline():
    full = squares((0, 0, 100, 100))
    assert measure(full, full)["boundary_error"] == 0
    assert math.isnan(measure(full, squares((0, 0, 60, 100)))["boundary_error"])


@settings(max_examples=60, deadline=None)
@given(maps, maps, st.permutations(range(1, 6)))
def test_neither_numbers_nor_axes_of_the_labels_matter(pred, truth, numbers):
    names = np.array([0, *numbers], np.uint8)
    before = measure(pred, truth, min_area=1)
    assert measure(names[pred] * 40, truth, min_area=1) == pytest.approx(before, nan_ok=True)
    counts = {k: v for k, v in before.items() if "boundary" not in k and "ecd" not in k}
    turned = measure(pred.T.copy(), truth.T.copy(), min_area=1)
    # Where two assignments tie, which one is taken may depend on the order; the counts may not.
    assert {k: turned[k] for k in counts} == pytest.approx(counts, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(maps, maps), min_size=2, max_size=4), st.data())
def test_weights_are_repetitions(pairs, data):
    scores = [score_image(pred, truth, min_area=2) for pred, truth in pairs]
    times = data.draw(st.lists(st.integers(0, 3), min_size=len(scores), max_size=len(scores)).filter(any))
    repeated = [s for s, n in zip(scores, times, strict=True) for _ in range(n)]
    expected = pool(repeated)
    got = {name: weighted(name, scores, np.array([times], float))[0] for name in METRICS}
    # Bit noise in summed 1 / P weights can tip a median over; counts and plain medians must agree.
    plain = [name for name in METRICS if not name.startswith(("dn50", "dv50"))]
    assert [got[n] for n in plain] == pytest.approx([expected[n] for n in plain], nan_ok=True)


def test_refuses_unknown_metrics_and_no_images():
    with pytest.raises(BadValueError, match=r"f1@0\.5"):
        weighted("accuracy", [score_image(ONE, ONE)], np.ones((1, 1)))
    with pytest.raises(BadValueError, match="no images"):
        pool([])
