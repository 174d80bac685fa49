from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.evaluation_cache import evaluate
from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadValueError

SHAPE = (60, 80)
PLAIN = Thresholds(pred_iou=0.3, stability=0.5, min_area=0)


def rectangle(top, left, rows, cols):
    mask = np.zeros(SHAPE, bool)
    mask[top : top + rows, left : left + cols] = True
    return mask


def candidates(masks, scores, stability=None, field_rows=None):
    """Candidates at full resolution whose logits are 8 inside and -8 outside."""
    trimmed = [Mask.from_array(m) for m in masks]
    return Candidates(
        SHAPE,
        (Frame(0, 0, *SHAPE, *SHAPE, max(SHAPE), max(SHAPE)),),
        np.zeros(len(masks), np.intp),
        np.zeros((len(masks), 2), np.float32),
        np.array(scores, np.float32),
        tuple(np.where(m.crop, 8.0, -8.0).astype(np.float32) for m in trimmed),
        np.array([(m.top, m.left) for m in trimmed], np.intp).reshape(-1, 2),
        None if stability is None else np.array(stability, np.float32),
        field_rows=field_rows,
    )


def kept(masks, scores, thresholds=PLAIN, **more):
    return [p.candidate for p in propose(candidates(masks, scores, **more), thresholds)]


def changed(**values):
    return PLAIN.model_copy(update=values)


def test_apart_masks_all_stay_with_their_pixels():
    masks = [rectangle(2, 3, 10, 12), rectangle(30, 40, 8, 9)]
    proposals = propose(candidates(masks, [0.9, 0.8]), PLAIN)
    labels = label_map(proposals, SHAPE)
    assert [p.lost for p in proposals] == [0, 0]
    np.testing.assert_array_equal(labels == 1, masks[0])
    np.testing.assert_array_equal(labels == 2, masks[1])


def test_nothing_in_nothing_out():
    assert propose(candidates([], []), PLAIN) == []
    assert not label_map([], SHAPE).any()


def test_of_duplicates_the_higher_score_stays():
    masks = [rectangle(2, 2, 20, 20), rectangle(2, 2, 20, 19)]
    assert kept(masks, [0.7, 0.8]) == [1]
    assert kept(masks, [0.8, 0.7]) == [0]
    assert kept(masks, [0.8, 0.75], stability=[0.6, 0.9]) == [1]


@pytest.mark.parametrize(("field", "value"), [("pred_iou", 0.85), ("stability", 0.85), ("min_area", 101)])
def test_thresholds_filter(field, value):
    masks = [rectangle(2, 2, 10, 10), rectangle(30, 30, 12, 12)]
    ask = {"stability": [0.8, 0.9]}
    assert kept(masks, [0.8, 0.9], **ask) == [0, 1]
    assert kept(masks, [0.8, 0.9], changed(**{field: value}), **ask) == [1]


def test_a_mask_that_fills_the_field_is_dropped():
    assert kept([rectangle(0, 0, 60, 80), rectangle(2, 2, 9, 9)], [0.9, 0.9]) == [1]


def test_the_smallest_area_counts_the_pixel_itself():
    assert kept([rectangle(2, 2, 10, 10)], [0.8], changed(min_area=100)) == [0]


def test_no_mask_reaches_below_the_field():
    proposals = propose(candidates([rectangle(30, 2, 20, 10)], [0.9], field_rows=40), PLAIN)
    assert [p.mask.box for p in proposals] == [(30, 2, 40, 12)]
    assert kept([rectangle(45, 2, 10, 10)], [0.9], field_rows=40) == []


OUTER, INNER = rectangle(5, 5, 40, 40), rectangle(10, 10, 15, 15)


def test_the_unit_chooses_between_nested_masks():
    assert kept([OUTER, INNER], [0.8, 0.85]) == [0]
    assert kept([OUTER, INNER], [0.8, 0.85], changed(unit="part")) == [1]


def test_an_outer_mask_of_low_score_gives_way():
    assert kept([OUTER, INNER], [0.7, 0.85]) == [1]
    assert kept([OUTER, INNER], [0.7, 0.85], changed(nesting_margin=0.2)) == [0]


def test_an_outer_mask_of_several_apart_masks_gives_way():
    parts = [rectangle(8, 8, 12, 30), rectangle(25, 8, 12, 30)]
    assert kept([OUTER, *parts], [0.9, 0.8, 0.8]) == [1, 2]


def test_parts_that_touch_do_not_break_their_outer_mask():
    parts = [rectangle(8, 8, 12, 30), rectangle(21, 8, 12, 30)]
    assert kept([OUTER, *parts], [0.9, 0.8, 0.8]) == [0]


def test_a_part_of_a_part_does_not_hide_that_particles_lie_apart():
    parts = [rectangle(8, 8, 12, 30), rectangle(25, 8, 12, 30), rectangle(9, 9, 5, 5)]
    assert kept([OUTER, *parts], [0.9, 0.8, 0.8, 0.8]) == [1, 2]


