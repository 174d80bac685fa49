from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from squares import squares

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.evaluation.matching import compact, match, overlaps

maps = arrays(np.uint8, (5, 6), elements=st.integers(0, 4))


def _iou_table(pred: np.ndarray, truth: np.ndarray) -> np.ndarray:
    preds, truths = (np.unique(m[m > 0]) for m in (pred, truth))
    table = np.zeros((len(preds), len(truths)))
    for (i, p), (j, t) in itertools.product(enumerate(preds), enumerate(truths)):
        table[i, j] = np.sum((pred == p) & (truth == t)) / np.sum((pred == p) | (truth == t))
    return table


def _best_by_trying_all(table: np.ndarray, threshold: float) -> tuple[int, float]:
    if table.shape[0] > table.shape[1]:
        table = table.T
    best = (0, 0.0)
    for columns in itertools.permutations(range(table.shape[1]), table.shape[0]):
        ious = table[np.arange(len(columns)), list(columns)]
        ious = ious[ious >= threshold]
        best = max(best, (len(ious), round(float(ious.sum()), 9)))
    return best


def test_overlaps_lists_only_pairs_that_share_pixels():
    pairs = overlaps(squares((0, 0, 10, 10), (50, 50, 10, 10)), squares((0, 5, 10, 10), (0, 80, 5, 5)))
    assert (pairs.rows.tolist(), pairs.cols.tolist(), pairs.shared.tolist()) == ([0], [0], [50])
    assert pairs.iou.tolist() == [50 / 150]
    assert pairs.of_pred.tolist() == [0.5]
    assert pairs.pred_areas.tolist() == [100, 100]
    assert pairs.truth_areas.tolist() == [100, 25]


@settings(max_examples=150, deadline=None)
@given(maps, maps)
def test_iou_is_that_of_the_definition(pred, truth):
    pairs = overlaps(pred, truth)
    table = np.zeros((len(pairs.pred_ids), len(pairs.truth_ids)))
    table[pairs.rows, pairs.cols] = pairs.iou
    np.testing.assert_allclose(table, _iou_table(pred, truth))


@settings(max_examples=300, deadline=None)
@given(maps, maps, st.sampled_from([0.05, 0.1, 0.2, 0.3, 0.5, 0.75]))
def test_match_is_the_best_of_all_assignments(pred, truth, threshold):
    pairs = overlaps(pred, truth)
    found = match(pairs, threshold)
    assert len(set(pairs.rows[found])) == len(found) == len(set(pairs.cols[found]))
    assert (pairs.iou[found] >= threshold).all()
    got = len(found), round(float(pairs.iou[found].sum()), 9)
    assert got == pytest.approx(_best_by_trying_all(_iou_table(pred, truth), threshold))


def test_two_weak_matches_beat_one_strong():
    # IoU of prediction 1 is 8/12 with truth 1, 2/10 with truth 2; that of prediction 2 is 2/10 with truth 1.
    truth = np.array([[1] * 10 + [0] * 2 + [2] * 2])
    pred = np.array([[2] * 2 + [1] * 8 + [0] * 2 + [1] * 2])
    pairs = overlaps(pred, truth)
    assert len(match(pairs, 0.1)) == 2


def test_labels_need_not_be_consecutive():
    ids, dense = compact(np.array([[0, 7, 7], [60000, 0, 7]]))
    assert ids.tolist() == [7, 60000]
    assert dense.tolist() == [[0, 1, 1], [2, 0, 1]]
    assert compact(np.array([[5, 5]]))[1].tolist() == [[1, 1]]


def test_500_by_500_is_fast():
    side = np.arange(1, 501).repeat(8)
    truth = np.tile(side, (16, 1))
    pairs = overlaps(np.roll(truth, 3, 1), truth)
    start = time.perf_counter()
    assert len(match(pairs, 0.1)) == 500
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("pred", "words"),
    [
        (np.zeros((4, 4), int), "same micrograph"),
        (np.zeros((3, 3), float), "no label map"),
        (np.zeros((3, 3, 3), int), "no label map"),
        (np.full((3, 3), -1), "negative"),
    ],
)
def test_refuses_what_is_no_pair_of_label_maps(pred, words):
    with pytest.raises(BadValueError, match=words):
        overlaps(pred, np.zeros((3, 3), int))
