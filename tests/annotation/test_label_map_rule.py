"""The quick rule against the rule as its docstring states it, written down without any shortcut."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_particle_sam.annotation import evaluation_cache
from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.evaluation_cache import Evaluated, evaluate
from napari_particle_sam.annotation.full_resolution import FullLogits
from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.thresholds import Thresholds

SIDE = 48
EIGHT = np.ones((3, 3))


def blobs(seed, count):
    """Candidates of smooth random blobs, several of each place."""
    rng = np.random.default_rng(seed)
    rows, cols = np.indices((SIDE, SIDE))
    centres = rng.uniform(4, SIDE - 4, (max(1, count // 4), 2))
    logits = []
    for _ in range(count):
        row, col = centres[rng.integers(len(centres))] + rng.normal(0, 1.5, 2)
        radius = rng.uniform(3, 12)
        bumps = ndimage.gaussian_filter(rng.normal(0, 3, (SIDE, SIDE)), 1)
        logits.append((radius - np.hypot(rows - row, cols - col) + bumps).astype(np.float32))
    frame = Frame(0, 0, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE)
    return Candidates(
        (SIDE, SIDE), (frame,), np.zeros(count, np.intp), np.zeros((count, 2), np.float32),
        rng.uniform(0.2, 1, count).astype(np.float32), tuple(logits), np.zeros((count, 2), np.intp),
        floor_logit=-2.0,
    )  # fmt: skip


def by_the_book(candidates, thresholds):
    """Label map by the stated rule, on full-size masks and with every pair compared."""
    t = thresholds
    full = [candidates.full_logits(i)[0] for i in range(len(candidates))]
    masks = [f > np.float32(t.mask_threshold) for f in full]
    low, high = (np.float32(t.mask_threshold + s * t.stability_offset) for s in (-1, 1))
    stability = [np.count_nonzero(f > high) / max(np.count_nonzero(f > low), 1) for f in full]
    area, iou = [int(m.sum()) for m in masks], candidates.predicted_iou
    score = [float(p) * s for p, s in zip(iou, stability, strict=True)]
    kept = [
        i
        for i in range(len(masks))
        if iou[i] >= t.pred_iou and stability[i] >= t.stability
        and max(t.min_area, 1) <= area[i] <= t.max_area_share * SIDE * SIDE
    ]  # fmt: skip
    kept.sort(key=lambda i: -score[i])
    shared = {(i, j): int((masks[i] & masks[j]).sum()) for i in kept for j in kept}
    unique = []
    for i in kept:
        if all(shared[i, j] <= t.nms * (area[i] + area[j] - shared[i, j]) for j in unique):
            unique.append(i)
    alive = _nested(unique, masks, area, iou, shared, t)
    return _shared_out([i for i in unique if i in alive], masks, area, t)


def _nested(kept, masks, area, iou, shared, t):
    alive = set(kept)

    def inside(outer):
        return [j for j in kept if area[j] < area[outer] and shared[outer, j] >= max(0.85 * area[j], 1)]

    for outer in sorted(kept, key=lambda i: -area[i]):
        inner = [j for j in inside(outer) if j in alive]
        if outer not in alive or not inner:
            continue
        outermost = [i for i in inner if not any(i in inside(j) for j in inner)]
        wide = [ndimage.binary_dilation(masks[i], np.ones((5, 5))) for i in outermost]
        touch = [(wide[a] & masks[j]).any() for a in range(len(wide)) for j in outermost[a + 1 :]]
        apart = len(outermost) > 1 and not any(touch)
        worse = iou[outer] < iou[inner].mean() - t.nesting_margin
        if t.unit == "part" or worse or apart:
            alive.discard(outer)
        else:
            alive.difference_update(inner)
    return alive


def _shared_out(kept, masks, area, t):
    labels, found = np.zeros((SIDE, SIDE), int), []
    for i in kept:
        pieces, count = ndimage.label(masks[i] & (labels == 0), EIGHT)
        if count == 0:
            continue
        largest = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
        if largest.sum() >= max(t.min_area, 0.5 * area[i], 1):
            labels[largest] = i + 1
            found.append(i)
    return labels, sorted(found)


CHOICES = st.builds(
    Thresholds,
    pred_iou=st.floats(0, 0.9), stability=st.floats(0, 0.8), stability_offset=st.floats(0.1, 1.0),
    mask_threshold=st.floats(-1, 5), nms=st.floats(0.2, 0.95), min_area=st.integers(0, 80),
    max_area_share=st.floats(0.05, 1), unit=st.sampled_from(["whole", "part"]),
    nesting_margin=st.floats(0, 0.3),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 24), chosen=st.lists(CHOICES, min_size=1, max_size=3))
def test_every_way_of_filtering_gives_the_rule(seed, count, chosen):
    candidates = blobs(seed, count)
    kept, anew, some = None, FullLogits(candidates, 0), FullLogits(candidates, 5 * SIDE * SIDE)
    for thresholds in chosen:
        labels, found = by_the_book(candidates, thresholds)
        kept = evaluate(candidates, thresholds) if kept is None else kept.at(thresholds)
        at = thresholds.mask_threshold, thresholds.stability_offset
        for evaluated in (kept, Evaluated(candidates, *at, anew), Evaluated(candidates, *at, some)):
            proposals = propose(candidates, thresholds, evaluated)
            assert [p.candidate for p in proposals] == found
            drawn = label_map(proposals, (SIDE, SIDE))
            numbers = np.array([0, *(p.candidate + 1 for p in proposals)])
            np.testing.assert_array_equal(numbers[drawn], labels)


def test_only_what_passes_the_predicted_iou_is_measured():
    candidates = blobs(2, 12)
    limit = float(np.sort(candidates.predicted_iou)[-3])
    upsampled = []

    class Watched(Candidates):
        def full_logits(self, index):
            upsampled.append(index)
            return super().full_logits(index)

    watched = Watched(**{f.name: getattr(candidates, f.name) for f in fields(candidates)})
    evaluated = evaluate(watched, Thresholds(pred_iou=limit))
    propose(watched, Thresholds(pred_iou=limit), evaluated)
    assert sorted(upsampled) == sorted(np.argsort(candidates.predicted_iou)[-3:].tolist())
    again = Thresholds(pred_iou=limit, mask_threshold=0.4, stability_offset=0.5)
    propose(watched, again, evaluated.at(again))
    assert len(upsampled) == 3


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), chosen=CHOICES)
def test_the_rule_holds_where_few_masks_are_kept(seed, chosen):
    candidates = blobs(seed, 16)
    _, found = by_the_book(candidates, chosen)
    before, evaluation_cache.KEPT_MASKS = evaluation_cache.KEPT_MASKS, 500
    try:
        proposals = propose(candidates, chosen)
    finally:
        evaluation_cache.KEPT_MASKS = before
    assert [p.candidate for p in proposals] == found


def test_a_mask_is_trimmed_and_negative_places_count_from_the_end():
    masks = evaluate(blobs(4, 5), Thresholds()).masks
    assert masks[-1].equals(masks[4]) and len(masks[1:3]) == 2
    for mask in masks:
        assert not mask.area or (mask.crop[[0, -1]].any(1).all() and mask.crop[:, [0, -1]].any(0).all())