def test_three_levels_keep_the_outermost_or_the_innermost():
    masks = [OUTER, INNER, rectangle(12, 12, 5, 5)]
    assert kept(masks, [0.8, 0.8, 0.8]) == [0]
    assert kept(masks, [0.8, 0.8, 0.8], changed(unit="part")) == [2]


def test_shared_pixels_go_to_the_higher_score():
    masks = [rectangle(5, 5, 20, 20), rectangle(5, 20, 20, 20)]
    proposals = propose(candidates(masks, [0.8, 0.9]), PLAIN)
    assert [(p.candidate, p.mask.area, p.lost) for p in proposals] == [(0, 300, 100), (1, 400, 0)]


def test_a_mask_that_loses_more_than_half_is_dropped():
    # The second shares 13 and 2 more of its 20 columns with better masks: it is nested in neither.
    masks = [rectangle(5, 5, 20, 20), rectangle(5, 12, 20, 20), rectangle(5, 30, 20, 30)]
    assert kept(masks, [0.9, 0.7, 0.9]) == [0, 2]


def test_what_is_cut_off_is_counted():
    cut = rectangle(20, 0, 4, 80)
    proposals = propose(candidates([rectangle(5, 5, 40, 6), cut], [0.8, 0.9]), PLAIN)
    first = proposals[0]
    assert (first.mask.box, first.lost) == ((24, 5, 45, 11), 19 * 6)


def test_islands_of_a_mask_are_cut_off_and_counted():
    proposals = propose(candidates([rectangle(5, 5, 10, 10) | rectangle(40, 40, 3, 3)], [0.9]), PLAIN)
    assert [(p.mask.area, p.lost) for p in proposals] == [(100, 9)]


boxes = st.tuples(st.integers(0, 55), st.integers(0, 75), st.integers(1, 30), st.integers(1, 30))


@settings(max_examples=80, deadline=None)
@given(
    found=st.lists(st.tuples(boxes, boxes, st.floats(0, 1), st.floats(0, 1)), max_size=12),
    unit=st.sampled_from(["whole", "part"]),
    min_area=st.integers(0, 40),
)
def test_every_result_is_disjoint_whole_and_repeatable(found, unit, min_area):
    masks = [rectangle(*a) | rectangle(*b) for a, b, *_ in found]
    scores, stability = [f[2] for f in found], [f[3] for f in found]
    ask = candidates(masks, scores, stability)
    thresholds = changed(unit=unit, min_area=min_area)
    proposals = propose(ask, thresholds)
    count = np.zeros(SHAPE, int)
    for p in proposals:
        count[p.mask.window] += p.mask.crop
        assert len(p.mask.components()) == 1
        assert p.mask.area >= max(1, min_area)
        assert p.lost + p.mask.area == masks[p.candidate].sum()
        assert not (p.mask.crop & ~masks[p.candidate][p.mask.window]).any()
        assert scores[p.candidate] >= 0.3 - 1e-6 and stability[p.candidate] >= 0.5 - 1e-6
    assert count.max(initial=0) <= 1
    assert [p.candidate for p in proposals] == sorted({p.candidate for p in proposals})
    again = propose(ask, thresholds)
    assert len(again) == len(proposals)
    assert all(
        a.candidate == b.candidate and a.mask.equals(b.mask) for a, b in zip(proposals, again, strict=True)
    )


def test_thresholds_below_the_collected_logits_are_refused():
    candidates = Candidates(
        (8, 8), (), np.zeros(0, int), np.zeros((0, 2), np.float32), np.zeros(0, np.float32), (),
        np.zeros((0, 2), int), floor_logit=-2.0,
    )  # fmt: skip
    with pytest.raises(BadValueError, match="collecting ended"):
        propose(candidates, Thresholds(mask_threshold=-1.5, stability_offset=1.0))


def test_what_was_looked_at_once_gives_the_same_as_looking_anew():
    # One with an island, two that overlap, one apart: each way through the sharing out.
    island = rectangle(2, 2, 8, 8)
    island[2:4, 20:22] = True
    masks = [island, rectangle(16, 2, 8, 8), rectangle(20, 4, 8, 8), rectangle(16, 20, 8, 8)]
    found = candidates(masks, [0.9, 0.85, 0.8, 0.7])
    warm = evaluate(found, PLAIN)
    for score in (0.0, 0.75, 0.82, 0.87, 0.75, 0.0):
        thresholds = changed(pred_iou=score)
        for again, anew in zip(propose(found, thresholds, warm), propose(found, thresholds), strict=True):
            assert again.mask.equals(anew.mask)
            assert (again.candidate, again.lost) == (anew.candidate, anew.lost)


def test_a_mask_in_one_piece_that_meets_no_other_is_looked_at_once(monkeypatch):
    looked, look = [], Mask.largest_component
    monkeypatch.setattr(Mask, "largest_component", lambda mask: looked.append(mask) or look(mask))
    found = candidates([rectangle(2, 2, 8, 8), rectangle(16, 16, 8, 8)], [0.9, 0.8])
    warm = evaluate(found, PLAIN)
    first = propose(found, PLAIN, warm)
    assert len(looked) == 2
    assert len(propose(found, PLAIN, warm)) == len(first) == 2
    assert len(looked) == 2
